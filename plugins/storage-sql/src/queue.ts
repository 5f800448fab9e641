// The queue: one row per recipient. What runs for every message are prepared statements; what an operator does goes through
// the builder.
import {
  type Attempt,
  type ClaimJobs,
  type Clock,
  type Job,
  type JobChange,
  type JobGroup,
  type JobUpdate,
  MailError,
  type NewJob,
  type Page,
  type QueueFilter,
  type QueueRepository,
  type Retired,
  reply,
  type Statement,
} from '@mox/plugin-sdk'
import { compile, places } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { applyFilter, checkLimit } from './filters.ts'
import type { Ids } from './ids.ts'
import { rowsOf } from './offload.ts'
import { followsDue, readPage } from './pages.ts'
import { QueueClaims } from './queue-claim.ts'
import {
  HISTORY_COLUMNS,
  type HistoryRow,
  historyRow,
  type JoinedQueueRow,
  jobOf,
  joinedBy,
  mapText,
  QUEUE_COLUMNS,
  type QueueRow,
  queueRow,
  resultsText,
  resultText,
} from './recipient-rows.ts'
import { HISTORY, MESSAGE, QUEUE } from './schema.ts'

/** Rows after which the event loop gets a turn. */
const TURN = 200

interface Begun {
  id: number
  startedAt: number
  due: number
  result: string
}
interface Finished {
  id: number
  results: string
  due: number
  dialed: string
}

export class SqlQueue implements QueueRepository {
  readonly #engine: SqlEngine
  readonly #ids: Ids
  readonly #clock: Clock
  readonly #claims: QueueClaims
  readonly #message: Statement<{ id: number }, { id: number; account: string; size: number }>
  readonly #insert: Statement<QueueRow, unknown>
  readonly #used: Statement<{ fromId: string }, { id: number }>
  readonly #usedBefore: Statement<{ fromId: string }, { id: number }>
  readonly #select: Statement<{ id: number }, JoinedQueueRow>
  readonly #begin: Statement<Begun, unknown>
  readonly #lease: Statement<{ id: number; lease: number }, unknown>
  readonly #finish: Statement<Finished, unknown>
  readonly #delete: Statement<{ id: number }, unknown>
  readonly #insertHistory: Statement<HistoryRow, unknown>
  readonly #nextDue: Statement<{ now: number }, { due: number }>
  readonly #usage: Statement<{ account: string; limit: number }, { n: number; bytes: number | null }>
  readonly #source: Statement<{ id: number }, { prefix: Buffer; content_id: number }>

