// Recipients that left the queue, for as long as they are kept.
import type { HistoryFilter, HistoryRepository, Page, Retired, Statement } from '@mox/plugin-sdk'
import { compile } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { checkLimit } from './filters.ts'
import { readPage } from './pages.ts'
import { type JoinedHistoryRow, joinedBy, resultsText, retiredOf } from './recipient-rows.ts'
import { HISTORY } from './schema.ts'

export class SqlHistory implements HistoryRepository {
  readonly #engine: SqlEngine
  readonly #select: Statement<{ id: number }, JoinedHistoryRow>
  readonly #byFromId: Statement<{ fromId: string }, { id: number }>

  constructor(engine: SqlEngine) {
    this.#engine = engine
    this.#select = compile(engine, (db, p) => joinedBy(db, HISTORY, 'id', p('id')))
    this.#byFromId = compile(engine, (db, p) => db(HISTORY).select('id').where('from_id', p('fromId')))
  }

  async get(id: number): Promise<Retired | undefined> {
    const row = await this.#select.get({ id })
    return row && retiredOf(row)
  }

  async findByFromId(fromId: string): Promise<Retired | undefined> {
    const found = await this.#byFromId.get({ fromId })
    return found && this.get(found.id)
  }

  async list(filter: HistoryFilter, page: Page): Promise<Retired[]> {
    const rows = await readPage<JoinedHistoryRow>(this.#engine, {
      ...{ table: HISTORY, column: 'last_activity', filter, page, parts: [filter] },
    })
    return rows.map(retiredOf)
  }

  async update(
    id: number,
    { status, lastActivity, results, trace }: Partial<Pick<Retired, 'status' | 'lastActivity' | 'results' | 'trace'>>,
  ): Promise<void> {
    const columns = {
      ...(status === undefined ? {} : { status }),
      ...(lastActivity === undefined ? {} : { last_activity: lastActivity }),
      ...(results === undefined ? {} : { results: resultsText(results) }),
      ...(trace === undefined ? {} : { trace: JSON.stringify(trace) }),
    }
    if (Object.keys(columns).length > 0) await this.#engine.db(HISTORY).where({ id }).update(columns)
  }

  async purge(now: number, limit: number): Promise<number> {
    checkLimit(limit)
    const { db } = this.#engine
    return await db(HISTORY)
      .whereIn('id', db(HISTORY).select('id').where('keep_until', '<', now).orderBy('keep_until').limit(limit))
      .delete()
  }

  async removeOf(account: string, limit: number): Promise<number> {
    checkLimit(limit)
    const { db } = this.#engine
    return await db(HISTORY).whereIn('id', db(HISTORY).select('id').where({ account }).limit(limit)).delete()
  }
}
