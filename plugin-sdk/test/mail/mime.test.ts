// MIME structure: whole trees as rows of text, broken ones included; bodies, texts and file names.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BOUNDARY_LENGTH,
  decodeBody,
  decodeText,
  MIME_DEPTH,
  MIME_PARTS,
  type Part,
  parseStructure,
  safeFilename,
  textParts,
} from '../../src/mail/index.ts'

/** Every part as "path type body" with its problems; bodies of leaves only. */
function flatten(bytes: Buffer, part: Part): string[] {
  const leaf = part.children.length === 0 && part.message === undefined
  const body = leaf ? ` ${JSON.stringify(bytes.toString('latin1', part.bodyStart, part.end))}` : ''
  const problems = part.problems.length > 0 ? ` !${part.problems.join()}` : ''
  const inner = part.message === undefined ? part.children : [part.message]
  return [`${part.path} ${part.contentType}${body}${problems}`, ...inner.flatMap(child => flatten(bytes, child))]
}

function check(lines: string[], ...expected: string[]): void {
  const bytes = Buffer.from(lines.join('\r\n'), 'latin1')
  expect(flatten(bytes, parseStructure(bytes))).toEqual(expected)
}

const mixed = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"`

test('structure', () => {
  check(['Subject: x', '', 'body', ''], '1 text/plain "body\\r\\n"')
  check(
    [mixed('b'), '', 'preamble', '--b', '', 'one', '--b', 'Content-Type: text/html', '', 'two', '', '--b--', 'end'],
    ' multipart/mixed',
    '1 text/plain "one"',
    '2 text/html "two\\r\\n"',
  )
  check(
    [mixed('a'), '', '--a', mixed('ab'), '', '--ab', '', 'x', '--ab--', '--a', '', 'y', '--a--'],
    ' multipart/mixed',
    '1 multipart/mixed',
    '1.1 text/plain "x"',
    '2 text/plain "y"',
  )
  check(
    [mixed('a'), '', '--a', 'Content-Type: message/rfc822', '', mixed('b'), '', '--b', '', 'x', '--b--', '--a--'],
    ' multipart/mixed',
    '1 message/rfc822',
    '1.TEXT multipart/mixed',
    '1.1 text/plain "x"',
  )
  check(['Content-Type: message/rfc822', '', 'Subject: x', '', 'y'], '1 message/rfc822', '1.1 text/plain "y"')
  check(
    ['Content-Type: multipart/digest; boundary=d', '', '--d', '', 'Subject: x', '', 'y', '--d--'],
    ' multipart/digest',
    '1 message/rfc822',
    '1.1 text/plain "y"',
  )
  check([mixed('b'), '', '--b  ', '', 'x', '--b-- \t', '--b', 'not a part'], ' multipart/mixed', '1 text/plain "x"')
  check([mixed('b--'), '', '--b--', '', 'x', '--b----'], ' multipart/mixed', '1 text/plain "x"')
})

