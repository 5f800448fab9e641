// Received messages. A message lives as long as one of its recipients is queued or in the history.
import type { MessageRepository, StoredMessage } from '@mox/plugin-sdk'
import { type Ids, makeStatement, mustBeInUnit, type Row, type SqlEngine } from './base.ts'
import { storedMessage } from './rows.ts'

/** Rows of one list at most. */
export const MAX_ROWS = 10_000

const COLUMNS = [
  'id',
  'received_at',
  'kind',
  'source',
  'account',
  'from_localpart',
  'from_domain',
  'message_id_header',
  'subject',
  'size',
  'has8bit',
  'smtputf8',
  'ret',
  'envid',
  'future_release',
  'prefix',
  'content_id',
  'remote_ip',
  'helo',
  'protocol',
  'recipients',
  'facts',
  'trace',
] as const

export function messageRepository(
  engine: SqlEngine,
  ids: Ids,
  release: (contentId: number) => Promise<void>,
): MessageRepository {
  const insert = makeStatement<Record<(typeof COLUMNS)[number], unknown>, never>(engine, (db, p) =>
    db('mox_message').insert(Object.fromEntries(COLUMNS.map(c => [c, p(c)]))),
  )
  const byId = makeStatement<{ id: number }, Row>(engine, (db, p) => db('mox_message').where('id', p('id')).select('*'))
  return {
    add: async (m: Omit<StoredMessage, 'id'>) => {
      mustBeInUnit(engine, 'messages.add')
      const id = await ids.message()
      await insert.run({
        id,
        received_at: m.receivedAt,
        kind: m.kind,
        source: m.source,
        account: m.account,
        from_localpart: m.reversePath?.localpart,
        from_domain: m.reversePath?.domain,
        message_id_header: m.messageIdHeader,
        subject: m.subject,
        size: m.size,
        has8bit: m.has8bit,
        smtputf8: m.smtputf8,
        ret: m.ret,
        envid: m.envid,
        future_release: m.futureReleaseRequest,
        prefix: m.prefix,
        content_id: m.contentId,
        remote_ip: m.remoteIp,
        helo: m.helo,
        protocol: m.protocol,
        recipients: JSON.stringify(m.recipients),
        facts: JSON.stringify(m.facts),
        trace: JSON.stringify(m.trace),
      })
      return id
    },
    get: async id => {
      const row = await byId.get({ id })
      return row && storedMessage(row)
    },
    update: async (id, fields) => {
      mustBeInUnit(engine, 'messages.update')
      const changes = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)]))
      if (Object.keys(changes).length > 0) await engine.db('mox_message').where({ id }).update(changes)
    },
    list: async ({ limit, before }) => {
      const query = engine.db('mox_message').orderBy('id', 'desc').limit(Math.min(limit, MAX_ROWS))
      if (before !== undefined) query.where('id', '<', before)
      return ((await query) as Row[]).map(storedMessage)
    },
    purge: async (until, limit) => {
      mustBeInUnit(engine, 'messages.purge')
      const { db } = engine
      const rows = (await db('mox_message as m')
        .where('m.received_at', '<', until)
        .whereNotExists(db('mox_queue as q').whereRaw('q.message_id = m.id').select('q.id'))
        .whereNotExists(db('mox_history as h').whereRaw('h.message_id = m.id').select('h.id'))
        .orderBy('m.received_at')
        .limit(Math.min(limit, MAX_ROWS))
        .select('m.id', 'm.content_id')) as { id: number; content_id: number }[]
      for (const row of rows) {
        await db('mox_message').where({ id: row.id }).delete()
        await release(row.content_id)
      }
      return rows.length
    },
  }
}
