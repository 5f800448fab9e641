// Encoded words, charsets and parameters.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCharset, decodeWords, encodeWords, PARAMETER_SEGMENTS, parseParameters } from '../../src/mail/index.ts'

test('encoded words', () => {
  const check = (input: string, expected: string): void => expect(decodeWords(input), input).toBe(expected)
  check('plain', 'plain')
  check('=?utf-8?q?a_b=C3=BC?=', 'a bü')
  check('=?UTF-8?B?w7w=?=', 'ü')
  check('=?iso-8859-1?q?=FC?= x', 'ü x')
  check('=?iso-8859-1*de?q?=FC?=', 'ü')
  check('=?utf-8?q?a?= =?utf-8?q?b?=', 'ab')
  check('=?utf-8?q?a?= x =?utf-8?q?b?=', 'a x b')
  check('=?utf-8?q?=C3?= =?utf-8?q?=BC?=', 'ü')
  check('=?utf-8?q?=C3=BC?= =?iso-8859-1?q?=FC?=', 'üü')
  check('=?gb2312?b?xOO6ww==?=', '你好')
  check('=?x-unknown?q?=E9?=', 'é')
  check('=?utf-8?q?open', '=?utf-8?q?open')
  check('=?utf-8?x?a?=', '=?utf-8?x?a?=')
  check('=?utf-8?q?=zz?=', '=zz')
  check('=?utf-8?Q?=0D=0ABcc:_a=00?=', '  Bcc: a ')
  check('=?utf-8?q?=FF?=', '\ufffd')
})

test('encoded words that we write', () => {
  const check = (input: string, expected: string): void => expect(encodeWords(input)).toBe(expected)
  check('plain text', 'plain text')
  check('two  spaces', 'two  spaces')
  check('a ü b', 'a =?UTF-8?B?w7w=?= b')
  check('=?x', '=?UTF-8?B?PT94?=')
  const words = encodeWords('語'.repeat(100)).split(' ')
  expect(words.length).toBe(7)
  expect(Math.max(...words.map(word => word.length))).toBeLessThanOrEqual(75)
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'ü', '語', '=?', ' ', '💩'), maxLength: 80 }), text => {
      expect(decodeWords(encodeWords(text))).toBe(text)
    }),
  )
})

test('any bytes in any charset decode', () => {
  const charsets = fc.constantFrom('utf-8', 'gb18030', 'iso-2022-jp', 'utf-16', 'replacement', '', 'x'.repeat(100))
  fc.assert(
    fc.property(fc.uint8Array(), charsets, fc.string({ unit: 'binary' }), (bytes, charset, text) => {
      expect(typeof decodeCharset(bytes, charset)).toBe('string')
      expect(typeof decodeWords(`=?${charset}?b?${text}?= ${text}`)).toBe('string')
    }),
  )
})

/** `expected`: the value, then "name=value". */
function parameters(input: string, ...expected: string[]): void {
  const { value, params } = parseParameters(input)
  expect([value, ...[...params].map(([k, v]) => `${k}=${v}`)], input).toEqual(expected)
}

test('parameters', () => {
  parameters('text/plain', 'text/plain')
  parameters('Text/Plain; Charset=UTF-8; format=flowed', 'text/plain', 'charset=UTF-8', 'format=flowed')
  parameters('text/plain (c); charset=us-ascii (Plain text)', 'text/plain', 'charset=us-ascii')
  parameters('a/b; x="q;\\"r"; y=1', 'a/b', 'x=q;"r', 'y=1')
  parameters('a/b; name=my file.txt', 'a/b', 'name=my file.txt')
  parameters('a/b; x=1; X=2; junk; =3; y', 'a/b', 'x=1')
  parameters('a/b; x="open', 'a/b', 'x=open')
  parameters('', '')
  parameters(';;;', '')
  parameters('a/b; __proto__=1', 'a/b', '__proto__=1')
})

test('continuations and charsets', () => {
  parameters("a; filename*=utf-8'en'%C3%BC.txt", 'a', 'filename=ü.txt')
  parameters("a; filename=u.txt; filename*=utf-8''%C3%BC.txt", 'a', 'filename=ü.txt')
  parameters('a; x*0=one; x*1=two', 'a', 'x=onetwo')
  parameters("a; x*1*=%BC; x*2=.txt; x*0*=utf-8''%C3", 'a', 'x=ü.txt')
  parameters('a; x*0=one; x*2=three', 'a', 'x=one')
  parameters('a; x*1=two', 'a')
  parameters("a; x*=iso-8859-1''%FC%zz", 'a', 'x=ü%zz')
  const segments = Array.from({ length: PARAMETER_SEGMENTS }, (_, i) => `; x*${i}=a`).join('')
  parameters(`a${segments}`, 'a', `x=${'a'.repeat(PARAMETER_SEGMENTS)}`)
  parameters(`a${segments}; y=1; x*${PARAMETER_SEGMENTS}=a`, 'a', `x=${'a'.repeat(PARAMETER_SEGMENTS)}`)
})

test('any text gives parameters', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab;=*01"\\\'%(/ ü'), maxLength: 60 }), text => {
      expect(parseParameters(text).params).toBeInstanceOf(Map)
    }),
  )
})
