// One listening address: smtp-server's SMTPServer for accepting and for implicit TLS, with our connections, our limits per
// client in front of everything else, and certificates asked for at every handshake.
import type { AddressInfo, Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { formatReply, reply, type SmtpReply } from '@mox/plugin-sdk'
import { SMTPServer } from 'smtp-server'
import { Connection } from './connection.ts'
import type { ListenerContext } from './context.ts'
import { HANDSHAKE_TIME } from './limits.ts'
import { plainAddress } from './networks.ts'
import { handshakeFailure, LiveContexts } from './tls.ts'

/** Connections of one listening address; more wait for nothing and are closed. */
export const MAX_CONNECTIONS = 10_000

export class Server extends SMTPServer {
  readonly context: ListenerContext
  readonly #implicit: boolean
  #draining = false

  constructor(context: ListenerContext) {
    super({
      // Else each connection asks the system for it.
      name: context.hostname,
      secure: context.tls === 'implicit',
      logger: false,
      disableReverseLookup: true,
      socketTimeout: HANDSHAKE_TIME,
    })
    this.context = context
    this.#implicit = context.tls === 'implicit'
    const { log } = context.services
    this.secureContext = new LiveContexts(() => this.#tlsContext(undefined))
    this.server.maxConnections = MAX_CONNECTIONS
    this.server.on('drop', () => {
      context.metrics.error('maxconnections')
      log.warn({ listener: context.name, limit: MAX_CONNECTIONS }, 'too many connections: one was closed')
    })
  }

  /** Resolves with the bound address. */
  async bind(host: string, port: number): Promise<AddressInfo> {
    return await new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host, port, ipv6Only: host.includes(':'), backlog: 1024 }, () => {
        this.server.off('error', reject)
        resolve(this.server.address() as AddressInfo)
      })
    })
  }

  /** Takes no more connections, asks sessions to end when they can, and closes what is left when `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    for (const socket of this._pendingSockets.values()) socket.destroy()
    for (const connection of this.connections) if (connection instanceof Connection) connection.mox.drain()
    const force = (): void => {
      for (const connection of this.connections)
        if (connection instanceof Connection) {
          connection.mox.cut()
          setImmediate(() => connection.destroy())
        }
    }
    if (signal.aborted) force()
    signal.addEventListener('abort', force, { once: true })
    await closed
    signal.removeEventListener('abort', force)
  }

  /** Closes everything at once. */
  stop(): void {
    this.#draining = true
    this.server.close()
    for (const socket of this._pendingSockets.values()) socket.destroy()
    for (const connection of this.connections) if (connection instanceof Connection) connection.destroy()
  }

  // What the library calls ---------------------------------------------------------------------------------------------

  /** Called by the library's constructor, which would load its own well-known key. */
  override updateSecureContext(): void {}

  override _resolveSNI(name: string, done: Parameters<SMTPServer['_resolveSNI']>[1]): void {
    done(null, this.#tlsContext(name))
  }

  /** Some senders break on resumed sessions, so delivery hands out no tickets. A failure costs one handshake. */
  #tlsContext(name: string | undefined): SecureContext {
    const { services, kind } = this.context
    try {
      const context = services.certificates?.context(name, { tickets: kind === 'submission' })
      if (context !== undefined) return context
    } catch (error) {
      this.context.metrics.error('certificates')
      services.log.error({ listener: this.context.name, serverName: name, err: error }, 'no certificate')
    }
    return createSecureContext()
  }

  /** Before a handshake or a session: whether this client may connect now. */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    const { services, connections, metrics, hostname } = this.context
    const address = plainAddress(socket.remoteAddress ?? '')
    const refuse = (r: SmtpReply): false => {
      const id = services.random.id()
      metrics.error('refused')
      services.log.info(
        { cid: id, listener: this.context.name, remote: address, reply: formatReply(r) },
        'connection refused',
      )
      socket.on('error', () => {})
      // In front of a handshake nothing can be said, and a handshake costs more than the answer is worth.
      if (handshake) socket.destroy()
      else {
        socket.end(`${r.code} ${r.enhanced ?? ''} ${hostname} ${r.text} (${id})\r\n`, () => socket.destroy())
        socket.resume()
      }
      return false
    }
    if (address === '') {
      socket.on('error', () => {})
      socket.destroy()
      return false
    }
    if (this.#draining) return refuse(reply(421, '4.3.2', 'shutting down'))
    const admission = connections.admit(address, services.clock.now())
    if (admission !== 'ok')
      return refuse(
        reply(421, '4.7.0', admission === 'rate' ? 'too many connections in a minute' : 'too many open connections'),
      )
    socket.once('close', () => connections.release(address))
    return super._acceptSocket(socket, handshake)
  }

  /** There is no PROXY protocol to wait for. */
  override _handleProxy(_socket: Socket, done: Parameters<SMTPServer['_handleProxy']>[1]): void {
    done(null)
  }

  override connect(socket: Socket): void {
    if (socket.destroyed) return
    const connection = new Connection(this, socket, this.context.services.random.id())
    this.connections.add(connection)
    connection.init()
  }

  /** A handshake of implicit TLS that failed. Errors of the listening socket are awaited where it is bound. */
  override _onError(error: NodeJS.ErrnoException): void {
    if (!this.#implicit) return
    const reason = handshakeFailure(error)
    this.context.metrics.error(`tls-${reason}`)
    this.context.services.log.info({ listener: this.context.name, reason, err: error }, 'TLS handshake failed')
  }
}
