// Extra data in header fields: forms, limits, hostile input, and its way through the queue.
import { deepStrictEqual, match, rejects, strictEqual } from 'node:assert'
import { type Head, parseHeader } from '@mox/plugin-sdk/mail'
import { test } from 'vitest'
import { mailflow } from '../../../test/kit/mailflow.ts'
import { KEY_BYTES, KEYS, mergeExtra, readFields, TOTAL_BYTES, VALUE_BYTES } from '../src/fields.ts'
import { extraData } from '../src/index.ts'
import { parseTexts } from '../src/json.ts'

const headOf = (...lines: string[]): Head =>
  parseHeader(Buffer.from(`From: <a@b.example>\r\n${lines.join('\r\n')}\r\n\r\n`))

function check(lines: string[], expected: Record<string, string> | RegExp, given: Record<string, string> = {}) {
  const result = mergeExtra(readFields(headOf(...lines)), given)
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
})

test('an object', () => {
  check(['X-Mox-Extra: {"orderId":"7","Bücher":"a \\"b\\" \\u00fc"}'], { orderId: '7', Bücher: 'a "b" ü' })
  check(['X-Mox-Extra: {}'], {})
  check(['X-Mox-Extra: {"a":"1"}', 'X-Mox-Extra-A: 2', 'x-mox-extra: {"b":"3"}'], { a: '1', A: '2', b: '3' })
  check(['X-Mox-Extra: {"a":', ' "1"}'], { a: '1' })
  check(['X-Mox-Extra: {"A":"1"}', 'X-Mox-Extra-A: 2'], /there twice/)
  check(['X-Mox-Extra: {"a":"1","a":"2"}'], /the key "a" of extra data is there twice/)
  check(['X-Mox-Extra: {"":"1"}'], /a key of extra data is empty/)
  const extra = mergeExtra(readFields(headOf('X-Mox-Extra: {"__proto__":"1","toString":"2"}')), {})
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
  strictEqual(
    Object.keys(JSON.parse(JSON.stringify(mergeExtra(readFields(headOf(...keys(KEYS))), {}))).extra).length,
    KEYS,
  )
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
  match(JSON.stringify(mergeExtra(readFields(headOf(...filled(rest))), {})), /"ok":true/)
  check(filled(rest + 1), /^extra data has more than 8192 octets in all$/)
})

test('objects that take long to say nothing', () => {
  const started = performance.now()
  strictEqual(parseTexts(`{${'"a":"b",'.repeat(20_000)}`), undefined)
  strictEqual(parseTexts(`{"a":"${'\\'.repeat(100_000)}`), undefined)
  strictEqual(parseTexts(' '.repeat(200_000)), undefined)
  strictEqual(performance.now() - started < 2_000, true)
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
