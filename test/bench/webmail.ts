// The webmail's event streams on the real storage: fills an account, then, in another process, measures how long views take from
// the request to the last byte of their page, and the memory of open streams. Sends its figures to the parent.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Directory, MailStore, Submission } from '@mox/plugin-sdk'
import { Egress } from '@mox/plugin-sdk/io'
import { parseSearch } from '@mox/plugin-sdk/mail'
import { seededRandom } from '@mox/plugin-sdk/testkit'
import type { Context } from '../../plugins/mailboxes/src/context.ts'
import { MailboxesService } from '../../plugins/mailboxes/src/service.ts'
import { settings, type ViewQuery } from '../../plugins/webmail/src/api/model.ts'
import { makeContentCalls } from '../../plugins/webmail/src/server/content/calls.ts'
import { Reader } from '../../plugins/webmail/src/server/content/reader.ts'
import { ViewModes, viewModeTable } from '../../plugins/webmail/src/server/content/view-modes.ts'
import { makeFacetCalls } from '../../plugins/webmail/src/server/facets.ts'
import { ACCOUNT_STREAMS, Streams } from '../../plugins/webmail/src/server/stream/index.ts'
import { readEvents } from '../../plugins/webmail/web/lib/sse.ts'
import { memoryOf } from '../kit/proc.ts'
import type { MailboxJob, Timing, WebmailFigures } from './jobs.ts'
import { clock, fillAll, open, quiet, ROWS } from './mailbox-fill.ts'
import { time } from './timing.ts'

const STREAMS = 500
const FIRST_MS = 150
const NEXT_MS = 30
const WORD_MS = 50
const PHRASE_MS = 150
const OPEN_MS = 30

const caller = { loginAddress: 'a@here.example', sessionId: 's', remoteIp: '127.0.0.1', userAgent: '', host: '' }

