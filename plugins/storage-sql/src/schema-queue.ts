// What large queues, the history's lists and limits for senders need. Lists follow an index to their last row; counting an
// account's queue reads one index only.
import type { Migration } from '@mox/plugin-sdk'
import { displayDomain } from '@mox/plugin-sdk/mail'
import { HISTORY, MESSAGE, MET, QUEUE, SENT } from './tables.ts'

/** Rows with A-labels that are looked at in one step. */
const BATCH = 1_000

export const queueControl: Migration = {
  version: 4,
  name: 'lists of large queues, limits for senders',
  up: async db => {
    for (const table of [QUEUE, HISTORY])
      await db.schema.alterTable(table, t => {
        // The domains as people read them, where that differs.
        t.text('recipient_shown')
        t.text('reverse_shown')
        t.dropIndex(['account'])
      })
    await db.schema.alterTable(QUEUE, t => {
      // Bytes of the message.
      t.bigInteger('size').notNullable().defaultTo(0)
      t.index(['account', 'due', 'id', 'size'], 'mox_queue_account')
      t.index(['due'], 'mox_queue_held', { predicate: db.whereRaw('hold = 1') })
      t.index(['transport', 'due'], 'mox_queue_transport', { predicate: db.whereRaw('transport is not null') })
    })
    await db.schema.alterTable(HISTORY, t => {
      t.index(['account', 'last_activity'], 'mox_history_account')
      t.index(['last_activity'], 'mox_history_ended', { predicate: db.whereRaw("status <> 'delivered'") })
    })
    await db(QUEUE).update({ size: db(MESSAGE).select('size').whereRaw(`${MESSAGE}.id = ${QUEUE}.message_id`) })
    for (const table of [QUEUE, HISTORY]) await showDomains(table)
    await db.schema.createTable(SENT, t => {
      t.text('account').notNullable()
      t.bigInteger('at').notNullable()
      t.integer('recipients').notNullable()
      t.index(['account', 'at', 'recipients'], 'mox_sent_account')
      t.index(['at'], 'mox_sent_at')
    })
    await db.schema.createTable(MET, t => {
      t.text('account').notNullable()
      t.text('address').notNullable()
      t.bigInteger('first_at').notNullable()
      t.bigInteger('last_at').notNullable()
      t.primary(['account', 'address'])
      t.index(['account', 'first_at'], 'mox_met_first')
      t.index(['last_at'], 'mox_met_last')
    })

    async function showDomains(table: string): Promise<void> {
      for (let after = 0; ; ) {
        const rows = (await db(table)
          .select('id', 'recipient_domain', 'reverse_domain')
          .where('id', '>', after)
          .where(q => void q.where('recipient_domain', 'like', '%xn--%').orWhere('reverse_domain', 'like', '%xn--%'))
          .orderBy('id')
          .limit(BATCH)) as { id: number; recipient_domain: string; reverse_domain: string | null }[]
        for (const { id, recipient_domain, reverse_domain } of rows)
          await db(table)
            .where({ id })
            .update({ recipient_shown: shownDomain(recipient_domain), reverse_shown: shownDomain(reverse_domain) })
        const last = rows.at(-1)
        if (last === undefined) return
        after = last.id
      }
    }
  },
}

/** The domain in U-labels; null where that is the same. */
export function shownDomain(domain: string | null): string | null {
  if (domain === null || !domain.includes('xn--')) return null
  const shown = displayDomain(domain)
  return shown === domain ? null : shown
}