test('broken structure', () => {
  check(['no header at all'], '1 text/plain "" !bad-header')
  check([''], '1 text/plain ""')
  check([mixed('b'), '', 'text'], ' multipart/mixed "text" !no-parts')
  check([mixed('b'), '', '--b--'], ' multipart/mixed "--b--" !no-parts')
  check([mixed('b'), '', '--b', '', 'x'], ' multipart/mixed !unclosed', '1 text/plain "x"')
  check(
    [mixed('a'), '', '--a', mixed('b'), '', '--b', '', 'x', '--a--'],
    ' multipart/mixed',
    '1 multipart/mixed !unclosed',
    '1.1 text/plain "x"',
  )
  check(
    [mixed('a'), '', '--a', mixed('b'), '--a', '', 'x', '--a--'],
    ' multipart/mixed',
    '1 multipart/mixed "" !no-parts',
    '2 text/plain "x"',
  )
  check(
    [mixed('a'), '', '--a', '--a', 'Content-Type: text/html', '--a--'],
    ' multipart/mixed',
    '1 text/plain ""',
    '2 text/html ""',
  )
  check(
    [mixed('a'), '', '--a', mixed('a'), '', '--a', '', 'x', '--a--', '--a', '', 'y', '--a--'],
    ' multipart/mixed',
    '1 multipart/mixed',
    '1.1 text/plain "x"',
    '2 text/plain "y"',
  )
  check(['Content-Type: multipart/mixed', '', 'x'], ' multipart/mixed "x" !no-boundary')
  check(['Content-Type: text', '', 'x'], '1 text/plain "x" !bad-content-type')
  check(['Content-Type: <script>/x', '', 'x'], '1 text/plain "x" !bad-content-type')
  check(['Content-Transfer-Encoding: x-uu', '', 'x'], '1 text/plain "x" !bad-encoding')
  check(
    [mixed('b'), 'Content-Transfer-Encoding: base64', '', '--b', '', 'x', '--b--'],
    ' multipart/mixed !bad-encoding',
    '1 text/plain "x"',
  )
  check(['Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', 'eDp5'], '1 message/rfc822 "eDp5"')
  check([`${mixed('b')}\n\n--b\n\nx\n--b--\n`], ' multipart/mixed !bad-header', '1 text/plain "x" !bad-header')
  check(
    [mixed('x'.repeat(BOUNDARY_LENGTH)), '', `--${'x'.repeat(BOUNDARY_LENGTH)}--`].concat(''),
    ` multipart/mixed ${JSON.stringify(`--${'x'.repeat(BOUNDARY_LENGTH)}--\r\n`)} !no-parts`,
  )
  check([mixed('x'.repeat(BOUNDARY_LENGTH + 1)), '', 'x'], ' multipart/mixed "x" !no-boundary')
})

test('limits', () => {
  const nested = (levels: number): Part =>
    parseStructure(Buffer.from(`${'Content-Type: message/rfc822\r\n\r\n'.repeat(levels)}Subject: x\r\n\r\nbody`))
  const deepest = (part: Part): Part => (part.message === undefined ? part : deepest(part.message))
  expect(deepest(nested(MIME_DEPTH)).problems).toEqual([])
  expect(deepest(nested(MIME_DEPTH)).contentType).toBe('text/plain')
  expect(deepest(nested(MIME_DEPTH + 1)).problems).toEqual(['too-deep'])
  const wide = (parts: number): Part =>
    parseStructure(Buffer.from(`${mixed('b')}\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(parts)}--b--\r\n`))
  expect([wide(MIME_PARTS - 1).children.length, wide(MIME_PARTS - 1).problems]).toEqual([MIME_PARTS - 1, []])
  expect([wide(MIME_PARTS).children.length, wide(MIME_PARTS).problems]).toEqual([
    MIME_PARTS - 1,
    ['too-many-parts', 'unclosed'],
  ])
})

test('what a part says of itself', () => {
  const text = [
    'Content-Type: image/PNG; name=x.png',
    'Content-Disposition: attachment; filename="=?utf-8?q?=C3=BC.png?="',
    'Content-Transfer-Encoding: BASE64',
    'Content-ID: <id@x>',
    'Content-Description: =?utf-8?q?=C3=BC?=',
    '',
    'eA==',
    'x',
  ].join('\r\n')
  expect(parseStructure(Buffer.from(text))).toMatchObject({
    contentType: 'image/png',
    filename: 'ü.png',
    disposition: 'attachment',
    encoding: 'base64',
    contentId: 'id@x',
    description: 'ü',
    size: 7,
    lines: 2,
  })
})

