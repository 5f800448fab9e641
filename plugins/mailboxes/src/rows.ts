// Rows as the contract shows them.
import type { MailboxInfo, MailboxMessage, SpecialUse } from '@mox/plugin-sdk'
import { flagsOf, splitWords } from './flags.ts'
import type { MailboxRow, MessageRow } from './schema.ts'

export const ROLES: readonly SpecialUse[] = ['archive', 'drafts', 'junk', 'sent', 'trash']

export function mailboxInfo(row: MailboxRow, subscribed: boolean, introbox: boolean): MailboxInfo {
  return {
    id: row.id,
    name: row.name,
    uidValidity: row.uidvalidity,
    uidNext: row.uidnext,
    modseq: row.modseq,
    specialUse: ROLES.filter(role => row[role] === 1),
    keywords: splitWords(row.keywords),
    total: row.total,
    deleted: row.deleted,
    unread: row.unread,
    unseen: row.unseen,
    size: row.size,
    subscribed,
    introbox,
  }
}

export function mailboxMessage(row: MessageRow, account: string): MailboxMessage {
  return {
    id: row.id,
    account,
    mailboxId: row.mailbox_id,
    uid: row.uid,
    modseq: row.modseq,
    createSeq: row.create_seq,
    messageId: row.message_id,
    receivedAt: row.received_at,
    size: row.size,
    flags: flagsOf(row),
    keywords: splitWords(row.keywords),
    threadId: row.thread_id,
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    mailFrom: row.mail_from,
    rcptTo: row.rcpt_to,
    verifiedDomains: splitWords(row.verified_domains),
  }
}
