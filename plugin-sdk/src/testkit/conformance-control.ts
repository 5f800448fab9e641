// Conformance of what operators do with queue and history: filters, pages, changes of many; and of what limits for senders
// are counted with.
import assert from 'node:assert/strict'
import type { HistoryFilter, JobChange, Page, QueueFilter } from '../services/repositories.ts'
import type { Storage } from '../services/storage.ts'
import { type Check, DAY, job, message, NOW, retire } from './conformance-support.ts'

const BÜCHER = 'xn--bcher-kva.example'

/** Five recipients of two messages; their ids in order. */
async function five(s: Storage): Promise<number[]> {
  const old = await message(s, { receivedAt: NOW - DAY, account: 'bob', size: 100 })
  const fresh = await message(s, { receivedAt: NOW, size: 1_000 })
  const first = await s.write(() =>
    s.queue.add(old, [
      job({ localpart: 'one', domain: 'a.test', due: NOW + 1, reversePath: null }),
      job({ localpart: 'Two%', domain: BÜCHER, due: NOW + 5, hold: true, requireTls: false }),
    ]),
  )
  const second = await s.write(() =>
    s.queue.add(fresh, [
      job({ localpart: 'three', domain: 'b.test', due: NOW + 3, transport: 'relay' }),
      job({ localpart: 'four', domain: 'a.test', due: NOW + 3, hold: true }),
      job({ localpart: 'five', domain: 'a.test.au', due: NOW + 3, reversePath: { localpart: 'x', domain: BÜCHER } }),
    ]),
  )
  return [...first, ...second]
}

