// Paths and addresses: the grammar row by row, and that what is formatted parses back to the same.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatAddress,
  formatPath,
  LOCALPART_OCTETS,
  PATH_OCTETS,
  parseAddress,
  parseLocalpart,
  parsePath,
  pathToString,
} from '../../src/mail/index.ts'

type Row = { kind?: 'reverse' | 'forward'; smtputf8?: boolean }

/** `expected`: "localpart|domain", null for the null path, or the refusal in brackets. */
function check(input: string, expected: string | null, { kind = 'forward', smtputf8 = false }: Row = {}): void {
  const result = parsePath(input, { kind, smtputf8 })
  const path = result.ok ? result.path : undefined
  const got = result.ok ? (path ? `${path.localpart}|${path.domain}` : null) : `(${result.error})`
  expect(got, JSON.stringify(input)).toBe(expected)
}

test('paths', () => {
  check('<a@b.test>', 'a|b.test')
  check('<A.b+c@B.Test>', 'A.b+c|b.test')
  check("<!#$%&'*+-/=?^_`{|}~@b.test>", "!#$%&'*+-/=?^_`{|}~|b.test")
  check('<a@[127.0.0.1]>', 'a|[127.0.0.1]')
  check('<>', null, { kind: 'reverse' })
  check('<>', '(empty forward-path)')
  check('<Postmaster>', 'Postmaster|')
  check('<postmaster>', '(no localpart and @)', { kind: 'reverse' })
  check('a@b.test', '(address not in angle brackets)')
  check('<a@b.test', '(address not in angle brackets)')
  check('', '(address not in angle brackets)')
  check('<', '(address not in angle brackets)')
  check('<a>', '(no localpart and @)')
  check('<@b.test>', '(bad source route)')
  check('<a@>', '(empty domain)')
  check('< a@b.test>', '(bad localpart)')
  check('<a@b.test >', '(bad domain)')
  check('<a@b@c>', '(bad domain)')
  check('<.a@b>', '(bad localpart)')
  check('<a.@b>', '(bad localpart)')
  check('<a..b@c>', '(bad localpart)')
  check('<a"b@x>', '(bad localpart)')
  check('<a(b)@x>', '(bad localpart)')
  check('<a,b@x>', '(bad localpart)')
  check('<a\\b@x>', '(bad localpart)')
  check('<a\0b@x>', '(bad localpart)')
  check('<a@x\r\n>', '(bad domain)')
  check('<a@gmail.xn--com->', '(bad domain)')
  check('<a@xn--a.test>', '(bad domain label)')
  check('<a@-x.test>', '(bad domain)')
})

test('quoted localparts', () => {
  check('<"a b"@x>', 'a b|x')
  check('<"a@b"@x>', 'a@b|x')
  check('<"a\\"b\\\\"@x>', 'a"b\\|x')
  check('<"abc"@x>', 'abc|x')
  check('<"a>b"@x>', 'a>b|x')
  check('<"a@x>', '(bad quoted localpart)')
  check('<"a"b@x>', '(no localpart and @)')
  check('<""@x>', '(bad quoted localpart)')
  check('<"a\tb"@x>', '(bad quoted localpart)')
  check('<"a\\ü"@x>', '(bad quoted localpart)', { smtputf8: true })
})

test('source routes', () => {
  check('<@a.test,@b.test:u@c.test>', 'u|c.test')
  check('<@[IPv6:::1]:u@c.test>', 'u|c.test')
  check('<@a:"x:y"@c>', 'x:y|c')
  check('<@a.test,b.test:u@c.test>', '(bad source route)')
  check('<@a_:u@c>', '(bad source route)')
  check('<@a:>', '(no localpart and @)')
  check('<@a,@b>', '(bad source route)')
  check('<@[1:u@c>', '(bad source route)')
})

