// v1: what became of messages. Lists, states, cancel and reschedule, events in all three ways, statistics, suppression,
// unsubscription and test keys.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type EventKind, events, type NewEvent, storage, suppressions } from '@mox/plugin-sdk'
import { parseAddress } from '@mox/plugin-sdk/mail'
import { turns } from '@mox/plugin-sdk/testkit'
import { afterAll, beforeAll, test } from 'vitest'
import * as limits from '../src/limits.ts'
import { HEARTBEAT_MS } from '../src/v1/events.ts'
import { MAX_DAYS } from '../src/v1/statistics.ts'
import { type Api, type AskOptions, openApi } from './support/api.ts'
import { watchers } from './support/feedback.ts'

let api: Api
beforeAll(async () => {
  api = await openApi({ maxFirstTimeRecipientsPerDay: 10_000 })
})
afterAll(async () => {
  await api.close()
})

const get = (path: string, options: AskOptions = {}) => api.json('GET', path, undefined, options)
const send = async (fields: object) => {
  const answer = await api.json('POST', 'messages', { to: ['ann@example.net'], text: 'x', ...fields })
  assert.equal(answer.status, 202, answer.body)
  return answer.json
}

function newEvent(kind: EventKind, fields: Partial<NewEvent> = {}): NewEvent {
  return {
    ...{
      account: 'alice',
      kind,
      queueId: 1,
      messageId: 1,
      messageIdHeader: '<1@x>',
      subject: 's',
      recipient: 'ann@example.net',
    },
    ...{
      fromId: '',
      stream: '',
      extra: {},
      dsn: false,
      suppressing: false,
      code: 250,
      enhanced: '2.0.0',
      error: '',
      attempt: 1,
    },
    ...{ remoteMta: 'mx.example.net', ...fields },
  }
}
const add = async (kind: EventKind, fields: Partial<NewEvent> = {}) => {
  const { host } = api.world.app
  await host.service(storage).write(async () => await host.service(events)?.add(newEvent(kind, fields)))
}

test('list and search', async () => {
  const one = await send({ subject: 'Order 1', stream: 'list' })
  const two = await send({ subject: 'Order 2', to: ['bea@example.net', 'c@example.net'], stream: 'list' })
  const three = await send({ subject: 'Other', stream: 'list' })
  const found = async (query: string) => {
    const { json, status, body } = await get(`messages?stream=list&${query}`)
    assert.equal(status, 200, body)
    return [...json.messages.map((m: { id: number }) => m.id), json.next]
  }
  assert.deepEqual(await found(''), [three.id, two.id, one.id, null])
  assert.deepEqual(await found('limit=2'), [three.id, two.id, two.id])
  assert.deepEqual(await found(`limit=2&before=${two.id}`), [one.id, null])
  assert.deepEqual(await found('subject=order'), [two.id, one.id, null])
  assert.deepEqual(await found('to=bea@'), [two.id, null])
  assert.deepEqual(await found(`messageId=${encodeURIComponent(one.messageId)}`), [one.id, null])
  assert.deepEqual(await found('since=2030-01-02T00:00:00Z'), [null])
  assert.deepEqual(await found('until=2030-01-02T00:00:00Z'), [three.id, two.id, one.id, null])
  assert.deepEqual(await found("subject='%3B--"), [null])
  const { messages } = (await get('messages?stream=list&to=bea')).json
  assert.deepEqual(messages, [
    {
      ...{ id: two.id, messageId: two.messageId, sentAt: '2030-01-01T12:00:00.000Z', from: 'alice@example.org' },
      ...{ to: ['bea@example.net', 'c@example.net'], subject: 'Order 2', stream: 'list', recipients: 2 },
    },
  ])
  assert.deepEqual((await get('messages', { user: 'bob@example.org' })).json, { messages: [], next: null })
})

