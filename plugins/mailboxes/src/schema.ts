// The tables of the message store and their rows. All accounts share them. Times are milliseconds since the epoch, yes/no
// columns are 0 or 1, lists of words are joined by spaces. A migration that fails leaves the version before it.
import type { Migration } from '@mox/plugin-sdk'
import { LATEST } from './times.ts'

/** The query builder inside a unit of work. */
export type Db = Parameters<Migration['up']>[0]

export interface AccountRow {
  id: number
  name: string
  /** The next mailbox takes this one. */
  uidvalidity: number
  /** The last one given out. */
  modseq: number
  /** Changes up to this modseq are no longer in the log, nor records of messages that were expunged by them. */
  purged: number
  /** Bytes of all messages, those expunged but not yet erased included. */
  used: number
  /** Rules for deliveries as JSON; '' without any. Here, so that a delivery needs no look at another table. */
  rules: string
  /** The mailbox for mail of first-time senders; 0 for none. Here for the same reason. */
  introbox_id: number
}

/** The columns of a mailbox that hold a role; the same words as `SpecialUse`. */
export interface RoleColumns {
  archive: number
  drafts: number
  junk: number
  sent: number
  trash: number
}

export interface MailboxRow extends RoleColumns {
  id: number
  account_id: number
  /** 0 at the top. */
  parent_id: number
  name: string
  uidvalidity: number
  uidnext: number
  create_seq: number
  modseq: number
  /** 0 while it exists, else the modseq of its removal: makes names of existing mailboxes unique. */
  removed_seq: number
  keywords: string
  total: number
  deleted: number
  unread: number
  unseen: number
  size: number
}

/** The columns of a message that hold a flag. */
export interface FlagColumns {
  seen: number
  answered: number
  flagged: number
  forwarded: number
  junk: number
  notjunk: number
  deleted: number
  draft: number
  phishing: number
  mdn_sent: number
}

export interface AnnotationRow {
  id: number
  account_id: number
  /** 0 for the account. */
  mailbox_id: number
  key: string
  value: Buffer
  is_string: number
  create_seq: number
  modseq: number
}

export interface MessageRow extends FlagColumns {
  id: number
  account_id: number
  mailbox_id: number
  uid: number
  modseq: number
  create_seq: number
  /** 0 while it exists, else when it was expunged. */
  expunged_at: number
  /** Null for what did not come by delivery. */
  delivery_key: string | null
  /** Id in the message repository, or 0. */
  message_id: number
  /** 0 once erased. */
  content_id: number
  prefix: Buffer
  size: number
  received_at: number
  /** When it came to this mailbox. */
  saved_at: number
  keywords: string
  /** The mailbox it was first put in; moves do not change it. */
  orig_mailbox_id: number
  /** The mailbox it was meant for, while it is where refused mail or first-time senders go; else 0. */
  destined_mailbox_id: number
  /** A copy of what was refused. */
  is_reject: number
  /** Came through somebody who forwards mail of others. */
  is_forward: number
  /** Whether SPF or DKIM vouched for the domain in From. */
  from_verified: number
  /** Id of the first message of the thread. */
  thread_id: number
  /** The message it answers, always an earlier one; 0 for none. */
  thread_parent_id: number
  thread_missing_link: number
  thread_muted: number
  thread_collapsed: number
  message_id_header: string
  subject: string
  subject_base: string
  /** The strict author as "local@domain", '' when in doubt. */
  msg_from: string
  /** The From field for display. */
  from_text: string
  /** Of the Date field; null when there is none. */
  sent_at: number | null
  dsn: number
  /** Names and addresses for lists, as JSON. */
  correspondents: string
  /** Folded: what is searched for parts of From, of To, Cc and Bcc, of the subject. */
  from_search: string
  to_search: string
  subject_search: string
  /** Null until the message was read for lists and search. */
  preview: string | null
  /** Kinds of attachments as a list of words; null like `preview`. */
  attachments: string | null
  /** Folded: what is searched for parts of names of attachments; '' until it was read. */
  files_search: string
  /** What there is to read, as a list of words: text, html. Null like `preview`. */
  bodies: string | null
  /** Key in the search index, in the order of receipt; null until it was read; below 0: not in the index. */
  search_id: number | null
  mail_from: string
  rcpt_to: string
  remote_ip: string
  helo: string
  /** '' without TLS. */
  tls_version: string
  /** A list of words: what SPF or DKIM vouched for when it was delivered. */
  verified_domains: string
}

