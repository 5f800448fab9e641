// The end of a message and its dots, against a slow and obvious reference, however the input is cut.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DotReader } from '../src/dots.ts'

/** Splits lines at CRLF only; null when the message does not end. */
function reference(input: string): { content: string; rest: string } | null {
  let content = ''
  for (let at = 0; ; ) {
    const end = input.indexOf('\r\n', at)
    if (end < 0) return null
    const line = input.slice(at, end)
    at = end + 2
    if (line === '.') return { content, rest: input.slice(at) }
    content += `${line.startsWith('.') ? line.slice(1) : line}\r\n`
  }
}

function read(input: string, cuts: readonly number[]): { content: string; rest: string } | null {
  const reader = new DotReader()
  const bytes = Buffer.from(input, 'latin1')
  let content = ''
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    const to = Math.min(Math.max(cut, at), bytes.length)
    const chunk = Buffer.from(bytes.subarray(at, to))
    const { content: pieces, end } = reader.push(chunk)
    content += Buffer.concat(pieces).toString('latin1')
    if (end >= 0) return { content, rest: input.slice(at + end) }
    at = to
  }
  return null
}

function check(input: string, content: string | null, rest: string = ''): void {
  const expected = content === null ? null : { content, rest }
  expect(read(input, [])).toEqual(expected)
  expect(
    read(
      input,
      [...input].map((_, i) => i),
    ),
  ).toEqual(expected)
}

test('rows', () => {
  check('.\r\n', '')
  check('.\r\nQUIT\r\n', '', 'QUIT\r\n')
  check('a\r\n.\r\n', 'a\r\n')
  check('..\r\n.\r\n', '.\r\n')
  check('..a\r\n...\r\n.\r\n', '.a\r\n..\r\n')
  check('.a\r\n.\r\n', 'a\r\n')
  check('a.\r\n.\r\n', 'a.\r\n')
  check('a\n.\r\n.\r\n', 'a\n.\r\n')
  check('a\n..\r\n.\r\n', 'a\n..\r\n')
  check('a\r.\r\n.\r\n', 'a\r.\r\n')
  check('a\r\n.\n.\r\n.\r\n', 'a\r\n\n.\r\n')
  check('a\r\n.\rb\r\n.\r\n', 'a\r\n\rb\r\n')
  check('a\r\n.\r\r\n.\r\n', 'a\r\n\r\r\n')
  check('a\r\n.\r', null)
  check('a\r\n.', null)
  check('', null)
})

const dense = fc.string({ unit: fc.constantFrom('\r\n', '\r', '\n', '.', 'x', '\r\n.'), maxLength: 60 })
const sparse = fc
  .array(fc.tuple(fc.constantFrom('x'.repeat(200), 'x'.repeat(127), 'x'.repeat(128), 'x'), dense), { maxLength: 6 })
  .map(parts => parts.map(([long, short]) => long + short).join(''))

test('the same as the reference, cut anywhere', () => {
  const cuts = fc.array(fc.nat(1200), { maxLength: 12 }).map(list => list.sort((a, b) => a - b))
  fc.assert(
    fc.property(fc.oneof(dense, sparse), cuts, (input, at) => {
      const ended = `${input}\r\n.\r\nrest`
      expect(read(ended, at)).toEqual(reference(ended))
      const result = reference(input)
      if (result === null) expect(read(input, at)).toBeNull()
    }),
    { numRuns: 3000, seed: 1 },
  )
})

test('20 MB of stuffed dots and other patterns in linear time', () => {
  for (const unit of ['..\r\n', '\r\n', '.\r', '.\r\r\n', `${'x'.repeat(130)}\r\n..`, 'x']) {
    const chunk = unit.repeat(Math.ceil(65_536 / unit.length))
    const reader = new DotReader()
    const started = performance.now()
    for (let at = 0; at < 20_000_000; at += chunk.length) reader.push(Buffer.from(chunk, 'latin1'))
    // 20 to 200 ms on the reference machine; anything worse than linear takes minutes.
    expect(performance.now() - started).toBeLessThan(5_000)
  }
})
