// The addresses of messages and their parts: exact headers, what may be shown and what is only saved, ranges, names, zip.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, test } from 'vitest'
import { decodedPart, decodedSize, PartsReader } from '../src/server/content/decoder.ts'
import {
  archiveFilename,
  archiveNames,
  attachmentDisposition,
  messageFilename,
} from '../src/server/content/filenames.ts'
import { PRINT_SCRIPT } from '../src/server/content/headers.ts'
import { byteRange, matches } from '../src/server/content/range.ts'
import { type ContentHost, openContent, RECEIVED_AT } from './content-host.ts'
import { readZip } from './zip.ts'

const BYTES = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256))
const MIXED = `From: Ann <ann@remote.example>
To: alice@example.org
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe/2026?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9 <b> https://a.test/x.
> quoted
--c
Content-Type: text/html; charset=utf-8

<p onclick=x>café</p><img src=https://t.test/p><script>1</script>
--c--
--b
Content-Type: application/pdf; name="a.pdf"
Content-Transfer-Encoding: base64

${BYTES.toString('base64').replace(/(.{76})/g, '$1\n')}
--b
Content-Type: image/png; name="A.PDF"
Content-Transfer-Encoding: base64

${Buffer.from('png').toString('base64')}
--b
Content-Type: text/html; name="page.html"
Content-Disposition: attachment

<script>alert(1)</script>
--b
Content-Type: application/x-msdownload
Content-Disposition: attachment; filename="../../évil;.exe"

exe
--b
Content-Type: image/svg+xml; name="a.pdf"

<svg xmlns="http://www.w3.org/2000/svg"/>
--b--
`
const NOTHING = "frame-ancestors 'self'; default-src 'none'; base-uri 'none'; form-action 'none'"
const SANDBOX = 'sandbox allow-popups allow-popups-to-escape-sandbox'
const SHOWN = "img-src data:; style-src 'unsafe-inline'"
const FILE = `${SANDBOX}; ${NOTHING}; ${SHOWN}`

let host: ContentHost
let id: number
beforeAll(async () => {
  host = await openContent()
  id = host.messages.add(MIXED)
})
afterAll(() => host.close())

const text = async (path: string): Promise<string> => await (await host.get(`msg/${id}/${path}`)).text()

test('headers of each address', async () => {
  const check = async (path: string, type: string, policy: string, more: Record<string, string | null> = {}) => {
    const response = await host.get(`msg/${id}/${path}`)
    await response.arrayBuffer()
    const names = [
      'content-type',
      'content-security-policy',
      'x-frame-options',
      'x-content-type-options',
      'referrer-policy',
    ]
    const rest = ['cross-origin-opener-policy', 'cache-control', 'content-disposition']
    deepStrictEqual(
      [response.status, ...[...names, ...rest].map(name => response.headers.get(name))],
      [
        ...[200, type, policy, 'sameorigin', 'nosniff', 'no-referrer', null],
        more['cache-control'] ?? 'no-store, max-age=0',
        more['content-disposition'] ?? null,
      ],
      path,
    )
  }
  const html = 'text/html; charset=utf-8'
  const external = "img-src data: http: https:; style-src 'unsafe-inline'"
  const hash = `'sha256-${createHash('sha256').update(PRINT_SCRIPT).digest('base64')}'`
  const prints = `${SANDBOX} allow-scripts allow-modals; ${NOTHING}; script-src ${hash}`
  const plain = 'text/plain; charset=utf-8'
  const kept = { 'cache-control': 'private, no-cache' }
  const saved = (name: string) => ({ ...kept, 'content-disposition': `attachment; ${name}` })
  await check('raw', plain, FILE)
  await check('rawdl', 'message/rfc822', FILE, {
    'content-disposition': `attachment; filename="email-${id}-20261124-103000.eml"`,
  })
  await check('attachments.zip', 'application/zip', FILE, {
    'content-disposition': `attachment; filename="email-${id}-attachments-20261124-103000-2026.zip"`,
  })
  await check('text', html, FILE)
  await check('html', html, FILE)
  await check('htmlexternal', html, `${SANDBOX}; ${NOTHING}; ${external}`)
  await check('msgtext', html, `${prints}; ${SHOWN}`)
  await check('msghtml', html, `${prints}; ${SHOWN}`)
  await check('msghtmlexternal', html, `${prints}; ${external}`)
  await check('view/0.0.0', plain, FILE)
  await check('view/0.0.1', plain, FILE)
  await check('view/0.1', 'application/pdf', `${NOTHING}; ${SHOWN}`, kept)
  await check('view/0.2', 'image/png', FILE, kept)
  await check('view/0.3', plain, FILE)
  await check(
    'view/0.4',
    'application/octet-stream',
    FILE,
    saved(`filename="_vil;.exe"; filename*=UTF-8''%C3%A9vil%3B.exe`),
  )
  await check('view/0.5', 'image/svg+xml', FILE, kept)
  await check('viewtext/0.4', plain, FILE)
  await check('download/0.3', 'application/octet-stream', FILE, saved('filename="page.html"'))
  await check('download/0.0.0', 'application/octet-stream', FILE, saved('filename="attachment.bin"'))
})

