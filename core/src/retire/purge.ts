// Removes what its time is over: history entries, messages nobody refers to, content without references, counts of what
// accounts sent. One process in the installation does it, every hour, in units of bounded size so that mail goes on.
import { SENT_WINDOW_MS } from '../receive/sender-limits.ts'
import type { StageDeps } from '../stages.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Milliseconds after the start. */
export const FIRST_PURGE_MS = 3_000
/** Rows per unit of work. */
export const PURGE_BATCH = 500
/** Units of work per run and kind: a run ends, and the next one goes on. */
const PURGE_BATCHES = 200
/** Days without a message to an address, after which an account writes to it for the first time again. */
export const MET_DAYS = 365
const LOCK = 'core.purge'
const LOCK_MS = 600_000

export class Purge {
  readonly #deps: StageDeps
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #stopped = false
  #working = false

  constructor(deps: StageDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#schedule(FIRST_PURGE_MS)
  }

  #schedule(ms: number): void {
    if (this.#stopped) return
    this.#cancel = this.#deps.clock.after(ms, () => {
      this.#working = true
      this.#running = this.#run()
        .catch(error => this.#deps.log.error({ err: error }, 'old messages could not be removed'))
        .finally(() => {
          this.#working = false
          this.#schedule(HOUR_MS)
        })
    })
  }

  busy(): boolean {
    return this.#working
  }

  async #run(): Promise<void> {
    const { storage, clock, config, log } = this.#deps
    const lock = await storage.lock(LOCK, LOCK_MS)
    if (lock === null) return
    try {
      const now = clock.now()
      const until = now - config.keepRetiredDays * DAY_MS
      const retired = await this.#batches(() => storage.history.purge(now, PURGE_BATCH))
      const messages = await this.#batches(() => storage.messages.purge(until, PURGE_BATCH))
      const contents = this.#stopped ? 0 : await storage.write(() => storage.content.collect())
      const sent = { sentUntil: now - SENT_WINDOW_MS, metUntil: now - MET_DAYS * DAY_MS }
      await this.#batches(() => storage.sent.purge(sent, PURGE_BATCH))
      if (retired + messages + contents > 0) log.info({ retired, messages, contents }, 'old messages removed')
    } finally {
      await lock.release()
    }
  }

  async #batches(purge: () => Promise<number>): Promise<number> {
    let total = 0
    for (let n = 0; n < PURGE_BATCHES && !this.#stopped; n++) {
      const removed = await this.#deps.storage.write(purge)
      total += removed
      if (removed < PURGE_BATCH) break
    }
    return total
  }

  /** Ends after the unit of work in progress. */
  async drain(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }
}