test('one message: state, cancel, reschedule', async () => {
  const sent = await send({ to: ['a@example.net', 'b@example.net'], extra: { k: 'v' }, sendAt: '2030-01-01T13:00:00Z' })
  const [a, b] = sent.recipients
  const show = async () => (await get(`messages/${sent.id}`)).json
  const first = await show()
  assert.deepEqual(first, {
    ...{ id: sent.id, messageId: sent.messageId, sentAt: '2030-01-01T12:00:00.000Z', from: 'alice@example.org' },
    ...{ subject: '', size: first.size, stream: '', extra: { k: 'v' } },
    recipients: [a, b].map(({ address, queueId }) => ({
      ...{ queueId, address, status: 'scheduled', nextAttempt: '2030-01-01T13:00:00.000Z', lastActivity: null },
      ...{ fromId: '', attempts: [] },
    })),
  })
  const path = `messages/${sent.id}`
  const moved = await api.json('POST', `${path}/reschedule`, { at: '2030-01-02T00:00:00Z', queueIds: [b.queueId] })
  assert.deepEqual([moved.status, moved.json], [200, { recipients: 1 }])
  assert.equal((await show()).recipients[1].nextAttempt, '2030-01-02T00:00:00.000Z')
  const past = await api.json('POST', `${path}/reschedule`, { at: '2029-01-01T00:00:00Z' })
  assert.deepEqual(past.json, { recipients: 2 })
  assert.equal((await show()).recipients[1].status, 'queued')
  const far = await api.json('POST', `${path}/reschedule`, { at: '2030-03-03T12:00:01Z' })
  assert.deepEqual([far.status, far.json.errors[0].path], [422, 'at'])
  const cancelled = await api.json('POST', `${path}/cancel`, { queueIds: [a.queueId] })
  assert.deepEqual(cancelled.json, { recipients: 1 })
  const after = (await show()).recipients[0]
  assert.deepEqual(
    [after.status, after.nextAttempt, after.attempts[0].text],
    ['cancelled', null, 'cancelled by the sender'],
  )
  assert.deepEqual(
    (await api.ask(`v1/${path}/cancel`, { method: 'POST', body: '', headers: { 'Content-Type': 'application/json' } }))
      .json,
    { recipients: 1 },
  )
  const bob = { user: 'bob@example.org' }
  for (const [method, place] of [
    ['GET', path],
    ['POST', `${path}/cancel`],
    ['POST', `${path}/reschedule`],
  ] as const) {
    const answer = await api.json(
      method,
      place,
      method === 'GET' ? undefined : place.endsWith('e') ? { at: '2030-01-02T00:00:00Z' } : {},
      bob,
    )
    assert.deepEqual([answer.status, answer.json.code], [404, 'notFound'], place)
  }
})

test('events by cursor and filter', async () => {
  await add('delayed', { queueId: 7, code: 451, nextAttempt: api.world.clock.now() + 1000 })
  await add('delivered', { queueId: 7, stream: 'news' })
  await add('failed', { account: 'bob' })
  const page = (await get('events')).json
  assert.deepEqual(
    page.events.map((e: { kind: string }) => e.kind),
    ['delayed', 'delivered'],
  )
  const [event] = page.events
  assert.deepEqual(event, {
    ...{
      id: event.id,
      eventId: event.eventId,
      kind: 'delayed',
      at: '2030-01-01T12:00:00.000Z',
      sequence: 1,
      queueId: 7,
    },
    ...{ messageId: 1, messageIdHeader: '<1@x>', mailboxMessageId: null, subject: 's', recipient: 'ann@example.net' },
    ...{ fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, code: 451, enhanced: '2.0.0', error: '' },
    ...{ attempt: 1, remoteMta: 'mx.example.net', nextAttempt: '2030-01-01T12:00:01.000Z' },
  })
  const kinds = async (query: string) => (await get(`events?${query}`)).json.events.map((e: { kind: string }) => e.kind)
  assert.deepEqual(await kinds(`after=${event.id}`), ['delivered'])
  assert.deepEqual(await kinds('limit=1'), ['delayed'])
  assert.deepEqual(await kinds('kinds=failed,delivered'), ['delivered'])
  assert.deepEqual(await kinds('stream=news&queueId=7'), ['delivered'])
  assert.equal((await get(`events?after=${page.cursor}`)).json.cursor, page.cursor)
  for (const query of ['kinds=opened', 'wait=61', 'limit=1001', 'after=-1', 'after=x', 'other=1'])
    assert.equal((await get(`events?${query}`)).status, 400, query)
})

