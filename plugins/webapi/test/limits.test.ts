// Limits that need no server, and those of the wire that the other tests do not reach: at the limit, and one beyond.
import assert from 'node:assert/strict'
import { mailboxes, storage } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { test } from 'vitest'
import * as limits from '../src/limits.ts'
import { options } from '../src/options.ts'
import { Window } from '../src/quota.ts'
import { ApiError } from '../src/send/error.ts'
import { MAX_FORM, MAX_TOKEN } from '../src/unsubscribe.ts'
import { flagChange, MAX_FLAGS, MAX_KEYWORD } from '../src/v0/flags.ts'
import { Problem } from '../src/v1/problem.ts'
import { Waiting } from '../src/v1/waiting.ts'
import { BodyBudget } from '../src/web/body.ts'
import { openApi } from './support/api.ts'

test('options', () => {
  const check = (input: unknown, expected: unknown) => {
    const result = options.safeParse(input)
    assert.deepEqual(result.success ? result.data : result.error.issues.map(i => i.path.join('.')), expected)
  }
  const defaults = {
    path: '/webapi/',
    audience: 'public',
    maxMessageSize: limits.MAX_MESSAGE_SIZE,
    streams: {},
    keepDays: 30,
  }
  check({}, defaults)
  check(
    { path: '/api/mail/', url: 'https://api.example.org/mail/' },
    { ...defaults, path: '/api/mail/', url: 'https://api.example.org/mail/' },
  )
  check({ path: 'webapi' }, ['path'])
  check({ path: '/' }, ['path'])
  check({ url: 'https://api.example.org/mail' }, ['url'])
  check({ url: 'ftp://api.example.org/' }, ['url'])
  check({ audience: 'admin' }, ['audience'])
  check({ maxMessageSize: 0 }, ['maxMessageSize'])
  check(
    { streams: { news: { messagesPerDay: 1 } }, keepDays: 2 },
    { ...defaults, streams: { news: { messagesPerDay: 1 } }, keepDays: 2 },
  )
  check({ streams: { News: { messagesPerDay: 1 } } }, ['streams.News'])
  check({ streams: { news: { messagesPerDay: 0 } } }, ['streams.news.messagesPerDay'])
  check({ keepDays: 1 }, ['keepDays'])
  check({ keepDays: 3651 }, ['keepDays'])
  check({ other: 1 }, [''])
})

test('bodies in memory at the same time', async () => {
  const budget = new BodyBudget(10)
  const request = (text: string) =>
    ({ request: { length: text.length }, req: [Buffer.from(text)] }) as unknown as Context
  const refused = (code: string) => (error: unknown) => error instanceof ApiError && error.code === code
  const inside = budget.with(request('12345'), 5, async body => {
    assert.equal(body.toString(), '12345')
    await budget.with(request('67890'), 5, async () => {
      await assert.rejects(
        budget.with(request('x'), 5, async () => 0),
        refused('server'),
      )
    })
    return 'done'
  })
  assert.equal(await inside, 'done')
  await assert.rejects(
    budget.with(request('123456'), 5, async () => 0),
    refused('messageTooLarge'),
  )
  assert.equal(await budget.with(request('1234567890'), 10, async body => body.length), 10, 'all is given back')
  const broken = {
    request: { length: 5 },
    req: (async function* () {
      yield Buffer.from('123')
      throw new Error('aborted')
    })(),
  } as unknown as Context
  await assert.rejects(
    budget.with(broken, 5, async () => 0),
    refused('protocol'),
  )
})

test('places for those who wait', () => {
  const waiting = new Waiting()
  const full = () =>
    assert.throws(
      () => waiting.take('more'),
      error => error instanceof Problem && error.status === 429,
    )
  const accounts = limits.MAX_STREAMS_OPEN / limits.MAX_STREAMS_OPEN_ACCOUNT
  const places = Array.from({ length: limits.MAX_STREAMS_OPEN }, (_, i) => waiting.take(`a${i % accounts}`))
  full()
  places[0]?.[Symbol.dispose]()
  const again = waiting.take('more')
  full()
  waiting.close()
  assert.equal(again.signal.aborted, true)
  again[Symbol.dispose]()
  full()
})

