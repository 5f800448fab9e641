// The page's way to the queue: filters and pages of the list, the message, and what a change accepts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import { type QueueControl, UsageError } from '@mox/plugin-sdk'
import { memoryStorage, VirtualClock } from '@mox/plugin-sdk/testkit'
import Koa from 'koa'
import { afterAll, beforeAll, beforeEach, test } from 'vitest'
import { adminRoutes } from '../src/api.ts'
import { listQueue, QUEUE_ROWS, queueRoutes } from '../src/queue-api.ts'
import { CHANGE_BYTES, CHANGE_IDS } from '../src/queue-change.ts'
import { QUERY_LENGTH, SCHEDULE_LIMIT } from '../src/queue-filter.ts'

const clock = new VirtualClock()
const seen: unknown[] = []
const told =
  (name: string) =>
  async (...given: unknown[]) => {
    seen.push([name, ...given])
    return 2
  }
const queue = {
  ...{ kick: told('kick'), hold: told('hold'), release: told('release'), schedule: told('schedule'), end: told('end') },
  ...{ postpone: told('postpone'), setRequireTls: told('setRequireTls'), transports: () => ['direct', 'local'] },
  setTransport: async (...given: unknown[]) => {
    if (given[1] === 'nowhere') throw new UsageError('there is no transport "nowhere"')
    return await told('setTransport')(...given)
  },
  dump: async (id: number) => (id === 7 ? chunks() : undefined),
} as unknown as QueueControl

async function* chunks(): AsyncIterable<Buffer> {
  yield Buffer.from('Received: x\r\n')
  yield Buffer.from('Subject: <b>Hi</b>\r\n\r\n')
}
const storage = memoryStorage({ clock })

