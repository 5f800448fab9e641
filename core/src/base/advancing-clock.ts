// A clock that is the real one and can be moved ahead of it. Its timers run by themselves as time goes on, at their due time
// and in order; whoever moves it runs those that it passes. Only servers for tests have it.
import type { Clock } from '@mox/plugin-sdk'
import { sleepOn, TIMER_LIMIT } from './clock.ts'

interface Timer {
  due: number
  readonly work: () => void
}

export class AdvancingClock implements Clock {
  #offset = 0
  /** By due time; of equal ones the earlier set first. */
  readonly #timers: Timer[] = []
  #first: NodeJS.Timeout | undefined

  now(): number {
    return Date.now() + this.#offset
  }

  after(ms: number, work: () => void): () => void {
    const timer = { due: this.now() + Math.max(0, ms), work }
    const at = this.#placeOf(timer.due)
    this.#timers.splice(at, 0, timer)
    if (at === 0) this.#arm()
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index < 0) return
      this.#timers.splice(index, 1)
      if (index === 0) this.#arm()
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((wait, work) => this.after(wait, work), ms, signal)
  }

  /** Milliseconds ahead of the real time. */
  get offset(): number {
    return this.#offset
  }

  /** Moves now() ahead; timers keep what they still have to wait. */
  shift(offset: number): void {
    for (const timer of this.#timers) timer.due += offset - this.#offset
    this.#offset = offset
    this.#arm()
  }

  /** When the next timer is due; undefined when none is set. */
  get next(): number | undefined {
    return this.#timers[0]?.due
  }

  /** Moves now() to `time` unless it is later already. Timers that are passed run as soon as the event loop turns. */
  moveTo(time: number): void {
    this.#offset += Math.max(0, time - this.now())
    this.#arm()
  }

  /** Runs the next timer, due or not. */
  runNext(): void {
    const timer = this.#timers.shift()
    this.#arm()
    timer?.work()
  }

  #placeOf(due: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.due > due) high = middle
      else low = middle + 1
    }
    return low
  }

  #arm(): void {
    clearTimeout(this.#first)
    const { next } = this
    if (next === undefined) return
    const wait = Math.min(Math.max(next - this.now(), 0), TIMER_LIMIT)
    this.#first = setTimeout(() => this.#run(), wait).unref()
  }

  #run(): void {
    while (this.next !== undefined && this.next <= this.now()) this.runNext()
    this.#arm()
  }
}
