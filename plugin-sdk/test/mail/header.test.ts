// Header sections: fields, values, problems, limits; and fields that we write.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatField, HEADER_BYTES, HEADER_LINES, isToken, LINE_OCTETS, parseHeader } from '../../src/mail/index.ts'

/** `expected`: "Name=value" for each field. */
function check(text: string, expected: string[], problems: string[] = []): void {
  const head = parseHeader(Buffer.from(text, 'latin1'))
  expect(head.fields.map(f => `${f.name}=${f.value}`)).toEqual(expected)
  expect(head.problems.map(p => `${p.kind}@${p.offset}`)).toEqual(problems)
}

test('fields', () => {
  check('A: b\r\nC:d\r\n\r\nE: f\r\n', ['A=b', 'C=d'])
  check('A: b\r\n c\r\n\td\r\n\r\n', ['A=b c\td'])
  check('A:\r\n b\r\n\r\n', ['A=b'])
  check('A: b', ['A=b'])
  check('A:\r\n', ['A='])
  check('\r\nA: b\r\n', [])
  check('', [])
  check('A: \xc3\xbc\r\n', ['A=ü'])
  check('A: \xfc\r\n', ['A=ü'])
  check('A: b\r\n \r\n c\r\n', ['A=b  c'])
})

test('malformed lines are listed and skipped', () => {
  check('A: b\r\njunk\r\n more: x\r\nC: d\r\n', ['A=b', 'C=d'], ['no-colon@6'])
  check(' x: y\r\nA: b\r\n', ['A=b'], ['stray-continuation@0'])
  check('A b: c\r\n', [], ['bad-name@0'])
  check(': c\r\n', [], ['bad-name@0'])
  check('A : c\r\n', ['A=c'], ['space-before-colon@0'])
  check('A: b\nC: d\n\nE: f', ['A=b', 'C=d'], ['bare-newline@4'])
  check('A: b\rC: d\r\n', ['A=b C: d'], ['bare-newline@4'])
  check('A: b\0c\r\n', ['A=b c'], ['nul@4'])
})

test('access', () => {
  const head = parseHeader(Buffer.from('To: a\r\nX: 1\r\nTO: b\r\n c\r\n\r\nbody'))
  expect(head.get('to')).toBe('a')
  expect(head.get('none')).toBeUndefined()
  expect(head.all('tO').map(f => f.value)).toEqual(['a', 'b c'])
  expect(head.count('to')).toBe(2)
  expect(head.fields[2]?.raw.toString()).toBe('TO: b\r\n c\r\n')
  expect([head.length, head.complete]).toEqual([26, true])
})

test('limits', () => {
  const kinds = (text: string): string[] => parseHeader(Buffer.from(text)).problems.map(p => p.kind)
  const lines = 'A: b\r\n'.repeat(HEADER_LINES)
  expect(kinds(`${lines}\r\n`)).toEqual([])
  expect(kinds(`${lines}A: b\r\n\r\n`)).toEqual(['truncated'])
  const large = `A: ${'x'.repeat(HEADER_BYTES - 7)}\r\n\r\n`
  expect(kinds(large)).toEqual([])
  expect(kinds(`A${large}`)).toEqual(['truncated'])
  expect(parseHeader(Buffer.from('junk\r\n'.repeat(101))).problems.length).toBe(100)
})

test('fields that we write', () => {
  const writes = (name: string, value: string, expected: string): void =>
    expect(formatField(name, value)).toBe(expected)
  writes('A', 'b', 'A: b\r\n')
  writes('A', '', 'A:\r\n')
  writes('A', `${'x'.repeat(40)} ${'y'.repeat(40)}`, `A: ${'x'.repeat(40)}\r\n ${'y'.repeat(40)}\r\n`)
  writes('A', `${'x'.repeat(74)} y`, `A: ${'x'.repeat(74)}\r\n y\r\n`)
  writes('A', `${'x'.repeat(73)} y`, `A: ${'x'.repeat(73)} y\r\n`)
  const refuses = (name: string, value: string): void => expect(() => formatField(name, value)).toThrow(TypeError)
  for (const value of ['a\r\nBcc: b', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb']) refuses('A', value)
  for (const name of ['', 'X-é', 'a b', 'a:', 'a\r\n']) refuses(name, 'x')
  writes('A', 'x'.repeat(LINE_OCTETS - 1), `A:\r\n ${'x'.repeat(LINE_OCTETS - 1)}\r\n`)
  refuses('A', 'x'.repeat(LINE_OCTETS))
  expect([isToken('text'), isToken('a/b'), isToken(''), isToken('<a>')]).toEqual([true, false, false, false])
})

test('what is written reads back the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'word', ' ', '\t', 'ü', ':'), maxLength: 80 }), value => {
      const field = formatField('X-Test', value)
      const head = parseHeader(Buffer.from(`${field}\r\n`))
      expect(head.get('x-test')).toBe(value.replace(/^[ \t]+|[ \t]+$/g, ''))
      expect(head.problems).toEqual([])
    }),
  )
})

test('any bytes give fields in order', () => {
  const bytes = fc.string({
    unit: fc.constantFrom('\r\n', '\n', '\r', ':', ' ', 'From', '\0', '\xff', 'a'),
    maxLength: 60,
  })
  fc.assert(
    fc.property(bytes, text => {
      let last = 0
      const head = parseHeader(Buffer.from(text, 'latin1'))
      for (const field of head.fields) {
        expect(field.start).toBeGreaterThanOrEqual(last)
        expect(field.value).not.toMatch(/[\r\n\0]/)
        last = field.end
      }
      expect(last).toBeLessThanOrEqual(head.length)
    }),
  )
})