let server: Server
let url: string
beforeAll(async () => {
  const app = new Koa()
  app.silent = true
  app.use(adminRoutes(queue, storage.queue, clock).routes() as unknown as Koa.Middleware)
  const reading = new Router()
  queueRoutes(reading, { control: queue, queue: storage.queue, clock })
  app.use(reading.routes() as unknown as Koa.Middleware)
  await new Promise<void>(resolve => {
    server = app.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await fill()
})
afterAll(() => new Promise<unknown>(resolve => server.close(resolve)))
beforeEach(() => {
  seen.length = 0
})

async function post(action: string, body: string, headers: Record<string, string> = {}): Promise<string> {
  const json = { 'Content-Type': 'application/json', 'X-Mox-Request': '1' }
  const response = await fetch(`${url}/admin/queue/${action}`, {
    method: 'POST',
    body,
    headers: { ...json, ...headers },
  })
  return `${response.status} ${await response.text()}`
}
async function read(path: string): Promise<string> {
  const response = await fetch(`${url}/api/queue${path}`)
  return `${response.status} ${await response.text()}`
}
const change = (request: unknown, headers?: Record<string, string>) => post('change', JSON.stringify(request), headers)

test('changes', async () => {
  const ids = [3, 4]
  const check = async (action: string, ...expected: unknown[]) => {
    seen.length = 0
    assert.equal(await change({ action, ids }), '200 {"count":2}')
    assert.deepEqual(seen, expected, action)
  }
  await check('retry', ['schedule', { ids }, clock.now()], ['release', { ids, hold: true }])
  await check('hold', ['hold', { ids }])
  await check('release', ['release', { ids }])
  await check('fail', ['end', { ids }, 'failed', 'delivery ended by an administrator'])
  await check('drop', ['end', { ids }, 'cancelled', 'dropped by an administrator'])
  const now = clock.now()
  const checkWith = async (fields: object, ...expected: unknown[]) => {
    seen.length = 0
    assert.equal(await change({ ids, ...fields }), '200 {"count":2}', JSON.stringify(fields))
    assert.deepEqual(seen, [expected])
  }
  const schedule = (when: object, ...expected: unknown[]) => checkWith({ action: 'schedule', when }, ...expected)
  await schedule({ in: '+2h' }, 'schedule', { ids }, now + 7_200_000)
  await schedule({ in: '0' }, 'schedule', { ids }, now)
  await schedule({ in: '-15m' }, 'schedule', { ids }, now - 900_000)
  await schedule({ in: '365d' }, 'schedule', { ids }, now + SCHEDULE_LIMIT)
  await schedule({ later: ' 1h30m ' }, 'postpone', { ids }, 5_400_000)
  await schedule({ later: '-15m' }, 'postpone', { ids }, -900_000)
  await schedule({ at: now + 5 }, 'schedule', { ids }, now + 5)
  await schedule({ at: now + SCHEDULE_LIMIT }, 'schedule', { ids }, now + SCHEDULE_LIMIT)
  await schedule({ at: 0 }, 'schedule', { ids }, 0)
  await checkWith({ action: 'transport', transport: 'direct' }, 'setTransport', { ids }, 'direct')
  await checkWith({ action: 'transport', transport: '' }, 'setTransport', { ids }, '')
  for (const required of [true, false])
    await checkWith({ action: 'requiretls', required }, 'setRequireTls', { ids }, required)
  await checkWith({ action: 'requiretls', required: null }, 'setRequireTls', { ids }, undefined)
  seen.length = 0
  assert.match(await post('kick', ''), /^204 /)
  assert.deepEqual(seen, [['kick']])
})

test('changes of all that match', async () => {
  const now = clock.now()
  const check = async (which: object, ...expected: unknown[]) => {
    seen.length = 0
    assert.equal(await change({ action: 'hold', ...which }), '200 {"count":2}', JSON.stringify(which))
    assert.deepEqual(seen, [['hold', ...expected]])
  }
  await check({ all: true }, {})
  await check({ filter: { to: '@B.test' } }, { to: '@b.test' })
  await check({ filter: { transport: '' } }, { transport: '' })
  await check(
    { filter: { ids: '3, 4', message: '9', from: 'ann', account: 'ann', messageIdHeader: 'x@y', envid: 'e', to: '' } },
    { ids: [3, 4], messageId: 9, from: 'ann', account: 'ann', messageIdHeader: '<x@y>', envid: 'e' },
  )
  await check(
    { filter: { submitted: '<-24h', nextattempt: '>1h', hold: 'false' } },
    { receivedBefore: now - 86_400_000, dueAfter: now + 3_600_000, hold: false },
  )
  // Tried again are those that matched before: afterwards, others would.
  const [held = 0] = await storage.queue.find({ hold: true }, { after: 0, limit: 10 })
  seen.length = 0
  assert.equal(await change({ action: 'retry', filter: { hold: 'true' } }), '200 {"count":2}')
  assert.deepEqual(seen, [
    ['schedule', { ids: [held] }, now],
    ['release', { ids: [held], hold: true }],
  ])
  seen.length = 0
  assert.equal(await change({ action: 'retry', filter: { to: 'nobody' } }), '200 {"count":0}')
  assert.deepEqual(seen, [])
})

test('changes that are refused', async () => {
  const refused = async (answer: Promise<string>, expected: RegExp) => {
    assert.match(await answer, expected)
    assert.deepEqual(seen, [])
  }
  const ids = [1]
  await refused(change({ action: 'hold', ids }, { 'X-Mox-Request': '' }), /^403 send the header X-Mox-Request: 1/)
  await refused(change({ action: 'hold', ids }, { 'Content-Type': 'text/plain' }), /^415 send JSON/)
  await refused(post('change', '{'), /^400 the body is not JSON/)
  await refused(change(null), /^400 request: /)
  await refused(change({ action: 'explode', ids }), /^400 action: /)
  await refused(change({ action: 'hold', ids, all: true }), /^400 request: .*all/)
  for (const wrong of [[], [0], [-1], [1.5], ['1'], 'all', Array(CHANGE_IDS + 1).fill(1)])
    await refused(change({ action: 'hold', ids: wrong }), /^400 ids/)
  await refused(change({ action: 'hold' }), /^400 request: give one of ids, filter and all$/)
  await refused(change({ action: 'hold', all: false }), /^400 all: /)
  await refused(change({ action: 'hold', ids, filter: { to: 'a' } }), /^400 request: give one of/)
  for (const nothing of [{}, { to: '' }])
    await refused(change({ action: 'drop', filter: nothing }), /^400 filter: .*all/)
  const filtered = (filter: unknown, expected: RegExp) => refused(change({ action: 'drop', filter }), expected)
  await filtered({ recipient: 'a' }, /^400 filter: .*recipient/)
  await filtered({ to: 'x'.repeat(QUERY_LENGTH + 1) }, /^400 filter\.to: /)
  await filtered({ submitted: 'yesterday' }, /^400 filter\.submitted: write a time such as "<-24h"/)
  await filtered({ ids: '1,two' }, /^400 filter\.ids\.1: must be a number such as 12/)
  await filtered({ ids: '' }, /^400 filter\.ids\.0: /)
  await filtered(
    {
      ids: Array(CHANGE_IDS + 1)
        .fill(1)
        .join(),
    },
    /^400 filter\.ids: /,
  )
  await filtered({ hold: true }, /^400 filter\.hold: /)
  const scheduled = (when: unknown, expected: RegExp) => refused(change({ action: 'schedule', ids, when }), expected)
  await scheduled(undefined, /^400 when: /)
  await scheduled({}, /^400 when: give one of at, in and later/)
  await scheduled({ in: '1h', later: '1h' }, /^400 when: give one of/)
  await scheduled({ in: 'soon' }, /^400 when\.in: write a duration of at most a year, such as 1h30m/)
  await scheduled({ in: '366d' }, /^400 when\.in: /)
  await scheduled({ later: '-366d' }, /^400 when\.later: /)
  await scheduled({ at: -1 }, /^400 when\.at: /)
  await scheduled({ at: '2030-01-01' }, /^400 when\.at: /)
  await scheduled({ at: clock.now() + SCHEDULE_LIMIT + 1 }, /^400 when\.at: choose a time within a year/)
  await refused(change({ action: 'transport', ids }), /^400 transport: /)
  await refused(change({ action: 'transport', ids, transport: 'nowhere' }), /^400 there is no transport "nowhere"/)
  await refused(change({ action: 'transport', ids, transport: 'x'.repeat(QUERY_LENGTH + 1) }), /^400 transport: /)
  await refused(change({ action: 'requiretls', ids }), /^400 required: /)
  await refused(change({ action: 'requiretls', ids, required: 'yes' }), /^400 required: /)
  await refused(change({ action: 'hold', ids, transport: 'direct' }), /^400 request: .*transport/)
  const padded = (size: number) => JSON.stringify({ action: 'hold', ids }).padEnd(size)
  await refused(post('change', padded(CHANGE_BYTES + 1)), /^413 the body has more than 65536 bytes/)
  await refused(post('explode', ''), /^404 actions are/)
  assert.match(await change({ action: 'hold', ids: Array(CHANGE_IDS).fill(1) }), /^200/)
  assert.match(await post('change', padded(CHANGE_BYTES)), /^200/)
})

test('the list', async () => {
  const now = clock.now()
  const check = async (query: object, ...expected: string[]) => {
    const { rows, next } = await listQueue(storage.queue, query, now)
    assert.deepEqual(
      [...rows.map(({ to }) => to), ...(next === undefined ? [] : ['…'])],
      expected,
      JSON.stringify(query),
    )
    return next
  }
  const all = ['r2@b.test', 'r1@bücher.example', 'r0@a.test']
  await check({}, ...all)
  await check({ sort: 'queued' }, 'r2@b.test', 'r1@bücher.example', 'r0@a.test')
  await check({ to: '@BÜCHER' }, 'r1@bücher.example')
  await check({ from: 'ann@HERE' }, 'r2@b.test', 'r1@bücher.example')
  await check({ account: 'bob' })
  await check({ hold: 'true' }, 'r1@bücher.example')
  await check({ hold: 'false', to: 'r2' }, 'r2@b.test')
  await check({ sort: 'queued', asc: 'true' }, 'r0@a.test', 'r1@bücher.example', 'r2@b.test')
  await check({ asc: 'false' }, ...all.toReversed())
  await check({ transport: 'relay' }, 'r2@b.test')
  await check({ transport: '' }, 'r1@bücher.example', 'r0@a.test')
  await check({ envid: 'e1', messageIdHeader: 'a@here.test', account: 'ann', hold: 'true' }, 'r1@bücher.example')
  await check({ messageIdHeader: '<b@here.test>' })
  await check({ submitted: '<now' })
  await check({ submitted: '>-1s', nextattempt: '<-1ms' }, 'r2@b.test')
  await check({ nextattempt: '>-1ms' }, 'r0@a.test')
  const shown = await listQueue(storage.queue, { to: 'r2' }, now)
  const [row] = shown.rows
  assert.deepEqual([row?.transport, row?.requireTls], ['relay', true])
  await check({ ids: String(row?.id) }, 'r2@b.test')
  await check({ ids: `${row?.id}`, message: String(row?.messageId), to: 'r1' })
  const newest = await check({ limit: '1', sort: 'queued' }, 'r2@b.test', '…')
  await check({ limit: '1', sort: 'queued', after: newest }, 'r1@bücher.example', '…')
  const next = await check({ limit: '2' }, 'r2@b.test', 'r1@bücher.example', '…')
  await check({ limit: '2', after: next }, 'r0@a.test')
  const { rows } = await listQueue(storage.queue, { hold: 'true' }, now)
  assert.deepEqual(
    { ...rows[0], id: 0, messageId: 0 },
    {
      ...{ id: 0, messageId: 0, account: 'ann', subject: 'Hi', due: now - 1, attempts: 0, state: 'held' },
      ...{ queuedAt: now, from: 'ann@here.test', to: 'r1@bücher.example', last: '' },
    },
  )
  await check({ limit: String(QUEUE_ROWS), to: 'x'.repeat(QUERY_LENGTH) })
  for (const wrong of [
    ...[{ limit: '0' }, { limit: String(QUEUE_ROWS + 1) }, { limit: 'all' }, { sort: 'to' }, { hold: 'maybe' }],
    ...[{ after: '5' }, { after: 'x.1' }, { to: 'x'.repeat(QUERY_LENGTH + 1) }, { to: ['a', 'b'] }],
    ...[{ asc: 'yes' }, { message: '0' }, { ids: 'a' }, { submitted: '1h' }, { nextattempt: '<soon' }, { due: '<now' }],
  ])
    await assert.rejects(listQueue(storage.queue, wrong, now), { status: 400, expose: true }, JSON.stringify(wrong))
})

test('how many, which transports, and the message', async () => {
  assert.equal(await read('/count?hold=true'), '200 {"count":1}')
  assert.equal(await read('/count'), '200 {"count":3}')
  assert.match(await read('/count?limit=1'), /^400 request: .*limit/)
  assert.match(await read('/count?nextattempt=soon'), /^400 nextattempt: /)
  assert.equal(await read('/transports'), '200 {"transports":["direct","local"]}')
  const shown = await fetch(`${url}/api/queue/7/message`)
  assert.equal(await shown.text(), 'Received: x\r\nSubject: <b>Hi</b>\r\n\r\n')
  assert.equal(shown.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(shown.headers.get('content-security-policy'), "default-src 'none'; sandbox")
  assert.equal(shown.headers.get('content-disposition'), null)
  const saved = await fetch(`${url}/api/queue/7/message?download=1`)
  await saved.text()
  assert.equal(saved.headers.get('content-type'), 'message/rfc822')
  assert.equal(saved.headers.get('content-disposition'), 'attachment; filename="queue-7.eml"')
  for (const wrong of ['8', '0', 'x', '-7', '7.0', '1'.repeat(16)])
    assert.match(await read(`/${wrong}/message`), /^404 no message is kept for this queue id/, wrong)
  assert.match(await read('/7/message?download=yes'), /^400 download: /)
})

async function fill(): Promise<void> {
  const writer = storage.content.writer()
  await writer.write(Buffer.from('x'))
  const staged = await writer.finish(createHash('sha256').update('x').digest())
  const now = clock.now()
  await storage.write(async () => {
    const id = await storage.messages.add({
      ...{ receivedAt: now, kind: 'submission', source: 's', account: 'ann', reversePath: null, subject: 'Hi' },
      ...{
        messageIdHeader: '<a@here.test>',
        envid: 'e1',
        size: 1,
        has8bit: false,
        smtputf8: false,
        prefix: Buffer.alloc(0),
        helo: '',
      },
      ...{ remoteIp: '', protocol: '', recipients: [], facts: {}, trace: [] },
      contentId: await storage.content.keep(staged),
    })
    for (const [n, domain] of ['a.test', 'xn--bcher-kva.example', 'b.test'].entries())
      await storage.queue.add(id, [
        {
          ...{ recipient: { localpart: `r${n}`, domain }, recipientDomain: domain, maxAttempts: 0, extra: {} },
          ...{ reversePath: n === 0 ? null : { localpart: 'ann', domain: 'here.test' }, due: now - n, hold: n === 1 },
          ...(n === 2 ? { transport: 'relay', requireTls: true } : {}),
        },
      ])
  })
}
