// What tests ask and change over HTTP: limits, mistakes, and who provides what.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Router from '@koa/router'
import type { ClockControl, Directory, Events, MailEvent, Submission } from '@mox/plugin-sdk'
import { collectingLog, VirtualClock } from '@mox/plugin-sdk/testkit'
import Koa from 'koa'
import { afterEach, beforeEach, test } from 'vitest'
import {
  BENCH_ROWS,
  type BenchDeps,
  benchAdminRoutes,
  benchRoutes,
  SEND_BYTES,
  SEND_RECIPIENTS,
  sendRoute,
} from '../src/bench-api.ts'
import { BenchClock } from '../src/clock.ts'
import { SCENARIO_BYTES, SCENARIO_FILES, Scenarios } from '../src/scenario/scenarios.ts'

const EVENTS = [1, 2, 3].map(id => ({ id, kind: id === 2 ? 'failed' : 'delivered' }) as unknown as MailEvent)
let dir: string
let server: Server
let url: string
let moved: number[]
let sent: number[]
let clock: BenchClock

const control: ClockControl = {
  offset: () => moved.reduce((sum, ms) => sum + ms, 0),
  restore: offset => void moved.push(offset),
  advance: async ms => {
    moved.push(ms)
    return { now: 0, timers: 1 }
  },
  wait: async () => {},
}

async function start(more: Partial<BenchDeps> = {}): Promise<void> {
  const virtual = new VirtualClock()
  clock = new BenchClock(virtual, control, { dataDir: dir, hostname: '', version: '' }, () => {})
  const deps: BenchDeps = {
    ...{ clock, commands: [], reset: async () => {}, events: undefined, suppressions: undefined },
    scenarios: new Scenarios({ clock: virtual, log: collectingLog(), dir: join(dir, 'scenarios'), configured: {} }),
    directory: { resolve: async () => ({ kind: 'account', account: 'mox' }) } as unknown as Directory,
    submission: {
      submit: async ({ envelope, content }) => {
        sent.push(envelope.recipients.length, (content as Buffer).length)
        return { messageId: 7, queueIds: [1], fromIds: [''] }
      },
    } satisfies Submission,
    ...more,
  }
  const [page, admin, sending] = [
    new Router(),
    new Router({ prefix: '/admin' }),
    new Router({ prefix: '/admin/messages' }),
  ]
  benchRoutes(page, deps)
  benchAdminRoutes(admin, deps)
  sendRoute(sending, deps)
  const app = new Koa()
  app.silent = true
  for (const router of [page, admin, sending]) app.use(router.routes() as unknown as Koa.Middleware)
  await new Promise<void>(resolve => {
    server = app.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-bench-'))
  moved = []
  sent = []
  await start()
})
afterEach(async () => {
  await stop()
  await rm(dir, { recursive: true, force: true })
})
const stop = (): Promise<unknown> => new Promise(resolve => server.close(resolve))

async function ask(method: string, path: string, body?: string | Buffer, type = 'application/json'): Promise<string> {
  const headers = { 'X-Mox-Request': '1', ...(body === undefined ? {} : { 'Content-Type': type }) }
  const given = body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }
  const response = await fetch(url + path, { method, headers, ...given })
  return `${response.status} ${await response.text()}`
}

test('the clock is moved and where it is is kept', async () => {
  assert.match(await ask('POST', '/admin/clock/advance', '{"by":"1h"}'), /^200 /)
  assert.deepEqual(moved, [3_600_000])
  assert.equal(await readFile(join(dir, 'clock-offset'), 'utf8'), '3600000\n')
  moved.length = 0
  await clock.start()
  assert.deepEqual(moved, [3_600_000])
  await writeFile(join(dir, 'clock-offset'), 'soon')
  await assert.rejects(clock.start(), /clock-offset is not a number of milliseconds; remove it/)
  const other = await fetch(`${url}/admin/clock/advance`, { method: 'POST', body: '{"by":"1h"}' })
  assert.equal(`${other.status} ${await other.text()}`, '403 send the header X-Mox-Request: 1')
})

