// clock-control@1: moving the clock of a test server on, so that days of retries, reports and webhooks run in seconds. A
// server has it only when a plugin of its config needs it; otherwise its clock is the real one. And workers@1: what the
// clock waits for before it goes on.
import { defineService, type ServiceToken } from '../define/service.ts'

/** Milliseconds that a clock may be moved at a time: 31 days. */
export const ADVANCE_LIMIT: number = 31 * 86_400_000
/** Milliseconds that a clock may be ahead of the real time: ten years. */
export const OFFSET_LIMIT: number = 3_650 * 86_400_000

export interface Advanced {
  /** Where the clock is afterwards, milliseconds since the epoch. */
  readonly now: number
  /** Timers that ran on the way. */
  readonly timers: number
}

export interface ClockControl {
  /** Milliseconds that the clock is ahead of the real time. */
  offset(): number
  /** Moves the clock so far ahead as it was before a restart. Timers keep what they still have to wait. Call it in start. */
  restore(offset: number): void
  /**
   * Moves the clock on by `ms`, at most ADVANCE_LIMIT and up to OFFSET_LIMIT. All timers that are due on the way run in order, each at its time; before the
   * next one, deliveries, react handlers and workers get finished. Calls wait for each other. Throws a UsageError for another
   * number, and an Error that says who is still working when nothing comes to rest for a minute of real time.
   */
  advance(ms: number): Promise<Advanced>
  /**
   * Like `clock.sleep`, for a delay that is part of the simulation: an attempt that is in it does not keep the clock from
   * moving on. `job` is the queue id of a recipient that is being tried.
   */
  wait(ms: number, job: number, signal: AbortSignal): Promise<void>
}

export const clockControl: ServiceToken<ClockControl, 'one'> = defineService<ClockControl>('clock-control@1')

/** A plugin's own worker, which a timer or a notification sets to work. */
export interface Worker {
  /** For messages: "dsn". */
  readonly name: string
  /** True from the moment that it is woken until it has nothing left that is due now. */
  busy(): boolean
}

export const workers: ServiceToken<Worker, 'many'> = defineService<Worker, 'many'>('workers@1', 'many')
