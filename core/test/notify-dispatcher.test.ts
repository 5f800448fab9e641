// React handlers: retries with growing waits, dead events, places per subscriber, stable ids across crashes.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { REACT_ATTEMPTS, REACT_CONCURRENCY, REACT_PER_SUBSCRIBER, reactBackoff } from '../src/notify/dispatcher.ts'
import { settle, testClock } from './stages/clock.ts'
import type { FakeHandlers } from './stages/hooks.ts'
import { makeWorld, type World, type WorldOptions } from './stages/world.ts'

type Subscribers = NonNullable<FakeHandlers['onReceive.done']>

/** One event for each subscriber and message. */
async function run(subscribers: Subscribers, messages: number = 1, options: WorldOptions = {}): Promise<World> {
  const world = makeWorld({ ...options, handlers: { 'onReceive.done': subscribers } })
  await world.stages.start()
  for (let n = 0; n < messages; n++) await world.send({ from: 'x@away.test', to: ['ann@here.test'] })
  await settle()
  return world
}

test('waits between attempts', () => {
  const check = (n: number, seconds: number) => assert.equal(reactBackoff(n), seconds * 1000)
  check(1, 10)
  check(2, 20)
  check(9, 2_560)
  check(10, 3_600)
  check(50, 3_600)
})

test('a failing handler is tried again with the same event id, then parked', async () => {
  const starts: number[] = []
  const ids = new Set<string>()
  const clock = testClock()
  const bad: Subscribers[string] = async (_, { eventId }) => {
    starts.push(clock.now() / 1000)
    ids.add(eventId)
    throw new Error('still broken')
  }
  const world = await run({ bad }, 1, { clock })
  await world.clock.advance(86_400_000)
  assert.equal(starts.length, REACT_ATTEMPTS)
  assert.equal(ids.size, 1)
  assert.deepEqual(
    starts.slice(1, 5).map((at, i) => at - starts[i]!),
    [10, 20, 40, 80],
  )
  const [row] = world.storage.snapshot().outbox.values()
  assert.deepEqual([row?.dead, row?.attempts, row?.lastError], [true, REACT_ATTEMPTS, 'still broken'])
  await world.storage.write(async () => {
    await world.storage.outbox.revive('all', world.clock.now())
    world.storage.notify('outbox')
  })
  await settle()
  assert.equal(starts.length, REACT_ATTEMPTS + 1)
  await world.stages.stop()
})

test('a handler that recovers is done', async () => {
  let calls = 0
  const world = await run({
    one: async () => {
      if (++calls < 3) throw new Error('not yet')
    },
  })
  await world.clock.advance(60_000)
  assert.deepEqual([calls, world.storage.snapshot().outbox.size], [3, 0])
})

test('a slow subscriber has some places, and others go on', async () => {
  const ends: (() => void)[] = []
  let fast = 0
  const world = await run(
    {
      slow: () => new Promise(resolve => ends.push(resolve)),
      fast: async () => {
        fast++
      },
    },
    30,
  )
  assert.deepEqual([ends.length, fast], [REACT_PER_SUBSCRIBER, 30])
  for (let n = 0; n < 30; n++) {
    ends[n]?.()
    await settle()
  }
  assert.deepEqual([ends.length, world.storage.snapshot().outbox.size], [30, 0])
})

test('handlers running at a time', async () => {
  const ends: (() => void)[] = []
  const slow = () => new Promise<void>(resolve => ends.push(resolve))
  await run({ a: slow, b: slow, c: slow, d: slow }, 5)
  assert.equal(ends.length, REACT_CONCURRENCY)
})

test('an event whose outcome was lost comes again', async () => {
  const seen: string[] = []
  const world = makeWorld({
    handlers: {
      'onReceive.done': {
        one: async (_, { eventId }) => {
          if (seen.push(eventId) === 1) world.storage.failNext('outbox.done')
        },
      },
    },
  })
  await world.stages.start()
  await world.send({ from: 'x@away.test', to: ['ann@here.test'] })
  await settle()
  assert.deepEqual([seen.length, world.storage.snapshot().outbox.size], [1, 1])
  await world.clock.advance(3_600_000)
  assert.deepEqual([seen.length, new Set(seen).size, world.storage.snapshot().outbox.size], [2, 1, 0])
})

test('a crash between the handler and its outcome repeats the event with its id', async () => {
  const seen: string[] = []
  const subscribers: Subscribers = {
    one: async (_, { eventId }) => {
      seen.push(eventId)
    },
  }
  const world = await run(subscribers)
  const before = world.commits.findLast(({ snapshot }) => snapshot.outbox.size === 1)
  const again = makeWorld({ from: before!, clock: world.clock, handlers: { 'onReceive.done': subscribers } })
  await again.stages.start()
  await settle()
  assert.deepEqual([seen.length, new Set(seen).size, again.storage.snapshot().outbox.size], [2, 1, 0])
})

test('a storage error ends nothing', async () => {
  let calls = 0
  const world = makeWorld({
    handlers: {
      'onReceive.done': {
        one: async () => {
          calls++
        },
      },
    },
  })
  await world.stages.start()
  await settle()
  world.storage.failNext('outbox.claim')
  await world.send({ from: 'x@away.test', to: ['ann@here.test'] })
  await settle()
  assert.equal(calls, 0)
  await world.clock.advance(61_000)
  assert.equal(calls, 1)
})