test('waiting for events', async () => {
  const { cursor } = (await get('events')).json
  const waiting = get(`events?after=${cursor}&wait=${limits.MAX_WAIT}`)
  await until(() => watchers.size > 0)
  await add('failed', { account: 'bob' })
  await add('complained')
  const woken = (await waiting).json
  assert.deepEqual([woken.events.length, woken.events[0].kind], [1, 'complained'])
  await until(() => watchers.size === 0)
  const empty = get(`events?after=${woken.cursor}&wait=5`)
  await until(() => watchers.size > 0)
  await api.world.clock.advance(5_000)
  assert.deepEqual((await empty).json, { events: [], cursor: woken.cursor })
})

test('a stream of events', async () => {
  const { cursor } = (await get('events')).json
  const stream = await openStream({ 'Last-Event-ID': String(cursor - 1) })
  await stream.has(`id: ${cursor}\nevent: complained\ndata: {"account"`.replace('{"account"', '{'))
  await add('delivered', { subject: 'live' })
  await stream.has(/event: delivered\ndata: \{.*"subject":"live".*\}\n\n/)
  await turns()
  await api.world.clock.advance(HEARTBEAT_MS)
  await stream.has(': alive\n\n')
  assert.match(stream.text(), /content-type: text\/event-stream; charset=utf-8/i)
  stream.socket.destroy()
  const bad = await get('events', { headers: { Accept: 'text/event-stream', 'Last-Event-ID': 'x' } })
  assert.equal(bad.status, 400)
})

test('only so many streams of an account', async () => {
  const own = await openApi()
  const { port } = own
  try {
    const streams = await Promise.all(
      Array.from({ length: limits.MAX_STREAMS_OPEN_ACCOUNT }, () => openStream({}, port())),
    )
    await Promise.all(streams.map(s => s.has('retry: 2000')))
    const more = await own.json('GET', 'events?wait=1')
    assert.deepEqual([more.status, more.headers.get('retry-after')], [429, '10'])
    streams[0]!.socket.destroy()
    await until(async () => (await own.json('GET', 'events?wait=0')).status === 200)
    const again = await untilStream(port())
    again.socket.destroy()
    const ended = Promise.all(streams.slice(1).map(s => s.ended))
    await own.world.restart()
    await ended
  } finally {
    await own.close()
  }
})

test('statistics', async () => {
  const day = '2030-01-01'
  await send({ stream: 'stat', to: ['a@example.net', 'b@example.net'] })
  await add('delivered', { stream: 'stat' })
  await add('delivered', { stream: 'stat' })
  await add('failed', { stream: 'stat' })
  const answer = await get('statistics?stream=stat')
  assert.deepEqual(answer.json, {
    days: [{ day, stream: 'stat', messages: 1, recipients: 2, events: { delivered: 2, failed: 1 } }],
  })
  assert.deepEqual((await get(`statistics?stream=stat&since=2029-01-01&until=2029-12-31`)).json, { days: [] })
  const ends = (n: number) => new Date(Date.parse(day) - (n - 1) * limits.DAY_MS).toISOString().slice(0, 10)
  assert.equal((await get(`statistics?until=${day}&since=${ends(MAX_DAYS)}`)).status, 200)
  assert.equal((await get(`statistics?until=${day}&since=${ends(MAX_DAYS + 1)}`)).status, 400)
  assert.equal((await get('statistics?since=2030-01-02&until=2030-01-01')).status, 400)
  assert.equal((await get('statistics?since=yesterday')).status, 400)
})

