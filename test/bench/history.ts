// A large history on the real storage: what an operator, the pages and the APIs ask of recipients that left the queue.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { HistoryFilter, Page, Retired } from '@mox/plugin-sdk'
import type { SqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import { memoryOf } from '../kit/proc.ts'
import type { TableFigures, Timing } from './jobs.ts'
import { fillQueue, HOUR, NOW, PAGE, serve } from './large-table.ts'
import { time } from './timing.ts'

const DAY = 24 * HOUR
/** Milliseconds of a page, the median. */
const MOST = 50

/** Within the last four days, each within a minute after its message; one in a hundred failed, one in five hundred suppressed. */
async function fill(storage: SqliteStorage, recipients: number): Promise<void> {
  await fillQueue(storage, recipients, async ({ ids, jobs, message }) => {
    const { id: messageId, receivedAt, account, reversePath, messageIdHeader, subject, size } = message
    await storage.queue.retire(
      jobs.map(({ due: _, hold: __, ...job }, i): Retired => {
        const id = ids[i] ?? 0
        const lastActivity = receivedAt + ((id * 7919) % 60_000)
        // Prime numbers, so that every account has some.
        const failed = id % 97 === 3
        const status = failed ? 'failed' : id % 499 === 7 ? 'suppressed' : 'delivered'
        const reply = failed
          ? { outcome: 'permanent' as const, code: 550, enhanced: '5.1.1', text: 'no such user' }
          : { outcome: 'delivered' as const, code: 250, enhanced: '2.0.0', text: 'ok' }
        return {
          ...{ ...job, id, messageId, receivedAt, account, reversePath, messageIdHeader, subject, size },
          ...{ has8bit: false, smtputf8: false, attempts: 1, dialedIps: {}, trace: [] },
          results: [
            { number: 1, startedAt: lastActivity - 500, endedAt: lastActivity, remoteHost: 'mx.example', ...reply },
          ],
          ...{ fromId: `id${id}`, status, lastActivity, keepUntil: NOW + 7 * DAY },
        }
      }),
    )
  })
}

async function measure(storage: SqliteStorage): Promise<TableFigures> {
  const { history } = storage
  const loop = monitorEventLoopDelay({ resolution: 1 })
  const timings: [string, Timing, number | null][] = []
  const add = (name: string, timing: Timing, most: number | null = MOST) => void timings.push([name, timing, most])
  const list = async (name: string, filter: HistoryFilter, page: Page = PAGE, most: number | null = MOST) => {
    let found = 0
    const timing = await time(20, async () => {
      found = (await history.list(filter, page)).length
    })
    if (found === 0) throw new Error(`nothing was found: ${name}`)
    add(`list: ${name}`, timing, most)
  }
  const latest: Page = { limit: 100 }
  const [middle] = await history.list({ activeBefore: NOW - 2 * DAY }, { limit: 1 })
  if (middle === undefined) throw new Error('the history is empty')
  loop.enable()
  await list('latest first', {}, latest)
  await list('oldest first', {})
  await list('page in the middle', {}, { ...latest, after: { value: middle.lastActivity, id: middle.id } })
  await list('in the order queued', {}, { ...latest, byId: true })
  await list('failed', { status: 'failed' }, latest)
  await list('not delivered', { delivered: false }, latest)
  await list('suppressed', { status: 'suppressed' }, latest)
  await list('of an account', { account: 'account7' }, latest)
  await list('of an account, failed', { account: 'account7', status: 'failed' }, latest)
  await list('active in an hour', { activeAfter: NOW - 3 * DAY, activeBefore: NOW - 3 * DAY + HOUR }, latest)
  await list('of a message', { messageId: middle.messageId }, latest)
  await list('by Message-ID', { account: middle.account, messageIdHeader: middle.messageIdHeader }, latest)
  await list('to a large domain', { to: '@d1.example' }, latest)
  add('one by its id', await time(20, () => history.get(middle.id)))
  add('one by its unique sender', await time(20, () => history.findByFromId(middle.fromId ?? '')))
  // This reads everything, on the reader thread; what counts is that the event loop goes on.
  add('list: to somebody who is not there', await time(3, () => history.list({ to: 'nobody@' }, latest)), null)
  loop.disable()
  const { rss } = await memoryOf(process.pid)
  return { timings, loopP99: loop.percentile(99) / 1e6, rss }
}

serve({ fill, measure })
