// Answers as octets: what well-formed ones say, and that hostile ones end in an error, soon, whatever they contain.
import assert from 'node:assert/strict'
import type { DnsType } from '@mox/plugin-sdk'
import codec from 'dns-packet'
import fc from 'fast-check'
import { test } from 'vitest'
import { EXTENDED_TEXT_LENGTH } from '../src/extended-error.ts'
import { isAnswerTo, isTruncated, makeQuery, RECORDS_LIMIT, readMessage } from '../src/message.ts'
import { POINTER_LIMIT, readName, WireError } from '../src/names.ts'
import { TYPES } from '../src/records.ts'
import { type AnswerParts, a, answer, cname, errors, mx, soa } from './support/server.ts'

const NAME = 'a.test'
const query = (type: DnsType = 'A') => makeQuery(NAME, type, 7, true)
const reply = (parts: AnswerParts, type: DnsType = 'A'): Buffer =>
  answer({ packet: codec.decode(query(type).octets) }, parts)

/** An answer with one record of these data. */
function raw(type: DnsType, ...data: readonly (Buffer | string | number)[]): Buffer {
  const octets = Buffer.concat(data.map(part => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))))
  const fields = Buffer.alloc(12)
  fields.writeUInt16BE(0xc00c, 0)
  fields.writeUInt16BE(TYPES[type], 2)
  fields.writeUInt16BE(1, 4)
  fields.writeUInt32BE(300, 6)
  fields.writeUInt16BE(octets.length, 10)
  const head = reply({}, type)
  head.writeUInt16BE(1, 6)
  return Buffer.concat([head, fields, octets])
}

test('the data of records', () => {
  const check = (type: DnsType, data: readonly (Buffer | string | number)[], expected: unknown): void => {
    const { answers } = readMessage(query(type), raw(type, ...data))
    assert.deepEqual(
      answers.map(record => record.data),
      [expected],
      `${type} ${data}`,
    )
  }
  const x = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const label = (text: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)])
  const host = Buffer.concat([label('Mx_1'), label('Test'), x('00')])
  check('A', [192, 0, 2, 1], '192.0.2.1')
  check('A', [192, 0, 2], undefined)
  check('A', [192, 0, 2, 1, 0], undefined)
  check('AAAA', [x('20010db8 00000000 00000000 00000001')], '2001:db8::1')
  check('AAAA', [x('20010db8 00000000 00000000 000001')], undefined)
  check('MX', [x('000a'), host], { preference: 10, exchange: 'mx_1.test' })
  check('MX', [x('0000 00')], { preference: 0, exchange: '.' })
  check('MX', [x('000a 02'), 'mx', x('c00c')], { preference: 10, exchange: 'mx.a.test' })
  check('MX', [x('000a'), host, 0], undefined)
  check('MX', [x('000a')], undefined)
  check('MX', [0], undefined)
  check('MX', [x('000a 03'), 'a.b', 0], undefined)
  check('MX', [x('000a 03'), 'a b', 0], undefined)
  check('MX', [x('000a 03'), 'a/b', 0], undefined)
  check('MX', [x('000a 03'), x('c3bc 00'), 0], undefined)
  check('MX', [x('000a c0ff')], undefined)
  check('NS', [host], 'mx_1.test')
  check('PTR', [host], 'mx_1.test')
  check('CNAME', [x('03'), 'a/b', 0], 'a/b')
  check('SRV', [x('0001 0002 01bb'), host], { priority: 1, weight: 2, port: 443, target: 'mx_1.test' })
  check('SRV', [x('0000 0000 0000 00')], { priority: 0, weight: 0, port: 0, target: '.' })
  check('SRV', [x('0001 0002 01')], undefined)
  const numbers = x('00000007 00000001 00000002 00000003 0000003c')
  check('SOA', [host, host, numbers], { mname: 'mx_1.test', serial: 7, minimum: 60 })
  check('SOA', [host, host, numbers, 0], undefined)
  check('SOA', [host, host], undefined)
  check('TLSA', [x('030101 c0ffee')], { usage: 3, selector: 1, matchingType: 1, data: x('c0ffee') })
  check('TLSA', [x('030101')], { usage: 3, selector: 1, matchingType: 1, data: x('') })
  check('TLSA', [x('0301')], undefined)
  // Strings are one text; UTF-8 as such, else one character for each octet, even where a string ends within a character.
  check('TXT', [label('v=spf1 '), label('-all')], 'v=spf1 -all')
  check('TXT', [0], '')
  check('TXT', [label('ü€')], 'ü€')
  check('TXT', [x('01c3 01bc')], 'ü')
  check('TXT', [x('02c3 28')], 'Ã(')
  check('TXT', [label('a'.repeat(255)), label('b')], `${'a'.repeat(255)}b`)
  check('TXT', [3, 'ab'], undefined)
})

test('the records of an answer: type, class, order, one bad of several', () => {
  const answers = [
    mx(NAME, 20, 'b.test'),
    mx(NAME, 10, 'ü.test'),
    mx(NAME, 10, 'c.test'),
    a(NAME),
    cname('x.test', 'y.test'),
  ]
  const message = readMessage(query('MX'), reply({ answers, authorities: [soa('test', 60, 90)] }, 'MX'))
  assert.deepEqual(
    message.answers.map(({ type, name, data }) => [type, name, data]),
    [
      ['MX', NAME, { preference: 20, exchange: 'b.test' }],
      ['MX', NAME, undefined],
      ['MX', NAME, { preference: 10, exchange: 'c.test' }],
      ['CNAME', 'x.test', 'y.test'],
    ],
  )
  assert.deepEqual([message.soa, message.rcode, message.authentic], [{ zone: 'test', ttl: 60 }, 0, false])
})

