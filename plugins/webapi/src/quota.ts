// Daily limits: recipients in the last 24 hours of an account, of those it never wrote to before, and of a stream. Counted
// in memory by minute, read from the records once; a message counts from before it is queued, so that many at the same time
// cannot pass together.
import type { AccountInfo, Clock } from '@mox/plugin-sdk'
import { DAY_MS } from './limits.ts'
import { MINUTE_MS, type Records } from './records.ts'
import { ApiError, type ErrorCode } from './send/error.ts'

const MINUTES = DAY_MS / MINUTE_MS

/** What a message takes of the limits; `back` gives it back when it was not sent. */
export interface Reservation {
  readonly first: ReadonlySet<string>
  back(): void
}

export class Quota {
  readonly #records: Records
  readonly #clock: Clock
  /** Recipients per day, by stream. */
  readonly #streams: ReadonlyMap<string, number>
  /** By account, and what is counted. */
  readonly #windows = new Map<string, Promise<Window>>()

  constructor(records: Records, clock: Clock, streams: ReadonlyMap<string, number>) {
    this.#records = records
    this.#clock = clock
    this.#streams = streams
  }

  /** Throws messageLimitReached or recipientLimitReached. `n` recipients; `addresses` in lower case. */
  async reserve(account: AccountInfo, stream: string, n: number, addresses: readonly string[]): Promise<Reservation> {
    const first = await this.#records.firstTimers(account.name, addresses)
    const streamLimit = this.#streams.get(stream)
    const [all, newOnes, ofStream] = await Promise.all([
      this.#window(`${account.name}\n`, account.name, {}),
      this.#window(`${account.name}\nfirst`, account.name, { first: true }),
      streamLimit === undefined
        ? undefined
        : this.#window(`${account.name}\nstream\n${stream}`, account.name, { stream }),
    ])
    const minute = this.#minute()
    check(all, minute, n, account.maxOutgoingPerDay, 'messageLimitReached', 'messages a day of this account')
    const limit = account.maxFirstTimeRecipientsPerDay
    check(newOnes, minute, first.size, limit, 'recipientLimitReached', 'new recipients a day of this account')
    if (streamLimit !== undefined && ofStream !== undefined)
      check(ofStream, minute, n, streamLimit, 'messageLimitReached', `messages a day of the stream ${stream}`)
    const add = (sign: number): void => {
      all.add(minute, sign * n)
      newOnes.add(minute, sign * first.size)
      ofStream?.add(minute, sign * n)
    }
    add(1)
    return { first, back: () => add(-1) }
  }

  #window(key: string, account: string, only: { stream?: string; first?: true }): Promise<Window> {
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    const made = this.#records.counts(account, this.#minute() - MINUTES, only).then(counts => new Window(counts))
    made.catch(() => this.#windows.delete(key))
    this.#windows.set(key, made)
    return made
  }

  #minute(): number {
    return Math.floor(this.#clock.now() / MINUTE_MS)
  }
}

function check(window: Window, minute: number, n: number, limit: number, code: ErrorCode, what: string): void {
  // Nobody new is never too many.
  if (n === 0 || window.total(minute) + n <= limit) return
  const retryAfter = n > limit ? 86_400 : window.secondsUntil(minute, limit - n)
  throw new ApiError(code, `${limit} ${what} are reached; try again in ${retryAfter} seconds`, { retryAfter })
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
