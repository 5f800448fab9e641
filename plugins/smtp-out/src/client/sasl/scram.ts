// The client side of SCRAM: RFC 5802 §3 and §7, RFC 7677, with channel binding (RFC 5929, RFC 9266). The server never sees the
// password and has to prove that it knows something made of it.
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { ITERATIONS_MAXIMUM, ITERATIONS_MINIMUM } from '../limits.ts'
import { type Mechanism, SaslError } from './mechanism.ts'

export type ScramHash = 'SHA-256' | 'SHA-1'

const DIGEST = { 'SHA-256': 'sha256', 'SHA-1': 'sha1' } as const
const DIGEST_BYTES = { 'SHA-256': 32, 'SHA-1': 20 } as const
const EMPTY: Buffer = Buffer.alloc(0)
const derive = promisify(pbkdf2)

/**
 * - `none`: we have no channel binding (no TLS), or choose to do without it.
 * - `unseen`: we have it and the server did not announce it; a server that did knows then that somebody took it out.
 * - `bound`: a -PLUS mechanism.
 */
export type ChannelBinding =
  | { readonly kind: 'none' | 'unseen' }
  | { readonly kind: 'bound'; readonly type: string; readonly data: Buffer }

export interface ScramOptions {
  readonly hash: ScramHash
  /** Both prepared. */
  readonly username: string
  readonly password: string
  readonly binding: ChannelBinding
  /** Printable ASCII without commas. */
  readonly nonce: string
}

export class Scram implements Mechanism {
  readonly name: string
  readonly first: Buffer
  complete = false
  readonly #options: ScramOptions
  readonly #header: string
  readonly #firstBare: string
  /** What the server's last message must be, once the proof was sent. */
  #signature: Buffer | undefined

  constructor(options: ScramOptions) {
    const { binding } = options
    this.#options = options
    this.name = `SCRAM-${options.hash}${binding.kind === 'bound' ? '-PLUS' : ''}`
    this.#header = gs2Header(binding)
    this.#firstBare = `n=${saslName(options.username)},r=${options.nonce}`
    this.first = Buffer.from(this.#header + this.#firstBare)
  }

  async respond(challenge: Buffer): Promise<Buffer> {
    if (this.complete) throw new SaslError('the server asks for more than the mechanism has')
    if (this.#signature === undefined) return await this.#prove(challenge.toString())
    checkServerFinal(challenge.toString(), this.#signature)
    this.complete = true
    // RFC 4954 §4: the server's last message came as a challenge, which wants an answer.
    return EMPTY
  }

  async #prove(serverFirst: string): Promise<Buffer> {
    const { hash, password, binding } = this.#options
    const { nonce, salt, iterations } = parseServerFirst(serverFirst, this.#options.nonce)
    const salted = await derive(password, salt, iterations, DIGEST_BYTES[hash], DIGEST[hash])
    const bound = Buffer.concat([Buffer.from(this.#header), binding.kind === 'bound' ? binding.data : EMPTY])
    const withoutProof = `c=${bound.toString('base64')},r=${nonce}`
    const message = `${this.#firstBare},${serverFirst},${withoutProof}`
    const clientKey = hmac(hash, salted, 'Client Key')
    const storedKey = createHash(DIGEST[hash]).update(clientKey).digest()
    const signature = hmac(hash, storedKey, message)
    const proof = Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]!))
    this.#signature = hmac(hash, hmac(hash, salted, 'Server Key'), message)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(DIGEST[hash], key).update(text).digest()
}

function gs2Header(binding: ChannelBinding): string {
  if (binding.kind === 'bound') return `p=${binding.type},,`
  return binding.kind === 'unseen' ? 'y,,' : 'n,,'
}

function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

function parseServerFirst(text: string, ours: string): { nonce: string; salt: Buffer; iterations: number } {
  // A mandatory extension (m=) would stand first; we know none.
  const match = /^r=([\x21-\x2b\x2d-\x7e]{1,1024}),s=([A-Za-z0-9+/]{1,1024}={0,2}),i=([1-9]\d{0,9})(?:,|$)/.exec(text)
  if (match === null) throw new SaslError('the server does not keep to SCRAM')
  const nonce = match[1]!
  if (!nonce.startsWith(ours) || nonce.length === ours.length)
    throw new SaslError('the server answers a login that is not ours')
  const iterations = Number(match[3])
  if (iterations < ITERATIONS_MINIMUM || iterations > ITERATIONS_MAXIMUM)
    throw new SaslError(
      `the server asks for ${iterations} iterations; ${ITERATIONS_MINIMUM} to ${ITERATIONS_MAXIMUM} are allowed`,
    )
  return { nonce, salt: Buffer.from(match[2]!, 'base64'), iterations }
}

function checkServerFinal(text: string, signature: Buffer): void {
  const match = /^([ve])=([^,]{1,1024})(?:,|$)/.exec(text)
  if (match === null) throw new SaslError('the server does not keep to SCRAM')
  if (match[1] === 'e') throw new SaslError(`the server refuses the login: ${match[2]!.replace(/[^\x20-\x7e]/g, '?')}`)
  const given = Buffer.from(match[2]!, 'base64')
  if (given.length !== signature.length || !timingSafeEqual(given, signature))
    throw new SaslError('the server could not prove that it knows us: it may be another one')
}
