// How the database finds the rows of a page: along an index, without sorting, whatever the size of the queue.
import type { HistoryFilter, Page, QueueFilter } from '@mox/plugin-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Opened, openTemporary } from '../../storage-sqlite/test/support.ts'

let opened: Opened
beforeAll(async () => {
  opened = await openTemporary()
})
afterAll(async () => await opened.close())

/** What the engine says of each query that `work` runs on the main thread. */
async function plans(work: () => Promise<unknown>): Promise<string[]> {
  const { db } = opened.storage
  const queries: { sql: string; bindings: readonly never[] }[] = []
  const listen = (query: { sql: string; bindings: readonly never[] }): void => void queries.push(query)
  db.on('query', listen)
  await work()
  db.off('query', listen)
  const all: string[] = []
  for (const { sql, bindings } of queries) {
    const rows = (await db.raw(`explain query plan ${sql}`, [...bindings])) as { detail: string }[]
    all.push(rows.map(({ detail }) => detail).join('; '))
  }
  return all
}

const AFTER: Page = { limit: 10, ascending: true, after: { value: 5, id: 5 } }
const LATEST: Page = { limit: 10 }

test.each<[QueueFilter, Page, number, RegExp]>([
  [{}, LATEST, 2, /SCAN q USING INDEX mox_queue_(?:due|held)/],
  [{}, AFTER, 4, /SEARCH q USING INDEX mox_queue_(?:due|held) \(due(?:=\? AND rowid)?>\?\)/],
  [{}, { ...AFTER, byId: true }, 1, /SEARCH q USING INTEGER PRIMARY KEY \(rowid>\?\)/],
  [{ hold: true }, LATEST, 1, /mox_queue_held/],
  [{ hold: false }, AFTER, 2, /SEARCH q USING INDEX mox_queue_due/],
  [{ account: 'a' }, LATEST, 1, /SEARCH q USING INDEX mox_queue_account \(account=\?\)/],
  [{ account: 'a' }, AFTER, 2, /SEARCH q USING INDEX mox_queue_account \(account=\? AND due(?:=\? AND id)?>\?\)/],
  [{ transport: 'relay' }, LATEST, 1, /SEARCH q USING INDEX mox_queue_transport \(transport=\?\)/],
  [{ dueAfter: 7 }, LATEST, 2, /SEARCH q USING INDEX mox_queue_(?:due|held) \(due>\?\)/],
  [{ dueBefore: 7, hold: false }, LATEST, 1, /SEARCH q USING INDEX mox_queue_due \(due<\?\)/],
])('queue %j %j', async (filter, page, count, expected) => {
  const found = await plans(() => opened.storage.queue.list(filter, page))
  expect(found).toHaveLength(count)
  for (const plan of found) {
    expect(plan).toMatch(expected)
    expect(plan).not.toContain('TEMP B-TREE')
  }
})

test.each<[HistoryFilter, Page, number, RegExp]>([
  [{}, LATEST, 1, /mox_history_last_activity_index/],
  [{}, AFTER, 2, /SEARCH q USING INDEX mox_history_last_activity_index/],
  [{ delivered: false }, LATEST, 1, /mox_history_ended/],
  [{ activeAfter: 5 }, LATEST, 1, /SEARCH q USING INDEX mox_history_last_activity_index/],
])('history %j %j', async (filter, page, count, expected) => {
  const found = await plans(() => opened.storage.history.list(filter, page))
  expect(found).toHaveLength(count)
  for (const plan of found) {
    expect(plan).toMatch(expected)
    expect(plan).not.toContain('TEMP B-TREE')
  }
})

test('lists that must read much are read on the reader thread', async () => {
  const { queue, history } = opened.storage
  const filters: QueueFilter[] = [{ to: 'x' }, { from: 'x' }, { receivedBefore: 5 }, { account: 'a', transport: '' }]
  for (const filter of filters) {
    expect(await plans(() => queue.list(filter, LATEST)), JSON.stringify(filter)).toEqual([])
    expect(await plans(() => history.list(filter, LATEST)), JSON.stringify(filter)).toEqual([])
  }
  expect(await plans(() => queue.count({}))).toEqual([])
  expect(await plans(() => queue.find({}, { after: 0, limit: 5 }))).toEqual([])
})

test('what is counted for limits of an account reads indexes alone', async () => {
  const { db } = opened.storage
  const plan = async (sql: string): Promise<string> =>
    ((await db.raw(`explain query plan ${sql}`)) as { detail: string }[]).map(({ detail }) => detail).join('; ')
  expect(await plan("select size from mox_queue where account = 'a' limit 5")).toBe(
    'SEARCH mox_queue USING COVERING INDEX mox_queue_account (account=?)',
  )
  expect(await plan("select sum(recipients) from mox_sent where account = 'a' and at > 5")).toBe(
    'SEARCH mox_sent USING COVERING INDEX mox_sent_account (account=? AND at>?)',
  )
  expect(await plan("select count(*) from mox_met where account = 'a' and first_at > 5")).toBe(
    'SEARCH mox_met USING COVERING INDEX mox_met_first (account=? AND first_at>?)',
  )
})
