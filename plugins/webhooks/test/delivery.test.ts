// Calls on their way: order, repetition, receivers that are down, slow, gone; restarts; what operators do.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { definePlugin, type EventKind, skip } from '@mox/plugin-sdk'
import { sampleDone, sampleRetire, TEST_NOW, turns } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { RESULTS_KEPT, TURN_SIZES } from '../src/calls.ts'
import { PURGE_BATCH } from '../src/housekeeping.ts'
import { IDLE_MS } from '../src/lane.ts'
import { CALL, type CallRow } from '../src/schema.ts'
import { accept, answer, type HookWorld, kinds, openHooks, openReceiver, type Receiver, settled } from './support.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let receiver: Receiver
let world: HookWorld
beforeEach(async () => {
  receiver = await openReceiver()
  world = await openHooks({ options: { accounts: { alice: { outgoing: { url: receiver.url } } } } })
})
afterEach(async () => {
  await world.close()
  await receiver.close()
})

/** Time passes, and all that is due then is done. */
async function pass(ms: number): Promise<void> {
  await world.host.advance(ms)
  await world.quiet()
}

/** Sequences of the events that were posted. */
const sequences = () => receiver.requests.map(({ body }) => (JSON.parse(body) as { Sequence: number }).Sequence)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

test('many events arrive in order, once, over one connection', async () => {
  const count = 2 * TURN_SIZES[2] + TURN_SIZES[1]
  for (let i = 0; i < count; i++) await world.add()
  await settled(async () => receiver.requests.length === count)
  await world.quiet()
  deepStrictEqual(sequences(), upTo(count))
  deepStrictEqual([receiver.connections(), (await world.webhooks.list({}, { limit: 10 })).length], [1, 0])
  const over = await world.webhooks.retired({ success: true }, { limit: 1000 })
  deepStrictEqual([over.length, over[0]?.id], [count, count])
})

test('a receiver that is down for two days gets everything in order, once', async () => {
  const port = Number(new URL(receiver.url).port)
  await receiver.close()
  let added = 0
  for (let hour = 0; hour < 48; hour++) {
    for (let i = 0; i < 2; i++, added++) await world.add()
    await pass(HOUR)
  }
  const attempts = (await world.webhooks.list({}, { limit: 1000 })).map(call => [call.id, call.attempts > 0])
  deepStrictEqual(
    attempts.sort((a, b) => Number(a[0]) - Number(b[0])),
    upTo(added).map(id => [id, id === 1]),
  )
  receiver = await openReceiver(port)
  await world.toNext()
  deepStrictEqual(sequences(), upTo(added))
  deepStrictEqual(await world.webhooks.list({}, { limit: 1000 }), [])
  strictEqual((await world.webhooks.retired({ success: false }, { limit: 1000 })).length, 0)
})

test('attempts follow the schedule, each with the same id, and end', async () => {
  const times: number[] = []
  receiver.answer = (request, response) => {
    times.push(world.host.clock.now())
    answer(500, {}, 'broken')(request, response)
  }
  const eventId = await world.add()
  await world.quiet()
  while (await world.toNext());
  const gaps = times.slice(1).map((time, i) => (time - times[i]!) / MINUTE)
  const schedule = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960, 960, 960]
  deepStrictEqual(
    schedule.map((minutes, i) => Math.abs((gaps[i] ?? 0) - minutes) <= minutes * 0.01),
    Array(13).fill(true),
    gaps.join(),
  )
  deepStrictEqual(
    receiver.requests.map(({ headers }) => [
      headers['x-mox-webhook-id'],
      headers['x-mox-webhook-attempt'],
      headers['webhook-id'],
    ]),
    upTo(14).map(n => ['1', String(n), eventId]),
  )
  const call = await world.webhooks.get(1)
  deepStrictEqual(
    [call?.attempts, call?.ended?.success, call?.ended?.note, call?.results.length],
    [14, false, 'failed 14 times', 14],
  )
  const [first] = call?.results ?? []
  deepStrictEqual(
    [first?.code, first?.error, first?.response, first?.start],
    [500, 'HTTP status 500', 'broken', TEST_NOW],
  )
})

