// Runs react handlers, one outbox row at a time each. A failed one is tried again with growing waits and parked as dead
// in the end, where an operator sees it. A subscriber that is slow has some of the places and never all of them.
import type { OutboxRow } from '@mox/plugin-sdk'
import type { HookScope, ReactHook } from '../hooks/types.ts'
import { MessageFacts } from '../receive/facts.ts'
import type { StageDeps } from '../stages.ts'
import type { OutboxPayload } from './outbox.ts'

/** Handlers running at a time. */
export const REACT_CONCURRENCY = 10
/** Of them, for one subscriber. */
export const REACT_PER_SUBSCRIBER = 4
/** Rows claimed for a subscriber without a free place wait here. */
const WAITING = REACT_CONCURRENCY
/** Milliseconds: all that wait before a row, and the row itself, end within 30 s each. */
const LEASE_MS = 5 * 60_000
export const REACT_ATTEMPTS = 10
const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 3_600_000
const STORAGE_WAIT_MS = 60_000
const SHORTEST_WAIT_MS = 1_000
const ERROR_LENGTH = 1_000

/** Milliseconds to wait after failed attempt `n`, from 1. */
export function reactBackoff(n: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (n - 1), LONGEST_RETRY_MS)
}

export class Dispatcher {
  readonly #deps: StageDeps
  readonly #running = new Set<Promise<void>>()
  readonly #busy = new Map<string, number>()
  readonly #abort = new AbortController()
  #waiting: OutboxRow[] = []
  #started = false
  #waitUntil = 0
  #looking: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #unsubscribe: (() => void) | undefined

  constructor(deps: StageDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { storage } = this.#deps
    await storage.write(() => storage.outbox.releaseAll())
    this.#unsubscribe = storage.subscribe('outbox', () => this.kick())
    this.#started = true
    this.kick()
  }

  kick(): void {
    if (!this.#started) return
    if (this.#looking !== undefined) this.#again = true
    else {
      this.#looking = this.#lookUntilQuiet().finally(() => {
        this.#looking = undefined
      })
    }
  }

  /** Whether it looks for due rows, or runs handlers. */
  busy(): boolean {
    return this.#looking !== undefined || this.#running.size > 0
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#again = false
      await this.#look()
    } while (this.#again && this.#started)
  }

  async #look(): Promise<void> {
    const { storage, clock, log } = this.#deps
    const now = clock.now()
    if (now < this.#waitUntil) return this.#wake(this.#waitUntil - now)
    try {
      this.#launchWaiting()
      const limit = Math.min(REACT_CONCURRENCY - this.#running.size, WAITING - this.#waiting.length)
      if (limit > 0) {
        const except = [...this.#busy].filter(([, n]) => n >= REACT_PER_SUBSCRIBER).map(([subscriber]) => subscriber)
        const claim = { now, leaseMs: LEASE_MS, limit, except }
        const rows = await storage.write(() => storage.outbox.claim(claim))
        this.#waiting.push(...rows)
        this.#launchWaiting()
        // Places may be left for other subscribers.
        if (rows.length === limit) this.#again = true
      }
      const due = await storage.outbox.nextDue()
      // A lease may end unnoticed: look again after a lease's time at the latest.
      const wait = due === undefined ? LEASE_MS : Math.max(due - clock.now(), SHORTEST_WAIT_MS)
      this.#wake(Math.min(wait, LEASE_MS))
    } catch (error) {
      log.error({ err: error }, 'outbox could not be read')
      this.#storageFailed()
    }
  }

  #storageFailed(): void {
    this.#waitUntil = this.#deps.clock.now() + STORAGE_WAIT_MS
    this.#wake(STORAGE_WAIT_MS)
  }

  #wake(ms: number): void {
    this.#cancelTimer?.()
    if (this.#started) this.#cancelTimer = this.#deps.clock.after(ms, () => this.kick())
  }

  #launchWaiting(): void {
    const rows = this.#waiting
    this.#waiting = []
    for (const row of rows) {
      const busy = this.#busy.get(row.subscriber) ?? 0
      const free = this.#running.size < REACT_CONCURRENCY && busy < REACT_PER_SUBSCRIBER
      if (free) this.#launch(row, busy)
      else this.#waiting.push(row)
    }
  }

  #launch(row: OutboxRow, busy: number): void {
    this.#busy.set(row.subscriber, busy + 1)
    const done = this.#run(row).finally(() => {
      this.#running.delete(done)
      const left = (this.#busy.get(row.subscriber) ?? 1) - 1
      if (left > 0) this.#busy.set(row.subscriber, left)
      else this.#busy.delete(row.subscriber)
      this.kick()
    })
    this.#running.add(done)
  }

  async #run(row: OutboxRow): Promise<void> {
    const { storage, hooks, log, clock } = this.#deps
    const fields = { hook: row.hook, subscriber: row.subscriber, eventId: row.eventId, attempt: row.attempts + 1 }
    let failure: unknown
    try {
      const payload = row.payload as OutboxPayload
      const scope: HookScope & { eventId: string } = {
        ...{ facts: MessageFacts.restored(payload.facts), trace: [], signal: this.#abort.signal },
        ...{ exempted: new Set<string>(), eventId: row.eventId },
      }
      await hooks.react(row.hook as ReactHook, row.subscriber, payload.input, scope)
    } catch (error) {
      failure = error ?? new Error('handler failed')
    }
    try {
      if (failure === undefined) {
        await storage.write(() => storage.outbox.done([row.id]))
        return
      }
      const dead = fields.attempt >= REACT_ATTEMPTS
      if (dead) log.error({ ...fields, err: failure }, 'event given up')
      else log.warn({ ...fields, err: failure }, 'event handler failed')
      const text = (failure instanceof Error ? failure.message : String(failure)).slice(0, ERROR_LENGTH)
      const retry = dead ? 'dead' : { due: clock.now() + reactBackoff(fields.attempt) }
      await storage.write(() => storage.outbox.failed(row.id, text, retry))
    } catch (error) {
      // The lease ends by itself; the handler then sees the same event id again.
      log.error({ ...fields, err: error }, 'outcome of an event not stored')
      this.#storageFailed()
    }
  }

  /** Starts nothing new; resolves when nothing runs any more or `signal` aborts. Rows that wait stay leased until the start. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#started = false
    this.#unsubscribe?.()
    this.#cancelTimer?.()
    if (signal.aborted) return
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const abort = () => resolve()
    signal.addEventListener('abort', abort)
    await Promise.race([this.#quiet(), aborted])
    signal.removeEventListener('abort', abort)
  }

  /** Aborts what runs; react handlers end within their deadline, and the host bounds them. */
  async stop(): Promise<void> {
    await this.drain(AbortSignal.abort())
    this.#abort.abort(new Error('the server is stopping'))
    await this.#quiet()
  }

  async #quiet(): Promise<void> {
    await this.#looking
    await Promise.all(this.#running)
  }
}