test('what is not there', async () => {
  const foreign = host.messages.add(MIXED, 'bob')
  const check = async (path: string, status = 404) => strictEqual((await host.get(path)).status, status, path)
  for (const path of ['raw', 'html', 'view/0.1', 'attachments.zip']) await check(`msg/${foreign}/${path}`)
  await check('msg/999/raw')
  await check(`msg/${id}/view/0.9`)
  await check(`msg/${id}/view/0.0`)
  await check(`msg/${id}/view/1`)
  await check(`msg/${id}/view/0..1`)
  await check(`msg/${id}/view/0.00001`)
  await check(`msg/${id}/other`)
  await check(`msg/0/raw`)
  await check(`msg/${'9'.repeat(16)}/raw`)
})

test('bodies', async () => {
  const page = await text('text')
  ok(
    page.includes(
      'café &#60;b&#62; <a href="https://a.test/x" target="_blank" rel="noopener noreferrer">https://a.test/x</a>.',
    ),
    page,
  )
  ok(page.includes('<span class="q1">&#62; quoted</span>'), page)
  const html = await text('html')
  ok(html.includes('<p>café</p><img alt="" />'), html)
  ok(!html.includes('script'), html)
  ok((await text('htmlexternal')).includes('<img src="https://t.test/p" />'))
  const standalone = await text('msghtml')
  ok(standalone.includes('<tr><th scope="row">From</th><td>Ann &#60;ann@remote.example&#62;</td></tr>'), standalone)
  ok(standalone.includes(`<script>${PRINT_SCRIPT}</script>`))
  strictEqual(standalone.split('<script').length, 2)
  strictEqual(await text('viewtext/0.3'), '<script>alert(1)</script>')
  strictEqual(await text('view/0.0.0'), 'café <b> https://a.test/x.\n> quoted')
  strictEqual(await text('raw'), MIXED.replace(/\n/g, '\r\n'))
})

test('only text where there is no HTML', async () => {
  const plain = host.messages.add('Subject: x\n\nhi')
  ok((await (await host.get(`msg/${plain}/html`)).text()).includes('No textual content'))
})

test('a header with UTF-8 is downloaded as message/global', async () => {
  const global = host.messages.add(Buffer.from('Subject: é\r\n\r\nx'))
  strictEqual((await host.get(`msg/${global}/rawdl`)).headers.get('content-type'), 'message/global')
})

