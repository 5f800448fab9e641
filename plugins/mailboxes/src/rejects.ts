// The mailbox for what was refused: it is for a look soon after, so messages leave it by themselves, as do the oldest ones
// when there are very many. Other mailboxes are never touched; a role, which a user gave it, keeps it.
import type { Context } from './context.ts'
import { CHUNK, expunge, liveMessages } from './expunge.ts'
import { DAY_MS } from './history.ts'
import { operate } from './operation.ts'
import { ROLES } from './rows.ts'
import { ACCOUNT, MAILBOX, type MailboxRow, MESSAGE, type MessageRow } from './schema.ts'

/** Messages that stay. */
export const REJECTS = 1_000

type Rejects = MailboxRow & { readonly account: string }

/** Removes what came into the mailbox more than `days` ago, and all but the newest REJECTS; with 0 days nothing. */
export async function expungeRejects(context: Context, days: number): Promise<void> {
  if (days === 0) return
  const { db } = context.storage
  const all: Rejects[] = await db(`${MAILBOX} as m`)
    .join(`${ACCOUNT} as a`, 'a.id', 'm.account_id')
    .where({ 'm.name': context.rejectsMailbox, 'm.removed_seq': 0 })
    .select('m.*', 'a.name as account')
  for (const mailbox of all) {
    if (mailbox.total + mailbox.deleted === 0 || ROLES.some(role => mailbox[role] === 1)) continue
    while ((await expungeSome(context, mailbox, context.clock.now() - days * DAY_MS)) === CHUNK);
  }
}

async function expungeSome(context: Context, mailbox: Rejects, before: number): Promise<number> {
  const { db } = context.storage
  const live = () => db<MessageRow>(MESSAGE).where({ mailbox_id: mailbox.id, expunged_at: 0 })
  const last = await live().orderBy('uid', 'desc').offset(REJECTS).limit(1).first('uid')
  const rows: { id: number }[] = await live()
    .where(query => query.where('saved_at', '<', before).orWhere('uid', '<=', last?.uid ?? 0))
    .orderBy('uid')
    .limit(CHUNK)
    .select('id')
  if (rows.length === 0) return 0
  await operate(context, mailbox.account, async op =>
    expunge(
      op,
      await liveMessages(
        op,
        rows.map(row => row.id),
      ),
    ),
  )
  return rows.length
}
