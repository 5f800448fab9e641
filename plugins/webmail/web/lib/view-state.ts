// What becomes of a view when something comes from the server: pages, and changes. Functions of the view alone. Rows stand
// where they stood when they were loaded: a thread does not jump when an answer comes, which would happen under the pointer.
import type { Changes, PageEvent } from '../../src/api/events.ts'
import type { Item, ListedThread, ViewQuery } from '../../src/api/model.ts'
import type { View } from '../state/store.ts'

/** Where a row stands, by time of receipt and then by id. */
export interface Place {
  readonly receivedAt: number
  readonly id: number
}

/** A view as it is kept here. Others may change its rows before the server does; what they spread is kept. */
export interface LiveView extends View {
  /** By row: the thread, or the message in a view without threads. Kept for rows that left, as they may be put back. */
  readonly places: Map<number, Place>
  /** Time of receipt of the last row of the last page: what is loaded ends there. null without rows. */
  readonly last: number | null
}

export function newView(id: number, query: ViewQuery, search: string): LiveView {
  const empty = {
    threads: [],
    next: null,
    complete: true,
    total: null,
    error: '',
    kept: false,
    places: new Map(),
    last: null,
  }
  return { id, query, search, loading: true, ...empty }
}

/** A page that was asked for. What changed on rows that are there already is taken over, and they stay where they are. */
export function applyPage(view: LiveView, page: PageEvent): LiveView {
  const { next, complete, total } = page
  const rows = new Rows(view, page.first)
  for (const thread of page.threads) rows.put(thread)
  const bound = page.threads.at(-1)
  const last = bound === undefined ? (page.first ? null : view.last) : firstMatch(bound, view.query.order).receivedAt
  return { ...view, ...rows.result(), next, complete, total, last, error: '', kept: false }
}

/** `changes.items` are those of this view. `total` follows from the counts of mailboxes, which the caller knows. */
export function applyChanges(view: LiveView, { items, removed, threads }: Changes): LiveView {
  if (items.length === 0 && removed.length === 0 && threads.length === 0) return view
  const rows = new Rows(view, false)
  rows.remove(new Set(removed))
  const byRow = new Map<number, { items: Item[]; added: boolean }>()
  for (const { item, added } of items) {
    const key = view.query.threads ? item.threadId : item.id
    const group = byRow.get(key) ?? { items: [], added: false }
    group.items.push(item)
    group.added ||= added
    byRow.set(key, group)
  }
  for (const group of byRow.values()) rows.update(group.items, group.added)
  rows.setThreads(new Map(threads.map(thread => [thread.threadId, thread])))
  return { ...view, ...rows.result() }
}

export function isBefore(order: ViewQuery['order'], a: Place, b: Place): boolean {
  const later = a.receivedAt - b.receivedAt || a.id - b.id
  return order === 'newest' ? later > 0 : later < 0
}

/** Where the threads of a list are, from the last change to the next: there may be a hundred thousand. */
const indexes = new WeakMap<readonly ListedThread[], Map<number, ListedThread>>()

/** The rows of a view while they are changed. The view that is changed is not changed again. */
class Rows {
  readonly #query: ViewQuery
  readonly #threads: ListedThread[]
  readonly #places: Map<number, Place>
  readonly #index: Map<number, ListedThread>

  constructor({ query, threads, places }: LiveView, empty: boolean) {
    this.#query = query
    this.#threads = empty ? [] : [...threads]
    this.#places = empty ? new Map() : places
    const known = empty ? undefined : indexes.get(threads)
    indexes.delete(threads)
    this.#index = known ?? new Map(this.#threads.map(thread => [this.#keyOf(thread), thread]))
  }

  result(): Pick<LiveView, 'threads' | 'places'> {
    indexes.set(this.#threads, this.#index)
    return { threads: this.#threads, places: this.#places }
  }

  /** A row as the server has it. */
  put(thread: ListedThread): void {
    const key = this.#keyOf(thread)
    const there = this.#index.get(key)
    if (there === undefined) this.#insert(key, thread)
    else this.#replace(key, there, thread)
  }

  /** Changed messages of one row. `added`: it is to be shown if it is not yet. */
  update(items: readonly Item[], added: boolean): void {
    const [first] = items
    if (first === undefined) return
    const key = this.#query.threads ? first.threadId : first.id
    const there = this.#index.get(key)
    if (there === undefined) {
      const messages = items.toSorted(byReceipt)
      if (added) this.#insert(key, { threadId: first.threadId, total: messages.length, messages })
      return
    }
    const known = new Map(there.messages.map(message => [message.id, message]))
    let fresh = 0
    for (const item of items) {
      const before = known.get(item.id)
      if (before === undefined) fresh++
      const stays = before?.matches === true && before.mailboxId === item.mailboxId
      known.set(item.id, stays ? { ...item, matches: true } : item)
    }
    const messages = [...known.values()].sort(byReceipt)
    this.#replaceOrDrop(key, there, messages, there.total + fresh)
  }

  remove(ids: ReadonlySet<number>): void {
    if (ids.size === 0) return
    for (const [key, thread] of [...this.#index]) {
      const messages = thread.messages.filter(message => !ids.has(message.id))
      const gone = thread.messages.length - messages.length
      if (gone > 0) this.#replaceOrDrop(key, thread, messages, thread.total - gone)
    }
  }

  setThreads(changed: ReadonlyMap<number, { readonly muted: boolean; readonly collapsed: boolean }>): void {
    if (changed.size === 0) return
    for (const [key, thread] of [...this.#index]) {
      const change = changed.get(thread.threadId)
      if (change === undefined) continue
      const { muted: threadMuted, collapsed: threadCollapsed } = change
      this.#replace(key, thread, {
        ...thread,
        messages: thread.messages.map(message => ({ ...message, threadMuted, threadCollapsed })),
      })
    }
  }

  #placeOf(thread: ListedThread): Place {
    return this.#places.get(this.#keyOf(thread)) ?? firstMatch(thread, this.#query.order)
  }

  #keyOf(thread: ListedThread): number {
    return this.#query.threads ? thread.threadId : (thread.messages[0]?.id ?? 0)
  }

  #insert(key: number, thread: ListedThread): void {
    const place = firstMatch(thread, this.#query.order)
    // Pages come in order: nearly always the end.
    let at = this.#threads.length
    while (at > 0 && isBefore(this.#query.order, place, this.#placeOf(this.#threads[at - 1]!))) at--
    this.#places.set(key, place)
    this.#threads.splice(at, 0, thread)
    this.#index.set(key, thread)
  }

  #replace(key: number, there: ListedThread, thread: ListedThread): void {
    this.#threads[this.#threads.indexOf(there)] = thread
    this.#index.set(key, thread)
  }

  /** A thread without a message that matches has no row. */
  #replaceOrDrop(key: number, there: ListedThread, messages: Item[], total: number): void {
    if (messages.some(message => message.matches)) {
      this.#replace(key, there, { ...there, messages, total: Math.max(total, messages.length) })
      return
    }
    this.#threads.splice(this.#threads.indexOf(there), 1)
    this.#index.delete(key)
  }
}

function byReceipt(a: Item, b: Item): number {
  return a.receivedAt - b.receivedAt || a.id - b.id
}

function firstMatch({ messages }: ListedThread, order: ViewQuery['order']): Place {
  const matching = messages.filter(message => message.matches)
  // Of a very long thread the matching messages may not be among those that are shown.
  const first = (order === 'newest' ? matching.at(-1) : matching[0]) ?? messages[0]
  return { receivedAt: first?.receivedAt ?? 0, id: first?.id ?? 0 }
}
