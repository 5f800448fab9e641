// Remembers answers for their TTL, and failures of servers for a few seconds. Bounded: the entry that was not used for the
// longest time goes first, and big answers are not kept, so that hostile zones cannot fill the memory.
import type { DnsAnswer, DnsError } from '@mox/plugin-sdk'

export const ENTRIES_LIMIT = 10_000
/** Octets of the messages of an answer that is kept. */
export const OCTETS_LIMIT = 4096
/** RFC 2308 §7 allows up to 5 minutes; RFC 9520 asks for at least a second. Short, since mail retries by itself. */
export const SERVFAIL_SECONDS = 5

export type Remembered = { readonly answer: DnsAnswer } | { readonly error: DnsError }

interface Entry {
  readonly what: Remembered
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly until: number
}

export class Cache {
  /** In order of use. */
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  /** An answer's `ttl` is what is left of it. */
  get(key: string, now: number): Remembered | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    // Before `since`: the clock was set back, and the entry would stay too long.
    if (now >= entry.until || now < entry.since) return undefined
    this.#entries.set(key, entry)
    if ('error' in entry.what) return entry.what
    return { answer: { ...entry.what.answer, ttl: Math.ceil((entry.until - now) / 1000) } }
  }

  keepAnswer(key: string, answer: DnsAnswer, octets: number, now: number): void {
    if (answer.ttl > 0 && octets <= OCTETS_LIMIT) this.#keep(key, { answer }, now, answer.ttl)
  }

  keepFailure(key: string, error: DnsError, now: number): void {
    if (error.code === 'servfail') this.#keep(key, { error }, now, SERVFAIL_SECONDS)
  }

  #keep(key: string, what: Remembered, now: number, seconds: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { what, since: now, until: now + 1000 * seconds })
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= ENTRIES_LIMIT) break
      this.#entries.delete(oldest)
    }
  }
}
