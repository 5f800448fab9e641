// One group of due recipients: verdicts of beforeDeliver, the choice of a transport, results, and what is written down.
import assert from 'node:assert/strict'
import {
  type Attempt,
  type DeliverVerdict,
  type DeliveryBatch,
  type DeliveryResult,
  fail,
  hold,
  postpone,
  route,
} from '@mox/plugin-sdk'
import { test } from 'vitest'
import { POLICY_FAILURES } from '../src/deliver/decide.ts'
import { ABORT_GRACE_MS, ATTEMPT_DEADLINE_MS, TEXT_LENGTH } from '../src/deliver/run.ts'
import { settle } from './stages/clock.ts'
import {
  addressOf,
  all,
  DELIVERED,
  makeWorld,
  PERMANENT,
  TEMPORARY,
  type World,
  type WorldOptions,
} from './stages/world.ts'

async function run(to: readonly string[], options: WorldOptions = {}, from: string = 'ann@here.test'): Promise<World> {
  const world = makeWorld(options)
  await world.stages.start()
  await world.send({ account: 'ann', from, to })
  await settle()
  return world
}

const tables = ({ storage }: World) => {
  const { queue, history } = storage.snapshot()
  return { queue: [...queue.values()], history: [...history.values()] }
}
const brief = ({ number, outcome, code, enhanced, text, transport }: Attempt) =>
  [number, outcome, code, enhanced, text, transport].join(' ')

test('results of an attempt', async () => {
  const check = async (result: Omit<DeliveryResult, 'id'>, status: string, log: string) => {
    const world = await run(['x@away.test'], { direct: all(result) })
    const { queue, history } = tables(world)
    const row = queue[0] ?? history[0]
    assert.equal(history[0]?.status ?? 'queued', status)
    assert.equal(brief(row!.results[0]!), log)
  }
  await check(DELIVERED, 'delivered', '1 delivered 250 2.0.0 ok direct')
  await check(TEMPORARY, 'queued', '1 temporary 451 4.3.0 later direct')
  await check(PERMANENT, 'failed', '1 permanent 550 5.1.1 nobody direct')
})

test('recipients of one domain share a batch, and each keeps its own result', async () => {
  const host = { remoteHost: 'mx.away.test', remoteIp: '192.0.2.9', tls: { version: 'TLSv1.3', cipher: 'X' } }
  const world = await run(['1@a.test', '2@a.test', '3@a.test', '4@a.test', '1@b.test'], {
    direct: async ({ jobs }) => {
      const results: DeliveryResult[] = []
      for (const { id, recipient } of jobs) {
        if (recipient.localpart === '1') results.push({ id, ...DELIVERED, ...host })
        if (recipient.localpart === '2') results.push({ id, ...PERMANENT, dialed: { host: 'mx', ip: '192.0.2.9' } })
        if (recipient.localpart === '3') results.push({ id, ...TEMPORARY, dialed: { host: 'mx', ip: '192.0.2.9' } })
      }
      return results
    },
  })
  assert.deepEqual(world.sent.map(({ jobs }) => jobs.map(addressOf)).sort(), [
    ['1@a.test', '2@a.test', '3@a.test', '4@a.test'],
    ['1@b.test'],
  ])
  const { queue, history } = tables(world)
  const rows = [...history, ...queue].sort((a, b) => a.id - b.id)
  assert.deepEqual(
    rows.map(row => `${addressOf(row)} ${brief(row.results[0]!)}`),
    [
      '1@a.test 1 delivered 250 2.0.0 ok direct',
      '2@a.test 1 permanent 550 5.1.1 nobody direct',
      '3@a.test 1 temporary 451 4.3.0 later direct',
      '4@a.test 1 temporary 0 4.3.0 transport "direct" gave no result for this recipient direct',
      '1@b.test 1 delivered 250 2.0.0 ok direct',
    ],
  )
  const { remoteHost, remoteIp, tls } = rows[0]!.results[0]!
  assert.deepEqual({ remoteHost, remoteIp, tls }, host)
  assert.deepEqual([rows[1]?.dialedIps, rows[2]?.dialedIps], [{ mx: ['192.0.2.9'] }, { mx: ['192.0.2.9'] }])
})

test('unequal envelope senders do not share a transaction', async () => {
  const world = await run(['1@a.test', '2@a.test'], {
    handlers: {
      onQueue: ({ draft: { recipient } }) => ({
        draft: { reversePath: { localpart: `ann+${recipient.localpart}`, domain: 'here.test' } },
      }),
    },
  })
  assert.deepEqual(
    world.sent.map(({ jobs }) => jobs.map(addressOf)),
    [['1@a.test'], ['2@a.test']],
  )
})

