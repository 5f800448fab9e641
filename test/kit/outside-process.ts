// The process behind outside.ts. Fast rather than strict: it is there to be as little as possible of what is measured, and the
// client that talks to it is tested elsewhere. Ends when its parent does.
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import codec, { type Resource } from 'dns-packet'
import { makeSelfSigned } from '../../plugins/certificates/src/self-signed.ts'
import type { Answer, OutsideOptions, Question, Taken } from './outside.ts'

const END = Buffer.from('\r\n.\r\n')
const TTL = 300
/** Desired and available (RFC 1035 §4.1.1). */
const RECURSION = 0x0180
const SOA = { mname: 'ns.test', rname: 'root.test', serial: 1, refresh: TTL, retry: TTL, expire: TTL, minimum: TTL }

const options = JSON.parse(process.argv[2] ?? '{}') as OutsideOptions
const log: Taken[] = []
const counts = { connections: 0, secured: 0, messages: 0 }

/** One connection; replies to what comes in one piece go out in one piece. */
class Session {
  #socket: Socket
  readonly #raw: Socket
  #received: Buffer = Buffer.alloc(0)
  #inData = false
  #recipients: string[] = []
  #pending: Taken | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#raw = socket
    counts.connections++
    socket.setNoDelay(true)
    this.#listen()
    socket.write('220 mx.outside.test ESMTP\r\n')
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', () => this.#raw.destroy())
  }

  #take(chunk: Buffer): void {
    // The end of a message can begin in the octets before.
    const from = Math.max(0, this.#received.length - END.length)
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    let replies = ''
    let looked = from
    for (;;) {
      if (this.#inData) {
        const end = this.#received.indexOf(END, looked)
        if (end < 0) break
        this.#message(this.#received.subarray(0, end + 2))
        this.#received = this.#received.subarray(end + END.length)
        this.#inData = false
        if (options.replyAfterMs === undefined) replies += this.#done()
        else setTimeout(() => this.#socket.write(this.#done()), options.replyAfterMs)
      } else {
        const end = this.#received.indexOf('\r\n', looked)
        if (end < 0) break
        const line = this.#received.toString('latin1', 0, end)
        this.#received = this.#received.subarray(end + 2)
        const reply = this.#command(line)
        if (reply === undefined) {
          this.#secure()
          return
        }
        replies += reply
      }
      looked = 0
    }
    if (replies !== '') this.#socket.write(replies, 'latin1')
    if (replies.endsWith('221 2.0.0 bye\r\n')) this.#socket.end()
  }

  /** Undefined: TLS begins. */
  #command(line: string): string | undefined {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO': {
        const starttls = options.tls === true && this.#socket === this.#raw ? '250-STARTTLS\r\n' : ''
        return `250-mx.outside.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n${starttls}250 ENHANCEDSTATUSCODES\r\n`
      }
      case 'STAR':
        return undefined
      case 'MAIL':
        this.#recipients = []
        return '250 2.1.0 ok\r\n'
      case 'RCPT':
        this.#recipients.push(line.slice(line.indexOf('<') + 1, line.indexOf('>')))
        return '250 2.1.5 ok\r\n'
      case 'DATA':
        this.#inData = true
        return '354 go ahead\r\n'
      case 'QUIT':
        return '221 2.0.0 bye\r\n'
      default:
        return '250 2.0.0 ok\r\n'
    }
  }

  #message(content: Buffer): void {
    if (options.record !== true) return
    const subject = /^Subject: (.*)\r$/m.exec(content.toString('latin1', 0, 4096))?.[1] ?? ''
    const own = content.subarray(content.indexOf('\r\nFrom: ') + 2)
    // Stuffed dots are taken out (RFC 5321 §4.5.2).
    const plain = own.toString('latin1').replaceAll('\r\n.', '\r\n')
    const hash = createHash('sha256').update(plain, 'latin1').digest('hex')
    this.#pending = { subject, recipients: this.#recipients, hash }
  }

  /** Counted at the moment of the reply: from then on it must not be lost. */
  #done(): string {
    counts.messages++
    if (this.#pending !== undefined) log.push(this.#pending)
    return '250 2.0.0 taken\r\n'
  }

  #secure(): void {
    this.#raw.removeAllListeners('data')
    this.#raw.write('220 2.0.0 go ahead\r\n')
    this.#socket = new TLSSocket(this.#raw, { isServer: true, secureContext: context() })
    this.#received = Buffer.alloc(0)
    this.#socket.once('secure', () => counts.secured++)
    this.#listen()
  }
}

let made: SecureContext | undefined
function context(): SecureContext {
  if (made === undefined) {
    const { certificate, key } = makeSelfSigned(['mx.outside.test'], Date.now())
    made = createSecureContext({ cert: certificate, key })
  }
  return made
}

/** Every domain has the MX host mx.DOMAIN, which is 127.0.0.1; nothing else exists. */
async function resolver(): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (octets, { port, address }) => {
    const { id = 0, questions = [] } = codec.decode(octets)
    const [{ name = '', type = '' } = {}] = questions
    const answers: Resource[] =
      type === 'MX' && !name.startsWith('mx.')
        ? [{ type: 'MX', name, ttl: TTL, data: { preference: 10, exchange: `mx.${name}` } }]
        : type === 'A'
          ? [{ type: 'A', name, ttl: TTL, data: '127.0.0.1' }]
          : []
    // Without it the absence of IPv6 addresses would be asked for with every message (RFC 2308 §5).
    const authorities: Resource[] = answers.length > 0 ? [] : [{ type: 'SOA', name, ttl: TTL, data: SOA }]
    socket.send(
      codec.encode({ type: 'response', id, flags: RECURSION, questions, answers, authorities }),
      port,
      address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address().port
}

const server = createServer(socket => void new Session(socket))
server.listen(0, '127.0.0.1', 4096)
await once(server, 'listening')
const answer = (message: Answer): void => void process.send?.(message)
process.on('message', question => {
  if ((question as Question) === 'log') answer({ kind: 'log', log })
  else answer({ kind: 'counts', counts })
})
process.once('disconnect', () => process.exit())
answer({ kind: 'ready', smtpPort: (server.address() as AddressInfo).port, dnsPort: await resolver() })
