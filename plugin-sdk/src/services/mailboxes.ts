// mailboxes@1: the message store that webmail and IMAP stand on.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { Path } from '../mail/address.ts'
import type { Head } from '../mail/header.ts'
import { MailError, type SmtpReply } from '../model/reply.ts'
import type { TlsFacts } from '../model/session.ts'
import type { StagedContent } from './content.ts'
import type { ExportOptions, ImportOptions, ImportResult } from './mailbox-archives.ts'
import type { ListedMessage, ListOptions, ListQuery, MessagePage, ThreadPage } from './mailbox-lists.ts'

/** One copy of a message for one account. */
export interface LocalDelivery {
  readonly account: string
  /** Mailbox name; made when missing. */
  readonly mailbox: string
  /** Stable: a second delivery with the same key is recognised and does nothing. */
  readonly key: string
  /** Id in the message repository: ties the stored copy to its trace. */
  readonly messageId: number
  /** The store takes one reference of its own. */
  readonly contentId: number
  /** Fields that stand before the content: Return-Path, Delivered-To, Received and so on. */
  readonly prefix: Buffer
  /** Bytes of prefix and content. */
  readonly size: number
  /** The header section of prefix and content. */
  readonly head: Head
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  readonly reversePath: Path | null
  readonly recipient: Path
  readonly remoteIp: string
  readonly helo: string
  readonly tls?: TlsFacts
  readonly keywords: readonly string[]
  readonly junk: boolean
  readonly seen?: boolean
  /** Domains that SPF (of HELO or MAIL FROM) or DKIM vouch for, as A-labels; rules look at them. */
  readonly verifiedDomains?: readonly string[]
  /** It was refused; a copy is kept for a look, in the mailbox for those unless a rule names another. */
  readonly rejected?: boolean
}

/** What rules look at. */
export type RuledDelivery = Pick<LocalDelivery, 'account' | 'recipient' | 'reversePath' | 'head' | 'verifiedDomains'>

/** The rule that a delivery meets. */
export interface Ruling {
  readonly rule: DeliveryRule
  /** The rule's `listAllowDomain` is verified: the message is taken without looking for spam. */
  readonly listed: boolean
}

export type LocalOutcome =
  | { readonly ok: true; readonly id: number; readonly duplicate: boolean }
  /** Over quota and the like; nothing was changed and the unit of work remains usable. */
  | { readonly ok: false; readonly reply: SmtpReply }

/** Name and roles of a mailbox with its counts. */
export interface MailboxInfo {
  readonly id: number
  readonly name: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly modseq: number
  readonly specialUse: readonly SpecialUse[]
  readonly keywords: readonly string[]
  /** Messages not marked deleted. */
  readonly total: number
  readonly deleted: number
  /** Unseen and not deleted. */
  readonly unread: number
  readonly unseen: number
  /** Bytes. */
  readonly size: number
  readonly subscribed: boolean
  /** Mail of first-time senders is put here instead of Inbox; one mailbox of an account at most. */
  readonly introbox: boolean
}

/** RFC 6154 §2. */
export type SpecialUse = 'archive' | 'drafts' | 'junk' | 'sent' | 'trash'

export interface Flags {
  readonly seen: boolean
  readonly answered: boolean
  readonly flagged: boolean
  readonly forwarded: boolean
  readonly junk: boolean
  readonly notjunk: boolean
  readonly deleted: boolean
  readonly draft: boolean
  readonly phishing: boolean
  readonly mdnSent: boolean
}

