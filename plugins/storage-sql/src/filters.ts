// Filters and pages of queue and history as conditions on the recipients `q` and their messages `m`. All that is given must
// hold. Substrings are compared as they are written, case included, with "localpart@domain".
import type { HistoryFilter, Page, QueueFilter } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { MESSAGE } from './schema.ts'

/** Rows of one page at most. */
export const PAGE_LIMIT = 10_000
/** Ids in one filter at most. */
export const FILTER_IDS = 10_000

export function applyFilter(query: Knex.QueryBuilder, filter: QueueFilter & HistoryFilter): Knex.QueryBuilder {
  const { ids, messageId, account, messageIdHeader, envid, from, to, status } = filter
  const { hold, dueBefore, receivedBefore, transport } = filter
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
  // '' is part of the null reverse-path, and of every other.
  if (from !== undefined && from !== '')
    void query.whereRaw("instr(q.reverse_local || '@' || q.reverse_domain, ?) > 0", [from])
  if (to !== undefined && to !== '')
    void query.whereRaw("instr(q.recipient_local || '@' || q.recipient_domain, ?) > 0", [to])
  if (status !== undefined) void query.where('q.status', status)
  // A constant, so that partial indexes count.
  if (hold !== undefined) void query.whereRaw(hold ? 'q.hold = 1' : 'q.hold = 0')
  if (dueBefore !== undefined) void query.where('q.due', '<', dueBefore)
  if (receivedBefore !== undefined) void query.where('m.received_at', '<', receivedBefore)
  if (transport === '') void query.whereNull('q.transport')
  else if (transport !== undefined) void query.where('q.transport', transport)
  return query
}

/** Keyset pagination by `column` and id, both in one direction. */
export function applyPage(query: Knex.QueryBuilder, column: string, page: Page): Knex.QueryBuilder {
  const { limit, ascending = false, after } = page
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT)
    throw new RangeError(`page: limit must be 1 to ${PAGE_LIMIT}, not ${limit}`)
  const direction = ascending ? 'asc' : 'desc'
  const beyond = ascending ? '>' : '<'
  if (after !== undefined)
    void query.where(
      q =>
        void q
          .where(column, beyond, after.value)
          .orWhere(tie => void tie.where(column, after.value).where('q.id', beyond, after.id)),
    )
  return query
    .orderBy([
      { column, order: direction },
      { column: 'q.id', order: direction },
    ])
    .limit(limit)
}

/** Whether the rows that the filter keeps can only be found by reading many others. */
export function scans(filter: HistoryFilter): boolean {
  return filter.from !== undefined || filter.to !== undefined
}