test('ranges and validation', async () => {
  const check = async (
    headers: Record<string, string>,
    status: number,
    range: string | null,
    bytes: Buffer | string,
  ) => {
    const response = await host.get(`msg/${id}/view/0.1`, headers)
    const body = Buffer.from(await response.arrayBuffer())
    deepStrictEqual([response.status, response.headers.get('content-range')], [status, range], JSON.stringify(headers))
    deepStrictEqual(body, Buffer.from(bytes as string))
    if (status < 300) strictEqual(response.headers.get('content-length'), String(body.length))
  }
  const etag = `"${id}-0.1"`
  await check({}, 200, null, BYTES)
  await check({ Range: 'bytes=0-0' }, 206, 'bytes 0-0/5000', BYTES.subarray(0, 1))
  await check({ Range: 'bytes=100-2099' }, 206, 'bytes 100-2099/5000', BYTES.subarray(100, 2100))
  await check({ Range: 'bytes=4990-' }, 206, 'bytes 4990-4999/5000', BYTES.subarray(4990))
  await check({ Range: 'bytes=-10' }, 206, 'bytes 4990-4999/5000', BYTES.subarray(4990))
  await check({ Range: 'bytes=0-99999' }, 206, 'bytes 0-4999/5000', BYTES)
  await check({ Range: 'bytes=5000-' }, 416, 'bytes */5000', 'no such range\n')
  await check({ Range: 'bytes=0-1,4-5' }, 200, null, BYTES)
  await check({ Range: 'lines=0-1' }, 200, null, BYTES)
  await check({ Range: 'bytes=0-0', 'If-Range': etag }, 206, 'bytes 0-0/5000', BYTES.subarray(0, 1))
  await check({ Range: 'bytes=0-0', 'If-Range': '"other"' }, 200, null, BYTES)
  await check({ 'If-None-Match': etag }, 304, null, '')
  await check({ 'If-None-Match': `"a", W/${etag}` }, 304, null, '')
  await check({ 'If-None-Match': '"other"' }, 200, null, BYTES)
  const head = await host.get(`msg/${id}/view/0.1`, {}, 'HEAD')
  deepStrictEqual([head.status, head.headers.get('content-length'), head.headers.get('etag')], [200, '5000', etag])
})

test('ranges', () => {
  const check = (header: string, size: number, expected: unknown) =>
    deepStrictEqual(byteRange(header, size), expected, header)
  check('bytes=0-', 0, 'unsatisfiable')
  check('bytes=-0', 5, 'unsatisfiable')
  check('bytes=-9', 5, { start: 0, end: 5 })
  check('bytes=3-2', 5, 'all')
  check('bytes=-', 5, 'all')
  check('', 5, 'all')
  check(`bytes=${'9'.repeat(16)}-`, 5, 'all')
  deepStrictEqual([matches('*', '"a"'), matches('', '"a"'), matches('"b"', '"a"')], [true, false, false])
})

test('all attachments as one zip', async () => {
  const files = await readZip(Buffer.from(await (await host.get(`msg/${id}/attachments.zip`)).arrayBuffer()))
  deepStrictEqual(
    files.map(({ name, stored }) => [name, stored]),
    [
      ['a.pdf', true],
      ['A-1.PDF', true],
      ['page.html', false],
      ['évil;.exe', false],
      ['a-2.pdf', false],
    ],
  )
  deepStrictEqual(files[0]?.bytes, BYTES)
  strictEqual(files[2]?.bytes.toString(), '<script>alert(1)</script>')
})

test('parts of a message are read in one go; a part within one takes another', async () => {
  const message = Buffer.from(`head${'a'.repeat(10)}-${'b'.repeat(10)}YWJj-${'c'.repeat(10)}tail`)
  const opened: string[] = []
  const chunks = async function* () {
    opened.push('open')
    try {
      for (let at = 0; at < message.length; at += 7) yield message.subarray(at, at + 7)
    } finally {
      opened.push('closed')
    }
  }
  const reader = new PartsReader(async () => chunks())
  const read = async (start: number, end: number, encoding = '7bit') => {
    const pieces: Buffer[] = []
    for await (const piece of reader.read({ start, end, encoding })) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }
  deepStrictEqual([await read(4, 14), await read(15, 25), opened], ['a'.repeat(10), 'b'.repeat(10), ['open']])
  strictEqual(await read(25, 29, 'base64'), 'abc')
  deepStrictEqual([await read(30, 40), opened], ['c'.repeat(10), ['open']])
  deepStrictEqual([await read(4, 40), await read(15, 25)], [message.toString().slice(4, 40), 'b'.repeat(10)])
  deepStrictEqual([await read(40, 100), await read(100, 200)], ['tail', ''])
  await reader.close()
  deepStrictEqual(opened, ['open', 'closed', 'open', 'closed', 'open', 'closed'])
})

