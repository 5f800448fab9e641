// Removes calls that are over when their time is up. One process in the installation does it, every hour, in units of work of
// bounded size.
import type { Clock, Log, Storage } from '@mox/plugin-sdk'
import { CALL, type CallRow } from './schema.ts'

export const FIRST_MS = 4_000
const ROUND_MS = 3_600_000
/** Rows removed in one unit of work. */
export const PURGE_BATCH = 500
const LOCK = 'webhooks.purge'
const LOCK_MS = 600_000

export class Housekeeping {
  readonly #services: { readonly storage: Storage; readonly clock: Clock; readonly log: Log }
  #cancel: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(services: { readonly storage: Storage; readonly clock: Clock; readonly log: Log }) {
    this.#services = services
  }

  start(wait: number = FIRST_MS): void {
    if (this.#stopped) return
    this.#cancel = this.#services.clock.after(wait, () => {
      this.#running = this.#purge()
        .catch(error => this.#services.log.error({ err: error }, 'old webhook calls could not be removed'))
        .finally(() => this.start(ROUND_MS))
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  async #purge(): Promise<void> {
    const { storage, clock } = this.#services
    const lock = await storage.lock(LOCK, LOCK_MS)
    if (lock === null) return
    try {
      let removed = PURGE_BATCH
      while (removed === PURGE_BATCH && !this.#stopped)
        removed = await storage.write(async db => {
          const rows: Pick<CallRow, 'id'>[] = await db<CallRow>(CALL)
            .select('id')
            .whereNotNull('ended_at')
            .where('keep_until', '<', clock.now())
            .limit(PURGE_BATCH)
          return await db(CALL)
            .whereIn(
              'id',
              rows.map(({ id }) => id),
            )
            .delete()
        })
    } finally {
      await lock.release()
    }
  }
}
