// A receiver and a directory that do what addresses and names tell them.
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import {
  type DataSink,
  type Directory,
  type EnvelopeRecipient,
  type LoginContext,
  type LoginResult,
  type MailParameters,
  type Receiver,
  type ReceiveSession,
  reply,
  type SaslExchange,
  type SaslStep,
  type SessionInfo,
  type SmtpReply,
} from '@mox/plugin-sdk'
import { formatPath, IngressReader, type Path } from '@mox/plugin-sdk/mail'

export interface Received {
  readonly from: string
  readonly to: readonly EnvelopeRecipient[]
  readonly parameters: MailParameters
  readonly content: Buffer
  readonly info: SessionInfo
}

/** Local parts decide: defer, refuse, crash, throw, hang; anything else is accepted. */
async function decide(path: Path | null, ok: SmtpReply): Promise<SmtpReply> {
  switch (path?.localpart) {
    case 'defer':
      return reply(451, '4.4.0', 'no answer from DNS')
    case 'refuse':
      return reply(550, '5.1.1', 'no such address')
    case 'evil':
      return reply(550, '5.1.1', 'x\r\n250 fine \u{1f600}')
    case 'crash':
      throw new Error('a secret from within')
    case 'hang':
      return await new Promise(() => {})
    default:
      return ok
  }
}

export class FakeReceiver implements Receiver {
  readonly messages: Received[] = []
  readonly sessions: { info: SessionInfo; closed: boolean; resets: number }[] = []
  aborted = 0
  /** What open() says. */
  greeting: SmtpReply | 'throw' | undefined
  /** Set to make sinks wait. */
  slowWrite: (() => Promise<void>) | undefined

  async open(info: SessionInfo): Promise<{ session: ReceiveSession; reply?: SmtpReply }> {
    if (this.greeting === 'throw') throw new Error('a secret from within')
    const record = { info, closed: false, resets: 0 }
    this.sessions.push(record)
    let from: Path | null = null
    let parameters: MailParameters = {}
    let to: EnvelopeRecipient[] = []
    const session: ReceiveSession = {
      info,
      mail: async (path, given) => {
        const answer = await decide(path, reply(250, '2.1.0', 'ok'))
        if (answer.code < 400) {
          from = path
          parameters = given
          to = []
        }
        return answer
      },
      rcpt: async recipient => {
        const answer = await decide(recipient.path, reply(250, '2.1.5', 'ok'))
        if (answer.code < 400) to.push(recipient)
        return answer
      },
      data: options =>
        this.#sink(options.maxSize, content => ({
          from: formatPath(from),
          to,
          parameters,
          content,
          info: { ...info },
        })),
      reset: () => {
        record.resets++
      },
      close: () => {
        record.closed = true
      },
    }
    return this.greeting === undefined ? { session } : { session, reply: this.greeting }
  }

  #sink(maxSize: number, make: (content: Buffer) => Received): DataSink {
    const reader = new IngressReader({ maxSize })
    const chunks: Buffer[] = []
    return {
      refused: undefined,
      write: async chunk => {
        reader.push(chunk)
        if (reader.size <= maxSize) chunks.push(Buffer.from(chunk))
        await this.slowWrite?.()
      },
      finish: async () => {
        const { violation } = reader
        if (violation?.limit === 'bare-newline') return reply(500, '5.5.2', violation.text)
        if (violation?.limit === 'size') return reply(552, '5.3.4', violation.text)
        const content = Buffer.concat(chunks)
        if (content.includes('X-Refuse')) return reply(554, '5.7.1', 'refused')
        if (content.includes('X-Crash')) throw new Error('a secret from within')
        if (content.includes('X-Hang')) return await new Promise(() => {})
        this.messages.push(make(content))
        return reply(250, '2.0.0', `accepted ${content.length} octets`)
      },
      abort: async () => {
        this.aborted++
      },
    }
  }

  replay(): never {
    throw new Error('not here')
  }
}

const GOOD: LoginResult = { ok: true, account: 'mjl', loginAddress: 'mjl@example.org' }
const WRONG: LoginResult = { ok: false, result: 'badcreds', reply: reply(535, '5.7.8', 'wrong user name or password') }

export class FakeDirectory implements Pick<Directory, 'mechanisms' | 'sasl' | 'limited'> {
  limitedIps = new Set<string>()
  contexts: LoginContext[] = []

