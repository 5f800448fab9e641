// The connection under a session: smtp-server's SMTPConnection for the socket's life cycle and the STARTTLS upgrade, with
// everything that speaks replaced. The library's parser, handlers, timers, replies and delays are not used; what it calls
// of itself is overridden here, and the version is pinned.
import type { Socket } from 'node:net'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { ListenerContext, Wire } from './context.ts'
import { Input, type InputHandler } from './input.ts'
import { plainAddress } from './networks.ts'
import type { Server } from './server.ts'
import { Session } from './session.ts'
import { asTls, channelBinding, handshakeFailure, isCurrent, tlsFacts } from './tls.ts'
import { COMMANDS } from './verbs.ts'

type Parser = ReturnType<SMTPConnection['_createParser']>

export class Connection extends SMTPConnection implements Wire {
  readonly mox: Session
  readonly #context: ListenerContext
  #handshakeCounted = false

  constructor(server: Server, socket: Socket, id: string) {
    const options: SMTPConnectionOptions = { id }
    super(server, socket, options)
    this.#context = server.context
    const secure = asTls(socket)
    this.mox = new Session(
      server.context,
      this,
      {
        id,
        localIp: plainAddress(socket.localAddress ?? ''),
        remoteIp: plainAddress(socket.remoteAddress ?? ''),
        remotePort: socket.remotePort ?? 0,
        tls: secure === undefined ? undefined : tlsFacts(secure),
      },
      COMMANDS,
    )
    secure?.disableRenegotiation()
  }

  // What the library calls --------------------------------------------------------------------------------------------

  /** Called by the library's constructor, before ours has run, and for each TLS upgrade. */
  override _createParser(): Parser {
    const session = (): InputHandler => this.mox
    const handler: InputHandler = {
      ready: () => session().ready(),
      command: line => session().command(line),
      broken: why => session().broken(why),
      lineLimit: start => session().lineLimit(start),
      get inData() {
        return session().inData
      },
      data: chunk => session().data(chunk),
      idle: partial => session().idle(partial),
      ended: () => session().ended(),
      failed: error => session().failed(error),
    }
    return new Input(handler) as unknown as Parser
  }

  /** Greets at once; the library's pause before the greeting is the option `earlyTalkerMs`. */
  override init(): void {
    const socket = this._socket
    const { services, metrics, kind, name } = this.#context
    const { info } = this.mox
    // A client may end its side after the last command; it still gets the replies.
    socket.allowHalfOpen = true
    socket.on('close', hadError => this._onCloseEvent(hadError))
    socket.on('error', error => this._onError(error))
    metrics.connection(kind)
    const fields = { cid: info.id, listener: name, remote: info.remoteIp, local: info.localIp, tls: info.tls?.version }
    services.log.info(fields, 'new connection')
    if (info.tls !== undefined && !isCurrent(info.tls)) {
      this.destroy()
      return
    }
    void this.mox
      .open(() => socket.bytesRead > 0)
      .then(() => {
        if (!this.mox.closed && this._parser !== false) socket.pipe(this._parser)
      })
  }

  /** Deadlines are the watchdog's. */
  override _armTimeout(): void {}

  /** The handshake after STARTTLS is done; the library has taken the new socket into use. */
  override _resetSession(): void {
    const socket = asTls(this._socket)
    if (socket === undefined) return
    socket.allowHalfOpen = true
    socket.disableRenegotiation()
    const facts = tlsFacts(socket)
    if (isCurrent(facts)) this.mox.secured(facts)
    else this.destroy()
  }

  override _onError(error: NodeJS.ErrnoException): void {
    if (this._upgrading) this.#handshakeFailed(error)
    else this.#context.services.log.debug({ cid: this.id, err: error }, 'connection failed')
    this._socket.destroy()
  }

  override _onCloseEvent(hadError?: boolean): void {
    if (this._upgrading && !this._closed) this.#handshakeFailed(undefined)
    super._onCloseEvent(hadError)
  }

  override _onClose(): void {
    const first = !this._closed
    super._onClose()
    if (!first) return
    this.mox.gonePeer()
    const { counts, info } = this.mox
    this.#context.services.log.info(
      { cid: info.id, commands: counts.commands, messages: counts.good, account: info.account },
      'connection closed',
    )
  }

  #handshakeFailed(error: NodeJS.ErrnoException | undefined): void {
    if (this.#handshakeCounted) return
    this.#handshakeCounted = true
    const reason = handshakeFailure(error)
    if (this.#context.kind === 'delivery') this.#context.metrics.starttlsFailed(reason)
    this.#context.services.log.info({ cid: this.id, reason, err: error }, 'TLS handshake failed')
  }

  // What the session calls ---------------------------------------------------------------------------------------------

  write(text: string): Promise<void> | undefined {
    const socket = this._socket
    if (this._upgrading || !socket.writable || socket.write(text, 'latin1')) return undefined
    return new Promise(resolve => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }

  destroy(): void {
    this._socket.destroy()
  }

  startTls(): void {
    // Whoever leaves during the handshake is gone.
    this._socket.allowHalfOpen = false
    this.upgrade(() => {})
  }

  channelBinding(): ((type: string) => Buffer | undefined) | undefined {
    const socket = asTls(this._socket)
    return socket === undefined ? undefined : channelBinding(socket)
  }
}
