// Calls about one message, on the real stores: whose it is, how it came and went, remembered modes, leaving lists.
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { directory, mailboxes, random, storage, submission, type WebmailExtension } from '@mox/plugin-sdk'
import { Egress } from '@mox/plugin-sdk/io'
import { afterAll, beforeAll, test } from 'vitest'
import { openedMessage } from '../src/api/model.ts'
import { CallError, type Caller } from '../src/server/call.ts'
import { authentication, type ContentCalls, makeContentCalls } from '../src/server/content/calls.ts'
import { VIEW_MODES } from '../src/server/content/limits.ts'
import { Reader } from '../src/server/content/reader.ts'
import { ViewModes, viewModeTable } from '../src/server/content/view-modes.ts'
import { systemClock } from './content-host.ts'
import { openWebmail, type WebmailHost } from './webmail-host.ts'

const signal = new AbortController().signal
const caller = (account: string): Caller => ({
  ...{
    account,
    loginAddress: `${account}@example.org`,
    sessionId: 's',
    remoteIp: '192.0.2.1',
    userAgent: '',
    host: '',
  },
})
const alice = caller('alice')

const extension: WebmailExtension = {
  ...{ name: 'demo', title: 'Demo', script: '' },
  panel: ({ view, parts }) => {
    if (view.subject === 'parts') return parts('Text/Calendar')
    if (view.subject === 'broken') throw new Error('no')
    return view.subject === 'panel' ? { text: view.text.trim() } : undefined
  },
}

let host: WebmailHost
let reader: Reader
let calls: ContentCalls
let modes: ViewModes
beforeAll(async () => {
  host = await openWebmail()
  const db = host.service(storage)
  if (!(await db.db.schema.hasTable('webmail_view_mode'))) await db.write(knex => viewModeTable(knex))
  const services = { mailboxes: host.service(mailboxes), clock: systemClock, log: host.log, storage: db }
  reader = new Reader(services, 60_000)
  modes = new ViewModes({ storage: db, clock: host.clock })
  calls = makeContentCalls({
    ...services,
    ...{ random: host.service(random), directory: host.service(directory), submission: host.service(submission) },
    ...{ extensions: [extension], egress: new Egress([]), reader, viewModes: modes, proxied: false },
  })
})
afterAll(async () => {
  reader?.close()
  await host?.close()
})

async function deliver(fields: string): Promise<number> {
  return (await host.deliver(`From: Ann <ann@remote.example>\nTo: alice@example.org\n${fields}\n\nhello\n`))[0] ?? 0
}

const refused = (work: Promise<unknown>, code: string) =>
  rejects(work, (error: unknown) => error instanceof CallError && error.code === code)

test('an opened message', async () => {
  const id = await deliver('Subject: panel\nMessage-ID: <One@remote.example>')
  const opened = openedMessage.parse(await calls.message({ id }, alice, signal))
  deepStrictEqual(
    [opened.subject, opened.from, opened.authentication, opened.withoutTls, opened.tls, opened.draft, opened.panels],
    [
      ...['panel', [{ name: 'Ann', address: 'ann@remote.example' }], 'unknown', true, null, false],
      { demo: { text: 'hello' } },
    ],
  )
  strictEqual(opened.texts[0]?.text, 'hello\n')
  deepStrictEqual((await calls.message({ id: await deliver('Subject: broken') }, alice, signal)).panels, {})
  const fields =
    'Subject: parts\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: text/calendar'
  const parts = await deliver(
    `${fields}; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n=E9=\n!\n--b--`,
  )
  const { panels } = await calls.message({ id: parts }, alice, signal)
  deepStrictEqual(panels, { demo: [{ path: '0.1', text: 'é!' }] })
  deepStrictEqual(await calls.findMessageId({ messageId: '<one@remote.example>' }, alice, signal), { ids: [id] })
  deepStrictEqual(await calls.findMessageId({ messageId: '<one@remote.example>' }, caller('bob'), signal), { ids: [] })
  const internals = await calls.internals({ id }, alice, signal)
  strictEqual((internals.structure as { contentType: string }).contentType, 'text/plain')
  deepStrictEqual(await calls.decodeWords({ text: '=?utf-8?Q?=C3=A9?=' }, alice, signal), { text: 'é' })
})

test('messages of others are not there', async () => {
  const id = await deliver('Subject: x')
  for (const name of ['message', 'internals', 'trace', 'unsubscribe'] as const) {
    await refused(calls[name]({ id }, caller('bob'), signal), 'notFound')
    await refused(calls[name]({ id: 999_999 }, alice, signal), 'notFound')
  }
})

