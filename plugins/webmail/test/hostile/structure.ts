// Whole messages: character sets, encodings inside of each other, content ids, names and types of attachments, broken MIME.
import type { Row } from './corpus.ts'

const HEAD = 'From: m@c.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n'
const RUN = '<script>alert(1)</script><img src=x: onerror=alert(1)><img src=http://m.c.test/p>'

function one(type: string, body: string | Buffer, more = ''): Buffer {
  return Buffer.concat([
    Buffer.from(`${HEAD}Content-Type: ${type}\r\n${more}\r\n`),
    Buffer.from(body as string),
    Buffer.from('\r\n'),
  ])
}

function multi(subtype: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const chunks: Buffer[] = [Buffer.from(`${HEAD}Content-Type: multipart/${subtype}; boundary=b\r\n\r\n`)]
  for (const part of parts) chunks.push(Buffer.from('--b\r\n'), Buffer.from(part as string), Buffer.from('\r\n'))
  return Buffer.concat([...chunks, Buffer.from('--b--\r\n')])
}

const html = (body: string): string => `Content-Type: text/html; charset=utf-8\r\n\r\n${body}`
const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return big ? bytes.swap16() : bytes
}
const base64 = (bytes: Buffer | string): string => Buffer.from(bytes as string).toString('base64')
const svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><image href='http://m.c.test/i'/></svg>"
const image = (id: string, type: string, body: string): string =>
  `Content-Type: ${type}\r\nContent-ID: <${id}>\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(body)}`

