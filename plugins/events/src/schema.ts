// The tables of the events plugin and their rows. Times are milliseconds since the epoch, yes/no columns are 0 or 1, days count
// from the epoch in UTC. A migration that fails leaves the version before it.
import type { EventKind, MailEvent, Migration, NewEvent } from '@mox/plugin-sdk'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface EventRow {
  id: number
  event_id: string
  at: number
  /** Of `at`, for the statistics. */
  day: number
  account: string
  kind: EventKind
  queue_id: number
  message_id: number
  mailbox_message_id: number | null
  message_id_header: string
  subject: string
  recipient: string
  from_id: string
  stream: string
  extra: string
  dsn: number
  suppressing: number
  code: number
  enhanced: string
  error: string
  attempt: number
  remote_mta: string
  next_attempt: number | null
  sequence: number
  dedupe: string | null
}

/** Events of one account, stream, day and kind that the log may not have any more. */
export interface CountRow {
  account: string
  day: number
  stream: string
  kind: EventKind
  count: number
}

/** A received message that may turn out to be a report; its copies become events when nobody has said so in time. */
export interface WaitingRow {
  message_id: number
  due: number
  /** JSON: ids of copies. */
  copies: string
}

/** A received message that was a report about something that the account had sent. */
export interface ReportRow {
  message_id: number
  account: string
  at: number
}

export const LOG = 'events_log'
export const COUNT = 'events_count'
/** One row: the last event that is in the counts. */
export const COUNTED = 'events_counted'
export const WAITING = 'events_waiting'
export const REPORT = 'events_report'

export const DAY_MS = 86_400_000

export const dayOf = (at: number): number => Math.floor(at / DAY_MS)

/** Characters of what others wrote: a remote server's error, a subject, an address. */
export const TEXT_LENGTH = 1_000

export function rowOf(event: NewEvent, eventId: string, at: number, sequence: number): Omit<EventRow, 'id'> {
  const text = (value: string): string => value.slice(0, TEXT_LENGTH)
  return {
    event_id: eventId,
    at,
    day: dayOf(at),
    account: event.account,
    kind: event.kind,
    queue_id: event.queueId,
    message_id: event.messageId,
    mailbox_message_id: event.mailboxMessageId ?? null,
    message_id_header: text(event.messageIdHeader),
    subject: text(event.subject),
    recipient: text(event.recipient),
    from_id: text(event.fromId),
    stream: text(event.stream),
    extra: JSON.stringify(event.extra),
    dsn: event.dsn ? 1 : 0,
    suppressing: event.suppressing ? 1 : 0,
    code: event.code,
    enhanced: event.enhanced,
    error: text(event.error),
    attempt: event.attempt,
    remote_mta: text(event.remoteMta),
    next_attempt: event.nextAttempt ?? null,
    sequence,
    dedupe: event.dedupe ?? null,
  }
}

export function eventOf(row: EventRow): MailEvent {
  return {
    id: row.id,
    eventId: row.event_id,
    at: row.at,
    sequence: row.sequence,
    account: row.account,
    kind: row.kind,
    queueId: row.queue_id,
    messageId: row.message_id,
    ...(row.mailbox_message_id === null ? {} : { mailboxMessageId: row.mailbox_message_id }),
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    recipient: row.recipient,
    fromId: row.from_id,
    stream: row.stream,
    extra: JSON.parse(row.extra) as Record<string, string>,
    dsn: row.dsn === 1,
    suppressing: row.suppressing === 1,
    code: row.code,
    enhanced: row.enhanced,
    error: row.error,
    attempt: row.attempt,
    remoteMta: row.remote_mta,
    ...(row.next_attempt === null ? {} : { nextAttempt: row.next_attempt }),
  }
}

export const migrations: readonly Migration[] = [{ version: 1, name: 'event log', up }]

async function up(db: Db): Promise<void> {
  await db.schema.createTable(LOG, table => {
    // Never given out again: ids are cursors.
    table.bigIncrements('id')
    table.string('event_id', 64).notNullable().unique()
    table.bigInteger('at').notNullable()
    table.integer('day').notNullable()
    table.string('account').notNullable()
    table.string('kind', 20).notNullable()
    table.bigInteger('queue_id').notNullable()
    table.bigInteger('message_id').notNullable()
    table.bigInteger('mailbox_message_id')
    for (const name of ['message_id_header', 'subject', 'recipient', 'from_id', 'stream', 'extra', 'error'])
      table.text(name).notNullable()
    table.smallint('dsn').notNullable()
    table.smallint('suppressing').notNullable()
    table.integer('code').notNullable()
    table.string('enhanced', 40).notNullable()
    table.integer('attempt').notNullable()
    table.text('remote_mta').notNullable()
    table.bigInteger('next_attempt')
    table.integer('sequence').notNullable()
    table.string('dedupe', 200)
    table.index(['account', 'id'])
    table.index(['queue_id', 'sequence'])
    table.index(['message_id'])
    table.unique(['dedupe'], { indexName: 'events_log_dedupe', predicate: db.whereNotNull('dedupe') })
  })
  await db.schema.createTable(COUNT, table => {
    table.string('account').notNullable()
    table.integer('day').notNullable()
    table.string('stream', 1_000).notNullable()
    table.string('kind', 20).notNullable()
    table.bigInteger('count').notNullable()
    table.primary(['account', 'day', 'stream', 'kind'])
  })
  await db.schema.createTable(COUNTED, table => {
    table.bigInteger('last_id').notNullable()
  })
  await db(COUNTED).insert({ last_id: 0 })
  await db.schema.createTable(WAITING, table => {
    table.bigInteger('message_id').primary()
    table.bigInteger('due').notNullable().index()
    table.text('copies').notNullable()
  })
  await db.schema.createTable(REPORT, table => {
    table.bigInteger('message_id').notNullable()
    table.string('account').notNullable()
    table.bigInteger('at').notNullable().index()
    table.primary(['message_id', 'account'])
  })
}
