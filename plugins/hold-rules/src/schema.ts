// The table of rules. '' in a condition: whatever.
import type { Migration } from '@mox/plugin-sdk'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface RuleRow {
  id: number
  account: string
  sender_domain: string
  recipient_domain: string
  sender: string
  recipient: string
  reason: string
  /** Milliseconds since the epoch. */
  created_at: number
}

export const RULE = 'hold_rules_rule'

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'hold rules',
    up: async db => {
      await db.schema.createTable(RULE, table => {
        // Never the id of a rule that is gone: what it held still names it.
        table.bigIncrements('id')
        for (const name of ['account', 'sender_domain', 'recipient_domain', 'sender', 'recipient'])
          table.string(name, 400).notNullable()
        table.text('reason').notNullable()
        table.bigInteger('created_at').notNullable()
      })
    },
  },
]
