// v1: sending. Refusals are problems with a status and a place, and queue nothing; a repeated request sends nothing twice.
import assert from 'node:assert/strict'
import { mailboxes, storage, submission } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import * as limits from '../src/limits.ts'
import { IDEMPOTENCY } from '../src/schema.ts'
import { type Answer, type Api, type AskOptions, openApi } from './support/api.ts'

let api: Api
let all: { Authorization: string }
beforeAll(async () => {
  api = await openApi({
    ...{ webapi: { maxMessageSize: 100_000, streams: { tiny: { messagesPerDay: 1 } } } },
    ...{ maxFirstTimeRecipientsPerDay: 10_000, maxOutgoingPerDay: 10_000 },
  })
  all = await api.key('alice')
})
afterAll(async () => {
  await api.close()
})

const MESSAGE = { to: ['ann@example.net'], subject: 'Order 7', text: 'Thanks.' }
const post = (body: unknown, headers: Record<string, string> = {}, options: AskOptions = {}) =>
  api.json('POST', 'messages', body, { ...options, headers: { ...all, ...headers } })

test('a message', async () => {
  const answer = await post({
    ...MESSAGE,
    ...{
      to: [{ name: 'Ann', address: 'ann@example.net' }],
      cc: ['c@example.net'],
      headers: [{ name: 'X-A', value: 'b' }],
    },
    ...{ html: '<img src="cid:i">', extra: { order: '7' }, stream: 'news', sendAt: '2030-01-01T13:00:00+01:00' },
    attachments: [
      { filename: 'a.txt', content: 'QQ==' },
      { contentType: 'image/png', content: 'QQ==', disposition: 'inline', contentId: 'i' },
    ],
  })
  assert.equal(answer.status, 202, answer.body)
  const { id, messageId, recipients } = answer.json
  assert.deepEqual(answer.json, {
    ...{ id, messageId, warnings: [], test: false },
    recipients: [
      { address: 'ann@example.net', queueId: recipients[0].queueId, fromId: '', suppressed: false },
      { address: 'c@example.net', queueId: recipients[1].queueId, fromId: '', suppressed: false },
    ],
  })
  const source = await api.world.source(recipients[0].queueId)
  assert.match(source, /^From: "Alice A\." <alice@example\.org>\r\nTo: Ann <ann@example\.net>\r\nCc: c@/m)
  assert.match(source, /^X-A: b\r$/m)
  assert.match(source, /^Content-ID: <i>\r$/im)
  const job = await api.world.app.host.service(storage).queue.get(recipients[0].queueId)
  assert.deepEqual([job?.stream, { ...job?.extra }], ['news', { order: '7' }])
})

