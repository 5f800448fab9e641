// A clock that stands still until a test moves it.
import type { Clock } from '@mox/plugin-sdk'

interface Timer {
  readonly at: number
  readonly work: () => void
}

export class VirtualClock implements Clock {
  #now: number = Date.parse('2030-01-01T12:00:00Z')
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const cancel = this.after(ms, resolve)
      signal?.addEventListener('abort', () => {
        cancel()
        reject(signal.reason)
      })
    })
  }

  /** Moves on, running timers in order, with time for sockets in between. */
  async advance(ms: number): Promise<void> {
    await settle()
    const end = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter(t => t.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.work()
      await new Promise(setImmediate)
    }
    this.#now = end
    await settle()
  }
}

/** Lets what is under way between sockets of this process happen. */
export async function settle(rounds: number = 20): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise(setImmediate)
}
