// A message as programs want it: addresses, ids, readable parts, structure, and every limit with one beyond.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'vitest'
import {
  ADDRESS_LIST_ENTRIES,
  isAutomated,
  type MessageStructure,
  messageView,
  parseHeader,
  SUBJECT_LENGTH,
  VIEW_OCTETS,
  VIEW_PARAMETER_LENGTH,
  VIEW_PARTS,
  VIEW_STRUCTURE_TEXT,
  VIEW_TEXT_OCTETS,
} from '../../src/mail/index.ts'

const view = (text: string) => messageView(Buffer.from(text.replaceAll('\n', '\r\n')))

test('fields', () => {
  const found = view(`From: =?utf-8?q?Zo=C3=AB?= <zoe@xn--mnchen-3ya.example>, bob@example.org (Bob)
To: Team: a@example.org, "B, C" <b@example.org>;
Cc: undisclosed-recipients:;
Bcc: broken@@example.org
Reply-To: Nobody <not an address>
Reply-To: c@example.org
Subject: =?iso-8859-1?q?gr=FC=DFe?=
Message-ID: <Mixed.Case@Example.org>
In-Reply-To: <A@b> "of Monday"
References: <First@x> <Second@x>
Date: Mon, 5 Jan 2026 10:00:00 +0100

hello
`)
  deepStrictEqual(
    [found.from, found.to, found.cc, found.bcc, found.replyTo],
    [
      [
        { name: 'Zoë', address: 'zoe@münchen.example' },
        { name: 'Bob', address: 'bob@example.org' },
      ],
      [
        { name: '', address: 'a@example.org' },
        { name: 'B, C', address: 'b@example.org' },
      ],
      [],
      [{ name: '', address: 'broken@@example.org' }],
      [
        { name: 'Nobody', address: '' },
        { name: '', address: 'c@example.org' },
      ],
    ],
  )
  deepStrictEqual(
    [found.subject, found.messageId, found.inReplyTo, found.references, found.date, found.text, found.html],
    ['grüße', '<Mixed.Case@Example.org>', '<A@b>', ['<first@x>', '<second@x>'], Date.UTC(2026, 0, 5, 9), 'hello\n', ''],
  )
})

test('message ids', () => {
  const check = (value: string, expected: string) => strictEqual(view(`Message-ID: ${value}\n\n`).messageId, expected)
  check('<a@b>', '<a@b>')
  check('a@b', '<a@b>')
  check('', '')
  check('two words', '')
  check('<unclosed', '')
  const empty = view('\nx')
  deepStrictEqual([empty.messageId, empty.date, empty.from, empty.references], ['', undefined, [], []])
})

/** Parts from "type disposition: body". */
const multipart = (subtype: string, ...parts: string[]): string => {
  const boundary = `b${parts.length}${subtype}`
  const all = parts.map(part => `--${boundary}\n${part}\n`).join('')
  return `Content-Type: multipart/${subtype}; boundary=${boundary}\n\n${all}--${boundary}--\n`
}
const part = (type: string, body: string, more = '') => `Content-Type: ${type}\n${more}\n${body}`
const ATTACHED = 'Content-Disposition: attachment\n'

test('what people read', () => {
  const check = (message: string, text: string, html: string) => {
    const found = view(message)
    deepStrictEqual([found.text, found.html], [text, html], message)
  }
  const text = part('text/plain', 'T')
  const html = part('text/html', 'H')
  check('\nplain', 'plain', '')
  check('Content-Type: text/html\n\nh', '', 'h')
  check('Content-Type: text/plain\nContent-Disposition: attachment\n\nh', '', '')
  check('Content-Type: image/png\n\nh', '', '')
  check(multipart('alternative', text, html), 'T', 'H')
  check(multipart('alternative', html, text, part('text/plain', 'second')), 'T', 'H')
  check(multipart('mixed', text, html), 'T', '')
  check(multipart('mixed', part('text/plain', 'attached', ATTACHED), text), 'T', '')
  check(multipart('mixed', multipart('alternative', text, html), part('text/plain', 'footer')), 'T', 'H')
  check(multipart('related', multipart('alternative', text, html), part('image/png', 'x')), 'T', 'H')
  check(multipart('alternative', text, multipart('related', html, part('image/png', 'x'))), 'T', 'H')
  check(multipart('mixed', part('message/rfc822', 'Subject: x\n\ninner'), html), '', 'H')
  check(multipart('mixed', part('image/png', 'x')), '', '')
  check(
    part('text/plain; charset=iso-8859-1', 'gr=FC=DFe', 'Content-Transfer-Encoding: quoted-printable\n'),
    'grüße',
    '',
  )
  check(part('text/plain; charset=utf-8', 'Z3LDvMOfZQ==', 'Content-Transfer-Encoding: base64\n'), 'grüße', '')
  check('\na\rb\nc', 'a\nb\nc', '')
})

