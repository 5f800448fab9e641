// Extra data in header fields: forms, limits, hostile input, and its way through the queue.
import { deepStrictEqual, doesNotMatch, match, rejects, strictEqual } from 'node:assert'
import { dns } from '@mox/plugin-dns'
import { lmtp } from '@mox/plugin-lmtp'
import { routes } from '@mox/plugin-routes'
import { mailboxes, queueControl } from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { smtpOut } from '@mox/plugin-smtp-out'
import { test } from 'vitest'
import { mailflow } from '../../../test/kit/mailflow.ts'
import { Peer } from '../../smtp-out/test/support/peer.ts'
import {
  type ExtraResult,
  KEY_BYTES,
  KEYS,
  mergeExtra,
  readFields,
  TOTAL_BYTES,
  VALUE_BYTES,
  withoutFields,
} from '../src/fields.ts'
import { extraData } from '../src/index.ts'
import { parseTexts } from '../src/json.ts'

const section = (lines: readonly string[]): Buffer =>
  Buffer.from(`From: <a@b.example>\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`)

function extraOf(lines: readonly string[], given: Record<string, string> = {}): ExtraResult {
  const bytes = section(lines)
  const fields = readFields(parseHeader(bytes), bytes)
  return fields.ok ? mergeExtra(fields.pairs, given) : fields
}

function check(lines: string[], expected: Record<string, string> | RegExp, given: Record<string, string> = {}) {
  const result = extraOf(lines, given)
  if (expected instanceof RegExp) match(result.ok ? JSON.stringify(result.extra) : result.problem, expected)
  else deepStrictEqual(result.ok ? { ...result.extra } : result.problem, expected)
}

test('one pair a field', () => {
  check([], {})
  check(['X-Mox-Extra-Order: 7'], { Order: '7' })
  check(['x-mox-EXTRA-x-cANONICAL-z: a', 'X-Mox-Extra-y: b'], { 'X-Canonical-Z': 'a', Y: 'b' })
  check(['X-Mox-Extra-1a-_b: x'], { '1a-_b': 'x' })
  check(['X-Mox-Extra-Long: a', ' b', '\tc'], { Long: 'a b\tc' })
  check(['X-Mox-Extra-Word: =?utf-8?q?=C3=BC?='], { Word: '=?utf-8?q?=C3=BC?=' })
  check(['X-Mox-Extra-Utf8: ü'], { Utf8: 'ü' })
  check(['X-Mox-Extra-Empty:'], { Empty: '' })
  // No tokens: as they are written, and only with the prefix as it should be.
  check(['X-Mox-Extra-a(B: x', 'x-mox-extra-c(d: y'], { 'a(B': 'x' })
  check(['X-Mox-Extra-constructor: x'], { Constructor: 'x' })
  check(['X-Mox-Other: x', 'Y-Mox-Extra-A: x'], {})
  check(['X-Mox-Extra-A: 1', 'x-mox-extra-a: 2'], /^the key "A" of extra data is there twice$/)
  check(['X-Mox-Extra-: 1'], /^the field X-Mox-Extra- has no key; write X-Mox-Extra-Order: 7$/)
  // Lines that are no fields would be lost.
  for (const wrong of ['X-Mox-Extra-Bücher: 1', 'x-mox-extra-order id: 1', 'X-MOX-EXTRA-Order 1'])
    check([wrong], /^a field X-Mox-Extra-KEY has a name that is none; write other keys as X-Mox-Extra: /)
  check(['X-Mox-Extras: 1', 'X-Mox-Exträ: 1', 'Y X-Mox-Extra-A: 1'], {})
})

test('an object', () => {
  check(['X-Mox-Extra: {"orderId":"7","Bücher":"a \\"b\\" \\u00fc"}'], { orderId: '7', Bücher: 'a "b" ü' })
  check(['X-Mox-Extra: {}'], {})
  check(['X-Mox-Extra: {"a":"1"}', 'X-Mox-Extra-A: 2', 'x-mox-extra: {"b":"3"}'], { a: '1', A: '2', b: '3' })
  check(['X-Mox-Extra: {"a":', ' "1"}'], { a: '1' })
  check(['X-Mox-Extra: {"A":"1"}', 'X-Mox-Extra-A: 2'], /there twice/)
  check(['X-Mox-Extra: {"a":"1","a":"2"}'], /the key "a" of extra data is there twice/)
  check(['X-Mox-Extra: {"":"1"}'], /a key of extra data is empty/)
  const extra = extraOf(['X-Mox-Extra: {"__proto__":"1","toString":"2"}'])
  deepStrictEqual(extra.ok && Object.entries(extra.extra), [
    ['__proto__', '1'],
    ['toString', '2'],
  ])
  for (const wrong of [
    '',
    'x',
    '{',
    '[]',
    '{"a":1}',
    '{"a":null}',
    '{"a":{}}',
    '{"a":"1"} x',
    '{"a":"1",}',
    "{'a':'1'}",
    '{"a":"\\ud800"}',
  ])
    check([`X-Mox-Extra: ${wrong}`], /must be a JSON object whose values are texts/)
})

