// What grows with every attempt or handler is bounded: logs, traces, addresses, tries to store a result.
import assert from 'node:assert/strict'
import { postpone } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { LONGEST_LOG } from '../src/deliver/decide.ts'
import { DIALED_IPS, RECORD_TRIES } from '../src/deliver/record.ts'
import { TRACE_ENTRIES } from '../src/receive/scope.ts'
import { SUBJECT_LENGTH } from '../src/receive/store.ts'
import { all, DELIVERED, makeWorld, TEMPORARY, type World, type WorldOptions } from './stages/world.ts'

async function start(options: WorldOptions, subject: string = 'x'): Promise<World> {
  const world = makeWorld(options)
  await world.stages.start()
  const content = `From: ann@here.test\r\nSubject: ${subject}\r\n\r\n`
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['x@away.test'], content })
  await world.clock.advance(0)
  return world
}

test('entries of the log by postponements', async () => {
  let n = 0
  const world: World = await start({
    handlers: { beforeDeliver: ({ job }) => postpone(job.due + 1_000, `reason ${n++}`) },
  })
  const log = () => [...world.storage.snapshot().queue.values()][0]?.results.length
  await world.clock.advance((LONGEST_LOG - 1) * 1_000)
  assert.equal(log(), LONGEST_LOG)
  await world.clock.advance(60_000)
  assert.equal(log(), LONGEST_LOG)
  assert.ok(n > LONGEST_LOG)
})

test('addresses that were connected to', async () => {
  const check = async (attempts: number, expected: number) => {
    let n = 0
    const world = await start({
      direct: batch => all({ ...TEMPORARY, dialed: { host: 'mx', ip: `192.0.2.${++n}` } })(batch),
      config: { retrySchedule: Array.from({ length: attempts }, () => 1) },
    })
    await world.clock.advance(60_000)
    const [retired] = world.storage.snapshot().history.values()
    const ips = retired?.dialedIps['mx']
    assert.deepEqual([ips?.length, ips?.at(-1)], [expected, `192.0.2.${attempts + 1}`])
  }
  await check(DIALED_IPS - 1, DIALED_IPS)
  await check(DIALED_IPS, DIALED_IPS)
})

test('tries to store a result', async () => {
  const check = async (failures: number, retired: number) => {
    const world: World = makeWorld({
      direct: batch => {
        world.storage.failNext('queue.retire', undefined, failures)
        return all(DELIVERED)(batch)
      },
    })
    await world.stages.start()
    await world.send({ account: 'ann', from: 'ann@here.test', to: ['x@away.test'] })
    await world.clock.advance(400_000)
    assert.equal(world.storage.snapshot().history.size, retired)
    await world.stages.stop()
  }
  await check(RECORD_TRIES - 1, 1)
  await check(RECORD_TRIES, 0)
})

test('trace and subject kept with a message', async () => {
  const check = async (entries: number, subject: number) => {
    const fill: NonNullable<WorldOptions['handlers']> = {
      'onReceive.data': (_, { trace }) => {
        // The hook's own entry comes on top.
        while (trace.length < entries - 1) trace.push({ hook: 'onReceive.data', plugin: 'p', verdict: 'pass', ms: 0 })
        return undefined
      },
    }
    const world = await start({ handlers: fill }, 's'.repeat(subject))
    const [message] = world.storage.snapshot().messages.values()
    assert.equal(message?.trace.length, Math.min(entries, TRACE_ENTRIES))
    assert.equal(message?.subject.length, Math.min(subject, SUBJECT_LENGTH))
  }
  await check(TRACE_ENTRIES, SUBJECT_LENGTH)
  await check(TRACE_ENTRIES + 1, SUBJECT_LENGTH + 1)
})
