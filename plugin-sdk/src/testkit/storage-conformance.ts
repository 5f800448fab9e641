// What a storage backend must do, as tests: register them with vitest's or node:test's `test`. A backend that passes can
// replace any other. Uses node:assert only.
import assert from 'node:assert/strict'
import type { Job } from '../model/job.ts'
import type { SearchOptions, SearchTerm, Storage } from '../services/storage.ts'
import { controlChecks } from './conformance-control.ts'
import { queueChecks } from './conformance-queue.ts'
import {
  type Check,
  DAY,
  hashOf,
  items,
  job,
  keep,
  message,
  NOW,
  names,
  type OpenedStorage,
  retire,
} from './conformance-support.ts'
import { unitChecks } from './conformance-units.ts'

export type { OpenedStorage } from './conformance-support.ts'

export interface ConformanceOptions {
  /** `test` of the test runner. */
  readonly test: (name: string, work: () => Promise<void>) => unknown
  readonly open: () => Promise<OpenedStorage>
}

/** Registers all tests of the contract of `storage@1`. */
export function storageConformance({ test, open }: ConformanceOptions): void {
  const check: Check = (name, work) => {
    test(name, async () => {
      const opened = await open()
      try {
        await work(opened.storage, opened)
      } finally {
        await opened.close()
      }
    })
  }

  check('units: all or nothing, and reads inside see their own changes', async s => {
    await items(s)
    await s.write(async db => {
      await db('conformance_item').insert({ id: 1, name: 'a' })
      assert.equal((await names(s)).join(), 'a')
    })
    await assert.rejects(
      s.write(async db => {
        await db('conformance_item').insert({ id: 2, name: 'b' })
        throw new Error('stop')
      }),
      /stop/,
    )
    assert.equal((await names(s)).join(), 'a')
  })

  check('units: one that fails does not touch others at the same time', async s => {
    await items(s)
    const units = Array.from({ length: 40 }, (_, i) =>
      s.write(async db => {
        await db('conformance_item').insert({ id: i, name: `n${i}` })
        if (i % 3 === 0) throw new Error(`no ${i}`)
        return i
      }),
    )
    const settled = await Promise.allSettled(units)
    const kept = settled.flatMap(r => (r.status === 'fulfilled' ? [`n${r.value}`] : []))
    assert.equal(kept.length, 26)
    assert.deepEqual((await names(s)).sort(), kept.sort())
  })

  check('units: nested ones are savepoints of the outer', async s => {
    await items(s)
    await s.write(async db => {
      await db('conformance_item').insert({ id: 1, name: 'outer' })
      await s.write(inner =>
        inner('conformance_item')
          .insert({ id: 2, name: 'inner' })
          .then(() => undefined),
      )
      const failing = s.write(async inner => {
        await inner('conformance_item').insert({ id: 3, name: 'undone' })
        throw new Error('inner')
      })
      await assert.rejects(failing, /inner/)
    })
    assert.deepEqual((await names(s)).sort(), ['inner', 'outer'])
  })

  check('units: the handle is ambient, so that nothing can wait for itself', async s => {
    await items(s)
    await s.write(async () => {
      await s.db('conformance_item').insert({ id: 1, name: 'ambient' })
      assert.equal(s.inUnit(), true)
      assert.equal((await names(s)).length, 1)
    })
    assert.equal(s.inUnit(), false)
    await assert.rejects(async () => await s.db('conformance_item').insert({ id: 2, name: 'outside' }))
    assert.equal((await names(s)).length, 1)
  })

  check('units: what goes on after the end gets an error', async s => {
    await items(s)
    let late: Promise<unknown> | undefined
    const gate = Promise.withResolvers<void>()
    await s.write(async () => {
      late = gate.promise.then(async () => await s.db('conformance_item').select('*'))
      late.catch(() => undefined)
    })
    gate.resolve()
    await assert.rejects(late as Promise<unknown>, /unit of work/)
  })

  check('afterCommit and notify: after the commit, and never after a failure', async s => {
    await items(s)
    const seen: string[] = []
    s.subscribe('c', payload => void seen.push(`notified ${String(payload)}`))
    await s.write(async () => {
      s.afterCommit(() => void seen.push('after'))
      s.notify('c', 1)
      seen.push('inside')
    })
    await assert.rejects(
      s.write(async () => {
        s.afterCommit(() => void seen.push('wrong'))
        s.notify('c', 2)
        throw new Error('x')
      }),
    )
    s.afterCommit(() => void seen.push('at once'))
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(seen.sort(), ['after', 'at once', 'inside', 'notified 1'].sort())
    assert.equal(seen.includes('wrong'), false)
  })

  check('statements: built once, run with values', async s => {
    await items(s)
    const insert = s.statement<{ id: number; name: string }>((db, p) =>
      db('conformance_item').insert({ id: p('id'), name: p('name') }),
    )
    const find = s.statement<{ id: number }, { name: string }>((db, p) =>
      db('conformance_item').where('id', p('id')).select('name'),
    )
    await s.write(async () => {
      for (let id = 1; id <= 3; id++) assert.equal((await insert.run({ id, name: `n${id}` })).changes, 1)
    })
    assert.deepEqual({ ...(await find.get({ id: 2 })) }, { name: 'n2' })
    assert.equal(await find.get({ id: 9 }), undefined)
    assert.equal((await find.all({ id: 3 })).length, 1)
  })

  check('offload: reads what was committed', async s => {
    await items(s)
    await s.write(db =>
      db('conformance_item')
        .insert({ id: 1, name: 'a' })
        .then(() => undefined),
    )
    assert.deepEqual(
      (await s.offload<{ name: string }>(s.db('conformance_item').where('id', 1).select('name'))).map(r => r.name),
      ['a'],
    )
  })

  check('claim: due rows once, until the lease ends', async s => {
    await s.migrate('conformance', [
      {
        version: 1,
        name: 'jobs',
        up: async db =>
          db.schema.createTable('conformance_job', t => {
            t.integer('id').primary()
            t.integer('due').notNullable()
            t.integer('lease')
          }),
      },
    ])
    await s.write(db =>
      db('conformance_job')
        .insert([5, 3, 9, 1].map((due, id) => ({ id, due: NOW + due, lease: null })))
        .then(() => undefined),
    )
    const claim = async (now: number, limit = 10): Promise<number[]> => {
      const rows = await s.claim<{ id: number }>({
        table: 'conformance_job',
        ...{ dueColumn: 'due', leaseColumn: 'lease', now, leaseMs: 100, limit },
      })
      return rows.map(r => r.id)
    }
    assert.deepEqual(await claim(NOW + 5, 2), [3, 1])
    assert.deepEqual(await claim(NOW + 5), [0])
    assert.deepEqual(await claim(NOW + 5), [])
    assert.deepEqual(await claim(NOW + 105), [3, 1, 0, 2])
  })

  check('lock: one holder, until it is released or its time is over', async s => {
    const first = await s.lock('job', 60_000)
    assert.notEqual(first, null)
    assert.equal(await s.lock('job', 60_000), null)
    assert.notEqual(await s.lock('other', 60_000), null)
    assert.equal(await first?.renew(), true)
    await first?.release()
    assert.notEqual(await s.lock('job', 60_000), null)
  })

  check('migrations: once, in order, and a newer database is refused', async (s, opened) => {
    const step = (version: number) => ({
      version,
      name: `step ${version}`,
      up: async (db: Storage['db']) => db.schema.createTable(`conformance_${version}`, t => void t.integer('id')),
    })
    await s.migrate('conformance', [step(1)])
    await s.migrate('conformance', [step(1), step(2)])
    const again = await opened.reopen()
    await again.migrate('conformance', [step(1), step(2)])
    await assert.rejects(again.migrate('conformance', [step(1)]), /version 2.*version 1/s)
    await assert.rejects(again.migrate('other', [step(2)]), /numbered/)
  })

  for (const [name, size] of [
    ['empty', 0],
    ['small', 1000],
    ['at the inline limit', 256 * 1024],
    ['one byte beyond', 256 * 1024 + 1],
    ['large', 3_000_000],
  ] as const)
    check(`content: ${name}, read back whole and in part`, async (s, opened) => {
      const bytes = Buffer.alloc(size, 'content ')
      const id = await keep(s, bytes)
      for (const again of [false, true]) {
        const storage = again ? await opened.reopen() : s
        assert.equal(await storage.content.size(id), size)
        assert.deepEqual(await storage.content.read(id), bytes)
        assert.deepEqual(await storage.content.read(id, 7), bytes.subarray(0, 7))
        const parts: Buffer[] = []
        for await (const chunk of storage.content.open(id, { start: 3, end: size - 2 })) parts.push(chunk)
        assert.deepEqual(Buffer.concat(parts), bytes.subarray(3, Math.max(3, size - 2)))
        assert.ok(parts.every(p => p.length <= 64 * 1024))
      }
    })

  check('content: the same bytes once; gone when nobody refers to them', async s => {
    for (const size of [1000, 400_000]) {
      const bytes = Buffer.alloc(size, 'same')
      const id = await keep(s, bytes)
      assert.equal(await keep(s, bytes), id)
      await s.write(() => s.content.retain(id, 2))
      for (let i = 0; i < 3; i++) await s.write(() => s.content.release(id))
      assert.equal(await s.content.collect(), 0)
      await s.write(() => s.content.release(id))
      assert.equal(await s.content.collect(), 1)
      await assert.rejects(s.content.read(id))
      assert.deepEqual(await s.verify(), [])
    }
  })

  check('content: staged bytes can be read, aborted ones leave nothing, a rolled-back unit keeps nothing', async s => {
    for (const size of [1000, 400_000]) {
      const bytes = Buffer.alloc(size, 'x')
      const writer = s.content.writer()
      await writer.write(bytes)
      const staged = await writer.finish(hashOf(bytes))
      const parts: Buffer[] = []
      for await (const chunk of s.content.openStaged(staged)) parts.push(chunk)
      assert.deepEqual(Buffer.concat(parts), bytes)
      const undone = s.write(async () => {
        await s.content.keep(staged)
        throw new Error('undo')
      })
      await assert.rejects(undone, /undo/)
      await writer.abort()
    }
    assert.deepEqual(await s.verify(), [])
  })

  check('messages: stored whole, newest first, purged when nobody needs them', async s => {
    const ids = [await message(s, { subject: 'one' }), await message(s, { subject: 'two', reversePath: null })]
    const found = await s.messages.get(ids[1] ?? 0)
    assert.equal(found?.subject, 'two')
    assert.equal(found?.reversePath, null)
    assert.deepEqual((await s.messages.get(ids[0] ?? 0))?.facts, { score: 7 })
    assert.deepEqual(
      (await s.messages.list({ limit: 1 })).map(m => m.id),
      [ids[1]],
    )
    assert.deepEqual(
      (await s.messages.list({ limit: 5, before: ids[1] ?? 0 })).map(m => m.id),
      [ids[0]],
    )
    await s.write(() => s.messages.update(ids[0] ?? 0, { facts: { score: 8 } }))
    assert.deepEqual((await s.messages.get(ids[0] ?? 0))?.facts, { score: 8 })
    await s.write(() => s.queue.add(ids[0] ?? 0, [job()]))
    assert.equal(await s.write(() => s.messages.purge(NOW + DAY, 10)), 1)
    assert.equal(await s.messages.get(ids[1] ?? 0), undefined)
    assert.equal(await s.content.collect(), 1)
    assert.deepEqual(await s.verify(), [])
  })

  check('queue: claimed in due order, in groups, within the places of a domain', async s => {
    const m = await message(s)
    await s.write(() =>
      s.queue.add(m, [
        job({ due: NOW + 2, domain: 'b.test' }),
        job({ due: NOW + 1, domain: 'a.test' }),
        job({ due: NOW + 1, domain: 'a.test' }),
        job({ due: NOW + 1, domain: 'c.test', hold: true }),
        job({ due: NOW + 50, domain: 'd.test' }),
        job({ due: NOW + 1, domain: 'full.test' }),
      ]),
    )
    const claim = (now: number) =>
      s.write(() => s.queue.claim({ now, leaseMs: 100, limit: 10, places: d => (d === 'full.test' ? 0 : 1) }))
    const shape = (groups: readonly (readonly Job[])[]) => groups.map(g => `${g[0]?.recipientDomain}×${g.length}`)
    assert.deepEqual(shape(await claim(NOW + 5)), ['a.test×2', 'b.test×1'])
    assert.deepEqual(shape(await claim(NOW + 5)), [])
    assert.equal(shape(await claim(NOW + 200)).length, 3)
    await s.write(() => s.queue.releaseAll())
    assert.equal(shape(await claim(NOW + 200)).length, 3)
  })

  check('queue: an attempt is registered, finished, and leaves for the history', async (s, opened) => {
    const m = await message(s)
    const [id = 0] = await s.write(() => s.queue.add(m, [job({ extra: { k: 'v' } })]))
    const attempt = { number: 1, startedAt: NOW, outcome: 'running', code: 0, enhanced: '', text: '' } as const
    await s.write(() => s.queue.begin([{ id, attempt, due: NOW + 450_000 }]))
    const again = await opened.reopen()
    const begun = await again.queue.get(id)
    assert.deepEqual([begun?.attempts, begun?.due, begun?.results.length], [1, NOW + 450_000, 1])
    const done = {
      ...attempt,
      endedAt: NOW + 5,
      outcome: 'temporary',
      code: 451,
      enhanced: '4.3.0',
      text: 'later',
    } as const
    await again.write(() =>
      again.queue.finish([{ id, results: [done], due: NOW + 9, dialedIps: { 'mx.test': ['192.0.2.1'] } }]),
    )
    const finished = await again.queue.get(id)
    assert.deepEqual(finished?.results, [done])
    assert.deepEqual(finished?.dialedIps, { 'mx.test': ['192.0.2.1'] })
    assert.ok(finished)
    await again.write(() => again.queue.retire([retire(finished, { results: [done] })]))
    assert.equal(await again.queue.get(id), undefined)
    const kept = await again.history.get(id)
    assert.deepEqual([kept?.status, kept?.extra, kept?.results], ['delivered', { k: 'v' }, [done]])
    assert.deepEqual(await again.verify(), [])
  })

  check('queue: changes, notes, filters and pages', async s => {
    const m = await message(s)
    const ids = await s.write(() =>
      s.queue.add(m, [
        job({ due: NOW + 1, localpart: 'one' }),
        job({ due: NOW + 2, localpart: 'two%' }),
        job({ due: NOW + 3, localpart: 'three' }),
      ]),
    )
    assert.equal(await s.write(() => s.queue.set({ ids: [ids[0] ?? 0] }, { hold: true })), 1)
    assert.deepEqual(
      (await s.queue.list({ hold: true }, { limit: 9 })).map(j => j.id),
      [ids[0]],
    )
    assert.deepEqual(
      (await s.queue.list({ to: 'two%' }, { limit: 9 })).map(j => j.id),
      [ids[1]],
    )
    assert.equal(await s.queue.count({ to: '%' }), 1)
    assert.equal(await s.queue.count({ account: 'alice' }), 3)
    assert.equal(await s.queue.count({ account: 'bob' }), 0)
    assert.equal(await s.queue.count({}), 3)
    const entry = { number: 0, startedAt: NOW, outcome: 'temporary', code: 0, enhanced: '', text: 'noted' } as const
    await s.write(() => s.queue.note(ids[1] ?? 0, entry, { due: NOW + 77 }))
    assert.equal((await s.queue.get(ids[1] ?? 0))?.results.at(-1)?.text, 'noted')
    const first = await s.queue.list({}, { limit: 2, ascending: true })
    const last = first.at(-1)
    assert.ok(last)
    const rest = await s.queue.list({}, { limit: 2, ascending: true, after: { value: last.due, id: last.id } })
    assert.deepEqual(
      [...first, ...rest].map(j => j.id),
      [ids[0], ids[2], ids[1]],
    )
    assert.equal(await s.queue.nextDue(), NOW + 3)
  })

  check(
    'queue: ids of recipients are never used again, and an id in the sender address only once',
    async (s, opened) => {
      const m = await message(s)
      const [id = 0] = await s.write(() => s.queue.add(m, [job({ fromId: 'abc' })]))
      await assert.rejects(s.write(() => s.queue.add(m, [job({ fromId: 'abc' })])))
      const row = await s.queue.get(id)
      assert.ok(row)
      await s.write(() => s.queue.retire([retire(row, { keepUntil: 0 })]))
      assert.equal(await s.history.get(id), undefined)
      const again = await opened.reopen()
      const [next = 0] = await again.write(() => again.queue.add(m, [job()]))
      assert.ok(next > id, `${next} after ${id}`)
    },
  )

  check('history: newest first, filtered, corrected and purged', async s => {
    const m = await message(s)
    const ids = await s.write(() => s.queue.add(m, [job(), job(), job()]))
    const jobs = (await s.queue.list({}, { limit: 9, ascending: true })) as Job[]
    await s.write(() =>
      s.queue.retire(
        jobs.map((j, i) =>
          retire(j, {
            lastActivity: NOW + i,
            status: i === 1 ? 'failed' : 'delivered',
            keepUntil: NOW + DAY * (i + 1),
          }),
        ),
      ),
    )
    assert.deepEqual(
      (await s.history.list({}, { limit: 2 })).map(r => r.lastActivity),
      [NOW + 2, NOW + 1],
    )
    assert.equal((await s.history.list({ status: 'failed' }, { limit: 9 })).length, 1)
    await s.write(() => s.history.update(ids[0] ?? 0, { status: 'failed' }))
    assert.equal((await s.history.list({ status: 'failed' }, { limit: 9 })).length, 2)
    assert.equal(await s.write(() => s.history.purge(NOW + DAY + 1, 10)), 1)
    assert.equal((await s.history.list({}, { limit: 9 })).length, 2)
  })

  check('outbox: due rows, retries, dead ones and their return', async s => {
    const row = (subscriber: string, due: number) => ({
      ...{ eventId: 'e', hook: 'onReceive.done', subscriber, payload: { a: 1 }, createdAt: NOW, due },
    })
    await s.write(() => s.outbox.add([row('x', NOW), row('y', NOW + 1), row('z', NOW + 50)]))
    const claim = (now: number, except: string[] = []) =>
      s.write(() => s.outbox.claim({ now, leaseMs: 10, limit: 9, except }))
    const first = await claim(NOW + 5, ['y'])
    assert.deepEqual(
      first.map(r => r.subscriber),
      ['x'],
    )
    assert.deepEqual(first[0]?.payload, { a: 1 })
    await s.write(() => s.outbox.failed(first[0]?.id ?? 0, 'broke', { due: NOW + 6 }))
    const second = await claim(NOW + 7)
    assert.deepEqual(second.map(r => [r.subscriber, r.attempts]).sort(), [
      ['x', 1],
      ['y', 0],
    ])
    await s.write(() => s.outbox.failed(first[0]?.id ?? 0, 'broke again', 'dead'))
    await s.write(() => s.outbox.done(second.filter(r => r.subscriber === 'y').map(r => r.id)))
    assert.deepEqual(
      (await s.outbox.list({ dead: true, limit: 9 })).map(r => r.lastError),
      ['broke again'],
    )
    assert.equal(await s.outbox.nextDue(), NOW + 50)
    assert.equal(await s.write(() => s.outbox.revive('all', NOW)), 1)
    assert.deepEqual(
      (await claim(NOW + 60)).map(r => r.subscriber),
      ['x', 'z'],
    )
  })

  check('search: words, phrases and beginnings in fields, where the backend has it', async s => {
    const { search } = s
    assert.equal(search !== undefined, s.capabilities.search)
    if (search === undefined) return
    const put = (index: string, key: number, title: string, text: string) => search.put(index, key, { title, text })
    const large = 2 ** 53 - 1
    await s.write(async () => {
      for (const index of ['a', 'b', 'a']) await search.create(index, ['title', 'text'])
      await put('a', 1, 'first', 'Grüße from the harbour')
      await put('a', 2, 'second harbour', 'the harbour master')
      await put('b', 3, 'third', 'harbour')
      await put('a', 4, 'fourth', '東京の港 harbours')
      await put('a', large, '', 'replaced')
      await put('a', large, 'last', 'harbour')
    })
    const query = async (text: string, more: Partial<SearchTerm> = {}, options: Partial<SearchOptions> = {}) =>
      await search.query('a', [{ text, ...more }], { limit: 9, ...options })
    assert.deepEqual(await query('harbour'), [large, 2, 1])
    assert.deepEqual(await query('HARB'), [])
    assert.deepEqual(await query('HARB', { prefix: true }), [large, 4, 2, 1])
    assert.deepEqual(await query('harb', { prefix: true }, { order: 'ascending' }), [1, 2, 4, large])
    assert.deepEqual(await query('replaced'), [])
    assert.deepEqual(await query('grusse'), [])
    assert.deepEqual(await query('grüße'), [1])
    assert.deepEqual(await query('harbour master'), [2])
    assert.deepEqual(await query('harbour mas', { prefix: true }), [2])
    assert.deepEqual(await query('harbour', { field: 'title' }), [2])
    assert.deepEqual(await query('京の'), [4])
    assert.deepEqual(await query('harbour', {}, { after: 2 }), [1])
    assert.deepEqual(await query('harbour', {}, { after: 2, order: 'ascending' }), [large])
    assert.deepEqual(await query('harbour', {}, { limit: 1 }), [large])
    assert.deepEqual(await query('harbour', {}, { among: [1, 3, 4] }), [1])
    assert.deepEqual(await query('harbour', {}, { among: [large] }), [large])
    assert.deepEqual(await query('harbour', {}, { among: [large - 1] }), [])
    assert.deepEqual(await query('harbour', {}, { among: [] }), [])
    assert.deepEqual(await query('harbour', {}, { after: large }), [2, 1])
    assert.deepEqual(await query('harbour', {}, { after: large - 1 }), [2, 1])
    assert.deepEqual(await query('harbour', {}, { after: large - 1, order: 'ascending' }), [large])
    assert.deepEqual(await query('" OR 1 NEAR( *'), [])
    assert.deepEqual(await query('!?'), [])
    assert.deepEqual(await query('harbour', { not: true }), [])
    const both: SearchTerm[] = [{ text: 'harbour' }, { text: '-' }, { text: 'mast', prefix: true, not: true }]
    assert.deepEqual(await search.query('a', both, { limit: 9 }), [large, 1])
    await s.write(() => search.remove('a', 2))
    assert.deepEqual(await query('harbour'), [large, 1])
    const create = (fields: readonly string[]) => s.write(() => search.create('a', fields))
    assert.deepEqual([await create(['title', 'text']), await query('harbour')], [false, [large, 1]])
    await s.write(() => search.remove('a', large))
    assert.deepEqual(await query('harbour'), [1])
    assert.deepEqual([await create(['text']), await query('harbour')], [true, []])
    await s.write(() => search.put('a', 1, { text: 'harbour' }))
    assert.deepEqual([await create(['text']), await query('harbour')], [false, [1]])
    await assert.rejects(s.write(() => search.create('A"', ['text'])))
  })

  unitChecks(check)
  queueChecks(check)
  controlChecks(check)
}