  limited(ip: string): boolean {
    return this.limitedIps.has(ip)
  }

  mechanisms(context: { tls: boolean; allowPlain: boolean }): readonly string[] {
    const scram = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1']
    return context.tls || context.allowPlain ? [...scram, 'PLAIN', 'LOGIN'] : scram
  }

  sasl(mechanism: string, context: LoginContext): SaslExchange | undefined {
    this.contexts.push(context)
    const scram = /^SCRAM-SHA-(1|256)(-PLUS)?$/.exec(mechanism)
    if (scram !== null) return new ScramServer(scram[1] === '1' ? 'sha1' : 'sha256', scram[2] !== undefined, context)
    if (mechanism === 'PLAIN') return exchange([''], ([plain]) => plain === '\0mjl@example.org\0secret12')
    if (mechanism === 'LOGIN')
      return exchange(['Username:', 'Password:'], ([user, pass]) => user === 'mjl@example.org' && pass === 'secret12')
    if (mechanism === 'CRASH') return { step: () => Promise.reject(new Error('a secret from within')), abort: () => {} }
    return undefined
  }
}

/** Asks for the given responses in turn. */
function exchange(prompts: readonly string[], check: (responses: string[]) => boolean): SaslExchange {
  const responses: string[] = []
  return {
    step: async response => {
      if (response !== null) responses.push(response.toString())
      const prompt = prompts[responses.length]
      if (prompt !== undefined) return { kind: 'challenge', data: Buffer.from(prompt) }
      return { kind: 'done', result: check(responses) ? GOOD : WRONG }
    },
    abort: () => {},
  }
}

export const SALT: Buffer = Buffer.from('0123456789ab')
export const ITERATIONS = 4096
export type Hash = 'sha1' | 'sha256'

/** The proofs of RFC 5802 §3 for one exchange. */
export function scramProofs(
  hash: Hash,
  authMessage: string,
): { proof: Buffer; storedKey: Buffer; signature: Buffer; server: Buffer } {
  const salted = pbkdf2Sync('secret12', SALT, ITERATIONS, hash === 'sha1' ? 20 : 32, hash)
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const signature = hmac(storedKey, authMessage)
  const proof = Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]!))
  return { proof, storedKey, signature, server: hmac(hmac(salted, 'Server Key'), authMessage) }
}

/** Just enough of RFC 5802 to check that the listener hands over octets and channel bindings. */
class ScramServer implements SaslExchange {
  readonly #hash: Hash
  readonly #plus: boolean
  readonly #context: LoginContext
  #first = ''
  #serverFirst = ''

  constructor(hash: Hash, plus: boolean, context: LoginContext) {
    this.#hash = hash
    this.#plus = plus
    this.#context = context
  }

  async step(response: Buffer | null): Promise<SaslStep> {
    if (response === null) return { kind: 'challenge', data: Buffer.alloc(0) }
    if (this.#first === '') {
      this.#first = response.toString()
      const nonce = /,r=([^,]+)/.exec(this.#first)?.[1]
      this.#serverFirst = `r=${nonce}server,s=${SALT.toString('base64')},i=${ITERATIONS}`
      return { kind: 'challenge', data: Buffer.from(this.#serverFirst) }
    }
    const final = response.toString()
    const withoutProof = final.slice(0, final.lastIndexOf(',p='))
    const header = /^(?:p=([^,]+)|[ny]),[^,]*,/.exec(this.#first)!
    const binding = header[1] === undefined ? Buffer.alloc(0) : this.#context.channelBinding?.(header[1])
    const expected = Buffer.concat([Buffer.from(header[0]), binding ?? Buffer.from('none')]).toString('base64')
    const bound = (header[1] !== undefined) === this.#plus && withoutProof.startsWith(`c=${expected},`)
    const bare = this.#first.slice(header[0].length)
    const { proof, server } = scramProofs(this.#hash, `${bare},${this.#serverFirst},${withoutProof}`)
    const given = Buffer.from(final.slice(final.lastIndexOf(',p=') + 3), 'base64')
    if (!bound || given.length !== proof.length || !timingSafeEqual(given, proof))
      return { kind: 'done', result: WRONG }
    return { kind: 'done', result: GOOD, data: Buffer.from(`v=${server.toString('base64')}`) }
  }

  abort(): void {}
}
