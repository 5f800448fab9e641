// The outbox: events for react handlers, one row per handler, until it has run.
import type { OutboxRepository } from '@mox/plugin-sdk'
import { type Ids, makeStatement, mustBeInUnit, type Row, type SqlEngine } from './base.ts'
import { MAX_ROWS } from './messages.ts'
import { outboxRow } from './rows.ts'

const MAX_ERROR = 1000

export function outboxRepository(engine: SqlEngine, ids: Ids): OutboxRepository {
  const columns = [
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
  ] as const
  const insert = makeStatement<Record<(typeof columns)[number], unknown>, never>(engine, (db, p) =>
    db('mox_outbox').insert(Object.fromEntries(columns.map(c => [c, p(c)]))),
  )
  const lease = makeStatement<{ id: number; until: number }, never>(engine, (db, p) =>
    db('mox_outbox')
      .where('id', p('id'))
      .update({ lease: p('until') }),
  )
  const remove = makeStatement<{ id: number }, never>(engine, (db, p) => db('mox_outbox').where('id', p('id')).delete())
  const soonest = makeStatement<object, { due: number }>(engine, db =>
    db('mox_outbox')
      .where('dead', db.raw('0'))
      .where('lease', db.raw('0'))
      .orderBy('due')
      .limit(1, { skipBinding: true })
      .select('due'),
  )
  return {
    add: async rows => {
      if (rows.length === 0) return
      mustBeInUnit(engine, 'outbox.add')
      for (const row of rows)
        await insert.run({
          id: await ids.outbox(),
          event_id: row.eventId,
          hook: row.hook,
          subscriber: row.subscriber,
          payload: JSON.stringify(row.payload),
          created_at: row.createdAt,
          due: row.due,
          lease: 0,
          attempts: 0,
          last_error: null,
          dead: 0,
        })
    },
    claim: async ({ now, leaseMs, limit, except }) => {
      mustBeInUnit(engine, 'outbox.claim')
      const query = engine
        .db('mox_outbox')
        .whereRaw('dead = 0')
        .where('due', '<=', now)
        .where('lease', '<=', now)
        .orderBy(['due', 'id'])
        .limit(Math.min(limit, MAX_ROWS))
      if (except !== undefined && except.length > 0) query.whereNotIn('subscriber', [...except])
      const rows = ((await query) as Row[]).map(outboxRow)
      for (const { id } of rows) await lease.run({ id, until: now + leaseMs })
      return rows
    },
    done: async doneIds => {
      mustBeInUnit(engine, 'outbox.done')
      for (const id of doneIds) await remove.run({ id })
    },
    failed: async (id, error, retry) => {
      mustBeInUnit(engine, 'outbox.failed')
      const changes: Row = { attempts: engine.db.raw('attempts + 1'), last_error: error.slice(0, MAX_ERROR), lease: 0 }
      if (retry === 'dead') changes['dead'] = 1
      else changes['due'] = retry.due
      await engine.db('mox_outbox').where({ id }).update(changes)
    },
    list: async ({ dead, limit }) => {
      const query = engine.db('mox_outbox').orderBy('id').limit(Math.min(limit, MAX_ROWS))
      if (dead !== undefined) query.where('dead', dead ? 1 : 0)
      return ((await query) as Row[]).map(outboxRow)
    },
    revive: async (which, now) => {
      mustBeInUnit(engine, 'outbox.revive')
      const query = engine.db('mox_outbox').where('dead', 1)
      if (which !== 'all') query.whereIn('id', [...which])
      return await query.update({ dead: 0, due: now, attempts: 0, lease: 0 })
    },
    nextDue: async () => (await soonest.get({}))?.due,
    releaseAll: async () => {
      mustBeInUnit(engine, 'outbox.releaseAll')
      await engine.db('mox_outbox').where('lease', '>', 0).update({ lease: 0 })
    },
  }
}
