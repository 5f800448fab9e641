// Webhooks with real events on a real database, and a receiver on this machine that answers as it is told.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NewEvent, type Plugin, type Webhooks, webhooks as webhooksToken } from '@mox/plugin-sdk'
import { openWorld, type World } from '../../events/test/support.ts'
import { webhooks } from '../src/index.ts'
import type { WebhooksService } from '../src/service.ts'

export { settled } from '../../events/test/support.ts'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (request: Received, response: ServerResponse) => void

/** 200 without a body. */
export const accept: Answer = (_, response) => void response.end()
export const answer =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end(body)

export interface Receiver {
  readonly url: string
  readonly requests: Received[]
  answer: Answer
  /** Connections accepted so far. */
  readonly connections: () => number
  close(): Promise<void>
}

export async function openReceiver(port = 0): Promise<Receiver> {
  let connections = 0
  const receiver: { answer: Answer; requests: Received[] } = { answer: accept, requests: [] }
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const received = { method, path, headers, body: Buffer.concat(chunks).toString() }
      receiver.requests.push(received)
      receiver.answer(received, response)
    })
  })
  server.on('connection', () => connections++)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${bound}/hook`,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections()
      server.close()
      if (server.listening) await once(server, 'close')
    },
  })
}

export type Options = Parameters<typeof webhooks>[0]

export interface HookWorld extends World {
  readonly webhooks: Webhooks
  /** Adds an event of alice's. */
  add(fields?: Partial<NewEvent>): Promise<string>
  /** Lets calls that are under way end. */
  quiet(): Promise<void>
  /** Moves the clock to the next attempt at the first call that waits, and lets it end; false when none waits. */
  toNext(): Promise<boolean>
}

export interface HookWorldOptions {
  readonly options?: Options
  readonly plugins?: readonly Plugin[]
  readonly dir?: string
  readonly now?: number
}

export const LOOPBACK = ['127.0.0.0/8']

export async function openHooks({ options, plugins = [], ...rest }: HookWorldOptions = {}): Promise<HookWorld> {
  const world = await openWorld({
    ...rest,
    plugins: [webhooks({ allowNetworks: LOOPBACK, ...options }), ...plugins],
  })
  await world.host.listen()
  const service = world.host.service(webhooksToken) as WebhooksService
  return {
    ...world,
    webhooks: service,
    add: async (fields = {}) => {
      const added = await world.events.add({
        ...{ account: 'alice', kind: 'delivered', queueId: 42, messageId: 7, messageIdHeader: '<q1@mail.example.org>' },
        ...{ subject: 'Order 7', recipient: 'ann@example.net', fromId: '', stream: '', extra: { order: '7' } },
        ...{
          dsn: false,
          suppressing: false,
          code: 250,
          enhanced: '2.0.0',
          error: '',
          attempt: 1,
          remoteMta: 'mx.example.net',
        },
        ...fields,
      })
      return added?.eventId ?? ''
    },
    quiet: () => service.idle(),
    toNext: async () => {
      const [head] = (await service.list({}, { limit: 1_000 })).sort((a, b) => a.id - b.id)
      await service.idle()
      if (head?.due === undefined) return false
      await world.host.advance(Math.max(head.due - world.host.clock.now(), 0))
      await service.idle()
      return true
    },
  }
}

/** The events of requests, as "kind sequence". */
export const kinds = (requests: readonly Received[]): string[] =>
  requests.map(({ body }) => {
    const { Event, Sequence } = JSON.parse(body) as { Event: string; Sequence: number }
    return `${Event} ${Sequence}`
  })
