// The page's way to the queue: filters and pages of the list, and what a change accepts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { QueueControl } from '@mox/plugin-sdk'
import { memoryStorage, VirtualClock } from '@mox/plugin-sdk/testkit'
import Koa from 'koa'
import { afterAll, beforeAll, beforeEach, test } from 'vitest'
import { adminRoutes } from '../src/api.ts'
import { CHANGE_BYTES, CHANGE_IDS, listQueue, QUERY_LENGTH, QUEUE_ROWS } from '../src/queue-api.ts'

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
} as unknown as QueueControl

let server: Server
let url: string
beforeAll(async () => {
  const app = new Koa()
  app.silent = true
  app.use(adminRoutes(queue, clock).routes() as unknown as Koa.Middleware)
  await new Promise<void>(resolve => {
    server = app.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin/queue/`
})
afterAll(() => new Promise<unknown>(resolve => server.close(resolve)))
beforeEach(() => {
  seen.length = 0
})

async function post(action: string, body: string, headers: Record<string, string> = {}): Promise<string> {
  const json = { 'Content-Type': 'application/json', 'X-Mox-Request': '1' }
  const response = await fetch(url + action, { method: 'POST', body, headers: { ...json, ...headers } })
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
  seen.length = 0
  assert.match(await post('kick', ''), /^204 /)
  assert.deepEqual(seen, [['kick']])
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
  const padded = (size: number) => JSON.stringify({ action: 'hold', ids }).padEnd(size)
  await refused(post('change', padded(CHANGE_BYTES + 1)), /^413 the body has more than 65536 bytes/)
  await refused(post('explode', ''), /^404 actions are/)
  assert.match(await change({ action: 'hold', ids: Array(CHANGE_IDS).fill(1) }), /^200/)
  assert.match(await post('change', padded(CHANGE_BYTES)), /^200/)
})

test('the list', async () => {
  const storage = memoryStorage({ clock })
  const writer = storage.content.writer()
  await writer.write(Buffer.from('x'))
  const staged = await writer.finish(createHash('sha256').update('x').digest())
  const now = clock.now()
  await storage.write(async () => {
    const id = await storage.messages.add({
      ...{ receivedAt: now, kind: 'submission', source: 's', account: 'ann', reversePath: null, subject: 'Hi' },
      ...{ messageIdHeader: '', size: 1, has8bit: false, smtputf8: false, prefix: Buffer.alloc(0), helo: '' },
      ...{ remoteIp: '', protocol: '', recipients: [], facts: {}, trace: [] },
      contentId: await storage.content.keep(staged),
    })
    for (const [n, domain] of ['a.test', 'xn--bcher-kva.example', 'b.test'].entries())
      await storage.queue.add(id, [
        {
          ...{ recipient: { localpart: `r${n}`, domain }, recipientDomain: domain, maxAttempts: 0, extra: {} },
          ...{ reversePath: n === 0 ? null : { localpart: 'ann', domain: 'here.test' }, due: now - n, hold: n === 1 },
        },
      ])
  })
  const check = async (query: object, ...expected: string[]) => {
    const { rows, next } = await listQueue(storage.queue, query)
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
  const next = await check({ limit: '2' }, 'r2@b.test', 'r1@bücher.example', '…')
  await check({ limit: '2', after: next }, 'r0@a.test')
  const { rows } = await listQueue(storage.queue, { hold: 'true' })
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
  ])
    await assert.rejects(listQueue(storage.queue, wrong), { status: 400, expose: true }, JSON.stringify(wrong))
})
