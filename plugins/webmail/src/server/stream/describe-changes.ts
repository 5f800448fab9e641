// Makes of the store's changes what a page needs to have the present state of its view. Only the state as it is now counts: what
// a change names is read anew, and is in the view or not. So it does no harm to tell of something twice, or of something that a
// page of rows had already.
import type { Change, ListedMessage, MailboxInfo, MailStore } from '@mox/plugin-sdk'
import type { Changes } from '../../api/events.ts'
import { type Badges, itemOf } from '../items.ts'
import { listQuery, shownMailbox } from '../stores.ts'
import { isLoaded, type OpenView } from './view.ts'

/** Messages that one event tells of, but for the rest of their threads. */
export const PORTION = 500
/** Messages of a thread that are shown: the newest, as in the lists of mailboxes@1. */
const THREAD_MEMBERS = 200

/** What changed, by what is to be read. */
export interface Touched {
  /** True: it came into a mailbox, anew or from another one. */
  readonly messages: ReadonlyMap<number, boolean>
  readonly mailboxes: ReadonlySet<number>
  readonly threads: ReadonlyMap<number, Changes['threads'][number]>
}

/** A subscription to a name without a mailbox is a change of mailbox 0, which no page shows. */
export function touchedBy(changes: readonly Change[]): Touched {
  const messages = new Map<number, boolean>()
  const mailboxes = new Set<number>()
  const threads = new Map<number, Changes['threads'][number]>()
  for (const change of changes) {
    if (change.kind === 'thread') {
      const { threadId, muted, collapsed } = change
      threads.set(threadId, { threadId, muted, collapsed })
    } else if (change.kind !== 'annotation' && change.mailboxId > 0) mailboxes.add(change.mailboxId)
    if (change.kind === 'add') messages.set(change.id, true)
    else if (change.kind === 'flags') messages.set(change.id, messages.get(change.id) ?? false)
    else if (change.kind === 'remove') for (const id of change.ids) messages.set(id, messages.get(id) ?? false)
  }
  return { messages, mailboxes, threads }
}

/** What is not about messages. `mailboxes` are those that there are now. */
export function aboutMailboxes(
  { mailboxes: touched, threads }: Touched,
  mailboxes: readonly MailboxInfo[],
): Pick<Changes, 'threads' | 'mailboxes' | 'removedMailboxes'> {
  const there = new Set(mailboxes.map(({ id }) => id))
  return {
    threads: [...threads.values()],
    mailboxes: mailboxes.filter(({ id }) => touched.has(id)).map(shownMailbox),
    removedMailboxes: [...touched].filter(id => !there.has(id)),
  }
}

/** What a portion of the messages is to the view; `arrived` as in `Touched`. */
export async function aboutMessages(
  store: MailStore,
  view: OpenView,
  arrived: ReadonlyMap<number, boolean>,
  badges: Badges,
): Promise<Pick<Changes, 'items' | 'removed'>> {
  const ids = [...arrived.keys()]
  const messages = await store.listed(ids)
  const matching = await matchingIds(store, view, messages)
  const there = new Set(messages.map(({ id }) => id))
  const removed = ids.filter(id => !there.has(id))
  const found = view.query.threads
    ? await inThreads(store, view, messages, matching, arrived)
    : inList(view, messages, matching, arrived)
  const badgesOf = badges(found.items.map(({ message }) => message))
  return {
    items: found.items.map(({ message, matches, added }) => ({
      item: itemOf(message, matches, badgesOf.get(message.id)),
      added,
    })),
    removed: [...removed, ...found.removed],
  }
}

interface Found {
  readonly items: { readonly message: ListedMessage; readonly matches: boolean; readonly added: boolean }[]
  readonly removed: number[]
}

function inList(
  view: OpenView,
  messages: readonly ListedMessage[],
  matching: ReadonlySet<number>,
  arrived: ReadonlyMap<number, boolean>,
): Found {
  const found: Found = { items: [], removed: [] }
  for (const message of messages) {
    const matches = matching.has(message.id)
    const left = view.standings.get(message.mailboxId) !== 'in' || (!matches && arrived.get(message.id) === true)
    if (left) found.removed.push(message.id)
    else if (isLoaded(view, message.receivedAt)) found.items.push({ message, matches, added: matches })
  }
  return found
}

async function inThreads(
  store: MailStore,
  view: OpenView,
  messages: readonly ListedMessage[],
  matching: ReadonlySet<number>,
  arrived: ReadonlyMap<number, boolean>,
): Promise<Found> {
  const found: Found = { items: [], removed: [] }
  const coming = new Set<number>()
  for (const message of messages) {
    const { id, threadId } = message
    const known = view.threads?.has(threadId) ?? true
    // With a filter a change of flags can bring a thread back as well.
    const news = !known || arrived.get(id) === true || view.query.filter !== undefined
    if (news && matching.has(id) && isLoaded(view, message.receivedAt)) coming.add(threadId)
  }
  for (const message of messages) {
    const { id, threadId, mailboxId } = message
    const matches = matching.has(id)
    if (!matches && view.standings.get(mailboxId) === 'hidden') found.removed.push(id)
    else if (!coming.has(threadId) && (view.threads?.has(threadId) ?? true))
      found.items.push({ message, matches, added: false })
  }
  const members = await membersOf(store, view, coming)
  const all = await matchingIds(store, view, members)
  for (const threadId of coming) view.threads?.add(threadId)
  for (const message of members) found.items.push({ message, matches: all.has(message.id), added: true })
  return found
}

/** All that is shown of the threads. */
async function membersOf(store: MailStore, view: OpenView, threadIds: ReadonlySet<number>): Promise<ListedMessage[]> {
  const ids: number[] = []
  for (const threadId of threadIds) {
    const members = await store.thread(threadId)
    const newest = members
      .filter(({ mailboxId }) => view.standings.get(mailboxId) !== 'hidden')
      .sort((a, b) => b.receivedAt - a.receivedAt || b.id - a.id)
      .slice(0, THREAD_MEMBERS)
    ids.push(...newest.map(({ id }) => id))
  }
  return await store.listed(ids)
}

async function matchingIds(
  store: MailStore,
  view: OpenView,
  messages: readonly ListedMessage[],
): Promise<ReadonlySet<number>> {
  const ids = messages.filter(({ mailboxId }) => view.standings.get(mailboxId) === 'in').map(({ id }) => id)
  if (view.query.filter === undefined || ids.length === 0) return new Set(ids)
  return new Set(await store.matching(listQuery(view.query), ids))
}
