// What goes on the wire for a message: against a slow and obvious reference, however it is cut; and faults.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONTENT_FAULTS, DotStuffer, LINE_OCTETS } from '../../src/mail/index.ts'

/** What is sent, or the fault. */
function send(content: string, cuts: readonly number[] = []): string {
  const stuffer = new DotStuffer()
  const bytes = Buffer.from(content, 'latin1')
  const out: Buffer[] = []
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    const to = Math.min(Math.max(cut, at), bytes.length)
    out.push(stuffer.push(bytes.subarray(at, to)))
    at = to
  }
  const end = stuffer.end()
  if (stuffer.fault !== undefined) {
    expect(end).toBeUndefined()
    expect(stuffer.push(Buffer.from('more')).length).toBe(0)
    return stuffer.fault
  }
  expect(stuffer.size).toBe(bytes.length)
  return Buffer.concat([...out, end!]).toString('latin1')
}

function reference(content: string): string {
  if (/\r(?!\n)|(?<!\r)\n/.test(content)) return 'bare-newline'
  const lines = content.split('\r\n')
  if (lines.at(-1) === '') lines.pop()
  return `${lines.map(line => (line.startsWith('.') ? `.${line}` : line) + '\r\n').join('')}.\r\n`
}

function check(content: string, expected: string): void {
  const every = [...content].map((_, i) => i)
  expect(send(content), JSON.stringify(content)).toBe(expected)
  expect(send(content, every), JSON.stringify(content)).toBe(expected)
}

test('rows', () => {
  check('', '.\r\n')
  check('a', 'a\r\n.\r\n')
  check('a\r\n', 'a\r\n.\r\n')
  check('\r\n', '\r\n.\r\n')
  check('.', '..\r\n.\r\n')
  check('.\r\n', '..\r\n.\r\n')
  check('..\r\n.a\r\nb.\r\n', '...\r\n..a\r\nb.\r\n.\r\n')
  check('a\r\n.\r\nMAIL FROM:<x@y>\r\n', 'a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n')
  check('\xff\xfe\r\n', '\xff\xfe\r\n.\r\n')
})

test('faults', () => {
  for (const bare of [
    '\n',
    '\r',
    'a\n',
    'a\r',
    '\n.\r\n',
    '\r\r\n',
    '\n\r',
    '\r.\r\n',
    '\r\n\n',
    '\r\n\r',
    'a\r\nb\rc\r\n',
  ])
    check(`${bare}`, 'bare-newline')
  check('a\0b\r\n', 'nul')
  check('x'.repeat(LINE_OCTETS), `${'x'.repeat(LINE_OCTETS)}\r\n.\r\n`)
  check(`${'x'.repeat(LINE_OCTETS)}\r\n`, `${'x'.repeat(LINE_OCTETS)}\r\n.\r\n`)
  check(`a\r\n.${'x'.repeat(LINE_OCTETS - 1)}\r\n`, `a\r\n..${'x'.repeat(LINE_OCTETS - 1)}\r\n.\r\n`)
  check(`${'x'.repeat(LINE_OCTETS + 1)}\r\n`, 'line')
  check(`a\r\n${'x'.repeat(LINE_OCTETS + 1)}`, 'line')
  expect(CONTENT_FAULTS.line).toBe('a line of more than 998 octets')
})

const pieces = fc
  .array(fc.constantFrom('\r\n', '\r\n', '\r\n.', '.', 'x', 'x'.repeat(40), '\r', '\n'), { maxLength: 40 })
  .map(parts => parts.join(''))
const good = fc.array(fc.constantFrom('\r\n', '.', 'x', '\r\n.'), { maxLength: 40 }).map(parts => parts.join(''))

test('the same as the reference, cut anywhere', () => {
  const cuts = fc.array(fc.nat(300), { maxLength: 8 }).map(list => list.sort((a, b) => a - b))
  fc.assert(
    fc.property(fc.oneof(pieces, good), cuts, (content, at) => {
      expect(send(content, at)).toBe(reference(content))
    }),
    { numRuns: 3000, seed: 1 },
  )
})

test('windows of a large chunk join', () => {
  for (const length of [76, 255, 511, 64]) {
    const content = `${'.'.padEnd(length, 'x')}\r\n`.repeat(20_000)
    expect(send(content) === reference(content), `${length}`).toBe(true)
  }
})

test('20 MB of dots and other patterns in linear time', () => {
  for (const unit of ['.\r\n', '\r\n', `${'x'.repeat(76)}\r\n`, `${'x'.repeat(LINE_OCTETS)}\r\n`]) {
    const chunk = Buffer.from(unit.repeat(Math.ceil(65_536 / unit.length)))
    const stuffer = new DotStuffer()
    const started = performance.now()
    for (let at = 0; at < 20_000_000; at += chunk.length) stuffer.push(chunk)
    expect(stuffer.fault).toBeUndefined()
    // 15 to 600 ms on the reference machine; anything worse than linear takes minutes.
    expect(performance.now() - started).toBeLessThan(10_000)
  }
})
