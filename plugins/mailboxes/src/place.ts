// Putting a message row into a mailbox: position() before the row is written, settle() after; its thread and the recipients of
// sent mail. Used by delivery, append, copy and move, so that all keep the same promises.
import { type Head, parseAddressList, parseDate } from '@mox/plugin-sdk/mail'
import { count } from './counts.ts'
import { refuse } from './errors.ts'
import { joinWords, MAILBOX_KEYWORDS, mergeWords, NO_FLAGS, splitWords } from './flags.ts'
import type { Operation } from './operation.ts'
import { type MailboxRow, type MessageRow, RECIPIENT } from './schema.ts'
import {
  type Candidate,
  isLive,
  isRefusedCopy,
  type Link,
  link,
  linksBySubject,
  lookups,
  SUBJECT_AFTER_MS,
  SUBJECT_BEFORE_MS,
  type ThreadHead,
} from './threads.ts'

/** RFC 9051 §2.3.1.1: uids are 32 bits. */
export const UID_MAX = 0xffff_ffff
/** Recipients recorded of one sent message. */
export const SENT_RECIPIENTS = 1_000

/** Fills in where a row will stand in a mailbox, without changing the mailbox; throws when there is no room. */
export function position(op: Operation, mailbox: MailboxRow, row: Placed): void {
  if (mailbox.uidnext > UID_MAX) throw refuse('limit', 'mailbox has no more uids')
  checkKeywords(mailbox, row.keywords)
  // A mailbox with the Junk role makes what comes into it junk.
  if (mailbox.junk === 1) {
    row.junk = 1
    row.notjunk = 0
  } else Object.assign(row, op.context.junkFlags(mailbox.name))
  row.mailbox_id = mailbox.id
  row.uid = mailbox.uidnext
  row.modseq = op.modseq
  row.create_seq = op.modseq
  row.saved_at = op.now
}

type Placed = Pick<
  MessageRow,
  | 'mailbox_id'
  | 'uid'
  | 'modseq'
  | 'create_seq'
  | 'saved_at'
  | 'keywords'
  | 'junk'
  | 'notjunk'
  | 'seen'
  | 'deleted'
  | 'size'
>

/** Counts a row that was written at its position. */
export function settle(op: Operation, mailbox: MailboxRow, row: Placed & { readonly id: number }): void {
  mailbox.uidnext = row.uid + 1
  addKeywords(op, mailbox, row.keywords)
  count(mailbox, row, 1)
  op.touch(mailbox)
  op.record({ kind: 'add', mailboxId: mailbox.id, uid: row.uid, id: row.id })
}

/** Throws when the mailbox cannot learn so many keywords. */
export function checkKeywords(mailbox: MailboxRow, keywords: string): void {
  const merged = mergeWords(mailbox.keywords, keywords)
  if (merged !== mailbox.keywords && splitWords(merged).length > MAILBOX_KEYWORDS) {
    throw refuse('limit', 'too many keywords in mailbox')
  }
}

/** Extends the list of keywords that the mailbox knows; it never shrinks. */
export function addKeywords(op: Operation, mailbox: MailboxRow, keywords: string): void {
  const merged = mergeWords(mailbox.keywords, keywords)
  if (merged === mailbox.keywords) return
  mailbox.keywords = merged
  op.touch(mailbox)
  op.recordMailbox(mailbox)
}

/** Those of the keywords that the mailbox has room for: delivery goes on without the others. */
export function affordableKeywords(mailbox: MailboxRow, keywords: string): string {
  const known = splitWords(mailbox.keywords)
  const room = MAILBOX_KEYWORDS - known.length
  const words = splitWords(keywords)
  const added = words.filter(word => !known.includes(word)).slice(0, Math.max(0, room))
  return joinWords(words.filter(word => known.includes(word) || added.includes(word)))
}

