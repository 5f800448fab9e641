// Domain names and literals: rows of input and what they become, or the refusal.
import { expect, test } from 'vitest'
import { DOMAIN_OCTETS, displayDomain, LABEL_OCTETS, parseDomain, sameDomain } from '../../src/mail/index.ts'

function check(input: string, expected: string | { refused: string }, smtputf8: boolean = true): void {
  const result = parseDomain(input, { smtputf8 })
  expect(result.ok ? result.domain : { refused: result.error }, JSON.stringify(input)).toEqual(expected)
}
const bad = (refused: string): { refused: string } => ({ refused })

test('names', () => {
  check('example.org', 'example.org')
  check('EXAMPLE.Org', 'example.org')
  check('localhost', 'localhost')
  check('3com.example', '3com.example')
  check('a--b.example', 'a--b.example')
  check('', bad('empty domain'))
  check('example.org.', bad('bad domain'))
  check('.example.org', bad('bad domain'))
  check('a..b', bad('bad domain'))
  check('-x.test', bad('bad domain'))
  check('x-.test', bad('bad domain'))
  check('a_b.test', bad('bad domain'))
  check('a b.test', bad('bad domain'))
  check('ex%61mple.org', bad('bad domain'))
  check('a/b', bad('bad domain'))
  check('a@b', bad('bad domain'))
  check('127.0.0.1', bad('domain ends in a number'))
  check('0x7f.1', bad('domain ends in a number'))
})

test('lengths', () => {
  const label = 'a'.repeat(LABEL_OCTETS)
  check(`${label}.test`, `${label}.test`)
  check(`${label}a.test`, bad('bad domain label'))
  const longest = `${label}.${label}.${label}.${'b'.repeat(DOMAIN_OCTETS - 3 * (LABEL_OCTETS + 1))}`
  check(longest, longest)
  check(`${longest}b`, bad('domain too long'))
  check(`${'ü'.repeat(58)}.test`, bad('bad domain label'))
})

test('international names', () => {
  check('münchen.example', 'xn--mnchen-3ya.example')
  check('MÜNCHEN.example', 'xn--mnchen-3ya.example')
  check('mu\u0308nchen.example', 'xn--mnchen-3ya.example')
  check('XN--MNCHEN-3YA.example', 'xn--mnchen-3ya.example')
  check('faß.example', 'xn--fa-hia.example')
  check('例え.テスト', 'xn--r8jz45g.xn--zckzah')
  check('münchen.example', bad('non-ASCII domain without SMTPUTF8'), false)
  check('gmail.xn--com-', bad('bad domain'))
  check('gmail.xn--com-.test', bad('bad domain'))
  check('xn--a.test', bad('bad domain label'))
  check('xn--.test', bad('bad domain'))
  check('xn--good-.test', bad('bad domain'))
  check('xn--mnchen-.test', bad('bad domain'))
  check('xn--MNCHEN-99999999.test', bad('bad domain label'))
  check('good＠evil', bad('bad domain label'))
  check('ｅxample.org', bad('bad domain label'))
  check('ex\u00adample.org', bad('bad domain label'))
  check('a\u200db.test', bad('bad domain label'))
  check('\u202eabc.test', bad('bad domain label'))
  check('a。ü', bad('bad domain label'))
  check('ü%2e.test', bad('bad domain label'))
  check('ü:80.test', bad('bad domain label'))
  check('-x.ü', bad('bad domain label'))
  check('\ufffd.test', bad('bad domain label'))
  check('\ud800.test', bad('bad domain label'))
})

test('address literals', () => {
  check('[127.0.0.1]', '[127.0.0.1]')
  check('[IPv6:2001:DB8:0:0::1]', '[IPv6:2001:db8::1]')
  check('[ipv6:::1]', '[IPv6:::1]')
  check('[127.0.0.256]', bad('bad address literal'))
  check('[127.0.0.1', bad('bad address literal'))
  check('[::1]', bad('bad address literal'))
  check('[IPv6:fe80::1%eth0]', bad('bad address literal'))
  check('[x:y]', bad('bad address literal'))
})

test('equality', () => {
  const same = (a: string, b: string, expected: boolean): void => expect(sameDomain(a, b), `${a} ${b}`).toBe(expected)
  same('Example.ORG', 'example.org', true)
  same('münchen.example', 'xn--mnchen-3ya.example', true)
  same('a.example', 'b.example', false)
  same('a..b', 'a..b', false)
})

test('display', () => {
  const shows = (input: string, expected: string): void => expect(displayDomain(input)).toBe(expected)
  shows('example.org', 'example.org')
  shows('xn--mnchen-3ya.example', 'münchen.example')
  shows('xn--r8jz45g.xn--zckzah', '例え.テスト')
  shows('xn--80ak6aa92e.com', 'xn--80ak6aa92e.com')
  shows('xn--com-.test', 'xn--com-.test')
  shows('[127.0.0.1]', '[127.0.0.1]')
})
