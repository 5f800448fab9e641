// Pages of messages and of threads.
import type { ListedMessage, ListOptions, ListQuery, MessagePage, ThreadPage } from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { chunks } from './expunge.ts'
import { Hits } from './hits.ts'
import { LISTED_COLUMNS, type ListedRow, listedMessage } from './listing.ts'
import { MESSAGE } from './schema.ts'
import { threadsOf } from './thread-members.ts'

/** Messages or threads on a page. */
export const LIST_PAGE = 1_000

export async function list(context: Context, account: number, options: ListOptions): Promise<MessagePage> {
  const limit = pageLimit(options)
  const hits = await Hits.of(context, account, options)
  const rows: ListedRow[] = []
  let next: string | undefined
  for await (const window of hits.windows({ ...options, limit })) {
    next = window.next
    const taken = window.hits.slice(0, limit - rows.length)
    rows.push(...taken.map(hit => hit.row))
    if (rows.length < limit) continue
    if (taken.length < window.hits.length) next = taken.at(-1)?.cursor
    break
  }
  const messages = await shown(context, rows)
  return { messages, complete: hits.complete, ...(next === undefined ? {} : { next }) }
}

export async function threads(context: Context, account: number, options: ListOptions): Promise<ThreadPage> {
  const limit = pageLimit(options)
  const { cursor, order = 'newest' } = options
  const hits = await Hits.of(context, account, options)
  const seen = new Set<number>()
  const found: number[] = []
  let next: string | undefined
  pages: for await (const window of hits.windows({ ...options, limit: 3 * limit })) {
    next = window.next
    const fresh = [...new Set(window.hits.map(hit => hit.row.thread_id))].filter(id => !seen.has(id))
    // A thread stands where the first of its messages stands, which may be on an earlier page.
    const earlier = cursor === undefined ? new Set() : await hits.threadsBefore(fresh, order, cursor)
    for (const [index, { row, cursor: here }] of window.hits.entries()) {
      if (seen.has(row.thread_id)) continue
      seen.add(row.thread_id)
      if (earlier.has(row.thread_id)) continue
      found.push(row.thread_id)
      if (found.length < limit) continue
      if (index < window.hits.length - 1) next = here
      break pages
    }
  }
  const members = await threadsOf(context, account, hits, found)
  const listed = new Map<number, ListedMessage>()
  for (const message of await shown(
    context,
    members.flatMap(thread => thread.rows),
  ))
    listed.set(message.id, message)
  return {
    threads: members.map(({ threadId, rows, matching, total }) => ({
      threadId,
      total,
      messages: rows.flatMap(row => {
        const message = listed.get(row.id)
        return message === undefined ? [] : [{ ...message, matches: matching.has(row.id) }]
      }),
    })),
    complete: hits.complete,
    ...(next === undefined ? {} : { next }),
  }
}

export async function listed(context: Context, account: number, ids: readonly number[]): Promise<ListedMessage[]> {
  const rows = new Map<number, ListedRow>()
  for (const part of chunks(ids)) for (const row of await byIds(context, account, part)) rows.set(row.id, row)
  return await shown(
    context,
    ids.flatMap(id => rows.get(id) ?? []),
  )
}

export async function matching(
  context: Context,
  account: number,
  query: ListQuery,
  ids: readonly number[],
): Promise<number[]> {
  if (!context.storage.inUnit()) await context.indexer.ensure(ids)
  const hits = await Hits.of(context, account, query)
  const found = new Set<number>()
  for (const part of chunks(ids)) for (const row of await hits.among(q => q.whereIn('id', part))) found.add(row.id)
  return ids.filter(id => found.has(id))
}

function pageLimit({ limit }: ListOptions): number {
  return Math.max(1, Math.min(limit, LIST_PAGE))
}

async function byIds(context: Context, account: number, ids: readonly number[]): Promise<ListedRow[]> {
  return await context.storage
    .db(MESSAGE)
    .select(...LISTED_COLUMNS)
    .where({ account_id: account, expunged_at: 0 })
    .whereIn('id', ids)
}

/** With previews: messages that just came in are read now. */
async function shown(context: Context, rows: readonly ListedRow[]): Promise<ListedMessage[]> {
  const waiting = rows.filter(row => row.search_id === null).map(row => row.id)
  if (waiting.length === 0 || context.storage.inUnit()) return rows.map(listedMessage)
  await context.indexer.ensure(waiting)
  const digests = new Map<number, Pick<ListedRow, 'preview' | 'attachments' | 'correspondents'>>()
  for (const part of chunks(waiting)) {
    const read: ListedRow[] = await context.storage
      .db(MESSAGE)
      .select('id', 'preview', 'attachments', 'correspondents')
      .whereIn('id', part)
    for (const { id, preview, attachments, correspondents } of read)
      digests.set(id, { preview, attachments, correspondents })
  }
  return rows.map(row => listedMessage({ ...row, ...digests.get(row.id) }))
}
