// When attempts start: limits, pause, storage errors, shutdown, restart, an operator's decisions.
import assert from 'node:assert/strict'
import { type DeliveryResult, hold, type Retired } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { CLAIM_GROUPS, LEASE_MS, STORAGE_WAIT_MS } from '../src/queue/scheduler.ts'
import { settle } from './stages/clock.ts'
import { addressOf, all, DELIVERED, makeWorld, TEMPORARY, type World, type WorldOptions } from './stages/world.ts'

/** A direct transport whose attempts go on until the test ends them. */
function slowWorld(options: WorldOptions = {}) {
  const open: { name: string; end: () => void; signal: AbortSignal }[] = []
  const world = makeWorld({
    ...options,
    direct: (batch, signal) => {
      const { promise, resolve } = Promise.withResolvers<DeliveryResult[]>()
      const end = () => {
        open.splice(
          open.findIndex(one => one.name === name),
          1,
        )
        void all(DELIVERED)(batch).then(resolve)
      }
      const name = batch.jobs.map(addressOf).join()
      open.push({ name, end, signal })
      return promise
    },
  })
  return { world, open, names: () => open.map(({ name }) => name) }
}

async function submit(world: World, ...to: string[]): Promise<void> {
  for (const one of to) await world.send({ account: 'ann', from: 'ann@here.test', to: [one] })
  await settle()
}

test('places per domain and in total', async () => {
  const { world, open, names } = slowWorld({ config: { concurrency: 4, concurrencyPerDomain: 2 } })
  await world.stages.start()
  await submit(world, '1@a.test', '2@a.test', '3@a.test', '1@b.test', '1@c.test', '1@d.test')
  assert.deepEqual(names(), ['1@a.test', '2@a.test', '1@b.test', '1@c.test'])
  assert.deepEqual(world.stages.queueControl.status(), { paused: false, running: 4, domains: 3 })
  open[2]?.end()
  await settle()
  assert.deepEqual(names(), ['1@a.test', '2@a.test', '1@c.test', '1@d.test'])
  open[0]?.end()
  await settle()
  assert.deepEqual(names(), ['2@a.test', '1@c.test', '1@d.test', '3@a.test'])
  for (const { end } of [...open]) end()
  await settle()
  assert.deepEqual(world.stages.queueControl.status(), { paused: false, running: 0, domains: 0 })
  assert.equal(world.storage.snapshot().queue.size, 0)
})

test('more than one claim takes is claimed in portions, without waiting', async () => {
  const { world, open, names } = slowWorld({ config: { concurrency: 3 * CLAIM_GROUPS, paused: true } })
  await world.stages.start()
  const limits: number[] = []
  const claim = world.storage.queue.claim.bind(world.storage.queue)
  world.storage.queue.claim = async options => {
    limits.push(options.limit)
    return await claim(options)
  }
  await submit(world, ...Array.from({ length: 2 * CLAIM_GROUPS + 1 }, (_, i) => `x@d${i}.test`))
  world.stages.queueControl.resume()
  await settle()
  assert.equal(names().length, 2 * CLAIM_GROUPS + 1)
  assert.deepEqual(limits.slice(0, 3), [CLAIM_GROUPS, CLAIM_GROUPS, CLAIM_GROUPS])
  for (const { end } of [...open]) end()
  await settle()
})

test('a long attempt keeps its lease', async () => {
  const { world, open, names } = slowWorld()
  await world.stages.start()
  await submit(world, '1@a.test')
  await world.clock.advance(3 * LEASE_MS)
  assert.deepEqual(names(), ['1@a.test'])
  const [row] = world.storage.snapshot().queue.values()
  assert.ok(row && row.leaseUntil > world.clock.now())
  // Nor does an operator who makes it due start a second one.
  await world.storage.write(() => world.storage.queue.set({}, { due: world.clock.now() }))
  world.stages.queueControl.kick()
  await settle()
  assert.deepEqual(names(), ['1@a.test'])
  open[0]?.end()
  await settle()
  assert.equal(world.storage.snapshot().queue.size, 0)
})

test('pause and resume', async () => {
  const world = makeWorld({ config: { paused: true } })
  await world.stages.start()
  await submit(world, '1@a.test')
  await world.clock.advance(3_600_000)
  assert.equal(world.sent.length, 0)
  world.stages.queueControl.resume()
  await settle()
  assert.equal(world.sent.length, 1)
  world.stages.queueControl.pause()
  await submit(world, '2@a.test')
  assert.equal(world.sent.length, 1)
  assert.equal(world.stages.queueControl.status().paused, true)
})

test('after a storage error it waits, and goes on', async () => {
  const check = async (point: string, waits: number) => {
    const world = makeWorld()
    await world.stages.start()
    world.stages.queueControl.pause()
    await submit(world, '1@a.test')
    world.storage.failNext(point)
    world.stages.queueControl.resume()
    await world.clock.advance(waits - 1)
    assert.equal(world.sent.length, 0, point)
    await submit(world, '2@a.test')
    assert.equal(world.sent.length, 0, point)
    await world.clock.advance(1)
    assert.equal(world.sent.length, 2, point)
    assert.ok(world.errors.length > 0)
  }
  await check('queue.claim', STORAGE_WAIT_MS)
  const world = makeWorld()
  await world.stages.start()
  world.storage.failNext('queue.begin')
  await submit(world, '1@a.test')
  await world.clock.advance(LEASE_MS + STORAGE_WAIT_MS)
  assert.equal(world.sent.length, 1)
  assert.equal(world.storage.snapshot().queue.size, 0)
})

