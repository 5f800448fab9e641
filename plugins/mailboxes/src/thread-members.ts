// The messages of threads on a page.
import type { Context } from './context.ts'
import type { Hits } from './hits.ts'
import { LISTED_COLUMNS, type ListedRow } from './listing.ts'
import type { Query } from './query.ts'
import { MESSAGE } from './schema.ts'

/** Messages of one thread that a page shows: the newest. */
export const THREAD_MEMBERS = 200
/** Messages of all threads of a page that are read at once; beyond, each thread is read on its own. */
const PAGE_MEMBERS = 1_000

export interface ThreadRows {
  readonly threadId: number
  /** Oldest first. */
  readonly rows: readonly ListedRow[]
  readonly matching: ReadonlySet<number>
  readonly total: number
}

/** In the order of the ids. A thread that vanished meanwhile is left out. */
export async function threadsOf(
  context: Context,
  account: number,
  hits: Hits,
  threadIds: readonly number[],
): Promise<ThreadRows[]> {
  if (threadIds.length === 0) return []
  const all = await members(context, account, threadIds, PAGE_MEMBERS + 1)
  const groups = new Map<number, ListedRow[]>(threadIds.map(id => [id, []]))
  if (all.length <= PAGE_MEMBERS) for (const row of all) groups.get(row.thread_id)?.push(row)
  else for (const id of threadIds) groups.set(id, await members(context, account, [id], THREAD_MEMBERS + 1))
  const found: ThreadRows[] = []
  const matches = await matchingIds(hits, [...groups.values()].flat())
  for (const [threadId, newestFirst] of groups) {
    const visible = newestFirst.filter(row => matches.has(row.id) || !hits.scope.hidden.has(row.mailbox_id))
    const rows = visible.slice(0, THREAD_MEMBERS).reverse()
    if (rows.length === 0) continue
    const whole = newestFirst.length <= THREAD_MEMBERS || all.length <= PAGE_MEMBERS
    found.push({ threadId, rows, matching: matches, total: whole ? visible.length : await count(context, threadId) })
  }
  return found
}

async function matchingIds(hits: Hits, rows: readonly ListedRow[]): Promise<Set<number>> {
  const found = new Set<number>()
  for (let at = 0; at < rows.length; at += 500) {
    const ids = rows.slice(at, at + 500).map(row => row.id)
    for (const row of await hits.among(query => query.whereIn('id', ids))) found.add(row.id)
  }
  return found
}

async function members(
  context: Context,
  account: number,
  threadIds: readonly number[],
  limit: number,
): Promise<ListedRow[]> {
  const query: Query = context.storage
    .db(MESSAGE)
    .select(...LISTED_COLUMNS)
    .where({ expunged_at: 0 })
    .whereIn('thread_id', threadIds)
    .limit(limit)
  // Of one thread the newest; all threads together are sorted here, as SQLite would rather walk along the account.
  if (threadIds.length === 1) query.orderBy('received_at', 'desc').orderBy('id', 'desc')
  const rows = await context.storage.offload<ListedRow>(query)
  return rows.filter(row => row.account_id === account).sort((a, b) => b.received_at - a.received_at || b.id - a.id)
}

async function count(context: Context, threadId: number): Promise<number> {
  const [row] = await context.storage.offload<{ n: number }>(
    context.storage.db(MESSAGE).where({ thread_id: threadId, expunged_at: 0 }).count({ n: '*' }),
  )
  return Number(row?.n ?? 0)
}
