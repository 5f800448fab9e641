// A clock that stands still until a test moves it: days of retries run in milliseconds, in the same order every time.
import type { Clock } from '../services/base.ts'

/** Where a virtual clock starts unless told otherwise: a Tuesday. */
export const TEST_NOW: number = Date.parse('2030-01-01T12:00:00Z')
/** Turns of the event loop between two timers, so that what a timer started gets on. */
const TURNS = 3

interface Timer {
  readonly due: number
  readonly work: () => void
}

export class VirtualClock implements Clock {
  #now: number
  /** By due time; of equal ones the earlier set first. */
  readonly #timers: Timer[] = []

  /** `now` in milliseconds since the epoch. */
  constructor(now: number = TEST_NOW) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, work: () => void): () => void {
    const timer = { due: this.#now + Math.max(0, ms), work }
    const later = this.#timers.findIndex(other => other.due > timer.due)
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Timers that are set: 0 when everything was cleaned up. */
  get pending(): number {
    return this.#timers.length
  }

  /** Moves on by `ms`, running each timer at its time, with turns of the event loop before, between and after. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await turns()
    for (let next = this.#timers[0]; next !== undefined && next.due <= end; next = this.#timers[0]) {
      this.#timers.shift()
      this.#now = Math.max(this.#now, next.due)
      next.work()
      await turns()
    }
    this.#now = Math.max(this.#now, end)
  }
}

/** Lets promises and immediates that are under way get on. */
export async function turns(count: number = TURNS): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}
