// Images from elsewhere: what is a picture and what only tells on the reader; and the server's own fetching, against servers
// that answer all sorts of things.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Egress } from '@mox/plugin-sdk/io'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { ImageProxy } from '../src/server/content/image-proxy.ts'
import { imageLink, imageType, isTracker, openLink } from '../src/server/content/images.ts'
import { IMAGE_BYTES, IMAGE_LINK_MS, IMAGE_URL_LENGTH, IMAGES_OF_ACCOUNT } from '../src/server/content/limits.ts'
import { read } from '../src/server/content/read.ts'
import { type ContentHost, openContent } from './content-host.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\n picture', 'latin1')

test('what only tells that a message was opened', () => {
  const rows: readonly [Record<string, string>, boolean][] = [
    [{}, false],
    [{ width: '1', height: '1' }, true],
    [{ width: '1px', height: ' 1 ' }, true],
    [{ width: '0', height: '100' }, true],
    [{ width: '1' }, true],
    [{ height: '1' }, true],
    // Lines and spacers.
    [{ width: '600', height: '1' }, false],
    [{ width: '1', height: '30' }, false],
    [{ width: '100%', height: '1' }, true],
    [{ width: '10', height: '10' }, false],
    [{ width: '100%' }, false],
    [{ hidden: '' }, true],
    [{ style: 'display:none' }, true],
    [{ style: 'color:red; Display : NONE !important' }, true],
    [{ style: 'visibility:hidden' }, true],
    [{ style: 'opacity:0' }, true],
    [{ style: 'opacity: 0.0;' }, true],
    [{ style: 'opacity:0.5' }, false],
    [{ style: 'width:1px;height:1px' }, true],
    [{ style: 'width:1px!important;height:1px!important' }, true],
    [{ style: 'max-width:1px;max-height:1px' }, true],
    [{ style: 'border-width:1px;line-height:1px' }, false],
    [{ width: '200', height: '200', style: 'width:1px;height:1px' }, true],
    [{ width: '1', height: '1', style: 'width:200px;height:200px' }, false],
  ]
  for (const [attributes, expected] of rows) strictEqual(isTracker(attributes), expected, JSON.stringify(attributes))
})

test('an opened message says what it wants from elsewhere', () => {
  const of = (html: string) => {
    const { hasExternal, trackers, trackerHosts } = read(Buffer.from(`Content-Type: text/html\r\n\r\n${html}`), {
      kind: 'open',
    })
    return [hasExternal, trackers, trackerHosts]
  }
  deepStrictEqual(of('x'), [false, 0, []])
  deepStrictEqual(of('<img src=https://a.test/x>'), [true, 0, []])
  deepStrictEqual(of('<img src=https://a.test/x width=1 height=1>'), [false, 1, ['a.test']])
  deepStrictEqual(
    of('<img src=https://b.test/x hidden><img src=//a.test/y hidden><img src=//a.test/z hidden><img src=//c.test>'),
    [true, 3, ['b.test', 'a.test']],
  )
  deepStrictEqual(of('<img src=cid:x width=1>'), [false, 0, []])
})

test('links name an account, an address and a time, and cannot be made by others', () => {
  const grant = { key: Buffer.alloc(32, 7), account: 'alice', until: 2_000 }
  const url = 'https://a.test/é?a=b'
  const link = imageLink(grant, url)?.slice('image/'.length) ?? ''
  const granted = { account: 'alice', url }
  deepStrictEqual(openLink(grant.key, link, 1_999), granted)
  strictEqual(openLink(grant.key, link, 2_000), undefined)
  strictEqual(openLink(Buffer.alloc(32, 8), link, 0), undefined)
  const [claim = '', mac = ''] = link.split('.')
  const other = Buffer.from(JSON.stringify([9e15, 'alice', url])).toString('base64url')
  for (const forged of ['', '.', claim, `${claim}.`, `.${mac}`, `${other}.${mac}`, `${claim}.${mac}x`, `${link}.x`])
    deepStrictEqual(openLink(grant.key, forged, 0), forged === `${link}.x` ? granted : undefined, forged)
  strictEqual(imageLink(grant, `https://a.test/${'a'.repeat(IMAGE_URL_LENGTH)}`), undefined)
})

test('kinds of images, by their first bytes', () => {
  const rows: readonly [string, string | undefined][] = [
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF87a', 'image/gif'],
    ['GIF89a', 'image/gif'],
    ['RIFF\x01\x02\x03\x04WEBPVP8 ', 'image/webp'],
    ['\0\0\0\x1cftypavif', 'image/avif'],
    ['BM', 'image/bmp'],
    ['\0\0\x01\0', 'image/x-icon'],
    ['<svg xmlns="http:', undefined],
    ['<!doctype html>', undefined],
    [' GIF89a', undefined],
    ['', undefined],
  ]
  for (const [bytes, type] of rows) strictEqual(imageType(Buffer.from(bytes, 'latin1')), type, bytes)
})

let answer: RequestListener
let asked: IncomingMessage[]
let elsewhere: Server
let there: string
let clock: VirtualClock
let host: ContentHost

async function start(networks: readonly string[]): Promise<void> {
  const images = new ImageProxy({ clock, egress: new Egress(networks), key: Buffer.alloc(32, 1) })
  host = await openContent({ images })
}

beforeEach(async () => {
  clock = new VirtualClock()
  asked = []
  answer = (_, response) => void response.setHeader('Content-Type', 'text/html').end(PNG)
  elsewhere = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  there = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
  await start(['127.0.0.0/8'])
})
afterEach(async () => {
  elsewhere.closeAllConnections()
  elsewhere.close()
  await host.close()
})

