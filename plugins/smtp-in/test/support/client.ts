// A bare client for tests that a dialogue cannot tell: sends bytes, waits for text, counts replies.
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

export class Client {
  socket: Socket | TLSSocket
  received = ''
  closed = false
  #wake: () => void = () => {}

  private constructor(socket: Socket | TLSSocket) {
    this.socket = socket
    this.listen()
  }

  static async open(port: number, tls?: ConnectionOptions): Promise<Client> {
    const address = { host: '127.0.0.1', port }
    const socket = tls === undefined ? connect(address) : connectTls({ ...address, rejectUnauthorized: false, ...tls })
    socket.setNoDelay(true)
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve)
      socket.once('error', reject)
    })
    return new Client(socket)
  }

  listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#wake()
    })
    const closed = (): void => {
      this.closed = true
      this.#wake()
    }
    this.socket.on('error', closed)
    this.socket.on('close', closed)
    this.socket.on('end', closed)
  }

  /** Resolves with everything received so far once `pattern` matches it, and forgets it. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received)) {
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.received)}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const text = this.received
    this.received = ''
    return text
  }

  /** Everything up to the end. */
  async rest(): Promise<string> {
    while (!this.closed)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    return this.received
  }

  /** Sends lines and waits for the answer to the last one. */
  async say(...lines: string[]): Promise<string> {
    this.socket.write(lines.map(line => `${line}\r\n`).join(''))
    return await this.until(/^\d{3} .*\r\n$/m)
  }

  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.socket.removeAllListeners()
    const secure = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options })
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve)
      secure.once('error', reject)
      secure.once('close', () => reject(new Error('closed during the handshake')))
    })
    this.socket = secure
    this.listen()
    return secure
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
