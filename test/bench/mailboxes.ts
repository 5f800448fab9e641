// Large mailboxes on the real storage: fills a database, then, in another process, measures the pages that webmail and search
// ask for. Sends its figures to the parent.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Directory, ListOptions, Log, MailStore, Metrics } from '@mox/plugin-sdk'
import { parseHeader, parseSearch } from '@mox/plugin-sdk/mail'
import type { Context } from '../../plugins/mailboxes/src/context.ts'
import { describe } from '../../plugins/mailboxes/src/describe.ts'
import { Feed } from '../../plugins/mailboxes/src/feed.ts'
import {
  accountWord,
  INDEX,
  INDEX_FIELDS,
  Indexer,
  partFields,
  searchKey,
} from '../../plugins/mailboxes/src/indexer.ts'
import { DEFAULT_MAILBOXES } from '../../plugins/mailboxes/src/mailboxes.ts'
import { begin } from '../../plugins/mailboxes/src/operation.ts'
import { blankRow } from '../../plugins/mailboxes/src/place.ts'
import { migrations } from '../../plugins/mailboxes/src/schema.ts'
import { MailboxesService } from '../../plugins/mailboxes/src/service.ts'
import { prepare } from '../../plugins/mailboxes/src/statements.ts'
import { type SqliteStorage, sqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import { memoryOf } from '../kit/proc.ts'
import type { MailboxFigures, MailboxJob, Timing } from './jobs.ts'

const NOW = 1_800_000_000_000
const YEAR = 365 * 86_400_000
/** Messages per unit of work while mailboxes are filled. */
const UNIT = 1_000
/** Messages of a thread, on average. */
const THREAD = 3
/** Words of a message that is searched. */
const WORDS = 150
const ROWS = 50

const quiet: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = {
  ...{ counter: () => none, gauge: () => none, histogram: () => none, collect() {} },
  render: async () => '',
}
const clock: Clock = { now: () => NOW, after: () => () => {}, sleep: async () => {} }
const directory = {
  account: async (name: string) => ({
    ...{ name, fullName: '', quota: 0, addresses: [] },
    ...{ maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0, maxQueued: 0, maxQueuedBytes: 0 },
  }),
} as unknown as Directory

function contextOn(storage: SqliteStorage): Context {
  return {
    ...{ storage, directory, clock, log: quiet, feed: new Feed(quiet), statements: prepare(storage) },
    ...{ indexer: new Indexer({ storage, clock, log: quiet }), rejectsMailbox: 'Rejects' },
    junkFlags: () => undefined,
    ...{ initialMailboxes: DEFAULT_MAILBOXES, eraseSoon: () => {} },
  }
}

let random = 1
function next(n: number): number {
  random = (random * 48_271) % 2_147_483_647
  return random % n
}

/** Few words are common and most are rare, as in any language. */
function word(): string {
  return `w${Math.floor((next(1_000_003) / 1_000_003) ** 3 * 50_000)}`
}

/** Fills Inbox of an account, a tenth of it Archive; with `searched` all of it can be searched. */
async function fill(context: Context, name: string, messages: number, searched: boolean): Promise<void> {
  const { storage } = context
  await new MailboxesService(context, () => {}).store(name)
  if (searched) await storage.write(async () => await storage.search?.create(INDEX, INDEX_FIELDS))
  const threads: number[] = []
  for (let from = 0; from < messages; from += UNIT)
    await storage.write(async () => {
      const op = await begin(context, name)
      if (op === undefined) throw new Error('no account')
      const inbox = await op.existing('Inbox')
      const archive = await op.existing('Archive')
      for (let i = from; i < Math.min(from + UNIT, messages); i++) {
        const mailbox = next(10) === 0 ? archive : inbox
        const sender = `Person ${next(5_000)} <p${next(5_000)}@d${next(500)}.example>`
        const subject = `${word()} ${word()} ${word()}`
        const head = parseHeader(Buffer.from(`From: ${sender}\r\nTo: me@here.example\r\nSubject: ${subject}\r\n\r\n`))
        const receivedAt = NOW - YEAR + Math.floor((i / messages) * YEAR) + next(600_000)
        const thread = next(THREAD) > 0 ? threads[threads.length - 1 - next(200)] : undefined
        const row = {
          ...{ ...blankRow(op, mailbox), ...describe(head).columns, uid: mailbox.uidnext++, modseq: op.modseq },
          ...{ create_seq: op.modseq, message_id_header: `${i}@${name}`, size: 5_000, received_at: receivedAt },
          ...{
            preview: `${subject} ${subject}`,
            attachments: next(8) === 0 ? ' pdf ' : '',
            seen: next(5) === 0 ? 0 : 1,
          },
          ...{ prefix: Buffer.alloc(300), thread_id: thread ?? 0, saved_at: receivedAt },
        }
        const inserted = await context.statements.addMessage.get(row)
        const id = inserted?.id ?? 0
        if (thread === undefined) {
          threads.push(id)
          await context.statements.setThread.run({ id, thread: id })
        }
        const key = searchKey(receivedAt, id)
        await storage.db('mailboxes_message').where({ id }).update({ search_id: key })
        if (!searched) continue
        const text = `${subject}\n${sender}\n${Array.from({ length: WORDS }, word).join(' ')}`
        const fields = 'from to subject received dkimʼsignature messageʼid'
        const account = accountWord(op.account.id)
        await storage.search?.put(INDEX, key, { account, fields, text, ...partFields(row) })
      }
      for (const mailbox of [inbox, archive]) {
        op.touch(mailbox)
        op.recordMailbox(mailbox)
      }
      await op.finish()
    })
}

async function time(rounds: number, work: (round: number) => Promise<unknown>): Promise<Timing> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    await work(round)
    times.push(performance.now() - started)
  }
  const sorted = times.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 }
}

