// The queue: one row per recipient, taken in order of its due time under a lease.
import { type Attempt, type Job, MailError, type QueueRepository } from '@mox/plugin-sdk'
import { type Ids, makeStatement, mustBeInUnit, type Row, type SqlEngine } from './base.ts'
import type { HistoryTable } from './history.ts'
import { claimJobs } from './queue-claim.ts'
import { filterRecipients, paginate, RECIPIENT_COLUMNS, recipientValues, withMessage } from './recipients.ts'
import { job } from './rows.ts'

/** Rows that one `in (…)` list names. */
const BATCH = 500

export function queueRepository(engine: SqlEngine, ids: Ids, history: HistoryTable): QueueRepository {
  const columns = [...RECIPIENT_COLUMNS, 'due', 'hold', 'lease'] as const
  const insert = makeStatement<Record<(typeof columns)[number], unknown>, never>(engine, (db, p) =>
    db('mox_queue').insert(Object.fromEntries(columns.map(c => [c, p(c)]))),
  )
  const byId = makeStatement<{ id: number }, Row>(engine, (db, p) =>
    withMessage(db, 'mox_queue').where('r.id', p('id')),
  )
  const results = makeStatement<{ id: number }, { results: string; attempts: number }>(engine, (db, p) =>
    db('mox_queue').where('id', p('id')).select('results', 'attempts'),
  )
  const began = makeStatement<object, never>(engine, (db, p) =>
    db('mox_queue')
      .where('id', p('id'))
      .update({ results: p('results'), attempts: p('attempts'), last_attempt: p('last_attempt'), due: p('due') }),
  )
  const finished = makeStatement<object, never>(engine, (db, p) =>
    db('mox_queue')
      .where('id', p('id'))
      .update({ results: p('results'), due: p('due'), dialed: p('dialed'), lease: 0 }),
  )
  const lease = makeStatement<{ id: number; until: number }, never>(engine, (db, p) =>
    db('mox_queue')
      .where('id', p('id'))
      .update({ lease: p('until') }),
  )
  const remove = makeStatement<{ id: number }, never>(engine, (db, p) => db('mox_queue').where('id', p('id')).delete())
  const soonest = makeStatement<object, { due: number }>(engine, db =>
    db('mox_queue')
      .where('hold', db.raw('0'))
      .where('lease', db.raw('0'))
      .orderBy('due')
      .limit(1, { skipBinding: true })
      .select('due'),
  )
  const source = makeStatement<{ id: number }, { prefix: Buffer; content_id: number }>(engine, (db, p) =>
    db('mox_message').where('id', p('id')).select('prefix', 'content_id'),
  )
  const account = makeStatement<{ id: number }, { account: string }>(engine, (db, p) =>
    db('mox_message').where('id', p('id')).select('account'),
  )

  const appended = async (id: number, entry: Attempt): Promise<{ results: string; attempts: number } | undefined> => {
    const row = await results.get({ id })
    if (row === undefined) return undefined // cancelled meanwhile: it stays gone
    return { attempts: row.attempts, results: JSON.stringify([...(JSON.parse(row.results) as Attempt[]), entry]) }
  }
  const select = (filter: Parameters<QueueRepository['list']>[0]) =>
    filterRecipients(engine.db('mox_queue as r').join('mox_message as m', 'm.id', 'r.message_id'), filter)

  return {
    add: async (messageId, jobs) => {
      mustBeInUnit(engine, 'queue.add')
      const message = await account.get({ id: messageId })
      if (message === undefined) throw new Error(`no message ${messageId}`)
      const added: number[] = []
      for (const j of jobs) {
        const id = await ids.queue()
        if (j.fromId !== undefined && (await history.hasFromId(j.fromId))) throw duplicateFromId()
        const values = recipientValues({
          ...j,
          id,
          messageId,
          account: message.account,
          attempts: 0,
          results: [],
          dialedIps: {},
        } as unknown as Job)
        try {
          await insert.run({ ...values, due: j.due, hold: j.hold, lease: 0 })
        } catch (error) {
          throw j.fromId !== undefined && /unique/i.test(String((error as Error).message)) ? duplicateFromId() : error
        }
        added.push(id)
      }
      return added
    },
    claim: async options => {
      mustBeInUnit(engine, 'queue.claim')
      const groups = await claimJobs(engine, options)
      for (const group of groups)
        for (const { id } of group) await lease.run({ id, until: options.now + options.leaseMs })
      return groups
    },
    begin: async jobs => {
      mustBeInUnit(engine, 'queue.begin')
      for (const { id, attempt, due } of jobs) {
        const next = await appended(id, attempt)
        if (next !== undefined)
          await began.run({
            id,
            results: next.results,
            attempts: next.attempts + 1,
            last_attempt: attempt.startedAt,
            due,
          })
      }
    },
    renew: async (jobIds, until) => {
      mustBeInUnit(engine, 'queue.renew')
      for (const id of jobIds) await lease.run({ id, until })
    },
    finish: async updates => {
      mustBeInUnit(engine, 'queue.finish')
      for (const u of updates)
        await finished.run({
          id: u.id,
          results: JSON.stringify(u.results),
          due: u.due,
          dialed: JSON.stringify(u.dialedIps),
        })
    },
    set: async (filter, fields) => {
      mustBeInUnit(engine, 'queue.set')
      const changes: Row = { lease: 0 }
      if (fields.due !== undefined) changes['due'] = fields.due
      if (fields.hold !== undefined) changes['hold'] = fields.hold ? 1 : 0
      if (fields.maxAttempts !== undefined) changes['max_attempts'] = fields.maxAttempts
      if ('transport' in fields) changes['transport'] = fields.transport ?? null
      if ('requireTls' in fields)
        changes['require_tls'] = fields.requireTls === undefined ? null : fields.requireTls ? 1 : 0
      const found = ((await select(filter).select('r.id')) as { id: number }[]).map(r => r.id)
      for (let i = 0; i < found.length; i += BATCH)
        await engine
          .db('mox_queue')
          .whereIn('id', found.slice(i, i + BATCH))
          .update(changes)
      return found.length
    },
    note: async (id, entry, fields) => {
      mustBeInUnit(engine, 'queue.note')
      const next = await appended(id, entry)
      if (next === undefined) return
      const changes: Row = { results: next.results, lease: 0 }
      if (fields.due !== undefined) changes['due'] = fields.due
      if (fields.hold !== undefined) changes['hold'] = fields.hold ? 1 : 0
      await engine.db('mox_queue').where({ id }).update(changes)
    },
    releaseAll: async () => {
      mustBeInUnit(engine, 'queue.releaseAll')
      await engine.db('mox_queue').where('lease', '>', 0).update({ lease: 0 })
    },
    retire: async jobs => {
      mustBeInUnit(engine, 'queue.retire')
      for (const retired of jobs) {
        const { changes } = await remove.run({ id: retired.id })
        // Mail that failed on arrival never was in the queue; what was retired before is not retired twice.
        if (changes === 0 && (await history.has(retired.id))) continue
        await history.add(retired)
      }
    },
    get: async id => {
      const row = await byId.get({ id })
      return row && job(row)
    },
    list: async (filter, page) =>
      ((await paginate(filterRecipients(withMessage(engine.db, 'mox_queue'), filter), 'r.due', page)) as Row[]).map(
        job,
      ),
    count: async filter => {
      const all = Object.values(filter).every(v => v === undefined)
      const query = all ? engine.db('mox_queue as r') : select(filter)
      return Number(((await query.count({ n: '*' })) as { n: number }[])[0]?.n ?? 0)
    },
    nextDue: async () => (await soonest.get({}))?.due,
    source: async messageId => {
      const row = await source.get({ id: messageId })
      return row && { prefix: row.prefix, contentId: row.content_id }
    },
  }
}

const duplicateFromId = (): MailError =>
  new MailError('storage', { code: 554, enhanced: '5.1.7', text: 'the id in the sender address was used before' })
