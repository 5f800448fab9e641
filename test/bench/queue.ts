// A large queue on the real storage: what the scheduler and an operator ask of it.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Job, Page, QueueFilter } from '@mox/plugin-sdk'
import { CLAIM_GROUPS } from '../../core/src/queue/scheduler.ts'
import type { SqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import { memoryOf } from '../kit/proc.ts'
import type { QueueFigures, Timing } from './jobs.ts'
import { ACCOUNTS, fillQueue, HOUR, NOW, PAGE, serve } from './large-table.ts'
import { time, timingOf } from './timing.ts'

async function claims(storage: SqliteStorage, full: boolean): Promise<{ claim: Timing; commit: Timing }> {
  const taken: Job[] = []
  // With all places of the largest domains taken, the head of the line must be passed by.
  const places = (domain: string) => (full && /^d\d\d?\./.test(domain) ? 0 : 5)
  const inside: number[] = []
  const commit = await time(30, async () => {
    const groups = await storage.write(async () => {
      const started = performance.now()
      const claimed = await storage.queue.claim({ now: NOW, leaseMs: 300_000, limit: CLAIM_GROUPS, places })
      inside.push(performance.now() - started)
      return claimed
    })
    taken.push(...groups.flat())
  })
  if (taken.length < 30 * 25) throw new Error(`only ${taken.length} recipients were claimed`)
  await storage.write(() => storage.queue.finish(taken.map(({ id, due }) => ({ id, due, results: [], dialedIps: {} }))))
  return { claim: timingOf(inside), commit }
}

async function measure(storage: SqliteStorage, recipients: number): Promise<QueueFigures> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  const timings: [string, Timing, number | null][] = []
  const add = (name: string, timing: Timing, most: number | null = null) => void timings.push([name, timing, most])
  for (const full of [false, true]) {
    const { claim, commit } = await claims(storage, full)
    add(full ? 'claim past domains without a place' : `claim of ${CLAIM_GROUPS} groups`, claim, 5)
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
}

serve({ fill: fillQueue, measure })
