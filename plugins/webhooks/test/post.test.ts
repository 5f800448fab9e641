// One POST against a real receiver: what counts as success, what is kept of the response, what ends it.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { Egress, Poster, type PostResult, RESPONSE_KEPT, RESPONSE_READ, TIMEOUT_MS } from '@mox/plugin-sdk/io'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { answer, LOOPBACK, openReceiver, type Receiver } from './support.ts'

const never = new AbortController().signal

let receiver: Receiver
let clock: VirtualClock
let poster: Poster
beforeEach(async () => {
  receiver = await openReceiver()
  clock = new VirtualClock()
  poster = new Poster({ clock, egress: new Egress(LOOPBACK) }, 1)
})
afterEach(async () => {
  poster.close()
  await receiver.close()
  strictEqual(clock.pending, 0)
})

const post = (url = receiver.url, signal = never): Promise<PostResult> =>
  poster.post({ url, headers: { A: 'b' }, body: '{"ä":1}' }, signal)

test('statuses', async () => {
  const check = async (code: number, error: string, headers: Record<string, string> = {}, more = {}) => {
    receiver.answer = answer(code, headers, code === 204 || code === 304 ? '' : 'text')
    const response = code === 204 || code === 304 ? '' : 'text'
    deepStrictEqual(await post(), { code, error, response, ...more })
  }
  await check(200, '')
  await check(202, '')
  await check(204, '')
  await check(299, '')
  const location = { Location: `${receiver.url}/elsewhere` }
  for (const code of [301, 302, 303, 307, 308])
    await check(code, `HTTP status ${code}: redirects are not followed`, location)
  await check(304, 'HTTP status 304: redirects are not followed')
  await check(400, 'HTTP status 400')
  await check(410, 'HTTP status 410')
  await check(503, 'HTTP status 503', { 'Retry-After': '120' }, { retryAfter: 120_000 })
  // Nothing was followed, one connection did for all.
  deepStrictEqual(
    new Set(receiver.requests.map(({ method, path, body }) => `${method} ${path} ${body}`)),
    new Set(['POST /hook {"ä":1}']),
  )
  strictEqual(receiver.connections(), 1)
})

test('what is kept of a response', async () => {
  const check = async (body: string, expected: string) => {
    receiver.answer = answer(200, {}, body)
    strictEqual((await post()).response, expected)
  }
  await check('a\r\n\tb\u0000\u202ec', 'a b c')
  await check('x'.repeat(RESPONSE_KEPT), 'x'.repeat(RESPONSE_KEPT))
  await check('x'.repeat(RESPONSE_KEPT + 1), 'x'.repeat(RESPONSE_KEPT))
  await check('x'.repeat(RESPONSE_READ), 'x'.repeat(RESPONSE_KEPT))
  strictEqual(receiver.connections(), 1)
  // Longer: not read to its end, so the connection is given up.
  await check('x'.repeat(RESPONSE_READ + 1), 'x'.repeat(RESPONSE_KEPT))
  await check('short', 'short')
  strictEqual(receiver.connections(), 2)
})

test('a response without end is not waited for', async () => {
  receiver.answer = (_, response) => {
    response.write('x'.repeat(RESPONSE_READ + 1))
  }
  deepStrictEqual([(await post()).code, clock.pending], [200, 0])
})

test('time is limited as a whole', async () => {
  const check = async (behave: Receiver['answer']) => {
    receiver.answer = behave
    const before = receiver.requests.length
    const sent = post()
    while (receiver.requests.length === before) await new Promise(resolve => setImmediate(resolve))
    await clock.advance(TIMEOUT_MS - 1)
    strictEqual(clock.pending, 1)
    await clock.advance(1)
    deepStrictEqual(await sent, {
      code: 0,
      error: 'no complete response within 60 seconds',
      response: '',
      failure: 'timeout',
    })
  }
  await check(() => {})
  await check((_, response) => void response.write('slow'))
})

test('what goes wrong', async () => {
  const check = async (url: string, failure: string, error: RegExp, signal = never) => {
    const result = await post(url, signal)
    deepStrictEqual([result.code, result.failure, error.test(result.error)], [0, failure, true], result.error)
  }
  const free = await openReceiver()
  await free.close()
  await check(free.url, 'error', /ECONNREFUSED/)
  await check('http://10.0.0.1/', 'refused', /10\.0\.0\.1 is not a public address/)
  await check('http://[::ffff:10.0.0.1]/', 'refused', /not a public address/)
  await check('nonsense', 'error', /Invalid URL/)
  await check(receiver.url, 'error', /stopping/, AbortSignal.abort())
  receiver.answer = (_, response) => void response.socket?.destroy()
  await check(receiver.url, 'error', /hang up|ECONNRESET/)
  receiver.answer = answer(200, { 'X-Large': 'x'.repeat(20_000) })
  await check(receiver.url, 'error', /Header overflow|Parse Error/i)
  const abort = new AbortController()
  receiver.answer = () => abort.abort()
  await check(receiver.url, 'error', /stopping/, abort.signal)
})

test('a name is resolved and judged at each connection', async () => {
  const port = new URL(receiver.url).port
  let address = '127.0.0.1'
  const asked: string[] = []
  const egress = new Egress(LOOPBACK, {
    resolve: async hostname => {
      asked.push(hostname)
      return [{ address, family: 4 }]
    },
  })
  const named = new Poster({ clock, egress }, 1)
  const send = () => named.post({ url: `http://a.example:${port}/x`, headers: {}, body: '' }, never)
  strictEqual((await send()).code, 200)
  strictEqual((await send()).code, 200)
  named.close()
  address = '10.0.0.1'
  const again = new Poster({ clock, egress }, 1)
  strictEqual(
    (await again.post({ url: `http://a.example:${port}/x`, headers: {}, body: '' }, never)).failure,
    'refused',
  )
  again.close()
  deepStrictEqual([asked.length, receiver.requests[0]?.headers.host], [2, `a.example:${port}`])
})

test('an idle connection that the receiver closes costs nothing', async () => {
  // Answers one request on each connection and closes at the second one.
  let seen = 0
  const server = createServer((socket: Socket) => {
    let mine = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      if (++mine > 1) socket.destroy()
      else {
        seen++
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const codes = [await post(url), await post(url), await post(url)].map(({ code }) => code)
  deepStrictEqual([codes, seen], [[200, 200, 200], 3])
  poster.close()
  server.close()
  await once(server, 'close')
})
