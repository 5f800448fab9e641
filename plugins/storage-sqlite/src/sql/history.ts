// Recipients that left the queue, kept for a while.
import type { HistoryRepository, Retired } from '@mox/plugin-sdk'
import { makeStatement, mustBeInUnit, type Row, type SqlEngine } from './base.ts'
import { MAX_ROWS } from './messages.ts'
import { filterRecipients, paginate, RECIPIENT_COLUMNS, recipientValues, withMessage } from './recipients.ts'
import { retired } from './rows.ts'

/** What the queue needs of the history. */
export interface HistoryTable {
  add(row: Retired): Promise<void>
  has(id: number): Promise<boolean>
  hasFromId(fromId: string): Promise<boolean>
}

export function historyTable(engine: SqlEngine, now: () => number): HistoryTable {
  const columns = [...RECIPIENT_COLUMNS, 'status', 'last_activity', 'keep_until', 'trace'] as const
  const insert = makeStatement<Record<(typeof columns)[number], unknown>, never>(engine, (db, p) =>
    db('mox_history').insert(Object.fromEntries(columns.map(c => [c, p(c)]))),
  )
  const byId = makeStatement<{ id: number }, Row>(engine, (db, p) =>
    db('mox_history').where('id', p('id')).select('id'),
  )
  const byFromId = makeStatement<{ from_id: string }, Row>(engine, (db, p) =>
    db('mox_history').where('from_id', p('from_id')).whereNotNull('from_id').select('id'),
  )
  return {
    add: async row => {
      if (row.keepUntil <= now()) return
      await insert.run({
        ...recipientValues(row),
        status: row.status,
        last_activity: row.lastActivity,
        keep_until: row.keepUntil,
        trace: JSON.stringify(row.trace),
      })
    },
    has: async id => (await byId.get({ id })) !== undefined,
    hasFromId: async from_id => (await byFromId.get({ from_id })) !== undefined,
  }
}

export function historyRepository(engine: SqlEngine): HistoryRepository {
  return {
    get: async id => {
      const row = (await withMessage(engine.db, 'mox_history').where('r.id', id).first()) as Row | undefined
      return row && retired(row)
    },
    list: async (filter, page) =>
      (
        (await paginate(
          filterRecipients(withMessage(engine.db, 'mox_history'), filter),
          'r.last_activity',
          page,
        )) as Row[]
      ).map(retired),
    update: async (id, fields) => {
      mustBeInUnit(engine, 'history.update')
      const changes: Row = {}
      if (fields.status !== undefined) changes['status'] = fields.status
      if (fields.lastActivity !== undefined) changes['last_activity'] = fields.lastActivity
      if (fields.results !== undefined) changes['results'] = JSON.stringify(fields.results)
      if (fields.trace !== undefined) changes['trace'] = JSON.stringify(fields.trace)
      if (Object.keys(changes).length > 0) await engine.db('mox_history').where({ id }).update(changes)
    },
    purge: async (now, limit) => {
      mustBeInUnit(engine, 'history.purge')
      const old = engine
        .db('mox_history')
        .where('keep_until', '<', now)
        .orderBy('keep_until')
        .limit(Math.min(limit, MAX_ROWS))
        .select('id')
      return await engine.db('mox_history').whereIn('id', old).delete()
    },
  }
}
