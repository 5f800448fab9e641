import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { definePlugin, UsageError, type WebmailExtension, webmailExtensions } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { CALL_BYTES } from '../src/api/calls.ts'
import { parseJson } from '../src/server/body.ts'
import { CallError } from '../src/server/call.ts'
import { EXTENSION_BYTES, LOGIN_BYTES, MAX_JSON_DEPTH } from '../src/server/limits.ts'
import { CUSTOM_BYTES, Page, pagePolicy } from '../src/server/page.ts'
import { openWebmail, type WebmailHost } from './webmail-host.ts'

const extension: WebmailExtension = { name: 'polls', title: 'Polls', script: 'export default () => {}\n' }
const polls = definePlugin({
  name: 'polls',
  provides: { webmailExtensions },
  setup: () => ({ services: { webmailExtensions: extension } }),
})

let host: WebmailHost
beforeAll(async () => {
  host = await openWebmail({ plugins: [polls()] })
})
afterAll(() => host.close())

interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** One request as bytes: fetch would unpack the answer. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  const url = new URL(path, host.url)
  const lines = Object.entries({ Host: url.host, Connection: 'close', ...headers }).map(pair => pair.join(': '))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: url.hostname, port: Number(url.port) })
    socket.on('data', chunk => chunks.push(chunk)).on('error', reject)
    socket.on('close', () => {
      const bytes = Buffer.concat(chunks)
      const end = bytes.indexOf('\r\n\r\n')
      const [first = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
      const pairs = fields.map(line => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ])
      resolve({
        status: Number(first.split(' ')[1]),
        headers: new Map(pairs as [string, string][]),
        body: bytes.subarray(end + 4),
      })
    })
    socket.write(`${method} ${url.pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  })
}

test('the page is compressed as accepted, and revalidated', async () => {
  const built = await readFile(new URL('../dist/web/index.html', import.meta.url))
  const plain = await ask('')
  assert.equal(plain.status, 200)
  assert.deepEqual(plain.body, built)
  assert.equal(plain.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(plain.headers.get('vary'), 'Accept-Encoding')
  assert.equal(plain.headers.get('cache-control'), 'no-cache')
  const br = await ask('', { 'Accept-Encoding': 'gzip, br' })
  assert.equal(br.headers.get('content-encoding'), 'br')
  assert.deepEqual(brotliDecompressSync(br.body), built)
  const gz = await ask('', { 'Accept-Encoding': 'gzip' })
  assert.deepEqual(gunzipSync(gz.body), built)
  const etag = plain.headers.get('etag') ?? ''
  assert.match(etag, /^W\/"[\w-]{22}"$/)
  assert.equal((await ask('', { 'If-None-Match': etag })).status, 304)
  assert.equal((await ask('', { 'If-None-Match': 'W/"other"' })).status, 200)
  assert.equal((await ask('', { 'If-Modified-Since': plain.headers.get('last-modified') ?? '' })).status, 304)
  const head = await ask('', {}, 'HEAD')
  assert.deepEqual([head.status, head.body.length, head.headers.get('etag')], [200, 0, etag])
  assert.equal((await ask('', { 'Content-Length': '0' }, 'POST')).status, 405)
})

test('the policy names what is in the page, and nothing else runs', async () => {
  const policy = (await ask('')).headers.get('content-security-policy') ?? ''
  const built = await readFile(new URL('../dist/web/index.html', import.meta.url), 'utf8')
  const [, script = ''] = /<script type="module">([\s\S]*?)<\/script>/.exec(built) ?? []
  const hash = createHash('sha256').update(script).digest('base64')
  assert.ok(policy.includes(`script-src 'self' 'sha256-${hash}'`))
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  assert.match(policy, /default-src 'none';.*frame-ancestors 'none'/)
  const sha = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  assert.ok(
    pagePolicy('<style>a{}</style><style media="x">b{}</style>').includes(
      `style-src 'self' ${sha('a{}')} ${sha('b{}')};`,
    ),
  )
})

test("the operator's style and script are in the page, and read again when they change", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-webmail-custom-'))
  const [css, script] = [join(dir, 'a.css'), join(dir, 'a.js')]
  await writeFile(css, 'body { color: red }')
  await writeFile(script, 'function moxBeforeDisplay(root) {}')
  const custom = await openWebmail({ webmail: { css, script } })
  try {
    const get = async (path: string): Promise<Response> => await fetch(new URL(path, custom.url))
    const page = await get('')
    assert.match(
      await page.text(),
      /<link rel="stylesheet" href="custom\.css"><script src="custom\.js"><\/script><\/head>/,
    )
    assert.equal(await (await get('custom.css')).text(), 'body { color: red }')
    assert.equal((await get('custom.js')).headers.get('content-type'), 'text/javascript; charset=utf-8')
    await writeFile(css, 'body { color: blue }')
    await utimes(css, 1, 1)
    assert.equal(await (await get('custom.css')).text(), 'body { color: blue }')
    await rm(css)
    assert.equal(await (await get('custom.css')).text(), 'body { color: blue }')
  } finally {
    await custom.close()
  }
  await assert.rejects(new Page([], { 'custom.css': css, 'custom.js': undefined }).start(), /there is no file/)
  await writeFile(css, Buffer.alloc(CUSTOM_BYTES + 1, ' '))
  await assert.rejects(new Page([], { 'custom.css': css, 'custom.js': undefined }).start(), /has more than/)
  await writeFile(css, Buffer.alloc(CUSTOM_BYTES, ' '))
  await new Page([], { 'custom.css': css, 'custom.js': undefined }).start()
  await rm(dir, { recursive: true })
})

test('without them nothing of them is there', async () => {
  assert.equal((await ask('custom.css')).status, 404)
  assert.doesNotMatch((await ask('')).body.toString(), /custom\./)
})

test('scripts of extensions', async () => {
  const { status, headers, body } = await ask('ext/polls.js')
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.equal(body.toString(), extension.script)
  const refused = async (...extensions: WebmailExtension[]) => {
    try {
      await new Page(extensions).start()
      return ''
    } catch (error) {
      if (error instanceof UsageError) return error.message
      throw error
    }
  }
  assert.equal(await refused(extension), '')
  assert.equal(await refused({ ...extension, script: 'x'.repeat(EXTENSION_BYTES) }), '')
  assert.match(
    await refused({ ...extension, script: 'x'.repeat(EXTENSION_BYTES + 1) }),
    /^webmail: the script of extension polls has more/,
  )
  assert.match(await refused({ ...extension, name: 'Polls/x' }), /^webmail: an extension is named "Polls\/x"/)
  assert.match(await refused(extension, extension), /^webmail: two extensions are named polls/)
})

test('what is not there, and what is asked wrongly', async () => {
  const json = { 'Content-Type': 'application/json' }
  const client = await host.login()
  const check = async (path: string, init: RequestInit, expected: string) => {
    const response = await client.request(path, init)
    const text = await response.text()
    assert.equal(`${response.status} ${text.trim()}`.slice(0, expected.length), expected, path)
  }
  const post = (body: string, headers: Record<string, string> = json) => ({ method: 'POST', body, headers })
  await check('nothing', {}, '404 {"error":{"code":"notFound"')
  await check('dist/web/index.html', {}, '404 {"error":{"code":"notFound"')
  await check('ext/other.js', {}, '404 {"error":{"code":"notFound"')
  await check('api/usage', {}, '405 use POST')
  await check('api/none', post('{}'), '404 {"error":{"code":"notFound"')
  await check('api/toString', post('{}'), '404 {"error":{"code":"notFound"')
  await check('api/usage', post('{}', { 'Content-Type': 'text/plain' }), '400 {"error":{"code":"badRequest"')
  await check('api/usage', post('{'), '400 {"error":{"code":"badRequest","message":"the request is not valid JSON"')
  await check('api/usage', post('{"more":1}'), '400 {"error":{"code":"badRequest"')
  await check('api/usage', post('{}'), '200 {"used":')
  const large = (bytes: number) => post(`{"x":"${'y'.repeat(bytes - 8)}"}`)
  await check('api/usage', large(CALL_BYTES), '400 ')
  await check('api/usage', large(CALL_BYTES + 1), '413 ')
  await check('api/login', large(LOGIN_BYTES), '400 ')
  await check('api/login', large(LOGIN_BYTES + 1), '413 {"error":{"code":"tooLarge"')
})

test('large answers are compressed', async () => {
  const client = await host.login()
  const labels = Array.from({ length: 10 }, (_, i) => `label-${'x'.repeat(60)}-${i}`)
  const store = await host.store('alice')
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: x\r\n\r\n'), keywords: labels })
  const cookie = [...client.cookies].map(pair => pair.join('=')).join('; ')
  const body = JSON.stringify({ ids: [id] })
  const request = (accepted: string) =>
    fetch(new URL('api/items', host.url), {
      method: 'POST',
      body,
      headers: {
        ...{ Cookie: cookie, 'x-mox-csrf': client.csrf, 'Content-Type': 'application/json' },
        'Accept-Encoding': accepted,
      },
    })
  for (const [accepted, expected] of [
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['identity', null],
  ] as const) {
    const response = await request(accepted)
    assert.equal(response.headers.get('content-encoding'), expected)
    assert.equal(response.headers.get('vary'), 'Accept-Encoding')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(((await response.json()) as { items: unknown[] }).items.length, 1)
  }
})

test('JSON is bounded in depth', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.doesNotThrow(() => parseJson(nested(MAX_JSON_DEPTH)))
  assert.throws(() => parseJson(nested(MAX_JSON_DEPTH + 1)), CallError)
  assert.throws(() => parseJson('{"a":{"__proto__":1}}'), CallError)
})
