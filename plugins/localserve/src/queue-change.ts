// What an operator does on the page with recipients in the queue: with chosen ones, with all that match a filter, or with all
// there are, which must be said. What is wrong with a request is answered with 400 and what to do, before anything is changed.
import type { Clock, QueueControl, QueueFilter, QueueRepository } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { z } from 'zod'
import type { QueueChangeResult } from './api-types.ts'
import { duration, filterOf, filterSchema, IDS_LIMIT, QUERY_LENGTH, SCHEDULE_LIMIT } from './queue-filter.ts'
import { JSON_BYTES, parse, RequestError, readJson, usable } from './requests.ts'

/** Ids of one change. */
export const CHANGE_IDS: number = IDS_LIMIT
/** Bytes of the body of a change. */
export const CHANGE_BYTES: number = JSON_BYTES
/** Recipients found and tried again at a time. */
const RETRY_BATCH = 1_000

const chosen = {
  ids: z.array(z.int().positive()).min(1).max(CHANGE_IDS).optional(),
  filter: filterSchema.optional(),
  all: z.literal(true).optional(),
}
const when = z
  .strictObject({ at: z.int().min(0).optional(), in: duration.optional(), later: duration.optional() })
  .refine(one => count(one) === 1, 'give one of at, in and later')
const change = z
  .discriminatedUnion('action', [
    z.strictObject({ action: z.enum(['retry', 'hold', 'release', 'fail', 'drop']), ...chosen }),
    z.strictObject({ action: z.literal('schedule'), when, ...chosen }),
    z.strictObject({ action: z.literal('transport'), transport: z.string().max(QUERY_LENGTH), ...chosen }),
    z.strictObject({ action: z.literal('requiretls'), required: z.boolean().nullable(), ...chosen }),
  ])
  .refine(({ ids, filter, all }) => count({ ids, filter, all }) === 1, 'give one of ids, filter and all')
type Change = z.output<typeof change>

const count = (fields: object): number => Object.values(fields).filter(value => value !== undefined).length

/** POST with what to do and for whom, as JSON. */
export function changeRoute(
  control: QueueControl,
  queue: QueueRepository,
  clock: Clock,
): (ctx: Context) => Promise<void> {
  return async ctx => {
    const request = parse(change, await readJson(ctx))
    const now = clock.now()
    const which = selectionOf(request, now)
    await usable(async () => {
      ctx.body = { count: await work(request, which, now) } satisfies QueueChangeResult
    })
  }

  function work(request: Change, which: QueueFilter, now: number): Promise<number> {
    switch (request.action) {
      case 'retry':
        return retry(which, now)
      case 'hold':
        return control.hold(which)
      case 'release':
        return control.release(which)
      case 'fail':
        return control.end(which, 'failed', 'delivery ended by an administrator')
      case 'drop':
        return control.end(which, 'cancelled', 'dropped by an administrator')
      case 'schedule':
        return schedule(request.when, which, now)
      case 'transport':
        return control.setTransport(which, request.transport)
      case 'requiretls':
        return control.setRequireTls(which, request.required ?? undefined)
    }
  }

  /** Due now, on hold or not. By ids, since afterwards a filter would match others. */
  async function retry(which: QueueFilter, now: number): Promise<number> {
    if (which.ids !== undefined && Object.keys(which).length === 1) return await retryIds(which.ids, now)
    let done = 0
    for (let after = 0; ; ) {
      const ids = await queue.find(which, { after, limit: RETRY_BATCH })
      if (ids.length > 0) done += await retryIds(ids, now)
      if (ids.length < RETRY_BATCH) return done
      after = ids.at(-1) ?? after
    }
  }

  async function retryIds(ids: readonly number[], now: number): Promise<number> {
    const done = await control.schedule({ ids }, now)
    await control.release({ ids, hold: true })
    return done
  }

  function schedule(given: z.output<typeof when>, which: QueueFilter, now: number): Promise<number> {
    if (given.later !== undefined) return control.postpone(which, given.later)
    const due = given.at ?? now + (given.in ?? 0)
    if (due > now + SCHEDULE_LIMIT) throw new RequestError(400, 'when.at: choose a time within a year')
    return control.schedule(which, due)
  }
}

function selectionOf({ ids, filter }: Change, now: number): QueueFilter {
  if (ids !== undefined) return { ids }
  if (filter === undefined) return {}
  const which = filterOf(filter, now)
  if (Object.keys(which).length > 0) return which
  throw new RequestError(400, 'filter: it chooses nothing; for every recipient in the queue, send "all": true')
}
