// The queue on the page: a list with filters, and changes of chosen recipients. What a request says is checked here; what is
// wrong is answered with 400 and what to do.
import type { Attempt, Clock, Job, Page, QueueControl, QueueFilter, QueueRepository } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import { z } from 'zod'
import type { QueueChangeResult, QueueList, QueueRow } from './api-types.ts'
import { JSON_BYTES, parse, readJson } from './requests.ts'

/** Rows in one answer. */
export const QUEUE_ROWS = 500
/** Ids of one change. */
export const CHANGE_IDS = 1_000
/** Bytes of the body of a change. */
export const CHANGE_BYTES: number = JSON_BYTES
/** Characters of a text to look for, and of a reply that is shown. */
export const QUERY_LENGTH = 320
const REPLY_LENGTH = 500

const text = z.string().max(QUERY_LENGTH).optional()
const query = z.object({
  to: text,
  from: text,
  account: text,
  hold: z.enum(['true', 'false']).optional(),
  sort: z.enum(['nextattempt', 'queued']).default('nextattempt'),
  after: z
    .string()
    .regex(/^-?\d{1,15}\.\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(QUEUE_ROWS).default(50),
})

const change = z.strictObject({
  action: z.enum(['retry', 'hold', 'release', 'fail', 'drop']),
  ids: z.array(z.int().positive()).min(1).max(CHANGE_IDS),
})

export async function listQueue(queue: QueueRepository, given: unknown): Promise<QueueList> {
  const { limit, after, sort, ...filter } = parse(query, given)
  const byId = sort === 'queued'
  const [value, id] = (after ?? '').split('.').map(Number)
  const page: Page = {
    ...{ limit: limit + 1, byId, ascending: !byId },
    ...(after === undefined ? {} : { after: { value: value!, id: id! } }),
  }
  const jobs = await queue.list(filterOf(filter), page)
  const shown = jobs.slice(0, limit)
  const last = shown.at(-1)
  return {
    rows: shown.map(rowOf),
    ...(jobs.length > limit && last !== undefined ? { next: `${last.due}.${last.id}` } : {}),
  }
}

function filterOf({
  to,
  from,
  account,
  hold,
}: Partial<Record<'to' | 'from' | 'account' | 'hold', string | undefined>>) {
  const filter: QueueFilter = {
    ...(to ? { to: lowerDomain(to) } : {}),
    ...(from ? { from: lowerDomain(from) } : {}),
    ...(account ? { account } : {}),
    ...(hold === undefined ? {} : { hold: hold === 'true' }),
  }
  return filter
}

/** Domains are stored in lower case. */
function lowerDomain(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? address : address.slice(0, at) + address.slice(at).toLowerCase().normalize('NFC')
}

function rowOf(job: Job): QueueRow {
  const last = job.results.at(-1)
  const state = last?.outcome === 'running' ? 'trying' : job.hold ? 'held' : 'waiting'
  const { id, messageId, account, subject, due, attempts, transport } = job
  return {
    ...{ id, messageId, account, subject, due, attempts, state, queuedAt: job.receivedAt },
    from: job.reversePath === null ? '' : pathToString(job.reversePath),
    to: pathToString(job.recipient),
    last: replyOf(last),
    ...(last === undefined ? {} : { lastOutcome: last.outcome }),
    ...(transport === undefined ? {} : { transport }),
  }
}

function replyOf(attempt: Attempt | undefined): string {
  if (attempt === undefined) return ''
  const { code, enhanced, text } = attempt
  const parts = [code === 0 ? '' : String(code), enhanced, text.replaceAll('\n', ' ')]
  return parts
    .filter(part => part !== '')
    .join(' ')
    .slice(0, REPLY_LENGTH)
}

/** POST with { action, ids } as JSON. */
export function changeRoute(queue: QueueControl, clock: Clock): (ctx: Context) => Promise<void> {
  const work: Record<z.output<typeof change>['action'], (filter: QueueFilter) => Promise<number>> = {
    retry: async filter => {
      const count = await queue.schedule(filter, clock.now())
      await queue.release({ ...filter, hold: true })
      return count
    },
    hold: filter => queue.hold(filter),
    release: filter => queue.release(filter),
    fail: filter => queue.end(filter, 'failed', 'delivery ended by an administrator'),
    drop: filter => queue.end(filter, 'cancelled', 'dropped by an administrator'),
  }
  return async ctx => {
    const { action, ids } = parse(change, await readJson(ctx))
    ctx.body = { count: await work[action]({ ids }) } satisfies QueueChangeResult
  }
}