export function controlChecks(check: Check): void {
  check('queue: every filter, in lists, counts, searches for ids and changes', async s => {
    const ids = await five(s)
    const { messageId } = (await s.queue.get(ids[4] ?? 0)) ?? {}
    assert.ok(messageId !== undefined)
    const found = async (filter: QueueFilter, ...expected: number[]) => {
      const wanted = expected.map(n => ids[n - 1])
      const text = JSON.stringify(filter)
      assert.deepEqual(await s.queue.find(filter, { after: 0, limit: 9 }), wanted, text)
      assert.equal(await s.queue.count(filter), wanted.length, text)
      const listed = await s.queue.list(filter, { limit: 9, ascending: true, byId: true })
      assert.deepEqual(
        listed.map(({ id }) => id),
        wanted,
        text,
      )
      const sorted = await s.queue.list(filter, { limit: 9 })
      assert.deepEqual(sorted.map(({ id }) => id).sort(), [...wanted].sort(), text)
      assert.equal(await s.write(() => s.queue.set(filter, { maxAttempts: 3 })), wanted.length, text)
    }
    await found({}, 1, 2, 3, 4, 5)
    await found({ ids: [ids[2] ?? 0, ids[0] ?? 0, 999_999] }, 1, 3)
    await found({ messageId }, 3, 4, 5)
    await found({ account: 'bob' }, 1, 2)
    await found({ account: 'alice' }, 3, 4, 5)
    await found({ hold: true }, 2, 4)
    await found({ hold: false }, 1, 3, 5)
    await found({ transport: 'relay' }, 3)
    await found({ transport: '' }, 1, 2, 4, 5)
    await found({ to: '@a.test' }, 1, 4, 5)
    await found({ to: 'Two%@' }, 2)
    await found({ to: 'two%' })
    await found({ to: '_' })
    await found({ to: '' }, 1, 2, 3, 4, 5)
    await found({ to: '@bücher.example' }, 2)
    await found({ to: `Two%@${BÜCHER}` }, 2)
    await found({ from: 'x@bücher' }, 5)
    await found({ from: '@from.test' }, 2, 3, 4)
    await found({ from: '' }, 1, 2, 3, 4, 5)
    await found({ receivedBefore: NOW }, 1, 2)
    await found({ receivedAfter: NOW - DAY }, 3, 4, 5)
    await found({ receivedAfter: NOW - DAY - 1, receivedBefore: NOW - DAY + 1 }, 1, 2)
    await found({ dueBefore: NOW + 3 }, 1)
    await found({ dueAfter: NOW + 3 }, 2)
    await found({ dueAfter: NOW + 1, dueBefore: NOW + 5 }, 3, 4, 5)
    await found({ account: 'alice', hold: true, to: 'four', from: 'a@', transport: '' }, 4)
    await found({ account: 'alice', hold: true, to: 'four', transport: 'relay' })
    await found({ receivedBefore: NOW, hold: false, to: 'one' }, 1)
  })

  check('queue: pages in both orders and directions, whatever shares a due time', async s => {
    const m = await message(s)
    const jobs = Array.from({ length: 23 }, (_, n) => job({ due: NOW + (n % 3), hold: n % 4 === 0 }))
    const ids = await s.write(() => s.queue.add(m, jobs))
    const due = new Map(ids.map((id, n) => [id, NOW + (n % 3)]))
    const sign = (page: Omit<Page, 'limit'>) => (page.ascending ? 1 : -1)
    for (const order of [{}, { ascending: true }, { byId: true }, { byId: true, ascending: true }])
      for (const filter of [{}, { hold: true }, { account: 'alice' }, { to: 'r@' }, { messageId: m }] as QueueFilter[])
        for (const limit of [1, 4, 23]) {
          const seen: number[] = []
          for (let after: Page['after']; ; ) {
            const rows = await s.queue.list(filter, { limit, ...order, ...(after === undefined ? {} : { after }) })
            seen.push(...rows.map(({ id }) => id))
            const last = rows.at(-1)
            if (rows.length < limit || last === undefined) break
            after = { value: last.due, id: last.id }
          }
          const value = (id: number) => ('byId' in order ? 0 : (due.get(id) ?? 0))
          const expected = ids
            .filter((_, n) => filter.hold === undefined || n % 4 === 0)
            .sort((a, b) => sign(order) * (value(a) - value(b) || a - b))
          assert.deepEqual(seen, expected, JSON.stringify({ order, filter, limit }))
        }
    const middle = await s.queue.find({}, { after: ids[9] ?? 0, limit: 5 })
    assert.deepEqual(middle, ids.slice(10, 15))
  })

  check('queue: what an operator changes, and changes back', async s => {
    const [id = 0] = await five(s)
    const changed = async (change: JobChange) => {
      assert.equal(await s.write(() => s.queue.set({ ids: [id] }, change)), 1)
      const row = await s.queue.get(id)
      assert.ok(row)
      const { due, hold, transport, requireTls, maxAttempts } = row
      return [due - NOW, hold, transport, requireTls, maxAttempts]
    }
    assert.deepEqual(await changed({}), [1, false, undefined, undefined, 0])
    assert.deepEqual(await changed({ due: { add: 500 } }), [501, false, undefined, undefined, 0])
    assert.deepEqual(await changed({ due: { add: -600 } }), [-99, false, undefined, undefined, 0])
    assert.deepEqual(await changed({ due: NOW + 7, hold: true }), [7, true, undefined, undefined, 0])
    assert.deepEqual(await changed({ transport: 'relay', requireTls: true }), [7, true, 'relay', true, 0])
    assert.deepEqual(await changed({ hold: false, requireTls: false }), [7, false, 'relay', false, 0])
    assert.deepEqual(await changed({ maxAttempts: 2 }), [7, false, 'relay', false, 2])
    assert.deepEqual(await changed({ transport: null, requireTls: null }), [7, false, undefined, undefined, 2])
    const row = await s.queue.get(id)
    assert.deepEqual(['transport' in (row ?? {}), 'requireTls' in (row ?? {})], [false, false])
  })

  check('queue: what an account has in it', async s => {
    await five(s)
    assert.deepEqual(await s.queue.usage('bob', 100), { count: 2, bytes: 200 })
    assert.deepEqual(await s.queue.usage('alice', 3), { count: 3, bytes: 3_000 })
    assert.deepEqual(await s.queue.usage('alice', 2), { count: 2, bytes: 2_000 })
    assert.deepEqual(await s.queue.usage('nobody', 100), { count: 0, bytes: 0 })
  })

  check('history: every filter, and pages in both orders', async s => {
    const ids = await five(s)
    const statuses = ['delivered', 'failed', 'suppressed', 'cancelled', 'delivered'] as const
    const jobs = await s.queue.list({}, { limit: 9, byId: true, ascending: true })
    await s.write(() =>
      s.queue.retire(jobs.map((j, n) => retire(j, { status: statuses[n]!, lastActivity: NOW + (n % 2) }))),
    )
    const found = async (filter: HistoryFilter, ...expected: number[]) => {
      const rows = await s.history.list(filter, { limit: 9, byId: true, ascending: true })
      assert.deepEqual(
        rows.map(({ id }) => id),
        expected.map(n => ids[n - 1]),
        JSON.stringify(filter),
      )
      const sorted = await s.history.list(filter, { limit: 9 })
      assert.deepEqual(sorted.map(({ id }) => id).sort(), rows.map(({ id }) => id).sort(), JSON.stringify(filter))
    }
    await found({}, 1, 2, 3, 4, 5)
    await found({ status: 'delivered' }, 1, 5)
    await found({ status: 'failed' }, 2)
    await found({ delivered: true }, 1, 5)
    await found({ delivered: false }, 2, 3, 4)
    await found({ delivered: false, status: 'delivered' })
    await found({ activeBefore: NOW + 1 }, 1, 3, 5)
    await found({ activeAfter: NOW }, 2, 4)
    await found({ receivedBefore: NOW, account: 'bob' }, 1, 2)
    await found({ receivedAfter: NOW - DAY, transport: 'relay' }, 3)
    await found({ to: '@bücher.example', transport: '' }, 2)
    await found({ from: 'bücher', ids }, 5)
    const pages = async (order: Omit<Page, 'limit'>, ...expected: number[]) => {
      const seen: number[] = []
      for (let after: Page['after']; ; ) {
        const rows = await s.history.list({}, { limit: 2, ...order, ...(after === undefined ? {} : { after }) })
        seen.push(...rows.map(({ id }) => id))
        const last = rows.at(-1)
        if (rows.length < 2 || last === undefined) break
        after = { value: last.lastActivity, id: last.id }
      }
      assert.deepEqual(
        seen,
        expected.map(n => ids[n - 1]),
      )
    }
    await pages({}, 4, 2, 5, 3, 1)
    await pages({ ascending: true }, 1, 3, 5, 2, 4)
    await pages({ byId: true }, 5, 4, 3, 2, 1)
  })

  check('sent: counted in a window, undone with their unit, removed when old', async s => {
    await s.write(async () => {
      await s.sent.add('ann', NOW, 3)
      await s.sent.add('ann', NOW + 10, 4)
      await s.sent.add('bob', NOW + 10, 5)
    })
    await assert.rejects(
      s.write(async () => {
        await s.sent.add('ann', NOW, 100)
        await s.sent.meet('ann', NOW, ['undone@x.test'])
        throw new Error('refused')
      }),
    )
    assert.deepEqual(
      [await s.sent.count('ann', NOW - 1), await s.sent.count('ann', NOW), await s.sent.count('ann', NOW + 10)],
      [7, 4, 0],
    )
    assert.equal(await s.write(() => s.sent.count('bob', 0)), 5)
    assert.equal(await s.sent.count('nobody', 0), 0)
    assert.equal(await s.write(() => s.sent.purge({ sentUntil: NOW, metUntil: 0 }, 10)), 1)
    assert.equal(await s.sent.count('ann', 0), 4)
    assert.equal(await s.write(() => s.sent.purge({ sentUntil: NOW + 10, metUntil: 0 }, 10)), 2)
  })

  check('sent: an address is met once, until nobody wrote to it for long', async s => {
    const meet = (account: string, at: number, ...addresses: string[]) =>
      s.write(() => s.sent.meet(account, at, addresses))
    await meet('ann', NOW, 'a@x.test', 'b@x.test', 'a@x.test')
    await meet('bob', NOW + 5, 'a@x.test')
    await meet('ann', NOW + DAY + 1, 'a@x.test', 'c@x.test')
    assert.deepEqual(
      [await s.sent.met('ann', NOW - 1), await s.sent.met('ann', NOW), await s.sent.met('bob', NOW)],
      [3, 1, 1],
    )
    const purge = (metUntil: number) => s.write(() => s.sent.purge({ sentUntil: 0, metUntil }, 10))
    assert.equal(await purge(NOW + 4), 1)
    assert.equal(await purge(NOW + 5), 1)
    assert.equal(await purge(NOW + DAY), 0)
    await meet('ann', NOW + DAY + 2, 'b@x.test')
    assert.equal(await s.sent.met('ann', NOW + DAY), 2)
    assert.equal(await purge(NOW + 2 * DAY), 3)
  })
}