test('names', () => {
  const names = (given: string[], expected: string[]) => deepStrictEqual(archiveNames(given), expected)
  names(['a.txt', 'A.TXT', 'a.txt'], ['a.txt', 'A-1.TXT', 'a-2.txt'])
  names(['a-1.txt', 'a.txt', 'a.txt'], ['a-1.txt', 'a.txt', 'a-2.txt'])
  names(['', '..', '../../x', 'a/b', 'a\\b'], ['unnamed', 'unnamed-1', 'x', 'b', 'b-1'])
  names(['CON', 'nul.txt', 'x. ', 'a:b*?'], ['_CON', '_nul.txt', 'x', 'a_b__'])
  names(['a\r\nb\u202e.exe'], ['ab.exe'])
  strictEqual(new Set(archiveNames(Array.from({ length: 1_000 }, () => 'x'))).size, 1_000)
  const header = (name: string, expected: string) => strictEqual(attachmentDisposition(name), `attachment; ${expected}`)
  header('a.txt', 'filename="a.txt"')
  header('a"b\\c%.txt', `filename="a_b_c_.txt"; filename*=UTF-8''a%22b%5Cc%25.txt`)
  header("é'(x)*\ud800", `filename="_'(x)*_"; filename*=UTF-8''%C3%A9%27%28x%29%2A%EF%BF%BD`)
  strictEqual(messageFilename(7, RECEIVED_AT), 'email-7-20261124-103000.eml')
  strictEqual(archiveFilename(7, RECEIVED_AT, ''), 'email-7-attachments-20261124-103000-unnamed.zip')
  strictEqual(archiveFilename(7, RECEIVED_AT, 'Re: ab, c'), 'email-7-attachments-20261124-103000-Re-ab-c.zip')
})

test('decoding in pieces is the same as at once', async () => {
  const check = async (encoding: string, body: string, expected: string) => {
    const message = Buffer.from(`ignored${body}ignored`, 'latin1')
    const range = { start: 7, end: message.length - 7, encoding }
    for (const size of [1, 2, 3, 5, 64, 10_000]) {
      const pieces: Buffer[] = []
      const chunks = async function* () {
        for (let at = 0; at < message.length; at += size) yield message.subarray(at, at + size)
      }
      for await (const piece of decodedPart(chunks(), range)) pieces.push(piece)
      strictEqual(Buffer.concat(pieces).toString('latin1'), expected, `${encoding} ${body} by ${size}`)
    }
    strictEqual(decodedSize(message, range), expected.length)
  }
  await check('7bit', 'a\r\nb', 'a\r\nb')
  await check('base64', 'YWJj\r\nZGVm', 'abcdef')
  await check('base64', 'YW Jj*\r\nZGVmZw==', 'abcdefg')
  await check('base64', 'YQ==YmM=ZGVm', 'abcdef')
  await check('base64', 'YWJ', 'ab')
  await check('base64', '====', '')
  await check('quoted-printable', 'a=3Db=\r\nc =  \r\nd  \r\ne=E9=zz=', 'a=bc d\r\ne\xe9=zz')
  await check('quoted-printable', '', '')
  await check('x-unknown', '=3D', '=3D')
})

test('a message within a message is shown as one, whatever it was encoded in', async () => {
  const inner =
    'From: Eve <eve@remote.example>\nSubject: in <it>\nContent-Type: text/html\n\n<p onclick=x>hi</p><script>1</script>'
  const base64 = Buffer.from('Subject: =?utf-8?Q?gr=C3=BCn?=\n\n<b> plain').toString('base64')
  const outer = host.messages.add(
    [
      'Content-Type: multipart/mixed; boundary=b\n',
      ...['--b', 'Content-Type: message/rfc822', '', inner],
      ...['--b', 'Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', base64],
      ...['--b', 'Content-Type: text/plain', '', 'none', '--b--', ''],
    ].join('\n'),
  )
  const shown = async (path: string) => await (await host.get(`msg/${outer}/message/${path}`)).text()
  const html = await shown('0.0')
  ok(html.includes('<h1 class="head">in &#60;it&#62;</h1>'), html)
  ok(html.includes('<td>Eve &#60;eve@remote.example&#62;</td>'), html)
  ok(html.includes('<p>hi</p>') && !html.includes('script'), html)
  const plain = await shown('0.1')
  ok(plain.includes('grün') && plain.includes('&#60;b&#62; plain'), plain)
  const { headers } = await host.get(`msg/${outer}/message/0.0`)
  strictEqual(headers.get('content-security-policy'), FILE)
  for (const path of ['0', '0.2', '0.9', '1'])
    strictEqual((await host.get(`msg/${outer}/message/${path}`)).status, 404, path)
  strictEqual((await host.get(`msg/${outer}/view/0.1`)).headers.get('content-type'), 'text/plain; charset=utf-8')
})
