import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { HttpRoutes, Log } from '@mox/plugin-sdk'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { BODY_GRACE_MS, BODY_RATE, http } from '../src/index.ts'
import { Limiter, MAX_TRACKED, networks } from '../src/limiter.ts'

const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const routes: HttpRoutes[] = [
  {
    prefix: '/',
    audience: 'internal',
    title: 'root',
    middleware: ctx => {
      ctx.body = `root ${ctx.path}`
    },
  },
  {
    prefix: '/api/',
    audience: 'internal',
    title: 'api',
    maxBody: 10,
    middleware: async ctx => {
      let size = 0
      for await (const chunk of ctx.req) size += (chunk as Buffer).length
      ctx.body = `api ${size}`
    },
  },
  {
    prefix: '/broken/',
    audience: 'internal',
    title: 'broken',
    middleware: () => {
      throw new Error('secret path /etc')
    },
  },
  {
    prefix: '/admin/',
    audience: 'admin',
    title: 'admin',
    middleware: ctx => {
      ctx.body = 'admin'
    },
  },
]

interface Running {
  port: number
  setup: ReturnType<typeof setupWith>
}
const open: Running[] = []
const clock = new VirtualClock()
let lines: Record<string, unknown>[] = []

function setupWith(input: unknown) {
  const spec = http(input as never).spec
  const log: Log = { ...silent, info: fields => void lines.push(fields as Record<string, unknown>) }
  const counter = { inc() {} }
  const services = {
    clock,
    log,
    random: { id: () => 'the-id' },
    system: { hostname: 'mail.test' },
    routes,
    certificates: undefined,
    secrets: { get: () => Promise.reject(new Error('none')) },
    metrics: { counter: () => counter, render: () => Promise.resolve('mox_up 1\n') },
  }
  return spec.setup({
    name: 'http',
    options: (spec.options as { parse(v: unknown): unknown }).parse(input),
    services,
  } as never)
}

async function start(extra: object = {}, serves: string[] = ['internal']): Promise<number> {
  lines = []
  const setup = setupWith({ listeners: { main: { ip: '127.0.0.1', port: 0, serves } }, ...extra })
  await setup.listen?.()
  const port = Number(new URL(String(lines.find(l => 'url' in l)?.['url'])).port)
  open.push({ port, setup })
  return port
}
afterEach(async () => {
  for (const { setup } of open.splice(0)) await setup.stop?.()
})

function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const req = request(
      { host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
      res => {
        let body = ''
        res
          .on('data', c => (body += String(c)))
          .on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }))
      },
    )
    req.on('error', reject)
    req.end(options.body)
  })
}

describe('requests', () => {
  test.each([
    ['/x', {}, 200, 'root /x'],
    ['/api/a', {}, 200, 'api 0'],
    ['/api', {}, 302, 'Redirecting'],
    ['/api/a', { method: 'POST', headers: { 'Content-Length': '10' }, body: '0123456789' }, 200, 'api 10'],
    [
      '/api/a',
      { method: 'POST', headers: { 'Content-Length': '11' }, body: '0123456789a' },
      413,
      'larger than 10 bytes',
    ],
    ['/api/a', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body: 'x' }, 411, 'Content-Length'],
    ['/admin/', {}, 200, 'root /admin/'],
    ['/metrics', {}, 200, 'root /metrics'],
    ['/broken/', {}, 500, 'internal error, id the-id\n'],
    ['/', { headers: { Host: 'evil.test' } }, 421, 'not served here'],
    ['/', { headers: { Host: 'mail.test:99' } }, 200, 'root'],
    ['/', { headers: { Host: 'LOCALHOST' } }, 200, 'root'],
    ['/', { headers: { Host: '[::1]:80' } }, 200, 'root'],
  ] as const)('%s %o → %i', async (path, options, status, text) => {
    const port = await start()
    const answer = await ask(port, path, options as object)
    expect(answer.status).toBe(status)
    expect(answer.body).toContain(text)
    expect(answer.body).not.toContain('/etc')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['content-security-policy']).toContain("default-src 'self'")
  })

  test('a body may take its time, but not more', async () => {
    const socket = connect({ host: '127.0.0.1', port: await start() })
    const closed = once(socket, 'close')
    socket.on('error', () => undefined).resume()
    socket.write('POST /api/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234')
    for (let i = 0; i < 1_000 && clock.pending === 0; i++) await new Promise(resolve => setImmediate(resolve))
    await clock.advance(BODY_GRACE_MS)
    expect(socket.closed).toBe(false)
    await clock.advance(Math.ceil((10 / BODY_RATE) * 1_000))
    await closed
    expect(clock.pending).toBe(0)
  })

  test('a listener serves only its audiences', async () => {
    expect((await ask(await start({}, ['admin']), '/admin/')).status).toBe(403)
    expect((await ask(await start({}, ['admin']), '/x')).status).toBe(404)
    expect((await ask(await start({}, ['metrics']), '/metrics')).body).toBe('mox_up 1\n')
  })

  test('the rate limit answers 429 at one beyond', async () => {
    const port = await start({ requestsPerMinute: 2 })
    const statuses = [await ask(port, '/'), await ask(port, '/'), await ask(port, '/')].map(a => a.status)
    expect(statuses).toEqual([200, 200, 429])
  })
})

