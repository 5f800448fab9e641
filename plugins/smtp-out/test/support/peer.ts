// A scripted SMTP server on 127.0.0.1: what it answers to which command is data, so that a test is a row. It can answer octet
// by octet, say nothing, speak out of turn, break off anywhere, and do TLS well or badly.
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { type CertificateKind, certificateOf } from './certificates.ts'

/**
 * What the server does instead of answering, or after it:
 * - `stall`: nothing any more; the test may move its clock.
 * - `close`: FIN. `half`: FIN, and it goes on reading. `reset`: RST.
 */
export type Act = 'stall' | 'close' | 'half' | 'reset'

/**
 * The lines of a reply, joined by "\n" (CRLF is added to each). Text that starts with "!" is an act; "reply!act" answers first.
 * A Buffer goes out as it is.
 */
export type Said = string | Buffer

/** One answer, or a list of answers for the first, the second time, and so on; the last one stays. */
export type Answers = Said | readonly Said[]

export interface Behaviour {
  /** Default "220 mx.example.com ESMTP". */
  readonly greeting?: Answers
  /** Keywords after the first line; default PIPELINING and ENHANCEDSTATUSCODES. */
  readonly extensions?: readonly string[]
  /** The whole answer instead. */
  readonly ehlo?: Answers
  /** The keywords after STARTTLS; default: the same without STARTTLS. */
  readonly extensionsInTls?: readonly string[]
  readonly helo?: Answers
  readonly starttls?: Answers
  readonly auth?: Answers
  /** Answers to the lines of an AUTH exchange, after a 334. */
  readonly authLines?: Answers
  readonly mail?: Answers
  readonly rcpt?: Answers
  readonly data?: Answers
  /** After the final dot; a line for each recipient when the client speaks LMTP. */
  readonly end?: Answers
  readonly rset?: Answers
  readonly quit?: Answers
  /** Said in the middle of a message, once so many octets of it have come. */
  readonly during?: { readonly octets: number; readonly say: Said }
  /** TLS from the first byte, or after STARTTLS; `kind`: which certificate. */
  readonly tls?: {
    readonly implicit?: boolean
    readonly certificate?: CertificateKind
    readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
    /** The client must show a certificate, which ours does not: TLS 1.3 tells that after the handshake. */
    readonly demandCertificate?: boolean
    /** In place of a handshake. */
    readonly instead?: Said
  }
  /** Writes one octet at a time. */
  readonly octets?: boolean
}

const DEFAULTS = {
  greeting: '220 mx.example.com ESMTP',
  helo: '250 mx.example.com',
  starttls: '220 2.0.0 go ahead',
  auth: '235 2.7.0 welcome',
  authLines: '235 2.7.0 welcome',
  mail: '250 2.1.0 sender ok',
  rcpt: '250 2.1.5 recipient ok',
  data: '354 go ahead',
  end: '250 2.0.0 taken',
  rset: '250 2.0.0 reset',
  quit: '221 2.0.0 bye!close',
} as const

type Phase = keyof typeof DEFAULTS | 'ehlo'

export class Peer {
  port = 0
  /** Command lines of all connections, without CRLF. */
  readonly commands: string[] = []
  /** The commands that came in one piece, joined by "|". */
  readonly flights: string[] = []
  /** Messages with their stuffed dots, without the final one. */
  readonly messages: string[] = []
  connections = 0
  /** Called when the server falls silent on purpose. */
  onStall: () => void = () => {}
  readonly #behaviour: Behaviour
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #asked = new Map<Phase, number>()

