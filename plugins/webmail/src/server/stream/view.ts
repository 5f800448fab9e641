// What a stream knows of the view that it shows, and loading its rows. Which rows the page has is known by where the last page
// ended, not one by one.
import type { ListedMessage, MailboxInfo, MailStore } from '@mox/plugin-sdk'
import type { ListedThread, ViewQuery } from '../../api/model.ts'
import { type Badges, itemOf } from '../items.ts'
import { listQuery } from '../stores.ts'
import { type Scope, type Standing, standings } from './scope.ts'

/** Rows that are read and sent at once. */
export const BATCH = 100
/** Messages of one event, but for those of one thread: a page reads events of 32 Mi characters at most. */
export const EVENT_MESSAGES = 1_000
/** Rows that one request loads to reach a message, or to show again what was loaded. */
export const MOST_ROWS = 2_000

export interface OpenView {
  readonly id: number
  /** Its mailbox is an id. */
  readonly query: ViewQuery
  standings: ReadonlyMap<number, Standing>
  /** Where the next page goes on; null at the end; undefined before the first. */
  next: string | null | undefined
  /** Time of receipt of the last row of the last page; null without rows. */
  last: number | null
  /** Messages, where counts of the mailbox say that. */
  total: number | null
  /** Threads that the page may have; undefined when any may be there, as after a break. */
  readonly threads: Set<number> | undefined
}

export interface LoadedRows {
  readonly threads: ListedThread[]
  readonly complete: boolean
  /** Nothing more is to be loaded. */
  readonly done: boolean
}

/** `limit` rows, or until a message or a time of receipt is reached. */
export interface Wanted {
  readonly limit: number
  readonly until?: number | undefined
  readonly bound?: number
}

export function totalOf({ scope, filter }: ViewQuery, mailboxes: readonly MailboxInfo[]): number | null {
  if (typeof scope === 'string' || scope.below === true || filter !== undefined) return null
  return mailboxes.find(({ id }) => id === scope.mailbox)?.total ?? null
}

/** The view before its first page. `scope` is one by id. */
export function openView(
  id: number,
  query: ViewQuery,
  scope: Scope,
  mailboxes: readonly MailboxInfo[],
  rejectsMailbox: string,
): OpenView & { readonly threads: Set<number> } {
  const byId = { ...query, scope }
  return {
    ...{ id, query: byId, standings: standings(scope, mailboxes, rejectsMailbox) },
    ...{ next: undefined, last: null, total: totalOf(byId, mailboxes), threads: new Set() },
  }
}

/** Reads rows from where the view is on; after each batch the view is up to date with it. */
export async function* loadRows(
  store: MailStore,
  view: OpenView,
  wanted: Wanted,
  badges: Badges,
  signal: AbortSignal,
): AsyncGenerator<LoadedRows> {
  const { query } = view
  const most = Math.max(wanted.limit, wanted.until === undefined && wanted.bound === undefined ? 0 : MOST_ROWS)
  let found = wanted.until === undefined
  let batch = BATCH
  for (let rows = 0; view.next !== null; ) {
    const limit = Math.min(batch, rows < wanted.limit ? wanted.limit - rows : most - rows)
    const cursor = view.next === undefined ? {} : { cursor: view.next }
    const options = { ...listQuery(query), order: query.order, limit, signal, ...cursor }
    const page = query.threads ? await store.threads(options) : await store.list(options)
    if (limit > 1 && 'threads' in page && messagesIn(page.threads) > EVENT_MESSAGES) {
      batch = Math.ceil(limit / 4)
      continue
    }
    const threads = 'threads' in page ? shownThreads(page.threads, badges) : shownMessages(page.messages, badges)
    rows += threads.length
    found ||= threads.some(({ messages }) => messages.some(({ id }) => id === wanted.until))
    if (query.threads) for (const { threadId } of threads) view.threads?.add(threadId)
    view.next = page.next ?? null
    const bottom = threads.at(-1)
    if (bottom !== undefined) view.last = placeOf(bottom, query.order)
    const reached = wanted.bound === undefined || (view.last !== null && isBeyond(query.order, view.last, wanted.bound))
    const done = view.next === null || rows >= most || (rows >= wanted.limit && found && reached)
    yield { threads, complete: page.complete, done }
    if (done) return
  }
}

export function messagesIn(threads: readonly { readonly messages: readonly unknown[] }[]): number {
  return threads.reduce((sum, { messages }) => sum + messages.length, 0)
}

/** Whether a message of that time is among what is loaded. */
export function isLoaded({ next, last, query }: OpenView, receivedAt: number): boolean {
  if (next === null) return true
  return last !== null && !isBeyond(query.order, receivedAt, last)
}

function isBeyond(order: ViewQuery['order'], receivedAt: number, than: number): boolean {
  return order === 'newest' ? receivedAt < than : receivedAt > than
}

/** Time of receipt of the message that gives a thread its place. */
function placeOf({ messages }: ListedThread, order: ViewQuery['order']): number {
  const matching = messages.filter(message => message.matches)
  // Of a very long thread the matching messages may not be among those that are shown.
  return ((order === 'newest' ? matching.at(-1) : matching[0]) ?? messages[0])?.receivedAt ?? 0
}

function shownMessages(messages: readonly ListedMessage[], badges: Badges): ListedThread[] {
  const badgesOf = badges(messages)
  return messages.map(message => ({
    threadId: message.threadId,
    total: 1,
    messages: [itemOf(message, true, badgesOf.get(message.id))],
  }))
}

function shownThreads(
  threads: readonly {
    readonly threadId: number
    readonly total: number
    readonly messages: readonly (ListedMessage & { readonly matches: boolean })[]
  }[],
  badges: Badges,
): ListedThread[] {
  const badgesOf = badges(threads.flatMap(thread => thread.messages))
  return threads.map(({ threadId, total, messages }) => ({
    ...{ threadId, total },
    messages: messages.map(message => itemOf(message, message.matches, badgesOf.get(message.id))),
  }))
}