test('suppressions', async () => {
  const post = (body: object) => api.json('POST', 'suppressions', body)
  const added = await post({
    address: 'Sup@example.net',
    stream: 'news',
    reason: 'asked',
    expiresAt: '2030-02-01T00:00:00Z',
  })
  assert.deepEqual(
    [added.status, added.json],
    [
      201,
      {
        ...{ id: added.json.id, address: 'Sup@example.net', stream: 'news', cause: 'manual', reason: 'asked' },
        ...{ createdAt: added.json.createdAt, expiresAt: '2030-02-01T00:00:00.000Z' },
      },
    ],
  )
  assert.equal((await post({ address: 'sup@example.net', stream: 'news' })).status, 409)
  assert.equal((await post({ address: '@blocked.example' })).status, 201)
  for (const body of [
    { address: 'bad' },
    { address: 'a@b.example', stream: 'N' },
    { address: 'a@b.example', reason: 'a\nb' },
    { address: 'a@b.example', expiresAt: '2029-01-01T00:00:00Z' },
  ])
    assert.equal((await post(body)).status, 422, JSON.stringify(body))
  assert.equal((await post({})).status, 400)
  assert.equal((await get('suppressions?limit=1')).json.next, added.json.id)
  assert.equal((await get(`suppressions?after=${added.json.id}`)).json.suppressions.length, 1)
  assert.deepEqual((await get('suppressions?stream=news')).json.suppressions, [added.json])
  assert.deepEqual((await get('suppressions', { user: 'bob@example.org' })).json.suppressions, [])
  assert.deepEqual((await get('suppressions/sup%2Bx@example.net?stream=news')).json, added.json)
  assert.equal((await get('suppressions/sup@example.net')).status, 404)
  assert.equal((await get('suppressions/bad')).status, 422)
  const sent = await send({ to: ['sup@example.net'], stream: 'news' })
  assert.equal(sent.recipients[0].suppressed, true)
  const removed = await api.json('DELETE', 'suppressions/sup@example.net?stream=news')
  assert.deepEqual([removed.status, removed.body, removed.headers.get('content-type')], [204, '', undefined])
  assert.equal((await api.json('DELETE', 'suppressions/sup@example.net?stream=news')).status, 404)
})

test('one-click unsubscription', async () => {
  const sent = await send({ unsubscribe: true, stream: 'letter', subject: 'News', extra: { k: 'v' } })
  const source = (await api.world.source(sent.recipients[0].queueId)).replace(/\r\n[ \t]/g, ' ')
  assert.match(source, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m)
  const [, path = ''] =
    /^List-Unsubscribe: <https:\/\/mail\.example\.org\/webapi\/(unsubscribe\/[A-Za-z0-9_.-]+)>\r$/m.exec(source) ?? []
  const visit = (method: string, where: string, body?: string) =>
    api.ask(where, { method, user: null, ...(body === undefined ? {} : { body }) })
  const page = await visit('GET', path)
  assert.deepEqual([page.status, /<form method="post">/.test(page.body)], [200, true])
  const suppressed = async () => {
    const parsed = parseAddress('ann@example.net')
    const lists = api.world.app.host.service(suppressions)
    return parsed.ok && (await lists?.check('alice', 'letter', parsed.path))?.cause
  }
  assert.equal(await suppressed(), undefined, 'looking at the page changes nothing')
  assert.equal((await visit('POST', path, 'x=1')).status, 400)
  assert.equal((await visit('PUT', path, '')).status, 405)
  for (const bad of ['unsubscribe/', 'unsubscribe/x.y', `${path}x`, path.replace(/.\./, '.'), `${path}.z`])
    assert.equal((await visit('POST', bad, 'List-Unsubscribe=One-Click')).status, 404, bad)
  assert.equal(await suppressed(), undefined)
  assert.equal((await visit('POST', path, 'List-Unsubscribe=One-Click')).status, 200)
  assert.equal(await suppressed(), 'unsubscribe')
  const multipart = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
  assert.equal((await visit('POST', path, multipart)).status, 200)
  const found = (await get('events?kinds=unsubscribed')).json.events
  assert.equal(found.length, 1, 'a second click is not a second event')
  const { queueId, messageId, messageIdHeader, recipient, stream, subject, suppressing, extra } = found[0]
  assert.deepEqual([queueId, messageId, messageIdHeader], [sent.recipients[0].queueId, sent.id, sent.messageId])
  assert.deepEqual(
    [recipient, stream, subject, suppressing, extra],
    ['ann@example.net', 'letter', 'News', true, { k: 'v' }],
  )
  const refused = async (fields: object, status: number) =>
    assert.equal(
      (await api.json('POST', 'messages', { to: ['a@example.net'], text: 'x', unsubscribe: true, ...fields })).status,
      status,
    )
  await refused({ bcc: ['b@example.net'] }, 422)
  await refused({ headers: [{ name: 'List-Unsubscribe', value: '<mailto:x@y.example>' }] }, 422)
  await refused({ to: [] }, 422)
})