test('a transport gets the bytes that were stored', async () => {
  let text = ''
  const world = await run(['x@away.test'], {
    direct: async (batch: DeliveryBatch) => {
      for await (const chunk of batch.open()) text += chunk
      return all(DELIVERED)(batch)
    },
  })
  const [message] = world.storage.snapshot().messages.values()
  assert.equal(text, message!.prefix + String(await world.storage.content.read(message!.contentId)))
  assert.deepEqual([world.sent[0]?.attempt, world.sent[0]?.message.messageId], [1, message?.id])
})

test('choice of a transport', async () => {
  const used: string[] = []
  const named = (name: string) => ({
    name,
    deliver: (batch: DeliveryBatch) => {
      used.push(`${name}:${batch.jobs.map(addressOf).join()}`)
      return all(DELIVERED)(batch)
    },
  })
  const check = async (to: string[], expected: string[], options: WorldOptions = {}) => {
    used.length = 0
    const direct = named('direct').deliver
    await run(to, { ...options, direct, transports: [named('relay')] })
    assert.deepEqual(used.sort(), expected, to.join())
  }
  await check(['x@away.test'], ['direct:x@away.test'])
  await check(['x@[127.0.0.1]'], ['direct:x@[127.0.0.1]'])
  await check(['bob@here.test'], [])
  const routes: WorldOptions = {
    handlers: { beforeDeliver: ({ job }) => (job.recipient.localpart === 'r' ? route('relay') : undefined) },
  }
  await check(['x@a.test', 'r@a.test', 'y@a.test'], ['direct:x@a.test,y@a.test', 'relay:r@a.test'], routes)
  // What an operator or the submission says goes first.
  const operator: WorldOptions = {
    handlers: { onQueue: () => ({ draft: { transport: 'relay' } }), beforeDeliver: () => route('direct') },
  }
  await check(['x@a.test', 'bob@here.test'], ['relay:bob@here.test', 'relay:x@a.test'], operator)
})

test('what goes wrong with a transport is temporary', async () => {
  const check = async (options: WorldOptions, log: string) => {
    const { queue } = tables(await run(['x@away.test'], options))
    assert.equal(brief(queue[0]!.results[0]!), log)
    assert.equal(queue[0]?.attempts, 1)
  }
  const unknown: WorldOptions = { handlers: { beforeDeliver: () => route('nowhere') } }
  await check(unknown, '1 temporary 0 4.3.5 there is no transport "nowhere" nowhere')
  const broken = '1 temporary 0 4.3.0 transport "direct" failed direct'
  await check({ direct: async () => Promise.reject(new Error('secret')) }, broken)
  const thrower = () => {
    throw new Error('secret')
  }
  await check({ direct: thrower }, broken)
  await check({ direct: async () => undefined as never }, broken)
  const long = { ...TEMPORARY, text: 'x'.repeat(TEXT_LENGTH + 1) }
  await check({ direct: all(long) }, `1 temporary 451 4.3.0 ${'x'.repeat(TEXT_LENGTH)} direct`)
})

test('an attempt has a deadline, and a transport that ignores it is left alone', async () => {
  let aborted = false
  const world = await run(['x@away.test'], {
    direct: (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise(() => {})
    },
  })
  await world.clock.advance(ATTEMPT_DEADLINE_MS - 1)
  assert.deepEqual([aborted, tables(world).queue[0]?.results[0]?.outcome], [false, 'running'])
  await world.clock.advance(1)
  assert.deepEqual([aborted, tables(world).queue[0]?.results[0]?.outcome], [true, 'running'])
  await world.clock.advance(ABORT_GRACE_MS)
  assert.equal(brief(tables(world).queue[0]!.results[0]!), '1 temporary 0 4.4.7 delivery attempt took too long direct')
})

test('verdicts before an attempt', async () => {
  const check = async (verdict: (world: World) => DeliverVerdict, status: string, log: string[], wait?: number) => {
    const world: World = await run(['x@away.test'], {
      handlers: { beforeDeliver: () => verdict(world) },
      config: { paused: true },
    })
    world.stages.queueControl.resume()
    await settle()
    const { queue, history } = tables(world)
    const row = queue[0] ?? history[0]
    assert.equal(history[0]?.status ?? (queue[0]?.hold ? 'held' : 'queued'), status)
    assert.deepEqual(row?.results.map(brief), log)
    assert.equal(row?.attempts, 0)
    assert.equal(world.sent.length, 0)
    if (wait !== undefined) assert.equal(queue[0]!.due - world.clock.now(), wait)
  }
  await check(() => hold('stop'), 'held', ['0 temporary 0  on hold: stop '])
  await check(w => postpone(w.clock.now() + 60_000, 'full'), 'queued', ['0 temporary 0  postponed: full '], 60_000)
  await check(w => postpone(w.clock.now() - 1, 'past'), 'queued', ['0 temporary 0  postponed: past '], 1_000)
  await check(() => postpone(Number.NaN, 'never'), 'queued', ['0 temporary 0  postponed: never '], 1_000)
  await check(() => fail('no', { enhanced: '5.7.0' }), 'failed', ['0 permanent 0 5.7.0 no '])
  await check(() => fail('listed', { status: 'suppressed' }), 'suppressed', ['0 permanent 0 5.7.1 listed '])
})

