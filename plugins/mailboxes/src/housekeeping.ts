// What goes on in the background: erasing expunged messages, ageing out history and what was refused, deleting what removed
// accounts left. One process of an installation does the
// periodic part. A failure is logged and tried again at the next round; stop() waits for what is running.
import type { Context } from './context.ts'
import { CHUNK, chunks, erase } from './expunge.ts'
import { DAY_MS, purgeHistory } from './history.ts'
import { expungeRejects } from './rejects.ts'
import { deletePortion, nextRemoved } from './removal.ts'
import { CHANGE, ERASE, MAILBOX } from './schema.ts'

/** Between two periodic rounds. */
export const ROUND_MS = 60_000
const LOCK_MS = 10 * ROUND_MS

/** Days that things are kept; 0 rejects days keep them for ever. */
export interface HousekeepingDays {
  readonly historyDays: number
  readonly rejectsDays: number
}

export class Housekeeping {
  #context: Context | undefined
  #days: HousekeepingDays = { historyDays: 0, rejectsDays: 0 }
  #cancel: (() => void) | undefined
  #stopped = false
  /** All work, one after the other. */
  #work: Promise<void> = Promise.resolve()

  start(context: Context, days: HousekeepingDays): void {
    this.#context = context
    this.#days = days
    this.#stopped = false
    // Sessions that showed something are gone, where there are none of other processes.
    if (!context.storage.capabilities.crossProcess)
      this.#enqueue(async () => {
        while (!this.#stopped && (await erase(context, undefined, Number.MAX_SAFE_INTEGER)) === CHUNK);
      })
    this.#arm()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#work
  }

  /** Resolves when the work that is waiting now is done. */
  async idle(): Promise<void> {
    await this.#work
  }

  eraseSoon(ids: readonly number[]): void {
    this.#enqueue(async context => {
      for (const part of chunks(ids)) await erase(context, part)
    })
  }

  /** An account was removed. */
  roundSoon(): void {
    this.#enqueue(context => this.#round(context))
  }

  #arm(): void {
    this.#cancel = this.#context?.clock.after(ROUND_MS, () => {
      this.#enqueue(context => this.#round(context))
      this.#enqueue(async () => this.#arm())
    })
  }

  async #round(context: Context): Promise<void> {
    // Most of the time there is nothing to do, and reading costs nothing: taking the lock is two commits.
    if (!(await isDue(context, this.#days))) return
    const lock = await context.storage.lock('mailboxes-housekeeping', LOCK_MS)
    if (lock === null) return
    try {
      while ((await erase(context)) === CHUNK) if (!(await lock.renew())) return
      await expungeRejects(context, this.#days.rejectsDays)
      await purgeHistory(context, this.#days.historyDays)
      for (let left = await nextRemoved(context); left !== undefined; left = await nextRemoved(context))
        while (await deletePortion(context, left.id)) if (this.#stopped || !(await lock.renew())) return
    } finally {
      await lock.release()
    }
  }

  #enqueue(task: (context: Context) => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#stopped || this.#context === undefined) return
      try {
        await task(this.#context)
      } catch (err) {
        this.#context.log.error({ err }, 'housekeeping of the message store failed')
      }
    })
  }
}

/** Whether there is a message to erase, a change that is too old, something that was refused, or a removed account. */
async function isDue(context: Context, { historyDays, rejectsDays }: HousekeepingDays): Promise<boolean> {
  const { storage, clock, rejectsMailbox } = context
  const { db } = storage
  const now = clock.now()
  if ((await db(ERASE).where('due', '<=', now).first('message_id')) !== undefined) return true
  const before = now - historyDays * DAY_MS
  if ((await db(CHANGE).where('at', '<', before).first('id')) !== undefined) return true
  if ((await nextRemoved(context)) !== undefined) return true
  if (rejectsDays === 0) return false
  const rejects = db(MAILBOX).where({ name: rejectsMailbox, removed_seq: 0 })
  return (
    (await rejects.where(query => query.where('total', '>', 0).orWhere('deleted', '>', 0)).first('id')) !== undefined
  )
}
