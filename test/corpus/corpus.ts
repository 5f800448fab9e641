// Messages of every class that a mail server meets, made here: ordinary, large, strange and broken. Each must arrive byte
// for byte. CRLF line ends; envelopes are chosen by the test.
import { createHash } from 'node:crypto'

export interface CorpusMessage {
  readonly name: string
  readonly content: Buffer
  /** Header or addresses are not ASCII: MAIL FROM needs SMTPUTF8 or BODY=8BITMIME. */
  readonly utf8?: true
}

const HEAD = 'From: mox@localhost\r\nTo: friend@example.org\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n'

/** `lines` are joined by CRLF, with a line end after the last one. */
const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n`

/** A message with the usual fields in front. */
function message(
  name: string,
  head: string,
  body: string | Buffer,
  more: { utf8?: true; encoding?: BufferEncoding } = {},
): CorpusMessage {
  const { encoding = 'utf8', ...rest } = more
  const start = `${HEAD}Message-ID: <${name.replaceAll(' ', '-')}@corpus.test>\r\nSubject: ${name}\r\n${head}\r\n`
  return {
    name,
    content: Buffer.concat([
      Buffer.from(start, encoding),
      typeof body === 'string' ? Buffer.from(body, encoding) : body,
    ]),
    ...rest,
  }
}

/** Bytes that look random and are always the same. */
function noise(length: number, seed: string): Buffer {
  const out = Buffer.alloc(length)
  for (let at = 0, block = createHash('sha512').update(seed).digest(); at < length; at += block.length) {
    block.copy(out, at)
    block = createHash('sha512').update(block).digest()
  }
  return out
}

const base64Lines = (bytes: Buffer): string =>
  (bytes.toString('base64').match(/.{1,76}/g) ?? []).map(l => `${l}\r\n`).join('')

function multipart(boundary: string, parts: readonly string[]): string {
  return `${parts.map(p => `--${boundary}\r\n${p}\r\n`).join('')}--${boundary}--\r\n`
}

/** `depth` multiparts inside each other. */
function nested(depth: number): string {
  let inner = 'Content-Type: text/plain\r\n\r\ninnermost'
  for (let i = depth; i > 0; i--)
    inner = `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n${multipart(`b${i}`, [inner])}`
  return inner
}

const mixed = (boundary: string): string =>
  `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n`

const ordinary: CorpusMessage[] = [
  message('plain text', '', lines('Hello,', '', 'this is all.')),
  message('empty body', '', ''),
  message('body of one line end', '', '\r\n'),
  message('dots at line starts', '', lines('.', '..', '...', '.one', '..two', 'end.')),
  message('only dots', '', '.\r\n'.repeat(500)),
  message('trailing white space', '', 'a \r\nb\t\r\n   \r\n'),
  message('no line end at the end of a multipart', mixed('x'), '--x\r\n\r\na\r\n--x--\r\n'),
  message(
    'html',
    'MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n',
    lines('<p>Hello <b>there</b></p>'),
  ),
  message(
    'alternative',
    'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=alt\r\n',
    multipart('alt', ['Content-Type: text/plain\r\n\r\nplain', 'Content-Type: text/html\r\n\r\n<p>html</p>']),
  ),
  message(
    'quoted-printable',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n',
    lines('caf=C3=A9 =E2=82=AC 5,=', 'continued', 'space at end=20'),
  ),
  message(
    'base64 text',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n',
    base64Lines(Buffer.from('Grüße aus Köln\n'.repeat(50))),
  ),
  message(
    'related with inline image',
    'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=rel\r\n',
    multipart('rel', [
      'Content-Type: text/html\r\n\r\n<img src="cid:logo">',
      `Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(noise(3000, 'png'))}`,
    ]),
  ),
  message(
    'attachment with RFC 2231 name',
    mixed('att'),
    multipart('att', [
      '\r\nsee attachment',
      `Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=utf-8''r%C3%A9sum%C3%A9; filename*1=.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(noise(2000, 'pdf'))}`,
    ]),
  ),
  message(
    'enclosed message',
    mixed('out'),
    multipart('out', [
      '\r\nforwarded',
      'Content-Type: message/rfc822\r\n\r\nFrom: other@example.org\r\nSubject: inner\r\n\r\ninner body',
    ]),
  ),
  message(
    'delivery status',
    'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=dsn\r\n',
    multipart('dsn', [
      '\r\nIt failed.',
      'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1',
      'Content-Type: text/rfc822-headers\r\n\r\nSubject: original',
    ]),
  ),
  message(
    'format flowed',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n',
    lines('a long line that ', 'flows ', 'on', '> quoted', '-- ', 'signature'),
  ),
  message(
    'list mail',
    'List-Id: <list.example.org>\r\nList-Unsubscribe: <https://example.org/u>, <mailto:u@example.org>\r\nPrecedence: list\r\n',
    lines('to the list'),
  ),
  message(
    'signed header',
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=x;\r\n\th=from:to; bh=AAAA=;\r\n\tb=${'A'.repeat(70)}\r\n\t ${'B'.repeat(70)}\r\n`,
    lines('signed'),
  ),
]

