// From a request to the bytes in the queue: composition compared whole, and every refusal with nothing queued.
import assert from 'node:assert/strict'
import { mailboxes, storage } from '@mox/plugin-sdk'
import { parseHeader, parseStructure } from '@mox/plugin-sdk/mail'
import { afterAll, beforeAll, test } from 'vitest'
import * as limits from '../src/limits.ts'
import type { Caller } from '../src/send/author.ts'
import { ApiError } from '../src/send/error.ts'
import { EMPTY_REQUEST, type Request } from '../src/send/message.ts'
import { Sender } from '../src/send/sender.ts'
import { openWorld, sendServices, type World, type WorldOptions } from './support/world.ts'

const alice: Caller = { account: 'alice', loginAddress: 'alice+app@example.org', remoteIp: '192.0.2.1', test: false }
let world: World
let sender: Sender

beforeAll(async () => {
  world = await openWorld({ maxFirstTimeRecipientsPerDay: 100_000, maxOutgoingPerDay: 100_000 })
  sender = new Sender(await sendServices(world), 1_000_000)
})
afterAll(async () => {
  await world.close()
})

function request(fields: Partial<Request>): Request {
  return { ...EMPTY_REQUEST, to: [{ name: '', address: 'ann@example.net' }], text: 'Hello', ...fields }
}
const to = (address: string, name = '') => [{ name, address }]
const file = (name: string, contentType: string, data: string, contentId = '') => ({
  ...{ name, contentType, contentId, data: Buffer.from(data).toString('base64') },
})

