// What is measured of deliveries: how long an attempt took and how it ended; how many wait and how many are held.
import assert from 'node:assert/strict'
import type { DeliveryResult } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { createMetrics } from '../src/base/metrics.ts'
import { ABORT_GRACE_MS, ATTEMPT_DEADLINE_MS } from '../src/deliver/run.ts'
import { settle } from './stages/clock.ts'
import { all, DELIVERED, makeWorld, PERMANENT, TEMPORARY, type World, type WorldOptions } from './stages/world.ts'

type Direct = NonNullable<WorldOptions['direct']>

async function start(direct: Direct, to: readonly string[] = ['1@a.test']) {
  const metrics = createMetrics()
  const world = makeWorld({ direct, metrics })
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to })
  await settle()
  return { world, text: () => metrics.render() }
}

async function check(
  result: string,
  direct: Direct,
  act: (world: World) => Promise<void> = async () => {},
): Promise<void> {
  const { world, text } = await start(direct, ['1@a.test', '2@a.test'])
  await act(world)
  const counts = (await text()).split('\n').filter(line => line.startsWith('mox_queue_delivery_duration_seconds_count'))
  assert.deepEqual(counts, [
    `mox_queue_delivery_duration_seconds_count{attempt="1",result="${result}",tlsmode="none",transport="direct"} 1`,
  ])
}

/** One result for the first recipient, another for the second. */
const mixed =
  (...results: Omit<DeliveryResult, 'id'>[]): Direct =>
  async ({ jobs }) =>
    jobs.map(({ id }, n) => ({ id, ...results[n]! }))

test('how an attempt ended', async () => {
  await check('ok', all(DELIVERED))
  await check('okpartial', mixed(DELIVERED, TEMPORARY))
  await check('temperror', mixed(TEMPORARY, PERMANENT))
  await check('permerror', all(PERMANENT))
  await check('error', all({ ...TEMPORARY, code: 0 }))
  await check('error', async () => {
    throw new Error('broken')
  })
})

test('an attempt that is cut off', async () => {
  const until = (signal: AbortSignal) => new Promise<never>((_, no) => signal.addEventListener('abort', no))
  const late: Direct = (_, signal) => until(signal)
  const deaf: Direct = () => new Promise(() => {})
  const tooLong = (world: World) => world.clock.advance(ATTEMPT_DEADLINE_MS + ABORT_GRACE_MS)
  await check('timeout', late, tooLong)
  await check('timeout', deaf, tooLong)
  await check('canceled', late, async world => {
    const stopping = world.stages.stop()
    await world.clock.advance(10_000)
    await stopping
  })
  // What the other side had taken by then counts as it is.
  await check(
    'ok',
    async (batch, signal) => {
      await until(signal).catch(() => {})
      return await all(DELIVERED)(batch)
    },
    tooLong,
  )
})

test('recipients in the queue and on hold', async () => {
  const { world, text } = await start(all(TEMPORARY), ['1@a.test', '2@a.test', '3@a.test'])
  await world.stages.queueControl.hold({ max: 2 })
  const out = await text()
  assert.match(out, /^mox_queue_length 3$/m)
  assert.match(out, /^mox_queue_hold 2$/m)
})
