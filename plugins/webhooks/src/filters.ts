// Which calls an operator means, as a query. Waiting calls and those that are over are in one table.
import type { Page, Storage, TimeRange, WebhookFilter } from '@mox/plugin-sdk'
import { CALL, CALL_COLUMNS, type CallRow } from './schema.ts'

/** Calls of one list at most. */
export const LIST_LIMIT = 1_000

export type Which = 'waiting' | 'over'

const timeColumn = (which: Which): 'due' | 'ended_at' => (which === 'waiting' ? 'due' : 'ended_at')

/** A query for the calls that match, without columns or order. */
export function matching(storage: Storage, which: Which, filter: WebhookFilter) {
  const { ids, account, endpoint, event, submitted, time, success } = filter
  const query = storage.db<CallRow>(CALL)
  if (which === 'waiting') void query.whereNull('ended_at')
  else void query.whereNotNull('ended_at')
  if (ids !== undefined) void query.whereIn('id', [...ids])
  if (account !== undefined) void query.where({ account })
  if (endpoint !== undefined) void query.where({ endpoint })
  if (event !== undefined) void query.where({ event })
  if (success !== undefined) void query.where('success', success ? 1 : 0)
  const within = (column: 'submitted' | 'due' | 'ended_at', range: TimeRange | undefined): void => {
    if (range?.from !== undefined) void query.where(column, '>=', range.from)
    if (range?.until !== undefined) void query.where(column, '<', range.until)
  }
  within('submitted', submitted)
  within(timeColumn(which), time)
  return query
}

export async function listCalls(
  storage: Storage,
  which: Which,
  filter: WebhookFilter,
  { limit, after, byId = false, ascending = which === 'waiting' && !byId }: Page,
): Promise<Omit<CallRow, 'payload' | 'source'>[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT)
    throw new RangeError(`webhooks: limit must be 1 to ${LIST_LIMIT}, not ${limit}`)
  const column = timeColumn(which)
  const [order, beyond] = ascending ? (['asc', '>'] as const) : (['desc', '<'] as const)
  const query = matching(storage, which, filter)
    .select([...CALL_COLUMNS])
    .orderBy([...(byId ? [] : [{ column, order }]), { column: 'id', order }])
    .limit(limit)
  if (after !== undefined && byId) void query.where('id', beyond, after.id)
  else if (after !== undefined)
    void query.where(
      place =>
        void place
          .where(column, beyond, after.value)
          .orWhere(same => void same.where(column, after.value).where('id', beyond, after.id)),
    )
  return await storage.offload(query)
}