/** A message in a mailbox. */
export interface MailboxMessage {
  readonly id: number
  readonly account: string
  readonly mailboxId: number
  readonly uid: number
  readonly modseq: number
  readonly createSeq: number
  /** Id in the message repository; 0 when it did not come in over SMTP or a submission. */
  readonly messageId: number
  readonly receivedAt: number
  readonly size: number
  readonly flags: Flags
  readonly keywords: readonly string[]
  readonly threadId: number
  /** Message-ID without brackets, lower case. */
  readonly messageIdHeader: string
  readonly subject: string
  /** "local@domain" of the reverse-path. */
  readonly mailFrom: string
  readonly rcptTo: string
  /** Domains that SPF or DKIM vouched for when it was delivered, as A-labels. */
  readonly verifiedDomains: readonly string[]
}

/** The part of the message store that every user of it needs; `Store` of one account does the rest. */
export interface Mailboxes {
  /** Name of the mailbox for messages that were refused; '' without one. */
  readonly rejectsMailbox: string
  /** Files a message; must run inside a unit of work. */
  deliver(delivery: LocalDelivery): Promise<LocalOutcome>
  /** The rule that a delivery would meet, for who judges the message before: what it says of forwards, lists and rejects. */
  ruling(delivery: RuledDelivery): Promise<Ruling | undefined>
  /** The store of one account; made on first use. */
  store(account: string): Promise<MailStore>
  /** A message by id, whatever the account. */
  message(id: number): Promise<MailboxMessage | undefined>
  /** Newest first over all accounts, ids below `before` if given. */
  recent(options: { readonly limit: number; readonly before?: number }): Promise<MailboxMessage[]>
  /** Copies made of one received message. */
  copies(messageId: number): Promise<MailboxMessage[]>
  /** Prefix and content. Throws when it is gone. */
  open(id: number): Promise<AsyncIterable<Buffer>>
  /** Calls back after each commit that changed an account's store; returns how to stop. */
  watch(account: string, listener: (changes: readonly Change[]) => void): () => void
  /** Like `watch`, with the changes kept until they are taken. `wake` is called when there is something to take or an overflow. */
  session(account: string, wake: () => void): ChangeSession
  /** Problems found in the stores, at most 20 of a kind; an empty list means consistent. */
  verify(): Promise<string[]>
}

