// What is taken from the bytes of a message: which part is what, texts and their limits, lists, transport; huge, deep and
// broken messages are shown as far as they can be.
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { collectingLog, VirtualClock } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { openedMessage } from '../src/api/model.ts'
import { transport } from '../src/server/content/calls.ts'
import { BEGINNING_BYTES, MESSAGE_PARTS, READ_MS, TEXT_BYTES, TEXT_PARTS } from '../src/server/content/limits.ts'
import { read, readBeginning } from '../src/server/content/read.ts'
import { Reader, UnreadableError } from '../src/server/content/reader.ts'
import { MemoryMessages } from './content-host.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, '\r\n'))
const open = (text: string) => read(bytes(text), { kind: 'open' })
const multi = (type: string, ...parts: string[]): string =>
  `Content-Type: ${type}; boundary=b\n\n${parts.map(part => `--b\n${part}\n`).join('')}--b--\n`
const TEXT = 'Content-Type: text/plain\n\nhello'
const HTML = 'Content-Type: text/html\n\n<b>x</b>'

test('which part is what', () => {
  const check = (message: string, texts: string[], html: string, attachments: string[], more = '') => {
    const found = open(message)
    deepStrictEqual(
      [
        found.texts.map(({ path }) => path),
        found.htmlPath,
        found.attachments.map(({ path, filename, viewable }) => `${path} ${filename} ${viewable}`),
        `${found.signed ? 'signed' : ''}${found.encrypted ? 'encrypted' : ''}`,
      ],
      [texts, html, attachments, more],
      message,
    )
  }
  check('Subject: x\n\nhello', ['0'], '', [])
  check(HTML, [], '0', [])
  check(multi('multipart/alternative', TEXT, HTML), ['0.0'], '0.1', [])
  const attached = 'Content-Disposition: attachment; filename=a.html\n'
  check(multi('multipart/mixed', TEXT, attached + HTML), ['0.0'], '', ['0.1 a.html text'])
  check(multi('multipart/mixed', `${attached}${TEXT}`), [], '', ['0.0 a.html text'])
  check(multi('multipart/mixed', TEXT, 'Content-Type: image/png; name="=?utf-8?Q?=C3=A9.png?="\n\nx'), ['0.0'], '', [
    '0.1 é.png image',
  ])
  check(multi('multipart/mixed', "Content-Type: application/pdf; name*=utf-8''%C3%A9.pdf\n\nx"), [], '', [
    '0.0 é.pdf pdf',
  ])
  check('Content-Type: application/x-y; name=../a\n\nx', [], '', ['0 a none'])
  check(multi('multipart/signed', TEXT, 'Content-Type: application/pgp-signature\n\nx'), ['0.0'], '', [], 'signed')
  check(
    multi('multipart/encrypted', 'Content-Type: application/pgp-encrypted\n\nx'),
    [],
    '',
    ['0.0  none'],
    'encrypted',
  )
  check('Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx', [], '', ['0  none'], 'signed')
  check('Content-Type: application/pkcs7-mime\n\nx', [], '', ['0  none'], 'encrypted')
  check('Subject: x\n\n-----BEGIN PGP MESSAGE-----\nx', ['0'], '', [], 'encrypted')
  check('Subject: x\n\na\n-----BEGIN PGP SIGNED MESSAGE-----\nx', ['0'], '', [], 'signed')
  check('Subject: x\n\n> -----BEGIN PGP MESSAGE-----', ['0'], '', [])
  check(
    multi(
      'multipart/report; report-type=delivery-status',
      TEXT,
      'Content-Type: message/delivery-status\n\nReporting-MTA: dns; a',
      'Content-Type: message/rfc822\n\nSubject: y\n\nz',
    ),
    ['0.0', '0.1'],
    '',
    ['0.2 original.eml message'],
  )
  check(
    multi(
      'multipart/report',
      TEXT,
      'Content-Type: message/delivery-status\n\nx',
      'Content-Type: text/rfc822-headers\n\ny',
    ),
    ['0.0', '0.1', '0.2'],
    '',
    [],
  )
})

test('texts are cut, with a notice, and never a failure', () => {
  const of = (n: number) => open(`Subject: x\n\n${'a'.repeat(n)}`).texts[0]
  deepStrictEqual([of(TEXT_BYTES)?.text.length, of(TEXT_BYTES)?.truncated], [TEXT_BYTES, false])
  deepStrictEqual([of(TEXT_BYTES + 1)?.text.length, of(TEXT_BYTES + 1)?.truncated], [TEXT_BYTES, true])
  const wide = open(`Content-Type: text/plain; charset=utf-8\n\n${'é'.repeat(TEXT_BYTES)}`).texts[0]?.text ?? ''
  deepStrictEqual([Buffer.byteLength(wide), wide.includes('\ufffd')], [TEXT_BYTES, false])
  const many = open(multi('multipart/mixed', ...Array.from({ length: TEXT_PARTS + 1 }, () => TEXT)))
  strictEqual(many.texts.length, TEXT_PARTS)
  ok(many.notice.includes('texts'), many.notice)
  deepStrictEqual(
    many.texts.slice(0, 2).map(({ alternate }) => alternate),
    [false, true],
  )
})