test('counts of a day', () => {
  const window = new Window([
    [10, 2],
    [5, 3],
  ])
  assert.equal(window.total(1444), 5)
  assert.equal(window.secondsUntil(1444, 2), 60)
  assert.equal(window.total(1445), 2)
  window.add(1445, 4)
  assert.deepEqual([window.secondsUntil(1445, 4), window.secondsUntil(1445, 0)], [300, 86_400])
  assert.deepEqual([window.total(1449), window.total(1450), window.total(2885)], [6, 4, 0])
})

test('flags of one request', () => {
  const words = (n: number) => Array.from({ length: n }, (_, i) => `k${i}`)
  assert.equal(flagChange(words(MAX_FLAGS), true).addKeywords?.length, MAX_FLAGS)
  assert.throws(() => flagChange(words(MAX_FLAGS + 1), true), ApiError)
  assert.deepEqual(flagChange(['x'.repeat(MAX_KEYWORD)], false).removeKeywords, ['x'.repeat(MAX_KEYWORD)])
  assert.throws(() => flagChange(['x'.repeat(MAX_KEYWORD + 1)], true), ApiError)
})

test('on the wire', async () => {
  const api = await openApi({ webapi: { maxMessageSize: 10_000 } })
  try {
    const status = async (method: string, path: string, body?: unknown) => (await api.json(method, path, body)).status
    assert.equal(await status('GET', `messages?limit=${limits.MAX_PAGE}`), 200)
    assert.equal(await status('GET', `messages?limit=${limits.MAX_PAGE + 1}`), 400)
    const reason = (size: number) => JSON.stringify({ address: 'bad', reason: 'x'.repeat(size) })
    const padded = (size: number) => ({ body: reason(0).padEnd(size, ' ') })
    assert.equal((await api.json('POST', 'suppressions', {}, padded(limits.MAX_SMALL_BODY))).status, 422)
    assert.equal((await api.json('POST', 'suppressions', {}, padded(limits.MAX_SMALL_BODY + 1))).status, 413)
    const form = (size: number) => ({ method: 'POST', user: null, body: 'x'.repeat(size) })
    assert.equal((await api.ask('unsubscribe/x', form(MAX_FORM))).status, 404)
    assert.equal((await api.ask('unsubscribe/x', form(MAX_FORM + 1))).status, 413)
    assert.equal((await api.ask(`unsubscribe/${'x'.repeat(MAX_TOKEN + 1)}`, { user: null })).status, 404)

    const store = await api.world.app.host.service(mailboxes).store('alice')
    const text = async (length: number) => {
      const content = Buffer.from(`Subject: x\r\n\r\n${'é'.repeat(length / 2)}`)
      const { id } = await store.append({ mailbox: 'Inbox', content })
      return (await api.call('MessageGet', { MsgID: id })).json.Message.Text
    }
    assert.equal(Buffer.byteLength(await text(limits.MAX_TEXT)), limits.MAX_TEXT)
    assert.equal(Buffer.byteLength(await text(limits.MAX_TEXT + 2)), limits.MAX_TEXT)
  } finally {
    await api.close()
  }
})

test('keys of an account', async () => {
  const api = await openApi()
  try {
    await api.world.mox('webapi key add bob first')
    await api.world.app.host.service(storage).write(async db => {
      const [row] = await db('webapi_key').select('*')
      for (let i = 1; i < limits.MAX_KEYS - 1; i += 100) {
        const n = Math.min(100, limits.MAX_KEYS - 1 - i)
        await db('webapi_key').insert(
          Array.from({ length: n }, (_, k) => ({ ...row, hash: `h${i + k}`, id: `i${i + k}` })),
        )
      }
    })
    await api.world.mox('webapi key add bob last')
    await assert.rejects(api.world.mox('webapi key add bob more'), /bob has 1000 keys/)
    await api.world.mox('webapi key add alice other')
  } finally {
    await api.close()
  }
})
