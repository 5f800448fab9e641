// The event stream on its own: what it says when, to whom, and when it ends.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import { turns } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { SILENCE_MS, SLOW_MS } from '../src/server/stream/event-writer.ts'
import { ACCOUNT_STREAMS } from '../src/server/stream/index.ts'
import { GATHER_MS } from '../src/server/stream/stream.ts'
import { type LivePage, type LiveWorld, openLiveWorld, SETTINGS } from './support/live-world.ts'

let world: LiveWorld
beforeEach(async () => {
  world = await openLiveWorld()
})
afterEach(() => world.close())

interface RawEvent {
  readonly name: string
  readonly id: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the event has
  readonly data: any
}

/** A stream read by hand. */
class RawStream {
  readonly events: RawEvent[] = []
  text = ''
  ended = false
  readonly response: IncomingMessage

  private constructor(response: IncomingMessage, reading: boolean) {
    this.response = response
    response.on('close', () => {
      this.ended = true
    })
    response.on('error', () => {})
    if (!reading) return
    const gzip = response.headers['content-encoding'] === 'gzip'
    const body = gzip ? response.pipe(createGunzip()) : response
    body.on('error', () => {})
    body.setEncoding('utf8').on('data', (chunk: string) => this.#add(chunk))
  }

  static async open(
    options: { session?: string; body?: string; headers?: Record<string, string>; reading?: boolean } = {},
  ): Promise<RawStream> {
    const headers = { 'x-session': options.session ?? 'session', ...options.headers }
    const sent = httpRequest(`${world.url}events`, { method: 'POST', headers })
    sent.end(options.body ?? '{}')
    const response = await new Promise<IncomingMessage>(resolve => sent.once('response', resolve))
    return new RawStream(response, options.reading !== false)
  }

  async event(name: string): Promise<RawEvent> {
    await until(() => this.events.some(event => event.name === name))
    const at = this.events.findIndex(event => event.name === name)
    return this.events.splice(at, 1)[0]!
  }

  #add(chunk: string): void {
    this.text += chunk
    for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
      const found = /^event: (\w+)\nid: (\d+)\ndata: (.*)$/s.exec(this.text.slice(0, end))
      if (found === null) return
      this.events.push({ name: found[1]!, id: Number(found[2]), data: JSON.parse(found[3]!) })
      this.text = this.text.slice(end + 2)
    }
  }
}

async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!done()) {
    if (performance.now() > end) throw new Error('it did not happen')
    await turns(1)
  }
}

async function call(name: string, params: object): Promise<void> {
  const init = { method: 'POST', body: JSON.stringify(params), headers: { 'x-session': 'session' } }
  const response = await fetch(`${world.url}api/${name}`, init)
  strictEqual(response.status, 200, await response.text())
}

const INBOX = { scope: { mailbox: 'Inbox' }, order: 'newest', threads: false } as const

test('hello, and changes without a gap, compressed or not', async () => {
  await world.deliver('Subject: before\n\n')
  for (const coding of ['gzip, deflate, br', 'identity', 'gzip;q=0']) {
    const stream = await RawStream.open({ headers: { 'accept-encoding': coding } })
    strictEqual(stream.response.headers['content-encoding'], coding.includes('br') ? 'gzip' : undefined)
    const hello = await stream.event('hello')
    strictEqual(hello.id, await world.store.modseq())
    strictEqual(hello.data.resumed, false)
    await world.deliver('Subject: later\n\n')
    const changes = await stream.event('changes')
    strictEqual(changes.id, await world.store.modseq())
    strictEqual(changes.data.view, null)
    deepStrictEqual(changes.data.items, [])
    strictEqual(changes.data.mailboxes[0].name, 'Inbox')
    stream.response.destroy()
  }
  await until(() => world.streams.open === 0)
})

test('a burst of changes becomes few events, the first at once', async () => {
  const stream = await RawStream.open()
  await stream.event('hello')
  await world.deliver('Subject: first\n\n')
  await stream.event('changes')
  for (let i = 0; i < 20; i++) await world.deliver(`Subject: ${i}\n\n`)
  await turns(20)
  deepStrictEqual(stream.events, [])
  world.clock.advance(GATHER_MS)
  strictEqual((await stream.event('changes')).data.mailboxes[0].total, 21)
})