test('structure', () => {
  const flat = (s: MessageStructure): unknown[] => [
    ...[s.contentType, [...s.contentTypeParams], s.contentId, s.contentDisposition, s.filename, s.decodedSize],
    s.parts.map(flat),
  ]
  const image = `Content-Type: IMAGE/PNG; Name="p.png"
Content-ID: <img@x>
Content-Disposition: Inline; filename*=utf-8''%C3%A4.png
Content-Transfer-Encoding: base64

AAEC
`
  const message = multipart('mixed', part('text/plain; charset=UTF-8', 'hello'), image, 'X: y\n\nuntyped')
  deepStrictEqual(flat(view(message).structure), [
    ...['multipart/mixed', [['boundary', 'b3mixed']], '', '', '', 0],
    [
      ['text/plain', [['charset', 'UTF-8']], '', '', '', 5, []],
      ['image/png', [['name', 'p.png']], '<img@x>', 'inline', 'ä.png', 3, []],
      ['text/plain', [], '', '', '', 7, []],
    ],
  ])
})

test('automated', () => {
  const check = (fields: string, reversePath: string, expected: boolean) =>
    strictEqual(isAutomated(parseHeader(Buffer.from(`${fields}\r\n\r\n`)), reversePath), expected, fields)
  check('Subject: x', 'a@b', false)
  check('Subject: x', '', true)
  for (const name of ['List-Id', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'Precedence']) {
    check(`${name}: x`, 'a@b', true)
    check(`${name}:`, 'a@b', false)
  }
  check('Auto-Submitted: no', 'a@b', false)
  check('Auto-Submitted: NO (a person)', 'a@b', false)
  check('Auto-Submitted: auto-replied; owner-email="x"', 'a@b', true)
  check('Content-Type: multipart/report; boundary=x', 'a@b', true)
  check('Content-Type: multipart/mixed; boundary=x', 'a@b', false)
})

test('limits', () => {
  const subject = (length: number) => view(`Subject: ${'s'.repeat(length)}\n\n`).subject.length
  deepStrictEqual([subject(SUBJECT_LENGTH), subject(SUBJECT_LENGTH + 1)], [SUBJECT_LENGTH, SUBJECT_LENGTH])

  const text = (body: string) => Buffer.byteLength(view(`\n${body}`).text)
  deepStrictEqual(
    [text('t'.repeat(VIEW_TEXT_OCTETS)), text('t'.repeat(VIEW_TEXT_OCTETS + 1))],
    Array(2).fill(VIEW_TEXT_OCTETS),
  )
  // Half a character is left out.
  strictEqual(text(`t${'ü'.repeat(VIEW_TEXT_OCTETS / 2)}`), VIEW_TEXT_OCTETS - 1)

  const parts = (n: number) =>
    view(multipart('mixed', ...Array.from({ length: n }, () => '\nx'))).structure.parts.length
  deepStrictEqual([parts(VIEW_PARTS - 1), parts(VIEW_PARTS)], [VIEW_PARTS - 1, VIEW_PARTS - 1])

  const parameter = (length: number) =>
    view(`Content-Type: text/plain; x="${'y'.repeat(length)}"\n\n`).structure.contentTypeParams.get('x')?.length
  deepStrictEqual(
    [parameter(VIEW_PARAMETER_LENGTH), parameter(VIEW_PARAMETER_LENGTH + 1)],
    [VIEW_PARAMETER_LENGTH, VIEW_PARAMETER_LENGTH],
  )

  const many = multipart('mixed', ...Array.from({ length: 600 }, () => part(`text/plain; x="${'y'.repeat(900)}"`, 'x')))
  const { parts: children } = view(many).structure
  const size = children.reduce((sum, one) => sum + (one.contentTypeParams.get('x')?.length ?? 0), 0)
  strictEqual(size < VIEW_STRUCTURE_TEXT && size > VIEW_STRUCTURE_TEXT - 20_000, true)
  strictEqual(children.length, 600)

  const to = (n: number) => view(`${Array.from({ length: n }, () => 'To: a@b.example\n').join('')}\n`).to.length
  deepStrictEqual([to(ADDRESS_LIST_ENTRIES), to(ADDRESS_LIST_ENTRIES + 1)], Array(2).fill(ADDRESS_LIST_ENTRIES))

  const huge = Buffer.concat([Buffer.from('Content-Type: application/x\r\n\r\n'), Buffer.alloc(VIEW_OCTETS, 0x61)])
  strictEqual(messageView(huge).structure.decodedSize, VIEW_OCTETS - 31)
})
