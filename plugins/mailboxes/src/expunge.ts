// Removing messages in two steps. Expunging takes a message out of its mailbox; its record stays with a modseq, for clients
// that ask what is gone, and its bytes stay for sessions that still show it. Erasing gives the bytes and the quota back: as soon
// as all sessions were told that it is gone, at the next start, or ERASE_DELAY_MS later, which is what counts where other
// processes may have sessions. A crash between the two loses nothing: what is to be erased is a row.
import type { Context } from './context.ts'
import { count } from './counts.ts'
import { INDEX } from './indexer.ts'
import type { Operation } from './operation.ts'
import { ACCOUNT, ERASE, type MailboxRow, MESSAGE, type MessageRow, RECIPIENT } from './schema.ts'

/** How long sessions that are not told can still read an expunged message. */
export const ERASE_DELAY_MS = 3_600_000
/** Rows in one `in` list, messages in one unit of work of the eraser. */
export const CHUNK = 500

export function* chunks<T>(list: readonly T[]): Generator<T[]> {
  for (let i = 0; i < list.length; i += CHUNK) yield list.slice(i, i + CHUNK)
}

/** Existing messages of the account, by mailbox and uid; ids of others are skipped. */
export async function liveMessages(op: Operation, ids: readonly number[]): Promise<MessageRow[]> {
  const rows: MessageRow[] = []
  for (const part of chunks([...new Set(ids)])) {
    rows.push(
      ...(await op.context.storage
        .db<MessageRow>(MESSAGE)
        .where({ account_id: op.account.id, expunged_at: 0 })
        .whereIn('id', part)),
    )
  }
  return rows.sort((a, b) => a.mailbox_id - b.mailbox_id || a.uid - b.uid)
}

/** Messages that go together: those of one mailbox, by uid. */
export function byMailbox(rows: readonly MessageRow[]): Map<number, MessageRow[]> {
  const groups = new Map<number, MessageRow[]>()
  for (const row of rows) {
    const group = groups.get(row.mailbox_id)
    if (group === undefined) groups.set(row.mailbox_id, [row])
    else group.push(row)
  }
  return groups
}

export async function expunge(op: Operation, rows: readonly MessageRow[]): Promise<void> {
  const { db } = op.context.storage
  for (const [mailboxId, group] of byMailbox(rows)) {
    const mailbox = await op.byId(mailboxId)
    for (const row of group) count(mailbox, row, -1)
    op.touch(mailbox)
    const ids = group.map(row => row.id)
    for (const part of chunks(ids)) {
      await db(MESSAGE).whereIn('id', part).update({ expunged_at: op.now, modseq: op.modseq, junk: 0, notjunk: 0 })
      await db(RECIPIENT).whereIn('message_id', part).delete()
    }
    await eraseLater(op, ids, true)
    op.record({ kind: 'remove', mailboxId, uids: group.map(row => row.uid), ids })
  }
}

export async function expungeAll(op: Operation, mailbox: MailboxRow): Promise<void> {
  const { db } = op.context.storage
  for (;;) {
    const rows: MessageRow[] = await db<MessageRow>(MESSAGE)
      .where({ mailbox_id: mailbox.id, expunged_at: 0 })
      .orderBy('uid')
      .limit(CHUNK)
    if (rows.length === 0) return
    await expunge(op, rows)
  }
}

/** Has expunged messages erased when nobody can show them any more. */
export async function eraseLater(op: Operation, ids: readonly number[], counted: boolean): Promise<void> {
  const { context } = op
  for (const part of chunks(ids)) {
    await context.storage.db(ERASE).insert(
      part.map(id => ({
        message_id: id,
        account_id: op.account.id,
        due: op.now + ERASE_DELAY_MS,
        counted: counted ? 1 : 0,
      })),
    )
  }
  context.storage.afterCommit(() => {
    // Sessions of other processes are unknown here.
    if (!context.storage.capabilities.crossProcess) context.feed.whenTold(op.account.name, () => context.eraseSoon(ids))
  })
}

interface EraseRow {
  readonly message_id: number
  readonly account_id: number
  readonly counted: number
}

/** Erases those of the messages that wait for it, or, without ids, what is due by a time; at most CHUNK. Returns how many. */
export async function erase(
  context: Context,
  ids?: readonly number[],
  dueBy: number = context.clock.now(),
): Promise<number> {
  return await context.storage.write(async db => {
    const waiting = db<EraseRow>(ERASE).select('message_id', 'account_id', 'counted').limit(CHUNK)
    const rows: EraseRow[] = await (ids === undefined
      ? waiting.where('due', '<=', dueBy).orderBy('due')
      : waiting.whereIn('message_id', ids.slice(0, CHUNK)))
    const messages: Pick<MessageRow, 'id' | 'content_id' | 'size' | 'search_id'>[] = await db<MessageRow>(MESSAGE)
      .select('id', 'content_id', 'size', 'search_id')
      .whereIn(
        'id',
        rows.map(row => row.message_id),
      )
    const byId = new Map(messages.map(message => [message.id, message]))
    for (const row of rows) {
      // Of two erasers that meet, one finds nothing to delete.
      if ((await db(ERASE).where({ message_id: row.message_id }).delete()) === 0) continue
      const message = byId.get(row.message_id)
      if (message === undefined) continue
      if (message.content_id !== 0) await context.storage.content.release(message.content_id)
      if (message.search_id !== null && message.search_id > 0)
        await context.storage.search?.remove(INDEX, message.search_id)
      await db(MESSAGE)
        .where({ id: message.id })
        .update({ ...ERASED, search_id: -message.id })
      if (row.counted === 1) await db(ACCOUNT).where({ id: row.account_id }).decrement('used', message.size)
    }
    return rows.length
  })
}

/** What is cleared of an erased message: all but ids, uid, modseqs, thread and the key that recognises a second delivery. */
const ERASED: Partial<MessageRow> = {
  content_id: 0,
  prefix: Buffer.alloc(0),
  size: 0,
  keywords: '',
  message_id: 0,
  message_id_header: '',
  subject: '',
  subject_base: '',
  msg_from: '',
  from_text: '',
  sent_at: null,
  correspondents: '',
  from_search: '',
  to_search: '',
  subject_search: '',
  preview: null,
  attachments: null,
  files_search: '',
  bodies: null,
  mail_from: '',
  rcpt_to: '',
  remote_ip: '',
  helo: '',
  tls_version: '',
  verified_domains: '',
}