  private constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour
    this.#server = createServer({ allowHalfOpen: true }, socket => void this.#serve(socket))
  }

  /** `path`: a Unix socket in place of a port. */
  static async listen(behaviour: Behaviour, path?: string): Promise<Peer> {
    const peer = new Peer(behaviour)
    const where = path === undefined ? { host: '127.0.0.1', port: 0 } : { path }
    await new Promise<void>(resolve => peer.#server.listen(where, resolve))
    const address = peer.#server.address()
    peer.port = typeof address === 'object' && address !== null ? address.port : 0
    return peer
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #serve(raw: Socket): Promise<void> {
    this.connections++
    this.#sockets.add(raw)
    raw.on('error', () => {})
    raw.on('close', () => this.#sockets.delete(raw))
    const { tls } = this.#behaviour
    const connection = new Connection(raw, this.#behaviour.octets === true)
    if (tls?.implicit === true && !(await this.#handshake(connection))) return
    if (!(await this.#say(connection, 'greeting'))) return
    await this.#converse(connection)
  }

  async #converse(connection: Connection): Promise<void> {
    for (;;) {
      const lines = await connection.lines()
      if (lines === undefined) return
      this.flights.push(lines.join('|'))
      for (const [i, line] of lines.entries()) {
        this.commands.push(line)
        const phase = phaseOf(line)
        if (!(await this.#say(connection, phase))) return
        const said = connection.last
        if (phase === 'starttls' && said.startsWith('220')) {
          if (!(await this.#handshake(connection))) return
        } else if (phase === 'auth' && said.startsWith('334')) {
          if (!(await this.#auth(connection))) return
        } else if (phase === 'data' && said.startsWith('354')) {
          connection.unread(lines.slice(i + 1))
          if (!(await this.#data(connection))) return
          break
        }
      }
    }
  }

  async #auth(connection: Connection): Promise<boolean> {
    while (connection.last.startsWith('334')) {
      const lines = await connection.lines()
      if (lines === undefined) return false
      this.commands.push(...lines)
      if (!(await this.#say(connection, 'authLines'))) return false
    }
    return true
  }

  async #data(connection: Connection): Promise<boolean> {
    const { during } = this.#behaviour
    if (during !== undefined) {
      if (!(await connection.octets(during.octets))) return false
      return await this.#act(connection, during.say)
    }
    const content = await connection.message()
    if (content === undefined) return false
    this.messages.push(content)
    return await this.#say(connection, 'end')
  }

  /** False when the conversation is over. */
  async #say(connection: Connection, phase: Phase): Promise<boolean> {
    const count = this.#asked.get(phase) ?? 0
    this.#asked.set(phase, count + 1)
    const answers = phase === 'ehlo' ? this.#ehlo(connection) : (this.#behaviour[phase] ?? DEFAULTS[phase])
    const said =
      typeof answers === 'string' || Buffer.isBuffer(answers) ? answers : answers[Math.min(count, answers.length - 1)]
    return await this.#act(connection, said ?? '')
  }

  #ehlo(connection: Connection): Answers {
    const { ehlo, extensions = ['PIPELINING', 'ENHANCEDSTATUSCODES'], extensionsInTls } = this.#behaviour
    if (ehlo !== undefined) return ehlo
    const inTls = extensionsInTls ?? extensions.filter(keyword => keyword !== 'STARTTLS')
    const lines = ['mx.example.com', ...(connection.secured ? inTls : extensions)]
    return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\n')
  }

  async #act(connection: Connection, said: Said): Promise<boolean> {
    if (Buffer.isBuffer(said)) {
      await connection.write(said)
      connection.last = said.toString('latin1')
      return true
    }
    const mark = said.indexOf('!')
    const text = mark < 0 ? said : said.slice(0, mark)
    if (text !== '') await connection.write(Buffer.from(`${text.split('\n').join('\r\n')}\r\n`))
    connection.last = text
    if (mark < 0) return true
    switch (said.slice(mark + 1) as Act) {
      case 'stall':
        connection.pause()
        this.onStall()
        break
      case 'close':
        connection.end()
        break
      case 'half':
        connection.end()
        return true
      case 'reset':
        // Not before the client knows that it is connected.
        for (let i = 0; i < 5; i++) await new Promise(setImmediate)
        connection.reset()
    }
    return false
  }

  async #handshake(connection: Connection): Promise<boolean> {
    const { tls = {} } = this.#behaviour
    if (tls.instead !== undefined) return (await connection.octets(1)) && (await this.#act(connection, tls.instead))
    const { certificate, key } = certificateOf(tls.certificate ?? 'good')
    const secured = await connection.secure({
      secureContext: createSecureContext({
        ...{ cert: certificate, key, maxVersion: tls.maxVersion ?? 'TLSv1.3' },
        // OpenSSL does not speak old versions at any other level.
        ...(tls.maxVersion === 'TLSv1.1' ? { minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
      }),
      requestCert: tls.demandCertificate === true,
      rejectUnauthorized: tls.demandCertificate === true,
    })
    return secured
  }
}

function phaseOf(line: string): Phase {
  const verb = /^[a-z]+/i.exec(line)?.[0].toLowerCase() ?? ''
  if (verb === 'lhlo') return 'ehlo'
  return verb in DEFAULTS || verb === 'ehlo' ? (verb as Phase) : 'quit'
}

/** The server's end of one connection, read by lines or by octets. */
class Connection {
  secured = false
  /** What was said last. */
  last = ''
  #socket: Socket
  readonly #raw: Socket
  readonly #octets: boolean
  #received = ''
  #closed = false
  #wake: () => void = () => {}

  constructor(socket: Socket, octets: boolean) {
    this.#socket = socket
    this.#raw = socket
    this.#octets = octets
    socket.setNoDelay(true)
    this.#listen()
  }

  #listen(): void {
    const closed = (): void => {
      this.#closed = true
      this.#wake()
    }
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    this.#socket.on('end', closed).on('close', closed).on('error', closed)
  }

  async #until(done: () => boolean): Promise<boolean> {
    while (!done() && !this.#closed)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    return done()
  }

  /** All complete lines that are there, at least one; undefined at the end. */
  async lines(): Promise<string[] | undefined> {
    if (!(await this.#until(() => this.#received.includes('\r\n')))) return undefined
    const lines = this.#received.split('\r\n')
    this.#received = lines.pop() ?? ''
    return lines
  }

  unread(lines: readonly string[]): void {
    this.#received = lines.map(line => `${line}\r\n`).join('') + this.#received
  }

  /** True once so many octets have come; they are thrown away. */
  async octets(count: number): Promise<boolean> {
    return await this.#until(() => this.#received.length >= count)
  }

  async message(): Promise<string | undefined> {
    const end = (): number => (this.#received.startsWith('.\r\n') ? 0 : this.#received.indexOf('\r\n.\r\n') + 2)
    const there = (): boolean => this.#received.startsWith('.\r\n') || this.#received.includes('\r\n.\r\n')
    if (!(await this.#until(there))) return undefined
    const at = end()
    const content = this.#received.slice(0, at)
    this.#received = this.#received.slice(at + 3)
    return content
  }

  async write(bytes: Buffer): Promise<void> {
    const step = this.#octets ? 1 : bytes.length
    for (let at = 0; at < bytes.length && this.#socket.writable; at += step) {
      this.#socket.write(bytes.subarray(at, at + step))
      // Lets each octet arrive on its own.
      if (this.#octets) await new Promise(setImmediate)
    }
  }

  end(): void {
    this.#socket.end()
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#raw.pause()
  }

  reset(): void {
    this.#raw.resetAndDestroy()
  }

  async secure(options: ConstructorParameters<typeof TLSSocket>[1]): Promise<boolean> {
    this.#raw.removeAllListeners('data').removeAllListeners('end')
    const secured = new TLSSocket(this.#raw, { ...options, isServer: true })
    this.#socket = secured
    this.#closed = false
    this.secured = true
    this.#received = ''
    this.#listen()
    let established = false
    secured.once('secure', () => {
      established = true
      this.#wake()
    })
    return await this.#until(() => established)
  }
}
