// What queue and history share: columns of a recipient, filters and keyset pagination.
import type { HistoryFilter, Job, Page, QueueFilter, Retired } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { MAX_ROWS } from './messages.ts'
import { addressOf, MESSAGE_COLUMNS } from './rows.ts'

export const RECIPIENT_COLUMNS = [
  'id',
  'message_id',
  'account',
  'from_localpart',
  'from_domain',
  'from_address',
  'rcpt_localpart',
  'rcpt_domain',
  'rcpt_address',
  'recipient_domain',
  'attempts',
  'max_attempts',
  'last_attempt',
  'results',
  'transport',
  'require_tls',
  'notify',
  'orcpt',
  'from_id',
  'extra',
  'dialed',
] as const

export type RecipientValues = Record<(typeof RECIPIENT_COLUMNS)[number], unknown>

export function recipientValues(job: Omit<Job, 'due' | 'hold'> | Retired): RecipientValues {
  return {
    id: job.id,
    message_id: job.messageId,
    account: job.account,
    from_localpart: job.reversePath?.localpart,
    from_domain: job.reversePath?.domain,
    from_address: addressOf(job.reversePath),
    rcpt_localpart: job.recipient.localpart,
    rcpt_domain: job.recipient.domain,
    rcpt_address: addressOf(job.recipient),
    recipient_domain: job.recipientDomain,
    attempts: job.attempts,
    max_attempts: job.maxAttempts,
    last_attempt: job.lastAttempt,
    results: JSON.stringify(job.results),
    transport: job.transport,
    require_tls: job.requireTls,
    notify: job.notify === undefined ? null : JSON.stringify(job.notify),
    orcpt: job.orcpt,
    from_id: job.fromId,
    extra: JSON.stringify(job.extra),
    dialed: JSON.stringify(job.dialedIps),
  }
}

/** A recipient's own columns and those of its message that it carries. */
export function withMessage(db: Knex, table: 'mox_queue' | 'mox_history'): Knex.QueryBuilder {
  return db(`${table} as r`)
    .join('mox_message as m', 'm.id', 'r.message_id')
    .select('r.*', ...MESSAGE_COLUMNS.map(c => `m.${c}`))
}

/** Conditions that both tables know; `prefix` is the table's alias. */
export function filterRecipients(query: Knex.QueryBuilder, filter: QueueFilter & HistoryFilter): Knex.QueryBuilder {
  if (filter.ids !== undefined) query.whereIn('r.id', [...filter.ids])
  if (filter.messageId !== undefined) query.where('r.message_id', filter.messageId)
  if (filter.account !== undefined) query.where('r.account', filter.account)
  // instr, not LIKE: the text may have wildcards.
  if (filter.from !== undefined) query.whereRaw('instr(lower(r.from_address), lower(?)) > 0', [filter.from])
  if (filter.to !== undefined) query.whereRaw('instr(lower(r.rcpt_address), lower(?)) > 0', [filter.to])
  if (filter.hold !== undefined) query.where('r.hold', filter.hold ? 1 : 0)
  if (filter.dueBefore !== undefined) query.where('r.due', '<', filter.dueBefore)
  if (filter.receivedBefore !== undefined) query.where('m.received_at', '<', filter.receivedBefore)
  if (filter.transport !== undefined) query.whereRaw("coalesce(r.transport, '') = ?", [filter.transport])
  if (filter.status !== undefined) query.where('r.status', filter.status)
  return query
}

/** Sorts by a column and id in the same direction, and goes on after the last row seen. */
export function paginate(query: Knex.QueryBuilder, column: string, page: Page): Knex.QueryBuilder {
  const ascending = page.ascending ?? false
  const [direction, comparison] = ascending ? (['asc', '>'] as const) : (['desc', '<'] as const)
  if (page.after !== undefined)
    query.whereRaw(`(${column}, r.id) ${comparison} (?, ?)`, [page.after.value, page.after.id])
  return query
    .orderBy([
      { column, order: direction },
      { column: 'r.id', order: direction },
    ])
    .limit(Math.min(page.limit, MAX_ROWS))
}