test('lengths', () => {
  const local = 'l'.repeat(LOCALPART_OCTETS)
  check(`<${local}@x>`, `${local}|x`)
  check(`<${local}l@x>`, '(localpart too long)')
  check(`<${'ü'.repeat(LOCALPART_OCTETS / 2)}@x>`, `${'ü'.repeat(LOCALPART_OCTETS / 2)}|x`, { smtputf8: true })
  check(`<${'ü'.repeat(LOCALPART_OCTETS / 2)}l@x>`, '(localpart too long)', { smtputf8: true })
  const domain = `${'d'.repeat(63)}.`.repeat(4).slice(0, PATH_OCTETS - 4)
  check(`<a@${domain}>`, `a|${domain}`)
  check(`<aa@${domain}>`, '(path too long)')
})

test('SMTPUTF8', () => {
  const utf8 = { smtputf8: true }
  check('<ü@x>', '(non-ASCII localpart without SMTPUTF8)')
  check('<ü@x>', 'ü|x', utf8)
  check('<u\u0308@münchen.test>', 'ü|xn--mnchen-3ya.test', utf8)
  check('<"ü b"@x>', 'ü b|x', utf8)
  check('<\u212a@x>', 'K|x', utf8)
  check('<a\u037e@x>', 'a;|x', utf8)
  for (const c of [
    '\ufffd',
    '\u202e',
    '\u2066',
    '\u200b',
    '\u0085',
    '\u2028',
    '\u00a0',
    '\ufeff',
    '\ud800',
    '\u3000',
  ]) {
    check(`<a${c}b@x>`, '(bad character in localpart)', utf8)
  }
  expect(parsePath('<ü@x>', { kind: 'reverse', smtputf8: false })).toMatchObject({ needsUtf8: true })
})

test('addresses as typed', () => {
  const typed = (input: string, expected: string): void => {
    const result = parseAddress(input)
    expect(result.ok ? formatAddress(result.path) : `(${result.error})`).toBe(expected)
  }
  typed('Ann@Example.org', 'Ann@example.org')
  typed('ü@münchen.example', 'ü@xn--mnchen-3ya.example')
  typed('"a b"@x', '"a b"@x')
  typed('<a@b>', '(bad localpart)')
  typed('a', '(no localpart and @)')
  typed('a@b\r\nBcc: evil@e.test', '(bad domain)')
  typed('Foo <a@b>', '(bad localpart)')
})

test('display', () => {
  expect(pathToString({ localpart: 'a b', domain: 'xn--mnchen-3ya.example' })).toBe('"a b"@münchen.example')
  expect(pathToString({ localpart: 'postmaster', domain: '' })).toBe('postmaster')
  expect(pathToString(null)).toBe('')
  expect(formatPath(null)).toBe('<>')
})

test('what is formatted parses back to the same', () => {
  const localparts = fc.string({ unit: fc.constantFrom(...'aZ09.!"\\ @<>,:;()[]üé語'), minLength: 1, maxLength: 20 })
  const domains = fc.constantFrom('b.test', '[127.0.0.1]', '[IPv6:::1]', 'xn--mnchen-3ya.example')
  fc.assert(
    fc.property(localparts, domains, (localpart, domain) => {
      const path = { localpart, domain }
      expect(parsePath(formatPath(path), { kind: 'forward', smtputf8: true })).toEqual({ ok: true, path })
      expect(parseAddress(formatAddress(path))).toEqual({ ok: true, path })
    }),
  )
})

test('any text gives a result, and an accepted one survives formatting', () => {
  const hostile = fc.string({
    unit: fc.oneof(fc.constantFrom(...'<>@"\\.:,[]-xn ü\0'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  })
  fc.assert(
    fc.property(hostile, text => {
      const result = parsePath(`<${text}>`, { kind: 'reverse', smtputf8: true })
      if (result.ok) expect(parsePath(formatPath(result.path), { kind: 'reverse', smtputf8: true })).toEqual(result)
      parseLocalpart(text, true)
    }),
  )
})