test('view modes are remembered for each account and address', async () => {
  const id = await deliver('Subject: x')
  const mode = async () => (await calls.message({ id }, alice, signal)).viewMode
  strictEqual(await mode(), null)
  await calls.viewMode({ address: 'Ann@Remote.example', mode: 'html' }, alice, signal)
  strictEqual(await mode(), 'html')
  await calls.viewMode({ address: 'ann@remote.example', mode: 'external' }, alice, signal)
  strictEqual(await mode(), 'external')
  strictEqual(await modes.get('bob', 'ann@remote.example'), null)
})

test('of too many view modes the oldest is forgotten', async () => {
  const rows = Array.from({ length: VIEW_MODES }, (_, i) => ({
    ...{ account: 'full', address: `a${i}@b.test`, mode: 'text', changed_at: i },
  }))
  await host.service(storage).write(async db => {
    for (let at = 0; at < rows.length; at += 100) await db('webmail_view_mode').insert(rows.slice(at, at + 100))
  })
  await modes.set('full', 'new@b.test', 'html')
  deepStrictEqual(
    [await modes.get('full', 'a0@b.test'), await modes.get('full', 'a1@b.test'), await modes.get('full', 'new@b.test')],
    [null, 'text', 'html'],
  )
})

test('the way of a received message', async () => {
  const id = await deliver('Subject: x')
  const { steps, complete } = await calls.trace({ id }, alice, signal)
  deepStrictEqual(
    [complete, steps[0]?.stage, steps[0]?.verdict, steps[0]?.text],
    [true, 'received', 'accepted', 'from client.example (198.51.100.7) over ESMTP'],
  )
  const store = await host.store('alice')
  const added = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: x\r\n\r\n') })
  deepStrictEqual(await calls.trace({ id: added.id }, alice, signal), { steps: [], complete: true })
})

test('leaving a list', async () => {
  const leave = async (fields: string) => await calls.unsubscribe({ id: await deliver(fields) }, alice, signal)
  await refused(leave('Subject: x'), 'refused')
  await refused(leave('List-Unsubscribe: <https://lists.example/x>'), 'refused')
  const oneclick = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'
  for (const address of ['127.0.0.1', '[::1]', '10.0.0.1', '169.254.169.254'])
    deepStrictEqual(await leave(`List-Unsubscribe: <https://${address}/x>\n${oneclick}`), {
      done: false,
      text: `${address} could not be told: ${address.replace(/[[\]]/g, '')} is not a public address.`,
    })
  const sent = await leave(
    'List-Unsubscribe: <mailto:leave%2Bx@lists.example?subject=Go%0D%0ABcc:%20x@y.test&cc=z@y.test>',
  )
  deepStrictEqual(sent, {
    done: true,
    text: 'A mail that asks to be taken off the list was sent to leave+x@lists.example.',
  })
  const [job, ...others] = await host.service(storage).queue.list({ account: 'alice' }, { limit: 10 })
  deepStrictEqual([others.length, job?.recipient.localpart, job?.subject], [0, 'leave+x', 'Go Bcc: x@y.test'])
  const trace = await host.service(storage).messages.get(job?.messageId ?? 0)
  ok(trace?.source === 'webmail')
})

test('who is vouched for', () => {
  const none = { forwarded: false, listId: '', listAddress: '' }
  const rows: readonly (readonly [verified: string, from: string, more: Partial<typeof none>, expected: string])[] = [
    ['', 'a@x.test', {}, 'unknown'],
    ['x.test', 'a@x.test', {}, 'pass'],
    ['x.test', 'a@X.Test', {}, 'pass'],
    ['mail.x.test', 'a@x.test', {}, 'pass'],
    ['x.test', 'a@news.x.test', {}, 'pass'],
    ['y.test x.test', 'a@x.test', {}, 'pass'],
    ['xn--bcher-kva.test', 'a@bücher.test', {}, 'pass'],
    ['notx.test', 'a@x.test', {}, 'fail'],
    ['y.test', 'a@x.test', {}, 'fail'],
    ['y.test', 'a@x.test', { listId: 'l.y.test' }, 'forwarded'],
    ['y.test', 'a@x.test', { forwarded: true }, 'forwarded'],
    // No address, or several: nobody is.
    ['y.test', '', {}, 'fail'],
    ['y.test', 'a@', {}, 'fail'],
  ]
  for (const [verified, from, more, expected] of rows)
    strictEqual(
      authentication(verified.split(' ').filter(Boolean), from, { ...none, ...more }),
      expected,
      `${verified} ${from}`,
    )
})
