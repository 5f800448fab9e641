// The statements that run for every delivery, prepared once. Everything else uses the builder directly. SQLite plans a statement
// anew at each run (20 to 50 µs) when a bound value is its LIMIT or is compared with a column that no used index has; so these
// compare indexed columns only, and leave the rest to the caller.
import type { Statement, Storage } from '@mox/plugin-sdk'
import { ACCOUNT, type AccountRow, CHANGE, MAILBOX, type MailboxRow, MESSAGE, type MessageRow } from './schema.ts'
import { CANDIDATES, type Candidate } from './threads.ts'

export type NewMessage = Omit<MessageRow, 'id'>

type MailboxUpdate = Omit<
  MailboxRow,
  'account_id' | 'parent_id' | 'name' | 'uidvalidity' | 'create_seq' | 'removed_seq'
>
interface SubjectWindow {
  mailbox: number
  base: string
  from: number
  until: number
}

export interface Statements {
  /** Locks the account's row. */
  readonly account: Statement<{ name: string }, AccountRow>
  readonly updateAccount: Statement<{ id: number; modseq: number; used: number; uidvalidity: number }, unknown>
  readonly mailbox: Statement<{ account: number; name: string }, MailboxRow>
  readonly junkMailbox: Statement<{ account: number }, MailboxRow>
  readonly updateMailbox: Statement<MailboxUpdate, unknown>
  /** No row when the delivery key is there already. */
  readonly addMessage: Statement<NewMessage, { id: number }>
  readonly setThread: Statement<{ id: number; thread: number }, unknown>
  readonly delivered: Statement<{ account: number; key: string }, { id: number }>
  readonly addChange: Statement<{ account: number; modseq: number; at: number; body: string }, unknown>
  /** Messages with one of some Message-IDs, expunged ones too. */
  candidates(account: number, messageIds: readonly string[]): Promise<Candidate[]>
  /** Latest first, expunged ones too. */
  readonly bySubject: Statement<SubjectWindow, Candidate>
}

const MESSAGE_COLUMNS: readonly (keyof NewMessage)[] = [
  'account_id',
  'mailbox_id',
  'uid',
  'modseq',
  'create_seq',
  'expunged_at',
  'delivery_key',
  'message_id',
  'content_id',
  'prefix',
  'size',
  'received_at',
  'saved_at',
  'keywords',
  'orig_mailbox_id',
  'destined_mailbox_id',
  'is_reject',
  'is_forward',
  'from_verified',
  'thread_id',
  'thread_parent_id',
  'thread_missing_link',
  'thread_muted',
  'thread_collapsed',
  'message_id_header',
  'subject',
  'subject_base',
  'msg_from',
  'from_text',
  'sent_at',
  'dsn',
  'correspondents',
  'from_search',
  'to_search',
  'subject_search',
  'preview',
  'attachments',
  'files_search',
  'bodies',
  'search_id',
  'mail_from',
  'rcpt_to',
  'remote_ip',
  'helo',
  'tls_version',
  'verified_domains',
  'seen',
  'answered',
  'flagged',
  'forwarded',
  'junk',
  'notjunk',
  'deleted',
  'draft',
  'phishing',
  'mdn_sent',
]
const MAILBOX_COLUMNS: readonly (keyof MailboxUpdate)[] = [
  'uidnext',
  'modseq',
  'keywords',
  'total',
  'deleted',
  'unread',
  'unseen',
  'size',
  'archive',
  'drafts',
  'junk',
  'sent',
  'trash',
]
const CANDIDATE_COLUMNS = [
  'id',
  'mailbox_id',
  'is_reject',
  'expunged_at',
  'message_id_header',
  'subject_base',
  'thread_id',
  'thread_muted',
  'thread_collapsed',
]
/** How many Message-IDs the lookups take; shorter lists are filled up with ''. The last one is REFERENCES and the own id. */
const LOOKUP_SIZES = [1, 4, 16, 64]

/** What a changed mailbox writes back. Name, parent and removal are written where they change. */
export function mailboxUpdate(row: MailboxRow): MailboxUpdate {
  return Object.fromEntries(
    ['id', ...MAILBOX_COLUMNS].map(column => [column, row[column as keyof MailboxRow]]),
  ) as unknown as MailboxUpdate
}

export function prepare(storage: Storage): Statements {
  const lookups = LOOKUP_SIZES.map(size =>
    storage.statement<Record<string, string | number>, Candidate>((db, p) =>
      db(MESSAGE)
        .select(CANDIDATE_COLUMNS)
        .where('account_id', p('account'))
        .whereIn(
          'message_id_header',
          Array.from({ length: size }, (_, i) => p(`id${i}`)),
        )
        .limit(CANDIDATES, { skipBinding: true }),
    ),
  )
  return {
    account: storage.statement((db, p) => db(ACCOUNT).select('*').where('name', p('name')).forUpdate()),
    updateAccount: storage.statement((db, p) =>
      db(ACCOUNT)
        .where('id', p('id'))
        .update({ modseq: p('modseq'), used: p('used'), uidvalidity: p('uidvalidity') }),
    ),
    mailbox: storage.statement((db, p) =>
      db(MAILBOX).select('*').where('account_id', p('account')).where('name', p('name')).where('removed_seq', 0),
    ),
    junkMailbox: storage.statement((db, p) =>
      db(MAILBOX).select('*').where('account_id', p('account')).where('junk', 1).where('removed_seq', 0),
    ),
    updateMailbox: storage.statement((db, p) =>
      db(MAILBOX)
        .where('id', p('id'))
        .update(Object.fromEntries(MAILBOX_COLUMNS.map(column => [column, p(column)]))),
    ),
    addMessage: storage.statement((db, p) =>
      db(MESSAGE)
        .insert(Object.fromEntries(MESSAGE_COLUMNS.map(column => [column, p(column)])))
        .onConflict(['account_id', 'delivery_key'])
        .ignore()
        .returning('id'),
    ),
    setThread: storage.statement((db, p) =>
      db(MESSAGE)
        .where('id', p('id'))
        .update({ thread_id: p('thread') }),
    ),
    delivered: storage.statement((db, p) =>
      db(MESSAGE).select('id').where('account_id', p('account')).where('delivery_key', p('key')),
    ),
    addChange: storage.statement((db, p) =>
      db(CHANGE).insert({ account_id: p('account'), modseq: p('modseq'), at: p('at'), body: p('body') }),
    ),
    candidates(account, messageIds) {
      const index = LOOKUP_SIZES.findIndex(size => size >= messageIds.length)
      const values: Record<string, string | number> = { account }
      for (let i = 0; i < LOOKUP_SIZES[index]!; i++) values[`id${i}`] = messageIds[i] ?? messageIds[0] ?? ''
      return lookups[index]!.all(values)
    },
    bySubject: storage.statement((db, p) =>
      db(MESSAGE)
        .select(CANDIDATE_COLUMNS)
        .where('orig_mailbox_id', p('mailbox'))
        .where('subject_base', p('base'))
        .where('received_at', '>=', p('from'))
        .where('received_at', '<=', p('until'))
        .orderBy('received_at', 'desc')
        .limit(CANDIDATES, { skipBinding: true }),
    ),
  }
}
