// What operators do with the queue: each operation on what a filter selects, in units of bounded size.
import assert from 'node:assert/strict'
import { type Retired, type Transport, UsageError } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { settle } from './stages/clock.ts'
import {
  addressOf,
  all,
  DELIVERED,
  MESSAGE,
  makeWorld,
  TEMPORARY,
  type World,
  type WorldOptions,
} from './stages/world.ts'

const HOUR = 3_600_000

async function waiting(to: readonly string[], options: WorldOptions = {}): Promise<World> {
  const world = makeWorld({ config: { paused: true }, ...options })
  await world.stages.start()
  if (to.length > 0) await world.send({ account: 'ann', from: 'ann@here.test', to })
  await settle()
  return world
}
const rows = (world: World) => [...world.storage.snapshot().queue.values()]
const ids = (world: World, address: string) =>
  rows(world)
    .filter(row => addressOf(row) === address)
    .map(({ id }) => id)

test('hold and release: overdue ones go at once', async () => {
  const world = await waiting(['1@a.test', '2@a.test', '1@b.test'], { config: {}, direct: all(TEMPORARY) })
  const { queueControl } = world.stages
  assert.equal(await queueControl.hold({ to: '@a.test' }), 2)
  await world.clock.advance(HOUR)
  assert.deepEqual(
    rows(world).map(row => [addressOf(row), row.hold, row.attempts]),
    [
      ['1@a.test', true, 1],
      ['2@a.test', true, 1],
      ['1@b.test', false, 4],
    ],
  )
  assert.equal(await queueControl.release({ hold: true, max: 1 }), 1)
  await settle()
  assert.deepEqual(
    rows(world).map(row => [row.hold, row.attempts]),
    [
      [false, 2],
      [true, 1],
      [false, 4],
    ],
  )
})

test('schedule and postpone', async () => {
  const world = await waiting(['1@a.test', '1@b.test'])
  const { queueControl } = world.stages
  const t0 = world.clock.now()
  assert.equal(await queueControl.postpone({ to: '1@a.test' }, 2 * HOUR), 1)
  assert.equal(await queueControl.postpone({}, -HOUR), 2)
  assert.deepEqual(
    rows(world).map(({ due }) => due - t0),
    [HOUR, -HOUR],
  )
  assert.equal(await queueControl.schedule({ ids: ids(world, '1@b.test') }, t0 + 5_000), 1)
  assert.deepEqual(
    rows(world).map(({ due }) => due - t0),
    [HOUR, 5_000],
  )
  for (const wrong of [Number.NaN, 1.5, Number.POSITIVE_INFINITY]) {
    await assert.rejects(queueControl.schedule({}, wrong), UsageError)
    await assert.rejects(queueControl.postpone({}, wrong), UsageError)
    if (wrong !== Number.POSITIVE_INFINITY) await assert.rejects(queueControl.hold({ max: wrong }), UsageError)
  }
  await assert.rejects(queueControl.hold({ max: 0 }), UsageError)
  queueControl.resume()
  await world.clock.advance(5_000)
  assert.deepEqual(
    world.sent.map(({ jobs }) => addressOf(jobs[0])),
    ['1@b.test'],
  )
  await queueControl.schedule({}, world.clock.now())
  await settle()
  assert.equal(world.sent.length, 2)
})

test('transport: checked, used, cleared', async () => {
  const used: string[] = []
  const relay: Transport = {
    name: 'relay',
    deliver: batch => {
      used.push('relay')
      return all(TEMPORARY)(batch)
    },
  }
  const world = await waiting(['1@a.test'], { transports: [relay], direct: all(DELIVERED) })
  const { queueControl } = world.stages
  await assert.rejects(queueControl.setTransport({}, 'rely'), {
    name: 'UsageError',
    message: 'there is no transport "rely"; did you mean "relay"?',
  })
  await assert.rejects(queueControl.setTransport({}, 'zzzzzz'), /there are direct, local, relay/)
  assert.deepEqual(queueControl.transports(), ['direct', 'local', 'relay'])
  assert.equal(await queueControl.setTransport({}, 'relay'), 1)
  assert.equal(await queueControl.setTransport({ transport: '' }, 'relay'), 0)
  queueControl.resume()
  await settle()
  assert.deepEqual([used, world.sent.length], [['relay'], 0])
  assert.equal(await queueControl.setTransport({ transport: 'relay' }, ''), 1)
  assert.equal('transport' in rows(world)[0]!, false)
  await queueControl.schedule({}, world.clock.now())
  await settle()
  assert.deepEqual([used, world.sent.length], [['relay'], 1])
})

test('required TLS', async () => {
  const world = await waiting(['1@a.test'])
  for (const required of [true, false, undefined]) {
    assert.equal(await world.stages.queueControl.setRequireTls({}, required), 1)
    assert.equal(rows(world)[0]?.requireTls, required)
  }
})

test('many recipients, in units; what others do meanwhile goes on', async () => {
  const to = Array.from({ length: 999 }, (_, n) => `r${n}@${n % 2 === 0 ? 'a' : 'b'}.test`)
  const done: Retired[] = []
  const handlers: WorldOptions['handlers'] = {
    'onRetire.done': {
      one: async ({ retired }) => {
        done.push(retired)
      },
    },
  }
  const world = await waiting(to, { handlers })
  const { queueControl } = world.stages
  const before = world.commits.length
  const holding = queueControl.hold({})
  const sending = world.send({ account: 'ann', from: 'ann@here.test', to: ['late@c.test'] })
  // The late one may be held too, or not.
  assert.ok([999, 1000].includes(await holding))
  await sending
  assert.ok(world.commits.length - before >= 3)
  await queueControl.release({ to: '@c.test' })
  assert.equal(await queueControl.end({ hold: true, max: 7 }, 'cancelled', 'enough'), 7)
  assert.equal(await queueControl.end({ to: '@a.test' }, 'failed', 'no more'), 500 - 4)
  assert.equal(await queueControl.end({}, 'cancelled', 'all'), 500 - 4 + 1)
  assert.equal(await queueControl.end({}, 'cancelled', 'all'), 0)
  await world.clock.advance(1_000)
  assert.equal(done.length, 1000)
  assert.equal(done.filter(({ status }) => status === 'failed').length, 496)
  assert.ok(done.every(({ results }) => results.at(-1)?.outcome === 'permanent'))
})

test('a storage error ends an operation; what was done stays done', async () => {
  const world = await waiting(Array.from({ length: 600 }, (_, n) => `r${n}@a.test`))
  let units = 0
  const stop = world.storage.onCommit(() => {
    if (++units === 1) world.storage.failNext('commit')
  })
  await assert.rejects(world.stages.queueControl.hold({}), /commit failed/)
  stop()
  assert.equal(rows(world).filter(({ hold }) => hold).length, 500)
})

test('dump: of what is queued, and of what left for as long as it is kept', async () => {
  const world = await waiting(['1@a.test'])
  const { queueControl } = world.stages
  const [id = 0] = ids(world, '1@a.test')
  const read = async () => {
    let text = ''
    for await (const chunk of (await queueControl.dump(id)) ?? []) text += chunk
    return text
  }
  const text = await read()
  assert.match(text, /^Received: from mail\.here\.test[\s\S]*\r\nFrom: Ann/)
  assert.ok(text.endsWith(MESSAGE))
  await queueControl.end({}, 'cancelled', 'x')
  assert.equal(await read(), text)
  await world.clock.advance(9 * 24 * HOUR)
  assert.equal(await queueControl.dump(id), undefined)
  assert.equal(await queueControl.dump(12_345), undefined)
})