/** Finds the message that a new one answers, and copies of it that were kept when it was refused before. */
export async function findThread(
  op: Operation,
  thread: ThreadHead,
  mailboxId: number,
  receivedAt: number,
): Promise<Link & { readonly refused: readonly Candidate[] }> {
  const { statements } = op.context
  const ids = lookups(thread)
  const candidates = ids.length === 0 ? [] : await statements.candidates(op.account.id, ids)
  const refused = candidates.filter(stored => isRefusedCopy(stored, thread))
  const found = { ...link(thread, candidates), refused }
  if (found.parent !== undefined || !linksBySubject(thread)) return found
  const latest = await statements.bySubject.all({
    mailbox: mailboxId,
    base: thread.subjectBase,
    from: receivedAt - SUBJECT_BEFORE_MS,
    until: receivedAt + SUBJECT_AFTER_MS,
  })
  const parent = latest.find(isLive)
  return parent === undefined ? found : { ...found, parent, missingLink: true }
}

type ThreadColumns = Pick<
  MessageRow,
  'thread_id' | 'thread_parent_id' | 'thread_missing_link' | 'thread_muted' | 'thread_collapsed'
>

/** `thread_id` is 0 for a message that starts a thread: it becomes the message's own id. */
export function threadColumns({ parent, missingLink }: Link): ThreadColumns {
  return {
    thread_id: parent?.thread_id ?? 0,
    thread_parent_id: parent?.id ?? 0,
    thread_missing_link: missingLink ? 1 : 0,
    thread_muted: parent?.thread_muted ?? 0,
    thread_collapsed: parent?.thread_collapsed ?? 0,
  }
}

/** Records whom a message in the Sent mailbox went to, for completing addresses and knowing first-time recipients. */
export async function addRecipients(op: Operation, id: number, head: Head, receivedAt: number): Promise<void> {
  const { db } = op.context.storage
  const date = head.get('date')
  const sentAt = (date === undefined ? null : parseDate(date)) ?? receivedAt
  const seen = new Set<string>()
  for (const field of ['to', 'cc', 'bcc']) {
    for (const { value } of head.all(field).slice(0, SENT_RECIPIENTS)) {
      for (const { address } of parseAddressList(value)) {
        const key = address === null ? '' : `${address.localpart}@${address.domain}`
        if (address === null || seen.has(key)) continue
        if (seen.size >= SENT_RECIPIENTS) return
        seen.add(key)
        await db(RECIPIENT).insert({
          account_id: op.account.id,
          message_id: id,
          localpart: address.localpart,
          domain: address.domain,
          sent_at: sentAt,
        })
      }
    }
  }
}

/** A row with everything empty. */
export function blankRow(op: Operation, mailbox: MailboxRow): Omit<MessageRow, 'id'> {
  return {
    account_id: op.account.id,
    mailbox_id: mailbox.id,
    uid: 0,
    modseq: 0,
    create_seq: 0,
    expunged_at: 0,
    delivery_key: null,
    message_id: 0,
    content_id: 0,
    prefix: Buffer.alloc(0),
    size: 0,
    received_at: 0,
    saved_at: 0,
    ...NO_FLAGS,
    keywords: '',
    orig_mailbox_id: mailbox.id,
    destined_mailbox_id: 0,
    is_reject: 0,
    is_forward: 0,
    from_verified: 0,
    thread_id: 0,
    thread_parent_id: 0,
    thread_missing_link: 0,
    thread_muted: 0,
    thread_collapsed: 0,
    message_id_header: '',
    subject: '',
    subject_base: '',
    msg_from: '',
    from_text: '',
    sent_at: null,
    dsn: 0,
    correspondents: '',
    from_search: '',
    to_search: '',
    subject_search: '',
    preview: null,
    attachments: null,
    files_search: '',
    bodies: null,
    search_id: null,
    mail_from: '',
    rcpt_to: '',
    remote_ip: '',
    helo: '',
    tls_version: '',
    verified_domains: '',
  }
}

/** Writes a positioned row with all that belongs to it; undefined when its delivery key is there already. */
export async function insertMessage(
  op: Operation,
  mailbox: MailboxRow,
  row: Omit<MessageRow, 'id'>,
  head: Head | undefined,
): Promise<MessageRow | undefined> {
  const { statements } = op.context
  const inserted = await statements.addMessage.get(row)
  if (inserted === undefined) return undefined
  const message: MessageRow = { ...row, id: inserted.id, thread_id: row.thread_id || inserted.id }
  if (row.thread_id === 0) await statements.setThread.run({ id: message.id, thread: message.id })
  settle(op, mailbox, message)
  if (head !== undefined && mailbox.sent === 1) await addRecipients(op, message.id, head, message.received_at)
  return message
}
