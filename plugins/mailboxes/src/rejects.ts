// The mailbox for what was refused: its copies are for a look soon after, so they leave it by themselves, as do the oldest ones
// when there are very many. What a user puts there stays, and other mailboxes are never touched; nor is one that got a role.
import type { LocalDelivery } from '@mox/plugin-sdk'
import { canonicalMessageId } from '@mox/plugin-sdk/mail'
import type { Context } from './context.ts'
import { CHUNK, expunge, liveMessages } from './expunge.ts'
import { DAY_MS } from './history.ts'
import { type Operation, operate } from './operation.ts'
import { ROLES } from './rows.ts'
import { ACCOUNT, LIVE_IN, MAILBOX, type MailboxRow, MESSAGE, type MessageRow } from './schema.ts'
import type { Candidate } from './threads.ts'

/** Messages that stay. */
export const REJECTS = 1_000

/** A copy of the same message in the mailbox: peers try again what was refused, often many times. */
export async function keptCopy(
  op: Operation,
  mailbox: MailboxRow,
  { head, contentId }: Pick<LocalDelivery, 'head' | 'contentId'>,
): Promise<number | undefined> {
  const { db } = op.context.storage
  const messageId = canonicalMessageId(head.get('message-id') ?? '') ?? ''
  const live = { account_id: op.account.id, mailbox_id: mailbox.id, expunged_at: 0 }
  if (messageId !== '') {
    const same = await db<MessageRow>(MESSAGE)
      .where({ account_id: op.account.id, message_id_header: messageId })
      .whereRaw(LIVE_IN, [mailbox.id])
      .first('id')
    if (same !== undefined) return same.id
  }
  const newest: Pick<MessageRow, 'id' | 'content_id'>[] = await db<MessageRow>(MESSAGE)
    .where(live)
    .orderBy('uid', 'desc')
    .limit(REJECTS)
    .select('id', 'content_id')
  return newest.find(row => row.content_id === contentId)?.id
}

/** Removes copies of a message that came after all, from the mailbox for what was refused. */
export async function removeKept(op: Operation, copies: readonly Candidate[]): Promise<void> {
  const ids: number[] = []
  for (const { id, mailbox_id: mailboxId } of copies)
    if ((await op.byId(mailboxId)).name === op.context.rejectsMailbox) ids.push(id)
  await expunge(op, await liveMessages(op, ids))
}

type Rejects = MailboxRow & { readonly account: string }

/** Removes copies that are older than `days`, and all but the newest REJECTS; with 0 days nothing. */
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
  const copies = () => db<MessageRow>(MESSAGE).where({ mailbox_id: mailbox.id, expunged_at: 0, is_reject: 1 })
  const [last] = await context.storage.offload<{ uid: number }>(
    copies().orderBy('uid', 'desc').offset(REJECTS).limit(1).select('uid'),
  )
  const rows = await context.storage.offload<{ id: number }>(
    copies()
      .where(query => query.where('saved_at', '<', before).orWhere('uid', '<=', last?.uid ?? 0))
      .orderBy('uid')
      .limit(CHUNK)
      .select('id'),
  )
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
