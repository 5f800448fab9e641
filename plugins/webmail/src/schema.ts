// The tables of the webmail and their rows. Times are milliseconds since the epoch.
import type { Migration } from '@mox/plugin-sdk'
import { draftTables } from './server/compose/schema.ts'
import { VIEW_MODE, viewModeTable } from './server/content/view-modes.ts'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface SessionRow {
  /** SHA-256 of the token in the cookie, hexadecimal; names the session to its account as well. */
  id: string
  /** SHA-256 of the CSRF token. */
  csrf: string
  account: string
  login_address: string
  user_agent: string
  remote_ip: string
  /** Of the directory, when it began. */
  password_version: string
  created_at: number
  used_at: number
}

export interface SettingRow {
  account: string
  /** JSON. */
  value: string
}

/** "Never ask again" to the question whether a rule shall be made. One of the two is there. */
export interface NeverRow {
  account: string
  /** SHA-256 of recipient and list or sender, or of the mailbox id: as short as an index wants. */
  key: string
  created_at: number
}

export const SESSION = 'webmail_session'
export const SETTING = 'webmail_setting'
export const NEVER = 'webmail_never'

/** Tables with rows of one account each; of drafts there is more to remove. */
export const ACCOUNT_TABLES = [SETTING, NEVER, VIEW_MODE]

export const migrations: readonly Migration[] = [
  { version: 1, name: 'webmail', up },
  { version: 2, ...draftTables },
  { version: 3, name: 'view modes', up: viewModeTable },
]

async function up(db: Db): Promise<void> {
  await db.schema.createTable(SESSION, table => {
    table.string('id', 64).primary()
    table.string('csrf', 64).notNullable()
    table.string('account').notNullable().index()
    for (const name of ['login_address', 'user_agent']) table.string(name, 400).notNullable()
    for (const name of ['remote_ip', 'password_version']) table.string(name).notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('used_at').notNullable().index()
  })
  await db.schema.createTable(SETTING, table => {
    table.string('account').primary()
    table.text('value', 'mediumtext').notNullable()
  })
  await db.schema.createTable(NEVER, table => {
    table.string('account').notNullable()
    table.string('key', 64).notNullable()
    table.bigInteger('created_at').notNullable()
    table.primary(['account', 'key'])
  })
}
