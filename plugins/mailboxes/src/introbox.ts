// Mail that waits for a decision of its user, in the mailbox for first-time senders or the one for what was refused: who is no
// first-time sender, and what taking a message out of there says.
import type { LocalDelivery } from '@mox/plugin-sdk'
import { alignedDomains, type Path } from '@mox/plugin-sdk/mail'
import type { Operation } from './operation.ts'
import { type MailboxRow, MESSAGE, type MessageRow, RECIPIENT } from './schema.ts'

/** Whether SPF or DKIM vouched for the domain in From, or for one above or below it (RFC 7489 §3.1, relaxed). */
export function isVerified({ verifiedDomains = [] }: Pick<LocalDelivery, 'verifiedDomains'>, from: Path): boolean {
  return verifiedDomains.some(domain => alignedDomains(domain, from.domain))
}

/**
 * Whether the account knows the author: it has sent to the address, or there is a message of it that was meant for Inbox or
 * said to be no junk. Who is not verified is not taken for an author who was.
 */
export async function isKnown(
  op: Operation,
  inbox: MailboxRow,
  { from, address, verified }: { readonly from: Path; readonly address: string; readonly verified: boolean },
): Promise<boolean> {
  const { db } = op.context.storage
  const { localpart, domain } = from
  const sent = await db(RECIPIENT)
    .where({ account_id: op.account.id, domain })
    .whereIn('localpart', [localpart, localpart.toLowerCase()])
    .first('id')
  if (sent !== undefined) return true
  const received = await db<MessageRow>(MESSAGE)
    .where({ account_id: op.account.id, msg_from: address, expunged_at: 0, junk: 0 })
    .where('from_verified', '<=', verified ? 1 : 0)
    .where(query => query.where('orig_mailbox_id', inbox.id).orWhere('notjunk', 1))
    .first('id')
  return received !== undefined
}

type Leaving = Pick<MessageRow, 'is_reject' | 'seen' | 'junk' | 'notjunk' | 'orig_mailbox_id' | 'destined_mailbox_id'>

/**
 * For a message that goes from one mailbox to another, after position(). What was refused becomes ordinary mail, and new. What
 * is taken from the mailbox for first-time senders to where it was meant for is no junk.
 */
export function leave(op: Operation, source: MailboxRow, target: MailboxRow, row: Leaving): void {
  const destined = row.destined_mailbox_id
  if (row.is_reject === 1) {
    row.is_reject = 0
    row.seen = 0
    if (destined === 0) return
  } else {
    if (destined === 0 || source.id !== op.account.introbox_id) return
    if (target.id === destined && row.junk === row.notjunk) {
      row.junk = 0
      row.notjunk = 1
    }
    if (target.id !== destined && row.junk === row.notjunk) return
  }
  row.orig_mailbox_id = destined
  row.destined_mailbox_id = 0
}
