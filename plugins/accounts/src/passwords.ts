// Checking passwords. A password that was right is remembered for a while by a keyed digest, so that a busy client does not
// cost an argon2 computation for each login; equal checks at the same time share one. Unknown users cost as much as known ones.
import { hash } from 'node:crypto'
import type { Clock, Random } from '@mox/plugin-sdk'
import { type Argon2, type Argon2Hash, LANES, MEMORY_KIB, PASSES, SALT_BYTES, TAG_BYTES } from './argon2.ts'
import type { Credential } from './credential.ts'

/** Milliseconds that a right password is remembered. */
export const REMEMBER_MS: number = 15 * 60_000
/** Right passwords that are remembered. */
export const REMEMBERED = 10_000

export class Passwords {
  readonly #argon2: Argon2
  readonly #clock: Clock
  readonly #secret: string
  readonly #nobody: Argon2Hash
  /** Digest of credential and password, to the time it ends; oldest first. */
  readonly #right = new Map<string, number>()
  readonly #checking = new Map<string, Promise<boolean>>()

  constructor(argon2: Argon2, clock: Clock, random: Random) {
    this.#argon2 = argon2
    this.#clock = clock
    this.#secret = random.bytes(32).toString('base64')
    const salt = random.bytes(SALT_BYTES)
    this.#nobody = { memory: MEMORY_KIB, passes: PASSES, lanes: LANES, salt, tag: Buffer.alloc(TAG_BYTES) }
  }

  /**
   * Whether a prepared password is right; `who` is a credential, or the name that has none. `begin` runs before a password is
   * judged that is neither remembered nor being checked already; what it returns runs when the password was right or could
   * not be checked.
   */
  async check(who: Credential | string, password: string, begin: () => () => void): Promise<boolean> {
    // Also for names that nobody has: if they shared computations, that would tell them from others.
    const [kind, id, credential] = typeof who === 'string' ? ['name', who] : ['credential', who.id, who]
    // Stays in memory and is only compared with itself: a hash behind a secret of fixed length is enough.
    const key = hash('sha256', this.#secret + JSON.stringify([kind, id, password]), 'base64')
    const until = this.#right.get(key)
    if (until !== undefined && until > this.#clock.now()) return true
    const other = this.#checking.get(key)
    if (other !== undefined) return await other
    const giveBack = begin()
    const checking = this.#judge(credential, password)
    this.#checking.set(key, checking)
    try {
      const right = await checking
      if (right) {
        giveBack()
        this.#remember(key)
      }
      return right
    } catch (error) {
      giveBack()
      throw error
    } finally {
      this.#checking.delete(key)
    }
  }

  /** After a change of passwords. */
  clear(): void {
    this.#right.clear()
  }

  async #judge(credential: Credential | undefined, password: string): Promise<boolean> {
    if (credential?.quick?.(password) === true) return true
    // A wrong one takes the same time whoever is asked for.
    const right = await this.#argon2.verify(password, credential?.argon2 ?? this.#nobody)
    return credential?.argon2 !== undefined && right
  }

  #remember(key: string): void {
    this.#right.delete(key)
    this.#right.set(key, this.#clock.now() + REMEMBER_MS)
    if (this.#right.size <= REMEMBERED) return
    for (const oldest of this.#right.keys()) {
      this.#right.delete(oldest)
      break
    }
  }
}
