// The author of a message: everything that is not one plain mailbox in one plain From field is null. And address lists.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ADDRESS_LIST_ENTRIES, author, formatAddress, parseAddressList, parseHeader } from '../../src/mail/index.ts'

const GOOD = 'ann@good.test'

/** The author of a header section given as lines. */
function check(expected: string | null, ...lines: string[]): void {
  const path = author(parseHeader(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)))
  expect(path && formatAddress(path), JSON.stringify(lines)).toBe(expected)
}

test('one mailbox', () => {
  check(GOOD, 'From: ann@good.test')
  check(GOOD, 'FROM:ann@good.test')
  check(GOOD, 'From: <ann@good.test>')
  check(GOOD, 'From: Ann <ann@GOOD.test>')
  check(GOOD, 'From: Ann B. Good <ann@good.test>')
  check(GOOD, 'From: "Good, Ann" <ann@good.test>')
  check(GOOD, 'From: "evil@evil.test" <ann@good.test>')
  check(GOOD, 'From: "a\\"b" x <ann@good.test>')
  check(GOOD, 'From: =?utf-8?q?=C3=84nn?= <ann@good.test>')
  check(GOOD, 'From: Änn <ann@good.test>')
  check(GOOD, 'From: ann@good.test (Ann (the good\\)))')
  check(GOOD, 'From: (c) Ann (d) <ann@good.test> (e)')
  check(GOOD, 'From: Ann', ' <ann@good.test>')
  check('"a b"@good.test', 'From: "a b"@good.test')
  check('"<evil@evil>"@good.test', 'From: "<evil@evil>"@good.test')
  check('ü@xn--mnchen-3ya.test', 'From: ü@münchen.test')
  check('a@[127.0.0.1]', 'From: a@[127.0.0.1]')
})

test('in doubt', () => {
  check(null, 'To: ann@good.test')
  check(null, 'From:')
  check(null, 'From: ann@good.test', 'From: b@evil.test')
  check(null, 'From: ann@good.test', 'from: ann@good.test')
  check(null, 'From: ann@good.test, b@evil.test')
  check(null, 'From: ann@good.test,')
  check(null, 'From: ann@good.test;')
  check(null, 'From: g: ann@good.test;')
  check(null, 'From: g: evil;')
  check(null, 'From: "ann@good.test"')
  check(null, 'From: (ann@good.test)')
  check(null, 'From: <ann@good.test> <b@evil.test>')
  check(null, 'From: ann@good.test <b@evil.test>')
  check(null, 'From: Foo <a@b> <c@d>')
  check(null, 'From: <ann@good.test')
  check(null, 'From: ann@good.test>')
  check(null, 'From: <<ann@good.test>>')
  check(null, 'From: < ann@good.test>')
  check(null, 'From: <@evil.test:ann@good.test>')
  check(null, 'From: a@b@good.test')
  check(null, 'From: ann @good.test')
  check(null, 'From: ann@ good.test')
  check(null, 'From: ann@good.test.')
  check(null, 'From: ann@good.test x')
  check(null, 'From: ann@good.test (open')
  check(null, 'From: "open <ann@good.test>')
  check(null, 'From: a@xn--good-.test')
  check(null, 'From: a@good＠evil')
  check(null, 'From: =?utf-8?q?ann=40good.test?=')
  check(null, 'From: \u202eann@good.test')
  check(null, 'From: ann\0@good.test')
  check(null, 'From: a\rb <ann@good.test>')
})

test('fields that only some programs take for From', () => {
  check(null, 'From : ann@good.test')
  check(null, ' From: ann@good.test')
  check(null, ' From: b@evil.test', 'From: ann@good.test')
  check(null, 'From : b@evil.test', 'From: ann@good.test')
  check(null, 'From\0: b@evil.test', 'From: ann@good.test')
  check(null, '\xa0From: b@evil.test', 'From: ann@good.test')
  check(null, 'From b@evil.test Thu Jan  1 00:00:00 2026', 'From: ann@good.test')
  check(GOOD, 'junk', 'From: ann@good.test')
  check(GOOD, 'X-From: b@evil.test', 'From: ann@good.test')
})

test('any text in From gives an address that stands in it, or null', () => {
  const texts = fc.string({ unit: fc.constantFrom(...'ab@.<>(),;:"\\ []ü', '\r\n ', 'a@b'), maxLength: 30 })
  fc.assert(
    fc.property(texts, text => {
      const path = author(parseHeader(Buffer.from(`From: ${text}\r\n\r\n`)))
      if (path !== null) expect(text).toContain(path.localpart.replace(/["\\]/g, '\\$&'))
    }),
  )
})

/** `expected`: entries as "group/name/address", "?" for no address. */
function list(value: string, ...expected: string[]): void {
  const got = parseAddressList(value).map(
    e =>
      `${e.group === undefined ? '' : `${e.group}/`}${e.name}/${e.address === null ? '?' : formatAddress(e.address)}`,
  )
  expect(got, value).toEqual(expected)
}

test('address lists', () => {
  list('a@b', '/a@b')
  list('a@b, Bob <b@c>,, "C, D" <c@d>', '/a@b', 'Bob/b@c', 'C, D/c@d')
  list('=?utf-8?q?=C3=BC?= <a@b>', 'ü/a@b')
  list('a@b (Ann)', 'Ann/a@b')
  list('"a b"@c', '/"a b"@c')
  list('friends: a@b, Bob <b@c>; d@e', 'friends//a@b', 'friends/Bob/b@c', '/d@e')
  list('undisclosed-recipients:;', 'undisclosed-recipients//?')
  list('junk', 'junk/?')
  list('Ann <junk>', 'Ann/?')
  list('<junk>', 'junk/?')
  list('<a@b', '<a@b/?')
  list('"open, a@b', '"open, a@b/?')
  list('', ...[])
  const many = 'a@b,'.repeat(ADDRESS_LIST_ENTRIES)
  expect(parseAddressList(many).length).toBe(ADDRESS_LIST_ENTRIES)
  expect(parseAddressList(`${many}c@d`).length).toBe(ADDRESS_LIST_ENTRIES)
})

test('any text gives a list', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab@.<>(),;:"\\ =?'), maxLength: 60 }), text => {
      expect(Array.isArray(parseAddressList(text))).toBe(true)
    }),
  )
})
