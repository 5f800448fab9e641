// Events by stream, day and kind, kept when the log itself has aged out. No counter is touched when an event is added: a
// round every minute adds up what came since the last one, and a question adds the rest from the log. Both parts are read by
// one statement, so nothing counts twice or is left out.
import type { Clock, EventKind, Events, Storage } from '@mox/plugin-sdk'
import { COUNT, COUNTED, type CountRow, DAY_MS, dayOf, type EventRow, LOG } from './schema.ts'

/** Events added up in one unit of work. */
export const COUNT_BATCH = 2_000
/**
 * Milliseconds before an event is counted. Where several processes write, ids may become visible out of order, but none
 * later than this.
 */
export const SETTLE_MS = 60_000
/** Days that counts are kept. */
export const COUNT_DAYS = 731

type Row = Awaited<ReturnType<Events['statistics']>>[number]

/** Adds up settled events; resolves with how many. At most one unit of work of COUNT_BATCH events. */
export async function countSome(storage: Storage, clock: Clock): Promise<number> {
  return await storage.write(async db => {
    const mark: { last_id: number } | undefined = await db(COUNTED).first('last_id').forUpdate()
    const last = mark?.last_id ?? 0
    const rows: Pick<EventRow, 'id' | 'at' | 'account' | 'day' | 'stream' | 'kind'>[] = await db<EventRow>(LOG)
      .select('id', 'at', 'account', 'day', 'stream', 'kind')
      .where('id', '>', last)
      .orderBy('id')
      .limit(COUNT_BATCH)
    const until = clock.now() - SETTLE_MS
    const fresh = rows.findIndex(row => row.at > until)
    const settled = fresh < 0 ? rows : rows.slice(0, fresh)
    const counts = new Map<string, CountRow>()
    for (const { account, day, stream, kind } of settled) {
      const key = JSON.stringify([account, day, stream, kind])
      const known = counts.get(key)
      if (known === undefined) counts.set(key, { account, day, stream, kind, count: 1 })
      else known.count++
    }
    for (const { count, ...key } of counts.values()) {
      const changed = await db<CountRow>(COUNT).where(key).increment('count', count)
      if (changed === 0) await db(COUNT).insert({ ...key, count })
    }
    const end = settled.at(-1)
    if (end !== undefined) await db(COUNTED).update({ last_id: end.id })
    return settled.length
  })
}

/** Whole UTC days that have a part in [since, until). */
export async function statistics(
  storage: Storage,
  account: string,
  { since, until, stream }: Parameters<Events['statistics']>[1],
): Promise<Row[]> {
  const { db } = storage
  const days: [number, number] = [dayOf(since), dayOf(until - 1)]
  const only = stream === undefined ? {} : { stream }
  const counted = db(COUNT)
    .select('day', 'stream', 'kind', 'count as n')
    .where({ account, ...only })
    .whereBetween('day', days)
  const fresh = db(LOG)
    .select('day', 'stream', 'kind')
    .count('id as n')
    .where({ account, ...only })
    .where('id', '>', db(COUNTED).select('last_id'))
    .whereBetween('day', days)
    .groupBy('day', 'stream', 'kind')
  const query = db
    .from(counted.unionAll([fresh]).as('all'))
    .select('day', 'stream', 'kind')
    .sum('n as count')
    .groupBy('day', 'stream', 'kind')
    .orderBy(['day', 'stream', 'kind'])
  const rows = await storage.offload<{ day: number; stream: string; kind: EventKind; count: number }>(query)
  return rows.map(({ day, count, ...rest }) => ({
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
    ...rest,
    count: Number(count),
  }))
}
