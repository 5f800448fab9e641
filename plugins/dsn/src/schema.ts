// The tables of what senders were told, and of what they are still to be told: one row per recipient and kind. One of the latter holds a reference to the content, so
// that the message can be shown even when queue and history have forgotten it.
import type { Migration } from '@mox/plugin-sdk'

export const PENDING = 'dsn_pending'

/** What senders were told, for the story of a message. */
export const SENT = 'dsn_sent'

export interface SentRow {
  readonly id: number
  readonly message_id: number
  /** 0 for a recipient that never was in the queue. */
  readonly queue_id: number
  /** "local@domain" */
  readonly recipient: string
  /** Milliseconds since the epoch. */
  readonly sent_at: number
  /** What was sent, or why nothing was. */
  readonly note: string
}

export interface PendingRow {
  readonly id: number
  /** The recipient: "q12" by queue id, "m7/bob@example.org" when it was filed at once. Unique together with the kind. */
  readonly recipient_key: string
  readonly kind: string
  readonly message_id: number
  /** Reverse-path as text: one DSN per message, sender and kind. */
  readonly sender: string
  /** Milliseconds since the epoch. */
  readonly created_at: number
  readonly due: number
  readonly tries: number
  /** Message-ID of a DSN that goes to another server, from its first try on. */
  readonly report_id: string | null
  /** 0 when it is told: a notice of delay stays so that it is the only one for its recipient. */
  readonly open: number
  readonly content_id: number
  readonly prefix: Buffer
  /** ReportedMessage and ReportedRecipient as JSON. */
  readonly message: string
  readonly recipient: string
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'recipients whose senders are to be told',
    up: async db => {
      await db.schema.createTable(PENDING, t => {
        t.increments('id')
        t.text('recipient_key').notNullable()
        t.text('kind').notNullable()
        t.bigInteger('message_id').notNullable()
        t.text('sender').notNullable()
        t.bigInteger('created_at').notNullable()
        t.bigInteger('due').notNullable()
        t.integer('tries').notNullable()
        t.text('report_id')
        t.integer('open').notNullable()
        t.bigInteger('content_id').notNullable()
        t.binary('prefix').notNullable()
        t.text('message').notNullable()
        t.text('recipient').notNullable()
        t.unique(['recipient_key', 'kind'])
        t.index(['message_id'])
        t.index(['due'], 'dsn_pending_due', { predicate: db.whereRaw('open = 1') })
      })
    },
  },
  {
    version: 2,
    name: 'what senders were told',
    up: async db => {
      await db.schema.createTable(SENT, t => {
        t.increments('id')
        t.bigInteger('message_id').notNullable()
        t.bigInteger('queue_id').notNullable()
        t.text('recipient').notNullable()
        t.bigInteger('sent_at').notNullable()
        t.text('note').notNullable()
        t.index(['message_id'])
        t.index(['sent_at'])
      })
    },
  },
]
