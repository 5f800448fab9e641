// SCRAM secrets (RFC 5802 §3, RFC 7677): what is stored instead of a password, and the computations of both ends.
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export type ScramHash = 'SHA-256' | 'SHA-1'

/** RFC 7677 §4 asks for at least 4096; its hash is stored beside a slower one, so it need not be the slowest. */
export const ITERATIONS: Readonly<Record<ScramHash, number>> = { 'SHA-256': 10_000, 'SHA-1': 8_192 }
export const SCRAM_SALT_BYTES = 16
const DIGEST = { 'SHA-256': 'sha256', 'SHA-1': 'sha1' } as const
export const DIGEST_BYTES: Readonly<Record<ScramHash, number>> = { 'SHA-256': 32, 'SHA-1': 20 }
/** Of a stored verifier: RFC 5802 §5.1 asks for 4096 at least; more than the limit would only keep clients waiting. */
const ITERATIONS_MINIMUM = 4096
const ITERATIONS_LIMIT = 1_000_000

/** Enough to check a client and to prove oneself to it, not enough to log in elsewhere. */
export interface ScramKeys {
  readonly hash: ScramHash
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const derive = promisify(pbkdf2)

export function hmac(hash: ScramHash, key: Buffer, text: string | Buffer): Buffer {
  return createHmac(DIGEST[hash], key).update(text).digest()
}

export function digest(hash: ScramHash, bytes: Buffer): Buffer {
  return createHash(DIGEST[hash]).update(bytes).digest()
}

/** RFC 5802 §3: SaltedPassword := Hi(Normalize(password), salt, i). */
export async function deriveKeys(
  hash: ScramHash,
  password: string,
  salt: Buffer,
  iterations: number = ITERATIONS[hash],
): Promise<ScramKeys> {
  const salted = await derive(password, salt, iterations, DIGEST_BYTES[hash], DIGEST[hash])
  const storedKey = digest(hash, hmac(hash, salted, 'Client Key'))
  return { hash, iterations, salt, storedKey, serverKey: hmac(hash, salted, 'Server Key') }
}

/** RFC 5802 §3: ClientKey := ClientProof XOR ClientSignature; right when H(ClientKey) is the stored key. */
export function proofIsRight(keys: ScramKeys, authMessage: string, proof: Buffer): boolean {
  const signature = hmac(keys.hash, keys.storedKey, authMessage)
  if (proof.length !== signature.length) return false
  const clientKey = Buffer.from(signature.map((octet, i) => octet ^ proof[i]!))
  return timingSafeEqual(digest(keys.hash, clientKey), keys.storedKey)
}

/** RFC 5803: "SCRAM-SHA-256$10000:salt$storedKey:serverKey". */
export function formatKeys(keys: ScramKeys): string {
  const [salt, storedKey, serverKey] = [keys.salt, keys.storedKey, keys.serverKey].map(b => b.toString('base64'))
  return `SCRAM-${keys.hash}$${keys.iterations}:${salt}$${storedKey}:${serverKey}`
}

/** Undefined when malformed or with a number of iterations that nobody should use. */
export function parseKeys(text: string): ScramKeys | undefined {
  const match =
    /^SCRAM-(SHA-256|SHA-1)\$(\d{1,7}):([A-Za-z0-9+/=]{8,88})\$([A-Za-z0-9+/=]{28,44}):([A-Za-z0-9+/=]{28,44})$/.exec(
      text,
    )
  if (match === null) return undefined
  const hash = match[1] as ScramHash
  const iterations = Number(match[2])
  const [salt, storedKey, serverKey] = [match[3]!, match[4]!, match[5]!].map(part => Buffer.from(part, 'base64'))
  if (iterations < ITERATIONS_MINIMUM || iterations > ITERATIONS_LIMIT) return undefined
  if (storedKey!.length !== DIGEST_BYTES[hash] || serverKey!.length !== DIGEST_BYTES[hash]) return undefined
  return { hash, iterations, salt: salt!, storedKey: storedKey!, serverKey: serverKey! }
}
