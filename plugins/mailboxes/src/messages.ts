// What a user does with messages: append, flags, move, copy, threads. All inside one operation; what cannot be done throws a
// MailboxError, which undoes the operation.
import type { AppendMessage, FlagChange } from '@mox/plugin-sdk'
import type { Head } from '@mox/plugin-sdk/mail'
import { readHead } from './content.ts'
import { count } from './counts.ts'
import { describe } from './describe.ts'
import { refuse } from './errors.ts'
import { byMailbox, eraseLater, liveMessages } from './expunge.ts'
import { flagColumns, joinWords, MESSAGE_KEYWORDS, parseWords, splitWords } from './flags.ts'
import { leave } from './introbox.ts'
import type { Operation } from './operation.ts'
import {
  addKeywords,
  blankRow,
  checkKeywords,
  findThread,
  insertMessage,
  position,
  settle,
  threadColumns,
} from './place.ts'
import { type FlagColumns, MESSAGE, type MessageRow } from './schema.ts'
import { receiptTime } from './times.ts'

/** Throws when the account may not have so many bytes more. */
async function checkQuota(op: Operation, bytes: number): Promise<void> {
  const info = await op.context.directory.account(op.account.name)
  if (info !== undefined && info.quota > 0 && op.account.used + bytes > info.quota)
    throw refuse('quota', 'account storage full')
}

/** `contentId` is a reference that the new message takes over. */
export async function append(
  op: Operation,
  message: AppendMessage,
  { head, contentId, size }: { readonly head: Head; readonly contentId: number; readonly size: number },
): Promise<MessageRow> {
  const mailbox = await op.existing(message.mailbox)
  await checkQuota(op, size)
  const { columns, thread } = describe(head)
  const words = strictWords(message.keywords ?? [])
  const receivedAt = receiptTime(message.receivedAt ?? op.now)
  const row: Omit<MessageRow, 'id'> = {
    ...blankRow(op, mailbox),
    ...columns,
    ...threadColumns(await findThread(op, thread, mailbox.id, receivedAt)),
    ...words.flags,
    ...flagColumns(message.flags ?? {}),
    keywords: keywordColumn(words.keywords),
    message_id: message.messageId ?? 0,
    content_id: contentId,
    size,
    received_at: receivedAt,
  }
  position(op, mailbox, row)
  const inserted = await insertMessage(op, mailbox, row, head)
  if (inserted === undefined) throw new Error('message was not inserted')
  op.account.used += size
  return inserted
}

function strictWords(words: readonly string[]): { flags: Partial<FlagColumns>; keywords: readonly string[] } {
  const parsed = parseWords(words)
  if (parsed.bad.length > 0) throw refuse('keyword', 'keyword not allowed')
  return { flags: flagColumns(Object.fromEntries(parsed.flags.map(flag => [flag, true]))), keywords: parsed.keywords }
}

function keywordColumn(keywords: readonly string[]): string {
  if (keywords.length > MESSAGE_KEYWORDS) throw refuse('limit', 'too many keywords on a message')
  return joinWords(keywords)
}

/** Changes flags; `modified` are ids that changed since `unchangedSince` (RFC 7162 §3.1.3) and were left alone. */
export async function setFlags(
  op: Operation,
  ids: readonly number[],
  change: FlagChange,
): Promise<{ changed: MessageRow[]; modified: number[] }> {
  const adding = strictWords(change.addKeywords ?? [])
  const removing = parseWords(change.removeKeywords ?? [])
  const cleared = flagColumns(Object.fromEntries(removing.flags.map(flag => [flag, false])))
  const columns = { ...cleared, ...adding.flags, ...flagColumns(change.set ?? {}) }
  const changed: MessageRow[] = []
  const modified: number[] = []
  for (const row of await liveMessages(op, ids)) {
    if (change.unchangedSince !== undefined && row.modseq > change.unchangedSince) {
      modified.push(row.id)
      continue
    }
    const kept = splitWords(row.keywords).filter(word => !removing.keywords.includes(word))
    const keywords = keywordColumn([...new Set([...kept, ...adding.keywords])].sort())
    const next: MessageRow = { ...row, ...columns, keywords }
    const same =
      keywords === row.keywords &&
      Object.entries(columns).every(([column, value]) => row[column as keyof FlagColumns] === value)
    if (same) continue
    const mailbox = await op.byId(row.mailbox_id)
    checkKeywords(mailbox, keywords)
    addKeywords(op, mailbox, keywords)
    count(mailbox, row, -1)
    count(mailbox, next, 1)
    next.modseq = op.modseq
    op.touch(mailbox)
    await op.context.storage
      .db(MESSAGE)
      .where({ id: row.id })
      .update({ ...columns, keywords, modseq: op.modseq })
    op.record({ kind: 'flags', mailboxId: row.mailbox_id, uid: row.uid, id: row.id })
    changed.push(next)
  }
  return { changed, modified }
}