/** The streams without sessions; the URL names the account. */
async function serve(service: MailboxesService): Promise<{ server: Server; streams: Streams }> {
  const own = settings.parse({
    ...{ signature: '', quoting: 'auto', showAddressSecurity: true, preferHtml: false, shortcutHints: true },
    ...{ showHeaders: [], theme: 'auto', layout: 'auto', threading: 'on', order: 'newest', sendDelay: 0 },
    ...{ richText: false, keys: {}, singleKeys: true, collapsed: [], identities: [], templates: [], searches: [] },
    ...{ labels: [], extensions: {} },
  })
  const parts = { identities: [], domains: [], settings: own, extensions: [], rejectsMailbox: 'Rejects', version: '1' }
  const streams = new Streams(
    {
      ...{ mailboxes: service, clock, log: quiet, stillValid: async () => true, badges: () => new Map() },
      hello: async () => ({ ...parts, maxMessageSize: 1 }),
    },
    seededRandom(1),
  )
  const server = createServer((request, response) => {
    const account = request.url?.slice(1) ?? ''
    void streams.serve({ ...caller, account }, {}, request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, streams }
}

/** A page that asks for views and waits for them. */
class Page {
  readonly #streams: Streams
  readonly #account: string
  readonly #events: ReturnType<typeof readEvents>
  #stream = ''
  #view = 0

  private constructor(streams: Streams, account: string, events: ReturnType<typeof readEvents>) {
    this.#streams = streams
    this.#account = account
    this.#events = events
  }

  static async open(url: string, streams: Streams, account: string): Promise<Page> {
    const response = await fetch(url + account, { method: 'POST' })
    const page = new Page(streams, account, readEvents(response.body!))
    page.#stream = (await page.#event('hello')).stream
    return page
  }

  async view(query: ViewQuery): Promise<void> {
    const request = { stream: this.#stream, view: ++this.#view, query, limit: ROWS }
    await this.#streams.calls.viewOpen(request, { ...caller, account: this.#account }, new AbortController().signal)
    await this.#event('page')
  }

  async more(): Promise<void> {
    const request = { stream: this.#stream, view: this.#view, limit: ROWS }
    await this.#streams.calls.viewMore(request, { ...caller, account: this.#account }, new AbortController().signal)
    await this.#event('page')
  }

  async #event(name: string): Promise<{ readonly stream: string }> {
    const { value } = await this.#events.next()
    if (value?.name !== name) throw new Error(`${value?.name} instead of ${name}`)
    return JSON.parse(value.data)
  }
}

/** The call that opens a message, with the thread that reads it. */
async function opener({ storage }: Context, mailboxes: MailboxesService): Promise<(id: number) => Promise<unknown>> {
  await storage.write(viewModeTable)
  const reader = new Reader({ mailboxes, clock, log: quiet })
  const deps = { storage, mailboxes, clock, log: quiet, reader, viewModes: new ViewModes({ storage, clock }) }
  // Opening needs neither.
  const unused = { directory: {}, submission: {} } as unknown as { directory: Directory; submission: Submission }
  const rest = { ...unused, proxied: false, extensions: [], egress: new Egress([]), random: seededRandom(2) }
  const { message } = makeContentCalls({ ...deps, ...rest })
  const { signal } = new AbortController()
  return id => message({ id }, { ...caller, account: 'reader' }, signal)
}

/** Messages with content: those that the account was filled with have none. */
async function readable(store: MailStore): Promise<number[]> {
  const ids: number[] = []
  const html = `<p>${'some words of text, <b>bold</b> and <a href="https://example.org/">linked</a>. '.repeat(60)}</p>`
  for (let i = 0; i < 20; i++) {
    const lines = [
      ...['From: Ann <ann@example.org>', 'To: reader@here.example', `Subject: message ${i}`, 'MIME-Version: 1.0'],
      ...['Content-Type: multipart/alternative; boundary=b', '', '--b', 'Content-Type: text/plain', ''],
      ...Array.from({ length: 60 }, (_, n) => `Line ${n} of a text that somebody wrote to somebody else.`),
      ...['--b', 'Content-Type: text/html', '', html, '--b--', ''],
    ]
    ids.push((await store.append({ mailbox: 'Inbox', content: Buffer.from(lines.join('\r\n')) })).id)
  }
  return ids
}

function measure({ dir }: MailboxJob): Promise<WebmailFigures> {
  return open(dir, async context => {
    const service = new MailboxesService(context, () => {})
    const { server, streams } = await serve(service)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const loop = monitorEventLoopDelay({ resolution: 1 })
    const timings: [string, Timing, number | null][] = []
    const run = async (name: string, most: number, work: (round: number) => Promise<unknown>): Promise<void> => {
      await work(0)
      timings.push([name, await time(20, work), most])
    }
    const page = await Page.open(url, streams, 'reader')
    const inbox = { scope: { mailbox: 'Inbox' }, order: 'newest', threads: true } as const
    const search = (text: string): Promise<void> => {
      const today = { year: 2027, month: 1, day: 15 }
      const { filter } = parseSearch(text, { today, time: (y, m, d, h, min) => Date.UTC(y, m - 1, d, h, min) })
      return page.view({ scope: 'usual', order: 'newest', threads: false, filter: filter as ViewQuery['filter'] })
    }
    loop.enable()
    await run('first view of Inbox, threads', FIRST_MS, () => page.view(inbox))
    await run('next page, threads', NEXT_MS, () => page.more())
    await run('first view of Inbox', FIRST_MS, () => page.view({ ...inbox, threads: false }))
    await run('next page', NEXT_MS, () => page.more())
    await run('word', WORD_MS, round => search(`w4${String(round).padStart(4, '0')}`))
    await run('word, common', WORD_MS, () => search('w0'))
    await run('phrase', PHRASE_MS, round => search(`"w${round} w3"`))
    const { searchFacets } = makeFacetCalls(service)
    const { signal } = new AbortController()
    const common = {
      query: { scope: 'usual' as const, filter: { words: [{ text: 'w0', not: false, phrase: false }] } },
      zone: 0,
    }
    await run('facets of a common word', PHRASE_MS, () =>
      searchFacets(common, { ...caller, account: 'reader' }, signal),
    )
    const message = await opener(context, service)
    const ids = await readable(await service.store('reader'))
    await run('opening a message, 10 kB', OPEN_MS, round => message(ids[round % ids.length] ?? 0))
    loop.disable()
    const { rss } = await memoryOf(process.pid)
    const perStream = await memoryOfStreams(url, streams)
    server.closeAllConnections()
    server.close()
    return { timings, loopP99: loop.percentile(99) / 1e6, rss, perStream }
  })
}

/**
 * Bytes of this process for one stream. The streams are opened once before, so that the room for what opening makes is there
 * already.
 */
async function memoryOfStreams(url: string, streams: Streams): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const inUse = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      collect()
      await sleep(100)
    }
    // Compression counts as external. What the process has from the system moves by more than all streams take.
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const urls = Array.from({ length: STREAMS }, (_, i) => `${url}reader${1 + Math.floor(i / ACCOUNT_STREAMS)}`)
  const others = streams.open
  const withReaders = async (): Promise<number> => {
    const readers = fork(fileURLToPath(new URL('./webmail-readers.ts', import.meta.url)))
    readers.send({ urls })
    await once(readers, 'message')
    const used = await inUse()
    readers.kill('SIGKILL')
    while (streams.open > others) await sleep(10)
    return used
  }
  await withReaders()
  const before = await inUse()
  return ((await withReaders()) - before) / STREAMS
}

process.once('message', (job: MailboxJob) => {
  const work: Promise<object> = job.step === 'fill' ? fillAll(job) : measure(job)
  work.then(
    result => process.send?.({ result }, () => process.disconnect()),
    error => process.send?.({ error: String((error as Error).stack) }, () => process.disconnect()),
  )
})
