// The storage fake: units of work, savepoints, isolation, failures on demand, snapshots, leases and locks.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'vitest'
import type { Clock } from '../../src/index.ts'
import { type MemoryStorage, memoryStorage } from '../../src/testkit/memory-storage.ts'

let now = 0
const clock: Clock = { now: () => now, after: () => () => {}, sleep: async () => {} }

async function addMessage(storage: MemoryStorage, text: string): Promise<number> {
  const writer = storage.content.writer()
  await writer.write(Buffer.from(text))
  const staged = await writer.finish(createHash('sha256').update(text).digest())
  return storage.write(async () => {
    const contentId = await storage.content.keep(staged)
    return storage.messages.add({
      ...{ contentId, receivedAt: now, account: '', reversePath: null, messageIdHeader: '', subject: '', size: 1 },
      ...{ has8bit: false, smtputf8: false, kind: 'submission', source: 's', prefix: Buffer.alloc(0), remoteIp: '' },
      ...{ helo: '', protocol: '', recipients: [], facts: {}, trace: [] },
    })
  })
}

const job = (address: string, due: number = 0) => ({
  recipient: { localpart: address, domain: 'a.test' },
  ...{ recipientDomain: 'a.test', reversePath: null, due, hold: false, maxAttempts: 0, extra: {} },
})

test('a unit of work happens as a whole or not at all', async () => {
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  const before = storage.snapshot()
  const after: string[] = []
  const failing = storage.write(async () => {
    await storage.queue.add(message, [job('a')])
    storage.afterCommit(() => after.push('never'))
    assert.equal(await storage.queue.count({}), 1)
    throw new Error('undo')
  })
  assert.equal(await storage.queue.count({}), 0)
  await assert.rejects(failing, /undo/)
  assert.deepEqual([storage.snapshot().queue, after], [before.queue, []])
})

test('a nested unit is a savepoint', async () => {
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  const after: string[] = []
  await storage.write(async () => {
    await storage.queue.add(message, [job('kept')])
    const inner = storage.write(async () => {
      await storage.queue.add(message, [job('undone')])
      storage.afterCommit(() => after.push('inner'))
      throw new Error('inner')
    })
    await assert.rejects(inner, /inner/)
    storage.afterCommit(() => after.push('outer'))
    assert.equal(storage.inUnit(), true)
  })
  const rows = await storage.queue.list({}, { limit: 10 })
  assert.deepEqual(
    [rows.map(({ recipient }) => recipient.localpart), after, storage.inUnit()],
    [['kept'], ['outer'], false],
  )
})

test('changes outside of a unit, and SQL, are mistakes', async () => {
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  await assert.rejects(storage.queue.add(message, [job('a')]), /outside a unit of work/)
  assert.throws(() => storage.db, /no database/)
  assert.throws(() => storage.statement(() => undefined as never), /no database/)
})

test('failures on demand', async () => {
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  const add = () => storage.write(() => storage.queue.add(message, [job('a')]))
  storage.failNext('commit', new Error('no space'), 2)
  await assert.rejects(add(), /no space/)
  await assert.rejects(add(), /no space/)
  storage.failNext('queue.add')
  await assert.rejects(add(), /queue.add failed/)
  assert.equal(await storage.queue.count({}), 0)
  await add()
  assert.equal(await storage.queue.count({}), 1)
})

test('a snapshot is a state to start from again', async () => {
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  const from = storage.snapshot()
  await storage.write(() => storage.queue.add(message, [job('a')]))
  const again = memoryStorage({ clock, from })
  assert.deepEqual([await again.queue.count({}), await storage.queue.count({})], [0, 1])
  assert.equal(String(await again.content.read((await again.messages.get(message))!.contentId)), 'x')
})

test('content is deduplicated, counted and collected', async () => {
  const storage = memoryStorage({ clock })
  await addMessage(storage, 'same')
  now = 10
  await addMessage(storage, 'same')
  const [content] = storage.snapshot().content.values()
  assert.deepEqual([storage.snapshot().content.size, content?.references], [1, 2])
  assert.equal(await storage.write(() => storage.messages.purge(11, 10)), 2)
  assert.equal(await storage.write(() => storage.content.collect()), 1)
  const writer = storage.content.writer()
  await writer.write(Buffer.from('x'))
  await assert.rejects(writer.finish(Buffer.alloc(32)), /another hash/)
})

test('claims: due and free ones, grouped, under a lease', async () => {
  now = 100
  const storage = memoryStorage({ clock })
  const message = await addMessage(storage, 'x')
  const other = await addMessage(storage, 'y')
  await storage.write(async () => {
    await storage.queue.add(message, [job('1', 50), job('2', 60), job('late', 101), { ...job('held'), hold: true }])
    await storage.queue.add(other, [job('3', 40)])
  })
  const claim = async (places: number) => {
    const groups = await storage.write(() => storage.queue.claim({ now, leaseMs: 10, limit: 10, places: () => places }))
    return groups.map(group => group.map(({ recipient }) => recipient.localpart).join())
  }
  assert.deepEqual(await claim(1), ['3'])
  assert.deepEqual(await claim(5), ['1,2'])
  assert.deepEqual(await claim(5), [])
  assert.equal(await storage.queue.nextDue(), 101)
  now = 110
  assert.deepEqual(await claim(5), ['3', '1,2,late'])
})

test('notifications come after the commit, locks end by themselves', async () => {
  now = 0
  const storage = memoryStorage({ clock })
  const heard: unknown[] = []
  const stop = storage.subscribe('c', payload => heard.push(payload))
  await storage.write(async () => {
    storage.notify('c', 1)
    assert.deepEqual(heard, [])
  })
  await Promise.resolve()
  stop()
  storage.notify('c', 2)
  assert.deepEqual(heard, [1])

  const lock = await storage.lock('l', 10)
  assert.equal(await storage.lock('l', 10), null)
  now = 10
  const next = await storage.lock('l', 10)
  assert.ok(next)
  assert.deepEqual([await lock?.renew(), await next.renew()], [false, true])
  await next.release()
  assert.ok(await storage.lock('l', 10))
})
