// What goes on in the background: erasing expunged messages and ageing out history. One process of an installation does the
// periodic part. A failure is logged and tried again at the next round; stop() waits for what is running.
import type { Context } from './context.ts'
import { CHUNK, chunks, erase } from './expunge.ts'
import { DAY_MS, purgeHistory } from './history.ts'
import { CHANGE, ERASE } from './schema.ts'

/** Between two periodic rounds. */
export const ROUND_MS = 60_000
const LOCK_MS = 10 * ROUND_MS

export class Housekeeping {
  #context: Context | undefined
  #historyDays = 0
  #cancel: (() => void) | undefined
  #stopped = false
  /** All work, one after the other. */
  #work: Promise<void> = Promise.resolve()

  start(context: Context, historyDays: number): void {
    this.#context = context
    this.#historyDays = historyDays
    this.#stopped = false
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

  #arm(): void {
    this.#cancel = this.#context?.clock.after(ROUND_MS, () => {
      this.#enqueue(context => this.#round(context))
      this.#enqueue(async () => this.#arm())
    })
  }

  async #round(context: Context): Promise<void> {
    // Most of the time there is nothing to do, and reading costs nothing: taking the lock is two commits.
    if (!(await isDue(context, this.#historyDays))) return
    const lock = await context.storage.lock('mailboxes-housekeeping', LOCK_MS)
    if (lock === null) return
    try {
      while ((await erase(context)) === CHUNK) if (!(await lock.renew())) return
      await purgeHistory(context, this.#historyDays)
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

/** Whether there is a message to erase or a change that is too old. */
async function isDue({ storage, clock }: Context, historyDays: number): Promise<boolean> {
  const now = clock.now()
  const erasable = await storage.db(ERASE).where('due', '<=', now).first('message_id')
  if (erasable !== undefined) return true
  const before = now - historyDays * DAY_MS
  return (await storage.db(CHANGE).where('at', '<', before).first('id')) !== undefined
}
