// How many times in a row an account's mail to an address failed for the recipient's reasons. A delivery ends the row; so does
// a long silence. Kept here and not counted in the history, which may not be kept at all.
import type { Statement, Storage } from '@mox/plugin-sdk'
import { STREAK, type StreakRow } from './schema.ts'

/** The failure of the row that puts an address on the list. */
export const FAILURES_IN_A_ROW = 3
/** Milliseconds after which an earlier failure says nothing any more: 90 days. */
export const STREAK_MS: number = 90 * 86_400_000

export class Streaks {
  readonly #storage: Storage
  #cleared: Statement<{ account: string; base: string }, unknown> | undefined

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Inside a unit of work: one more failure; returns how many there are in a row. The same recipient counts once. */
  async failed(account: string, base: string, queueId: number, now: number): Promise<number> {
    const { db } = this.#storage
    const known: StreakRow | undefined = await db<StreakRow>(STREAK).select('*').where({ base, account }).first()
    if (known !== undefined && Number(known.queue_id) === queueId) return known.failures
    const fresh = known !== undefined && now - Number(known.last_at) <= STREAK_MS
    const failures = (fresh ? known.failures : 0) + 1
    const row: StreakRow = { account, base, failures, queue_id: queueId, last_at: now }
    await db<StreakRow>(STREAK).insert(row).onConflict(['base', 'account']).merge()
    return failures
  }

  /** Inside a unit of work: the address took a message. */
  async delivered(account: string, base: string): Promise<void> {
    this.#cleared ??= this.#storage.statement((db, p) =>
      db(STREAK).where('base', p('base')).where('account', p('account')).delete(),
    )
    await this.#cleared.run({ account, base })
  }

  /** Inside a unit of work; returns how many. */
  async purge(now: number, limit: number): Promise<number> {
    const { db } = this.#storage
    const old: Pick<StreakRow, 'account' | 'base'>[] = await db<StreakRow>(STREAK)
      .select('account', 'base')
      .where('last_at', '<', now - STREAK_MS)
      .limit(limit)
    for (const row of old) await db<StreakRow>(STREAK).where(row).delete()
    return old.length
  }
}
