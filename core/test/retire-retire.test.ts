// Leaving the queue: history, onRetire.tx in savepoints, events, and the removal of what is old.
import assert from 'node:assert/strict'
import { defineFact, type Retired } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { FIRST_PURGE_MS, PURGE_BATCH } from '../src/retire/purge.ts'
import { settle } from './stages/clock.ts'
import { all, makeWorld, PERMANENT, type World, type WorldOptions } from './stages/world.ts'

const DAY_MS = 86_400_000
const note = defineFact<string>('note', { persist: true })

async function run(options: WorldOptions = {}): Promise<World> {
  const world = makeWorld(options)
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['x@away.test'] })
  await settle()
  return world
}

test('a failing onRetire.tx handler is undone and recorded, and the recipient still leaves', async () => {
  const world: World = await run({
    direct: all(PERMANENT),
    handlers: {
      'onRetire.tx': async ({ retired }) => {
        const { storage } = world
        const [id] = await storage.queue.add(retired.messageId, [
          { ...retired, reversePath: null, due: 0, hold: true, extra: {} },
        ])
        assert.ok(id)
        throw new Error('too bad')
      },
    },
  })
  const { queue, history } = world.storage.snapshot()
  const [retired] = history.values()
  assert.deepEqual([queue.size, history.size, retired?.status], [0, 1, 'failed'])
  assert.deepEqual(
    retired?.trace.map(({ hook, failed }) => [hook, failed]),
    [['onRetire.tx', true]],
  )
})

test('events carry the retired recipient and the facts of the message', async () => {
  const seen: unknown[] = []
  const world = await run({
    handlers: {
      'onReceive.data': (_, { facts }) => {
        facts.set(note, 'kept')
        return undefined
      },
      'onRetire.done': {
        one: async ({ retired }: { retired: Retired }, { facts, eventId }) => {
          seen.push([retired.status, retired.keepUntil - retired.lastActivity, facts.get(note), eventId.slice(0, 2)])
        },
      },
    },
  })
  assert.deepEqual(seen, [['delivered', 7 * DAY_MS, 'kept', 'id']])
  assert.equal(world.storage.snapshot().outbox.size, 0)
})

test('no history when it is kept for no time', async () => {
  const world = await run({ config: { keepRetiredDays: 0 } })
  const { queue, history } = world.storage.snapshot()
  assert.deepEqual([queue.size, history.size], [0, 0])
})

test('old things go: history, then messages nobody refers to, then their content', async () => {
  const world = await run()
  const sizes = () => {
    const { history, messages, content } = world.storage.snapshot()
    return [history.size, messages.size, content.size]
  }
  await world.clock.advance(7 * DAY_MS)
  assert.deepEqual(sizes(), [1, 1, 1])
  await world.clock.advance(3_600_000 + FIRST_PURGE_MS)
  assert.deepEqual(sizes(), [0, 0, 0])
  await world.stages.stop()
})

test('a purge goes on until everything is gone, and survives a failing storage', async () => {
  const world = await run()
  const [row] = world.storage.snapshot().history.values()
  const many = Array.from({ length: PURGE_BATCH + 1 }, (_, i) => ({ ...row!, id: 10_000 + i }))
  await world.storage.write(() => world.storage.queue.retire(many))
  world.storage.failNext('history.purge')
  await world.clock.advance(8 * DAY_MS)
  assert.equal(world.storage.snapshot().history.size, 0)
  await world.stages.stop()
})

test('one process at a time', async () => {
  const world = makeWorld()
  const lock = await world.storage.lock('core.purge', 10 * DAY_MS)
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['x@away.test'] })
  await world.clock.advance(8 * DAY_MS)
  assert.equal(world.storage.snapshot().history.size, 1)
  await lock?.release()
  await world.clock.advance(3_600_000)
  assert.equal(world.storage.snapshot().history.size, 0)
})

test('an account keeps its history for as long as it wants', async () => {
  const check = async (keepRetiredDays: number | undefined, days: number) => {
    const world = await run({ limits: keepRetiredDays === undefined ? {} : { keepRetiredDays } })
    const [retired] = world.storage.snapshot().history.values()
    assert.equal(retired === undefined ? 0 : (retired.keepUntil - retired.lastActivity) / DAY_MS, days)
  }
  await check(undefined, 7)
  await check(30, 30)
  await check(0.5, 0.5)
  await check(0, 0)
})
