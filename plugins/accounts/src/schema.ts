// The tables of the accounts plugin and their rows. Times are milliseconds since the epoch, yes/no columns are 0 or 1, lists
// are JSON texts. A migration that fails leaves the version before it.
import type { Migration } from '@mox/plugin-sdk'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface DomainRow {
  name: string
  disabled: number
  separators: string
  case_sensitive: number
}

export interface AccountRow {
  name: string
  full_name: string
  login_disabled: string | null
  quota: number
  max_outgoing: number
  max_first_time: number
  max_queued: number
  max_queued_bytes: number
  /** Null: as the queue's configuration says. */
  keep_retired_days: number | null
  created_at: number
}

export interface AddressRow {
  /** "alice@example.org", "@example.org". */
  address: string
  account: string
  mailbox: string
}

export interface AliasRow {
  address: string
  members: string
  post_public: number
  list_members: number
  allow_msg_from: number
}

/** Of accounts of the database, and of those of the config file that have no password there. */
export interface CredentialRow {
  account: string
  /** What parseCredential() reads. */
  verifier: string
  changed_at: number
}

export interface SecondFactorRow {
  account: string
  /** Base32. */
  secret: string
  /** Of the code that was used last. */
  last_step: number
  /** Digests of the recovery codes that are left, as JSON. */
  recovery: string
  since: number
}

export interface PasskeyRow {
  /** Base64url. */
  id: string
  account: string
  name: string
  /** DER (SPKI) in base64. */
  public_key: string
  /** Of the answer that was used last. */
  counter: number
  created_at: number
  used_at: number | null
}

export interface AppPasswordRow {
  id: string
  account: string
  name: string
  /** SHA-256, hexadecimal. */
  digest: string
  created_at: number
  /** To the hour. */
  used_at: number | null
}

export interface LoginRow {
  /** SHA-256 of all that describes the attempt, hexadecimal. */
  id: string
  /** "-" when unknown. */
  account: string
  login_address: string
  remote_ip: string
  local_ip: string
  tls: string
  protocol: string
  user_agent: string
  mechanism: string
  result: string
  /** 1 for the result "ok". */
  success: number
  attempts: number
  first_at: number
  last_at: number
}

export const DOMAIN = 'accounts_domain'
export const ACCOUNT = 'accounts_account'
export const ADDRESS = 'accounts_address'
export const ALIAS = 'accounts_alias'
export const CREDENTIAL = 'accounts_credential'
export const LOGIN = 'accounts_login'
export const SECOND_FACTOR = 'accounts_second_factor'
export const APP_PASSWORD_TABLE = 'accounts_app_password'
export const PASSKEY = 'accounts_passkey'

export const migrations: readonly Migration[] = [
  { version: 1, name: 'accounts', up },
  {
    version: 2,
    name: 'limits of the queue',
    up: db =>
      db.schema.alterTable(ACCOUNT, table => {
        for (const name of ['max_queued', 'max_queued_bytes']) table.bigInteger(name).notNullable().defaultTo(0)
      }),
  },
  {
    version: 3,
    name: 'how long sent mail is remembered',
    up: db => db.schema.alterTable(ACCOUNT, table => void table.double('keep_retired_days')),
  },
  { version: 4, name: 'second factors and app passwords', up: secondFactors },
  { version: 5, name: 'passkeys', up: passkeys },
]

async function passkeys(db: Db): Promise<void> {
  await db.schema.createTable(PASSKEY, table => {
    table.string('account').notNullable()
    // Up to 1,023 bytes, in base64url.
    table.string('id', 1_400).notNullable()
    table.string('name', 100).notNullable()
    table.text('public_key').notNullable()
    for (const name of ['counter', 'created_at']) table.bigInteger(name).notNullable()
    table.bigInteger('used_at')
    table.index(['account'])
  })
}

async function secondFactors(db: Db): Promise<void> {
  await db.schema.createTable(SECOND_FACTOR, table => {
    table.string('account').primary()
    table.string('secret', 32).notNullable()
    for (const name of ['last_step', 'since']) table.bigInteger(name).notNullable()
    table.text('recovery').notNullable()
  })
  await db.schema.createTable(APP_PASSWORD_TABLE, table => {
    table.string('id', 26).primary()
    table.string('account').notNullable().index()
    table.string('name', 100).notNullable()
    table.string('digest', 64).notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('used_at')
  })
}

async function up(db: Db): Promise<void> {
  await db.schema.createTable(DOMAIN, table => {
    table.string('name').primary()
    table.smallint('disabled').notNullable()
    table.text('separators').notNullable()
    table.smallint('case_sensitive').notNullable()
  })
  await db.schema.createTable(ACCOUNT, table => {
    table.string('name').primary()
    table.string('full_name').notNullable()
    table.string('login_disabled', 256)
    for (const name of ['quota', 'max_outgoing', 'max_first_time', 'created_at']) table.bigInteger(name).notNullable()
  })
  await db.schema.createTable(ADDRESS, table => {
    table.string('address', 400).primary()
    table.string('account').notNullable().index()
    table.string('mailbox', 1000).notNullable()
  })
  await db.schema.createTable(ALIAS, table => {
    table.string('address', 400).primary()
    table.text('members').notNullable()
    for (const name of ['post_public', 'list_members', 'allow_msg_from']) table.smallint(name).notNullable()
  })
  await db.schema.createTable(CREDENTIAL, table => {
    table.string('account').primary()
    table.text('verifier').notNullable()
    table.bigInteger('changed_at').notNullable()
  })
  await db.schema.createTable(LOGIN, table => {
    table.string('id', 64).primary()
    for (const name of ['account', 'remote_ip', 'local_ip', 'tls', 'protocol', 'mechanism', 'result'])
      table.string(name).notNullable()
    for (const name of ['login_address', 'user_agent']) table.string(name, 400).notNullable()
    table.smallint('success').notNullable()
    for (const name of ['attempts', 'first_at', 'last_at']) table.bigInteger(name).notNullable()
    table.index(['account', 'success', 'last_at'])
    table.index(['last_at'])
  })
}
