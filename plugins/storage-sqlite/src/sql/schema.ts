// The tables of core: message content, messages, queue, history, outbox, locks. Times are milliseconds since the epoch.
import type { Migration } from '@mox/plugin-sdk'
import type { Knex } from 'knex'

/** The name under which core's own migrations are recorded. */
export const CORE = 'mox'

export const migrations: readonly Migration[] = [{ version: 1, name: 'messages, queue, history, outbox', up: first }]

async function first(db: Knex): Promise<void> {
  await db.schema.createTable('mox_counter', t => {
    t.text('name').primary()
    t.integer('reserved').notNullable()
  })
  await db.schema.createTable('mox_content', t => {
    t.integer('id').primary()
    t.binary('hash').notNullable().unique()
    t.integer('size').notNullable()
    t.integer('refs').notNullable()
    t.text('file') // NULL: the bytes are in mox_content_bytes
  })
  await db.raw('create index mox_content_free on mox_content (id) where refs = 0')
  await db.schema.createTable('mox_content_bytes', t => {
    t.integer('id').primary()
    t.binary('bytes').notNullable()
  })
  await db.schema.createTable('mox_message', t => {
    t.integer('id').primary()
    t.integer('received_at').notNullable().index()
    t.text('kind').notNullable()
    t.text('source').notNullable()
    t.text('account').notNullable()
    t.text('from_localpart')
    t.text('from_domain')
    t.text('message_id_header').notNullable()
    t.text('subject').notNullable()
    t.integer('size').notNullable()
    t.integer('has8bit').notNullable()
    t.integer('smtputf8').notNullable()
    t.text('ret')
    t.text('envid')
    t.text('future_release')
    t.binary('prefix').notNullable()
    t.integer('content_id').notNullable()
    t.text('remote_ip').notNullable()
    t.text('helo').notNullable()
    t.text('protocol').notNullable()
    t.text('recipients').notNullable()
    t.text('facts').notNullable()
    t.text('trace').notNullable()
  })
  await db.schema.createTable('mox_queue', t => {
    recipientColumns(t)
    t.integer('due').notNullable()
    t.integer('hold').notNullable()
    t.integer('lease').notNullable()
  })
  await db.raw('create index mox_queue_due on mox_queue (due, id) where hold = 0')
  await db.schema.createTable('mox_history', t => {
    recipientColumns(t)
    t.text('status').notNullable()
    t.integer('last_activity').notNullable()
    t.integer('keep_until').notNullable().index()
    t.text('trace').notNullable()
    t.index(['last_activity', 'id'])
  })
  for (const table of ['mox_queue', 'mox_history'])
    await db.raw('create unique index ?? on ?? (from_id) where from_id is not null', [`${table}_from_id`, table])
  await db.schema.createTable('mox_outbox', t => {
    t.integer('id').primary()
    t.text('event_id').notNullable()
    t.text('hook').notNullable()
    t.text('subscriber').notNullable()
    t.text('payload').notNullable()
    t.integer('created_at').notNullable()
    t.integer('due').notNullable()
    t.integer('lease').notNullable()
    t.integer('attempts').notNullable()
    t.text('last_error')
    t.integer('dead').notNullable()
  })
  await db.raw('create index mox_outbox_due on mox_outbox (due, id) where dead = 0')
  await db.schema.createTable('mox_search_key', t => {
    t.increments('id')
    t.text('index_name').notNullable()
    t.integer('key').notNullable()
    t.unique(['index_name', 'key'])
  })
  await db.raw(
    "create virtual table mox_search using fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')",
  )
  await db.schema.createTable('mox_lock', t => {
    t.text('name').primary()
    t.text('holder').notNullable()
    t.integer('until').notNullable()
  })
}

/** What queue and history have in common. */
function recipientColumns(t: Knex.CreateTableBuilder): void {
  t.integer('id').primary()
  t.integer('message_id').notNullable().index()
  t.text('account').notNullable().index()
  t.text('from_localpart')
  t.text('from_domain')
  t.text('from_address').notNullable()
  t.text('rcpt_localpart').notNullable()
  t.text('rcpt_domain').notNullable()
  t.text('rcpt_address').notNullable()
  t.text('recipient_domain').notNullable()
  t.integer('attempts').notNullable()
  t.integer('max_attempts').notNullable()
  t.integer('last_attempt')
  t.text('results').notNullable()
  t.text('transport')
  t.integer('require_tls')
  t.text('notify')
  t.text('orcpt')
  t.text('from_id')
  t.text('extra').notNullable()
  t.text('dialed').notNullable()
}
