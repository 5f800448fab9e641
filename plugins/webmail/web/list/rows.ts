// From the threads of a view to the rows of the list: which messages have a row, how deep it stands and what it hides.
// Pure; rows of a thread that did not change are the same objects again, so that only changed rows are drawn anew.
import type { Item, ListedThread } from '../../src/api/model.ts'

export type Threading = 'off' | 'on' | 'unread'

export interface Row {
  readonly id: number
  readonly item: Item
  readonly thread: ListedThread
  /** The message that leads the thread; itself for the root. */
  readonly rootId: number
  /** 0 for a root. */
  readonly depth: number
  /** Of a root: messages in its thread. 1 without children. */
  readonly size: number
  /** Of a root with children. */
  readonly collapsed: boolean
  /** Messages without a row of their own, which this collapsed root stands for. */
  readonly hidden: readonly Item[]
  /** How a child relates to the row above it: an answer, the same message again, or by a parent that is not there. */
  readonly relation: 'root' | 'reply' | 'duplicate' | 'missing'
  /** Where in an expanded thread it stands. */
  readonly place: 'alone' | 'first' | 'middle' | 'last'
}

interface Node {
  readonly item: Item
  readonly depth: number
  readonly relation: Row['relation']
}

/**
 * The messages of a thread, parents before children, children by time of receipt. A thread has one root: its first message
 * that has no parent here; others without a parent follow below it as `missing`.
 */
export function threadTree(messages: readonly Item[]): readonly Node[] {
  const byId = new Map(messages.map(m => [m.id, m]))
  const children = new Map<number, Item[]>()
  const orphans: Item[] = []
  for (const item of messages) {
    if (item.threadParentId === item.id || !byId.has(item.threadParentId)) orphans.push(item)
    else children.set(item.threadParentId, [...(children.get(item.threadParentId) ?? []), item])
  }
  // Parents that go in a circle cannot come from the store; should they, none of the messages gets lost.
  const root = orphans[0] ?? messages[0]
  if (root === undefined) return []
  const nodes: Node[] = []
  const done = new Set<number>()
  const stack: Node[] = [{ item: root, depth: 0, relation: 'root' }]
  const rest = [...orphans.filter(o => o !== root), ...messages]
  for (let next = 0; ; ) {
    const node = stack.pop()
    if (node === undefined) {
      while (next < rest.length && done.has(rest[next]!.id)) next++
      const item = rest[next]
      if (item === undefined) return nodes
      stack.push({ item, depth: 1, relation: 'missing' })
      continue
    }
    if (done.has(node.item.id)) continue
    done.add(node.item.id)
    nodes.push(node)
    const below = children.get(node.item.id) ?? []
    for (const item of below.toReversed())
      stack.push({ item, depth: node.depth + 1, relation: relationOf(item, node.item) })
  }
}

function relationOf(item: Item, parent: Item): Row['relation'] {
  if (item.messageIdHeader !== '' && item.messageIdHeader === parent.messageIdHeader) return 'duplicate'
  return item.threadMissingLink ? 'missing' : 'reply'
}

/** The rows of one thread. */
export function threadRows(thread: ListedThread, collapsed: boolean): readonly Row[] {
  const nodes = threadTree(thread.messages)
  const [root] = nodes
  if (root === undefined) return []
  const shown = collapsed ? [root] : nodes
  return shown.map(({ item, depth, relation }, i) => ({
    id: item.id,
    item,
    thread,
    rootId: root.item.id,
    depth,
    size: depth === 0 ? nodes.length : 1,
    collapsed: depth === 0 && nodes.length > 1 && collapsed,
    hidden: depth === 0 && collapsed ? nodes.slice(1).map(n => n.item) : [],
    relation,
    place: shown.length === 1 ? 'alone' : i === 0 ? 'first' : i === shown.length - 1 ? 'last' : 'middle',
  }))
}

/** All rows, and where each message is. */
export class Rows {
  readonly list: readonly Row[]
  #index: Map<number, number> | undefined
  #roots: Map<number, number> | undefined

  constructor(list: readonly Row[]) {
    this.list = list
  }

  get length(): number {
    return this.list.length
  }

