// What receivers see, field by field: header fields, payloads of outcomes, payloads of incoming messages.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { definePlugin, type EventKind, type NewEvent, patch, skip, system } from '@mox/plugin-sdk'
import { sampleDone, sampleRetire, TEST_NOW } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { OUTGOING_KINDS } from '../src/options.ts'
import { parseSecret, signature } from '../src/secret.ts'
import { type HookWorld, type Options, openHooks, openReceiver, type Receiver } from './support.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

let receiver: Receiver
let world: HookWorld | undefined
beforeEach(async () => {
  receiver = await openReceiver()
})
afterEach(async () => {
  await world?.close()
  world = undefined
  await receiver.close()
})

async function open(accounts: NonNullable<Options>['accounts'], plugins: Parameters<typeof openHooks>[0] = {}) {
  world = await openHooks({ options: { accounts }, ...plugins })
  return world
}

const bodies = (): Record<string, unknown>[] => receiver.requests.map(({ body }) => JSON.parse(body))

test('header fields', async () => {
  const w = await open({
    alice: { outgoing: { url: receiver.url, authorization: 'Basic YTpi', secret: [SECRET, SECRET] } },
  })
  const eventId = await w.add()
  await w.quiet()
  const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '' }] = receiver.requests
  const version = w.host.service(system).version
  const { host, connection, ...rest } = headers
  deepStrictEqual([method, path, host, connection], ['POST', '/hook', new URL(receiver.url).host, 'keep-alive'])
  const seconds = TEST_NOW / 1_000
  const expected = signature([parseSecret(SECRET)!, parseSecret(SECRET)!], eventId, seconds, body)
  deepStrictEqual(rest, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': `mox/${version} (webhook)`,
    authorization: 'Basic YTpi',
    'x-mox-webhook-id': '1',
    'x-mox-webhook-attempt': '1',
    'webhook-id': eventId,
    'webhook-timestamp': String(seconds),
    'webhook-signature': expected,
  })
})

test('without secret and authorization there is neither field', async () => {
  const w = await open({ alice: { outgoing: { url: receiver.url } } })
  await w.add()
  await w.quiet()
  const headers = receiver.requests[0]?.headers ?? {}
  deepStrictEqual([headers['webhook-signature'], headers.authorization], [undefined, undefined])
})

test('a secret by name', async () => {
  const named = definePlugin({ name: 'named', setup: () => ({}) })
  let message = ''
  try {
    await open({ alice: { outgoing: { url: receiver.url, secret: 'hook-key' } } }, { plugins: [named()] })
  } catch (error) {
    message = String(error)
  }
  strictEqual(/hook-key is not set/.test(message), true)
})

test('outcomes: the payload of the first version, with what it lacked', async () => {
  const w = await open({ alice: { outgoing: { url: receiver.url } } })
  const check = async (fields: Partial<NewEvent>, changes: Record<string, unknown>) => {
    const before = receiver.requests.length
    const eventId = await w.add(fields)
    await w.quiet()
    deepStrictEqual(bodies()[before], {
      ...{ Version: 0, Event: 'delivered', DSN: false, Suppressing: false, QueueMsgID: 42, FromID: '' },
      ...{ MessageID: '<q1@mail.example.org>', Subject: 'Order 7', WebhookQueued: '2030-01-01T12:00:00.000Z' },
      ...{ SMTPCode: 250, SMTPEnhancedCode: '2.0.0', Error: '', Extra: { order: '7' } },
      ...{ EventID: eventId, Sequence: before + 1, Recipient: 'ann@example.net', Stream: '', Attempt: 1 },
      ...{ NextAttempt: null, RemoteMTA: 'mx.example.net' },
      ...changes,
    })
  }
  await check({}, {})
  await check({ extra: {}, fromId: 'f1', stream: 'receipts' }, { Extra: {}, FromID: 'f1', Stream: 'receipts' })
  await check(
    { kind: 'delayed', code: 451, enhanced: '4.3.0', error: 'later', attempt: 2, nextAttempt: TEST_NOW + 450_000 },
    {
      ...{ Event: 'delayed', SMTPCode: 451, SMTPEnhancedCode: '4.3.0', Error: 'later', Attempt: 2 },
      NextAttempt: '2030-01-01T12:07:30.000Z',
    },
  )
  const failed = { code: 550, enhanced: '5.1.1', error: 'nobody' }
  const wire = { SMTPCode: 550, SMTPEnhancedCode: '5.1.1', Error: 'nobody' }
  await check({ kind: 'failed', suppressing: true, ...failed }, { Event: 'failed', Suppressing: true, ...wire })
  await check({ kind: 'failed', dsn: true, ...failed }, { Event: 'failed', DSN: true, ...wire })
  for (const kind of OUTGOING_KINDS) await check({ kind }, { Event: kind })
})

