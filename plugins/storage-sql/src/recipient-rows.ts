// Between recipients (Job, Retired) and their rows. What belongs to the message is read with a join and never copied.
import type { Attempt, Job, NewJob, Notify, Retired } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import type { Knex } from 'knex'
import { type HISTORY, MESSAGE, type QUEUE } from './schema.ts'
import { shownDomain } from './schema-queue.ts'

/** What queue and history have in common. */
export interface RecipientRow {
  readonly id: number
  readonly message_id: number
  readonly account: string
  readonly recipient_local: string
  readonly recipient_domain: string
  readonly domain: string
  readonly reverse_local: string | null
  readonly reverse_domain: string | null
  /** Domains in U-labels where they have others; what substrings are looked for in, beside the A-labels. */
  readonly recipient_shown: string | null
  readonly reverse_shown: string | null
  readonly attempts: number
  readonly max_attempts: number
  readonly last_attempt: number | null
  readonly results: string
  readonly transport: string | null
  readonly require_tls: number | null
  readonly notify: string | null
  readonly orcpt: string | null
  readonly from_id: string | null
  readonly stream: string | null
  readonly extra: string
  readonly dialed_ips: string
}

export interface QueueRow extends RecipientRow {
  readonly due: number
  readonly hold: number
  readonly lease: number
  readonly batch: number | null
  readonly size: number
}

export interface HistoryRow extends RecipientRow {
  readonly status: string
  readonly last_activity: number
  readonly keep_until: number
  readonly trace: string
}

/** Columns of the message that come along. */
interface Joined {
  readonly received_at: number
  readonly message_id_header: string
  readonly subject: string
  readonly size: number
  readonly has8bit: number
  readonly smtputf8: number
  readonly ret: 'FULL' | 'HDRS' | null
  readonly envid: string | null
  readonly future_release: string | null
}

export type JoinedQueueRow = Omit<QueueRow, 'size'> & Joined
export type JoinedHistoryRow = HistoryRow & Joined

const JOINED = [
  'received_at',
  'message_id_header',
  'subject',
  'size',
  'has8bit',
  'smtputf8',
  'ret',
  'envid',
  'future_release',
]

/** Recipients `q` with their messages `m`; of a table, or of a query that has chosen them. */
export function joined(db: Knex, from: typeof QUEUE | typeof HISTORY | Knex.QueryBuilder): Knex.QueryBuilder {
  return db(typeof from === 'string' ? `${from} as q` : from.as('q'))
    .join(`${MESSAGE} as m`, 'm.id', 'q.message_id')
    .select('q.*', ...JOINED.map(column => `m.${column}`))
}

/**
 * A join for one value of a column. The cast hides the value from the planner: SQLite otherwise plans a join again for every
 * new value, which takes ten times as long as running it.
 */
export function joinedBy(
  db: Knex,
  table: typeof QUEUE | typeof HISTORY,
  column: 'id' | 'batch',
  value: Knex.Value,
): Knex.QueryBuilder {
  return joined(db, table).whereRaw(`q.${column} = cast(? as bigint)`, [value])
}

export function pathOf(local: string | null, domain: string | null): Path | null {
  return local === null ? null : { localpart: local, domain: domain ?? '' }
}

export function parseResults(text: string): Attempt[] {
  return text === '' ? [] : (JSON.parse(`[${text.slice(1)}]`) as Attempt[])
}

/** What one more attempt adds to the column. */
export function resultText(attempt: Attempt): string {
  return `,${JSON.stringify(attempt)}`
}

export function resultsText(results: readonly Attempt[]): string {
  return results.map(resultText).join('')
}

/** Most maps are empty: '' is shorter to store and to read. */
export function mapText(values: object): string {
  const text = JSON.stringify(values)
  return text === '{}' ? '' : text
}

function parseMap<T>(text: string): T {
  return (text === '' ? {} : JSON.parse(text)) as T
}