/**
 * The message keeps its id and gets a new uid; a record with a new id stays under the old uid as expunged, and its bytes can be
 * read until it is erased.
 */
export async function move(op: Operation, ids: readonly number[], name: string): Promise<MessageRow[]> {
  const { db, content } = op.context.storage
  const target = await op.existing(name)
  const moved: MessageRow[] = []
  const left: number[] = []
  for (const [mailboxId, group] of byMailbox(await liveMessages(op, ids))) {
    const source = await op.byId(mailboxId)
    if (source === target) throw refuse('same', 'message is in the mailbox already')
    for (const row of group) {
      count(source, row, -1)
      const { id: _, ...old } = row
      const next = { ...row }
      position(op, target, next)
      leave(op, source, target, next)
      const { mailbox_id, uid, modseq, create_seq, saved_at, junk, notjunk } = next
      const { seen, is_reject, orig_mailbox_id, destined_mailbox_id } = next
      await db(MESSAGE)
        .where({ id: row.id })
        .update({
          ...{ mailbox_id, uid, modseq, create_seq, saved_at, junk, notjunk },
          ...{ seen, is_reject, orig_mailbox_id, destined_mailbox_id },
        })
      const [inserted] = (await db(MESSAGE)
        .insert({
          ...old,
          expunged_at: op.now,
          modseq: op.modseq,
          junk: 0,
          notjunk: 0,
          delivery_key: null,
          message_id: 0,
          search_id: null,
        })
        .returning('id')) as [{ id: number }]
      left.push(inserted.id)
      await content.retain(row.content_id)
      settle(op, target, next)
      moved.push(next)
    }
    op.touch(source)
    op.record({ kind: 'remove', mailboxId, uids: group.map(row => row.uid), ids: group.map(row => row.id) })
  }
  await eraseLater(op, left, false)
  return moved
}

export async function copy(op: Operation, ids: readonly number[], name: string): Promise<MessageRow[]> {
  const target = await op.existing(name)
  const rows = await liveMessages(op, ids)
  const bytes = rows.reduce((sum, row) => sum + row.size, 0)
  await checkQuota(op, bytes)
  op.account.used += bytes
  const copied: MessageRow[] = []
  for (const { id: _, ...row } of rows) {
    row.delivery_key = null
    row.search_id = null
    row.orig_mailbox_id = target.id
    const source = await op.byId(row.mailbox_id)
    position(op, target, row)
    leave(op, source, target, row)
    // What a copy was meant for matters only where the first one waits for it.
    row.destined_mailbox_id = 0
    const head = target.sent === 1 ? await readHead(op.context.storage, row) : undefined
    const inserted = await insertMessage(op, target, row, head)
    if (inserted === undefined) throw new Error('message was not inserted')
    await op.context.storage.content.retain(row.content_id)
    copied.push(inserted)
  }
  return copied
}

/** Mutes or collapses a thread: for its messages, and for those that will answer them. */
export async function setThread(
  op: Operation,
  threadId: number,
  change: { readonly muted?: boolean; readonly collapsed?: boolean },
): Promise<void> {
  const { db } = op.context.storage
  const where = { account_id: op.account.id, thread_id: threadId, expunged_at: 0 }
  const first: MessageRow | undefined = await db<MessageRow>(MESSAGE).where(where).orderBy('id').first()
  if (first === undefined) return
  const muted = change.muted ?? first.thread_muted === 1
  const collapsed = change.collapsed ?? first.thread_collapsed === 1
  const columns = { thread_muted: muted ? 1 : 0, thread_collapsed: collapsed ? 1 : 0 }
  const changes = await db(MESSAGE)
    .where(where)
    .where(query =>
      query.whereNot('thread_muted', columns.thread_muted).orWhereNot('thread_collapsed', columns.thread_collapsed),
    )
    .update(columns)
  if (changes > 0) op.record({ kind: 'thread', threadId, muted, collapsed })
}
