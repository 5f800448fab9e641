// The tables of the suppression plugin and their rows. Times are milliseconds since the epoch.
import type { Migration } from '@mox/plugin-sdk'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface EntryRow {
  id: number
  /** '' for all accounts. */
  account: string
  /** '' for all streams. */
  stream: string
  address: string
  base: string
  cause: string
  reason: string
  code: number | null
  enhanced: string | null
  queue_id: number | null
  created_at: number
  expires_at: number | null
}

/** Failures in a row of one account's mail to one address. */
export interface StreakRow {
  account: string
  base: string
  failures: number
  /** The last one: a failure that is told twice counts once. */
  queue_id: number
  last_at: number
}

export interface AuditRow {
  id: number
  at: number
  /** "queue", "dsn", "cli", "import", "api", "expiry". */
  who: string
  /** "add", "remove", "expire". */
  what: string
  account: string
  stream: string
  address: string
  base: string
  cause: string
  reason: string
  queue_id: number | null
}

export const ENTRY = 'suppression_entry'
export const STREAK = 'suppression_streak'
export const AUDIT = 'suppression_audit'

export const migrations: readonly Migration[] = [{ version: 1, name: 'suppression list', up }]

async function up(db: Db): Promise<void> {
  await db.schema.createTable(ENTRY, table => {
    table.bigIncrements('id')
    for (const name of ['account', 'stream', 'address', 'base']) table.string(name, 400).notNullable()
    table.string('cause', 20).notNullable()
    table.text('reason').notNullable()
    table.integer('code')
    table.string('enhanced', 20)
    table.bigInteger('queue_id').index()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('expires_at').index()
    table.unique(['base', 'account', 'stream'])
    table.index(['account', 'id'])
  })
  await db.schema.createTable(STREAK, table => {
    for (const name of ['account', 'base']) table.string(name, 400).notNullable()
    table.integer('failures').notNullable()
    table.bigInteger('queue_id').notNullable()
    table.bigInteger('last_at').notNullable().index()
    table.primary(['base', 'account'])
  })
  await db.schema.createTable(AUDIT, table => {
    table.bigIncrements('id')
    table.bigInteger('at').notNullable().index()
    for (const name of ['who', 'what', 'cause']) table.string(name, 20).notNullable()
    for (const name of ['account', 'stream', 'address', 'base']) table.string(name, 400).notNullable()
    table.text('reason').notNullable()
    table.bigInteger('queue_id')
    table.index(['base', 'id'])
  })
}