test('a test key sends nothing and shows the events that would follow', async () => {
  const { cursor } = (await get('events')).json
  const headers = await api.key('alice', { permissions: 'all', test: true })
  const before = await api.world.queued()
  const answer = await api.json(
    'POST',
    'messages',
    {
      to: ['ok@example.net', 'bounce@example.net', 'delayed@example.net', 'complained@x.example'],
      text: 'x',
      extra: { k: 'v' },
    },
    { headers },
  )
  assert.deepEqual([answer.status, answer.json.test, answer.json.id, await api.world.queued()], [202, true, 0, before])
  const found = (await get(`events?after=${cursor}`)).json.events
  assert.deepEqual(
    found.map((e: { recipient: string; kind: string; code: number }) => `${e.recipient} ${e.kind} ${e.code}`),
    [
      'ok@example.net delivered 250',
      'bounce@example.net failed 550',
      ...['delayed@example.net delayed 451', 'delayed@example.net delivered 250'],
      ...['complained@x.example delivered 250', 'complained@x.example complained 0'],
    ],
  )
  assert.deepEqual([found[0].extra, found[0].messageIdHeader], [{ k: 'v', 'mox-test': 'true' }, answer.json.messageId])
  assert.equal((await api.json('POST', 'messages', { to: ['bad'], text: 'x' }, { headers })).status, 422)
})

test('what is not enabled says so', async () => {
  const bare = await openApi({ feedback: false })
  try {
    const check = async (method: string, path: string, body: object | undefined, text: RegExp) => {
      const answer = await bare.json(method, path, body)
      assert.deepEqual([answer.status, answer.json.code], [501, 'notEnabled'], answer.body)
      assert.match(answer.json.detail, text)
    }
    await check('GET', 'events', undefined, /add events\(\)/)
    await check('GET', 'statistics', undefined, /add events\(\)/)
    await check('GET', 'suppressions', undefined, /add suppression\(\)/)
    await check('POST', 'suppressions', { address: 'a@b.example' }, /suppression/)
    await check('POST', 'messages', { to: ['a@example.net'], text: 'x', unsubscribe: true }, /suppression/)
    assert.equal((await bare.json('POST', 'messages', { to: ['a@example.net'], text: 'x' })).status, 202)
    assert.deepEqual((await bare.call('SuppressionList', {})).json.Code, 'error')
  } finally {
    await bare.close()
  }
})

interface Stream {
  readonly socket: Socket
  readonly ended: Promise<void>
  text(): string
  has(part: string | RegExp): Promise<void>
}

async function openStream(headers: Record<string, string>, port: number = api.port()): Promise<Stream> {
  const socket = connect({ host: '127.0.0.1', port })
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString().replace(/\r\n?[0-9a-f]*\r?\n?/g, m => (/^\r\n[0-9a-f]+\r\n$/.test(m) ? '' : m))
  })
  const ended = new Promise<void>(resolve => void socket.on('close', () => resolve()).on('error', () => resolve()))
  const login = Buffer.from('alice@example.org:correct horse battery').toString('base64')
  const all = { Host: 'localhost', Authorization: `Basic ${login}`, Accept: 'text/event-stream', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET /webapi/v1/events HTTP/1.1\r\n${lines.join('')}\r\n`)
  const stream: Stream = {
    ...{ socket, ended, text: () => text },
    has: part => until(() => (typeof part === 'string' ? text.includes(part) : part.test(text))),
  }
  return stream
}

async function untilStream(port: number): Promise<Stream> {
  for (;;) {
    const stream = await openStream({}, port)
    await until(() => / 200 | 429 /.test(stream.text()))
    if (stream.text().includes(' 200 ')) return stream
    stream.socket.destroy()
  }
}

/** Lets the event loop turn until it is so. */
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100_000; i++) {
    if (await check()) return
    await turns(1)
  }
  assert.fail('it never became so')
}