export const STRUCTURE: Readonly<Record<string, readonly Row[]>> = {
  charset: [
    ['utf-7', one('text/html; charset=utf-7', '+ADw-script+AD4-alert(1)+ADw-/script+AD4-')],
    ['utf-7 undeclared', one('text/html', '+ADw-script+AD4-alert(1)+ADw-/script+AD4-')],
    ['utf-16le', one('text/html; charset=utf-16le', utf16(RUN))],
    ['utf-16be', one('text/html; charset=utf-16be', utf16(RUN, true))],
    ['utf-16 base64', one('text/html; charset=utf-16', base64(utf16(RUN)), 'Content-Transfer-Encoding: base64\r\n')],
    ['utf-16 mark, declared utf-8', one('text/html; charset=utf-8', utf16(RUN))],
    ['overlong', one('text/html; charset=utf-8', Buffer.from(RUN.replaceAll('<', '\xc0\xbc'), 'latin1'))],
    ['overlong of three', one('text/html; charset=utf-8', Buffer.from(RUN.replaceAll('<', '\xe0\x80\xbc'), 'latin1'))],
    [
      'shift_jis swallows a quote',
      one('text/html; charset=shift_jis', Buffer.from(`<a title="\x81" onmouseover=alert(1) ">x</a>${RUN}`, 'latin1')),
    ],
    [
      'iso-2022-jp',
      one('text/html; charset=iso-2022-jp', `<a title="\x1b$B" x="\x1b(B"><img src=x: onerror=alert(1)>`),
    ],
    ['gb18030', one('text/html; charset=gb18030', Buffer.from(`<p title="\x81\x22>${RUN}`, 'latin1'))],
    ['hz', one('text/html; charset=hz-gb-2312', `~{<script>alert(1)</script>~}${RUN}`)],
    ['ebcdic', one('text/html; charset=ibm037', Buffer.from([0x4c, 0xa2, 0x83, 0x99, 0x89, 0x97, 0xa3, 0x6e]))],
    ['x-user-defined', one('text/html; charset=x-user-defined', RUN)],
    ['unknown', one('text/html; charset="x\\"><script>alert(1)</script>"', RUN)],
    ['two charsets', one('text/html; charset=us-ascii; charset=utf-7', '+ADw-script+AD4-alert(1)+ADw-/script+AD4-')],
    ['byte order mark inside', one('text/html; charset=utf-8', `<scr\ufeffipt>alert(1)</scr\ufeffipt>${RUN}`)],
  ],
  encodings: [
    [
      'quoted-printable',
      one('text/html', RUN.replaceAll('<', '=3C'), 'Content-Transfer-Encoding: quoted-printable\r\n'),
    ],
    [
      'soft breaks',
      one('text/html', RUN.replaceAll('script', 'scr=\r\nipt'), 'Content-Transfer-Encoding: quoted-printable\r\n'),
    ],
    [
      'base64 with junk',
      one('text/html', base64(RUN).replace(/(.{9})/g, '$1 !\r\n'), 'Content-Transfer-Encoding: base64\r\n'),
    ],
    [
      'base64 in pieces',
      one('text/html', base64('<script>a') + base64('lert(1)</script>x'), 'Content-Transfer-Encoding: base64\r\n'),
    ],
    ['base64 twice', one('text/html', base64(base64(RUN)), 'Content-Transfer-Encoding: base64\r\n')],
    ['unknown', one('text/html', RUN, 'Content-Transfer-Encoding: x-uuencode\r\n')],
    [
      'two encodings',
      one('text/html', base64(RUN), 'Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n'),
    ],
    ['entities twice', one('text/html', '&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;')],
    [
      'encoded words in the header',
      one('text/html', RUN, 'Subject: =?utf-8?Q?=3Cscript=3Ealert(1)=3C/script=3E?=\r\n'),
    ],
  ],
  cid: [
    ['svg image', multi('related', html('<img src=cid:a>'), image('a', 'image/svg+xml', svg))],
    ['svg in CSS', multi('related', html('<b style="background:url(cid:a)">x</b>'), image('a', 'image/svg+xml', svg))],
    [
      'html as an image',
      multi('related', html('<img src=cid:a><iframe src=cid:a></iframe>'), image('a', 'text/html', RUN)),
    ],
    ['html named image', multi('related', html('<img src=cid:a>'), image('a', 'image/png', RUN))],
    ['link', multi('related', html('<a href=cid:a>x</a><object data=cid:a></object>'), image('a', 'text/html', RUN))],
    ['id with quotes', multi('related', html(`<img src="cid:a'&quot;&gt;x">`), image(`a'">x`, 'image/png', 'x'))],
    [
      'id that breaks out of CSS',
      multi(
        'related',
        html(`<b style="background:url(cid:a)">x</b>`),
        image('a', 'image/png");x:url(http://m.c.test/', 'x'),
      ),
    ],
    ['type that breaks out', multi('related', html('<img src=cid:a>'), image('a', 'image/png"onerror="alert(1)', 'x'))],
    [
      'two of one id',
      multi('related', html('<img src=cid:a>'), image('a', 'image/gif', 'x'), image('a', 'image/svg+xml', svg)),
    ],
    ['prototype', multi('related', html('<img src=cid:__proto__><img src=cid:constructor><img src=cid:toString>'))],
    [
      'percent',
      multi('related', html('<img src="cid:%"><img src="cid:%61"><img src="cid:%zz">'), image('a', 'image/png', 'x')),
    ],
    [
      'in a script',
      multi(
        'related',
        html('<script src=cid:a></script><link rel=stylesheet href=cid:a>'),
        image('a', 'text/javascript', 'alert(1)'),
      ),
    ],
  ],
  names: [
    ['traversal', multi('mixed', html(RUN), 'Content-Type: application/x-a; name="../../../etc/passwd"\r\n\r\nx')],
    [
      'html in the name',
      multi(
        'mixed',
        html(RUN),
        'Content-Disposition: attachment; filename="<img src=x: onerror=alert(1)>.txt"\r\n\r\nx',
      ),
    ],
    [
      'line end',
      multi('mixed', html(RUN), "Content-Disposition: attachment; filename*=utf-8''a%0d%0aSet-Cookie:x=y.exe\r\n\r\nx"),
    ],
    [
      'direction',
      multi('mixed', html(RUN), "Content-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe\r\n\r\nx"),
    ],
    ['null', multi('mixed', html(RUN), "Content-Disposition: attachment; filename*=utf-8''a.png%00.exe\r\n\r\nx")],
    [
      'quotes',
      multi('mixed', html(RUN), 'Content-Disposition: attachment; filename="a\\";filename*=utf-8\'\'b.exe"\r\n\r\nx'),
    ],
    ['device', multi('mixed', html(RUN), 'Content-Disposition: attachment; filename="CON.txt"\r\n\r\nx')],
    [
      'very long',
      multi('mixed', html(RUN), `Content-Disposition: attachment; filename="${'a'.repeat(5_000)}.exe"\r\n\r\nx`),
    ],
    ['bad percent', multi('mixed', html(RUN), "Content-Disposition: attachment; filename*=utf-8''%zz%80%ff\r\n\r\nx")],
  ],
  types: [
    ['script as text', multi('mixed', html(RUN), 'Content-Type: text/javascript\r\n\r\nalert(1)')],
    ['html as text', one('text/plain', RUN)],
    ['html as an image', multi('mixed', html(RUN), `Content-Type: image/png; name=a.html\r\n\r\n${RUN}`)],
    [
      'xhtml',
      multi(
        'mixed',
        html(RUN),
        `Content-Type: application/xhtml+xml\r\n\r\n<html xmlns="http://www.w3.org/1999/xhtml">${RUN}</html>`,
      ),
    ],
    ['xml', multi('mixed', html(RUN), 'Content-Type: text/xml\r\n\r\n<?xml-stylesheet href="http://m.c.test/x"?><a/>')],
    ['svg attachment', multi('mixed', html(RUN), `Content-Type: image/svg+xml\r\n\r\n${svg}`)],
    ['no type', multi('mixed', `\r\n${RUN}`, html(RUN))],
    ['broken type', one('text/html/plain; charset=utf-8', RUN)],
    ['two types', one('text/plain', RUN, 'Content-Type: text/html\r\n')],
    ['html in html', one('message/rfc822', `Content-Type: text/html\r\n\r\n${RUN}`)],
    [
      'alternative of alternatives',
      multi('alternative', html(RUN), html(`<b>2</b>${RUN}`), 'Content-Type: text/plain\r\n\r\nx'),
    ],
    ['calendar', multi('mixed', html(RUN), 'Content-Type: text/calendar\r\n\r\nDESCRIPTION:<script>alert(1)</script>')],
    ['no end', Buffer.from(`${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${html(RUN)}`)],
    ['boundary inside of the HTML', multi('mixed', html(`<p title="\r\n--b\r\n${html(RUN)}`))],
    ['bare line ends', Buffer.from(`From: m@c.test\nContent-Type: text/html\n\n${RUN}\r${RUN}`)],
  ],
}
