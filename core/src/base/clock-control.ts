// clock-control@1: moves an advancing clock through days, one timer at a time. What a timer starts gets finished before the
// clock goes on, so that the same things happen in the same order every time. What never comes to rest ends it with an error.
import { ADVANCE_LIMIT, type Advanced, type ClockControl, OFFSET_LIMIT, UsageError } from '@mox/plugin-sdk'
import type { AdvancingClock } from './advancing-clock.ts'

/** Milliseconds of real time that may pass until everything has come to rest. */
export const QUIET_LIMIT_MS = 60_000
/** Turns of the event loop in a row without work: notifications and groups of commits take some. */
const QUIET_TURNS = 10
/** Turns after which work is left more time: it is waiting for something outside. */
const EAGER_TURNS = 200
const PATIENT_MS = 2

export interface ClosableControl extends ClockControl {
  /** Ends an advance in progress: the server stops. */
  close(): void
}

/** `busy` names who is working; recipients that are in a simulated delay do not count. */
export function makeClockControl(
  clock: AdvancingClock,
  busy: (waiting: ReadonlySet<number>) => readonly string[],
  quietLimitMs: number = QUIET_LIMIT_MS,
): ClosableControl {
  const waiting = new Map<number, number>()
  let last: Promise<unknown> = Promise.resolve()
  let closed = false

  /** Resolves when nobody has worked for some turns. */
  const quiet = async (): Promise<void> => {
    const began = performance.now()
    let turns = 0
    for (let idle = 0; idle < QUIET_TURNS; turns++) {
      await (turns < EAGER_TURNS || idle > 0 ? turn() : pause())
      if (closed) throw new Error('the server is stopping')
      const working = busy(new Set(waiting.keys()))
      idle = working.length === 0 ? idle + 1 : 0
      if (idle === 0 && performance.now() - began > quietLimitMs)
        throw new Error(`the clock cannot go on: still working after ${quietLimitMs / 1_000} s: ${working.join(', ')}`)
    }
  }

  const advance = async (ms: number): Promise<Advanced> => {
    if (clock.offset + ms > OFFSET_LIMIT)
      throw new UsageError('the clock is ten years ahead of the real time at most; start with a new directory')
    const end = clock.now() + ms
    let timers = 0
    await quiet()
    for (let next = clock.next; next !== undefined && next <= end; next = clock.next) {
      clock.moveTo(next)
      clock.runNext()
      timers++
      await quiet()
    }
    clock.moveTo(end)
    return { now: clock.now(), timers }
  }

  return {
    offset: () => clock.offset,
    restore: offset => {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > OFFSET_LIMIT)
        throw new UsageError(`a clock cannot be ${offset} ms ahead; give a whole number from 0 to ${OFFSET_LIMIT}`)
      clock.shift(offset)
    },
    advance: async ms => {
      if (!Number.isSafeInteger(ms) || ms < 1 || ms > ADVANCE_LIMIT)
        throw new UsageError('the clock moves on by 1 ms to 31 days at a time; give a duration such as 1h30m or 3d')
      const done = last.then(() => advance(ms))
      last = done.catch(() => undefined)
      return await done
    },
    wait: async (ms, job, signal) => {
      waiting.set(job, (waiting.get(job) ?? 0) + 1)
      try {
        await clock.sleep(ms, signal)
      } finally {
        const left = (waiting.get(job) ?? 1) - 1
        if (left > 0) waiting.set(job, left)
        else waiting.delete(job)
      }
    },
    close: () => {
      closed = true
    },
  }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** Real time: the work that is waited for is real. */
const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, PATIENT_MS))
