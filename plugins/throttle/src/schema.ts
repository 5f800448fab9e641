// What the throttle keeps over restarts: what it learned from slow-downs, which group of servers takes a domain's mail, and what
// was sent on a day of a warm-up. Times are milliseconds since the epoch.
import type { Migration } from '@mox/plugin-sdk'

export interface PaceRow {
  name: string
  concurrency: number
  per_minute: number
  paused_until: number
  slowdowns: number
  words: string
  slowed_at: number
  changed_at: number
}

export interface DomainRow {
  domain: string
  host_group: string
  seen_at: number
}

export interface SentRow {
  ip: string
  /** "2030-01-31". */
  day: string
  sent: number
}

export const PACE = 'throttle_pace'
export const DOMAIN = 'throttle_domain'
export const SENT = 'throttle_sent'

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'throttle',
    up: async db => {
      await db.schema.createTable(PACE, table => {
        table.string('name').primary()
        for (const name of ['concurrency', 'per_minute', 'slowdowns']) table.integer(name).notNullable()
        table.text('words').notNullable()
        for (const name of ['paused_until', 'slowed_at', 'changed_at']) table.bigInteger(name).notNullable()
      })
      await db.schema.createTable(DOMAIN, table => {
        table.string('domain').primary()
        table.string('host_group').notNullable()
        table.bigInteger('seen_at').notNullable().index()
      })
      await db.schema.createTable(SENT, table => {
        table.string('ip', 45).primary()
        table.string('day', 10).notNullable()
        table.integer('sent').notNullable()
      })
    },
  },
]
