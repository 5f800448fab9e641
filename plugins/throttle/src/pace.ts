// The pace of one destination: how many deliveries at the same time and how many a minute. A server that asks us to be slower
// halves both and gets a pause; every minute of success gives a little back (additive increase, multiplicative decrease).
// Recipients that must wait each get a time of their own, so that a long line is not asked again and again.

/** Messages a minute after the first slow-down, at least; and after any. */
export const FIRST_PER_MINUTE = 10
export const LEAST_PER_MINUTE = 2
/** What a minute of success gives back. */
export const INCREASE_PER_MINUTE = 10
/** Messages a minute from which on a slow-down is over. */
export const FREE_PER_MINUTE = 600
/** Milliseconds between two increases. */
export const STEP_MS = 60_000
/** Pause after a slow-down; doubled each time until a delivery succeeds, up to the longest. */
export const PAUSE_MS = 60_000
export const LONGEST_PAUSE_MS = 1_800_000
/** Without another slow-down for a day, it is forgotten. */
export const FORGET_MS = 86_400_000
/** Nobody is asked again sooner, and nobody waits longer than this beyond a pause: by then the pace may have changed. */
export const SHORTEST_WAIT_MS = 2_000
export const HORIZON_MS = 1_800_000
/** Recipients that are due in the same second come together. */
const TOLERANCE_MS = 1_000
/** A delivery's duration before any is known, milliseconds; and how much a new one counts. */
const DURATION_MS = 500
const NEW_SHARE = 0.2
/** So many times as many are asked to come as places should be free: a place that stays empty costs more than a question. */
const OVERBOOKED = 2

export interface Limits {
  /** Deliveries at the same time. */
  readonly concurrency: number
  /** 0: as many as there are. */
  readonly perMinute: number
}

/** What was learned from slow-downs; kept over restarts. Times are milliseconds since the epoch. */
export interface Learned {
  readonly concurrency: number
  readonly perMinute: number
  readonly pausedUntil: number
  /** In a row, without a success. */
  readonly slowdowns: number
  /** What the server said last. */
  readonly words: string
  readonly slowedAt: number
  readonly changedAt: number
}

export class Pace {
  readonly name: string
  readonly #limits: Limits
  #learned: Learned | undefined
  #busy = 0
  /** When the next delivery may start. */
  #next = 0
  /** When the last of those that wait comes again. */
  #line = 0
  #duration = DURATION_MS
  /** Deliveries that started in this minute and in the one before. */
  #minute = { index: 0, count: 0, before: 0 }

  constructor(name: string, limits: Limits, learned?: Learned) {
    this.name = name
    this.#limits = limits
    this.#learned = learned
  }

  get learned(): Learned | undefined {
    return this.#learned
  }

  get busy(): number {
    return this.#busy
  }

