// What counts as a verdict: one right and the ways to be wrong, field by field, each limit at it and beyond it.
import {
  accept,
  defer,
  draft,
  exempt,
  fail,
  type HookName,
  hold,
  match,
  pass,
  patch,
  postpone,
  quarantine,
  refuse,
  reject,
  route,
  skip,
  tag,
  withhold,
} from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import * as fields from '../src/hooks/fields.ts'
import { JSON_DEPTH, jsonProblem } from '../src/hooks/json.ts'
import { entryOf } from '../src/hooks/table.ts'
import * as limits from '../src/hooks/verdicts.ts'

function check(hook: HookName, value: unknown, expected?: string): void {
  expect(limits.verdictProblem(entryOf(hook), value), `${hook} ${String(JSON.stringify(value)).slice(0, 100)}`).toEqual(
    expected,
  )
}
const reply = { code: 550, enhanced: '5.7.1', text: 'no' }
const x = (n: number): string => 'x'.repeat(n)

test('no verdict at all', () => {
  check('beforeDeliver', null, 'null is no verdict')
  check('beforeDeliver', [], 'an array is no verdict')
  check('beforeDeliver', 'hold', 'a string is no verdict')
  check('beforeDeliver', true, 'a boolean is no verdict')
  check('beforeDeliver', {}, 'its kind is none of pass, route, postpone, hold, fail')
  check('beforeDeliver', reject('no'), 'its kind is none of pass, route, postpone, hold, fail')
  check('onRetire.tx', pass(), 'a write handler returns nothing')
  check('onAttempt', false, 'a react handler returns nothing')
})

test('replies', () => {
  check('onReceive.rcpt', reject('no'))
  check('onReceive.rcpt', reject('no', { code: 599, enhanced: '5.999.999' }))
  check('onReceive.rcpt', reject('no', { code: 450, enhanced: '4.7.1' }), 'reject: has a reply whose code is not 5yz')
  check(
    'onReceive.rcpt',
    { kind: 'reject', reply: { ...reply, code: 600 } },
    'reject: has a reply whose code is not 5yz',
  )
  check(
    'onReceive.rcpt',
    { kind: 'reject', reply: { ...reply, code: 550.5 } },
    'reject: has a reply whose code is not 5yz',
  )
  check('onReceive.rcpt', { kind: 'reject', reply: { code: 550, text: 'no' } })
  check('onReceive.rcpt', { kind: 'reject' }, 'reject: has no reply')
  check(
    'onReceive.rcpt',
    reject('no', { enhanced: '4.7.1' }),
    'reject: has a reply whose code and enhanced code contradict',
  )
  check('onReceive.rcpt', reject('no', { enhanced: '5.7' }), 'reject: has a reply whose enhanced code is none')
  check('onReceive.rcpt', defer('later'))
  check('onReceive.rcpt', defer('later', { code: 550, enhanced: '5.0.0' }), 'defer: has a reply whose code is not 4yz')
  check('onQueue', refuse('no'))
  check('onQueue', refuse('no', { code: 451, enhanced: '4.3.0' }))
  check('onQueue', refuse('no', { code: 250, enhanced: '2.0.0' }), 'refuse: has a reply whose code is not 4yz or 5yz')
  check('beforeDeliver', fail('no', { status: 'suppressed' }))
  check('beforeDeliver', fail('no', { code: 451 }), 'fail: has a reply whose code is not 5yz')
  check('beforeDeliver', { ...fail('no'), status: 'delivered' }, 'fail: status is none of failed, suppressed')
  const text = `reject: has a reply whose text is not 1 to ${limits.REPLY_LENGTH} printable ASCII characters`
  check('onReceive.rcpt', reject(x(limits.REPLY_LENGTH)))
  check('onReceive.rcpt', reject(x(limits.REPLY_LENGTH + 1)), text)
  check('onReceive.rcpt', reject(''), text)
  check('onReceive.rcpt', reject('no\r\n250 yes'), text)
  check('onReceive.rcpt', reject('nö'), text)
})

