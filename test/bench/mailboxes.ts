// Large mailboxes on the real storage: fills a database, then, in another process, measures the pages that webmail and search
// ask for. Sends its figures to the parent.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ListOptions, MailStore } from '@mox/plugin-sdk'
import { parseSearch } from '@mox/plugin-sdk/mail'
import { MailboxesService } from '../../plugins/mailboxes/src/service.ts'
import { memoryOf } from '../kit/proc.ts'
import type { MailboxFigures, MailboxJob, Timing } from './jobs.ts'
import { fillAll, NOW, open, ROWS, YEAR } from './mailbox-fill.ts'
import { time } from './timing.ts'

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

process.once('message', (job: MailboxJob) => {
  const work: Promise<object> = job.step === 'fill' ? fillAll(job) : measure(job)
  work.then(
    result => process.send?.({ result }, () => process.disconnect()),
    error => process.send?.({ error: String((error as Error).stack) }, () => process.disconnect()),
  )
})