const international: CorpusMessage[] = [
  message(
    '8-bit utf-8 body',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n',
    lines('Grüße, 你好, 👋'),
    { utf8: true },
  ),
  message(
    '8-bit latin-1 body',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n',
    lines('Grüße'),
    { utf8: true, encoding: 'latin1' },
  ),
  message('8-bit without a charset', '', Buffer.concat([Buffer.from([0x80, 0xfe, 0xff]), Buffer.from('\r\n')]), {
    utf8: true,
  }),
  message(
    'utf-8 header fields',
    'X-Name: Jürgen 株式会社\r\nReply-To: "Jürgen" <jürgen@bücher.example>\r\n',
    lines('SMTPUTF8'),
    { utf8: true },
  ),
  message(
    'encoded words',
    'X-A: =?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?Gr=FC=DFe?=\r\nX-B: =?x-unknown?Q?a?= =?utf-8?Q?=C3?=\r\n',
    lines('words'),
  ),
  message(
    'shift_jis',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n',
    Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x0d, 0x0a]),
    { utf8: true },
  ),
]

const large: CorpusMessage[] = [
  message(
    '10 MB attachment',
    mixed('big'),
    multipart('big', [
      '\r\nlarge',
      `Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="big.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(noise(10_000_000, 'big'))}`,
    ]),
  ),
  message('just over the inline limit', '', 'x'.repeat(76).concat('\r\n').repeat(3400)),
  message(
    '1,000 parts',
    mixed('many'),
    multipart(
      'many',
      Array.from({ length: 1000 }, (_, i) => `Content-Type: text/plain; name="p${i}"\r\n\r\npart ${i}`),
    ),
  ),
  { name: 'nested 60 deep', content: Buffer.from(`${HEAD}Subject: nested\r\nMIME-Version: 1.0\r\n${nested(60)}`) },
  { name: 'nested 500 deep', content: Buffer.from(`${HEAD}Subject: nested\r\nMIME-Version: 1.0\r\n${nested(500)}`) },
  message(
    'long folded header',
    `References: ${Array.from({ length: 800 }, (_, i) => `<${i}@references.test>`).join('\r\n ')}\r\n`,
    lines('long'),
  ),
  message(
    'many header fields',
    Array.from({ length: 1500 }, (_, i) => `X-Field-${i}: ${i}\r\n`).join(''),
    lines('fields'),
  ),
  message('lines of 998 octets', '', `${'y'.repeat(998)}\r\n`.repeat(100)),
]

const broken: CorpusMessage[] = [
  { name: 'From only', content: Buffer.from('From: mox@localhost\r\n\r\nnothing else\r\n') },
  { name: 'header without body', content: Buffer.from(`${HEAD}Subject: no body\r\n\r\n`) },
  message(
    'multipart without boundary parameter',
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n',
    lines('--x', '', 'a', '--x--'),
  ),
  message('boundary never occurs', mixed('never'), lines('no parts here')),
  message(
    'multipart not closed',
    mixed('open'),
    '--open\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--open\r\n\r\nsecond\r\n',
  ),
  message(
    'boundary is a prefix of another',
    mixed('ab'),
    multipart('ab', ['Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\ninner\r\n--abc--']),
  ),
  message(
    'same boundary twice',
    mixed('same'),
    multipart('same', ['Content-Type: multipart/mixed; boundary=same\r\n\r\n--same\r\n\r\ninner\r\n--same--']),
  ),
  message(
    'empty boundary',
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=""\r\n',
    lines('--', '', 'a', '----'),
  ),
  message(
    'broken base64',
    'MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n',
    lines('SGVsbG8', '!!!', '====', 'A'),
  ),
  message(
    'broken quoted-printable',
    'MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n',
    lines('=', '=G', '=ZZ', '=3', 'a='),
  ),
  message(
    'unknown encoding and charset',
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x-martian\r\nContent-Transfer-Encoding: x-uuencode\r\n',
    lines('begin 644 a', 'end'),
  ),
  message('content type is nonsense', 'MIME-Version: 1.0\r\nContent-Type: ;;=;/;charset\r\n', lines('what')),
  message('two content types', 'Content-Type: text/plain\r\nContent-Type: text/html\r\n', lines('<b>which</b>')),
  message(
    'two subjects and no end of ids',
    'Subject: again\r\nMessage-ID: not an id\r\nIn-Reply-To: <<>>\r\nReferences: < > <a@b> <a@b\r\n',
    lines('ids'),
  ),
  message('line without a colon in the header', 'this is no field\r\nX-After: yes\r\n', lines('colon')),
  message('space before the colon', 'X-Space : yes\r\n', lines('space')),
  message('empty field values', 'To:\r\nCc: \r\nX-Empty:\r\n', lines('empty')),
  message('broken dates', 'Resent-Date: 99 Foo 0000 99:99:99 +9999\r\n', lines('dates')),
  message(
    'hostile file names',
    mixed('fn'),
    multipart('fn', [
      'Content-Type: application/x; name="../../etc/passwd"\r\nContent-Disposition: attachment; filename="..\\..\\a.exe"\r\n\r\nx',
      `Content-Disposition: attachment; filename="${'n'.repeat(900)}"\r\n\r\ny`,
    ]),
  ),
  message(
    'hostile html',
    'MIME-Version: 1.0\r\nContent-Type: text/html\r\n',
    lines('<script>alert(1)</script><img src=x onerror=alert(1)>'),
  ),
  message('control characters', '', Buffer.from(`\x01\x02\x07\x1b[31mred\x1b[0m\x7f\r\n`)),
  message('address lists that do not parse', 'Cc: ;;,<>,"unclosed, a@b, group: x@y, z@w;\r\n', lines('lists')),
]

export const CORPUS: readonly CorpusMessage[] = [...ordinary, ...international, ...large, ...broken]