test('each recipient has its own verdict', async () => {
  const world = await run(['1@a.test', '2@a.test', '3@a.test'], {
    handlers: {
      beforeDeliver: ({ job }) => (job.recipient.localpart === '2' ? fail('x', { status: 'suppressed' }) : undefined),
    },
  })
  assert.deepEqual(
    world.sent.map(({ jobs }) => jobs.map(addressOf)),
    [['1@a.test', '3@a.test']],
  )
  const trace = tables(world).history.map(({ results }) => results[0]?.trace?.map(({ recipient }) => recipient).join())
  assert.deepEqual(trace.sort(), ['1@a.test', '2@a.test', '3@a.test'])
})

test('a repeated postponement does not fill the log', async () => {
  let open = false
  const world: World = await run(['x@away.test'], {
    handlers: { beforeDeliver: () => (open ? undefined : postpone(world.clock.now() + 1_000, 'throttled')) },
    config: { paused: true },
  })
  world.stages.queueControl.resume()
  await world.clock.advance(60_000)
  assert.equal(tables(world).queue[0]?.results.length, 1)
  open = true
  await world.clock.advance(2_000)
  assert.deepEqual(
    tables(world).history[0]?.results.map(({ number }) => number),
    [0, 1],
  )
})

test('a failing policy postpones by the schedule and in the end holds', async () => {
  const world: World = await run(['x@away.test'], {
    handlers: {
      beforeDeliver: (_, scope) => {
        scope.trace.push({ hook: 'beforeDeliver', plugin: 'broken', verdict: 'failed', ms: 0, failed: true })
        return postpone(0, 'failed')
      },
    },
  })
  const dues: number[] = []
  for (let n = 1; n <= POLICY_FAILURES; n++) {
    const [row] = tables(world).queue
    assert.deepEqual([row?.results.length, row?.hold, row?.attempts], [n, n === POLICY_FAILURES, 0])
    dues.push((row!.due - world.clock.now()) / 1000)
    await world.clock.advance(row!.due - world.clock.now())
  }
  assert.deepEqual(dues, [450, 900, 1800, 3600, 7200])
  assert.equal(brief(tables(world).queue[0]!.results[0]!), '0 temporary 0 4.3.0 delivery policy failed: broken ')
  assert.equal(world.sent.length, 0)
})

test('a disabled sender domain stops the attempt', async () => {
  const world = await run(['x@away.test'], {
    handlers: { onQueue: () => ({ draft: { reversePath: { localpart: 'a', domain: 'off.test' } } }) },
  })
  assert.equal(brief(tables(world).queue[0]!.results[0]!), '1 temporary 0 4.3.0 sender domain is disabled ')
  assert.equal(world.sent.length, 0)
})

test('events for onAttempt', async () => {
  const events: string[] = []
  const world: World = await run(['1@a.test', '2@a.test', '3@a.test'], {
    direct: async ({ jobs }) =>
      jobs.map(({ id, recipient: { localpart } }) => ({
        id,
        ...(localpart === '1' ? DELIVERED : localpart === '2' ? TEMPORARY : PERMANENT),
      })),
    handlers: {
      onAttempt: {
        one: async ({ recipient, attempt, final, nextAttempt }) => {
          const wait = nextAttempt === undefined ? '' : (nextAttempt - attempt.startedAt) / 1000
          events.push(`${recipient.localpart} ${attempt.number} ${attempt.outcome} ${final} ${wait}`)
        },
      },
    },
  })
  assert.deepEqual(events.sort(), ['1 1 delivered true ', '2 1 temporary false 450', '3 1 permanent true '])
  await world.stages.stop()
})

test('a recipient that cannot be decided about waits, and does not stop the others', async () => {
  const world = await run(['1@a.test', '2@a.test'], {
    handlers: {
      beforeDeliver: ({ job }) => {
        if (job.recipient.localpart === '1') throw new Error('directory is away')
        return undefined
      },
    },
  })
  assert.deepEqual(
    world.sent.map(({ jobs }) => jobs.map(addressOf)),
    [['2@a.test']],
  )
  const [row] = tables(world).queue
  assert.equal(brief(row!.results[0]!), '0 temporary 0 4.3.0 delivery could not be prepared ')
  assert.equal(row!.due - world.clock.now(), 450_000)
})
