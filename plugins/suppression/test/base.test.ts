// Which spellings are one address.
import { deepStrictEqual } from 'node:assert'
import { samplePath } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { formsFor, listedOf, parseListed } from '../src/base.ts'
import { options, rulesOf } from '../src/options.ts'

const rules = rulesOf(options.parse({ domains: { 'corp.example': { separators: ['-', '+'], dots: true } } }).domains)

test('base forms', () => {
  const check = (address: string, expected: string) =>
    deepStrictEqual(listedOf(samplePath(address), rules).base, expected, address)
  check('Bob@example.com', 'bob@example.com')
  check('anna-marie@example.com', 'anna-marie@example.com')
  check('bob+shop@example.com', 'bob+shop@example.com')
  check('b.o.b@example.com', 'b.o.b@example.com')
  check('B.o.b+Shop@gmail.com', 'bob@gmail.com')
  check('b.ob@googlemail.com', 'bob@gmail.com')
  check('b.ob+x+y@outlook.com', 'b.ob@outlook.com')
  check('b.o-x+y@corp.example', 'bo@corp.example')
  check('b+x-y@corp.example', 'b@corp.example')
  // A separator in front leaves the localpart alone; so do quotes.
  check('+x@gmail.com', '+x@gmail.com')
  check('-x@corp.example', '-x@corp.example')
  check('"..."@gmail.com', '"..."@gmail.com')
  check('"a b"@gmail.com', '"a b"@gmail.com')
  check('BÜ@☺.example', 'bü@xn--74h.example')
  check('a@[192.0.2.1]', 'a@[192.0.2.1]')
})

test('what is looked up for a recipient', () => {
  const check = (address: string, ...expected: string[]) =>
    deepStrictEqual(formsFor(samplePath(address), rules), expected, address)
  check('bob@example.com', 'bob@example.com', '@example.com')
  check('Bo.b@gmail.com', 'bob@gmail.com', 'bo.b@gmail.com', '@gmail.com')
  check('bob@googlemail.com', 'bob@gmail.com', 'bob@googlemail.com', '@googlemail.com', '@gmail.com')
})

test('addresses of the list', () => {
  const check = (text: string, expected: string | RegExp) => {
    const parsed = parseListed(text, rules)
    if (typeof expected === 'string') deepStrictEqual(parsed.ok && parsed.listed.address, expected)
    else deepStrictEqual(!parsed.ok && expected.test(parsed.problem), true, text)
  }
  check('Bob@Example.com', 'Bob@example.com')
  check('@Example.COM', '@example.com')
  check('@bücher.example', '@xn--bcher-kva.example')
  check('', /"" is no address/)
  check('bob', /write one such as "bob@example\.com"/)
  check('@', /empty domain/)
  check('@a_b', /bad domain/)
  check('bob@example.com, eve@example.com', /bad domain/)
  check(`${'x'.repeat(65)}@example.com`, /localpart too long/)
  check('x'.repeat(100_000), /^"x{100}" is no address/)
})