test('refusals', async () => {
  const check = async (body: unknown, status: number, code: string, path?: string, options: AskOptions = {}) => {
    const before = await api.world.queued()
    const answer = await api.json('POST', 'messages', body, { ...options, headers: { ...all, ...options.headers } })
    assert.deepEqual([answer.status, answer.json?.code], [status, code], answer.body)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.deepEqual(
      [answer.json.type, answer.json.status, typeof answer.json.title],
      ['about:blank', status, 'string'],
    )
    if (path !== undefined) assert.equal(answer.json.errors[0].path, path)
    assert.equal(await api.world.queued(), before, 'nothing is queued')
    return answer
  }
  await check({ ...MESSAGE, colour: 'red' }, 400, 'protocol', '')
  await check({ ...MESSAGE, to: 'ann@example.net' }, 400, 'protocol', 'to')
  await check({ ...MESSAGE, to: [{ address: 'a@b.example', x: 1 }] }, 400, 'protocol', 'to.0')
  await check({ ...MESSAGE, subject: 7 }, 400, 'protocol', 'subject')
  await check({ ...MESSAGE, text: null }, 400, 'protocol', 'text')
  await check({ ...MESSAGE, date: 'today' }, 400, 'protocol', 'date')
  await check([], 400, 'protocol', '')
  await check({ ...MESSAGE, to: ['ann@example.net', 'bad'] }, 422, 'badAddress', 'to.1.address')
  await check({ ...MESSAGE, to: ['b@y.test\r\nBcc: evil@e.test'] }, 422, 'badAddress', 'to.0.address')
  await check({ ...MESSAGE, subject: 'x\r\nBcc: evil@e.test' }, 422, 'user', 'subject')
  await check({ ...MESSAGE, headers: [{ name: 'Bcc', value: 'evil@e.test' }] }, 422, 'user', 'headers.0')
  await check({ ...MESSAGE, headers: [{ name: 'X', value: 'a\nBcc: evil@e.test' }] }, 422, 'user', 'headers.0')
  await check({ ...MESSAGE, attachments: [{ content: '!' }] }, 422, 'user', 'attachments.0.content')
  const files = [
    { content: 'QQ==', disposition: 'inline' },
    { content: 'QQ==', filename: 'a\nb' },
  ]
  const file = await check({ ...MESSAGE, attachments: files }, 422, 'user', 'attachments.1.filename')
  assert.equal(file.json.detail, 'attachments.1.filename must not have control characters')
  await check({ ...MESSAGE, sendAt: '2031-01-01T00:00:00Z' }, 422, 'user', 'sendAt')
  await check({ ...MESSAGE, attachments: Array(101).fill({ content: '' }) }, 422, 'user', 'attachments')
  await check({ ...MESSAGE, text: '' }, 422, 'missingBody')
  await check({ text: 'x' }, 422, 'noRecipients')
  await check({ ...MESSAGE, messageId: 'x' }, 422, 'malformedMessageID', 'messageId')
  await check({ ...MESSAGE, from: 'bob@example.org' }, 403, 'badFrom', 'from')
  await check({ ...MESSAGE, from: 'alice@off.example' }, 403, 'domainDisabled', 'from')
  await check({ ...MESSAGE, text: 'x '.repeat(60_000) }, 413, 'messageTooLarge')
  await check(MESSAGE, 415, 'mediaType', undefined, { headers: { 'Content-Type': 'text/plain' } })
  await check(MESSAGE, 400, 'protocol', undefined, { body: '{' })
  await check(MESSAGE, 400, 'protocol', undefined, {
    body: '{"extra":{"__proto__":"x"},"to":["a@b.example"],"text":"x"}',
  })
  await check(MESSAGE, 400, 'protocol', undefined, {
    headers: { 'Idempotency-Key': 'x'.repeat(limits.MAX_IDEMPOTENCY_KEY + 1) },
  })
  await check(MESSAGE, 403, 'forbidden', undefined, { headers: { 'Sec-Fetch-Site': 'cross-site' } })
  assert.equal((await post({ ...MESSAGE, stream: 'tiny' })).status, 202)
  const limited = await check({ ...MESSAGE, stream: 'tiny' }, 429, 'messageLimitReached')
  assert.equal(limited.headers.get('retry-after'), '86400')
})

test('who may call', async () => {
  const check = async (headers: Record<string, string>, body: object, status: number, code?: string) => {
    const answer = await api.json('POST', 'messages', body, { user: null, headers })
    assert.deepEqual([answer.status, answer.json?.code], [status, code], answer.body)
    return answer
  }
  const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const none = await check({}, MESSAGE, 401, 'unauthorized')
  assert.equal(none.headers.get('www-authenticate'), 'Bearer, Basic realm="webapi", charset="UTF-8"')
  await check({ Authorization: 'Bearer mox_wrong' }, MESSAGE, 401, 'unauthorized')
  await check({ Authorization: `Bearer mox_${'x'.repeat(43)}` }, MESSAGE, 401, 'unauthorized')
  await check({ Authorization: `${all.Authorization}x` }, MESSAGE, 401, 'unauthorized')
  await check(basic('alice@example.org:wrong'), MESSAGE, 401, 'unauthorized')
  await check(basic('alice@example.org:correct horse battery'), MESSAGE, 202)
  await check(await api.key('gone'), MESSAGE, 401, 'unauthorized')
  await check(await api.key('alice', { permissions: 'events:read' }), MESSAGE, 403, 'forbidden')
  await check(
    await api.key('alice', { permissions: 'send', domains: 'other.example' }),
    { ...MESSAGE, from: 'alice@example.org' },
    403,
    'badFrom',
  )
  await check(await api.key('alice', { permissions: 'send', domains: 'example.org' }), MESSAGE, 202)
  const short = await api.key('alice', { days: 1 })
  await check(short, MESSAGE, 202)
  api.world.clock.jump(limits.DAY_MS)
  await check(short, MESSAGE, 401, 'unauthorized')
})