  constructor(engine: SqlEngine, ids: Ids, clock: Clock) {
    this.#engine = engine
    this.#ids = ids
    this.#clock = clock
    this.#claims = new QueueClaims(engine)
    this.#message = compile(engine, (db, p) => db(MESSAGE).select('id', 'account', 'size').where('id', p('id')))
    this.#insert = compile(engine, (db, p) => db(QUEUE).insert(places(QUEUE_COLUMNS, p)))
    this.#used = compile(engine, (db, p) => db(QUEUE).select('id').where('from_id', p('fromId')))
    this.#usedBefore = compile(engine, (db, p) => db(HISTORY).select('id').where('from_id', p('fromId')))
    this.#select = compile(engine, (db, p) => joinedBy(db, QUEUE, 'id', p('id')))
    this.#begin = compile(engine, (db, p) =>
      db(QUEUE)
        .where('id', p('id'))
        .update({
          attempts: db.raw('attempts + 1'),
          last_attempt: p('startedAt'),
          due: p('due'),
          results: db.raw('results || ?', [p('result')]),
        }),
    )
    this.#lease = compile(engine, (db, p) =>
      db(QUEUE)
        .where('id', p('id'))
        .update({ lease: p('lease') }),
    )
    this.#finish = compile(engine, (db, p) =>
      db(QUEUE)
        .where('id', p('id'))
        .update({ results: p('results'), due: p('due'), dialed_ips: p('dialed'), lease: 0 }),
    )
    this.#delete = compile(engine, (db, p) => db(QUEUE).where('id', p('id')).delete())
    this.#insertHistory = compile(engine, (db, p) => db(HISTORY).insert(places(HISTORY_COLUMNS, p)))
    this.#nextDue = compile(engine, (db, p) =>
      db(QUEUE)
        .select('due')
        .whereRaw('hold = 0')
        .where('lease', '<=', p('now'))
        .orderBy('due')
        .limit(1, { skipBinding: true }),
    )
    this.#usage = compile(engine, (db, p) =>
      db
        // The builder takes no place as a limit.
        .from(db.raw(`(select size from ${QUEUE} where account = ? limit ?) as q`, [p('account'), p('limit')]))
        .count('* as n')
        .sum('size as bytes'),
    )
    this.#source = compile(engine, (db, p) => db(MESSAGE).select('prefix', 'content_id').where('id', p('id')))
  }

  async add(messageId: number, jobs: readonly NewJob[]): Promise<number[]> {
    const message = await this.#message.get({ id: messageId })
    if (message === undefined) throw new Error(`no message ${messageId}`)
    const shared = sharedBatches(jobs)
    const batches = new Map<string, number>()
    const ids: number[] = []
    for (const job of jobs) {
      const id = await this.#ids.next('queue')
      const key = batchKey(job)
      if (shared.has(key) && !batches.has(key)) batches.set(key, id)
      if (job.fromId !== undefined) await this.#checkFromId(job.fromId)
      await this.#insert.run(queueRow(id, message, job, batches.get(key) ?? null))
      ids.push(id)
      if (ids.length % TURN === 0) await turn()
    }
    return ids
  }

  async #checkFromId(fromId: string): Promise<void> {
    const used = (await this.#used.get({ fromId })) ?? (await this.#usedBefore.get({ fromId }))
    if (used !== undefined) throw new MailError('queue', reply(554, '5.1.7', 'fromid not unique'))
  }

  claim(options: ClaimJobs): Promise<JobGroup[]> {
    return this.#claims.claim(options)
  }

  async begin(
    jobs: readonly { readonly id: number; readonly attempt: Attempt; readonly due: number }[],
  ): Promise<void> {
    for (const { id, attempt, due } of jobs)
      await this.#begin.run({ id, startedAt: attempt.startedAt, due, result: resultText(attempt) })
  }

  async renew(ids: readonly number[], until: number): Promise<void> {
    for (const id of ids) await this.#lease.run({ id, lease: until })
  }

  async finish(updates: readonly JobUpdate[]): Promise<void> {
    for (const { id, results, due, dialedIps } of updates)
      await this.#finish.run({ id, results: resultsText(results), due, dialed: mapText(dialedIps) })
  }

  async set(filter: QueueFilter, change: JobChange): Promise<number> {
    const { db } = this.#engine
    const { due, hold, transport, requireTls, maxAttempts } = change
    const columns = {
      lease: 0,
      ...(due === undefined ? {} : { due: typeof due === 'number' ? due : db.raw('due + ?', [due.add]) }),
      ...(hold === undefined ? {} : { hold: hold ? 1 : 0 }),
      ...(transport === undefined ? {} : { transport: transport || null }),
      ...(requireTls === undefined ? {} : { require_tls: requireTls === null ? null : requireTls ? 1 : 0 }),
      ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts }),
    }
    return await db(QUEUE).whereIn('id', this.#selected(filter).select('q.id')).update(columns)
  }

  #selected(filter: QueueFilter) {
    return applyFilter(this.#engine.db(`${QUEUE} as q`), filter)
  }

  async note(id: number, entry: Attempt, { due, hold }: Partial<Pick<Job, 'due' | 'hold'>>): Promise<void> {
    const { db } = this.#engine
    await db(QUEUE)
      .where({ id })
      .update({
        ...{ lease: 0, results: db.raw('results || ?', [resultText(entry)]) },
        ...(due === undefined ? {} : { due }),
        ...(hold === undefined ? {} : { hold: hold ? 1 : 0 }),
      })
  }

  async releaseAll(): Promise<void> {
    await this.#engine.db(QUEUE).where('lease', '>', 0).update({ lease: 0 })
  }

  async retire(jobs: readonly Retired[]): Promise<void> {
    const now = this.#clock.now()
    for (const [index, retired] of jobs.entries()) {
      const { changes } = await this.#delete.run({ id: retired.id })
      if (changes > 0 && retired.keepUntil > now) await this.#insertHistory.run(historyRow(retired))
      if (index % TURN === TURN - 1) await turn()
    }
  }

  async get(id: number): Promise<Job | undefined> {
    const row = await this.#select.get({ id })
    return row && jobOf(row)
  }

  async findByFromId(fromId: string): Promise<Job | undefined> {
    const found = await this.#used.get({ fromId })
    return found && this.get(found.id)
  }

  async list(filter: QueueFilter, page: Page): Promise<Job[]> {
    const rows = await readPage<JoinedQueueRow>(this.#engine, {
      ...{ table: QUEUE, column: 'due', filter, page },
      // There is an index for what waits and one for what is on hold.
      parts: followsDue(filter, page) ? [false, true].map(hold => ({ ...filter, hold })) : [filter],
    })
    return rows.map(jobOf)
  }

  async find(filter: QueueFilter, { after, limit }: { readonly after: number; readonly limit: number }) {
    checkLimit(limit)
    const query = this.#selected(filter).select('q.id').where('q.id', '>', after).orderBy('q.id').limit(limit)
    return (await rowsOf<{ id: number }>(this.#engine, query, filter.ids === undefined)).map(({ id }) => id)
  }

  async count(filter: QueueFilter): Promise<number> {
    const [row] = await rowsOf<{ n: number }>(this.#engine, this.#selected(filter).count('* as n'), true)
    return Number(row?.n ?? 0)
  }

  async usage(account: string, limit: number): Promise<{ readonly count: number; readonly bytes: number }> {
    const row = await this.#usage.get({ account, limit })
    return { count: Number(row?.n ?? 0), bytes: Number(row?.bytes ?? 0) }
  }

  async nextDue(): Promise<number | undefined> {
    return (await this.#nextDue.get({ now: this.#clock.now() }))?.due
  }

  async source(messageId: number): Promise<{ readonly prefix: Buffer; readonly contentId: number } | undefined> {
    const row = await this.#source.get({ id: messageId })
    return row && { prefix: row.prefix, contentId: row.content_id }
  }
}

/** Lets sockets and timers run in the middle of a long list. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function batchKey({ recipientDomain, reversePath }: NewJob): string {
  return reversePath === null ? recipientDomain : `${recipientDomain}\n${reversePath.domain}\n${reversePath.localpart}`
}

/** The keys that more than one recipient has. */
function sharedBatches(jobs: readonly NewJob[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  if (jobs.length < 2) return shared
  for (const job of jobs) {
    const key = batchKey(job)
    if (seen.has(key)) shared.add(key)
    seen.add(key)
  }
  return shared
}
