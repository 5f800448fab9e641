// What is stored of a message's header section, derived once when the message is added: enough for threads, lists and
// reputation. What needs the body is read after the delivery, see indexer.ts. All values are cut to fixed lengths; nothing throws.
import {
  author,
  canonicalMessageId,
  decodeWords,
  formatAddress,
  type Head,
  parseDate,
  parseMessageIds,
  subjectBase,
} from '@mox/plugin-sdk/mail'
import { correspondentColumns, fold } from './correspondents.ts'
import type { MessageRow } from './schema.ts'
import { references, type ThreadHead } from './threads.ts'

/** Characters of the decoded subject and of the From field that are kept. */
export const TEXT_LENGTH = 500

export type HeadColumns = Pick<
  MessageRow,
  | 'message_id_header'
  | 'subject'
  | 'subject_base'
  | 'msg_from'
  | 'from_text'
  | 'sent_at'
  | 'dsn'
  | 'correspondents'
  | 'from_search'
  | 'to_search'
  | 'subject_search'
>

export interface Description {
  readonly columns: HeadColumns
  readonly thread: ThreadHead
}

export function describe(head: Head): Description {
  const messageId = canonicalMessageId(head.get('message-id') ?? '') ?? ''
  const subject = decodeWords(head.get('subject') ?? '')
  const { base, isReply } = subjectBase(subject)
  const from = author(head)
  const date = head.get('date')
  const dsn = isDsn(head.get('content-type') ?? '')
  const columns: HeadColumns = {
    message_id_header: messageId,
    subject: cut(subject),
    subject_base: cut(base),
    msg_from: from === null ? '' : formatAddress(from),
    from_text: cut(decodeWords((head.get('from') ?? '').slice(0, 4 * TEXT_LENGTH))),
    sent_at: date === undefined ? null : parseDate(date),
    dsn: dsn ? 1 : 0,
    ...correspondentColumns(head),
    subject_search: fold(cut(subject)),
  }
  const refs = parseMessageIds(head.get('references') ?? '')
  const inReplyTo = parseMessageIds(head.get('in-reply-to') ?? '')
  return {
    columns,
    thread: { messageId, references: references(refs, inReplyTo), subjectBase: columns.subject_base, isReply, dsn },
  }
}

/** RFC 3464 §2: a multipart/report with report-type=delivery-status. */
function isDsn(contentType: string): boolean {
  return /^multipart\/report\s*;/i.test(contentType) && /;\s*report-type\s*=\s*"?delivery-status\b/i.test(contentType)
}

/** Without half of a surrogate pair at the end. */
function cut(text: string): string {
  return text.length <= TEXT_LENGTH ? text : text.slice(0, TEXT_LENGTH).toWellFormed()
}