test('the outcome of a recipient that leaves the queue', async () => {
  const w = await open({ alice: { outgoing: { url: receiver.url, events: ['failed'] } } })
  await w.host.write('onRetire.tx', sampleRetire({ id: 5, status: 'delivered' }))
  await w.host.write('onRetire.tx', sampleRetire({ id: 6, status: 'failed' }))
  await w.quiet()
  deepStrictEqual(
    bodies().map(body => [body['Event'], body['QueueMsgID']]),
    [['failed', 6]],
  )
})

test('which events go where', async () => {
  const url = (path: string) => receiver.url.replace('/hook', path)
  const w = await open({
    alice: {
      outgoing: { url: url('/out') },
      incoming: { url: url('/in') },
      endpoints: [
        { name: 'all', url: url('/all') },
        { name: 'bad', url: url('/bad'), events: ['failed', 'complained'] },
      ],
    },
    bob: { outgoing: { url: url('/bob') } },
  })
  const check = async (account: string, kind: EventKind, ...paths: string[]) => {
    const before = receiver.requests.length
    await w.add({ account, kind })
    await w.quiet()
    deepStrictEqual(
      receiver.requests
        .slice(before)
        .map(({ path }) => path)
        .sort(),
      paths,
    )
  }
  await check('alice', 'delivered', '/all', '/out')
  await check('alice', 'complained', '/all', '/bad', '/out')
  await check('bob', 'failed', '/bob')
  await check('carol', 'failed')
  // One id for all endpoints, so that they can be compared; ids of calls differ.
  const complained = receiver.requests.filter(({ body }) => body.includes('"complained"'))
  strictEqual(new Set(complained.map(({ headers }) => headers['webhook-id'])).size, 1)
  strictEqual(new Set(complained.map(({ headers }) => headers['x-mox-webhook-id'])).size, 3)
})

const MESSAGE = `From: =?utf-8?q?Zo=C3=AB?= <zoe@example.net>
To: Alice <alice@example.org>, bob@example.org
Cc: <cc@example.net>
Reply-To: <reply@example.net>
Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=
Message-ID: <In@example.net>
In-Reply-To: <A@example.org>
References: <A@example.org> <B@example.org>
Date: Tue, 1 Jan 2030 11:00:00 +0000
Auto-Submitted: auto-replied
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

h=C3=A9llo

--x
Content-Type: text/html

<p>x</p>
--x
Content-Type: application/pdf; name=a.pdf
Content-Disposition: attachment; filename=a.pdf
Content-ID: <c@x>
Content-Transfer-Encoding: base64

AAEC
--x--
`

