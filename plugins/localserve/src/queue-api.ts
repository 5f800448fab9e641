// The queue on the page, for reading: a list with filters, how many there are, the message of a recipient, and the transports
// that may be chosen. What a request says is checked here; what is wrong is answered with 400 and what to do.
import { Readable } from 'node:stream'
import type Router from '@koa/router'
import type { Attempt, Clock, Job, Page, QueueControl, QueueRepository } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import { z } from 'zod'
import type { QueueCount, QueueList, QueueRow, QueueTransports } from './api-types.ts'
import { FILTER_FIELDS, filterOf, filterSchema } from './queue-filter.ts'
import { parse } from './requests.ts'

/** Rows in one answer. */
export const QUEUE_ROWS = 500
/** Characters of a reply that is shown. */
const REPLY_LENGTH = 500

const query = z.strictObject({
  ...FILTER_FIELDS,
  sort: z.enum(['nextattempt', 'queued']).default('nextattempt'),
  /** Earliest first. Default: the soonest attempt, the newest queued. */
  asc: z.enum(['true', 'false']).optional(),
  after: z
    .string()
    .regex(/^-?\d{1,15}\.\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(QUEUE_ROWS).default(50),
})
const dump = z.strictObject({ download: z.literal('1').optional() })

export interface QueueDeps {
  readonly control: QueueControl
  readonly queue: QueueRepository
  readonly clock: Clock
}

/** GET /api/queue, and below it /count, /transports and /ID/message. */
export function queueRoutes(router: Router, { control, queue, clock }: QueueDeps): void {
  router.get('/api/queue', async ctx => {
    ctx.body = await listQueue(queue, ctx.query, clock.now())
  })
  router.get('/api/queue/count', async ctx => {
    const filter = filterOf(parse(filterSchema, ctx.query), clock.now())
    ctx.body = { count: await queue.count(filter) } satisfies QueueCount
  })
  router.get('/api/queue/transports', ctx => {
    ctx.body = { transports: control.transports() } satisfies QueueTransports
  })
  router.get('/api/queue/:id/message', async ctx => {
    const id = ctx.params['id'] ?? ''
    const { download } = parse(dump, ctx.query)
    const chunks = /^[1-9]\d{0,14}$/.test(id) ? await control.dump(Number(id)) : undefined
    if (chunks === undefined) return ctx.throw(404, 'no message is kept for this queue id')
    if (download !== undefined) ctx.attachment(`queue-${id}.eml`)
    ctx.type = download === undefined ? 'text/plain; charset=utf-8' : 'message/rfc822'
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    ctx.body = Readable.from(chunks)
  })
}

export async function listQueue(queue: QueueRepository, given: unknown, now: number): Promise<QueueList> {
  const { limit, after, sort, asc, ...fields } = parse(query, given)
  const byId = sort === 'queued'
  const [value, id] = (after ?? '').split('.').map(Number)
  const page: Page = {
    ...{ limit: limit + 1, byId, ascending: asc === undefined ? !byId : asc === 'true' },
    ...(after === undefined ? {} : { after: { value: value!, id: id! } }),
  }
  const jobs = await queue.list(filterOf(fields, now), page)
  const shown = jobs.slice(0, limit)
  const last = shown.at(-1)
  return {
    rows: shown.map(rowOf),
    ...(jobs.length > limit && last !== undefined ? { next: `${last.due}.${last.id}` } : {}),
  }
}

function rowOf(job: Job): QueueRow {
  const last = job.results.at(-1)
  const state = last?.outcome === 'running' ? 'trying' : job.hold ? 'held' : 'waiting'
  const { id, messageId, account, subject, due, attempts, transport, requireTls } = job
  return {
    ...{ id, messageId, account, subject, due, attempts, state, queuedAt: job.receivedAt },
    from: job.reversePath === null ? '' : pathToString(job.reversePath),
    to: pathToString(job.recipient),
    last: replyOf(last),
    ...(last === undefined ? {} : { lastOutcome: last.outcome }),
    ...(transport === undefined ? {} : { transport }),
    ...(requireTls === undefined ? {} : { requireTls }),
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