test('without plugins that provide them', async () => {
  for (const [method, path] of [
    ['GET', '/api/mail-events'],
    ['GET', '/api/suppressions'],
    ['GET', '/api/webhooks'],
    ['POST', '/admin/webhooks/retry'],
    ['DELETE', '/admin/suppressions?address=a@b.test'],
  ] as const)
    assert.match(await ask(method, path), /^404 nobody provides .*; add the plugin that does to mox\.config\.ts/, path)
  assert.match(await ask('GET', '/api/bench'), /"events":false,"suppressions":false,"webhooks":false/)
})

test('events: cursor, kinds and limits', async () => {
  await stop()
  const list: Events['list'] = async (_, { limit, after = 0, descending }) =>
    (descending ? EVENTS.toReversed() : EVENTS).filter(({ id }) => id > after).slice(0, limit)
  await start({ events: { list } as Events })
  const check = async (query: string, expected: number[], last: number): Promise<void> => {
    const answer = JSON.parse((await ask('GET', `/api/mail-events${query}`)).slice(4))
    assert.deepEqual([answer.events.map(({ id }: MailEvent) => id), answer.last], [expected, last], query)
  }
  await check('', [1, 2, 3], 3)
  await check('?after=1&limit=1', [2], 2)
  await check('?after=3', [], 3)
  await check('?kinds=failed,complained', [2], 3)
  await check('?latest=1&limit=2', [2, 3], 3)
  await check(`?limit=${BENCH_ROWS}`, [1, 2, 3], 3)
  assert.match(await ask('GET', `/api/mail-events?limit=${BENCH_ROWS + 1}`), /^400 limit: /)
  assert.match(await ask('GET', '/api/mail-events?after=x'), /^400 after: /)
})

test('sending: limits', async () => {
  const path = (n: number) => `/admin/messages/?from=mox@localhost${'&to=a@b.test'.repeat(n)}`
  const post = (n: number, size: number, type = 'message/rfc822') => ask('POST', path(n), Buffer.alloc(size, 'x'), type)
  assert.equal(await post(SEND_RECIPIENTS, 10), '200 {"messageId":7,"queueIds":[1],"fromIds":[""]}')
  assert.match(await post(SEND_RECIPIENTS + 1, 10), /^400 to: /)
  assert.match(await post(1, 10, 'text/plain'), /^415 send a message/)
  assert.match(await post(1, SEND_BYTES), /^200/)
  assert.match(await post(1, SEND_BYTES + 1), /^413 the body has more than 33554432 bytes/)
  assert.deepEqual(sent, [SEND_RECIPIENTS, 10, 1, SEND_BYTES])
})

test('scenario files: limits', async () => {
  const log = collectingLog()
  const make = () => new Scenarios({ clock: new VirtualClock(), log, dir, configured: {} })
  const text = '{"steps":[{"accept":true}]}'
  const check = async (size: number, expected?: RegExp): Promise<void> => {
    await writeFile(join(dir, 'a.test.json'), text.padEnd(size))
    const scenarios = make()
    if (expected === undefined) await scenarios.start()
    else await assert.rejects(scenarios.start(), expected)
    await scenarios.stop()
  }
  await check(SCENARIO_BYTES)
  await check(SCENARIO_BYTES + 1, /a\.test\.json: it has more than 262144 bytes/)
  await writeFile(join(dir, 'a.test.json'), text)
  for (let n = 1; n < SCENARIO_FILES; n++) await writeFile(join(dir, `d${n}.test.json`), text)
  const full = make()
  await full.start()
  assert.equal(full.status().scenarios.length, SCENARIO_FILES)
  await full.stop()
  await writeFile(join(dir, 'z.test.json'), text)
  await assert.rejects(make().start(), /z\.test\.json: there are more than 1000 files; remove some/)
})