test('rows: pages, a message to reach, mailboxes that are not there', async () => {
  for (let i = 0; i < 250; i++) {
    await world.deliver(`Subject: ${i}\n\n`)
    world.clock.advance(1_000)
  }
  const stream = await RawStream.open()
  const { data: hello } = await stream.event('hello')
  const on = { stream: hello.stream as string }
  await call('viewOpen', { ...on, view: 1, query: INBOX, limit: 120 })
  const first = (await stream.event('page')).data
  deepStrictEqual([first.first, first.done, first.threads.length, first.total], [true, false, 100, 250])
  const second = (await stream.event('page')).data
  deepStrictEqual([second.first, second.done, second.threads.length], [false, true, 20])
  await call('viewMore', { ...on, view: 1, limit: 500 })
  for (const done of [false, true]) strictEqual((await stream.event('page')).data.done, done)
  await call('viewMore', { ...on, view: 1, limit: 500 })
  const end = (await stream.event('page')).data
  deepStrictEqual([end.threads, end.next, end.done], [[], null, true])
  const oldest = (await world.store.list({ scope: 'all', order: 'oldest', limit: 1 })).messages[0]!.id
  await call('viewOpen', { ...on, view: 2, query: INBOX, limit: 10, until: oldest })
  let rows = 0
  for (let done = false; !done; ) {
    const { data } = await stream.event('page')
    rows += data.threads.length
    done = data.done
  }
  strictEqual(rows, 250)
  await call('viewOpen', { ...on, view: 3, query: { ...INBOX, scope: { mailbox: 'Nowhere' } }, limit: 10 })
  strictEqual((await stream.event('viewError')).data.view, 3)
  await call('viewMore', { ...on, view: 2, limit: 10 })
  strictEqual((await stream.event('viewError')).data.view, 2)
  await call('viewOpen', { ...on, view: 4, query: INBOX, limit: 1 })
  strictEqual((await stream.event('page')).data.view, 4)
})

test('goodbye to a session that ended, and when the server stops', async () => {
  const [ended, other] = [await RawStream.open({ session: 'ended' }), await RawStream.open()]
  await other.event('hello')
  const { id } = await ended.event('hello')
  world.endedSessions.add('ended')
  await world.deliver('Subject: secret\n\n')
  const goodbye = await ended.event('goodbye')
  strictEqual(goodbye.data.reason, 'session')
  deepStrictEqual(ended.events, [])
  // Whoever logs in again goes on where this one was, and has the message then.
  strictEqual(goodbye.id, id)
  await other.event('changes')
  world.streams.settingsChanged('alice', { ...SETTINGS, signature: 'new' })
  strictEqual((await other.event('settings')).data.settings.signature, 'new')
  world.streams.outgoingChanged()
  await other.event('outgoing')
  world.streams.stop()
  strictEqual((await other.event('goodbye')).data.reason, 'shutdown')
  await until(() => ended.ended && other.ended)
  strictEqual((await RawStream.open()).response.statusCode, 429)
})

test('silence is broken by a comment', async () => {
  const stream = await RawStream.open()
  await stream.event('hello')
  await turns(5)
  world.clock.advance(SILENCE_MS - 1)
  await turns(20)
  strictEqual(stream.text, '')
  world.clock.advance(1)
  await until(() => stream.text === ':\n\n')
})

test('a reader that does not read is given up', async () => {
  const stream = await RawStream.open({ reading: false })
  await until(() => world.streams.open === 1)
  const page = world.page()
  page.client.start()
  await until(() => page.state.connected.value)
  // Settings of any size fill what sockets take.
  const templates = Array.from({ length: 100 }, () => ({ name: '', subject: '', text: 'x'.repeat(100_000) }))
  let received = ''
  page.state.settings.subscribe(settings => {
    received = settings?.signature ?? ''
  })
  for (let i = 1; i <= 2; i++) {
    world.streams.settingsChanged('alice', { ...SETTINGS, signature: `${i}`, templates })
    await until(() => received === `${i}`)
  }
  strictEqual(world.streams.open, 2)
  world.clock.advance(SLOW_MS)
  await until(() => world.streams.open === 1)
  ok(page.state.connected.value)
  stream.response.destroy()
})

