// What accounts with limits sent: one row per submission for the day's count, and one per address that they wrote to.
import type { SentRepository, Statement } from '@mox/plugin-sdk'
import { compile } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { checkLimit } from './filters.ts'
import { MET, SENT } from './schema.ts'

/** Milliseconds in which an address that is written to again is not noted again. */
const DAY_MS = 86_400_000

interface Met {
  account: string
  address: string
  at: number
  dayBefore: number
}

export class SqlSent implements SentRepository {
  readonly #engine: SqlEngine
  readonly #add: Statement<{ account: string; at: number; recipients: number }, unknown>
  readonly #count: Statement<{ account: string; since: number }, { n: number | null }>
  readonly #meet: Statement<Met, unknown>
  readonly #met: Statement<{ account: string; since: number }, { n: number }>

  constructor(engine: SqlEngine) {
    this.#engine = engine
    this.#add = compile(engine, (db, p) =>
      db(SENT).insert({ account: p('account'), at: p('at'), recipients: p('recipients') }),
    )
    this.#count = compile(engine, (db, p) =>
      db(SENT).sum('recipients as n').where('account', p('account')).where('at', '>', p('since')),
    )
    this.#meet = compile(engine, (db, p) =>
      db(MET)
        .insert({ account: p('account'), address: p('address'), first_at: p('at'), last_at: p('at') })
        .onConflict(['account', 'address'])
        .merge(['last_at'])
        .where(`${MET}.last_at`, '<', p('dayBefore')),
    )
    this.#met = compile(engine, (db, p) =>
      db(MET).count('* as n').where('account', p('account')).where('first_at', '>', p('since')),
    )
  }

  async add(account: string, at: number, recipients: number): Promise<void> {
    await this.#add.run({ account, at, recipients })
  }

  async count(account: string, since: number): Promise<number> {
    return Number((await this.#count.get({ account, since }))?.n ?? 0)
  }

  async meet(account: string, at: number, addresses: readonly string[]): Promise<void> {
    for (const address of addresses) await this.#meet.run({ account, address, at, dayBefore: at - DAY_MS })
  }

  async met(account: string, since: number): Promise<number> {
    return Number((await this.#met.get({ account, since }))?.n ?? 0)
  }

  async purge(
    { sentUntil, metUntil }: { readonly sentUntil: number; readonly metUntil: number },
    limit: number,
  ): Promise<number> {
    checkLimit(limit)
    return (await this.#remove(SENT, 'at', sentUntil, limit)) + (await this.#remove(MET, 'last_at', metUntil, limit))
  }

  /** The oldest rows; those of one millisecond leave together. */
  async #remove(table: string, column: string, until: number, limit: number): Promise<number> {
    const { db } = this.#engine
    const row = (await db(table)
      .where(column, '<=', until)
      .orderBy(column)
      .offset(limit - 1)
      .first(`${column} as at`)) as { at: number } | undefined
    return await db(table)
      .where(column, '<=', row === undefined ? until : row.at)
      .delete()
  }
}