test('unknown places and methods', async () => {
  const check = async (method: string, path: string, status: number, allow?: string) => {
    const answer = await api.json(method, path, method === 'GET' ? undefined : {}, { headers: all })
    assert.deepEqual([answer.status, answer.headers.get('allow')], [status, allow], `${method} ${path}: ${answer.body}`)
  }
  await check('GET', 'nothing', 404)
  await check('PUT', 'messages', 405, 'GET, HEAD, POST')
  await check('GET', 'messages/0', 404)
  await check('GET', 'messages/x', 404)
  await check('GET', 'messages?limit=0', 400)
  await check('GET', 'messages?limit=1&limit=2', 400)
  await check('GET', 'messages?unknown=1', 400)
})

test('an idempotency key', async () => {
  const send = (body: unknown, key: string) => post(body, { 'Idempotency-Key': key })
  const before = await api.world.queued()
  const first = await send(MESSAGE, 'k1')
  const second = await send(MESSAGE, 'k1')
  assert.deepEqual([first.status, second.status, second.json], [202, 202, first.json])
  assert.deepEqual(
    [first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')],
    [undefined, 'true'],
  )
  assert.equal(await api.world.queued(), before + 1)
  const other = await send({ ...MESSAGE, text: 'Other' }, 'k1')
  assert.deepEqual([other.status, other.json.code], [409, 'conflict'])
  assert.equal(await api.world.queued(), before + 1)
  // Another account's key is another key.
  const bob = await api.json('POST', 'messages', MESSAGE, {
    headers: { ...(await api.key('bob')), 'Idempotency-Key': 'k1' },
  })
  assert.equal(bob.status, 202)
  // A refusal does not use the key up.
  assert.equal((await send({ ...MESSAGE, to: ['bad'] }, 'k2')).status, 422)
  assert.equal((await send(MESSAGE, 'k2')).status, 202)
  // Two at the same time: one is sent, the other is told to wait or gets its answer.
  const count = await api.world.queued()
  const both = await Promise.all([send(MESSAGE, 'k3'), send(MESSAGE, 'k3')])
  assert.ok(
    both.every(a => a.status === 202 || (a.status === 409 && a.headers.get('retry-after') === '1')),
    both.map(a => a.body).join(),
  )
  assert.equal(await api.world.queued(), count + 1)
  api.world.clock.jump(limits.IDEMPOTENCY_MS)
  const late = await send({ ...MESSAGE, text: 'Other' }, 'k1')
  assert.equal(late.status, 202, 'after a day the key is free')
  assert.equal((await send(MESSAGE, 'x'.repeat(limits.MAX_IDEMPOTENCY_KEY))).status, 202)
})

test('after a crash a key tells what really happened', async () => {
  const own = await openApi()
  try {
    const key = await own.key('alice')
    const send = (name: string) =>
      own.json('POST', 'messages', MESSAGE, { headers: { ...key, 'Idempotency-Key': name } })
    const sent = await send('sent')
    await send('lost')
    // As a crash between the two commits leaves it, and one before the first.
    const unfinished = async (name: number, headerId: string) =>
      await own.world.app.host.service(storage).write(async db => {
        const rows: { key: string }[] = await db(IDEMPOTENCY).select('key').orderBy('header_id')
        await db(IDEMPOTENCY).where({ header_id: headerId }).update({ response: null })
        return rows[name]
      })
    await unfinished(0, sent.json.messageId)
    await own.world.app.host.service(storage).write(async db => {
      await db(IDEMPOTENCY)
        .whereNot({ header_id: sent.json.messageId })
        .update({ response: null, header_id: '<never@queued>' })
    })
    assert.equal((await send('sent')).status, 409)
    await own.world.restart()
    const replayed = await send('sent')
    assert.deepEqual([replayed.json, replayed.headers.get('idempotency-replayed')], [sent.json, 'true'])
    const again = await send('lost')
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [202, undefined])
    assert.equal(await own.world.queued(), 3)
  } finally {
    await own.close()
  }
})