test('the other verdicts of mail', () => {
  check('onReceive.data', exempt({ categories: ['auth', 'content'], reason: 'known' }))
  check('onReceive.data', exempt({ categories: [], reason: 'x' }), 'exempt: categories is empty')
  check(
    'onReceive.data',
    exempt({ categories: ['spam' as 'auth'], reason: 'x' }),
    'exempt: categories[0] is none of auth, reputation, content, policy',
  )
  check('onReceive.data', tag(['$Newsletter', 'a.b/c']))
  const keyword = `tag: keywords[0] is no keyword: at most ${limits.KEYWORD_LENGTH} letters, digits and marks`
  for (const wrong of ['', 'a b', '\\Seen', '(x)', '{x', 'a*', '100%', '"x"', 'ö', 'a\r'])
    check('onReceive.data', tag([wrong]), keyword)
  check('onReceive.data', tag([x(limits.KEYWORD_LENGTH)]))
  check('onReceive.data', tag([x(limits.KEYWORD_LENGTH + 1)]), keyword)
  check('onReceive.data', tag(Array.from({ length: limits.KEYWORDS }, (_, i) => `k${i}`)))
  check(
    'onReceive.data',
    tag(Array.from({ length: limits.KEYWORDS + 1 }, (_, i) => `k${i}`)),
    `tag: keywords has more than ${limits.KEYWORDS} entries`,
  )
  check('onReceive.data', quarantine('spam'))
  check('onReceive.data', { kind: 'quarantine' }, 'quarantine: reason is no text')
  check('beforeDeliver', hold(x(fields.REASON_LENGTH)))
  check(
    'beforeDeliver',
    hold(x(fields.REASON_LENGTH + 1)),
    `hold: reason has more than ${fields.REASON_LENGTH} characters`,
  )
  check('beforeDeliver', route('direct'))
  check('beforeDeliver', route(''), 'route: transport is empty')
  check('beforeDeliver', route(x(101)), 'route: transport has more than 100 characters')
  check('beforeDeliver', route('a\nb'), 'route: transport has control characters')
  check('beforeDeliver', postpone(1, 'later'))
  for (const until of [Number.NaN, Number.POSITIVE_INFINITY, -1, '1' as unknown as number])
    check('beforeDeliver', postpone(until, 'later'), 'postpone: until is no time')
  check('onWebhook.send', skip('off'))
  check('onDSN.compose', withhold('list'))
})

test('matches and reports', () => {
  const event = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'gone' }
  check('onDSN.match', match(7, event))
  check('onDSN.match', match(0, event), `match: queueId is no whole number from 1 to ${Number.MAX_SAFE_INTEGER}`)
  check(
    'onDSN.match',
    match(7, { ...event, action: 'lost' }),
    expect.stringMatching(/^match: event \.action is none of failed, /) as unknown as string,
  )
  check(
    'onDSN.match',
    match(7, { ...event, text: x(10_001) }),
    'match: event .text is no text of at most 10000 characters',
  )
  const report = {
    recipients: ['tls@example.org'],
    subject: 's',
    filename: 'a.json.gz',
    contentType: 'application/gzip',
    body: Buffer.from('x'),
  }
  check('onReport.due', draft(report))
  check('onReport.due', draft({ ...report, filename: '../a' }), 'draft: draft .filename is no file name')
  check('onReport.due', draft({ ...report, recipients: [] }), 'draft: draft .recipients is empty')
  check('onReport.due', draft({ ...report, recipients: Array(limits.REPORT_RECIPIENTS).fill('a@b') }))
  check(
    'onReport.due',
    draft({ ...report, recipients: Array(limits.REPORT_RECIPIENTS + 1).fill('a@b') }),
    `draft: draft .recipients has more than ${limits.REPORT_RECIPIENTS} entries`,
  )
  check('onReport.due', draft({ ...report, body: Buffer.alloc(limits.REPORT_BYTES) }))
  check(
    'onReport.due',
    draft({ ...report, body: Buffer.alloc(limits.REPORT_BYTES + 1) }),
    `draft: draft .body is no Buffer of at most ${limits.REPORT_BYTES} bytes`,
  )
  check('onReport.received', accept('tlsrpt', [{ a: 1 }]))
  check('onReport.received', accept('tlsrpt', [1]), 'accept: rows[0] is no object')
  check('onReport.received', accept('tlsrpt', Array(limits.REPORT_ROWS).fill({})))
  check(
    'onReport.received',
    accept('tlsrpt', Array(limits.REPORT_ROWS + 1).fill({})),
    `accept: rows has more than ${limits.REPORT_ROWS} entries`,
  )
})

