// Lists of messages as webmail and search show them: pages of messages or of threads, by time of receipt. Part of mailboxes@1.
import type { AttachmentKind } from '../mail/attachments.ts'
import type { MessageFilter } from '../mail/search-query.ts'
import type { NameAddress } from '../mail/view.ts'
import type { Flags } from './mailboxes.ts'

/** A message as a list shows it. Nothing of it is parsed when the list is made. */
export interface ListedMessage {
  readonly id: number
  readonly mailboxId: number
  readonly uid: number
  readonly modseq: number
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** Of the Date field; null when there is none. */
  readonly sentAt: number | null
  readonly size: number
  readonly flags: Flags
  readonly keywords: readonly string[]
  readonly threadId: number
  /** The message it answers; 0 for none. */
  readonly threadParentId: number
  /** What it answers is not its direct parent, or is not there. */
  readonly threadMissingLink: boolean
  readonly threadMuted: boolean
  readonly threadCollapsed: boolean
  /** Without brackets, lower case; '' for none. */
  readonly messageIdHeader: string
  readonly subject: string
  /** The first ones of each field. */
  readonly from: readonly NameAddress[]
  readonly to: readonly NameAddress[]
  readonly cc: readonly NameAddress[]
  readonly bcc: readonly NameAddress[]
  /** One line, at most 256 characters. */
  readonly preview: string
  /** Kinds of its attachments, each once; empty when it has none. */
  readonly attachments: readonly AttachmentKind[]
}

/**
 * Where to look: `usual`: all mailboxes but Trash, Junk and Rejects; `all`; or one, by id or name, with those below it. A name
 * that is not there is a MailboxError.
 */
export type ListScope = 'usual' | 'all' | { readonly mailbox: number | string; readonly below?: boolean }

export interface ListQuery {
  /** Default "usual". */
  readonly scope?: ListScope
  readonly filter?: MessageFilter
}

export interface ListOptions extends ListQuery {
  /** Default "newest" first. */
  readonly order?: 'newest' | 'oldest'
  /** Messages, or threads, of the page; at most 1,000. */
  readonly limit: number
  /** `next` of the page before, of a list with the same query and order. */
  readonly cursor?: string
  /** Gives up a search that takes long: the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

export interface ListPage {
  /** Where the next page goes on; left out at the end. A search that has looked at much may end a page early. */
  readonly next?: string
  /** False while messages wait to be read for search: words and attachments may not find them yet. */
  readonly complete: boolean
}

export interface MessagePage extends ListPage {
  readonly messages: readonly ListedMessage[]
}

export interface ThreadPage extends ListPage {
  readonly threads: readonly ListedThread[]
}

/** A thread stands where its newest matching message stands, with oldest first its oldest one. */
export interface ListedThread {
  readonly threadId: number
  /** By time of receipt, oldest first; from every mailbox, but from Trash, Junk and Rejects only what matches. At most 200. */
  readonly messages: readonly (ListedMessage & { readonly matches: boolean })[]
  /** Messages of the thread, those that are not in `messages` included. */
  readonly total: number
}
