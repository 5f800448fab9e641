// Conformance of the queue under load and under change: nobody starves, groups hold only what belongs together, nothing leaves
// twice.
import assert from 'node:assert/strict'
import type { Job } from '../model/job.ts'
import type { HistoryFilter } from '../services/repositories.ts'
import type { Storage } from '../services/storage.ts'
import { type Check, job, message, NOW, retire } from './conformance-support.ts'

const RUNNING = { number: 1, startedAt: NOW, outcome: 'running', code: 0, enhanced: '', text: '' } as const

export function queueChecks(check: Check): void {
  check('queue: a long line of a domain without a place lets others pass, oldest due first', async s => {
    const m = await message(s)
    await s.write(() =>
      s.queue.add(
        m,
        Array.from({ length: 700 }, () => job({ domain: 'slow.test', due: NOW - 900 })),
      ),
    )
    await s.write(() =>
      s.queue.add(
        m,
        ['c.test', 'a.test', 'b.test'].map((domain, n) => job({ domain, due: NOW - 100 + n })),
      ),
    )
    const places = (domain: string) => (domain === 'slow.test' ? 0 : 1)
    assert.deepEqual(domains(await claim(s, 2, places)), ['c.test×1', 'a.test×1'])
    assert.deepEqual(domains(await claim(s, 9, places)), ['b.test×1'])
    assert.deepEqual(domains(await claim(s, 9, places)), [])
  })

  check('queue: one message to ten thousand recipients', async s => {
    const m = await message(s)
    const ids = await s.write(() =>
      s.queue.add(
        m,
        Array.from({ length: 10_000 }, (_, n) =>
          job({ localpart: `r${n}`, domain: n < 9_000 ? 'big.test' : `d${n}.test` }),
        ),
      ),
    )
    assert.equal(new Set(ids).size, 10_000)
    const claimed = new Set<number>()
    for (;;) {
      const groups = await claim(s, 500, () => 50)
      if (groups.length === 0) break
      for (const group of groups) {
        assert.equal(new Set(group.map(j => j.recipientDomain)).size, 1)
        for (const { id } of group) claimed.add(id)
      }
    }
    assert.equal(claimed.size, 10_000)
    assert.equal(await s.queue.count({ messageId: m }), 10_000)
  })

  check('queue: only what may share a transaction is one group', async s => {
    const m = await message(s)
    const own = { localpart: 'a+id', domain: 'from.test' }
    const ids = await s.write(() =>
      s.queue.add(m, [
        job(),
        job(),
        job(),
        job({ reversePath: own }),
        job({ requireTls: true }),
        job({ due: NOW + 99 }),
      ]),
    )
    await s.write(() => s.queue.set({ ids: [ids[2] ?? 0] }, { transport: 'relay' }))
    await s.write(async () => void (await s.queue.add(m, [job()])))
    const groups = await claim(s, 9, () => 9)
    assert.deepEqual(groups.map(g => g.length).sort(), [1, 1, 1, 1, 2])
    assert.deepEqual(
      groups.find(g => g.length === 2)?.map(j => j.id),
      ids.slice(0, 2),
    )
  })

  check('queue: siblings whose attempts differ part ways', async s => {
    const m = await message(s)
    const [first = 0, second = 0] = await s.write(() => s.queue.add(m, [job(), job()]))
    await s.write(() => s.queue.begin([{ id: first, attempt: RUNNING, due: NOW }]))
    const groups = await claim(s, 9, () => 9)
    assert.deepEqual(groups.map(g => g.map(j => j.id)).sort(), [[first], [second]])
  })

  check('queue: leases are renewed, ended by a result and by an operator', async s => {
    const m = await message(s)
    const [id = 0] = await s.write(() => s.queue.add(m, [job()]))
    const at = (now: number) => claim(s, 9, () => 9, now)
    assert.equal((await at(NOW)).length, 1)
    await s.write(() => s.queue.renew([id], NOW + 5_000))
    assert.equal((await at(NOW + 4_999)).length, 0)
    assert.equal((await at(NOW + 5_000)).length, 1)
    await s.write(() => s.queue.finish([{ id, results: [], due: NOW, dialedIps: {} }]))
    assert.equal((await at(NOW)).length, 1)
    await s.write(() => s.queue.set({ ids: [id] }, { due: NOW }))
    assert.equal((await at(NOW)).length, 1)
  })

  check('queue: what has left does not leave again, nor does a late result bring it back', async s => {
    const m = await message(s)
    const [id = 0] = await s.write(() => s.queue.add(m, [job({ fromId: 'once', stream: 'receipts' })]))
    const row = await s.queue.get(id)
    assert.ok(row)
    assert.equal(row.stream, 'receipts')
    const found = async (fromId: string) => [
      (await s.queue.findByFromId(fromId))?.id,
      (await s.history.findByFromId(fromId))?.id,
    ]
    assert.deepEqual(await found('once'), [id, undefined])
    assert.deepEqual(await found('Once'), [undefined, undefined])
    await s.write(() => s.queue.retire([retire(row, { status: 'cancelled' })]))
    await s.write(async () => {
      await s.queue.finish([{ id, results: [RUNNING], due: NOW, dialedIps: {} }])
      await s.queue.retire([retire(row, { status: 'delivered' })])
    })
    assert.equal(await s.queue.get(id), undefined)
    const { status, stream } = (await s.history.get(id)) ?? {}
    assert.deepEqual([status, stream], ['cancelled', 'receipts'])
    assert.deepEqual(await found('once'), [undefined, id])
    // A sender address that names a recipient names it for good.
    await assert.rejects(s.write(() => s.queue.add(m, [job({ fromId: 'once' })])))
    await assert.rejects(s.write(() => s.queue.add(m, [job({ fromId: 'x' }), job({ fromId: 'x' })])))
    assert.equal(await s.queue.count({}), 0)
    assert.deepEqual(await s.verify(), [])
  })

  check('queue and history: recipients by the ids that reports name', async s => {
    const first = await message(s, { messageIdHeader: '<one@from.test>', envid: 'E1' })
    const second = await message(s, { messageIdHeader: '<two@from.test>', envid: 'E2' })
    const other = await message(s, { messageIdHeader: '<one@from.test>', envid: 'E1', account: 'bob' })
    const added: number[][] = []
    for (const m of [first, second, other]) added.push(await s.write(() => s.queue.add(m, [job(), job()])))
    const [[a = 0, b = 0] = [], [c = 0, d = 0] = [], [e = 0, f = 0] = []] = added
    const rows = await s.queue.list({ ids: [b, d, f] }, { limit: 9 })
    await s.write(() => s.queue.retire(rows.map(row => retire(row, {}))))
    const find = async (filter: HistoryFilter) => {
      const page = { limit: 10, ascending: true }
      const found = [...(await s.queue.list(filter, page)), ...(await s.history.list(filter, page))]
      return found.map(row => row.id)
    }
    const alice = { account: 'alice' }
    assert.deepEqual(await find({ ...alice, messageIdHeader: '<one@from.test>' }), [a, b])
    assert.deepEqual(await find({ ...alice, envid: 'E2' }), [c, d])
    assert.deepEqual(await find({ messageIdHeader: '<one@from.test>' }), [a, e, b, f])
    assert.deepEqual(await find({ ...alice, messageIdHeader: '<one@from.test>', envid: 'E2' }), [])
    assert.deepEqual(await find({ ...alice, messageIdHeader: '<ONE@from.test>' }), [])
    assert.deepEqual(await find({ ...alice, envid: '' }), [])
  })

  check('messages: stay while anybody refers to them', async s => {
    const m = await message(s)
    const [id = 0] = await s.write(() => s.queue.add(m, [job()]))
    const purge = () => s.write(() => s.messages.purge(NOW + 1, 10))
    assert.equal(await purge(), 0)
    const row = await s.queue.get(id)
    assert.ok(row)
    await s.write(() => s.queue.retire([retire(row, { keepUntil: NOW * 2 })]))
    assert.equal(await purge(), 0)
    await s.write(() => s.history.purge(NOW * 3, 10))
    assert.equal(await purge(), 1)
    assert.equal(await s.content.collect(), 1)
    assert.deepEqual(await s.verify(), [])
  })

  check('history: entries of one account are removed in portions', async s => {
    const add = async (account: string, jobs: number): Promise<number[]> => {
      const m = await message(s, { account })
      return await s.write(() =>
        s.queue.add(
          m,
          Array.from({ length: jobs }, () => job()),
        ),
      )
    }
    const [other] = await add('b', 1)
    const ids = [...(await add('a', 3)), other ?? 0]
    const jobs = (await Promise.all(ids.map(id => s.queue.get(id)))).flatMap(row => row ?? [])
    await s.write(() => s.queue.retire(jobs.map(row => retire(row, { keepUntil: NOW * 2 }))))
    const remove = () => s.write(() => s.history.removeOf('a', 2))
    assert.deepEqual([await remove(), await remove(), await remove()], [2, 1, 0])
    assert.deepEqual(
      (await s.history.list({}, { limit: 9 })).map(row => row.id),
      [other],
    )
  })

  check('outbox: a backlog of one subscriber hides nobody else', async s => {
    const row = (subscriber: string, due: number) => ({
      ...{ eventId: 'e', hook: 'onRetire.done', subscriber, payload: {}, createdAt: NOW, due },
    })
    await s.write(() => s.outbox.add(Array.from({ length: 300 }, () => row('busy', NOW - 9))))
    await s.write(() => s.outbox.add([row('quick', NOW)]))
    const rows = await s.write(() => s.outbox.claim({ now: NOW, leaseMs: 9, limit: 5, except: ['busy'] }))
    assert.deepEqual(
      rows.map(r => r.subscriber),
      ['quick'],
    )
  })
}

const domains = (groups: readonly (readonly Job[])[]) => groups.map(g => `${g[0]?.recipientDomain}×${g.length}`)

function claim(s: Storage, limit: number, places: (domain: string) => number, now: number = NOW) {
  return s.write(() => s.queue.claim({ now, leaseMs: 1_000, limit, places }))
}
