// A clock that stands still until a test moves it.
import type { Clock } from '@mox/plugin-sdk'

export interface TestClock extends Clock {
  /** Runs all timers due within `ms`, each at its time, and everything they set off. */
  advance(ms: number): Promise<void>
}

/** Lets everything that waits for nothing but promises finish. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
}

export function testClock(start: number = Date.UTC(2026, 0, 5)): TestClock {
  let now = start
  let sequence = 0
  const timers = new Map<number, { at: number; work: () => void }>()
  const next = () => [...timers].sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
  const after = (ms: number, work: () => void) => {
    const id = sequence++
    timers.set(id, { at: now + Math.max(0, ms), work })
    return () => timers.delete(id)
  }
  return {
    now: () => now,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const cancel = after(ms, resolve)
        signal?.addEventListener('abort', () => {
          cancel()
          reject(signal.reason)
        })
      }),
    advance: async ms => {
      const end = now + ms
      await settle()
      for (let timer = next(); timer !== undefined && timer[1].at <= end; timer = next()) {
        timers.delete(timer[0])
        now = Math.max(now, timer[1].at)
        timer[1].work()
        await settle()
      }
      now = end
      await settle()
    },
  }
}