function common(row: RecipientRow & Joined): Omit<Job, 'due' | 'hold'> {
  return {
    id: row.id,
    messageId: row.message_id,
    receivedAt: row.received_at,
    account: row.account,
    reversePath: pathOf(row.reverse_local, row.reverse_domain),
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    size: row.size,
    has8bit: row.has8bit === 1,
    smtputf8: row.smtputf8 === 1,
    ...(row.ret === null ? {} : { ret: row.ret }),
    ...(row.envid === null ? {} : { envid: row.envid }),
    ...(row.future_release === null ? {} : { futureReleaseRequest: row.future_release }),
    recipient: { localpart: row.recipient_local, domain: row.recipient_domain },
    recipientDomain: row.domain,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    ...(row.last_attempt === null ? {} : { lastAttempt: row.last_attempt }),
    results: parseResults(row.results),
    ...(row.transport === null ? {} : { transport: row.transport }),
    ...(row.require_tls === null ? {} : { requireTls: row.require_tls === 1 }),
    ...(row.notify === null ? {} : { notify: (row.notify === '' ? [] : row.notify.split(',')) as Notify[] }),
    ...(row.orcpt === null ? {} : { orcpt: row.orcpt }),
    ...(row.from_id === null ? {} : { fromId: row.from_id }),
    ...(row.stream === null ? {} : { stream: row.stream }),
    extra: parseMap(row.extra),
    dialedIps: parseMap(row.dialed_ips),
  }
}

export function jobOf(row: JoinedQueueRow): Job {
  return { ...common(row), due: row.due, hold: row.hold === 1 }
}

export function retiredOf(row: JoinedHistoryRow): Retired {
  return {
    ...common(row),
    status: row.status as Retired['status'],
    lastActivity: row.last_activity,
    keepUntil: row.keep_until,
    trace: row.trace === '' ? [] : (JSON.parse(row.trace) as Retired['trace']),
  }
}

type Shared = NewJob | Retired

/** The columns that are written when a recipient is added and when it is retired. */
function sharedColumns(r: Shared) {
  return {
    recipient_local: r.recipient.localpart,
    recipient_domain: r.recipient.domain,
    domain: r.recipientDomain,
    reverse_local: r.reversePath === null ? null : r.reversePath.localpart,
    reverse_domain: r.reversePath === null ? null : r.reversePath.domain,
    recipient_shown: shownDomain(r.recipient.domain),
    reverse_shown: r.reversePath === null ? null : shownDomain(r.reversePath.domain),
    max_attempts: r.maxAttempts,
    transport: r.transport === undefined || r.transport === '' ? null : r.transport,
    require_tls: r.requireTls === undefined ? null : r.requireTls ? 1 : 0,
    notify: r.notify === undefined ? null : r.notify.join(','),
    orcpt: r.orcpt ?? null,
    from_id: r.fromId ?? null,
    stream: r.stream ?? null,
    extra: mapText(r.extra),
  }
}

export function queueRow(
  id: number,
  message: { readonly id: number; readonly account: string; readonly size: number },
  job: NewJob,
  batch: number | null,
): QueueRow {
  return {
    ...sharedColumns(job),
    ...{ id, message_id: message.id, account: message.account, size: message.size, batch },
    ...{ due: job.due, hold: job.hold ? 1 : 0, lease: 0 },
    ...{ attempts: 0, last_attempt: null, results: '', dialed_ips: '' },
  }
}

export function historyRow(r: Retired): HistoryRow {
  return {
    ...sharedColumns(r),
    ...{ id: r.id, message_id: r.messageId, account: r.account },
    ...{ attempts: r.attempts, last_attempt: r.lastAttempt ?? null },
    ...{ results: resultsText(r.results), dialed_ips: mapText(r.dialedIps) },
    ...{ status: r.status, last_activity: r.lastActivity, keep_until: r.keepUntil },
    trace: r.trace.length === 0 ? '' : JSON.stringify(r.trace),
  }
}

const SHARED_COLUMNS = [
  'id',
  'message_id',
  'account',
  'recipient_local',
  'recipient_domain',
  'domain',
  'reverse_local',
  'reverse_domain',
  'recipient_shown',
  'reverse_shown',
  'attempts',
  'max_attempts',
  'last_attempt',
  'results',
  'transport',
  'require_tls',
  'notify',
  'orcpt',
  'from_id',
  'stream',
  'extra',
  'dialed_ips',
] as const satisfies readonly (keyof RecipientRow)[]

export const QUEUE_COLUMNS: readonly (keyof QueueRow)[] = [...SHARED_COLUMNS, 'due', 'hold', 'lease', 'batch', 'size']
export const HISTORY_COLUMNS: readonly (keyof HistoryRow)[] = [
  ...SHARED_COLUMNS,
  'status',
  'last_activity',
  'keep_until',
  'trace',
]
