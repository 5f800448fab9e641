// argon2id (RFC 9106) for stored passwords, in the PHC string format. Computations take a place in a short queue, so that a
// flood of logins cannot take all memory; when the queue is full the caller gets a BusyError and the client tries again.
import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** RFC 9106 and OWASP's second choice: 19 MiB, two passes, one lane. */
export const MEMORY_KIB = 19_456
export const PASSES = 2
export const LANES = 1
export const SALT_BYTES = 16
export const TAG_BYTES = 32
/** Computations at the same time: leaves threads of the pool for files. */
export const CONCURRENCY = 2
/** Computations that wait for a place. */
export const WAITING = 200

/** What a PHC string may ask for: more would be an attack on ourselves. */
const MEMORY_LIMIT_KIB = 262_144
const PASSES_LIMIT = 20
const LANES_LIMIT = 16

export interface Argon2Hash {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Buffer
  readonly tag: Buffer
}

export class BusyError extends Error {
  override readonly name = 'BusyError'
}

const compute = promisify(argon2)

/** "$argon2id$v=19$m=19456,t=2,p=1$salt$tag" */
export function formatHash(hash: Argon2Hash): string {
  const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${hash.memory},t=${hash.passes},p=${hash.lanes}$${encode(hash.salt)}$${encode(hash.tag)}`
}

/** Undefined for anything but an argon2id string of version 19 with parameters in bounds. */
export function parseHash(text: string): Argon2Hash | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text)
  if (match === null) return undefined
  const [memory, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (passes < 1 || passes > PASSES_LIMIT || lanes < 1 || lanes > LANES_LIMIT) return undefined
  if (memory < 8 * lanes || memory > MEMORY_LIMIT_KIB) return undefined
  return { memory, passes, lanes, salt: Buffer.from(match[4]!, 'base64'), tag: Buffer.from(match[5]!, 'base64') }
}

/** True when the parameters are not the present ones. */
export function isOutdated(hash: Argon2Hash): boolean {
  return hash.memory !== MEMORY_KIB || hash.passes !== PASSES || hash.lanes !== LANES
}

export class Argon2 {
  #running = 0
  readonly #waiting: (() => void)[] = []

  async hash(password: string, salt: Buffer): Promise<Argon2Hash> {
    const parameters = { memory: MEMORY_KIB, passes: PASSES, lanes: LANES, salt }
    return { ...parameters, tag: await this.#tag(password, { ...parameters, tag: Buffer.alloc(TAG_BYTES) }) }
  }

  async verify(password: string, hash: Argon2Hash): Promise<boolean> {
    return timingSafeEqual(await this.#tag(password, hash), hash.tag)
  }

  async #tag(password: string, hash: Argon2Hash): Promise<Buffer> {
    if (this.#running >= CONCURRENCY) {
      if (this.#waiting.length >= WAITING) throw new BusyError('too many logins at the same time')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await compute('argon2id', {
        message: Buffer.from(password),
        nonce: hash.salt,
        memory: hash.memory,
        passes: hash.passes,
        parallelism: hash.lanes,
        tagLength: hash.tag.length,
      })
    } finally {
      // The place goes to the next one directly.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
