// The tables of the webhooks plugin and their rows. Times are milliseconds since the epoch, yes/no columns are 0 or 1. A migration
// that fails leaves the version before it.
import type { EventKind, Migration, WebhookCall, WebhookResult } from '@mox/plugin-sdk'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

/** One event for one endpoint: waits while `ended_at` is null. */
export interface CallRow {
  id: number
  /** Endpoint and account: calls of one lane are made in order. */
  lane: string
  account: string
  endpoint: string
  event_id: string
  event: EventKind
  queue_id: number
  from_id: string
  message_id_header: string
  subject: string
  submitted: number
  attempts: number
  due: number
  /** Nobody else posts it before this time. */
  lease: number
  /** JSON; '' while it has not been made. */
  payload: string
  /** What the payload of an incoming message is made from: JSON, and a reference to its content. */
  source: string | null
  content_id: number | null
  /** JSON of WebhookResult[]. */
  results: string
  ended_at: number | null
  success: number
  /** Why it ended, where no result says so. */
  note: string
  keep_until: number
}

export interface EndpointRow {
  account: string
  name: string
  url: string
  /** JSON. */
  events: string
  authorization: string
  concurrency: number
  /** JSON: at most two, the newest first. */
  secrets: string
  created_at: number
}

export interface DisabledRow {
  lane: string
  since: number
  reason: string
}

export const CALL = 'webhooks_call'
export const ENDPOINT = 'webhooks_endpoint'
export const DISABLED = 'webhooks_disabled'

export const laneOf = (account: string, endpoint: string): string => `${endpoint}/${account}`

/** All but the texts that may be large. */
export const CALL_COLUMNS: readonly Exclude<keyof CallRow, 'payload' | 'source'>[] = [
  ...(['id', 'lane', 'account', 'endpoint', 'event_id', 'event', 'queue_id', 'from_id', 'message_id_header'] as const),
  ...(['subject', 'submitted', 'attempts', 'due', 'lease', 'content_id', 'results', 'ended_at', 'success'] as const),
  ...(['note', 'keep_until'] as const),
]

export function callOf(row: Omit<CallRow, 'payload' | 'source'>): WebhookCall {
  return {
    id: row.id,
    eventId: row.event_id,
    account: row.account,
    endpoint: row.endpoint,
    event: row.event,
    queueId: row.queue_id,
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    submitted: row.submitted,
    attempts: row.attempts,
    results: JSON.parse(row.results) as WebhookResult[],
    ...(row.ended_at === null
      ? { due: row.due }
      : { ended: { at: row.ended_at, success: row.success === 1, note: row.note } }),
  }
}

export const migrations: readonly Migration[] = [{ version: 1, name: 'webhooks', up }]

async function up(db: Db): Promise<void> {
  await db.schema.createTable(CALL, table => {
    // Never given out again: receivers see it.
    table.bigIncrements('id')
    table.string('lane', 400).notNullable()
    table.string('account').notNullable()
    table.string('endpoint', 64).notNullable()
    table.string('event_id', 64).notNullable()
    table.string('event', 20).notNullable()
    table.bigInteger('queue_id').notNullable()
    for (const name of ['from_id', 'message_id_header', 'subject']) table.text(name).notNullable()
    table.bigInteger('submitted').notNullable()
    table.integer('attempts').notNullable()
    table.bigInteger('due').notNullable()
    table.bigInteger('lease').notNullable()
    table.text('payload').notNullable()
    table.text('source')
    table.bigInteger('content_id')
    table.text('results').notNullable()
    table.bigInteger('ended_at')
    table.smallint('success').notNullable()
    table.text('note').notNullable()
    table.bigInteger('keep_until').notNullable()
    const [waits, over] = [db.whereNull('ended_at'), db.whereNotNull('ended_at')]
    table.index(['lane', 'id'], 'webhooks_call_lane', { predicate: waits })
    table.index(['lane', 'due'], 'webhooks_call_lane_due', { predicate: waits })
    table.index(['ended_at'], 'webhooks_call_ended', { predicate: over })
    table.index(['keep_until'], 'webhooks_call_keep', { predicate: over })
    table.index(['event_id'])
  })
  await db.schema.createTable(ENDPOINT, table => {
    table.string('account').notNullable()
    table.string('name', 64).notNullable()
    for (const name of ['url', 'events', 'authorization', 'secrets']) table.text(name).notNullable()
    table.integer('concurrency').notNullable()
    table.bigInteger('created_at').notNullable()
    table.primary(['account', 'name'])
  })
  await db.schema.createTable(DISABLED, table => {
    table.string('lane', 400).primary()
    table.bigInteger('since').notNullable()
    table.text('reason').notNullable()
  })
}
