// Replies of servers: row by row, whole and octet by octet; limits at the limit and one beyond.
import { expect, test } from 'vitest'
import { REPLY_LINE_OCTETS, REPLY_LINES, REPLY_OCTETS, ReplyParser } from '../../src/mail/index.ts'

/** "CODE [ENHANCED] text", lines joined by "/"; then the problem, or "…" in the middle of a reply. */
function read(input: string | Buffer, size: number, enhanced: boolean): string[] {
  const parser = new ReplyParser()
  parser.enhancedCodes = enhanced
  const bytes = Buffer.from(input as string)
  const said: string[] = []
  for (let at = 0; at < bytes.length; at += size)
    for (const reply of parser.push(bytes.subarray(at, at + size)))
      said.push(
        `${reply.code} ${reply.enhanced === '' ? '' : `[${reply.enhanced}] `}${reply.text.replaceAll('\n', '/')}`,
      )
  if (parser.problem !== undefined) said.push(parser.problem)
  else if (parser.partial) said.push('…')
  return said
}

function check(input: string | Buffer, ...expected: string[]): void {
  for (const size of [1e9, 1, 3]) expect(read(input, size, false), JSON.stringify(input)).toEqual(expected)
}
function checkEnhanced(input: string, ...expected: string[]): void {
  for (const size of [1e9, 1]) expect(read(input, size, true), JSON.stringify(input)).toEqual(expected)
}

test('replies', () => {
  check('220 mx.example.com ESMTP\r\n', '220 mx.example.com ESMTP')
  check('250-a\r\n250-b\r\n250 c\r\n', '250 a/b/c')
  check('250-a\r\n250\r\n', '250 a/')
  check('250\r\n', '250 ')
  check('250 \r\n', '250 ')
  check('250-\r\n250 x\r\n', '250 /x')
  check('250 a\n250 b\n', '250 a', '250 b')
  check('250 a\r\n354 b\r\n421 c\r\n', '250 a', '354 b', '421 c')
  check('250 a\r\n25', '250 a', '…')
  check('250-a\r\n', '…')
  check('', ...[])
  check('599 x\r\n', '599 x')
  check('200 x\r\n', '200 x')
})

test('what is no reply', () => {
  check('hello\r\n', 'not a reply')
  check('\r\n', 'not a reply')
  check('25 x\r\n', 'not a reply')
  check('2500 x\r\n', 'not a reply')
  check('250x\r\n', 'not a reply')
  check('250_x\r\n', 'not a reply')
  check('150 x\r\n', 'not a reply')
  check('600 x\r\n', 'not a reply')
  check('099 x\r\n', 'not a reply')
  check(' 250 x\r\n', 'not a reply')
  check('\u0662\u0665\u0660 x\r\n', 'not a reply')
  check('250 a\r\nGET / HTTP/1.1\r\n', '250 a', 'not a reply')
  check('250-a\r\n550 b\r\n', 'lines of one reply with different codes')
  check('250-a\r\n250-b\r\n251 c\r\n250 d\r\n', 'lines of one reply with different codes')
  check('250-a\r\nb\r\n', 'not a reply')
})

test('text is made fit to be shown', () => {
  check('550 a\tb\x07c\x1b[31m\r\n', '550 a b?c?[31m')
  check('550 a\rb\r\n', '550 a?b')
  check('550 a\0\r\n', '550 a?')
  check('550 \u00fcber\r\n', '550 \u00fcber')
  check('550 a\u202eb\u2028c\u0085d\r\n', '550 a?b?c?d')
  check(Buffer.from('550 \xfc\r\n', 'latin1'), '550 \ufffd')
  check('550 trailing   \r\n', '550 trailing')
})

test('enhanced codes', () => {
  check('250 2.1.0 ok\r\n', '250 2.1.0 ok')
  checkEnhanced('250 2.1.0 ok\r\n', '250 [2.1.0] ok')
  checkEnhanced('550-5.7.1 a\r\n550 5.7.1 b\r\n', '550 [5.7.1] a/b')
  checkEnhanced('550-5.7.1 a\r\n550 b\r\n', '550 [5.7.1] a/b')
  checkEnhanced('550-5.7.1 a\r\n550 5.7.2 b\r\n', '550 [5.7.1] a/5.7.2 b')
  checkEnhanced('550-a\r\n550 5.7.1 b\r\n', '550 a/5.7.1 b')
  checkEnhanced('550 5.7.1\r\n', '550 [5.7.1] ')
  checkEnhanced('550 5.007.01 x\r\n', '550 [5.7.1] x')
  checkEnhanced('550 4.7.1 x\r\n', '550 4.7.1 x')
  checkEnhanced('354 2.0.0 go\r\n', '354 2.0.0 go')
  checkEnhanced('550 5.7.1234 x\r\n', '550 5.7.1234 x')
  checkEnhanced('550 5.7 x\r\n', '550 5.7 x')
  checkEnhanced('550 5.7.1x\r\n', '550 5.7.1x')
  checkEnhanced('550 5.7.1 a\r\n550 b\r\n', '550 [5.7.1] a', '550 b')
})

test('limits', () => {
  const line = `250 ${'x'.repeat(REPLY_LINE_OCTETS - 6)}`
  const text = line.slice(4)
  check(`${line}\r\n`, `250 ${text}`)
  check(`${line}x\r\n`, 'a line of the reply is too long')
  check('2'.repeat(REPLY_LINE_OCTETS), '…')
  check('2'.repeat(REPLY_LINE_OCTETS + 1), 'a line of the reply is too long')

  expect(read(`${'250-x\r\n'.repeat(REPLY_LINES - 1)}250 x\r\n`, 1e9, false)[0]).toBe(
    `250 ${'x/'.repeat(REPLY_LINES - 1)}x`,
  )
  check(`${'250-x\r\n'.repeat(REPLY_LINES)}250 x\r\n`, 'too many lines in a reply')

  const octets = (n: number): string =>
    `${`250-${'x'.repeat(1018)}\r\n`.repeat(63)}250 ${'x'.repeat(n - 63 * 1024 - 6)}\r\n`
  expect(read(octets(REPLY_OCTETS), 1e9, false)[0]).toMatch(/^250 x/)
  check(octets(REPLY_OCTETS + 1), 'the reply is too long')
})

test('nothing is read after a problem', () => {
  const parser = new ReplyParser()
  expect(parser.push(Buffer.from('250 a\r\nx\r\n250 b\r\n'))).toEqual([{ code: 250, enhanced: '', text: 'a' }])
  expect(parser.push(Buffer.from('250 c\r\n'))).toEqual([])
  expect(parser.problem).toBe('not a reply')
})