test('admin routes need the password, and guessing is limited', async () => {
  const port = await start({ adminPassword: 'moxadmin' }, ['admin'])
  const basic = (text: string) => ({ headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` } })
  const none = await ask(port, '/admin/')
  expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Basic realm="mox admin", charset="UTF-8"'])
  expect((await ask(port, '/admin/', basic('admin:moxadmin'))).body).toBe('admin')
  expect((await ask(port, '/admin/', basic('root:moxadmin'))).status).toBe(401)
  for (let i = 1; i < 10; i++) expect((await ask(port, '/admin/', basic('admin:wrong'))).status).toBe(401)
  expect((await ask(port, '/admin/', basic('admin:moxadmin'))).status).toBe(429)
})

describe('listening', () => {
  test('a port in use names itself and the option', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const setup = setupWith({ listeners: { main: { ip: '127.0.0.1', port, serves: ['internal'] } } })
    await expect(setup.listen?.()).rejects.toThrow(
      `http: 127.0.0.1 port ${port} is in use by another program; stop it, or choose another port in plugins: http({ listeners: { main: { port } } })`,
    )
    other.close()
  })

  test('tls without certificates says what to add', async () => {
    const setup = setupWith({ listeners: { main: { ip: '127.0.0.1', port: 0, tls: true, serves: ['internal'] } } })
    await expect(setup.listen?.()).rejects.toThrow(/no plugin provides certificates; add certificates/)
  })

  test('drain ends when requests end, and at the latest when the signal aborts', async () => {
    await start()
    const abort = new AbortController()
    const drained = open[0]!.setup.drain?.(abort.signal)
    abort.abort()
    await drained
  })
})

describe('limiter', () => {
  test('networks', () => {
    expect(networks('192.0.2.200')).toEqual(['4/32/3221226184', '4/26/50331659', '4/21/1572864'])
    expect(networks('::ffff:192.0.2.200')).toEqual(networks('192.0.2.200'))
    expect(networks('2001:db8:1:2:3::4')).toEqual(['6/64/2001:db8:1:2', '6/48/2001:db8:1', '6/32/2001:db8'])
    expect(networks('::1')).toEqual(['6/64/0:0:0:0', '6/48/0:0:0', '6/32/0:0'])
  })
  test('a network has three times the limit, and a new minute starts anew', () => {
    const limiter = new Limiter(2)
    const got = ['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'].map(ip =>
      limiter.take(ip, 0),
    )
    expect(got).toEqual([true, true, false, true, true, true, false])
    expect(limiter.take('10.0.0.1', 60_000)).toBe(true)
  })
  test('memory is bounded', () => {
    const limiter = new Limiter(1_000_000)
    for (let i = 0; i < MAX_TRACKED; i++) limiter.take(`${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`, 0)
    expect(limiter.size).toBeLessThanOrEqual(MAX_TRACKED + 1)
  })
})

test('addresses to listen on', () => {
  const { parse } = http({} as never).spec.options as { parse(input: unknown): unknown }
  const check = (ip: unknown, expected?: RegExp): void => {
    const work = (): unknown => parse({ listeners: { x: { ip, port: 0, serves: ['internal'] } } })
    if (expected === undefined) expect(work).not.toThrow()
    else expect(work).toThrow(expected)
  }
  for (const ip of ['127.0.0.1', '::1', '0.0.0.0', ['127.0.0.1', '::']]) check(ip)
  for (const ip of ['999.1.1.1', 'localhost', '', ['::1', 'x']]) check(ip, /must be an IP address, such as/)
  check([], /expected array to have >=1 items/)
})