/**
 * Messages in a mailbox, for a query that another condition narrows to a few: the signs keep the database from walking through
 * the whole mailbox along an index that begins with these columns.
 */
export const LIVE_IN = '+mailbox_id = ? and +expunged_at = 0'

export const ACCOUNT = 'mailboxes_account'
export const MAILBOX = 'mailboxes_mailbox'
export const MESSAGE = 'mailboxes_message'
export const SUBSCRIPTION = 'mailboxes_subscription'
export const CHANGE = 'mailboxes_change'
export const ERASE = 'mailboxes_erase'
export const ANNOTATION = 'mailboxes_annotation'
export const RECIPIENT = 'mailboxes_recipient'

const ROLES = ['archive', 'drafts', 'junk', 'sent', 'trash']
const FLAGS = [
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

export const migrations: readonly Migration[] = [
  { version: 1, name: 'message store', up },
  { version: 2, name: 'lists and search', up: lists },
  { version: 3, name: 'delivery rules', up: rules },
  { version: 4, name: 'annotations', up: annotations },
  { version: 5, name: 'verified domains', up: verifiedDomains },
  { version: 6, name: 'first-time senders and rejects', up: introbox },
  { version: 7, name: 'names of files, and what there is to read', up: files },
]

async function files(db: Db): Promise<void> {
  await db.schema.alterTable(MESSAGE, table => {
    table.text('files_search').notNullable().defaultTo('')
    table.text('bodies')
  })
  // What earlier versions took from archives: times that no list can show.
  await db(MESSAGE).where('received_at', '<', 0).update({ received_at: 0 })
  await db(MESSAGE).where('received_at', '>', LATEST).update({ received_at: LATEST })
  // All are read again.
  await db(MESSAGE).where('search_id', '>', 0).update({ search_id: null })
}

async function verifiedDomains(db: Db): Promise<void> {
  await db.schema.alterTable(MESSAGE, table => {
    table.text('verified_domains').notNullable().defaultTo('')
  })
}

async function introbox(db: Db): Promise<void> {
  await db.schema.alterTable(ACCOUNT, table => {
    table.integer('introbox_id').notNullable().defaultTo(0)
  })
  await db.schema.alterTable(MESSAGE, table => {
    table.integer('destined_mailbox_id').notNullable().defaultTo(0)
    for (const name of ['is_reject', 'is_forward', 'from_verified']) table.smallint(name).notNullable().defaultTo(0)
    table.index(['account_id', 'msg_from'], 'mailboxes_message_by_sender')
  })
}

async function annotations(db: Db): Promise<void> {
  await db.schema.createTable(ANNOTATION, table => {
    table.increments('id')
    table.integer('account_id').notNullable()
    table.integer('mailbox_id').notNullable()
    table.string('key').notNullable()
    table.binary('value').notNullable()
    table.smallint('is_string').notNullable()
    table.bigInteger('create_seq').notNullable()
    table.bigInteger('modseq').notNullable()
    table.unique(['account_id', 'mailbox_id', 'key'])
  })
}

async function rules(db: Db): Promise<void> {
  await db.schema.alterTable(ACCOUNT, table => {
    table.text('rules').notNullable().defaultTo('')
  })
}

/** What lists show and search looks at; messages from before are read like new ones. */
async function lists(db: Db): Promise<void> {
  await db.schema.alterTable(MESSAGE, table => {
    for (const name of ['correspondents', 'from_search', 'to_search', 'subject_search'])
      table.text(name).notNullable().defaultTo('')
    table.text('preview')
    table.text('attachments')
    table.bigInteger('search_id').unique()
    table.index(['mailbox_id', 'expunged_at', 'received_at', 'id'], 'mailboxes_message_by_mailbox')
    table.index(['account_id', 'expunged_at', 'received_at', 'id', 'mailbox_id'], 'mailboxes_message_by_account')
  })
}

async function up(db: Db): Promise<void> {
  await db.schema.createTable(ACCOUNT, table => {
    table.increments('id')
    table.string('name').notNullable().unique()
    for (const name of ['uidvalidity', 'modseq', 'purged', 'used']) table.bigInteger(name).notNullable()
  })
  await db.schema.createTable(MAILBOX, table => {
    table.increments('id')
    table.integer('account_id').notNullable()
    table.integer('parent_id').notNullable()
    table.string('name', 1000).notNullable()
    for (const name of ['uidvalidity', 'uidnext', 'create_seq', 'modseq', 'removed_seq'])
      table.bigInteger(name).notNullable()
    for (const role of ROLES) table.smallint(role).notNullable()
    table.text('keywords').notNullable()
    for (const name of ['total', 'deleted', 'unread', 'unseen', 'size']) table.bigInteger(name).notNullable()
    table.unique(['account_id', 'name', 'removed_seq'])
  })
  await messageTable(db)
  await db.schema.createTable(SUBSCRIPTION, table => {
    table.integer('account_id').notNullable()
    table.string('name', 1000).notNullable()
    table.primary(['account_id', 'name'])
  })
  await db.schema.createTable(CHANGE, table => {
    table.bigIncrements('id')
    table.integer('account_id').notNullable()
    table.bigInteger('modseq').notNullable()
    table.bigInteger('at').notNullable().index()
    table.text('body').notNullable()
    table.index(['account_id', 'modseq'])
  })
  await db.schema.createTable(ERASE, table => {
    table.bigInteger('message_id').primary()
    table.integer('account_id').notNullable().index()
    table.bigInteger('due').notNullable().index()
    // Whether the bytes still count as used: not for what a move leaves behind.
    table.smallint('counted').notNullable()
  })
  await db.schema.createTable(RECIPIENT, table => {
    table.bigIncrements('id')
    table.integer('account_id').notNullable()
    table.bigInteger('message_id').notNullable().index()
    table.string('localpart').notNullable()
    table.string('domain').notNullable()
    table.bigInteger('sent_at').notNullable()
    table.index(['account_id', 'domain', 'localpart'])
  })
}

async function messageTable(db: Db): Promise<void> {
  await db.schema.createTable(MESSAGE, table => {
    table.bigIncrements('id')
    table.integer('account_id').notNullable()
    table.integer('mailbox_id').notNullable()
    for (const name of ['uid', 'modseq', 'create_seq', 'expunged_at']) table.bigInteger(name).notNullable()
    table.string('delivery_key')
    table.bigInteger('message_id').notNullable().index()
    table.bigInteger('content_id').notNullable()
    table.binary('prefix').notNullable()
    for (const name of ['size', 'received_at', 'saved_at']) table.bigInteger(name).notNullable()
    for (const flag of FLAGS) table.smallint(flag).notNullable()
    table.text('keywords').notNullable()
    table.integer('orig_mailbox_id').notNullable()
    table.bigInteger('thread_id').notNullable().index()
    table.bigInteger('thread_parent_id').notNullable()
    for (const name of ['thread_missing_link', 'thread_muted', 'thread_collapsed']) table.smallint(name).notNullable()
    table.string('message_id_header', 1000).notNullable()
    table.text('subject').notNullable()
    table.string('subject_base', 1000).notNullable()
    table.text('msg_from').notNullable()
    table.text('from_text').notNullable()
    table.bigInteger('sent_at')
    table.smallint('dsn').notNullable()
    for (const name of ['mail_from', 'rcpt_to', 'remote_ip', 'helo', 'tls_version']) table.string(name).notNullable()
    table.unique(['mailbox_id', 'uid'])
    table.unique(['account_id', 'delivery_key'])
    table.index(['mailbox_id', 'modseq'])
    table.index(['account_id', 'message_id_header'])
    table.index(['orig_mailbox_id', 'subject_base', 'received_at'])
  })
}
