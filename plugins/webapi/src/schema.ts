// The tables of the webapi and their rows. Times are milliseconds since the epoch, minutes are such times divided by 60,000,
// yes/no columns are 0 or 1, lists are JSON texts.
import type { Migration } from '@mox/plugin-sdk'

export type Db = Parameters<Migration['up']>[0]

/** A message sent over HTTP. */
export interface MessageRow {
  /** In the message repository. */
  message_id: number
  account: string
  stream: string
  /** UTC, "2030-01-31". */
  day: string
  minute: number
  sent_at: number
  sender: string
  /** Addresses joined by a space, cut to RECIPIENTS_TEXT. */
  recipients: string
  subject: string
  /** With brackets. */
  header_id: string
  /** Recipients. */
  count: number
}

export interface KeyRow {
  /** SHA-256 of the key, hexadecimal. */
  hash: string
  id: string
  account: string
  name: string
  permissions: string
  /** Domains it may send from; an empty list: all of the account. */
  domains: string
  test: number
  created_at: number
  expires_at: number | null
}

export interface IdempotencyRow {
  account: string
  /** SHA-256 of the Idempotency-Key, hexadecimal. */
  key: string
  /** SHA-256 of the request, hexadecimal. */
  fingerprint: string
  /** Message-ID that the message has if it was queued. */
  header_id: string
  /** JSON; null while in progress. */
  response: string | null
  created_at: number
}

export const MESSAGE = 'webapi_message'
export const KEY = 'webapi_key'
export const IDEMPOTENCY = 'webapi_idempotency'

/** Characters kept of a message's recipients and subject, for lists. */
export const RECIPIENTS_TEXT = 1_000
export const SUBJECT_TEXT = 250

export const migrations: readonly Migration[] = [{ version: 1, name: 'webapi', up }]

async function up(db: Db): Promise<void> {
  const sqlite = db.client.dialect === 'sqlite3'
  await db.schema.createTable(MESSAGE, table => {
    // An integer key is SQLite's own row number, without an index beside it.
    void (sqlite ? table.integer('message_id').primary() : table.bigInteger('message_id').primary())
    table.string('account').notNullable()
    table.string('stream', 50).notNullable()
    table.string('day', 10).notNullable()
    for (const name of ['minute', 'sent_at']) table.bigInteger(name).notNullable()
    table.string('sender', 400).notNullable()
    table.string('recipients', RECIPIENTS_TEXT).notNullable()
    table.string('subject', SUBJECT_TEXT).notNullable()
    table.string('header_id', 400).notNullable()
    table.integer('count').notNullable()
    table.index(['account', 'message_id'])
  })
  await db.schema.createTable(KEY, table => {
    table.string('hash', 64).primary()
    table.string('id', 26).notNullable().unique()
    table.string('account').notNullable().index()
    table.string('name', 100).notNullable()
    for (const name of ['permissions', 'domains']) table.text(name).notNullable()
    table.smallint('test').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('expires_at')
  })
  await db.schema.createTable(IDEMPOTENCY, table => {
    table.string('account').notNullable()
    table.string('key', 64).notNullable()
    table.string('fingerprint', 64).notNullable()
    table.string('header_id', 400).notNullable()
    table.text('response')
    table.bigInteger('created_at').notNullable().index()
    table.primary(['account', 'key'])
  })
}
