// What senders were told of which recipient, and when: for the story of a message. Kept for a while, whatever becomes of the
// message; must be changed inside the unit of work in which a DSN is done with.
import type { MessageNotes, Storage } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { type PendingDsn, REMEMBER_MS } from './pending.ts'
import { SENT, type SentRow } from './schema.ts'

/** Rows of one statement. */
const CHUNK = 100

/** `how` is what became of the DSN, in a few words. */
export async function recordSent(storage: Storage, dsn: PendingDsn, now: number, how: string): Promise<void> {
  const rows = dsn.recipients.map(
    ({ recipient: { queueId, recipient, action } }): Omit<SentRow, 'id'> => ({
      ...{ message_id: dsn.messageId, queue_id: queueId, recipient: formatAddress(recipient), sent_at: now },
      note: `${action}: ${how.replaceAll(/\s+/g, ' ')}`,
    }),
  )
  for (let at = 0; at < rows.length; at += CHUNK) await storage.db(SENT).insert(rows.slice(at, at + CHUNK))
}

export async function forgetSent(storage: Storage, now: number): Promise<void> {
  await storage
    .db(SENT)
    .where('sent_at', '<', now - REMEMBER_MS)
    .delete()
}

/** message-notes@1. */
export function sentNotes(storage: Storage): MessageNotes {
  return {
    title: 'what the sender was told',
    list: async ({ messageId, queueId }, limit) => {
      const query = storage.db<SentRow>(SENT).where({ message_id: messageId }).orderBy('id').limit(limit)
      if (queueId !== undefined) void query.where({ queue_id: queueId })
      const rows: readonly SentRow[] = await query
      return rows.map(row => ({
        ...{ at: Number(row.sent_at), queueId: Number(row.queue_id), recipient: row.recipient, text: row.note },
      }))
    },
  }
}
