// A small SMTP client on a raw socket (RFC 5321), for tests that must see exactly what the server answers. A connection that
// ends makes the waiting command fail with "connection closed".
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export interface SmtpReply {
  readonly code: number
  /** Text of every line, without code. */
  readonly lines: readonly string[]
}

export interface SmtpOptions {
  readonly port: number
  readonly host?: string
  /** TLS from the first byte. */
  readonly tls?: boolean
  /** Milliseconds to wait for a reply; default 60,000. */
  readonly timeout?: number
}

export interface SmtpMessage {
  readonly from: string
  readonly to: readonly string[]
  /** CRLF line ends; dots are stuffed here. */
  readonly content: Buffer
  /** " BODY=8BITMIME SMTPUTF8" and the like. */
  readonly parameters?: string
}

interface Waiter {
  readonly resolve: (reply: SmtpReply) => void
  readonly reject: (error: Error) => void
}

/** Connects and waits for the greeting. */
export async function smtpSession(options: SmtpOptions): Promise<SmtpSession> {
  const host = options.host ?? '127.0.0.1'
  const socket = options.tls
    ? connectTls({ host, port: options.port, rejectUnauthorized: false })
    : connectTcp({ host, port: options.port })
  const session = new SmtpSession(socket, options.timeout ?? 60_000)
  session.greeting = await session.reply()
  return session
}

export class SmtpSession {
  greeting: SmtpReply = { code: 0, lines: [] }
  private socket: Socket | TLSSocket
  private readonly timeout: number
  private text = ''
  private lines: string[] = []
  private readonly replies: SmtpReply[] = []
  private readonly waiting: Waiter[] = []
  private ended: Error | undefined

  constructor(socket: Socket | TLSSocket, timeout: number) {
    this.socket = socket
    this.timeout = timeout
    this.listen(socket)
  }

  private listen(socket: Socket | TLSSocket): void {
    socket.setNoDelay(true)
    socket.setTimeout(this.timeout, () => this.end(new Error(`no reply after ${this.timeout} ms`)))
    socket.on('data', (chunk: Buffer) => this.take(chunk.toString('latin1')))
    socket.on('error', error => this.end(error))
    socket.on('close', () => this.end(new Error('connection closed')))
  }

  private end(error: Error): void {
    this.ended ??= error
    this.socket.destroy()
    for (const waiter of this.waiting.splice(0)) waiter.reject(this.ended)
  }

  private take(chunk: string): void {
    this.text += chunk
    for (let at = this.text.indexOf('\r\n'); at >= 0; at = this.text.indexOf('\r\n')) {
      const line = this.text.slice(0, at)
      this.text = this.text.slice(at + 2)
      this.lines.push(line.slice(4))
      if (line[3] === '-') continue
      const reply = { code: Number(line.slice(0, 3)), lines: this.lines }
      this.lines = []
      const waiter = this.waiting.shift()
      if (waiter === undefined) this.replies.push(reply)
      else waiter.resolve(reply)
    }
  }

  /** The next reply. */
  reply(): Promise<SmtpReply> {
    const ready = this.replies.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    if (this.ended !== undefined) return Promise.reject(this.ended)
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  /** Bytes as they are. */
  write(bytes: Buffer | string): void {
    if (this.ended === undefined) this.socket.write(bytes)
  }

  /** Sends a line and waits for its reply. */
  async command(line: string): Promise<SmtpReply> {
    this.write(`${line}\r\n`)
    return await this.reply()
  }

  /** Sends a line; anything but the expected code is an error. */
  async expect(code: number, line: string): Promise<SmtpReply> {
    const reply = await this.command(line)
    if (reply.code !== code) throw new SmtpError(line, reply)
    return reply
  }

  async ehlo(name: string = 'client.test'): Promise<SmtpReply> {
    return await this.expect(250, `EHLO ${name}`)
  }

  /** RFC 3207; says EHLO again afterwards. */
  async starttls(): Promise<void> {
    await this.expect(220, 'STARTTLS')
    const plain = this.socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('close')
    plain.setTimeout(0)
    const socket = connectTls({ socket: plain, rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    this.socket = socket
    this.listen(socket)
    await this.ehlo()
  }

  /** RFC 4616. */
  async login({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    await this.expect(235, `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)
  }

  /** One transaction; gives back the last reply, whatever it is: the refusal of a command or the answer to the data. */
  async send(message: SmtpMessage): Promise<SmtpReply> {
    const mail = await this.command(`MAIL FROM:<${message.from}>${message.parameters ?? ''}`)
    if (mail.code !== 250) return mail
    for (const to of message.to) {
      const rcpt = await this.command(`RCPT TO:<${to}>`)
      if (rcpt.code !== 250) return rcpt
    }
    const data = await this.command('DATA')
    if (data.code !== 354) return data
    this.write(stuffed(message.content))
    return await this.reply()
  }

  /** The same with all commands in one go (RFC 2920): the replies to MAIL, each RCPT, and DATA or its data. */
  async sendPipelined(message: SmtpMessage): Promise<SmtpReply[]> {
    const commands = [
      `MAIL FROM:<${message.from}>${message.parameters ?? ''}`,
      ...message.to.map(to => `RCPT TO:<${to}>`),
      'DATA',
    ]
    this.write(`${commands.join('\r\n')}\r\n`)
    const replies: SmtpReply[] = []
    for (const _ of commands) replies.push(await this.reply())
    if (replies.at(-1)?.code !== 354) return replies
    this.write(stuffed(message.content))
    replies[replies.length - 1] = await this.reply()
    return replies
  }

  async quit(): Promise<void> {
    await this.expect(221, 'QUIT')
    this.socket.destroy()
  }

  /** Ends without a word. */
  close(): void {
    this.socket.destroy()
  }
}

/** A reply that was not the expected one. */
export class SmtpError extends Error {
  readonly reply: SmtpReply

  constructor(line: string, reply: SmtpReply) {
    super(`${line.slice(0, 80)}: ${reply.code} ${reply.lines.join(' / ')}`)
    this.reply = reply
  }
}

const DOT = 0x2e
const LF = 0x0a

/** Dot-stuffed content with its end (RFC 5321 §4.5.2); the content ends in CRLF or is empty. */
export function stuffed(content: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (let at = content.indexOf(DOT); at >= 0; at = content.indexOf(DOT, at + 1))
    if (at === 0 || content[at - 1] === LF) {
      pieces.push(content.subarray(from, at), Buffer.from('.'))
      from = at
    }
  pieces.push(content.subarray(from))
  if (content.length > 0 && content[content.length - 1] !== LF) pieces.push(Buffer.from('\r\n'))
  pieces.push(Buffer.from('.\r\n'))
  return Buffer.concat(pieces)
}
