// Previews, kinds of attachments, and the text that search finds a message by.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'vitest'
import {
  attachmentKind,
  htmlText,
  messageDigest,
  PREVIEW_LENGTH,
  parseStructure,
  partRoles,
  SEARCH_FIELD_NAMES,
  SEARCH_TEXT_LENGTH,
  textPreview,
} from '../../src/mail/index.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, '\r\n'))
const multipart = (subtype: string, ...parts: string[]): string =>
  `Content-Type: multipart/${subtype}; boundary=b${parts.length}${subtype}\n\n${parts
    .map(part => `--b${parts.length}${subtype}\n${part}\n`)
    .join('')}--b${parts.length}${subtype}--\n`

test('html as text', () => {
  const check = (html: string, expected: string) => strictEqual(htmlText(html), expected)
  check('a<b>b</b>c', 'abc')
  check('<p>one</p><p>two<br>three', '\none\n\ntwo\nthree')
  check('x<!-- > y -->z<!--', 'xz')
  check('<style>p{}</style>a<script>if (a<b) "</p>"</script>b<SCRIPT>never closed', 'ab')
  check('<title>t</title>a<svg><text>s</text></svg>b<noscript>c', 'abc')
  check('<a title="x>y" href=\'>\'>link</a>', 'link')
  check('<a title="never closed>link', 'link')
  check('1 < 2 &amp;&lt;&#65;&#x42;&eacute;&nosuch;&#0;&#xd800; &amp', '1 < 2 &<ABé&nosuch;   &')
  check('', '')
  check('<', '<')
  check('<p', '\n')
})

test('previews', () => {
  const check = (text: string, expected: string) => strictEqual(textPreview(text), expected)
  check('Hello\r\n\r\n  world\t!\r\n', 'Hello world !')
  check('Yes.\n> a\n>\n> b\n\nNo.\n> c', 'Yes. [...] No. [...]')
  check('Text\n-- \nSignature', 'Text')
  check('-- \nonly this', '-- only this')
  check('a\u200b\u034f\u00ad\u202eb\u0007', 'a b')
  check('', '')
  check('x'.repeat(PREVIEW_LENGTH), 'x'.repeat(PREVIEW_LENGTH))
  check('x'.repeat(PREVIEW_LENGTH + 1), 'x'.repeat(PREVIEW_LENGTH))
  check('😀'.repeat(PREVIEW_LENGTH + 1), '😀'.repeat(PREVIEW_LENGTH))
})

test('kinds', () => {
  const check = (type: string, name: string | undefined, expected: string) =>
    strictEqual(attachmentKind(type, name), expected)
  check('image/x-anything', undefined, 'image')
  check('application/pdf', 'a.zip', 'pdf')
  check('application/octet-stream', 'a.tar.GZ', 'archive')
  check('application/octet-stream', `${'x'.repeat(300)}.docx`, 'document')
  check('application/octet-stream', 'pdf', 'other')
  check('application/vnd.oasis.opendocument.presentation', undefined, 'presentation')
  check('text/csv', 'a.csv', 'spreadsheet')
  check('text/calendar', undefined, 'calendar')
  check('application/octet-stream', 'invite.ICS', 'calendar')
})

test('roles of parts', () => {
  const check = (message: string, texts: string[], html: string | undefined, attachments: string[], marks = '') => {
    const roles = partRoles(parseStructure(bytes(message)))
    deepStrictEqual(
      {
        texts: roles.texts.map(part => part.path),
        html: roles.html?.path,
        attachments: roles.attachments.map(part => part.path),
        marks: `${roles.signed ? 's' : ''}${roles.encrypted ? 'e' : ''}`,
      },
      { texts, html, attachments, marks },
    )
  }
  const plain = 'Content-Type: text/plain\n\ntext'
  const html = 'Content-Type: text/html\n\nhtml'
  const image = 'Content-Type: image/png\n\nx'
  const file = 'Content-Type: text/html\nContent-Disposition: attachment; filename=a.html\n\nx'
  check('Subject: x\n\ntext', ['1'], undefined, [])
  check(multipart('alternative', plain, html), ['1'], '2', [])
  check(multipart('mixed', multipart('related', html, image), plain, image, file), ['2'], '1.1', ['3', '4', '1.2'])
  check(multipart('signed', plain, 'Content-Type: application/pgp-signature\n\nx'), ['1'], undefined, [], 's')
  check(multipart('encrypted', 'Content-Type: application/pgp-encrypted\n\nx', image), [], undefined, ['1', '2'], 'e')
  check('Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx', [], undefined, ['1'], 's')
  check('Content-Type: application/pkcs7-mime\n\nx', [], undefined, ['1'], 'e')
  const status = 'Content-Type: message/delivery-status\n\nReporting-MTA: dns; x'
  check(multipart('report', plain, status, 'Content-Type: message/rfc822\n\nSubject: o\n\nx'), ['1', '2'], undefined, [
    '3',
  ])
  check(
    multipart('report', plain, status, 'Content-Type: text/rfc822-headers\n\nSubject: o'),
    ['1', '2', '3'],
    undefined,
    [],
  )
})

test('digest', () => {
  const inner = 'Content-Type: message/rfc822\n\nSubject: =?utf-8?q?inner_gr=C3=BC=C3=9Fe?=\n\nenclosed'
  const latin = 'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9'
  const html = 'Content-Type: text/html\n\n<p>rich <b>text</b></p>'
  const pdf = 'Content-Type: application/pdf; name="plan.pdf"\nContent-Transfer-Encoding: base64\n\neHl6'
  const head = 'From: "Ann A" <ann@a.test>\nX-Secret: hidden\nSubject: outer\n'
  const digest = messageDigest(bytes(head + multipart('mixed', multipart('alternative', latin, html), inner, pdf)))
  deepStrictEqual(digest, {
    preview: 'café',
    attachments: ['other', 'pdf'],
    files: 'plan.pdf',
    bodies: ['text', 'html'],
    fields: 'from\nx-secret\nsubject\ncontent-type',
    text: 'outer\n"Ann A" <ann@a.test>\ncafé\n\nrich text\n\nplan.pdf\ninner grüße\nenclosed',
  })
  deepStrictEqual(messageDigest(Buffer.alloc(0)), {
    ...{ preview: '', attachments: [], files: '', bodies: ['text'], fields: '', text: '' },
  })
  strictEqual(messageDigest(bytes('Content-Type: text/html\n\n<p>a<p>b')).preview, 'a b')
})

test('limits of a digest', () => {
  const text = (n: number) => messageDigest(bytes(`\n${'x'.repeat(n)}`)).text.length
  deepStrictEqual([text(SEARCH_TEXT_LENGTH), text(SEARCH_TEXT_LENGTH + 1)], [SEARCH_TEXT_LENGTH, SEARCH_TEXT_LENGTH])
  const names = (n: number) =>
    messageDigest(bytes(Array.from({ length: n }, (_, i) => `X-${i}: x\n`).join(''))).fields.split('\n').length
  deepStrictEqual([names(SEARCH_FIELD_NAMES), names(SEARCH_FIELD_NAMES + 1)], [SEARCH_FIELD_NAMES, SEARCH_FIELD_NAMES])
})

test('hostile input is read in linear time', () => {
  const started = performance.now()
  const n = 200_000
  for (const unit of ['<', '<a "', '<!--', '<title>', '&#', '<script>', '</', '<p title="'])
    htmlText(unit.repeat(n / unit.length))
  textPreview('> '.repeat(n))
  strictEqual(performance.now() - started < 3_000, true)
})