async function open<T>(dir: string, work: (context: Context) => Promise<T>): Promise<T> {
  const storage = sqliteStorage({ dir, file: 'mox.db', driver: 'better-sqlite3' }, { clock, log: quiet, metrics })
  await storage.open()
  try {
    await storage.migrate('mailboxes', migrations)
    const context = contextOn(storage)
    const result = await work(context)
    await context.indexer.stop()
    return result
  } finally {
    await storage.close()
  }
}

/** Milliseconds that a page, a word and a phrase may take. */
const PAGE_MS = 30
const WORD_MS = 50
const PHRASE_MS = 150

function measure({ dir }: MailboxJob): Promise<MailboxFigures> {
  return open(dir, async context => {
    const service = new MailboxesService(context, () => {})
    const loop = monitorEventLoopDelay({ resolution: 1 })
    const timings: [string, Timing, number | null][] = []
    const run = async (name: string, most: number | null, work: (round: number) => Promise<unknown>): Promise<void> => {
      await work(0)
      timings.push([name, await time(20, work), most])
    }
    const big = await service.store('big')
    loop.enable()
    for (const [what, scope] of [
      ['Inbox', { mailbox: 'Inbox' }],
      ['usual', 'usual'],
    ] as const) {
      for (const order of ['newest', 'oldest'] as const) {
        await run(`${what}, ${order} first`, PAGE_MS, () => full(big, { scope, order }))
        await run(`${what}, ${order} first, threads`, PAGE_MS, () => fullThreads(big, { scope, order }))
      }
      const middle = `r${NOW - YEAR / 2}.0`
      await run(`${what}, in the middle`, PAGE_MS, () => full(big, { scope, cursor: middle }))
      await run(`${what}, in the middle, threads`, PAGE_MS, () => fullThreads(big, { scope, cursor: middle }))
    }
    await run('unread', PAGE_MS, () => full(big, { filter: { labels: [{ text: '\\seen', not: true }] } }))
    await run('attachments', PAGE_MS, () => full(big, { filter: { attachments: [{ kind: 'pdf', not: false }] } }))
    const reader = await service.store('reader')
    const search = async (text: string): Promise<unknown> => {
      const today = { year: 2027, month: 1, day: 15 }
      const { filter } = parseSearch(text, { today, time: (y, m, d, h, min) => Date.UTC(y, m - 1, d, h, min) })
      return await reader.list({ filter, limit: ROWS })
    }
    await run('word, common', WORD_MS, () => search('w0'))
    await run('word, rare', WORD_MS, round => search(`w4${String(round).padStart(4, '0')}`))
    await run('word, in no message', WORD_MS, () => search('nowhere'))
    await run('beginning of a word', WORD_MS, () => search('w49'))
    await run('two words', WORD_MS, round => search(`w1${round} w2${round}`))
    await run('phrase of common words', PHRASE_MS, () => search('"w0 w1 w2"'))
    await run('phrase', PHRASE_MS, round => search(`"w${round} w3"`))
    await run('word without another', WORD_MS, () => search('w0 -w1'))
    await run('word from a domain', WORD_MS, round => search(`w0 from:d${round + 100}.example`))
    await run('from a person', WORD_MS, round => search(`from:"person ${round + 1000}"`))
    await run('from nobody', WORD_MS, () => search('from:nobody'))
    await run('piece of a subject', WORD_MS, round => search(`s:"${round + 100} w49"`))
    await run('in every sender', WORD_MS, () => search('from:son'))
    await run('header field', null, () => search('h:subject:w0'))
    loop.disable()
    const { rss } = await memoryOf(process.pid)
    return { timings, loopP99: loop.percentile(99) / 1e6, rss }
  })
}

async function full(store: MailStore, options: Omit<ListOptions, 'limit'>): Promise<void> {
  const { messages } = await store.list({ ...options, limit: ROWS })
  if (messages.length !== ROWS) throw new Error(`${messages.length} messages on a page`)
}

async function fullThreads(store: MailStore, options: Omit<ListOptions, 'limit'>): Promise<void> {
  const { threads } = await store.threads({ ...options, limit: ROWS })
  if (threads.length !== ROWS) throw new Error(`${threads.length} threads on a page`)
}

async function fillAll({ dir, messages }: MailboxJob): Promise<object> {
  return await open(dir, async context => {
    await fill(context, 'reader', Math.min(messages, 100_000), true)
    await fill(context, 'big', messages, false)
    return {}
  })
}

process.once('message', (job: MailboxJob) => {
  const work: Promise<object> = job.step === 'fill' ? fillAll(job) : measure(job)
  work.then(
    result => process.send?.({ result }, () => process.disconnect()),
    error => process.send?.({ error: String((error as Error).stack) }, () => process.disconnect()),
  )
})
