// Pages of queue and history: keyset pagination that follows an index from the last row seen, whatever the number of rows
// and however many share one due time. What can only be found by reading many rows is read on the reader thread.
import type { HistoryFilter, Page, QueueFilter } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import type { SqlEngine } from './engine.ts'
import { applyFilter, checkLimit } from './filters.ts'
import { rowsOf } from './offload.ts'
import { joined } from './recipient-rows.ts'
import { type HISTORY, QUEUE } from './schema.ts'

type Filter = QueueFilter & HistoryFilter

export interface PageQuery {
  readonly table: typeof QUEUE | typeof HISTORY
  /** What a page is sorted by, unless by id. */
  readonly column: 'due' | 'last_activity'
  readonly filter: Filter
  readonly page: Page
  /** Filters that together find what `filter` finds, no row twice, each with an index of its own. */
  readonly parts: readonly Filter[]
}

/** Whether a list of the queue is in the order of the indexes by due time, and of no narrower one. */
export function followsDue(filter: QueueFilter, page: Page): boolean {
  const { hold, ids, messageId, messageIdHeader, envid, account, transport } = filter
  const narrow = ids ?? messageId ?? messageIdHeader ?? envid ?? account ?? (transport === '' ? undefined : transport)
  return page.byId !== true && hold === undefined && narrow === undefined
}

/** Whether the rows of a page may only be found by reading many others. */
function scans(table: PageQuery['table'], filter: Filter, page: Page): boolean {
  const { ids, messageId, account, from, to, receivedAfter, receivedBefore, transport, status, hold } = filter
  if ((ids ?? messageId ?? filter.messageIdHeader ?? filter.envid) !== undefined) return false
  if ((from ?? to ?? receivedAfter ?? receivedBefore) !== undefined) return true
  const chosen = [account, transport, table === QUEUE ? undefined : status].filter(one => one !== undefined)
  if (page.byId) return (chosen[0] ?? hold ?? filter.delivered) !== undefined || bounded(filter)
  return chosen.length > 1 || (chosen.length > 0 && (table !== QUEUE || hold !== undefined))
}

const bounded = ({ dueAfter, dueBefore, activeAfter, activeBefore }: Filter): boolean =>
  (dueAfter ?? dueBefore ?? activeAfter ?? activeBefore) !== undefined

interface Sorted {
  readonly id: number
  readonly due?: number
  readonly last_activity?: number
}

export async function readPage<R extends Sorted>(engine: SqlEngine, query: PageQuery): Promise<R[]> {
  checkLimit(query.page.limit)
  const found: R[] = []
  for (const part of query.parts) found.push(...(await readPart<R>(engine, query, part)))
  if (query.parts.length === 1) return found
  const sign = query.page.ascending ? 1 : -1
  const value = (row: R): number => row[query.column] ?? 0
  return found.sort((a, b) => sign * (value(a) - value(b) || a.id - b.id)).slice(0, query.page.limit)
}

/** First the rows that share the value of the last one seen, then those beyond it: each is a plain range of the index. */
async function readPart<R extends Sorted>(engine: SqlEngine, query: PageQuery, part: Filter): Promise<R[]> {
  const { column, page } = query
  const { after, limit } = page
  const beyond = page.ascending ? '>' : '<'
  if (after === undefined) return await read(engine, query, part, limit, () => {})
  const behind = (q: Knex.QueryBuilder): void => void q.where('q.id', beyond, after.id)
  if (page.byId) return await read(engine, query, part, limit, behind)
  const tied = await read<R>(engine, query, part, limit, q => behind(q.where(`q.${column}`, after.value)))
  if (tied.length === limit) return tied
  const rest = await read<R>(engine, query, part, limit - tied.length, q => {
    void q.where(`q.${column}`, beyond, after.value)
  })
  return [...tied, ...rest]
}

async function read<R>(
  engine: SqlEngine,
  { table, column, page }: PageQuery,
  part: Filter,
  limit: number,
  narrow: (query: Knex.QueryBuilder) => void,
): Promise<R[]> {
  const { db } = engine
  const order = page.ascending ? 'asc' : 'desc'
  const columns = [...(page.byId ? [] : [`q.${column}`]), 'q.id'].map(name => ({ column: name, order }))
  // Chosen before the join, so that the planner has no choice but the index.
  const chosen = applyFilter(db(`${table} as q`).select('q.*'), part)
    .orderBy(columns)
    .limit(limit)
  narrow(chosen)
  return await rowsOf<R>(engine, joined(db, chosen).orderBy(columns), scans(table, part, page))
}
