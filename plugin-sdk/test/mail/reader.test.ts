// The ingress reader: facts and limits row by row, and that the result does not depend on how the content is cut.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  CONTINUATION_LINES,
  HEADER_BYTES,
  HEADER_LINES,
  IngressReader,
  type IngressResult,
} from '../../src/mail/index.ts'

function read(content: string | Buffer, sizes: readonly number[] = [], maxSize: number = 1e9): IngressResult {
  const bytes = Buffer.from(content as string, 'latin1')
  const reader = new IngressReader({ maxSize })
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const end = at + (sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1))
    reader.push(bytes.subarray(at, end))
    at = end
  }
  return reader.finish()
}

const limits = (result: IngressResult): string => result.violations.map(v => v.limit).join()

test('facts', () => {
  const result = read('Subject: x\r\n\r\nlonger line\r\n')
  expect(result).toMatchObject({
    size: 27,
    lines: 3,
    longestLine: 11,
    has8bit: false,
    headHas8bit: false,
    hasNul: false,
  })
  expect(result).toMatchObject({ headLength: 14, headComplete: true, violations: [] })
  expect(result.headBytes.toString()).toBe('Subject: x\r\n\r\n')
  expect(result.hash).toBe(createHash('sha256').update('Subject: x\r\n\r\nlonger line\r\n').digest('hex'))
  expect(read('')).toMatchObject({ size: 0, lines: 0, headLength: 0, headComplete: false, violations: [] })
  expect(read('\r\nbody')).toMatchObject({ lines: 2, headLength: 2, headComplete: true })
  expect(read('A: b\r\n')).toMatchObject({ headLength: 6, headComplete: false })
  expect(read('A: b\r\n\r\n\xff\0')).toMatchObject({ has8bit: true, headHas8bit: false, hasNul: true })
  expect(read('A: \xe4\r\n\r\n')).toMatchObject({ has8bit: true, headHas8bit: true })
})

test('newlines', () => {
  const check = (content: string, expected: string): void => {
    expect(limits(read(content)), JSON.stringify(content)).toBe(expected)
    expect(limits(read(content, [1])), JSON.stringify(content)).toBe(expected)
  }
  check('a\r\n\r\nb\r\n', '')
  for (const bare of ['\n', '\r', '\n.\r\n', '\r\n.\n', '\r\r\n', '\n\r', '\r.\r\n', '\n\n', '\n..\r\n', '\r\n\r']) {
    check(`a: b\r\n\r\nc${bare}`, 'bare-newline')
    check(`a${bare}`, 'bare-newline')
  }
})

test('limits', () => {
  const check = (content: string, expected: string): void => expect(limits(read(content))).toBe(expected)
  const full = `${'a: b\r\n'.repeat(HEADER_LINES)}\r\n`
  check(`${full}body\r\nbody\r\n`, '')
  check(`a: b\r\n${full}`, 'headerLines')
  const folded = `a: b\r\n${' c\r\n'.repeat(CONTINUATION_LINES)}`
  check(`${folded}d: e\r\n${' f\r\n'.repeat(CONTINUATION_LINES)}\r\n`, '')
  check(`${folded}\tg\r\n\r\n`, 'continuationLines')
  const large = `a: ${'x'.repeat(HEADER_BYTES - 7)}\r\n\r\n`
  check(`${large}body`, '')
  expect(read(`${large}body`)).toMatchObject({ headLength: HEADER_BYTES, headComplete: true })
  check(`a${large}`, 'headerBytes')
  expect(read(`a${large}`)).toMatchObject({ headLength: HEADER_BYTES, headComplete: false })
  expect(limits(read('12345', [], 5))).toBe('')
  expect(limits(read('123456', [], 5))).toBe('size')
})

test('the first violation is known while reading', () => {
  const reader = new IngressReader({ maxSize: 3 })
  reader.push(Buffer.from('ab\r'))
  expect(reader.violation).toBeUndefined()
  reader.push(Buffer.from('\n'))
  expect(reader.violation).toEqual({ limit: 'size', text: 'message too large' })
})

test('the result does not depend on the chunks', () => {
  const pieces = fc.array(
    fc.constantFrom('\r', '\n', '\r\n', '\r\n', '\r\n\r\n', ' ', '\t', 'a: b', 'x', '\0', '\xff', '.'),
    {
      maxLength: 60,
    },
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(pieces, sizes, (parts, cuts) => {
      const content = parts.join('')
      const whole = read(content)
      expect(read(content, cuts)).toEqual(whole)
      expect(limits(whole)).toBe(/\r(?!\n)|(?<!\r)\n/.test(content) ? 'bare-newline' : '')
    }),
  )
})

test('large messages give the same in large chunks', () => {
  const content = `a: b\r\n\r\n${`${'x'.repeat(700)}\r\n`.repeat(1500)}`
  expect(read(content, [65_536])).toEqual(read(content))
  const head = `${`a: ${'x'.repeat(900)}\r\n`.repeat(400)}\r\n`
  expect(read(head, [1000])).toEqual(read(head))
})