test('a message that came in', async () => {
  const w = await open({ alice: { incoming: { url: receiver.url } } })
  const recipients = ['alice@example.org', 'bob@example.org']
  const { messageId, copies } = await w.receive(MESSAGE, { recipients })
  await w.host.react('onReceive.done', sampleDone({ messageId, copies, recipients }), 'one')
  await w.quiet()
  const [event] = await w.events.list({ account: 'alice' }, { limit: 1 })
  const leaf = { ContentTypeParams: {}, ContentID: '', ContentDisposition: '', Filename: '', Parts: [] }
  deepStrictEqual(bodies(), [
    {
      Version: 0,
      From: [{ Name: 'Zoë', Address: 'zoe@example.net' }],
      To: [
        { Name: 'Alice', Address: 'alice@example.org' },
        { Name: '', Address: 'bob@example.org' },
      ],
      CC: [{ Name: '', Address: 'cc@example.net' }],
      BCC: [],
      ReplyTo: [{ Name: '', Address: 'reply@example.net' }],
      Subject: 'grüße',
      MessageID: '<In@example.net>',
      InReplyTo: '<A@example.org>',
      References: ['<a@example.org>', '<b@example.org>'],
      Date: '2030-01-01T11:00:00.000Z',
      Text: 'héllo\n',
      HTML: '',
      Structure: {
        ...leaf,
        ContentType: 'multipart/mixed',
        ContentTypeParams: { boundary: 'x' },
        DecodedSize: 0,
        Parts: [
          { ...leaf, ContentType: 'text/plain', ContentTypeParams: { charset: 'utf-8' }, DecodedSize: 8 },
          { ...leaf, ContentType: 'text/html', DecodedSize: 8 },
          {
            ...leaf,
            ContentType: 'application/pdf',
            ContentTypeParams: { name: 'a.pdf' },
            ContentID: '<c@x>',
            ContentDisposition: 'attachment',
            Filename: 'a.pdf',
            DecodedSize: 3,
          },
        ],
      },
      EventID: event?.eventId,
      Event: 'incoming',
      Meta: {
        MsgID: copies[0],
        MailFrom: 'eve@example.net',
        MailFromValidated: false,
        MsgFromValidated: false,
        RcptTo: 'alice@example.org',
        DKIMVerifiedDomains: [],
        RemoteIP: '198.51.100.7',
        Received: '2030-01-01T12:00:00.000Z',
        MailboxName: 'Inbox',
        Automated: true,
      },
    },
  ])
})

test('what checks of the sender said', async () => {
  const w = await open({ alice: { incoming: { url: receiver.url } } })
  const check = async (auth: unknown, ...expected: unknown[]) => {
    const { messageId, copies } = await w.receive('Subject: x\n\nx\n')
    await w.storage.write(() => w.storage.messages.update(messageId, { facts: { auth } }))
    await w.host.react('onReceive.done', sampleDone({ messageId, copies }), `m${messageId}`)
    await w.quiet()
    const meta = bodies().at(-1)?.['Meta'] as Record<string, unknown>
    deepStrictEqual([meta['MailFromValidated'], meta['MsgFromValidated'], meta['DKIMVerifiedDomains']], expected)
  }
  const dkim = [
    { result: 'pass', domain: 'a.example' },
    { result: 'fail', domain: 'b.example' },
    { result: 'pass', domain: 'a.example' },
  ]
  await check({ spf: { result: 'pass' }, dmarc: { result: 'pass' }, dkim }, true, true, ['a.example'])
  await check({ spf: { result: 'softfail' }, dmarc: { result: 'none' }, dkim: 'x' }, false, false, [])
  await check('nonsense', false, false, [])
  await check(null, false, false, [])
})

test('plugins shape events and requests', async () => {
  const shaping = definePlugin({
    name: 'shaping',
    setup: () => ({
      'onWebhook.compose': ({ draft }) => {
        if (draft.payload['Subject'] === 'secret') return skip('not for others')
        return patch({ payload: { ...draft.payload, Added: 1 } })
      },
      'onWebhook.send': ({ draft, attempt, eventId }) =>
        patch({ headers: { ...draft.headers, 'X-Attempt': `${attempt} ${eventId}`, 'webhook-id': 'forged' } }),
    }),
  })
  const w = await open(
    { alice: { outgoing: { url: receiver.url }, incoming: { url: receiver.url } } },
    { plugins: [shaping()] },
  )
  await w.add({ subject: 'secret' })
  const eventId = await w.add()
  await w.quiet()
  deepStrictEqual(
    bodies().map(body => [body['Subject'], body['Added']]),
    [['Order 7', 1]],
  )
  const headers = receiver.requests[0]?.headers
  deepStrictEqual([headers?.['x-attempt'], headers?.['webhook-id']], [`1 ${eventId}`, eventId])
  const { messageId, copies } = await w.receive('Subject: x\n\nhello\n')
  await w.host.react('onReceive.done', sampleDone({ messageId, copies }), 'one')
  await w.quiet()
  const last = bodies().at(-1)
  deepStrictEqual(
    [last?.['Added'], last?.['Text'], (last?.['Meta'] as { MsgID: number } | undefined)?.MsgID],
    [1, 'hello\n', copies[0]],
  )
})
