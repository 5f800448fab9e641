// Rounds of the events plugin: every minute what is new is added up, every hour what is too old goes. One process in the
// installation does it, in units of work of bounded size so that mail goes on.
import type { Clock, Log, Storage } from '@mox/plugin-sdk'
import { COUNT, COUNTED, DAY_MS, dayOf, type EventRow, LOG, REPORT } from './schema.ts'
import { COUNT_BATCH, COUNT_DAYS, countSome } from './statistics.ts'

export const ROUND_MS = 60_000
const PURGE_MS = 3_600_000
/** Rows removed in one unit of work. */
export const PURGE_BATCH = 500
const LOCK = 'events.round'
const LOCK_MS = 600_000
/** Milliseconds that a report is remembered as one. */
const REPORT_MS = DAY_MS

export interface HousekeepingServices {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
}

export class Housekeeping {
  readonly #services: HousekeepingServices
  readonly #days: number
  #cancel: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false
  #purgeAt = 0

  constructor(services: HousekeepingServices, days: number) {
    this.#services = services
    this.#days = days
  }

  start(): void {
    this.#cancel = this.#services.clock.after(ROUND_MS, () => {
      this.#running = this.#round()
        .catch(error => this.#services.log.error({ err: error }, 'the event log could not be tidied'))
        .finally(() => {
          if (!this.#stopped) this.start()
        })
    })
  }

  /** Resolves when the round in progress has ended. */
  idle(): Promise<void> {
    return this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  async #round(): Promise<void> {
    const { storage, clock } = this.#services
    // Most rounds of a quiet server: nothing is written, not even a lock.
    if (clock.now() < this.#purgeAt && !(await this.#hasNew())) return
    const lock = await storage.lock(LOCK, LOCK_MS)
    if (lock === null) return
    try {
      await this.#repeat(COUNT_BATCH, () => countSome(storage, clock))
      if (clock.now() < this.#purgeAt) return
      this.#purgeAt = clock.now() + PURGE_MS
      await this.#repeat(PURGE_BATCH, () => this.#purgeSome())
      await storage.write(async db => {
        await db(REPORT)
          .where('at', '<', clock.now() - REPORT_MS)
          .delete()
        await db(COUNT)
          .where('day', '<', dayOf(clock.now()) - COUNT_DAYS)
          .delete()
      })
    } finally {
      await lock.release()
    }
  }

  async #hasNew(): Promise<boolean> {
    const { db } = this.#services.storage
    return (await db(LOG).select('id').where('id', '>', db(COUNTED).select('last_id')).first()) !== undefined
  }

  async #repeat(batch: number, work: () => Promise<number>): Promise<void> {
    while (!this.#stopped && (await work()) === batch);
  }

  /** The oldest events that have been counted. */
  async #purgeSome(): Promise<number> {
    const { storage, clock } = this.#services
    const before = clock.now() - this.#days * DAY_MS
    return await storage.write(async db => {
      const oldest: Pick<EventRow, 'id' | 'at'>[] = await db<EventRow>(LOG)
        .select('id', 'at')
        .where('id', '<=', db(COUNTED).select('last_id'))
        .orderBy('id')
        .limit(PURGE_BATCH)
      const young = oldest.findIndex(row => row.at >= before)
      const old = young < 0 ? oldest : oldest.slice(0, young)
      const last = old.at(-1)
      if (last !== undefined) await db(LOG).where('id', '<=', last.id).delete()
      return old.length
    })
  }
}
