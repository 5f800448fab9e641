// Changes of the list's rows that are made before the server has confirmed them, and how they are taken back. What the server
// says about a message has a higher modseq and is never overwritten by taking back.
import type { Item, ListedThread } from '../../src/api/model.ts'
import type { View } from './store.ts'

/** Rows as they were before a change. */
export interface Former {
  readonly viewId: number
  readonly rows: readonly FormerRow[]
}

interface FormerRow {
  readonly key: number
  readonly thread: ListedThread
  /** Key of the row above; undefined for the first. */
  readonly above: number | undefined
}

/** What identifies a row: without threading, messages of one thread are rows of their own. */
export function rowKey(view: View, thread: ListedThread): number {
  return view.query.threads ? thread.threadId : (thread.messages[0]?.id ?? 0)
}

/**
 * Changes the messages with these ids, or removes those for which `change` answers undefined. Rows in which nothing matches
 * the query any more disappear.
 */
export function changeRows(
  view: View,
  ids: ReadonlySet<number>,
  change: (item: Item) => Item | undefined,
): { readonly view: View; readonly former: Former } {
  const rows: FormerRow[] = []
  const threads: ListedThread[] = []
  let above: number | undefined
  for (const thread of view.threads) {
    const key = rowKey(view, thread)
    if (!thread.messages.some(m => ids.has(m.id))) threads.push(thread)
    else {
      rows.push({ key, thread, above })
      const messages = thread.messages.flatMap(m => (ids.has(m.id) ? (change(m) ?? []) : m))
      if (messages.some(m => m.matches)) threads.push({ ...thread, messages })
    }
    above = key
  }
  return { view: rows.length === 0 ? view : { ...view, threads }, former: { viewId: view.id, rows } }
}

/** Takes a change back; what changed by other means since stays. Another view is left alone. */
export function restoreRows(view: View, former: Former): View {
  if (view.id !== former.viewId || former.rows.length === 0) return view
  const threads = [...view.threads]
  const keys = threads.map(t => rowKey(view, t))
  for (const { key, thread, above } of former.rows) {
    const at = keys.indexOf(key)
    if (at >= 0) {
      threads[at] = mergeThread(threads[at]!, thread)
      continue
    }
    const place = above === undefined ? 0 : keys.indexOf(above) + 1
    threads.splice(place, 0, thread)
    keys.splice(place, 0, key)
  }
  return { ...view, threads }
}

function mergeThread(now: ListedThread, former: ListedThread): ListedThread {
  const messages = new Map(now.messages.map(m => [m.id, m]))
  for (const message of former.messages) {
    const current = messages.get(message.id)
    if (current === undefined || current.modseq <= message.modseq) messages.set(message.id, message)
  }
  return { ...now, messages: [...messages.values()].sort((a, b) => a.receivedAt - b.receivedAt || a.id - b.id) }
}
