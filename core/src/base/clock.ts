// The real clock. Timers never keep the process alive; waits longer than setTimeout can count are cut into pieces.
import type { Clock } from '@mox/plugin-sdk'

/** The longest delay of setTimeout, milliseconds; it runs at once for a longer one. */
export const TIMER_LIMIT: number = 2 ** 31 - 1

export function createClock(): Clock {
  const now = (): number => Date.now()
  const after = (ms: number, work: () => void): (() => void) => {
    let rest = Math.max(0, ms)
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const piece = Math.min(rest, TIMER_LIMIT)
      rest -= piece
      timer = setTimeout(rest > 0 ? wait : work, piece).unref()
    }
    wait()
    return () => clearTimeout(timer)
  }
  return { now, after, sleep: (ms, signal) => sleepOn(after, ms, signal) }
}

/** What `sleep` of a clock does with its `after`. */
export function sleepOn(after: Clock['after'], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