  get concurrency(): number {
    return Math.min(this.#limits.concurrency, this.#learned?.concurrency ?? Number.POSITIVE_INFINITY)
  }

  /** Infinity when there is no limit. */
  get perMinute(): number {
    const { perMinute } = this.#limits
    return Math.min(
      perMinute === 0 ? Number.POSITIVE_INFINITY : perMinute,
      this.#learned?.perMinute ?? Number.POSITIVE_INFINITY,
    )
  }

  /** Nothing would be lost with it. */
  idle(now: number): boolean {
    this.#age(now)
    return this.#learned === undefined && this.#busy === 0 && this.#line <= now && this.#next <= now
  }

  /** Why no delivery may start now, or undefined. Who has waited already does not stand behind those that wait now. */
  blocked(now: number, waited: boolean): string | undefined {
    this.#age(now)
    const learned = this.#learned
    if (learned !== undefined && learned.pausedUntil > now)
      return `${learned.words}; until ${new Date(learned.pausedUntil).toISOString().slice(11, 16)} UTC`
    if (this.#busy >= this.concurrency) return `${this.#busy} of ${this.concurrency} connections to ${this.name}`
    if (!Number.isFinite(this.perMinute)) return undefined
    if (this.#next <= now + TOLERANCE_MS && (waited || this.#line <= now)) return undefined
    return `${this.perMinute} messages a minute to ${this.name}`
  }

  /** A delivery starts. */
  start(now: number): void {
    this.#busy++
    this.#next = Math.max(this.#next, now) + this.#interval()
    const index = Math.floor(now / 60_000)
    const { index: last, count } = this.#minute
    if (index !== last) this.#minute = { index, count: 0, before: index === last + 1 ? count : 0 }
    this.#minute.count++
  }

  /** One that started has ended; `duration` in milliseconds, undefined when it is not known. */
  end(duration: number | undefined): void {
    this.#busy = Math.max(0, this.#busy - 1)
    if (duration !== undefined) this.#duration += (Math.max(0, duration) - this.#duration) * NEW_SHARE
  }

  /** When somebody who may not start now comes again. `random` is in [0, 1). */
  reserve(now: number, random: number): number {
    const open = Math.max(now, this.#learned?.pausedUntil ?? 0)
    const at = Math.max(this.#line, this.#next, open, now + SHORTEST_WAIT_MS)
    // Too far away to say: they come again spread over the last half of the horizon, and see.
    if (at > open + HORIZON_MS) return Math.round(open + HORIZON_MS * (1 - random / 2))
    this.#line = at + Math.max(this.#interval(), this.#duration / this.concurrency / OVERBOOKED)
    return Math.round(at)
  }

  /** True when something was learned: not from attempts that had begun before the last slow-down. */
  slowDown(words: string, startedAt: number, now: number): boolean {
    const before = this.#learned
    if (before !== undefined && startedAt <= before.slowedAt) return false
    const slowdowns = (before?.slowdowns ?? 0) + 1
    const perMinute = Number.isFinite(this.perMinute)
      ? Math.max(LEAST_PER_MINUTE, Math.floor(this.perMinute / 2))
      : Math.max(FIRST_PER_MINUTE, Math.floor(this.#observed(now) / 2))
    this.#learned = {
      ...{ perMinute, slowdowns, words, slowedAt: now, changedAt: now },
      concurrency: Math.max(1, Math.floor(this.concurrency / 2)),
      pausedUntil: now + Math.min(PAUSE_MS * 2 ** Math.min(slowdowns - 1, 30), LONGEST_PAUSE_MS),
    }
    return true
  }

  /** A delivery succeeded. True when the pace changed. */
  succeeded(startedAt: number, now: number): boolean {
    const learned = this.#learned
    if (learned === undefined || startedAt <= learned.slowedAt) return false
    if (this.#age(now)) return true
    const due = now >= learned.pausedUntil && now - learned.changedAt >= STEP_MS
    if (!due) {
      if (learned.slowdowns === 0) return false
      this.#learned = { ...learned, slowdowns: 0 }
      return true
    }
    const perMinute = learned.perMinute + INCREASE_PER_MINUTE
    const concurrency = Math.min(this.#limits.concurrency, learned.concurrency + 1)
    const free = this.#limits.perMinute === 0 ? FREE_PER_MINUTE : Math.min(FREE_PER_MINUTE, this.#limits.perMinute)
    if (perMinute >= free && concurrency >= this.#limits.concurrency) return this.forget()
    this.#learned = { ...learned, perMinute: Math.min(perMinute, free), concurrency, slowdowns: 0, changedAt: now }
    return true
  }

  /** Takes back all that was learned; true when there was something. */
  forget(): boolean {
    const had = this.#learned !== undefined
    this.#learned = undefined
    this.#line = 0
    this.#next = 0
    return had
  }

  #age(now: number): boolean {
    return this.#learned !== undefined && now - this.#learned.slowedAt >= FORGET_MS && this.forget()
  }

  #interval(): number {
    return 60_000 / this.perMinute
  }

  /** Deliveries that started in the last minute or so. */
  #observed(now: number): number {
    const age = Math.floor(now / 60_000) - this.#minute.index
    return age > 1 ? 0 : Math.max(this.#minute.count, age === 0 ? this.#minute.before : 0)
  }
}
