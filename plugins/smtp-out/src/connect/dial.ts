// TCP connections, straight or through a SOCKS5 proxy. A socket that is not handed over is destroyed.
import { connect as connectSocket, isIPv6, type Socket } from 'node:net'
import type { Clock } from '@mox/plugin-sdk'
import { SocksClient } from 'socks'
import { textOf } from '../failure.ts'

/** Milliseconds of the proxy library's own timer, which ours always comes before. */
const SOCKS_TIMER_MS = 600_000

export interface DialOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Connects to an IP address. Throws a DialError. */
export type Dial = (ip: string, port: number, options: DialOptions) => Promise<Socket>

export class DialError extends Error {
  override readonly name = 'DialError'
  /** `canceled`: the signal aborted. */
  readonly result: 'timeout' | 'canceled' | 'error'
  constructor(result: 'timeout' | 'canceled' | 'error', message: string) {
    super(message)
    this.result = result
  }
}

/** Our address for connections of each family; the system chooses where none is given. */
export interface LocalAddresses {
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
}

/** "192.0.2.1:25", "[2001:db8::1]:25". */
export function endpoint(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

export function tcpDial(clock: Clock, local: LocalAddresses = {}): Dial {
  return (ip, port, options) => {
    const localAddress = isIPv6(ip) ? local.ipv6 : local.ipv4
    const socket = connectSocket({
      host: ip,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    return bounded(clock, socket, endpoint(ip, port), options, () => once(socket, 'connect'))
  }
}

/** RFC 1928, without authentication. The proxy gets addresses, never names: what is looked up stays with our own DNS. */
export function socksDial(clock: Clock, proxy: { readonly host: string; readonly port: number }): Dial {
  return (ip, port, options) => {
    const what = `${endpoint(ip, port)} through the proxy ${endpoint(proxy.host, proxy.port)}`
    const socket = connectSocket({ ...proxy, noDelay: true })
    return bounded(clock, socket, what, options, async () => {
      await once(socket, 'connect')
      await SocksClient.createConnection({
        command: 'connect',
        destination: { host: ip, port },
        proxy: { ...proxy, type: 5 },
        timeout: SOCKS_TIMER_MS,
        existing_socket: socket,
      })
      await keepExcess(socket)
    })
  }
}

/**
 * The library emits what came after the handshake in the next turn and lets the socket flow. Puts it back instead, and lets
 * the socket flow when somebody listens, as a new one does.
 */
async function keepExcess(socket: Socket): Promise<void> {
  const excess: Buffer[] = []
  const keep = (chunk: Buffer): void => {
    excess.push(chunk)
  }
  socket.on('data', keep)
  await new Promise(resolve => setImmediate(resolve))
  socket.pause()
  socket.off('data', keep)
  if (excess.length > 0) socket.unshift(Buffer.concat(excess))
  const flow = (event: string): void => {
    if (event !== 'data') return
    socket.off('newListener', flow)
    process.nextTick(() => socket.resume())
  }
  socket.on('newListener', flow)
}

/** Rejects with the socket's error, or when it closes. */
function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off(event, succeeded)
      socket.off('error', failed)
      socket.off('close', closed)
    }
    const succeeded = (): void => {
      done()
      resolve()
    }
    const failed = (error: Error): void => {
      done()
      reject(error)
    }
    const closed = (): void => failed(new Error('connection closed'))
    socket.on(event, succeeded)
    socket.on('error', failed)
    socket.on('close', closed)
  })
}

async function bounded(
  clock: Clock,
  socket: Socket,
  what: string,
  { timeoutMs, signal }: DialOptions,
  work: () => Promise<void>,
): Promise<Socket> {
  let ended: DialError | undefined
  const end = (result: 'timeout' | 'canceled', text: string): void => {
    ended ??= new DialError(result, `cannot connect to ${what}: ${text}`)
    socket.destroy()
  }
  const stop = (): void => end('canceled', textOf(signal.reason))
  const cancel = clock.after(timeoutMs, () => end('timeout', `no answer in ${Math.round(timeoutMs / 1_000)} s`))
  signal.addEventListener('abort', stop, { once: true })
  // An error after the promise has settled must not end the process.
  const ignore = (): void => {}
  socket.on('error', ignore)
  try {
    if (signal.aborted) stop()
    await work()
    if (ended !== undefined) throw ended
    socket.off('error', ignore)
    return socket
  } catch (error) {
    socket.destroy()
    throw (
      ended ??
      new DialError('error', `cannot connect to ${what}: ${(error as NodeJS.ErrnoException).code ?? textOf(error)}`)
    )
  } finally {
    cancel()
    signal.removeEventListener('abort', stop)
  }
}
