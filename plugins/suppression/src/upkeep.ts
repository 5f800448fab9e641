// Once a day: entries that expired, rows of failures that are over and old lines of the trail are removed, a bounded number in
// each unit of work. What fails is logged and tried again the next day; nothing depends on it.
import type { Clock, Log, Storage } from '@mox/plugin-sdk'
import type { Audit } from './audit.ts'
import type { SuppressionList } from './list.ts'
import type { Streaks } from './streaks.ts'

/** Between two rounds. */
export const ROUND_MS = 86_400_000
/** Days that the trail is kept. */
export const AUDIT_DAYS = 730
/** Rows in one unit of work. */
export const BATCH = 500

export class Upkeep {
  readonly #deps: UpkeepDeps
  #cancel: (() => void) | undefined
  #stopped = false
  #work: Promise<void> = Promise.resolve()

  constructor(deps: UpkeepDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#work = this.#round()
    this.#cancel = this.#deps.clock.after(ROUND_MS, () => this.start())
  }

  /** Waits for what is running. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#work
  }

  async #round(): Promise<void> {
    const { clock, list, streaks, audit, log } = this.#deps
    const now = clock.now()
    try {
      await this.#repeat(() => list.expire(BATCH))
      await this.#repeat(() => streaks.purge(now, BATCH))
      await this.#repeat(() => audit.purge(now - AUDIT_DAYS * ROUND_MS, BATCH))
    } catch (err) {
      log.error({ err }, 'upkeep of the suppression list failed')
    }
  }

  async #repeat(work: () => Promise<number>): Promise<void> {
    while (!this.#stopped && (await this.#deps.storage.write(work)) === BATCH);
  }
}

export interface UpkeepDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly list: SuppressionList
  readonly streaks: Streaks
  readonly audit: Audit
}