test('a batch', async () => {
  const batch = (body: unknown, headers: Record<string, string> = {}) =>
    api.json('POST', 'messages/batch', body, { headers: { ...all, ...headers } })
  const message = {
    ...{ subject: 'Hi {{name}}', text: 'Dear {{ name }}, {{n}} {x} {{}}', html: '<p>{{name}}', extra: { a: '1' } },
  }
  const answer = await batch({
    message,
    messages: [
      { to: ['a@example.net'], variables: { name: '<b>Ann & "co"', n: 5 }, extra: { b: '2' } },
      { to: ['b@example.net'], variables: { n: 5 } },
      { to: ['bad'], variables: { name: 'x', n: 5 } },
      { to: ['c@example.net'], variables: { name: 'x\r\nBcc: evil@e.test', n: 5 } },
      { to: ['d@example.net'], variables: { name: 'Dora', n: 5 } },
    ],
  })
  assert.equal(answer.status, 200, answer.body)
  const { accepted, rejected, results } = answer.json
  assert.deepEqual([accepted, rejected], [2, 3])
  assert.deepEqual(
    results.map((r: { status: string; error?: { code: string; errors: { path: string }[] } }) =>
      [r.status, r.error?.code, r.error?.errors[0]?.path].join(' '),
    ),
    [
      'accepted  ',
      'rejected user variables.name',
      'rejected badAddress to.0.address',
      'rejected user subject',
      'accepted  ',
    ],
  )
  const { queueId } = results[0].message.recipients[0]
  const source = await api.world.source(queueId)
  assert.match(source, /^Subject: Hi <b>Ann & "co"\r$/m)
  assert.match(source, /^Dear <b>Ann & "co", 5 \{x\} \{\{\}\}\r$/m)
  assert.match(source, /^<p>&#60;b&#62;Ann &#38; &#34;co&#34;\r$/m)
  const job = await api.world.app.host.service(storage).queue.get(queueId)
  assert.deepEqual({ ...job?.extra }, { a: '1', b: '2' })

  const keyed = { message: { text: 'x' }, messages: [{ to: ['a@example.net'] }, { to: ['b@example.net'] }] }
  const one = await batch(keyed, { 'Idempotency-Key': 'b1' })
  const before = await api.world.queued()
  const two = await batch(keyed, { 'Idempotency-Key': 'b1' })
  assert.deepEqual([two.json, await api.world.queued()], [one.json, before])
  const other = await batch({ ...keyed, message: { text: 'y' } }, { 'Idempotency-Key': 'b1' })
  assert.deepEqual([other.status, other.json.code], [409, 'conflict'])

  const many = (n: number) => ({
    message: { text: 'x' },
    messages: Array.from({ length: n }, (_, i) => ({ to: [`m${i}@example.net`] })),
  })
  assert.equal((await batch(many(limits.MAX_BATCH))).json.accepted, limits.MAX_BATCH)
  const place = (a: Answer) => [a.status, a.json.errors[0].path]
  assert.deepEqual(place(await batch(many(limits.MAX_BATCH + 1))), [400, 'messages'])
  assert.deepEqual(place(await batch({ message: { text: 'x' }, messages: [] })), [400, 'messages'])
  assert.deepEqual(place(await batch({ message: { text: 'x' }, messages: [{ to: [] }] })), [400, 'messages.0.to'])
  const variables = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`v${i}`, 'x'.repeat(10)]))
  const withVariables = async (n: number) =>
    (await batch({ message: { text: '{{v0}}' }, messages: [{ to: ['a@example.net'], variables: variables(n) }] })).json
      .accepted
  assert.deepEqual([await withVariables(limits.MAX_VARIABLES), await withVariables(limits.MAX_VARIABLES + 1)], [1, 0])
})

test('a copy in Sent that fails is a warning', async () => {
  const own = await openApi({ quota: 10 })
  try {
    const answer = await own.json('POST', 'messages', { ...MESSAGE, saveSent: true })
    assert.equal(answer.status, 202)
    assert.deepEqual(answer.json.warnings, ['no copy was kept: the account is over its quota'])
    assert.equal(await own.world.queued(), 1)
    const store = await own.world.app.host.service(mailboxes).store('alice')
    assert.equal((await store.mailbox('Sent'))?.total, 0)
  } finally {
    await own.close()
  }
})

test('what the submission refuses', async () => {
  assert.ok(api.world.app.host.service(submission))
  const answer = await post({ ...MESSAGE, to: ['nobody@example.org'] })
  assert.deepEqual(
    [answer.status, answer.json.code, answer.json.detail],
    [422, 'user', '550 5.1.1 <nobody@example.org>: no such recipient'],
  )
})
