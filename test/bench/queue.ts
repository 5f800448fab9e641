// A large queue on the real storage: fills a database through the repositories; then, in another process, measures what the
// scheduler and an operator ask of it. Sends its figures to the parent.
import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Job, Log, Metrics, NewJob, Page, QueueFilter } from '@mox/plugin-sdk'
import { type SqliteStorage, sqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import { memoryOf } from '../kit/proc.ts'
import type { QueueFigures, QueueJob, Timing } from './jobs.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
/** Recipients of one message, accounts, domains. */
const RECIPIENTS = 10
const ACCOUNTS = 100
const DOMAINS = 2_000
/** Messages per unit of work while the queue is filled. */
const UNIT = 200
const PAGE: Page = { limit: 100, ascending: true }

const quiet: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = {
  ...{ counter: () => none, gauge: () => none, histogram: () => none, collect() {} },
  render: async () => '',
}
const clock: Clock = { now: () => NOW, after: () => () => {}, sleep: async () => {} }

/** Every domain has mail, the first ones most of it; one recipient in a hundred is held, one in a thousand has a transport. */
function recipient(n: number, message: number): NewJob {
  const domain = `d${Math.floor(DOMAINS * ((n * 7919) % 1_000_003) ** 2 * 1e-12) % DOMAINS}.example`
  return {
    ...{ recipient: { localpart: `user${n}`, domain }, recipientDomain: domain, extra: {}, maxAttempts: 0 },
    reversePath: { localpart: `news${message % 50}`, domain: 'sender.example' },
    // Half is due; the rest waits for up to eight hours.
    due: NOW - 4 * HOUR + ((n * 104_729) % (8 * HOUR)),
    hold: n % 100 === 7,
    ...(n % 1_000 === 13 ? { transport: 'relay' } : {}),
  }
}

async function fill(storage: SqliteStorage, recipients: number): Promise<void> {
  const bytes = Buffer.alloc(2_000, 'x')
  const writer = storage.content.writer()
  await writer.write(bytes)
  const staged = await writer.finish(createHash('sha256').update(bytes).digest())
  const contentId = await storage.write(() => storage.content.keep(staged))
  const messages = recipients / RECIPIENTS
  for (let from = 0; from < messages; from += UNIT)
    await storage.write(async () => {
      for (let m = from; m < Math.min(from + UNIT, messages); m++) {
        await storage.content.retain(contentId)
        const jobs = Array.from({ length: RECIPIENTS }, (_, i) => recipient(m * RECIPIENTS + i, m))
        const id = await storage.messages.add({
          ...{ receivedAt: NOW - 96 * HOUR + Math.floor((m / messages) * 96 * HOUR), kind: 'submission' },
          ...{ source: 'bench', account: `account${m % ACCOUNTS}`, reversePath: jobs[0]!.reversePath, size: 2_000 },
          ...{ messageIdHeader: `<${m}@sender.example>`, subject: `Newsletter ${m}`, has8bit: false, smtputf8: false },
          ...{
            prefix: Buffer.from('Received: x\r\n'),
            contentId,
            remoteIp: '192.0.2.1',
            helo: 'h',
            protocol: 'ESMTPA',
          },
          ...{ recipients: jobs.map(j => `${j.recipient.localpart}@${j.recipient.domain}`), facts: {}, trace: [] },
        })
        await storage.queue.add(id, jobs)
      }
    })
}

/** Median and worst milliseconds; the first run is counted. */
async function time(rounds: number, work: (round: number) => Promise<unknown>): Promise<Timing> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    await work(round)
    times.push(performance.now() - started)
  }
  return timingOf(times)
}

function timingOf(times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 }
}

