// What the tests of whole flows share: localserve with an application beside it, which sends over HTTP with an API key and is
// told over a webhook what became of its messages.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MoxClient } from '@mox/plugin-webapi/client'
import { mox } from './cli.ts'
import { type Localserve, type LocalserveOptions, startLocalserve } from './localserve.ts'
import type { Server } from './server.ts'
import { eventually } from './temp.ts'

export interface Call {
  /** webhook-id: the event's. */
  readonly id: string
  readonly attempt: number
  readonly body: Readonly<Record<string, unknown>>
}

/** An HTTP receiver on a free port: takes calls, or refuses them while it is down. */
export class Receiver {
  /** Those that got a 200. */
  readonly taken: Call[] = []
  down = false
  refused = 0
  private readonly http: HttpServer

  private constructor(http: HttpServer) {
    this.http = http
  }

  static async start(): Promise<Receiver> {
    const http = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        if (receiver.down) {
          receiver.refused++
          response.writeHead(503).end()
          return
        }
        const { headers } = request
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Call['body']
        const attempt = Number(headers['x-mox-webhook-attempt'])
        receiver.taken.push({ id: String(headers['webhook-id']), attempt, body })
        response.end()
      })
    })
    const receiver = new Receiver(http)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/hook`
  }

  /** "delivered ann@example.org", in the order they came. */
  get events(): string[] {
    return this.taken.map(({ body }) => `${body['Event']} ${body['Recipient']}`)
  }

  /** The one call about this; waits for it. */
  async call(event: string, recipient: string): Promise<Call['body']> {
    return await eventually(() => {
      const found = this.taken.filter(({ body }) => body['Event'] === event && body['Recipient'] === recipient)
      assert.equal(found.length, 1, `${event} ${recipient} in: ${this.events.join(', ')}`)
      return found[0]!.body
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http.closeAllConnections()
    this.http.close()
    await once(this.http, 'close')
  }
}

export interface Flow extends AsyncDisposable {
  readonly server: Localserve
  readonly receiver: Receiver
  readonly client: MoxClient
  readonly key: string
}

export interface FlowOptions extends LocalserveOptions {
  /** Kinds that are posted; default all. */
  readonly events?: string
}

/** Localserve, an endpoint of its account, and a key with all permissions. */
export async function startFlow({ events, ...options }: FlowOptions = {}): Promise<Flow> {
  await using stack = new AsyncDisposableStack()
  const receiver = stack.use(await Receiver.start())
  const server = stack.use(await startLocalserve(options))
  const kinds = events === undefined ? [] : ['--events', events]
  const secret = await cli(server, ['webhook', 'endpoint', 'add', 'mox', 'app', receiver.url, ...kinds])
  assert.match(secret, /^whsec_/)
  const made = await cli(server, ['webapi', 'key', 'add', 'mox', 'app', '--permissions', 'all'])
  const key = /^mox_\S+$/m.exec(made)?.[0] ?? ''
  const owned = stack.move()
  return { server, receiver, key, client: clientOf(server, key), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export function clientOf(server: Server, key: string): MoxClient {
  return new MoxClient({ url: server.url('/webapi/'), key })
}

/** `mox …` for this server; what it printed. */
export async function cli(server: Server, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await mox([...args, '--config', server.configFile])
  assert.equal(code, 0, `mox ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

/** All events of the account over v1 say the same as the calls: the same ids in the same order, once each. */
export async function agree({ client, receiver }: Pick<Flow, 'client' | 'receiver'>, kinds?: string): Promise<void> {
  await eventually(async () => {
    const { events } = await client.eventPage({ limit: 1000, ...(kinds === undefined ? {} : { kinds }) })
    assert.equal(receiver.taken.length, events.length, 'as many calls as events')
    assert.deepEqual(
      receiver.taken.map(({ id, body }) => [id, body['Event']]),
      events.map(({ eventId, kind }) => [eventId, kind]),
    )
  })
}