test('what the submitting plugin says wins', () => {
  check(['X-Mox-Extra-A: 1', 'X-Mox-Extra-B: 2'], { A: 'mine', B: '2', c: '3' }, { A: 'mine', c: '3' })
  check([], { a: '1' }, { a: '1' })
})

test('limits', () => {
  const keys = (n: number) => Array.from({ length: n }, (_, i) => `X-Mox-Extra-K${i}: v`)
  strictEqual(Object.keys(JSON.parse(JSON.stringify(extraOf(keys(KEYS)))).extra).length, KEYS)
  check(keys(KEYS + 1), /^extra data has more than 32 keys$/)
  check(keys(KEYS), /^extra data has more than 32 keys$/, { more: '1' })
  check([`X-Mox-Extra: {"${'k'.repeat(KEY_BYTES)}":"v"}`], { ['k'.repeat(KEY_BYTES)]: 'v' })
  check(
    [`X-Mox-Extra: {"${'k'.repeat(KEY_BYTES + 1)}":"v"}`],
    /^the key "k{64}" of extra data has more than 64 octets$/,
  )
  check([`X-Mox-Extra: {"${'ü'.repeat(33)}":"v"}`], /^the key "\?{33}" of extra data has more than 64 octets$/)
  check([`X-Mox-Extra-A: ${'v'.repeat(VALUE_BYTES)}`], { A: 'v'.repeat(VALUE_BYTES) })
  check([`X-Mox-Extra-A: ${'v'.repeat(VALUE_BYTES + 1)}`], /^the value of "A" in extra data has more than 1024 octets$/)
  const filled = (last: number) => [
    ...Array.from({ length: 7 }, (_, i) => `X-Mox-Extra-${i}: ${'v'.repeat(VALUE_BYTES)}`),
    `X-Mox-Extra-7: ${'v'.repeat(last)}`,
  ]
  const rest = TOTAL_BYTES - 7 * VALUE_BYTES - 8
  match(JSON.stringify(extraOf(filled(rest))), /"ok":true/)
  check(filled(rest + 1), /^extra data has more than 8192 octets in all$/)
})

test('objects that take long to say nothing', () => {
  const started = performance.now()
  strictEqual(parseTexts(`{${'"a":"b",'.repeat(20_000)}`), undefined)
  strictEqual(parseTexts(`{"a":"${'\\'.repeat(100_000)}`), undefined)
  strictEqual(parseTexts(' '.repeat(200_000)), undefined)
  strictEqual(performance.now() - started < 2_000, true)
})

test('taking the fields out', () => {
  const left = (...lines: string[]): string[] => {
    const bytes = section(lines)
    return withoutFields(parseHeader(bytes), bytes).toString('latin1').split('\r\n').slice(1, -2)
  }
  deepStrictEqual(left(), [])
  deepStrictEqual(left('A: b', ' c', 'B:d'), ['A: b', ' c', 'B:d'])
  deepStrictEqual(left('X-Mox-Extra-Order: 7'), [])
  deepStrictEqual(left('A: 1', 'x-MOX-extra-A: 7', ' folded', '\tagain', 'B: 2', 'X-Mox-Extra:', ' {}', 'C: 3'), [
    'A: 1',
    'B: 2',
    'C: 3',
  ])
  deepStrictEqual(left('X-Mox-Extra-A : 7', 'x-mox-extra-c(d: y', 'X-Mox-Extra-B:'), [])
  // Look-alikes, and lines that are no fields.
  const others = [
    'X-Mox-Extrastuff: 1',
    'X-Mox-Extr: 2',
    'X-Mox: 3',
    'A-X-Mox-Extra-B: 4',
    'A: X-Mox-Extra-B: 5',
    'no field',
  ]
  deepStrictEqual(left(...others, 'X-Mox-Extra-A: 1'), others)
})

