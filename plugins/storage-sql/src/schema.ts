// Core's own tables. Times are milliseconds since the epoch, yes/no columns 0 or 1, structures JSON text. Migrations are only
// ever added: what a released version made stays as it is.
import type { Migration } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { queueControl } from './schema-queue.ts'
import { CONTENT, CONTENT_DATA, COUNTER, HISTORY, LOCK, MESSAGE, OUTBOX, QUEUE } from './tables.ts'

export * from './tables.ts'

/** A 64-bit key. In SQLite it is the row's own number, which an `integer` is and a `bigint` is not: that has an index beside. */
function idColumn(db: Knex, t: Knex.CreateTableBuilder): void {
  const { dialect } = db.client as { readonly dialect: string }
  void (dialect === 'sqlite3' ? t.integer('id').primary() : t.bigInteger('id').primary())
}

/** What stands in the queue and in the history alike. */
function recipientColumns(t: Knex.CreateTableBuilder): void {
  t.bigInteger('message_id').notNullable()
  t.text('account').notNullable()
  t.text('recipient_local').notNullable()
  t.text('recipient_domain').notNullable()
  // The concurrency key.
  t.text('domain').notNullable()
  // Null for the null reverse-path.
  t.text('reverse_local')
  t.text('reverse_domain')
  t.integer('attempts').notNullable()
  t.integer('max_attempts').notNullable()
  t.bigInteger('last_attempt')
  // JSON of each attempt with a comma before it: an attempt is appended without reading the others.
  t.text('results').notNullable()
  t.text('transport')
  t.integer('require_tls')
  // Words joined by commas; '' is NOTIFY=NEVER, null not given.
  t.text('notify')
  t.text('orcpt')
  t.text('from_id')
  t.text('extra').notNullable()
  t.text('dialed_ips').notNullable()
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'messages, queue, history, outbox, content',
    up: async db => {
      await db.schema.createTable(COUNTER, t => {
        t.text('name').primary()
        t.bigInteger('reserved').notNullable()
      })
      await db.schema.createTable(LOCK, t => {
        t.text('name').primary()
        t.text('holder').notNullable()
        t.bigInteger('until').notNullable()
      })
      await db.schema.createTable(CONTENT, t => {
        idColumn(db, t)
        t.binary('hash').notNullable().unique()
        t.bigInteger('size').notNullable()
        t.integer('refs').notNullable()
        // Name below the content directory; null: the bytes are a row.
        t.text('file')
        t.index(['file'], 'mox_content_file', { predicate: db.whereRaw('file is not null') })
        t.index(['id'], 'mox_content_unused', { predicate: db.whereRaw('refs = 0') })
      })
      await db.schema.createTable(CONTENT_DATA, t => {
        idColumn(db, t)
        t.binary('bytes').notNullable()
      })
      await db.schema.createTable(MESSAGE, t => {
        idColumn(db, t)
        t.bigInteger('received_at').notNullable().index()
        t.text('kind').notNullable()
        t.text('source').notNullable()
        t.text('account').notNullable()
        t.text('reverse_local')
        t.text('reverse_domain')
        t.text('message_id_header').notNullable()
        t.text('subject').notNullable()
        t.bigInteger('size').notNullable()
        t.integer('has8bit').notNullable()
        t.integer('smtputf8').notNullable()
        t.text('ret')
        t.text('envid')
        t.text('future_release')
        t.binary('prefix').notNullable()
        t.bigInteger('content_id').notNullable()
        t.text('remote_ip').notNullable()
        t.text('helo').notNullable()
        t.text('protocol').notNullable()
        t.text('recipients').notNullable()
        t.text('facts').notNullable()
        t.text('trace').notNullable()
      })
      await db.schema.createTable(QUEUE, t => {
        idColumn(db, t)
        recipientColumns(t)
        t.bigInteger('due').notNullable()
        t.integer('hold').notNullable()
        t.bigInteger('lease').notNullable()
        // Id of the first of several recipients of one message that have domain and reverse-path in common.
        t.bigInteger('batch')
        t.index(['due'], 'mox_queue_due', { predicate: db.whereRaw('hold = 0') })
        t.index(['domain', 'due'], 'mox_queue_domain', { predicate: db.whereRaw('hold = 0') })
        t.index(['account'])
        t.index(['message_id'])
        t.index(['batch'], 'mox_queue_batch', { predicate: db.whereRaw('batch is not null') })
        t.unique(['from_id'], { indexName: 'mox_queue_from_id', predicate: db.whereRaw('from_id is not null') })
      })
      await db.schema.createTable(HISTORY, t => {
        idColumn(db, t)
        recipientColumns(t)
        t.text('status').notNullable()
        t.bigInteger('last_activity').notNullable().index()
        t.bigInteger('keep_until').notNullable().index()
        t.text('trace').notNullable()
        t.index(['account'])
        t.index(['message_id'])
        t.unique(['from_id'], { indexName: 'mox_history_from_id', predicate: db.whereRaw('from_id is not null') })
      })
      await db.schema.createTable(OUTBOX, t => {
        idColumn(db, t)
        t.text('event_id').notNullable()
        t.text('hook').notNullable()
        t.text('subscriber').notNullable()
        t.text('payload').notNullable()
        t.bigInteger('created_at').notNullable()
        t.bigInteger('due').notNullable()
        t.bigInteger('lease').notNullable()
        t.integer('attempts').notNullable()
        t.text('last_error')
        t.integer('dead').notNullable()
        t.index(['subscriber', 'due'], 'mox_outbox_due', { predicate: db.whereRaw('dead = 0') })
      })
    },
  },
  {
    version: 2,
    name: 'message streams',
    up: async db => {
      for (const table of [QUEUE, HISTORY]) await db.schema.alterTable(table, t => void t.text('stream'))
    },
  },
  {
    version: 3,
    name: 'messages by the ids that reports name',
    up: async db => {
      await db.schema.alterTable(MESSAGE, t => {
        t.index(['message_id_header'], 'mox_message_header_id')
        t.index(['envid'], 'mox_message_envid', { predicate: db.whereRaw('envid is not null') })
      })
    },
  },
  queueControl,
]
