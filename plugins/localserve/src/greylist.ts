// Greylisting as a difficult server does it: the first try of a sender to a recipient is refused, and later ones too until some
// time has passed. What was seen is forgotten at a restart, and when there is too much of it.
import type { Clock, SmtpReply } from '@mox/plugin-sdk'

/** Pairs of sender and recipient that are remembered. */
export const GREYLIST_PAIRS = 10_000

export class Greylist {
  readonly #clock: Clock
  /** When each pair was seen first. */
  readonly #seen = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined once `ms` have passed since the first try of this pair. */
  ask(sender: string, recipient: string, ms: number): SmtpReply | undefined {
    const now = this.#clock.now()
    const pair = `${sender}\n${recipient}`
    const first = this.#seen.get(pair) ?? now
    if (!this.#seen.has(pair)) {
      for (const oldest of this.#seen.keys()) {
        if (this.#seen.size < GREYLIST_PAIRS) break
        this.#seen.delete(oldest)
      }
      this.#seen.set(pair, now)
    }
    const left = first + ms - now
    if (left <= 0) return undefined
    return { code: 451, enhanced: '4.7.1', text: `greylisted, try again in ${Math.ceil(left / 1_000)} seconds` }
  }

  reset(): void {
    this.#seen.clear()
  }
}