test('patches', () => {
  const queue = (changes: object, problem?: string): void =>
    check('onQueue', patch(changes), problem && `patch: ${problem}`)
  const path = { localpart: 'a', domain: 'b.example' }
  queue({
    due: 5,
    transport: 'direct',
    requireTls: false,
    fromId: 'x',
    stream: 'receipts',
    maxAttempts: 3,
    notify: [],
    reversePath: null,
    recipient: path,
    account: '',
    loginAddress: 'a@b',
  })
  queue({ messageId: 1 }, 'changes.messageId cannot be changed')
  queue({ due: undefined }, 'changes.due is no time')
  queue({ recipient: 'a@b' }, 'changes.recipient is no address')
  queue({ recipient: { localpart: 'a' } }, 'changes.recipient .domain is no text')
  queue({ recipient: { localpart: 'a\n', domain: 'b' } }, 'changes.recipient .localpart has control characters')
  queue({ notify: ['never'] }, 'changes.notify [0] is none of success, failure, delay')
  queue({ requireTls: 1 }, 'changes.requireTls is neither true nor false')
  queue({ transport: x(fields.NAME_LENGTH) })
  queue({ transport: x(fields.NAME_LENGTH + 1) }, `changes.transport has more than ${fields.NAME_LENGTH} characters`)
  queue({ extra: { k: 1 } }, 'changes.extra .k is no text')
  const pairs = (n: number): object => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, '']))
  queue({ extra: pairs(fields.EXTRA_PAIRS) })
  queue({ extra: pairs(fields.EXTRA_PAIRS + 1) }, `changes.extra has more than ${fields.EXTRA_PAIRS} entries`)
  queue({ extra: { k: x(fields.EXTRA_LENGTH - 1) } })
  queue({ extra: { k: x(fields.EXTRA_LENGTH) } }, `changes.extra has more than ${fields.EXTRA_LENGTH} characters`)
  check('onQueue', { kind: 'patch' }, 'patch: changes is no object')
  check('beforeDeliver', patch({}), 'its kind is none of pass, route, postpone, hold, fail')

  check('onDSN.compose', patch({ subject: x(fields.SUBJECT_LENGTH), text: 'a\r\nb', language: 'de-CH' }))
  check(
    'onDSN.compose',
    patch({ subject: x(fields.SUBJECT_LENGTH + 1) }),
    `patch: changes.subject has more than ${fields.SUBJECT_LENGTH} characters`,
  )
  check('onDSN.compose', patch({ subject: 'a\r\nBcc: x' }), 'patch: changes.subject has control characters')
  check('onDSN.compose', patch({ text: x(fields.DSN_TEXT_LENGTH) }))
  check(
    'onDSN.compose',
    patch({ text: x(fields.DSN_TEXT_LENGTH + 1) }),
    `patch: changes.text has more than ${fields.DSN_TEXT_LENGTH} characters`,
  )
  check('onDSN.compose', patch({ language: 'de\n' }), 'patch: changes.language is no language tag')

  check('onWebhook.compose', patch({ payload: { a: [1, 'x', null] } }))
  check('onWebhook.compose', patch({ eventId: 'other' }), 'patch: changes.eventId cannot be changed')
  check('onWebhook.compose', patch({ payload: { at: new Date(0) } }), 'patch: changes.payload .at is a Date')
  check('onWebhook.send', patch({ headers: { 'X-Signature': 'abc' } }))
  check('onWebhook.send', patch({ url: 'http://inside/' }), 'patch: changes.url cannot be changed')
  check('onWebhook.send', patch({ headers: { 'a b': 'c' } }), 'patch: changes.headers has a name that is no token')
  check('onWebhook.send', patch({ headers: { a: 'b\r\nc: d' } }), 'patch: changes.headers .a has control characters')
  check('onWebhook.send', patch({ headers: { a: x(fields.REQUEST_FIELD_LENGTH) } }))
  check(
    'onWebhook.send',
    patch({ headers: { a: x(fields.REQUEST_FIELD_LENGTH + 1) } }),
    `patch: changes.headers .a has more than ${fields.REQUEST_FIELD_LENGTH} characters`,
  )
  check('onWebhook.send', patch({ headers: pairs(fields.REQUEST_FIELDS) }))
  check(
    'onWebhook.send',
    patch({ headers: pairs(fields.REQUEST_FIELDS + 1) }),
    `patch: changes.headers has more than ${fields.REQUEST_FIELDS} entries`,
  )
})

test('what JSON would lose', () => {
  const json = (value: unknown, expected?: string): void => expect(jsonProblem(value, 100)).toBe(expected)
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  json({ a: [1, 'x', true, null, { b: undefined }] })
  json(Object.assign(Object.create(null), { a: 1 }))
  json(undefined, 'is undefined')
  json(Number.NaN, 'is NaN')
  json({ a: { b: [0, 1n] } }, '.a.b[1] is a bigint')
  json({ f: () => 1 }, '.f is a function')
  json([undefined], '[0] is undefined')
  json({ m: new Map() }, '.m is a Map')
  json({ b: Buffer.from('x') }, '.b is a Buffer')
  json({ toJSON: () => 1 }, 'has a toJSON method')
  json(nested(JSON_DEPTH))
  json(nested(JSON_DEPTH + 1), `${'[0]'.repeat(JSON_DEPTH)} is nested more than ${JSON_DEPTH} levels deep`)
  json('x'.repeat(98))
  json('x'.repeat(99), 'has more than 100 characters as JSON')
})