test('so many streams of an account and no more', async () => {
  const streams: RawStream[] = []
  for (let i = 0; i < ACCOUNT_STREAMS; i++) streams.push(await RawStream.open())
  strictEqual(streams.at(-1)!.response.statusCode, 200)
  strictEqual((await RawStream.open()).response.statusCode, 429)
  streams[0]!.response.destroy()
  await until(() => world.streams.open === ACCOUNT_STREAMS - 1)
  strictEqual((await RawStream.open()).response.statusCode, 200)
})

test('a page goes on after a break, but not when too much is missing or as another account', async () => {
  const page: LivePage = world.page()
  page.client.start()
  page.client.openView(INBOX, { limit: 10 })
  await world.settle(page)
  world.breakConnections()
  await until(() => !page.state.connected.value)
  await world.deliver('Subject: missed\n\n')
  await world.settle(page)
  deepStrictEqual(page.hellos, { all: 2, resumed: 1 })
  strictEqual(page.view().threads[0]?.messages[0]?.subject, 'missed')
  const resume = { account: 'alice', modseq: (await world.store.modseq()) + 1, view: null }
  for (const wrong of [resume, { ...resume, account: 'bob', modseq: 1 }]) {
    const stream = await RawStream.open({ body: JSON.stringify({ resume: wrong }) })
    strictEqual((await stream.event('hello')).data.resumed, false)
    stream.response.destroy()
  }
  // A renamed mailbox stays open.
  await world.store.create('Old')
  page.client.openView({ ...INBOX, scope: { mailbox: 'Old' } }, { limit: 10 })
  await world.settle(page)
  await world.store.rename('Old', 'New')
  page.client.stop()
  await world.deliver('Subject: there\n\n', { mailbox: 'New' })
  await world.settle(page)
  strictEqual(page.view().threads[0]?.messages[0]?.subject, 'there')
  strictEqual(page.view().total, 1)
})

test('deleted mail gives its room back once the windows know', async () => {
  await world.deliver('Subject: large\n\n')
  const [one, two] = [await RawStream.open(), await RawStream.open({ reading: false })]
  await one.event('hello')
  const { id } = (await world.store.mailboxes()).find(({ name }) => name === 'Inbox')!
  await world.store.expunge((await world.store.messages(id, { limit: 10 })).map(message => message.id))
  await one.event('changes')
  two.response.destroy()
  const end = performance.now() + 10_000
  while ((await world.store.usage()).used > 0) ok(performance.now() < end, 'the room was not given back')
})

test('long threads with long names come in events that a page can read', async () => {
  const list = Array.from(
    { length: 30 },
    (_, i) => `"${'\\"'.repeat(100)}${'x'.repeat(70)}" <${'l'.repeat(60)}@n${i}.example>`,
  )
  const fields = ['From', 'To', 'Cc', 'Bcc'].flatMap(name =>
    [0, 10, 20].map(at => `${name}: ${list.slice(at, at + 10).join(',\n ')}\n`),
  )
  const head = fields.join('')
  const [threads, messages] = [6, 200]
  for (let t = 0; t < threads; t++)
    for (let i = 0; i < messages; i++)
      await world.deliver(`${head}Message-ID: <${t}.${i}@x>\nReferences: <${t}.0@x>\nSubject: Re: t${t}\n\nx\n`)
  const page: LivePage = world.page()
  page.client.start()
  page.client.openView({ ...INBOX, threads: true }, { limit: 100 })
  await world.settle(page)
  deepStrictEqual(
    page.view().threads.map(thread => thread.messages.length),
    Array.from({ length: threads }, () => messages),
  )
  // All of them at once again, as when a mailbox becomes another thing to the view, and as news.
  const stream = await RawStream.open()
  const { stream: id } = (await stream.event('hello')).data
  await call('viewOpen', { stream: id, view: 1, query: { ...INBOX, threads: true }, limit: 100 })
  let rows = 0
  for (let done = false; !done; ) {
    const { data } = await stream.event('page')
    const count = data.threads.flatMap((thread: { messages: unknown[] }) => thread.messages).length
    ok(count <= 1_000, `${count} messages in one event`)
    rows += count
    done = data.done
  }
  strictEqual(rows, threads * messages)
})