test('huge, deep and broken messages', () => {
  const check = (message: string, notice: RegExp) => {
    const { received, ...found } = open(message)
    const rest = {
      id: 1,
      receivedAt: 0,
      viewMode: null,
      proxied: false,
      tls: null,
      withoutTls: false,
      requireTls: false,
    }
    openedMessage.parse({ ...found, ...rest, authentication: 'unknown', draft: false, panels: {} })
    ok(notice.test(found.notice), found.notice)
    strictEqual(received, '')
  }
  check('', /^$/)
  check('\u0000', /^$/)
  check('Content-Type: multipart/mixed; boundary=b\n\nno parts', /^$/)
  check('Content-Type: multipart/mixed\n\nno boundary', /^$/)
  check('Content-Type: text/html; charset="\u0001"\nContent-Transfer-Encoding: base64\n\n!!!', /^$/)
  check(multi('multipart/mixed', ...Array.from({ length: MESSAGE_PARTS + 1 }, () => TEXT)), /parts/)
  const deep = (n: number) =>
    Array.from({ length: n }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join('') + TEXT
  check(deep(20), /^$/)
  check(deep(21), /nested/)
  check(deep(500), /nested/)
  check(`${'X: y\n'.repeat(5_000)}\nx`, /header/)
  check(`To: ${'a@b.test, '.repeat(20_000)}\n\nx`, /header|^$/)
})

test('images of the message', () => {
  const image = (id: string, body: string) => `Content-Type: image/png\nContent-ID: <${id}>\n\n${body}`
  const html = (message: string): string => {
    const body = read(bytes(message), { kind: 'body', mode: 'html', sanitised: true })
    return body.kind === 'html' ? body.html.trim() : ''
  }
  const url = (body: string) => `<img src="data:image/png;base64,${Buffer.from(body).toString('base64')}" />`
  const page = 'Content-Type: text/html\n\n<img src="cid:a">'
  strictEqual(html(multi('multipart/related', page, image('a', 'near'))), url('near'))
  // The sibling counts, not the first of the whole message.
  const related = multi('multipart/related', page, image('a', 'near'))
    .replaceAll('--b', '--c')
    .replace('boundary=b', 'boundary=c')
  strictEqual(html(multi('multipart/mixed', image('a', 'far'), related)), url('near'))
  strictEqual(html(multi('multipart/related', page, image('b', 'x'))), '<img alt="" />')
})

test('lists', () => {
  const ways = (fields: string) => open(`${fields}\n\nx`).unsubscribe
  const post = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'
  const target = 'https://a.test/u'
  deepStrictEqual(ways(`List-Unsubscribe: <mailto:u@a.test>, <${target}>\n${post}`), { kind: 'oneclick', target })
  deepStrictEqual(ways(`List-Unsubscribe: <${target}>, <mailto:u@a.test>`), {
    kind: 'mailto',
    target: 'mailto:u@a.test',
  })
  deepStrictEqual(ways(`List-Unsubscribe: <${target}>`), { kind: 'web', target })
  deepStrictEqual(ways(`List-Unsubscribe: <http://a.test/u>\n${post}`), { kind: 'web', target: 'http://a.test/u' })
  deepStrictEqual(ways('List-Unsubscribe: <javascript:alert(1)>, <file:///x>, nothing'), null)
  const list = open('List-Id: Some "list" <Dev.A.test>\nList-Post: <mailto:dev%40a.test?x=y>\n\nx')
  deepStrictEqual([list.listId, list.listAddress], ['dev.a.test', 'dev@a.test'])
  strictEqual(open('List-Post: <mailto:list%0d%0a@b.test>\n\nx').listAddress, '')
  deepStrictEqual([open('List-Post: NO\n\nx').listAddress, open('Subject: x\n\nx').listId], ['', ''])
})

test('how it came here', () => {
  const field = (protocol: string, more = '') =>
    `from a.test (a.test [192.0.2.1]) by mx.test via tcp with ${protocol} id x${more} for <a@b.test>; Tue`
  const check = (received: string, expected: unknown, messageId = 1) =>
    deepStrictEqual(transport({ messageId }, received), expected)
  const none = { tls: null, withoutTls: false, requireTls: false }
  const cipher = 'TLS_AES_128_GCM_SHA256'
  const tls = { version: 'TLSv1.3', cipher }
  check(field('ESMTPS', ` (TLSv1.3 ${cipher})`), { tls, withoutTls: false, requireTls: false })
  check(field('ESMTPS (requiretls)', ` (TLSv1.3 ${cipher})`), { tls, withoutTls: false, requireTls: true })
  check(field('ESMTP'), { ...none, withoutTls: true })
  check(field('SMTP'), { ...none, withoutTls: true })
  check('', none)
  check(field('ESMTP'), none, 0)
  const own = 'Delivered-To: a@b.test\nReturn-Path: <>\nReceived: ours\nReceived: theirs\n\nx'
  strictEqual(open(own).received, 'ours')
  strictEqual(open('Received: theirs\nDelivered-To: a@b.test\n\nx').received, '')
})

test('a message that takes too long is shown by its header', async () => {
  const messages = new MemoryMessages()
  const clock = new VirtualClock()
  const log = collectingLog()
  // Its time is over before the thread can say anything, however busy this one is.
  const after = (_: number, work: () => void) => {
    let due = true
    queueMicrotask(() => due && work())
    return () => {
      due = false
    }
  }
  const reader = new Reader(
    { mailboxes: messages, clock: { now: () => clock.now(), sleep: async () => {}, after }, log },
    READ_MS,
  )
  const slow = `Subject: slow\nContent-Type: text/html\n\n${'<p>x'.repeat(200_000)}`
  const id = messages.add(slow)
  try {
    const opened = await reader.open(id, slow.length + 3)
    deepStrictEqual([opened.subject, opened.texts, opened.attachments], ['slow', [], []])
    ok(opened.notice.includes('could not be taken apart'))
    await rejects(reader.outline(id, slow.length + 3), UnreadableError)
    ok(log.lines.some(line => line.text === 'message could not be read'))
  } finally {
    reader.close()
  }
  strictEqual(readBeginning(Buffer.from(`Subject: x\r\n${'a'.repeat(BEGINNING_BYTES)}`)).subject, 'x')
})