/** What the browser is told to load for an image of this address. */
async function linkTo(url: string): Promise<string> {
  const id = host.messages.add(`Content-Type: text/html\n\n<img src="${url}">`)
  const response = await host.get(`msg/${id}/htmlexternal`)
  match(response.headers.get('content-security-policy') ?? '', /; img-src data: 'self'; style-src 'unsafe-inline'$/)
  return /src="..\/..\/(image\/[^"]+)"/.exec(await response.text())?.[1] ?? ''
}

async function fetched(url: string): Promise<[number, string]> {
  const response = await host.get(await linkTo(url))
  return [response.status, (await response.text()).slice(0, 40)]
}

const CANNOT: [number, string] = [502, 'the image cannot be had\n']

test('an image comes from us, without a word about who asks', async () => {
  const link = await linkTo(`${there}/x?a=1&b=2`)
  const response = await host.get(link, { Cookie: 'a=b', Referer: 'http://x.test', 'User-Agent': 'mine' })
  deepStrictEqual([response.status, Buffer.from(await response.arrayBuffer())], [200, PNG])
  const { headers } = response
  deepStrictEqual(
    ['content-type', 'x-content-type-options', 'cross-origin-resource-policy', 'cache-control', 'set-cookie'].map(
      name => headers.get(name),
    ),
    ['image/png', 'nosniff', 'cross-origin', 'private, max-age=3600, immutable', null],
  )
  match(headers.get('content-security-policy') ?? '', /^sandbox .*default-src 'none'/)
  const [request] = asked
  strictEqual(request?.url, '/x?a=1&b=2')
  deepStrictEqual(Object.keys(request?.headers ?? {}).sort(), [
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ])
  strictEqual(request?.headers['user-agent'], 'mox-image-proxy')
})

test('links of an hour are alike, and end', async () => {
  const link = await linkTo(`${there}/x`)
  await clock.advance(IMAGE_LINK_MS)
  ok((await linkTo(`${there}/x`)) !== link)
  strictEqual((await host.get(link)).status, 200)
  await clock.advance(IMAGE_LINK_MS)
  deepStrictEqual(
    [(await host.get(link)).status, (await host.get('image/x.y')).status, (await host.get('image/x')).status],
    [404, 404, 404],
  )
  strictEqual(asked.length, 1)
})

test('redirects: some, to where it may go', async () => {
  const redirect = (location: string): void => {
    answer = ({ url = '' }, response) => {
      if (url === '/end') response.end(PNG)
      else response.writeHead(302, { Location: location }).end()
    }
  }
  redirect('/end')
  strictEqual((await fetched(`${there}/x`))[0], 200)
  redirect('/again')
  deepStrictEqual(await fetched(`${there}/x`), CANNOT)
  strictEqual(asked.length, 2 + 4)
  for (const bad of [
    'http://10.0.0.1/',
    'http://[::1]/',
    'ftp://127.0.0.1/',
    'http://a:b@127.0.0.1/',
    'http://127.0.0.1:25/',
  ]) {
    redirect(bad)
    deepStrictEqual(await fetched(`${there}/x`), CANNOT, bad)
  }
})

test('what is no image is not given out', async () => {
  const check = async (reply: RequestListener): Promise<void> => {
    answer = reply
    deepStrictEqual(await fetched(`${there}/x`), CANNOT)
  }
  await check(
    (_, response) =>
      void response.setHeader('Content-Type', 'image/svg+xml').end('<svg xmlns="http://www.w3.org/2000/svg"/>'),
  )
  await check((_, response) => void response.setHeader('Content-Type', 'image/png').end('<!doctype html><script>'))
  await check((_, response) => void response.setHeader('Content-Encoding', 'gzip').end(PNG))
  await check((_, response) => void response.end())
  await check((_, response) => void response.writeHead(404).end(PNG))
  await check((request, _) => void request.socket.destroy())
  await check((_, response) => void response.setHeader('X', 'x'.repeat(20_000)).end(PNG))
})

test('what is too large is cut off', async () => {
  answer = (_, response) => {
    response.write(PNG)
    response.end(Buffer.alloc(IMAGE_BYTES))
  }
  const response = await host.get(await linkTo(`${there}/x`))
  const size = await response.arrayBuffer().then(
    bytes => bytes.byteLength,
    () => 'cut',
  )
  strictEqual(size, 'cut')
})

test('not from networks of our own', async () => {
  await host.close()
  await start([])
  for (const url of [`${there}/x`, 'http://localhost/x', 'http://[::ffff:7f00:1]/x', 'http://169.254.169.254/latest'])
    deepStrictEqual(await fetched(url), CANNOT, url)
  strictEqual(asked.length, 0)
})

test('only so many at a time', async () => {
  const waiting: (() => void)[] = []
  answer = (_, response) => void waiting.push(() => response.end(PNG))
  const link = await linkTo(`${there}/x`)
  const running = Array.from({ length: IMAGES_OF_ACCOUNT }, () => host.get(link))
  while (waiting.length < IMAGES_OF_ACCOUNT) await once(elsewhere, 'request')
  const one = await host.get(link)
  deepStrictEqual([one.status, one.headers.get('retry-after')], [503, '5'])
  for (const end of waiting) end()
  for (const response of await Promise.all(running)) strictEqual((await response.arrayBuffer()).byteLength, PNG.length)
  answer = (_, response) => void response.end(PNG)
  strictEqual((await host.get(link)).status, 200)
})