function body(encoding: string, text: string, type: string = 'text/plain'): { raw: string; text: string } {
  const head = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`
  const bytes = Buffer.from(head + text, 'latin1')
  const part = parseStructure(bytes)
  return { raw: decodeBody(bytes, part).toString('latin1'), text: decodeText(bytes, part) }
}

test('bodies', () => {
  const decodes = (encoding: string, text: string, expected: string): void =>
    expect(body(encoding, text).raw, text).toBe(expected)
  decodes('7bit', 'a=20b', 'a=20b')
  decodes('base64', 'YWJj\r\nZGVm\r\n', 'abcdef')
  decodes('base64', 'YQ==\r\nYg==\r\n', 'ab')
  decodes('base64', 'Y!W\r\n*Jj', 'abc')
  decodes('base64', '====', '')
  decodes('quoted-printable', 'a=20b=C3=bc\r\n', 'a b\xc3\xbc\r\n')
  decodes('quoted-printable', 'soft=\r\nbreak= \t\r\nx=\ny=', 'softbreakxy')
  decodes('quoted-printable', 'trailing \t\r\nkept=20\r\nlf  \n', 'trailing\r\nkept \r\nlf\n')
  decodes('quoted-printable', 'bad=zz=4 =\rx', 'bad=zz=4 =\rx')
})

test('texts', () => {
  const reads = (type: string, text: string, expected: string): void =>
    expect(body('8bit', text, type).text).toBe(expected)
  reads('text/plain', '\xc3\xbc', 'ü')
  reads('text/plain', '\xfc', 'ü')
  reads('text/plain; charset=us-ascii', '\xc3\xbc', 'ü')
  reads('text/plain; charset=iso-8859-1', '\xc3\xbc', 'Ã¼')
  reads('text/plain; charset=koi8-r', '\xc1', 'а')
  reads('text/plain; charset=unknown', '\xfc', 'ü')
})

test('readable parts and attachments', () => {
  const part = (type: string, more: string[] = []): string[] => ['--a', `Content-Type: ${type}`, ...more, '', 'x']
  const find = (lines: string[]): string => {
    const { text, html, attachments } = textParts(parseStructure(Buffer.from(lines.join('\r\n'))))
    return `${text?.path ?? '-'} ${html?.path ?? '-'} ${attachments.map(p => p.path).join()}`
  }
  expect(find(['', 'x'])).toBe('1 - ')
  expect(find(['Content-Type: image/png', '', 'x'])).toBe('- - 1')
  const attached = ['Content-Disposition: attachment']
  expect(
    find([
      mixed('a'),
      '',
      ...part('text/plain', attached),
      ...part('text/plain'),
      ...part('text/html'),
      ...part('text/html'),
      ...part('message/rfc822'),
      '--a--',
    ]),
  ).toBe('2 3 1,4,5')
})

test('file names', () => {
  const shows = (name: string, expected: string): void => expect(safeFilename(name)).toBe(expected)
  shows('a.txt', 'a.txt')
  shows('../../etc/passwd', 'passwd')
  shows('C:\\x\\y.exe', 'y.exe')
  shows('a\0b\r\nc.txt', 'abc.txt')
  shows('gpj\u202etxt.exe', 'gpjtxt.exe')
  shows(' a \t b ', 'a b')
  shows('..', 'unnamed')
  shows('x/', 'unnamed')
  shows('x'.repeat(200), 'x'.repeat(200))
  shows(`${'x'.repeat(200)}.txt`, `${'x'.repeat(179)}…${'x'.repeat(16)}.txt`)
})

function checkNesting(part: Part, from: number, to: number): void {
  expect(part.start).toBeGreaterThanOrEqual(from)
  expect(part.bodyStart).toBeGreaterThanOrEqual(part.start)
  expect(part.end).toBeGreaterThanOrEqual(part.bodyStart)
  expect(part.end).toBeLessThanOrEqual(to)
  let at = part.bodyStart
  for (const child of part.message === undefined ? part.children : [part.message]) {
    checkNesting(child, at, part.end)
    at = child.end
  }
}

test('any bytes give ranges that nest, and bodies that decode', () => {
  const pieces = fc.constantFrom(
    '\r\n',
    '\r\n',
    '\r\n\r\n',
    '\n',
    '--a',
    '--b',
    '--a--',
    '--b--',
    'text',
    ' ',
    '=',
    '=3D',
    'Content-Type: ',
    mixed('a'),
    mixed('b'),
    'Content-Type: message/rfc822',
    'Content-Transfer-Encoding: base64',
    'multipart/mixed; boundary=a',
  )
  const texts = fc.array(pieces, { maxLength: 40 }).map(list => Buffer.from(list.join('')))
  fc.assert(
    fc.property(
      fc.oneof(
        texts,
        fc.uint8Array().map(bytes => Buffer.from(bytes)),
      ),
      bytes => {
        const root = parseStructure(bytes)
        checkNesting(root, 0, bytes.length)
        const { text, html, attachments } = textParts(root)
        for (const part of [text, html, ...attachments]) {
          if (part !== undefined) expect(typeof decodeText(bytes, part)).toBe('string')
        }
      },
    ),
    { numRuns: 500 },
  )
})
