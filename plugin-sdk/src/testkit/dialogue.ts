// Plays an SMTP dialogue, a text file of what client and server say, against a server and compares it as a whole. What
// does not match shows as a difference between two texts; a server that stays silent too long ends the dialogue there.
import { strictEqual } from 'node:assert'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/*
 * One step a line:
 *
 *   C: text     the client sends the text and CRLF
 *   C+ text     the client sends just this, with \r \n \0 \t \\ \xHH for other octets
 *   S: text     the server sends this line; `<id>` stands for letters and digits, `<date>` for a time, `<…>` for anything
 *   TLS         a handshake, after STARTTLS was answered; the client does not check the certificate
 *   END         the client sends nothing more
 *   CLOSED      the server closes the connection
 *   ! text      the caller's `step` runs: moves a clock, starts a shutdown
 *   # text      a comment
 *
 * Consecutive client lines without a server line between them are sent as one packet: pipelining.
 */

export interface DialogueOptions {
  /** Default "127.0.0.1". */
  readonly host?: string
  readonly port: number
  /** TLS from the start. */
  readonly implicitTls?: boolean
  /** Runs for each line with "!". */
  readonly step?: (text: string) => Promise<void> | void
  /** Milliseconds to wait for one line of the server. Default 5000. */
  readonly patience?: number
  /** Octets in one write; default all at once. */
  readonly chunk?: number
}

/** Plays the dialogue; throws an AssertionError with both texts when the server says something else. */
export async function playDialogue(text: string, options: DialogueOptions): Promise<void> {
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
  const wire = await Wire.open(options)
  try {
    const happened = await play(lines, wire, options)
    strictEqual(`${happened.join('\n')}\n`, `${lines.join('\n')}\n`)
  } finally {
    wire.destroy()
  }
}

/** The lines as they happened: the same as `lines` when the server said what was expected. */
async function play(lines: readonly string[], wire: Wire, options: DialogueOptions): Promise<string[]> {
  const happened: string[] = []
  let pending: Buffer[] = []
  const send = async (): Promise<void> => {
    if (pending.length > 0) await wire.write(Buffer.concat(pending), options.chunk)
    pending = []
  }
  for (const line of lines) {
    const kind = /^(?:C:|C\+|S:|TLS|END|CLOSED|!)/.exec(line)?.[0]
    const rest = line.slice(kind?.length ?? 0).replace(/^ /, '')
    if (kind === 'C:') pending.push(Buffer.from(`${rest}\r\n`))
    else if (kind === 'C+') pending.push(octetsOf(rest))
    else await send()
    if (kind === 'S:') {
      const said = await wire.readLine()
      happened.push(
        said !== undefined && pattern(rest).test(said) ? line : said === undefined ? wire.state : `S: ${said}`,
      )
      if (happened.at(-1) === line) continue
      for (let more = wire.buffered(); more !== undefined; more = wire.buffered()) happened.push(`S: ${more}`)
      return happened
    }
    if (kind === 'TLS') await wire.startTls()
    else if (kind === 'END') wire.end()
    else if (kind === '!') await options.step?.(rest)
    else if (kind === 'CLOSED') {
      for (let more = await wire.readLine(); more !== undefined; more = await wire.readLine())
        happened.push(`S: ${more}`)
      happened.push(wire.state)
      continue
    } else if (kind === undefined) throw new Error(`not a line of a dialogue: ${line}`)
    happened.push(line)
  }
  await send()
  return happened
}

const WILDCARDS = new Map([
  ['<id>', '[a-z0-9]+'],
  ['<date>', '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z'],
  ['<…>', '.*'],
])

function pattern(text: string): RegExp {
  const parts = text.split(/(<id>|<date>|<…>)/).map(part => WILDCARDS.get(part) ?? part.replace(/[^\w\s]/g, '\\$&'))
  return new RegExp(`^${parts.join('')}$`)
}

function octetsOf(text: string): Buffer {
  const named = new Map([
    ['r', '\r'],
    ['n', '\n'],
    ['t', '\t'],
    ['0', '\0'],
    ['\\', '\\'],
  ])
  const octets = Buffer.from(text)
    .toString('latin1')
    .replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (all, hex: string | undefined, name: string | undefined) =>
      hex === undefined ? (named.get(name ?? '') ?? all) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
  return Buffer.from(octets, 'latin1')
}

/** The client's end of the connection, read line by line. */
class Wire {
  /** What stands in the place of a line that did not come. */
  state = 'SILENCE'
  #socket: Socket | TLSSocket
  #received = ''
  #wake: () => void = () => {}
  readonly #patience: number

  static async open(options: DialogueOptions): Promise<Wire> {
    const address = { host: options.host ?? '127.0.0.1', port: options.port }
    const socket = options.implicitTls
      ? connectTls({ ...address, rejectUnauthorized: false })
      : connect({ ...address, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once(options.implicitTls ? 'secureConnect' : 'connect', resolve)
      socket.once('error', reject)
    })
    socket.setNoDelay(true)
    return new Wire(socket, options.patience ?? 5000)
  }

  constructor(socket: Socket | TLSSocket, patience: number) {
    this.#socket = socket
    this.#patience = patience
    this.#listen()
  }

  #listen(): void {
    const closed = (): void => {
      this.state = 'CLOSED'
      this.#wake()
    }
    this.#socket.removeAllListeners()
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    this.#socket.on('end', closed)
    this.#socket.on('close', closed)
    this.#socket.on('error', closed)
  }

  buffered(): string | undefined {
    const end = this.#received.indexOf('\r\n')
    if (end < 0) return undefined
    const line = this.#received.slice(0, end)
    this.#received = this.#received.slice(end + 2)
    return line
  }

  /** Undefined when the server has closed, or has said nothing for too long. */
  async readLine(): Promise<string | undefined> {
    const { promise: silence, resolve } = Promise.withResolvers<'silence'>()
    const timer = setTimeout(() => resolve('silence'), this.#patience)
    try {
      for (;;) {
        const line = this.buffered()
        if (line !== undefined) return line
        if (this.state === 'CLOSED') return undefined
        const more = new Promise<'more'>(wake => {
          this.#wake = () => wake('more')
        })
        if ((await Promise.race([more, silence])) === 'silence') return undefined
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async write(bytes: Buffer, chunk: number = bytes.length): Promise<void> {
    for (let at = 0; at < bytes.length; at += chunk) {
      this.#socket.write(bytes.subarray(at, at + chunk))
      // Lets each piece reach the server on its own.
      if (chunk < bytes.length) await new Promise(setImmediate)
    }
  }

  end(): void {
    this.#socket.end()
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners()
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve)
      secure.once('error', reject)
      secure.once('close', () => reject(new Error('closed during the handshake')))
    })
    this.#socket = secure
    this.#listen()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
