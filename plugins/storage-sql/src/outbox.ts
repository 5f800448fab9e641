// Events on their way to react handlers. A claim looks at each subscriber by itself, so that the backlog of one hides
// nobody else's rows.
import type { Clock, OutboxRepository, OutboxRow, Statement } from '@mox/plugin-sdk'
import { compile, places } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import type { Ids } from './ids.ts'
import { OUTBOX } from './schema.ts'

/** Rows of one claim or list at most. */
export const OUTBOX_LIMIT = 1_000
/** Rows of one subscriber that one claim looks at: knex takes no place for a value as limit. */
const CLAIM_ROWS = 100

interface Row {
  readonly id: number
  readonly event_id: string
  readonly hook: string
  readonly subscriber: string
  readonly payload: string
  readonly created_at: number
  readonly due: number
  readonly lease: number
  readonly attempts: number
  readonly last_error: string | null
  readonly dead: number
}

const COLUMNS: readonly (keyof Row)[] = [
  'id',
  'event_id',
  'hook',
  'subscriber',
  'payload',
  'created_at',
  'due',
  'lease',
  'attempts',
  'last_error',
  'dead',
]

export class SqlOutbox implements OutboxRepository {
  readonly #engine: SqlEngine
  readonly #ids: Ids
  readonly #clock: Clock
  readonly #insert: Statement<Row, unknown>
  /** The first subscriber after one. */
  readonly #subscriber: Statement<{ after: string }, { subscriber: string }>
  readonly #due: Statement<{ subscriber: string; now: number }, Row>
  readonly #first: Statement<{ subscriber: string; now: number }, { due: number }>
  readonly #lease: Statement<{ id: number; lease: number }, unknown>
  readonly #delete: Statement<{ id: number }, unknown>

  constructor(engine: SqlEngine, ids: Ids, clock: Clock) {
    this.#engine = engine
    this.#ids = ids
    this.#clock = clock
    this.#insert = compile(engine, (db, p) => db(OUTBOX).insert(places(COLUMNS, p)))
    this.#subscriber = compile(engine, (db, p) =>
      db(OUTBOX)
        .select('subscriber')
        .whereRaw('dead = 0')
        .where('subscriber', '>', p('after'))
        .orderBy('subscriber')
        .limit(1, { skipBinding: true }),
    )
    this.#due = compile(engine, (db, p) =>
      db(OUTBOX)
        .select('*')
        .whereRaw('dead = 0')
        .where('subscriber', p('subscriber'))
        .where('due', '<=', p('now'))
        .where('lease', '<=', p('now'))
        .orderBy(['due', 'id'])
        .limit(CLAIM_ROWS, { skipBinding: true }),
    )
    this.#first = compile(engine, (db, p) =>
      db(OUTBOX)
        .select('due')
        .whereRaw('dead = 0')
        .where('subscriber', p('subscriber'))
        .where('lease', '<=', p('now'))
        .orderBy('due')
        .limit(1, { skipBinding: true }),
    )
    this.#lease = compile(engine, (db, p) =>
      db(OUTBOX)
        .where('id', p('id'))
        .update({ lease: p('lease') }),
    )
    this.#delete = compile(engine, (db, p) => db(OUTBOX).where('id', p('id')).delete())
  }

  async add(rows: readonly Omit<OutboxRow, 'id' | 'attempts' | 'dead' | 'lastError'>[]): Promise<void> {
    for (const row of rows)
      await this.#insert.run({
        id: await this.#ids.next('outbox'),
        event_id: row.eventId,
        hook: row.hook,
        subscriber: row.subscriber,
        payload: JSON.stringify(row.payload),
        created_at: row.createdAt,
        due: row.due,
        ...{ lease: 0, attempts: 0, last_error: null, dead: 0 },
      })
  }

  async claim({
    now,
    leaseMs,
    limit,
    except = [],
  }: {
    now: number
    leaseMs: number
    limit: number
    except?: readonly string[]
  }): Promise<OutboxRow[]> {
    checkLimit(limit)
    const due: Row[] = []
    for (const subscriber of await this.#subscribers())
      if (!except.includes(subscriber)) due.push(...(await this.#due.all({ subscriber, now })))
    const claimed = due.sort((a, b) => a.due - b.due || a.id - b.id).slice(0, limit)
    for (const { id } of claimed) await this.#lease.run({ id, lease: now + leaseMs })
    return claimed.map(outboxRow)
  }

  /** Those with rows that are not dead. */
  async #subscribers(): Promise<string[]> {
    const all: string[] = []
    for (;;) {
      const row = await this.#subscriber.get({ after: all.at(-1) ?? '' })
      if (row === undefined) return all
      all.push(row.subscriber)
    }
  }

  async done(ids: readonly number[]): Promise<void> {
    for (const id of ids) await this.#delete.run({ id })
  }

  async failed(id: number, error: string, retry: { readonly due: number } | 'dead'): Promise<void> {
    const { db } = this.#engine
    await db(OUTBOX)
      .where({ id })
      .update({
        ...{ last_error: error, lease: 0, attempts: db.raw('attempts + 1') },
        ...(retry === 'dead' ? { dead: 1 } : { due: retry.due }),
      })
  }

  async list({ dead, limit }: { dead?: boolean; limit: number }): Promise<OutboxRow[]> {
    checkLimit(limit)
    const query = this.#engine.db(OUTBOX).select('*').orderBy('id').limit(limit)
    if (dead !== undefined) void query.where('dead', dead ? 1 : 0)
    return ((await query) as Row[]).map(outboxRow)
  }

  async revive(ids: readonly number[] | 'all', now: number): Promise<number> {
    const query = this.#engine.db(OUTBOX).where('dead', 1).update({ dead: 0, due: now, attempts: 0 })
    if (ids === 'all') return await query
    if (ids.length > OUTBOX_LIMIT) throw new RangeError(`outbox: at most ${OUTBOX_LIMIT} ids, not ${ids.length}`)
    return await query.whereIn('id', ids)
  }

  async nextDue(): Promise<number | undefined> {
    let next: number | undefined
    for (const subscriber of await this.#subscribers()) {
      const due = (await this.#first.get({ subscriber, now: this.#clock.now() }))?.due
      if (due !== undefined && (next === undefined || due < next)) next = due
    }
    return next
  }

  async releaseAll(): Promise<void> {
    await this.#engine.db(OUTBOX).where('lease', '>', 0).update({ lease: 0 })
  }
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > OUTBOX_LIMIT)
    throw new RangeError(`outbox: limit must be 1 to ${OUTBOX_LIMIT}, not ${limit}`)
}

function outboxRow(row: Row): OutboxRow {
  return {
    id: row.id,
    eventId: row.event_id,
    hook: row.hook,
    subscriber: row.subscriber,
    payload: JSON.parse(row.payload) as unknown,
    createdAt: row.created_at,
    due: row.due,
    attempts: row.attempts,
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
    dead: row.dead === 1,
  }
}