test('a held recipient waits for its release; one with a due time for that', async () => {
  const world = makeWorld({
    handlers: { onQueue: ({ draft }) => (draft.recipient.localpart === 'h' ? { verdict: hold('x') } : undefined) },
  })
  await world.stages.start()
  await submit(world, 'h@a.test')
  await world.clock.advance(86_400_000)
  assert.equal(world.sent.length, 0)
  await world.storage.write(async () => {
    await world.storage.queue.set({ hold: true }, { hold: false, due: world.clock.now() + 5_000 })
    world.storage.notify('queue')
  })
  await world.clock.advance(4_999)
  assert.equal(world.sent.length, 0)
  await world.clock.advance(1)
  assert.equal(world.sent.length, 1)
})

test('drain waits for attempts, within its bound; stop aborts them', async () => {
  const { world, open } = slowWorld()
  await world.stages.start()
  await submit(world, '1@a.test')
  let drained = false
  const bound = new AbortController()
  const draining = world.stages.drain(bound.signal).then(() => {
    drained = true
  })
  await submit(world, '2@a.test')
  assert.deepEqual([drained, open.length], [false, 1])
  open[0]?.end()
  await draining
  assert.deepEqual([...world.storage.snapshot().queue.values()].map(addressOf), ['2@a.test'])

  const other = slowWorld()
  await other.world.stages.start()
  await submit(other.world, '1@a.test')
  const late = other.world.stages.drain(bound.signal)
  bound.abort()
  await late
  assert.equal(other.open[0]?.signal.aborted, false)
  const stopping = other.world.stages.stop()
  await settle()
  assert.equal(other.open[0]?.signal.aborted, true)
  await other.world.clock.advance(10_000)
  await stopping
})

test('a restart takes up what was claimed', async () => {
  const { world } = slowWorld()
  await world.stages.start()
  await submit(world, '1@a.test')
  const next = makeWorld({ from: { snapshot: world.storage.snapshot(), filed: [] }, clock: world.clock })
  await next.stages.start()
  await settle()
  // The attempt counted, so that a crash in it does not repeat for ever at once.
  assert.equal(next.sent.length, 0)
  await next.clock.advance(450_000)
  assert.equal(next.sent.length, 1)
  const [retired] = next.storage.snapshot().history.values()
  assert.deepEqual(
    retired?.results.map(({ number, outcome }) => [number, outcome]),
    [
      [1, 'temporary'],
      [2, 'delivered'],
    ],
  )
})

test('an operator ends recipients', async () => {
  const done: Retired[] = []
  const world = makeWorld({
    config: { paused: true },
    handlers: {
      'onRetire.done': {
        one: async ({ retired }) => {
          done.push(retired)
        },
      },
    },
  })
  await world.stages.start()
  await submit(world, '1@a.test', '2@a.test', '1@b.test')
  const { queueControl } = world.stages
  assert.equal(await queueControl.end({ to: '1@a.test' }, 'failed', 'failed by the operator'), 1)
  assert.equal(await queueControl.end({}, 'cancelled', 'dropped by the operator'), 2)
  assert.equal(await queueControl.end({}, 'cancelled', ''), 0)
  await settle()
  assert.deepEqual(
    done.map(one => [addressOf(one), one.status, one.results[0]?.number, one.results[0]?.text]),
    [
      ['1@a.test', 'failed', 0, 'failed by the operator'],
      ['1@b.test', 'cancelled', 0, 'dropped by the operator'],
      ['2@a.test', 'cancelled', 0, 'dropped by the operator'],
    ],
  )
})

test('what an operator cancelled during its attempt is not retired twice', async () => {
  const { world, open } = slowWorld()
  await world.stages.start()
  await submit(world, '1@a.test')
  await world.stages.queueControl.end({}, 'cancelled', 'dropped')
  open[0]?.end()
  await settle()
  const history = [...world.storage.snapshot().history.values()]
  assert.deepEqual(
    history.map(({ status }) => status),
    ['cancelled'],
  )
})

test('a result that cannot be stored is tried again, not delivered again', async () => {
  for (const point of ['queue.retire', 'commit']) {
    const world: World = makeWorld({
      direct: batch => {
        world.storage.failNext(point, undefined, 3)
        return all(DELIVERED)(batch)
      },
    })
    await world.stages.start()
    await submit(world, '1@a.test')
    await world.clock.advance(3_600_000)
    assert.equal(world.sent.length, 1, point)
    assert.deepEqual(
      [...world.storage.snapshot().history.values()].map(({ status }) => status),
      ['delivered'],
      point,
    )
    await world.stages.stop()
  }
})

test('temporary failures wait for the schedule, not for a new message', async () => {
  const world = makeWorld({ direct: all(TEMPORARY) })
  await world.stages.start()
  await submit(world, '1@a.test')
  await submit(world, '2@a.test')
  assert.equal(world.sent.length, 2)
  await world.clock.advance(449_000)
  assert.equal(world.sent.length, 2)
  await world.clock.advance(2_000)
  assert.equal(world.sent.length, 4)
})

test('a policy that the stop cuts off decides nothing', async () => {
  const world = makeWorld({
    handlers: {
      beforeDeliver: (_, { signal }) =>
        new Promise(resolve => signal.addEventListener('abort', () => resolve(hold('x')))),
    },
  })
  await world.stages.start()
  await submit(world, '1@a.test')
  const stopping = world.stages.stop()
  await world.clock.advance(10_000)
  await stopping
  const [row] = world.storage.snapshot().queue.values()
  assert.deepEqual([row?.hold, row?.attempts, row?.results], [false, 0, []])
})