/** One account's messages. Every method that changes something is one unit of work, or joins the surrounding one. */
export interface MailStore {
  readonly account: string
  mailboxes(): Promise<MailboxInfo[]>
  mailbox(name: string): Promise<MailboxInfo | undefined>
  /** Makes missing parents too. Throws a MailError when it exists or the name is not allowed. */
  create(name: string, specialUse?: readonly SpecialUse[]): Promise<MailboxInfo>
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  setSpecialUse(name: string, specialUse: readonly SpecialUse[]): Promise<void>
  /** Has mail of first-time senders put in a mailbox, made when missing, instead of Inbox; '' for no longer. */
  setIntrobox(name: string): Promise<void>
  subscribe(name: string, subscribed: boolean): Promise<void>
  /** By uid ascending, from `after` (exclusive). */
  messages(
    mailboxId: number,
    options: { readonly limit: number; readonly after?: number; readonly changedSince?: number },
  ): Promise<MailboxMessage[]>
  /** A page of messages by time of receipt. Reads committed state. */
  list(options: ListOptions): Promise<MessagePage>
  /** A page of threads, each with its messages. */
  threads(options: ListOptions): Promise<ThreadPage>
  /** Messages by id, in the order of the ids; those that are not there are left out. */
  listed(ids: readonly number[]): Promise<ListedMessage[]>
  /** Which of the messages a list with that query has. */
  matching(query: ListQuery, ids: readonly number[]): Promise<number[]>
  /** Adds a message that did not come in by delivery: IMAP APPEND, Sent copies, drafts. */
  append(message: AppendMessage): Promise<MailboxMessage>
  /** Sets and clears flags and keywords; returns the messages that changed. `unchangedSince`: RFC 7162 §3.1.3, others are returned in `modified`. */
  setFlags(ids: readonly number[], change: FlagChange): Promise<{ changed: MailboxMessage[]; modified: number[] }>
  /** New uids in the destination; a moved message keeps its id. */
  move(ids: readonly number[], mailbox: string): Promise<MailboxMessage[]>
  copy(ids: readonly number[], mailbox: string): Promise<MailboxMessage[]>
  /** Removes messages. Their bytes count against the quota until no session can still show them. */
  expunge(ids: readonly number[]): Promise<void>
  /** Uids expunged from a mailbox after a modseq. */
  expungedSince(mailboxId: number, modseq: number): Promise<number[]>
  /** Annotations of a mailbox, with '' of the account, by key (RFC 5464). */
  annotations(mailbox: string): Promise<Annotation[]>
  /** Sets annotations, all or none; null removes one. Throws a MailboxError: `name` for a key, `limit` for too much. */
  annotate(
    mailbox: string,
    entries: readonly { readonly key: string; readonly value: string | Buffer | null }[],
  ): Promise<void>
  /** Rules for deliveries, in the order in which they are tried. */
  rules(): Promise<DeliveryRule[]>
  /** Adds a rule at the end. Throws a MailboxError that says what is wrong with it. */
  addRule(rule: DeliveryRule): Promise<void>
  /** Removes the rules that are equal but for the comment; returns how many. */
  removeRule(rule: DeliveryRule): Promise<number>
  thread(threadId: number): Promise<MailboxMessage[]>
  /** Messages with that Message-ID, in whatever form it is written, oldest first; at most 100. */
  withMessageId(messageId: string): Promise<MailboxMessage[]>
  setThread(threadId: number, change: { readonly muted?: boolean; readonly collapsed?: boolean }): Promise<void>
  /** The last modseq given out. Read before a snapshot of the state, it is where `changesSince` takes the snapshot on. */
  modseq(): Promise<number>
  /**
   * Changes after a modseq, oldest first; `complete` is false when the log no longer reaches back that far. They name everything
   * that differs: who reads the named messages and mailboxes anew, and drops what was removed, has the present state.
   */
  changesSince(modseq: number, limit: number): Promise<{ changes: Change[]; complete: boolean }>
  /**
   * Adds the messages of a file or folder of this machine: mbox, or zip, tar and tgz with mbox files and Maildirs. In batches: what
   * was added stays when it fails or is stopped, and a second run goes on, as messages that are there are passed by.
   */
  import(path: string, options?: ImportOptions): Promise<ImportResult>
  /** The account's mail as an archive, while it is read. Messages that cannot be read are listed in its errors.txt. */
  export(options: ExportOptions): AsyncIterable<Buffer>
  usage(): Promise<{ readonly used: number; readonly quota: number }>
}

export interface AppendMessage {
  readonly mailbox: string
  /** A whole message; staged content has no other keeper and is on stable storage, so that a large one need not be held in memory. */
  readonly content: Buffer | StagedContent
  readonly flags?: Partial<Flags>
  readonly keywords?: readonly string[]
  readonly receivedAt?: number
  readonly messageId?: number
}

export interface Annotation {
  /** Lower case; begins with "/private/" or "/shared/". */
  readonly key: string
  /** A string when it was set as one. */
  readonly value: string | Buffer
  readonly modseq: number
}

/**
 * Files what is delivered to an address in another mailbox. The first rule of which all conditions hold decides; it has one at
 * least. Regular expressions are those of RE2, without regard to case, and may match anywhere.
 */
export interface DeliveryRule {
  /** The recipient, as "local@domain"; '' for every address of the account. */
  readonly recipient: string
  /** Of the reverse-path, as "local@domain"; '' for `<>`. */
  readonly mailFrom?: string | undefined
  /** Of the address in From, when there is one and no doubt about it. */
  readonly msgFrom?: string | undefined
  /** A verified domain is this one or below it. */
  readonly verifiedDomain?: string | undefined
  /** For each there is a header field whose name and value match. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[] | undefined
  /** Whoever sends this forwards mail of others: not its own policy or reputation counts. Needs `mailFrom` and `verifiedDomain`. */
  readonly forward?: boolean | undefined
  /** No condition: when exactly this domain is verified, what meets the rule is taken without looking for spam. */
  readonly listAllowDomain?: string | undefined
  /** No condition: the mailbox, made when missing, that takes what meets the rule and would be refused. */
  readonly acceptRejects?: string | undefined
  /** Made when missing. */
  readonly mailbox: string
  readonly comment: string
}