test('an owner whose label has a dot is not the name that looks the same', () => {
  const packet = reply({ answers: [a('a-test', '203.0.113.66')] })
  packet.write('a.test', packet.indexOf('a-test'))
  assert.deepEqual(
    readMessage(query(), packet).answers.map(({ name }) => name),
    [undefined],
  )
})

test('extended errors', () => {
  const check = (additionals: AnswerParts['additionals'] & object, expected: unknown): void => {
    assert.deepEqual(readMessage(query(), reply({ rcode: 2, additionals })).extended, expected)
  }
  check([], undefined)
  check([errors()], undefined)
  check([errors([7, 'expired'])], { code: 7, text: 'expired' })
  check([errors([22, ''], [12, 'late\0'])], { code: 12, text: 'late' })
  check([errors([3, 'stale'], [4, 'forged'])], { code: 3, text: 'stale' })
  check([errors([6, 'a\r\n\x1b[2Jb'])], { code: 6, text: 'a [2Jb' })
  const long = 'ü'.repeat(EXTENDED_TEXT_LENGTH)
  check([errors([6, long])], { code: 6, text: long })
  check([errors([6, `${long}x`])], { code: 6, text: long })
  check([{ ...errors(), options: [{ code: 15, data: Buffer.from([6]) }] }], undefined)
  check([{ ...errors(), options: [{ code: 10, data: Buffer.from([0, 6]) }] }], undefined)
})

test(`${RECORDS_LIMIT} records, not one more`, () => {
  const many = (count: number): Buffer => reply({ answers: Array<ReturnType<typeof a>>(count).fill(a(NAME)) })
  assert.equal(readMessage(query(), many(RECORDS_LIMIT)).answers.length, RECORDS_LIMIT)
  assert.throws(() => readMessage(query(), many(RECORDS_LIMIT + 1)), WireError)
  const counts = many(1)
  counts.fill(0xff, 6, 12)
  assert.throws(() => readMessage(query(), counts), /it has more than 1000 records/)
  counts.writeUInt16BE(3, 6)
  counts.writeUInt32BE(0, 8)
  assert.throws(() => readMessage(query(), counts), /a name is cut off/)
})

test('names', () => {
  const check = (hex: string, expected: string | RegExp | undefined, start = 0): void => {
    const packet = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    if (expected instanceof RegExp) assert.throws(() => readName(packet, start), expected)
    else assert.equal(readName(packet, start).name, expected)
  }
  check('00', '.')
  check('01 41 02 4262 00', 'a.bb')
  check('01 61 00 01 62 c000', 'b.a', 3)
  check('c000', /points forward or to itself/)
  check('01 61 c000', /points forward or to itself/)
  check('c002 c000', /points forward or to itself/)
  check('00 c004 00 00', /points forward or to itself/, 1)
  check('c0', /a name is cut off/)
  check('', /a name is cut off/)
  check('01 61', /a name is cut off/)
  check('05 61', /a name is cut off/)
  check('40 61 00', /a label of unknown type/)
  check('80 61 00', /a label of unknown type/)
  check('01 20 00', undefined)
  check('01 2e 00', undefined)
  check('01 5c 00', undefined)
  check('02 c3bc 00', undefined)
  const label = `3f${'61'.repeat(63)}`
  check(`${label}${label}${label} 3d${'61'.repeat(61)} 00`, `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(61))
  check(`${label}${label}${label} 3e${'61'.repeat(62)} 00`, /more than 255 octets/)
  // Pointers to pointers.
  const pointers = (count: number): string =>
    `00 00 ${Array.from({ length: count }, (_, i) => (0xc000 + 2 * i).toString(16)).join(' ')}`
  check(pointers(POINTER_LIMIT), '.', 2 * POINTER_LIMIT)
  check(pointers(POINTER_LIMIT + 1), /more than 64 pointers/, 2 * (POINTER_LIMIT + 1))
})

test('whatever octets come, the outcome is a message or a WireError', () => {
  const whole = reply({
    ...{ rcode: 3, ad: true, answers: [cname(NAME, 'b.test'), a('b.test'), mx('b.test', 10, 'c.test')] },
    ...{ authorities: [soa('test')], additionals: [errors([6, 'bogus'])] },
  })
  const questions = Object.keys(TYPES).map(type => query(type as DnsType))
  const read = (packet: Buffer): void => {
    for (const question of questions) {
      const copy = Buffer.from(packet)
      // As if it answered this question.
      question.octets.copy(copy, 12, 12, 12 + question.question.length)
      if (!isAnswerTo(question, copy)) continue
      isTruncated(copy)
      try {
        readMessage(question, copy)
      } catch (error) {
        assert.ok(error instanceof WireError, String(error))
      }
    }
  }
  for (let length = 0; length <= whole.length; length++) read(whole.subarray(0, length))
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(changes, list => {
      const packet = Buffer.from(whole)
      for (const [at, octet] of list) if (at >= 6) packet[at] = octet
      read(packet)
    }),
    { numRuns: 3000, seed: 1 },
  )
  const head = whole.subarray(0, 6)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 600 }), octets => read(Buffer.concat([head, octets]))),
    { numRuns: 1000, seed: 1 },
  )
})
