// The daily limits of streams: recipients of an account in the last 24 hours. Counted in memory by minute, read from the
// records once; a message counts from before it is queued, so that many at the same time cannot pass together. What an
// account may send in all is the submission's to say.
import type { Clock } from '@mox/plugin-sdk'
import { DAY_MS } from './limits.ts'
import { MINUTE_MS, type Records } from './records.ts'
import { ApiError } from './send/error.ts'

const MINUTES = DAY_MS / MINUTE_MS

export class Quota {
  readonly #records: Records
  readonly #clock: Clock
  /** Recipients per day, by stream. */
  readonly #streams: ReadonlyMap<string, number>
  /** By account and stream. */
  readonly #windows = new Map<string, Promise<Window>>()

  constructor(records: Records, clock: Clock, streams: ReadonlyMap<string, number>) {
    this.#records = records
    this.#clock = clock
    this.#streams = streams
  }

  /**
   * Counts `n` recipients; the function that is returned takes them back when the message was not sent. Throws
   * messageLimitReached.
   */
  async reserve(account: string, stream: string, n: number): Promise<() => void> {
    const limit = this.#streams.get(stream)
    if (limit === undefined) return () => {}
    const window = await this.#window(account, stream)
    const minute = this.#minute()
    if (window.total(minute) + n > limit) {
      const retryAfter = n > limit ? DAY_MS / 1000 : window.secondsUntil(minute, limit - n)
      throw new ApiError(
        'messageLimitReached',
        `${limit} messages a day of the stream ${stream} are reached; try again in ${retryAfter} seconds`,
        { retryAfter },
      )
    }
    window.add(minute, n)
    return () => window.add(minute, -n)
  }

  #window(account: string, stream: string): Promise<Window> {
    const key = `${account}\n${stream}`
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    const made = this.#records.counts(account, stream, this.#minute() - MINUTES).then(counts => new Window(counts))
    made.catch(() => this.#windows.delete(key))
    this.#windows.set(key, made)
    return made
  }

  #minute(): number {
    return Math.floor(this.#clock.now() / MINUTE_MS)
  }
}

/** Counts of the last 24 hours by minute. */
export class Window {
  readonly #counts: Map<number, number>
  #total: number

  constructor(counts: readonly (readonly [minute: number, n: number])[]) {
    this.#counts = new Map([...counts].sort(([a], [b]) => a - b))
    this.#total = counts.reduce((sum, [, n]) => sum + n, 0)
  }

  add(minute: number, n: number): void {
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + n)
    this.#total += n
  }

  total(minute: number): number {
    for (const [at, n] of this.#counts) {
      if (at > minute - MINUTES) break
      this.#counts.delete(at)
      this.#total -= n
    }
    return this.#total
  }

  /** Seconds until at most `most` are left. */
  secondsUntil(minute: number, most: number): number {
    let left = this.#total
    for (const [at, n] of this.#counts) {
      left -= n
      if (left <= most) return Math.max(1, at + MINUTES - minute) * 60
    }
    return DAY_MS / 1000
  }
}
