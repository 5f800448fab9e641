// Rows of messages as lists show them.
import type { ListedMessage } from '@mox/plugin-sdk'
import type { AttachmentKind } from '@mox/plugin-sdk/mail'
import { readCorrespondents } from './correspondents.ts'
import { flagsOf, splitWords } from './flags.ts'
import type { FlagColumns, MessageRow } from './schema.ts'

export type ListedRow = FlagColumns &
  Pick<
    MessageRow,
    | 'id'
    | 'account_id'
    | 'mailbox_id'
    | 'uid'
    | 'modseq'
    | 'received_at'
    | 'sent_at'
    | 'size'
    | 'keywords'
    | 'thread_id'
    | 'thread_parent_id'
    | 'thread_missing_link'
    | 'thread_muted'
    | 'thread_collapsed'
    | 'message_id_header'
    | 'subject'
    | 'correspondents'
    | 'from_search'
    | 'to_search'
    | 'subject_search'
    | 'files_search'
    | 'preview'
    | 'attachments'
    | 'search_id'
  >

export const LISTED_COLUMNS: readonly (keyof ListedRow)[] = [
  ...([
    'id',
    'account_id',
    'mailbox_id',
    'uid',
    'modseq',
    'received_at',
    'sent_at',
    'size',
    'keywords',
    'thread_id',
  ] as const),
  ...(['thread_parent_id', 'thread_missing_link', 'thread_muted', 'thread_collapsed', 'message_id_header'] as const),
  ...(['subject', 'correspondents', 'from_search', 'to_search', 'subject_search', 'files_search'] as const),
  ...(['preview', 'attachments', 'search_id'] as const),
  ...(['seen', 'answered', 'flagged', 'forwarded', 'junk', 'notjunk', 'deleted', 'draft'] as const),
  ...(['phishing', 'mdn_sent'] as const),
]

export function listedMessage(row: ListedRow): ListedMessage {
  return {
    id: row.id,
    mailboxId: row.mailbox_id,
    uid: row.uid,
    modseq: row.modseq,
    receivedAt: row.received_at,
    sentAt: row.sent_at,
    size: row.size,
    flags: flagsOf(row),
    keywords: splitWords(row.keywords),
    threadId: row.thread_id,
    threadParentId: row.thread_parent_id,
    threadMissingLink: row.thread_missing_link === 1,
    threadMuted: row.thread_muted === 1,
    threadCollapsed: row.thread_collapsed === 1,
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    ...readCorrespondents(row.correspondents),
    preview: row.preview ?? '',
    attachments: splitWords(row.attachments ?? '') as AttachmentKind[],
  }
}