test('of many results the first and the latest are kept', async () => {
  await world.close()
  const retrySchedule = Array<number>(RESULTS_KEPT).fill(1)
  world = await openHooks({ options: { retrySchedule, accounts: { alice: { outgoing: { url: receiver.url } } } } })
  receiver.answer = (_, response) => answer(500, {}, String(receiver.requests.length))(_, response)
  await world.add()
  await world.quiet()
  const responses = async () => (await world.webhooks.get(1))?.results.map(result => Number(result.response))
  for (let n = 1; n < RESULTS_KEPT; n++) await world.toNext()
  deepStrictEqual(await responses(), upTo(RESULTS_KEPT))
  await world.toNext()
  deepStrictEqual(await responses(), [1, ...upTo(RESULTS_KEPT + 1).slice(2)])
  strictEqual((await world.webhooks.get(1))?.ended?.note, `failed ${RESULTS_KEPT + 1} times`)
})

test('an event waits for earlier ones, and goes on when they end', async () => {
  let refused = 3
  receiver.answer = (request, response) =>
    answer(request.body.includes('"Sequence":2') && refused-- > 0 ? 503 : 200)(request, response)
  for (let i = 0; i < 4; i++) await world.add()
  await world.quiet()
  deepStrictEqual(sequences(), [1, 2])
  await world.toNext()
  deepStrictEqual(sequences(), [1, 2, 2])
  await world.toNext()
  await world.toNext()
  deepStrictEqual(sequences(), [1, 2, 2, 2, 2, 3, 4])
})

test('Retry-After puts the next attempt off', async () => {
  receiver.answer = answer(429, { 'Retry-After': '3600' })
  await world.add()
  await world.quiet()
  deepStrictEqual((await world.webhooks.get(1))?.due, TEST_NOW + HOUR)
  receiver.answer = accept
  await pass(HOUR - 1)
  strictEqual(receiver.requests.length, 1)
  await pass(1)
  strictEqual(receiver.requests.length, 2)
})

test('410 disables the endpoint until it is enabled', async () => {
  receiver.answer = answer(410)
  for (let i = 0; i < 3; i++) await world.add()
  await settled(async () => (await world.webhooks.retired({}, { limit: 10 })).length === 3)
  await world.add()
  await world.quiet()
  const notes = (await world.webhooks.retired({}, { limit: 10, ascending: true })).map(call => call.ended?.note)
  const abandoned = 'the endpoint is disabled: HTTP status 410'
  deepStrictEqual(notes, ['the endpoint is gone (HTTP 410)', abandoned, abandoned])
  strictEqual(receiver.requests.length, 1)
  const disabled = async () => (await world.webhooks.endpoints('alice')).map(one => one.disabled)
  deepStrictEqual(await disabled(), [{ since: TEST_NOW, reason: 'HTTP status 410' }])
  receiver.answer = accept
  strictEqual(await world.webhooks.enableEndpoint('alice', 'outgoing'), true)
  strictEqual(await world.webhooks.enableEndpoint('alice', 'outgoing'), false)
  deepStrictEqual(await disabled(), [undefined])
  // What was missed comes from the log.
  strictEqual(await world.webhooks.replay({ from: TEST_NOW, until: TEST_NOW + 1 }), 4)
  await world.quiet()
  deepStrictEqual(sequences().slice(1), [1, 2, 3, 4])
})

test('a slow endpoint delays nobody else', async () => {
  const slow = await openReceiver()
  slow.answer = () => {}
  try {
    await world.close()
    world = await openHooks({
      options: {
        accounts: { alice: { outgoing: { url: receiver.url }, endpoints: [{ name: 'slow', url: slow.url }] } },
      },
    })
    for (let i = 0; i < 100; i++) await world.add()
    await settled(async () => receiver.requests.length === 100)
    deepStrictEqual([sequences(), slow.requests.length], [upTo(100), 1])
    slow.answer = accept
    // The first one times out, and is repeated before the others.
    await world.host.advance(MINUTE)
    await world.quiet()
    await world.toNext()
    deepStrictEqual(kinds(slow.requests), ['delivered 1', ...upTo(100).map(n => `delivered ${n}`)])
  } finally {
    await slow.close()
  }
})

test('connections close when there is nothing to do, and never under a call', async () => {
  const open: (() => void)[] = []
  receiver.answer = (_, response) => void open.push(() => response.end())
  const started = (count: number) => settled(async () => receiver.requests.length === count)
  await world.add()
  await started(1)
  // Wakes a lane that is busy.
  await world.add()
  open.shift()?.()
  await started(2)
  open.shift()?.()
  await world.quiet()
  await world.host.advance(IDLE_MS - 1)
  await world.add()
  await started(3)
  await world.host.advance(2)
  open.shift()?.()
  await world.quiet()
  deepStrictEqual([sequences(), receiver.connections()], [[1, 2, 3], 1])
  await world.host.advance(IDLE_MS)
  receiver.answer = accept
  await world.add()
  await world.quiet()
  deepStrictEqual([sequences(), receiver.connections()], [[1, 2, 3, 4], 2])
})

