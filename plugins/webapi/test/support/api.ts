// A world that listens on HTTP, and raw requests to it: what is on the wire, byte for byte, without a client library.
import { connect } from 'node:net'
import { http } from '@mox/plugin-http'
import { webapi } from '../../src/index.ts'
import { fakeEvents, fakeSuppressions } from './feedback.ts'
import { openWorld, PASSWORD, type World, type WorldOptions } from './world.ts'

export interface ApiOptions extends Omit<WorldOptions, 'plugins'> {
  readonly webapi?: Parameters<typeof webapi>[0]
  /** Default true: with events and suppression lists. */
  readonly feedback?: boolean
}

export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: tests compare it field by field
  readonly json: any
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Default alice; null: no login. */
  readonly user?: string | null
  readonly password?: string
}

export interface Api {
  readonly world: World
  port(): number
  /** `path` below /webapi/. */
  ask(path: string, options?: AskOptions): Promise<Answer>
  /** POST of a form field `request`. */
  call(method: string, request: unknown, options?: AskOptions): Promise<Answer>
  /** POST or another method with a JSON body. */
  json(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Answer>
  /** A new API key, as the header that carries it. */
  key(account: string, flags?: Readonly<Record<string, string | number | boolean>>): Promise<{ Authorization: string }>
  close(): Promise<void>
}

export async function openApi(options: ApiOptions = {}): Promise<Api> {
  const feedback = options.feedback === false ? [] : [fakeEvents(), fakeSuppressions()]
  const listeners = { http: { ip: '127.0.0.1', port: 0, serves: ['public' as const, 'metrics' as const] } }
  const world = await openWorld({
    ...options,
    plugins: [http({ listeners, requestsPerMinute: false }), ...feedback, webapi(options.webapi)],
  })
  const port = (): number => {
    const line = world.log.lines.findLast(l => l.text === 'listening')
    return Number(new URL(String(line?.fields['url'])).port)
  }
  const ask: Api['ask'] = async (
    path,
    { method = 'GET', headers = {}, body, user = 'alice@example.org', password = PASSWORD } = {},
  ) => {
    const login =
      user === null ? {} : { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
    const bytes = Buffer.from(body ?? '')
    const all = {
      ...{ Host: 'localhost', Connection: 'close', ...login },
      ...(body === undefined ? {} : { 'Content-Length': String(bytes.length) }),
      ...headers,
    }
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return parse(
      await exchange(
        port(),
        Buffer.concat([Buffer.from(`${method} /webapi/${path} HTTP/1.1\r\n${head.join('')}\r\n`), bytes]),
      ),
    )
  }
  return {
    world,
    port,
    ask,
    call: (method, request, { headers, ...more } = {}) =>
      ask(`v0/${method}`, {
        ...{ method: 'POST', body: new URLSearchParams({ request: JSON.stringify(request) }).toString(), ...more },
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      }),
    json: (method, path, body, { headers, ...more } = {}) =>
      ask(`v1/${path}`, {
        ...{ method, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...more },
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      }),
    key: async (account, flags = { permissions: 'all' }) => {
      const added = await world.mox(`webapi key add ${account} test`, flags)
      const key = added.kind === 'text' ? added.text.split('\n')[1] : ''
      return { Authorization: `Bearer ${key}` }
    },
    close: () => world.close(),
  }
}

function exchange(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    const chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk)).on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks)))
    socket.write(request)
  })
}

function parse(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = new Map(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const body = bytes.toString('utf8', end + 4)
  const isJson = /json/.test(headers.get('content-type') ?? '')
  return { status: Number(first.split(' ')[1]), headers, body, json: isJson ? JSON.parse(body) : undefined }
}
