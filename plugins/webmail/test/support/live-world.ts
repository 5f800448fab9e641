// A message store in memory, the event streams on a real HTTP server, and pages that follow them with the code of the real page.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Clock, ListedMessage, LocalDelivery, Mailboxes, MailStore } from '@mox/plugin-sdk'
import { collectingLog, seededRandom, turns } from '@mox/plugin-sdk/testkit'
import { signal } from '@preact/signals'
import { openHarness, type TestClock } from '../../../mailboxes/test/support/harness.ts'
import { calls } from '../../src/api/calls.ts'
import { type Hello, streamRequest } from '../../src/api/events.ts'
import type { Mailbox, Settings } from '../../src/api/model.ts'
import { CallError, type Caller } from '../../src/server/call.ts'
import { Streams } from '../../src/server/stream/index.ts'
import { GATHER_MS } from '../../src/server/stream/stream.ts'
import { StreamClient, type StreamState } from '../../web/lib/stream-client.ts'
import type { LiveView } from '../../web/lib/view-state.ts'
import type { View } from '../../web/state/store.ts'

export const ACCOUNT = 'alice'
/** Milliseconds, of real time, in which pages must be up to date. */
const PATIENCE = 50_000

export const SETTINGS: Settings = {
  ...{ signature: '', quoting: 'auto', showAddressSecurity: true, preferHtml: false, shortcutHints: true },
  ...{
    showHeaders: [],
    theme: 'auto',
    layout: 'auto',
    threading: 'on',
    order: 'newest',
    sendDelay: 0,
    richText: false,
  },
  ...{ keys: {}, singleKeys: true, collapsed: [], identities: [], templates: [], searches: [], labels: [] },
  extensions: {},
}

/** A page: its state and its stream. */
export interface LivePage {
  readonly state: StreamState
  readonly client: StreamClient
  view(): LiveView
  /** How many streams began, and how many of them went on where it was. */
  readonly hellos: { all: number; resumed: number }
}

export interface LiveWorld {
  readonly clock: TestClock
  readonly mailboxes: Mailboxes
  readonly store: MailStore
  readonly streams: Streams
  readonly url: string
  /** Sessions that are not valid any more. */
  readonly endedSessions: Set<string>
  /** Errors that were logged. */
  errors(): readonly object[]
  deliver(message: string, fields?: Partial<LocalDelivery>): Promise<void>
  /** A page that is not connected yet. */
  page(session?: string): LivePage
  /** Until the pages are connected and have all that happened. */
  settle(...pages: readonly LivePage[]): Promise<void>
  /** Breaks all connections. */
  breakConnections(): void
  close(): Promise<void>
}

export async function openLiveWorld(): Promise<LiveWorld> {
  const harness = await openHarness([ACCOUNT])
  const { clock, mailboxes } = harness
  const log = collectingLog()
  const endedSessions = new Set<string>()
  const streams = new Streams(
    {
      ...{ mailboxes, clock, log },
      stillValid: async ({ sessionId }) => !endedSessions.has(sessionId),
      hello: async () => ({
        ...{ identities: [], domains: [], settings: SETTINGS, extensions: [], rejectsMailbox: 'Rejects' },
        ...{ version: '1', maxMessageSize: 100 },
      }),
      badges: (messages: readonly ListedMessage[]) =>
        new Map(messages.filter(({ subject }) => subject.includes('badge')).map(({ id }) => [id, ['test/badge']])),
    },
    seededRandom(1),
  )
  const server = await serve(streams)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const pages: LivePage[] = []
  const store = await mailboxes.store(ACCOUNT)
  const errors = (): object[] => log.lines.filter(line => line.level === 'error').slice(0, 3)
  return {
    ...{ clock, mailboxes, store, streams, url, endedSessions },
    errors,
    async deliver(message, fields = {}) {
      await harness.deliver(ACCOUNT, message, fields)
    },
    page(session = 'session') {
      const page = makePage(url, session, clock)
      pages.push(page)
      return page
    },
    async settle(...some) {
      const ready = async (): Promise<boolean> => {
        const modseq = await store.modseq()
        return some.every(
          ({ client, state }) => state.connected.value && state.view.value?.loading !== true && client.modseq >= modseq,
        )
      }
      const until = performance.now() + PATIENCE
      for (let i = 0; performance.now() < until; i++) {
        // Seldom, as what is waited for takes real time on its way.
        if (i % 10 === 0) clock.advance(GATHER_MS)
        for (const { client, state } of some) if (!state.connected.value) client.start()
        await turns(2)
        if (await ready()) return
      }
      const states = some.map(({ client, state }) => [client.modseq, state.connected.value, state.view.value?.loading])
      throw new Error(
        `the pages did not become up to date: ${JSON.stringify([await store.modseq(), states, errors()])}`,
      )
    },
    breakConnections: () => server.closeAllConnections(),
    async close() {
      for (const { client } of pages) client.stop()
      streams.stop()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await harness.close()
    },
  }
}

/** What the server part does around the streams. */
async function serve(streams: Streams): Promise<Server> {
  const server = createServer((request, response) => {
    const caller: Caller = {
      ...{ account: ACCOUNT, loginAddress: 'alice@example.net', remoteIp: '127.0.0.1', userAgent: '', host: '' },
      sessionId: String(request.headers['x-session']),
    }
    const answer = async (): Promise<void> => {
      const body: unknown = JSON.parse(await text(request))
      if (request.url === '/events') return await streams.serve(caller, streamRequest.parse(body), request, response)
      const name = String(request.url).replace('/api/', '') as keyof Streams['calls']
      const params = calls[name].params.parse(body)
      const result = await streams.calls[name](params as never, caller, new AbortController().signal)
      response.end(JSON.stringify(result))
    }
    answer().catch((error: unknown) => {
      const { code, message } = error instanceof CallError ? error : new CallError('server', String(error))
      response.writeHead(code === 'notFound' ? 404 : code === 'tooMany' ? 429 : 500)
      response.end(JSON.stringify({ error: { code, message } }))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function makePage(url: string, session: string, clock: Clock): LivePage {
  const state: StreamState = {
    hello: signal<Hello | undefined>(undefined),
    connected: signal(false),
    mailboxes: signal<ReadonlyMap<number, Mailbox>>(new Map()),
    settings: signal<Settings | undefined>(undefined),
    view: signal<View | undefined>(undefined),
  }
  const post = (path: string, body: unknown, abort?: AbortSignal): Promise<Response> =>
    fetch(url + path, {
      ...{ method: 'POST', body: JSON.stringify(body), headers: { 'x-session': session } },
      ...(abort === undefined ? {} : { signal: abort }),
    })
  const hellos = { all: 0, resumed: 0 }
  const client = new StreamClient(state, {
    open: (request, abort) => post('events', request, abort),
    async call(name, params) {
      const response = await post(`api/${name}`, params)
      if (!response.ok) throw new Error(await response.text())
      return await response.json()
    },
    login: async () => false,
    selected: () => undefined,
    onOutgoing: () => {},
    after: (ms, work) => clock.after(ms, work),
  })
  state.hello.subscribe(hello => {
    if (hello === undefined) return
    hellos.all++
    if (hello.resumed) hellos.resumed++
  })
  return { state, client, hellos, view: () => state.view.value as LiveView }
}