/** The message as queued, without our trace fields; boundaries as B1, B2 in order. */
async function composed(fields: Partial<Request>): Promise<string> {
  const sent = await sender.send(alice, request(fields))
  const text = await world.source(sent.recipients[0]!.queueId)
  const names = [...new Set([...text.matchAll(/boundary="?([^"\r\n;]+)"?/g)].map(m => m[1]!))]
  const named = names.reduce((all, name, i) => all.replaceAll(name, `B${i + 1}`), text)
  return named.slice(named.indexOf('From:')).replaceAll('\r\n', '\n')
}

test('a plain message', async () => {
  const fields = {
    ...{ cc: to('c@bücher.example', 'Cé'), bcc: to('hidden@example.net'), replyTo: to('re@example.org', 'Desk, Help') },
    ...{ messageId: '<m1@example.org>', references: ['<a@x>', '<b@x>'], subject: 'Order 7 für dich' },
    headers: [
      ['X-Order', '7'],
      ['X-Name', 'Zoë'],
    ] as const,
  }
  assert.equal(
    await composed(fields),
    [
      'From: "Alice A." <alice@example.org>',
      'Reply-To: "Desk, Help" <re@example.org>',
      'To: ann@example.net',
      'Cc: =?UTF-8?B?Q8Op?= <c@xn--bcher-kva.example>',
      'Subject: Order 7 =?UTF-8?B?ZsO8cg==?= dich',
      'Date: Tue, 1 Jan 2030 12:00:00 +0000',
      'Message-Id: <m1@example.org>',
      'References: <a@x> <b@x>',
      'In-Reply-To: <b@x>',
      'MIME-Version: 1.0',
      'X-Order: 7',
      'X-Name: =?UTF-8?B?Wm/Dqw==?=',
      'User-Agent: mox webapi',
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Hello',
      '',
    ].join('\n'),
  )
})

test('charset and encoding of bodies', async () => {
  const check = async (text: string, expected: string) => {
    const bytes = await composed({ text })
    const head = parseHeader(Buffer.from(bytes))
    const found = `${head.get('content-type')?.replace(/.*charset=/, '')} ${head.get('content-transfer-encoding')}`
    assert.equal(`${found}\n${bytes.slice(head.length)}`, expected)
  }
  await check('a\r\nb\rc\n', 'us-ascii 7bit\na\nb\nc\n')
  await check('ü', 'utf-8 8bit\nü\n')
  await check('x'.repeat(76), `us-ascii 7bit\n${'x'.repeat(76)}\n`)
  await check('x'.repeat(77), `us-ascii quoted-printable\n${'x'.repeat(75)}=\nxx\n`)
  await check(`${'ü'.repeat(38)}`, `utf-8 8bit\n${'ü'.repeat(38)}\n`)
  await check('.\n..\nFrom x', 'us-ascii 7bit\n.\n..\nFrom x\n')
})

test('MIME levels, each only where it is needed', async () => {
  const check = async (fields: Partial<Request>, expected: string) => {
    const sent = await sender.send(alice, request(fields))
    const bytes = Buffer.from(await world.source(sent.recipients[0]!.queueId))
    const show = (part: ReturnType<typeof parseStructure>): string => {
      const { contentType, disposition, filename, contentId, encoding } = part
      const own = [contentType, disposition, filename, contentId, part.children.length > 0 ? '' : encoding].filter(
        Boolean,
      )
      const inner = part.children.map(show)
      assert.deepEqual(part.problems, [])
      return own.join(' ') + (inner.length === 0 ? '' : `(${inner.join(', ')})`)
    }
    assert.equal(show(parseStructure(bytes)), expected)
  }
  await check({ html: '<p>x' }, 'multipart/alternative(text/plain 7bit, text/html 7bit)')
  await check({ text: '', html: '<p>x' }, 'text/html 7bit')
  await check(
    { inlineFiles: [file('a.png', '', '\x89PNG', '<i@x>')] },
    'multipart/related(text/plain 7bit, image/png inline a.png i@x base64)',
  )
  await check(
    {
      html: '<p>x',
      alternativeFiles: [file('', 'text/calendar', 'BEGIN')],
      inlineFiles: [file('', 'image/gif', 'x', 'i@x')],
      attachedFiles: [file('ümläut "q".csv', '', 'a,b'), file('m.eml', 'message/rfc822', 'Subject: x\n\ny\n')],
    },
    'multipart/mixed(multipart/related(multipart/alternative(text/plain 7bit, text/html 7bit, text/calendar inline base64), image/gif inline i@x base64), text/csv attachment ümläut "q".csv base64, message/rfc822 attachment m.eml 7bit)',
  )
  await check(
    { attachedFiles: [file('', '', '%PDF-1.7')] },
    'multipart/mixed(text/plain 7bit, application/pdf attachment base64)',
  )
  await check(
    { attachedFiles: [file('', '', 'x')] },
    'multipart/mixed(text/plain 7bit, application/octet-stream attachment base64)',
  )
})

test('SMTPUTF8 only for localparts that need it', async () => {
  const utf8 = await composed({ from: to('jösé@example.org', 'Jösé'), subject: 'für' })
  assert.match(utf8, /^From: "Jösé" <jösé@example\.org>$/m)
  assert.match(utf8, /^Subject: für$/m)
  assert.match(await composed({ to: to('x@bücher.example'), subject: 'für' }), /^Subject: =\?UTF-8/m)
})

test('envelope, extra data, TLS, schedule', async () => {
  const { queue } = (await sendServices(world)).storage
  const sent = await sender.send(
    alice,
    request({
      ...{ to: [...to('a@example.net'), ...to('A@EXAMPLE.NET'), ...to('a@example.net')], bcc: to('b@example.net') },
      ...{ extra: new Map([['k', 'v']]), requireTls: false, stream: 'news', futureRelease: world.clock.now() + 5_000 },
    }),
  )
  assert.deepEqual(
    sent.recipients.map(r => r.address),
    ['a@example.net', 'A@EXAMPLE.NET', 'a@example.net', 'b@example.net'],
  )
  assert.equal(sent.recipients[0]!.queueId, sent.recipients[2]!.queueId, 'the same address is one recipient')
  const job = await queue.get(sent.recipients[3]!.queueId)
  assert.deepEqual(
    [job?.account, job?.extra, job?.requireTls, job?.stream, job?.due, job?.futureReleaseRequest, job?.messageIdHeader],
    ['alice', { k: 'v' }, false, 'news', world.clock.now() + 5_000, 'until;2030-01-01T12:00:05Z', sent.messageId],
  )
  assert.doesNotMatch(await world.source(sent.recipients[0]!.queueId), /b@example\.net/)
  const strict = await sender.send(alice, request({ requireTls: true, futureRelease: 5 }))
  const second = await queue.get(strict.recipients[0]!.queueId)
  assert.deepEqual([second?.requireTls, second?.due], [true, world.clock.now()])
})

test('a copy in Sent, or a warning', async () => {
  const store = await world.app.host.service(mailboxes).store('alice')
  const sent = await sender.send(alice, request({ saveSent: true, bcc: to('b@example.net', 'B') }))
  assert.deepEqual(sent.warnings, [])
  const box = await store.mailbox('Sent')
  const [message] = await store.messages(box!.id, { limit: 10 })
  assert.deepEqual([message?.flags.seen, message?.flags.notjunk, message?.messageId], [true, true, sent.id])
  const chunks: Buffer[] = []
  for await (const chunk of await world.app.host.service(mailboxes).open(message!.id)) chunks.push(chunk)
  assert.match(Buffer.concat(chunks).toString(), /^Bcc: B <b@example\.net>\r\nFrom: /)
  await store.setSpecialUse('Sent', [])
  const without = await sender.send(alice, request({ saveSent: true }))
  assert.deepEqual(without.warnings, ['no copy was kept: the account has no mailbox for sent mail'])
  assert.ok(without.id > 0)
  await store.setSpecialUse('Sent', ['sent'])
})

test('refusals: a clear error, and nothing queued', async () => {
  const long = (n: number) => 'x'.repeat(n)
  const check = async (fields: Partial<Request>, code: string, message: RegExp, caller: Partial<Caller> = {}) => {
    const before = await world.queued()
    await assert.rejects(sender.send({ ...alice, ...caller }, request(fields)), error => {
      assert.ok(error instanceof ApiError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      return true
    })
    assert.equal(await world.queued(), before)
  }
  await check({ text: '', html: '' }, 'missingBody', /text/)
  await check({ from: [...to('alice@example.org'), ...to('bob@example.org')] }, 'multipleFrom', /one From/)
  await check({ to: to('no address') }, 'badAddress', /to\.0/)
  await check({ to: to('b@y.test\r\nBcc: evil@e.test') }, 'badAddress', /to\.0/)
  await check({ to: to('a@b@c') }, 'badAddress', /to\.0/)
  await check({ to: to('Foo <a@b.test>') }, 'badAddress', /to\.0/)
  await check({ cc: to('x@example.net', 'a\r\nBcc: evil@e.test') }, 'user', /cc\.0\.name.*control/)
  await check({ bcc: to('x@example.net', long(limits.MAX_NAME + 1)) }, 'user', /at most 255/)
  await check({ from: to('bob@example.org') }, 'badFrom', /may not send/)
  await check({ from: to('alice@off.example') }, 'domainDisabled', /disabled/)
  await check({ from: to('x@elsewhere.test') }, 'badFrom', /may not send/)
  await check({}, 'badFrom', /API key/, { senderDomains: ['other.example'] })
  await check({ to: [] }, 'noRecipients', /recipient/)
  const many = Array.from({ length: limits.MAX_RECIPIENTS + 1 }, (_, i) => ({ name: '', address: `r${i}@example.net` }))
  await check({ to: many }, 'user', /at most 1000 recipients/)
  await check({ to: to('nobody@example.org') }, 'user', /550 5\.1\.1/)
  await check({ replyTo: to('bad') }, 'badAddress', /replyTo\.0/)
  await check({ subject: 'x\nBcc: evil@e.test' }, 'user', /subject.*control/)
  await check({ subject: 'tab\there' }, 'user', /subject.*control/)
  await check({ subject: long(limits.MAX_HEADER_VALUE + 1) }, 'user', /subject.*10000/)
  await check({ subject: long(1000) }, 'user', /Subject has a word that is too long/)
  await check({ messageId: 'no-brackets@x' }, 'malformedMessageID', /angle brackets/)
  await check({ messageId: '<a b@x>' }, 'malformedMessageID', /angle brackets/)
  await check({ messageId: '<a>\r\nX: y<b>' }, 'user', /messageId.*control/)
  await check({ references: ['<a@x>\n'] }, 'user', /references\.0.*control/)
  await check({ references: Array(limits.MAX_REFERENCES + 1).fill('<a@x>') }, 'user', /at most 100 entries/)
  for (const name of ['From', 'bcc', 'Content-Type', 'DKIM-Signature', 'Received', 'Message-ID', 'Sender', 'Resent-To'])
    await check({ headers: [[name, 'x']] }, 'user', /cannot be set/)
  for (const name of ['X-é', '', 'X Y', 'X:', '<script>', 'X\r\nBcc'])
    await check({ headers: [[name, 'x']] }, 'user', /field name/)
  await check({ headers: [['X-A', 'b\r\nBcc: evil@e.test']] }, 'user', /control/)
  await check({ headers: Array(limits.MAX_HEADERS + 1).fill(['X-A', 'b']) }, 'user', /at most 100/)
  await check({ text: 'a\0b' }, 'user', /NUL/)
  await check(
    { attachedFiles: [{ ...file('a', '', ''), data: 'not base64!' }] },
    'user',
    /attachedFiles\.0\.data is not base64/,
  )
  await check({ attachedFiles: [{ ...file('a', '', ''), data: 'QQ' }] }, 'user', /base64/)
  await check({ attachedFiles: [file('a\r\nX: y', '', '')] }, 'user', /name.*control/)
  for (const type of ['text', 'text/plain\r\nX: y', 'multipart/mixed', 'a/b/c'])
    await check({ attachedFiles: [file('a', type, '')] }, 'user', /media type|control/)
  await check({ inlineFiles: [file('a', '', '', '<a b>')] }, 'user', /contentId/)
  await check({ attachedFiles: [file('a', 'message/rfc822', long(999))] }, 'user', /sent as a message/)
  await check({ attachedFiles: Array(limits.MAX_FILES + 1).fill(file('a', '', '')) }, 'user', /at most 100/)
  await check({ extra: new Map([['', 'x']]) }, 'user', /extra/)
  await check({ extra: new Map([['__proto__', 'x']]) }, 'user', /extra/)
  await check({ extra: new Map([[long(limits.MAX_EXTRA_KEY + 1), 'x']]) }, 'user', /64 bytes/)
  await check({ extra: new Map([['k', long(limits.MAX_EXTRA_VALUE + 1)]]) }, 'user', /1024 bytes/)
  const keys = (n: number, value = '') => new Map(Array.from({ length: n }, (_, i) => [`k${i}`, value] as const))
  await check({ extra: keys(limits.MAX_EXTRA_KEYS + 1) }, 'user', /32 entries/)
  await check({ extra: keys(8, long(1024)) }, 'user', /8192 bytes in all/)
  await check({ stream: 'News' }, 'user', /stream/)
  await check({ stream: long(limits.MAX_STREAM + 1) }, 'user', /stream/)
  await check({ text: 'x\n'.repeat(500_000) }, 'messageTooLarge', /more than 1000000/)
  await check({ futureRelease: world.clock.now() + limits.MAX_FUTURE_RELEASE + 1 }, 'user', /60 days/)
})

test('at the limits it is sent', async () => {
  const check = async (fields: Partial<Request>) => assert.ok((await sender.send(alice, request(fields))).id > 0)
  await check({ bcc: to('x@example.net', 'x'.repeat(limits.MAX_NAME)) })
  await check({
    to: Array.from({ length: limits.MAX_RECIPIENTS }, (_, i) => ({ name: '', address: `r${i}@example.net` })),
  })
  await check({
    headers: Array(limits.MAX_HEADERS)
      .fill(['X-A', 'x '.repeat(limits.MAX_HEADER_VALUE / 2)])
      .slice(0, 5),
  })
  await check({ headers: Array(limits.MAX_HEADERS).fill(['X-A', 'b']) })
  await check({ references: Array(limits.MAX_REFERENCES).fill('<a@x>') })
  await check({ attachedFiles: Array(limits.MAX_FILES).fill(file('a', '', 'x')) })
  await check({ extra: new Map([['k'.repeat(limits.MAX_EXTRA_KEY), 'v'.repeat(limits.MAX_EXTRA_VALUE)]]) })
  await check({ extra: new Map(Array.from({ length: limits.MAX_EXTRA_KEYS }, (_, i) => [`k${i}`, ''])) })
  await check({ stream: 'x'.repeat(limits.MAX_STREAM) })
  await check({ futureRelease: world.clock.now() + limits.MAX_FUTURE_RELEASE })
  await check({ from: to('team@example.org') })
})

test('nothing is sent in test mode', async () => {
  const before = await world.queued()
  const sent = await sender.send({ ...alice, test: true }, request({ saveSent: true }))
  assert.deepEqual([sent.id, sent.recipients[0]!.queueId, await world.queued()], [0, 0, before])
  assert.match(sent.messageId, /^<[a-z2-7]{26}@mail\.example\.org>$/)
})

/** Sends with limits of the account; the refusal's code and the seconds to wait. */
async function withLimits(limits: WorldOptions, streams: ReadonlyMap<string, number>, work: LimitsTest): Promise<void> {
  const limited = await openWorld(limits)
  try {
    let services = await sendServices(limited, streams)
    let own = new Sender(services, 10_000)
    const check = async (fields: Partial<Request>, expected: string) => {
      const result = await own.send(alice, request(fields)).then(
        () => 'sent',
        error => `${error.code} ${error.retryAfter}`,
      )
      assert.equal(result, expected)
    }
    const again = async () => {
      await services.records.flush()
      services = await sendServices(limited, streams)
      own = new Sender(services, 10_000)
    }
    await work(check, limited, again)
  } finally {
    await limited.close()
  }
}
type LimitsTest = (
  check: (fields: Partial<Request>, expected: string) => Promise<void>,
  world: World,
  /** Forgets what is counted in memory. */
  again: () => Promise<void>,
) => Promise<void>
const two = (a: string, b: string) => [...to(`${a}@example.net`), ...to(`${b}@example.net`)]

test('recipients a day, of them first-time ones', async () => {
  await withLimits(
    { maxOutgoingPerDay: 4, maxFirstTimeRecipientsPerDay: 3 },
    new Map(),
    async (check, { clock, app }) => {
      await check({ to: two('a', 'b') }, 'sent')
      await check({ to: two('c', 'd') }, 'recipientLimitReached 3600')
      await check({ to: to('bad address') }, 'badAddress undefined')
      await check({ to: to('nobody@example.org') }, 'user undefined')
      await check({ to: to('c@example.net') }, 'sent')
      await check({ to: two('a', 'b') }, 'messageLimitReached 3600')
      await check({ to: to('a@example.net') }, 'sent')
      await check({ to: to('a@example.net') }, 'messageLimitReached 3600')
      clock.jump(limits.DAY_MS)
      await check({ to: to('d@example.net') }, 'sent')
      assert.equal(await app.host.service(storage).queue.count({}), 5)
    },
  )
})

test('recipients in the queue', async () => {
  await withLimits({ maxQueued: 2 }, new Map(), async check => {
    await check({ to: to('a@example.net') }, 'sent')
    await check({ to: two('a', 'b') }, 'messageLimitReached 300')
    await check({ to: to('b@example.net') }, 'sent')
    await check({ to: to('a@example.net') }, 'messageLimitReached 300')
  })
})

test('recipients a day in a stream', async () => {
  await withLimits({}, new Map([['news', 2]]), async (check, { clock }, again) => {
    await check({ to: [...two('a', 'b'), ...to('c@example.net')], stream: 'news' }, 'messageLimitReached 86400')
    await check({ to: to('nobody@example.org'), stream: 'news' }, 'user undefined')
    await check({ to: to('a@example.net'), stream: 'news' }, 'sent')
    await check({ to: two('a', 'b'), stream: 'news' }, 'messageLimitReached 86400')
    clock.jump(3_600_000)
    await again()
    await check({ to: to('b@example.net'), stream: 'news' }, 'sent')
    await check({ to: to('b@example.net'), stream: 'news' }, 'messageLimitReached 82800')
    await check({ to: to('b@example.net'), stream: 'other' }, 'sent')
    clock.jump(82_800_000)
    await check({ to: to('b@example.net'), stream: 'news' }, 'sent')
  })
})

test('0 means no limit', async () => {
  await withLimits({ maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0, maxQueued: 0 }, new Map(), async check => {
    await check({ to: two('a', 'b') }, 'sent')
  })
})
