// Filters of queue and history as conditions on the recipients `q`. All that is given must hold. Substrings are compared as
// they are written, case included, with "localpart@domain".
import type { HistoryFilter, QueueFilter } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { MESSAGE } from './schema.ts'

/** Rows of one page, ids of one find, rows of one purge at most. */
export const PAGE_LIMIT = 10_000
/** Ids in one filter at most. */
export const FILTER_IDS = 10_000

export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT)
    throw new RangeError(`queue: limit must be 1 to ${PAGE_LIMIT}, not ${limit}`)
}

export function applyFilter(query: Knex.QueryBuilder, filter: QueueFilter & HistoryFilter): Knex.QueryBuilder {
  const { ids, messageId, account, messageIdHeader, envid, from, to, status, delivered, hold, transport } = filter
  const sent = messageIdHeader !== undefined || envid !== undefined
  if (ids !== undefined) {
    if (ids.length > FILTER_IDS) throw new RangeError(`filter: at most ${FILTER_IDS} ids, not ${ids.length}`)
    void query.whereIn('q.id', ids)
  }
  if (messageId !== undefined) void query.where('q.message_id', messageId)
  // What the sender's own ids name are few messages: the index on them counts, and none that has more rows to offer.
  if (account !== undefined && sent) void query.whereRaw("q.account || '' = ?", [account])
  else if (account !== undefined) void query.where('q.account', account)
  if (messageIdHeader !== undefined)
    void query.whereRaw(`q.message_id in (select id from ${MESSAGE} where message_id_header = ?)`, [messageIdHeader])
  if (envid !== undefined) void query.whereRaw(`q.message_id in (select id from ${MESSAGE} where envid = ?)`, [envid])
  contains(query, 'reverse', from)
  contains(query, 'recipient', to)
  // Constants, so that partial indexes count.
  if (delivered !== undefined) void query.whereRaw(`q.status ${delivered ? '=' : '<>'} 'delivered'`)
  if (status !== undefined) {
    if (status !== 'delivered') void query.whereRaw("q.status <> 'delivered'")
    void query.where('q.status', status)
  }
  if (hold !== undefined) void query.whereRaw(hold ? 'q.hold = 1' : 'q.hold = 0')
  between(query, 'q.due', filter.dueAfter, filter.dueBefore)
  between(query, 'q.last_activity', filter.activeAfter, filter.activeBefore)
  if (filter.receivedAfter !== undefined || filter.receivedBefore !== undefined)
    void query.whereExists(q => {
      void q.select(q.client.raw('1')).from(`${MESSAGE} as m`).whereRaw('m.id = q.message_id')
      between(q, 'm.received_at', filter.receivedAfter, filter.receivedBefore)
    })
  if (transport === '') void query.whereNull('q.transport')
  else if (transport !== undefined) void query.where('q.transport', transport)
  return query
}

function between(
  query: Knex.QueryBuilder,
  column: string,
  after: number | undefined,
  before: number | undefined,
): void {
  if (after !== undefined) void query.where(column, '>', after)
  if (before !== undefined) void query.where(column, '<', before)
}

/** '' is part of the null reverse-path, and of every other. */
function contains(query: Knex.QueryBuilder, path: 'reverse' | 'recipient', text: string | undefined): void {
  if (text === undefined || text === '') return
  const found = (domain: 'domain' | 'shown'): string => `instr(q.${path}_local || '@' || q.${path}_${domain}, ?) > 0`
  void query.where(q => void q.whereRaw(found('domain'), [text]).orWhereRaw(found('shown'), [text]))
}