async function claims(storage: SqliteStorage, full: boolean): Promise<{ claim: Timing; commit: Timing }> {
  const taken: Job[] = []
  // With all places of the largest domains taken, the head of the line must be passed by.
  const places = (domain: string) => (full && /^d\d\d?\./.test(domain) ? 0 : 5)
  const inside: number[] = []
  const commit = await time(30, async () => {
    const groups = await storage.write(async () => {
      const started = performance.now()
      const claimed = await storage.queue.claim({ now: NOW, leaseMs: 300_000, limit: 100, places })
      inside.push(performance.now() - started)
      return claimed
    })
    taken.push(...groups.flat())
  })
  if (taken.length < 30 * 50) throw new Error(`only ${taken.length} recipients were claimed`)
  await storage.write(() => storage.queue.finish(taken.map(({ id, due }) => ({ id, due, results: [], dialedIps: {} }))))
  return { claim: timingOf(inside), commit }
}

async function open<T>(dir: string, work: (storage: SqliteStorage) => Promise<T>): Promise<T> {
  const storage = sqliteStorage({ dir, file: 'mox.db', driver: 'better-sqlite3' }, { clock, log: quiet, metrics })
  await storage.open()
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

function measure({ dir, recipients }: QueueJob): Promise<QueueFigures> {
  return open(dir, async storage => {
    const loop = monitorEventLoopDelay({ resolution: 1 })
    const timings: [string, Timing, number | null][] = []
    const add = (name: string, timing: Timing, most: number | null = null) => void timings.push([name, timing, most])
    for (const full of [false, true]) {
      const { claim, commit } = await claims(storage, full)
      add(full ? 'claim past domains without a place' : 'claim of 100 groups', claim, 5)
      add('the same, with its commit', commit)
    }
    const list = async (name: string, filter: QueueFilter, page: Page = PAGE) =>
      add(`list: ${name}`, await time(20, () => storage.queue.list(filter, page)), 50)
    const [middle] = await storage.queue.list({ dueAfter: NOW }, { limit: 1, ascending: true })
    if (middle === undefined) throw new Error('nothing is waiting')
    loop.enable()
    await list('first page', {})
    await list('page in the middle', {}, { ...PAGE, after: { value: middle.due, id: middle.id } })
    await list('latest first', {}, { limit: 100 })
    await list('in the order queued', {}, { limit: 100, byId: true })
    await list('of an account', { account: 'account7' })
    await list('of an account, held', { account: 'account7', hold: true })
    await list('held', { hold: true })
    await list('with a transport', { transport: 'relay' })
    await list('due in more than an hour', { dueAfter: NOW + HOUR })
    await list('of a message', { messageId: middle.messageId })
    await list('to a large domain', { to: '@d1.example' })
    await list('queued more than three days ago', { receivedBefore: NOW - 72 * HOUR })
    // These read everything, on the reader thread; what counts is that the event loop goes on.
    add('list: to somebody who is not there', await time(3, () => storage.queue.list({ to: 'nobody@' }, PAGE)))
    add('count of all', await time(3, () => storage.queue.count({})))
    add('usage of an account', await time(20, () => storage.queue.usage('account7', 2 ** 31)), 5)
    loop.disable()
    const { rss } = await memoryOf(process.pid)
    const loopP99 = loop.percentile(99) / 1e6
    // Last, as it changes much.
    const { median: change } = await time(1, async () => {
      for (let after = 0; ; ) {
        const ids = await storage.queue.find({ account: 'account7' }, { after, limit: 10_000 })
        for (let at = 0; at < ids.length; at += 500)
          await storage.write(() => storage.queue.set({ ids: ids.slice(at, at + 500) }, { hold: true }))
        const last = ids.at(-1)
        if (last === undefined) return
        after = last
      }
    })
    return { timings, loopP99, rss, changedPerSecond: (recipients / ACCOUNTS / change) * 1000 }
  })
}

process.once('message', (job: QueueJob) => {
  const work = job.step === 'fill' ? open(job.dir, storage => fill(storage, job.recipients)) : measure(job)
  work.then(
    result => process.send?.({ result: result ?? {} }, () => process.disconnect()),
    error => process.send?.({ error: String((error as Error).stack) }, () => process.disconnect()),
  )
})