test('several calls at a time where the order is given up', async () => {
  await world.close()
  const endpoint = { name: 'many', url: receiver.url, concurrency: 4 }
  world = await openHooks({ options: { accounts: { alice: { endpoints: [endpoint] } } } })
  let under = 0
  let most = 0
  receiver.answer = ({ body }, response) => {
    most = Math.max(most, ++under)
    // Turns for the others to arrive.
    void turns(50).then(() => {
      under--
      response.writeHead(body.includes('"Sequence":3,') ? 500 : 200).end()
    })
  }
  await world.storage.write(async () => {
    for (let i = 0; i < 20; i++) await world.add()
  })
  await world.quiet()
  deepStrictEqual([most, sequences().sort((a, b) => a - b)], [4, upTo(20)])
  deepStrictEqual(
    (await world.webhooks.list({}, { limit: 10 })).map(call => [call.id, call.attempts]),
    [[3, 1]],
  )
})

test('calls in all are limited', async () => {
  await world.close()
  const endpoints = upTo(6).map(n => ({ name: `e${n}`, url: receiver.url }))
  world = await openHooks({ options: { concurrency: 2, accounts: { alice: { endpoints } } } })
  const open: (() => void)[] = []
  receiver.answer = (_, response) => void open.push(() => response.end())
  await world.add()
  await settled(async () => receiver.requests.length === 2)
  for (let n = 0; n < 200; n++) await new Promise(resolve => setImmediate(resolve))
  strictEqual(receiver.requests.length, 2)
  while (receiver.requests.length < 6 || open.length > 0) {
    open.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  await world.quiet()
})

test('a crash between the end of a recipient and the call loses nothing', async () => {
  // The receiver takes calls and never answers; the process ends without a chance to write anything down.
  receiver.answer = () => {}
  for (let id = 1; id <= 3; id++) await world.host.write('onRetire.tx', sampleRetire({ id, status: 'delivered' }))
  await settled(async () => receiver.requests.length === 1)
  const { dir } = world
  const copy = `${dir}-copy`
  const { cp, rm } = await import('node:fs/promises')
  await cp(dir, copy, { recursive: true })
  const before = receiver.requests[0]?.headers['webhook-id']
  receiver.answer = accept
  const options = { accounts: { alice: { outgoing: { url: receiver.url } } } }
  const crashed = world
  world = await openHooks({ dir: copy, now: TEST_NOW + 2 * MINUTE, options })
  try {
    await settled(async () => receiver.requests.length === 4)
    await world.quiet()
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
    deepStrictEqual([new Set(ids).size, ids[1]], [3, before])
    deepStrictEqual(
      receiver.requests.map(({ headers }) => headers['x-mox-webhook-attempt']),
      ['1', '2', '1', '1'],
    )
    deepStrictEqual(await world.webhooks.list({}, { limit: 10 }), [])
  } finally {
    await crashed.close()
    await world.host.close()
    await rm(copy, { recursive: true, force: true })
    world = await openHooks()
  }
})

test('a storage that fails is asked again, and what was posted is not posted twice', async () => {
  const open: (() => void)[] = []
  receiver.answer = (_, response) => void open.push(() => response.end())
  await world.add()
  await settled(async () => receiver.requests.length === 1)
  const rename = (from: string, to: string) =>
    world.storage.write(async db => void (await db.schema.renameTable(from, to)))
  await rename('webhooks_call', 'webhooks_gone')
  open.shift()?.()
  await world.quiet()
  strictEqual(world.host.log.texts('error').includes('error webhook calls could not be read or recorded'), true)
  await rename('webhooks_gone', 'webhooks_call')
  await pass(MINUTE)
  deepStrictEqual([sequences(), (await world.webhooks.get(1))?.ended?.success], [[1], true])
})

test('stopping in the middle of a call keeps it', async () => {
  receiver.answer = () => {}
  for (let i = 0; i < 3; i++) await world.add()
  await settled(async () => receiver.requests.length === 1)
  await world.host.close()
  receiver.answer = accept
  const options = { accounts: { alice: { outgoing: { url: receiver.url } } } }
  world = await openHooks({ dir: world.dir, now: TEST_NOW + 2 * MINUTE, options })
  await settled(async () => receiver.requests.length === 4)
  await world.quiet()
  deepStrictEqual(sequences(), [1, 1, 2, 3])
  const [first] = (await world.webhooks.get(1))?.results ?? []
  strictEqual(first?.error, 'the server is stopping')
})

test('an endpoint that the config has no more', async () => {
  receiver.answer = answer(500)
  for (let i = 0; i < 3; i++) await world.add()
  await world.quiet()
  await world.host.close()
  world = await openHooks({ dir: world.dir })
  await settled(async () => (await world.webhooks.retired({}, { limit: 10 })).length === 3)
  deepStrictEqual(
    new Set((await world.webhooks.retired({}, { limit: 10 })).map(call => call.ended?.note)),
    new Set(['the endpoint was removed']),
  )
})

test('the message may go before its call is made', async () => {
  await world.close()
  world = await openHooks({ options: { accounts: { alice: { incoming: { url: receiver.url } } } } })
  receiver.answer = answer(500)
  const { messageId, copies } = await world.receive('Subject: x\n\nstill here\n')
  const content = (await world.storage.messages.get(messageId))?.contentId ?? 0
  const references = async () => (await world.storage.db('mox_content').where({ id: content }).first('refs'))?.refs
  await world.storage.write(() =>
    world.events.add({ ...EVENT, messageId, mailboxMessageId: copies[0]! }).then(() => {}),
  )
  await world.quiet()
  // Composed with the first attempt: the reference has been given back.
  strictEqual(await references(), 2)
  await (await world.mailboxes.store('alice')).expunge(copies)
  receiver.answer = accept
  await world.toNext()
  deepStrictEqual(
    receiver.requests.map(({ body }) => (JSON.parse(body) as { Text: string }).Text),
    ['still here\n', 'still here\n'],
  )
})

const EVENT = {
  ...{ account: 'alice', kind: 'incoming' as EventKind, queueId: 0, messageIdHeader: '', subject: 'x' },
  ...{ recipient: 'alice@example.org', fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, code: 0 },
  ...{ enhanced: '', error: '', attempt: 0, remoteMta: '' },
}

test('a call that ends before it is composed gives its content back', async () => {
  await world.close()
  receiver.answer = answer(500)
  world = await openHooks({ options: { accounts: { alice: { endpoints: [{ name: 'all', url: receiver.url }] } } } })
  await world.add()
  await world.quiet()
  // Behind a call that fails.
  const { messageId, copies } = await world.receive('Subject: x\n\nx\n')
  await world.host.react('onReceive.done', sampleDone({ messageId, copies }), 'one')
  const content = (await world.storage.messages.get(messageId))?.contentId ?? 0
  const references = async () => (await world.storage.db('mox_content').where({ id: content }).first('refs'))?.refs
  strictEqual(await references(), 3)
  strictEqual(await world.webhooks.cancel({ event: 'incoming' }), 1)
  strictEqual(await references(), 2)
  strictEqual((await world.webhooks.get(2))?.payload, '')
  // Sent again, it is made from the log.
  strictEqual(await world.webhooks.replay({ failedSince: TEST_NOW }), 1)
  receiver.answer = accept
  await world.toNext()
  strictEqual((JSON.parse(receiver.requests.at(-1)?.body ?? '') as { Subject: string }).Subject, 'x')
})

test('a plugin skips a call, and a failing plugin is a failed attempt', async () => {
  await world.close()
  let broken = true
  const picky = definePlugin({
    name: 'picky',
    setup: () => ({
      'onWebhook.send': ({ draft }) => {
        if (draft.body.includes('"Sequence":1,')) return skip('not this one')
        if (broken) throw new Error('out of order')
        return undefined
      },
    }),
  })
  const options = { accounts: { alice: { outgoing: { url: receiver.url } } } }
  world = await openHooks({ options, plugins: [picky()] })
  await world.add()
  await world.add()
  await world.quiet()
  const first = await world.webhooks.get(1)
  deepStrictEqual([first?.ended?.success, first?.ended?.note], [false, 'skipped by a plugin: not this one'])
  const second = await world.webhooks.get(2)
  deepStrictEqual([second?.attempts, /picky/.test(second?.results[0]?.error ?? '')], [1, true])
  broken = false
  await world.toNext()
  deepStrictEqual(sequences(), [2])
})

test('calls that are over are kept for their time', async () => {
  await world.close()
  const outgoing = { url: receiver.url }
  const accounts = { alice: { outgoing }, bob: { outgoing, keepDays: 1 / 24 } }
  world = await openHooks({ options: { accounts } })
  for (const account of ['alice', 'bob']) await world.add({ account })
  await world.quiet()
  receiver.answer = answer(500)
  await world.add({ account: 'bob' })
  await world.quiet()
  strictEqual(await world.webhooks.cancel({ account: 'bob' }), 1)
  const rows: Pick<CallRow, 'account' | 'ended_at' | 'keep_until'>[] = await world.storage
    .db<CallRow>(CALL)
    .select('account', 'ended_at', 'keep_until')
    .orderBy('id')
  deepStrictEqual(
    rows.map(row => [row.account, row.keep_until - (row.ended_at ?? 0)]),
    [
      ['alice', 7 * DAY],
      ['bob', HOUR],
      ['bob', HOUR],
    ],
  )
  const over = async () => (await world.webhooks.retired({}, { limit: 10 })).map(call => call.account).join()
  await pass(HOUR - 1)
  strictEqual(await over(), 'bob,bob,alice')
  await settled(async () => {
    await pass(HOUR)
    return (await over()) === 'alice'
  })
  strictEqual(PURGE_BATCH > 3, true)
})

test('operators: cancel, reschedule, lists', async () => {
  receiver.answer = answer(500)
  for (const kind of ['failed', 'delivered', 'delivered', 'delayed'] as const) await world.add({ kind })
  await world.quiet()
  const ids = async (filter: Parameters<typeof world.webhooks.list>[0], page = {}) =>
    (await world.webhooks.list(filter, { limit: 10, ...page })).map(call => call.id)
  deepStrictEqual(await ids({}), [2, 3, 4, 1])
  deepStrictEqual(await ids({}, { ascending: false, limit: 2 }), [1, 4])
  deepStrictEqual(await ids({}, { limit: 2, after: { value: TEST_NOW, id: 3 } }), [4, 1])
  deepStrictEqual(await ids({ event: 'delivered' }), [2, 3])
  deepStrictEqual(await ids({ ids: [4, 1] }), [4, 1])
  deepStrictEqual(await ids({ account: 'bob' }), [])
  deepStrictEqual(await ids({ endpoint: 'outgoing', time: { from: TEST_NOW + 1 } }), [1])
  deepStrictEqual(await ids({ submitted: { until: TEST_NOW } }), [])
  strictEqual(await world.webhooks.cancel({ event: 'delivered' }), 2)
  strictEqual(await world.webhooks.cancel({ event: 'delivered' }), 0)
  deepStrictEqual(
    (await world.webhooks.retired({}, { limit: 10 })).map(call => [call.id, call.ended?.note]),
    [
      [3, 'cancelled'],
      [2, 'cancelled'],
    ],
  )
  receiver.answer = accept
  strictEqual(await world.webhooks.reschedule({ ids: [1] }, { at: TEST_NOW }), 1)
  await settled(async () => (await ids({})).length === 0)
  await world.quiet()
  deepStrictEqual(kinds(receiver.requests).slice(-2), ['failed 1', 'delayed 4'])
  strictEqual(await world.webhooks.reschedule({}, { by: 1 }), 0)
  await rejects(world.webhooks.list({}, { limit: 1001 }), /limit must be 1 to 1000/)
})

test('replay', async () => {
  const first = await world.add()
  await world.add({ kind: 'failed' })
  await world.add({ account: 'bob' })
  await world.quiet()
  receiver.requests.splice(0)
  strictEqual(await world.webhooks.replay({ eventId: first }), 1)
  await world.quiet()
  deepStrictEqual(
    receiver.requests.map(({ headers }) => headers['webhook-id']),
    [first],
  )
  strictEqual(await world.webhooks.replay({ eventId: first, endpoint: 'other' }), 0)
  await rejects(world.webhooks.replay({ eventId: 'x' }), /no event has the id "x"/)
  strictEqual(await world.webhooks.replay({ from: TEST_NOW, until: TEST_NOW + 1, account: 'alice' }), 2)
  await world.quiet()
  strictEqual(await world.webhooks.replay({ from: TEST_NOW + 1, until: TEST_NOW + 2 }), 0)
  strictEqual(await world.webhooks.replay({ failedSince: TEST_NOW }), 0)
  // What waits is not doubled.
  receiver.answer = answer(500)
  const waiting = await world.add()
  await world.quiet()
  strictEqual(await world.webhooks.replay({ eventId: waiting }), 0)
  strictEqual(await world.webhooks.cancel({}), 1)
  receiver.answer = accept
  strictEqual(await world.webhooks.replay({ failedSince: TEST_NOW }), 1)
  strictEqual(await world.webhooks.replay({ failedSince: TEST_NOW }), 0)
  await world.quiet()
  strictEqual(receiver.requests.at(-1)?.headers['webhook-id'], waiting)
  // It succeeded in the end.
  strictEqual(await world.webhooks.replay({ failedSince: TEST_NOW }), 0)
})