  /** These rows and others behind them. What is known of the places of these serves for both. */
  followedBy(others: readonly Row[]): Rows {
    if (others.length === 0) return this
    const rows = new Rows(this.list.concat(others))
    if (this.#index !== undefined) {
      rows.#index = this.#index
      for (const [i, row] of others.entries()) this.#index.set(row.id, this.length + i)
    }
    return rows
  }

  /** -1 for a message without a row. */
  indexOf(id: number | undefined): number {
    const at = id === undefined ? -1 : (this.#indexed().get(id) ?? -1)
    return at < this.length ? at : -1
  }

  #indexed(): Map<number, number> {
    if (this.#index !== undefined) return this.#index
    const index = new Map<number, number>()
    for (let i = 0; i < this.list.length; i++) index.set(this.list[i]!.id, i)
    this.#index = index
    return index
  }

  get(id: number | undefined): Row | undefined {
    return this.list[this.indexOf(id)]
  }

  /** The id of the row that stands for a message: its own, or that of the collapsed root which hides it. */
  standsFor(id: number): number | undefined {
    if (this.indexOf(id) >= 0) return id
    this.#roots ??= new Map(this.list.flatMap(row => row.hidden.map(item => [item.id, row.id] as const)))
    return this.#roots.get(id)
  }
}

/** Flattens threads to rows and remembers the rows of threads that stay the same. */
export class Flattener {
  readonly #open = new WeakMap<ListedThread, readonly Row[]>()
  readonly #collapsed = new WeakMap<ListedThread, readonly Row[]>()
  #last: { readonly threads: readonly ListedThread[]; readonly rows: Rows; readonly decided: string } | undefined

  /** `decided`: what `collapsed` answers stays the same for a thread while this does. */
  rows(threads: readonly ListedThread[], collapsed: (thread: ListedThread) => boolean, decided: string): Rows {
    const last = this.#last?.decided === decided ? this.#last : undefined
    // Rows that were loaded come behind the others, of which there may be a hundred thousand.
    const more = last !== undefined && beginsWith(threads, last.threads)
    const list: Row[] = []
    for (let i = more ? last.threads.length : 0; i < threads.length; i++) {
      const thread = threads[i]!
      for (const row of this.#of(thread, collapsed(thread))) list.push(row)
    }
    const rows = more ? last.rows.followedBy(list) : new Rows(list)
    this.#last = { threads, rows, decided }
    return rows
  }

  #of(thread: ListedThread, collapsed: boolean): readonly Row[] {
    const known = collapsed ? this.#collapsed : this.#open
    const there = known.get(thread)
    if (there !== undefined) return there
    const rows = threadRows(thread, collapsed)
    known.set(thread, rows)
    return rows
  }
}

function beginsWith<T>(all: readonly T[], start: readonly T[]): boolean {
  return start.length <= all.length && start.every((one, i) => one === all[i])
}

/**
 * Which threads are collapsed. `on`: as the server keeps it, so it is the same everywhere. `unread`: a thread is open when it
 * had something unread as it came into the view; what was decided stays, so that reading does not fold what is being read,
 * and what the user opens or closes is kept for this view only.
 */
export class Collapsing {
  #view: number | undefined
  #threading: Threading | undefined
  readonly #decided = new Map<number, boolean>()

  /** Forgets what was decided in another view or mode. */
  begin(view: number, threading: Threading): void {
    if (this.#view === view && this.#threading === threading) return
    this.#view = view
    this.#threading = threading
    this.#decided.clear()
  }

  collapsed(thread: ListedThread): boolean {
    if (thread.messages.length < 2) return false
    if (this.#threading === 'on') return thread.messages[0]?.threadCollapsed ?? false
    if (this.#threading !== 'unread') return false
    let decided = this.#decided.get(thread.threadId)
    if (decided === undefined) {
      decided = !thread.messages.some(m => isUnread(m))
      this.#decided.set(thread.threadId, decided)
    }
    return decided
  }

  decide(threadIds: readonly number[], collapsed: boolean): void {
    for (const id of threadIds) this.#decided.set(id, collapsed)
  }
}

export function isUnread(item: Item): boolean {
  return !item.flags.seen && !item.flags.deleted
}