export interface FlagChange {
  readonly set?: Partial<Flags>
  readonly addKeywords?: readonly string[]
  readonly removeKeywords?: readonly string[]
  readonly unchangedSince?: number
}

/** One change to an account's store, in commit order; also kept in a log by modseq. */
export type Change =
  /** A message appeared in a mailbox. */
  | {
      readonly kind: 'add'
      readonly modseq: number
      readonly mailboxId: number
      readonly uid: number
      readonly id: number
    }
  /** Messages left a mailbox; uids ascending. A message that was moved is in another one by then, under the same id. */
  | {
      readonly kind: 'remove'
      readonly modseq: number
      readonly mailboxId: number
      readonly uids: readonly number[]
      readonly ids: readonly number[]
    }
  /** Flags or keywords of a message changed, or what it answers: an expunged message aged out. */
  | {
      readonly kind: 'flags'
      readonly modseq: number
      readonly mailboxId: number
      readonly uid: number
      readonly id: number
    }
  /** A thread was muted or collapsed, or the reverse. */
  | {
      readonly kind: 'thread'
      readonly modseq: number
      readonly threadId: number
      readonly muted: boolean
      readonly collapsed: boolean
    }
  /** An annotation was set or removed; `mailboxId` is 0 for one of the account. The value is not here. */
  | {
      readonly kind: 'annotation'
      readonly modseq: number
      readonly mailboxId: number
      readonly key: string
    }
  /** A mailbox was made, renamed, removed, or its roles, keywords or subscription changed. */
  | {
      readonly kind: 'mailbox'
      readonly modseq: number
      readonly mailboxId: number
      readonly name: string
      readonly removed: boolean
    }

/** A reader of the change feed that takes changes when it can show them, as IMAP must. */
export interface ChangeSession {
  /** Takes what is pending, in commit order. */
  take(): Change[]
  /**
   * The reader was told of all that was taken: what was expunged need not be kept for it any more. Without this the content of such
   * messages can be read for an hour, and counts as used.
   */
  told(): void
  /** More than 10,000 changes were pending. What was pending can still be taken; all later changes are dropped until resync(). */
  readonly overflowed: boolean
  /** Forgets what is pending and ends the overflow: call it before reading the state anew. */
  resync(): void
  close(): void
}

/**
 * Why the store refused a request, so that a protocol can answer with a code of its own (RFC 5530).
 * - `exists`: there is a mailbox of that name. `missing`: there is none.
 * - `name`: not an allowed name. `inbox`: not possible with Inbox. `children`: there are mailboxes below it.
 * - `quota`: more bytes than allowed. `limit`: more mailboxes, keywords or uids than allowed.
 * - `keyword`: not an allowed keyword. `same`: the message is there already. `rule`: not an allowed rule.
 */
export type MailboxProblem =
  | 'exists'
  | 'missing'
  | 'name'
  | 'inbox'
  | 'children'
  | 'quota'
  | 'limit'
  | 'keyword'
  | 'same'
  | 'rule'

/** What the methods of `MailStore` throw for requests that cannot be done; nothing was changed then. */
export class MailboxError extends MailError {
  readonly problem: MailboxProblem

  constructor(problem: MailboxProblem, r: SmtpReply) {
    super('mailboxes', r)
    this.problem = problem
  }
}

export const mailboxes: ServiceToken<Mailboxes, 'one'> = defineService<Mailboxes>('mailboxes@1')
