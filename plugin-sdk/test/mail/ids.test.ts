// Message-IDs, base subjects and dates.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  canonicalMessageId,
  DATE_LENGTH,
  formatDate,
  MESSAGE_ID_LENGTH,
  MESSAGE_IDS,
  parseDate,
  parseMessageIds,
  SUBJECT_LENGTH,
  subjectBase,
} from '../../src/mail/index.ts'

test('message-ids', () => {
  const check = (input: string, expected: string | null): void =>
    expect(canonicalMessageId(input), input).toBe(expected)
  check('<ABC@x.test>', 'abc@x.test')
  check(' (c) <a@b> <c@d>', 'a@b')
  check('a@B', 'a@b')
  check('<a\t b@c>', 'ab@c')
  check('', null)
  check('<>', null)
  check('<a@b', null)
  check('a b', null)
  check(`<${'x'.repeat(MESSAGE_ID_LENGTH)}>`, 'x'.repeat(MESSAGE_ID_LENGTH))
  check(`<${'x'.repeat(MESSAGE_ID_LENGTH + 1)}>`, null)
})

test('references', () => {
  const check = (input: string, ...expected: string[]): void => expect(parseMessageIds(input), input).toEqual(expected)
  check('<a@b> <C@d>', 'a@b', 'c@d')
  check('<a@b><c@d> junk <a@b>', 'c@d', 'a@b')
  check('Your mail <a@b> of today', 'a@b')
  check('a@b, c@d', 'a@b', 'c@d')
  check('<<a@b>', 'a@b')
  check('', ...[])
  const many = Array.from({ length: MESSAGE_IDS + 1 }, (_, i) => `<${i}@x>`)
  expect(parseMessageIds(many.slice(1).join(''))[0]).toBe('1@x')
  expect(parseMessageIds(many.join('')).length).toBe(MESSAGE_IDS)
  expect(parseMessageIds(many.join(''))[0]).toBe('1@x')
})

test('base subjects', () => {
  const check = (subject: string, base: string, isReply: boolean): void =>
    expect(subjectBase(subject), subject).toEqual({ base, isReply })
  check('Hello  World', 'hello world', false)
  check('Re: Hello', 'hello', true)
  check('RE : Fw: fwd:Hello', 'hello', true)
  check('Re[2]: Hello', 'hello', true)
  check('[list] Hello', 'hello', false)
  check('[list] Re: [list] Hello (fwd) (fwd)', 'hello', true)
  check('[Fwd: Hello]', 'hello', true)
  check('[fwd: Re: [x] Hello (fwd)]', 'hello', true)
  check('[only]', '[only]', false)
  check('[a] [b]', '[b]', false)
  check('Re:', '', true)
  check('Report', 'report', false)
  check('really: x', 'really: x', false)
  check('', '', false)
  check('[open', '[open', false)
  check('(fwd)', '', true)
  check('x'.repeat(SUBJECT_LENGTH), 'x'.repeat(SUBJECT_LENGTH), false)
  check('x'.repeat(SUBJECT_LENGTH + 1), 'x'.repeat(SUBJECT_LENGTH), false)
})

test('a reply has the base of what it answers', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab [](): ', 're', 'fwd:'), maxLength: 30 }), subject => {
      const { base } = subjectBase(subject)
      expect(subjectBase(`Re: ${subject}`)).toEqual({ base, isReply: true })
      expect(subjectBase(base).base).toBe(base)
    }),
  )
})

test('dates', () => {
  const check = (text: string, expected: string | null): void => {
    const ms = parseDate(text)
    expect(ms === null ? null : new Date(ms).toISOString().replace('.000Z', 'Z'), text).toBe(expected)
  }
  check('Thu, 1 Jan 2026 10:00:00 +0100', '2026-01-01T09:00:00Z')
  check('1 Jan 2026 10:00 -0130', '2026-01-01T11:30:00Z')
  check('Thu, 01 January 2026 10:00:00 EST (comment (nested))', '2026-01-01T15:00:00Z')
  check('Thu,  1-Jan-26 10:00:00 GMT', '2026-01-01T10:00:00Z')
  check('1 Jan 99 10:00:00 Z', '1999-01-01T10:00:00Z')
  check('1 Jan 126 10:00:00 UT', '2026-01-01T10:00:00Z')
  check('Thu Jan  1 10:00:00 2026', '2026-01-01T10:00:00Z')
  check('Thu Jan  1 10:00:00 2026 +0100', '2026-01-01T09:00:00Z')
  check('29 Feb 2024 23:59:60 +0000', '2024-03-01T00:00:00Z')
  check('29 Feb 2025 00:00:00 +0000', null)
  check('32 Jan 2026 00:00:00 +0000', null)
  check('1 Foo 2026 00:00:00 +0000', null)
  check('1 Jan 2026 24:00:00 +0000', null)
  check('1 Jan 2026 00:00:00 +0060', null)
  check('2026-01-01T00:00:00Z', null)
  check('', null)
  const date = '1 Jan 2026 10:00:00 +0000'
  check(date.padStart(DATE_LENGTH), '2026-01-01T10:00:00Z')
  check(date.padStart(DATE_LENGTH + 20), null)
  expect(formatDate(0)).toBe('Thu, 1 Jan 1970 00:00:00 +0000')
  expect(formatDate(1_767_261_600_999, -90)).toBe('Thu, 1 Jan 2026 08:30:00 -0130')
  expect(() => formatDate(Number.NaN)).toThrow(RangeError)
  expect(() => formatDate(253_402_300_800_000)).toThrow(RangeError)
})

test('a date that is written reads back the same', () => {
  const seconds = fc.integer({ min: -62_000_000_000, max: 253_000_000_000 })
  fc.assert(
    fc.property(seconds, fc.integer({ min: -840, max: 840 }), (s, zone) => {
      expect(parseDate(formatDate(s * 1000, zone))).toBe(s * 1000)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'1 Jan:+()2026') }), text => void parseDate(text)))
})