test('through the queue', async () => {
  const flow = await mailflow([extraData()], { paused: true })
  try {
    const headers = ['X-Mox-Extra-Order: 7', 'X-Mox-Extra: {"orderId":"x"}']
    strictEqual((await flow.smtp({ account: 'alice', to: ['a@one.example', 'b@one.example'], headers })).code, 250)
    const [id = 0] = await flow.submit({ to: ['c@one.example'], headers, extra: { Order: '8' } })
    await flow.restart()
    deepStrictEqual(
      (await flow.jobs()).map(job => job.extra),
      [
        { Order: '7', orderId: 'x' },
        { Order: '7', orderId: 'x' },
        { Order: '8', orderId: 'x' },
      ],
    )
    await flow.mox('queue drop', { all: true })
    deepStrictEqual((await flow.storage.history.get(id))?.extra, { Order: '8', orderId: 'x' })
    const twice = ['X-Mox-Extra-Order: 7', 'X-Mox-Extra-ORDER: 8']
    const refused = await flow.smtp({ account: 'alice', to: ['a@one.example'], headers: twice })
    deepStrictEqual(refused, { code: 554, enhanced: '5.6.0', text: 'the key "Order" of extra data is there twice' })
    await rejects(
      flow.submit({ to: ['a@one.example'], headers: ['X-Mox-Extra: 1'] }),
      /554 5\.6\.0 the field X-Mox-Extra must be/,
    )
    strictEqual((await flow.jobs()).length, 0)
  } finally {
    await flow.close()
  }
})

const FIELDS = ['X-Mox-Extra-Order: 7', 'x-mox-extra-note: folded', ' over', '\tlines', 'X-Mox-Extra: {"orderId":"x"}']
const KEPT = ['X-Mox-Extrastuff: stays', 'Subject: X-Mox-Extra-Order: 7']
const EXTRA = { Order: '7', Note: 'folded over\tlines', orderId: 'x' }
/** Looks like the fields, and is none of them. */
const BODY = 'X-Mox-Extra-Order: 7\r\n\r\n.dots ü\r\n'

async function text(parts: Promise<AsyncIterable<Buffer> | undefined>): Promise<string> {
  const all: Buffer[] = []
  for await (const part of (await parts) ?? []) all.push(part)
  return Buffer.concat(all).toString()
}

test('with strip, nobody is shown the fields: over SMTP, over LMTP, in a mailbox; every other byte stays', async () => {
  const relay = await Peer.listen({})
  const agent = await Peer.listen({ end: '250 2.1.5 taken' })
  const plugins = [
    extraData({ strip: true }),
    dns(),
    smtpOut({ transports: { relay: { kind: 'smtp', host: '127.0.0.1', port: relay.port, noStartTls: true } } }),
    lmtp({ host: '127.0.0.1', port: agent.port }),
    routes({
      global: [
        { toDomain: ['relay.example'], transport: 'relay' },
        { toDomain: ['agent.example'], transport: 'lmtp' },
      ],
    }),
  ]
  const flow = await mailflow(plugins, { paused: true, ownTransport: true })
  try {
    // A row of the database, and a file.
    for (const body of [BODY, `${BODY}${'long line\r\n'.repeat(40_000)}`]) {
      const to = ['x@relay.example', 'y@agent.example', 'bob@example.org']
      const [first = '', ...others] = KEPT
      const headers = [first, ...FIELDS, ...others]
      strictEqual((await flow.smtp({ account: 'alice', to, headers, content: body })).code, 250)
      await flow.restart()
      const jobs = await flow.jobs()
      deepStrictEqual(
        jobs.map(({ extra }) => extra),
        [EXTRA, EXTRA, EXTRA],
      )
      const message = ['From: <alice@example.org>', 'Subject: hello', ...KEPT, '', body].join('\r\n')
      const dump = await text(flow.service(queueControl).dump(jobs[0]?.id ?? 0))
      strictEqual(dump.endsWith(message), true)
      doesNotMatch(dump.slice(0, -message.length), /Mox-Extra/i)
      strictEqual(jobs[0]?.size, Buffer.byteLength(dump))

      flow.service(queueControl).resume()
      await flow.until(async () => (await flow.jobs()).length === 0, 'all are delivered')
      flow.service(queueControl).pause()
      for (const peer of [relay, agent]) {
        const got = Buffer.from(peer.messages.splice(0).join(), 'latin1').toString()
        strictEqual(got, dump.replaceAll('\r\n.', '\r\n..'))
      }
      const store = flow.service(mailboxes)
      const [copy] = await store.recent({ limit: 1 })
      const filed = await text(store.open(copy?.id ?? 0))
      strictEqual(filed.endsWith(dump), true)
      doesNotMatch(filed.slice(0, -message.length), /Mox-Extra/i)
      strictEqual(copy?.size, Buffer.byteLength(filed))
    }
    deepStrictEqual([await flow.storage.verify(), await flow.service(mailboxes).verify()], [[], []])
  } finally {
    await flow.close()
    await Promise.all([relay.close(), agent.close()])
  }
})
