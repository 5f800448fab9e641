// Sending again: events from the log become new calls with the same event id, so that receivers recognise them. What waits
// already is not doubled.
import { type Events, type MailEvent, UsageError, type WebhookReplay } from '@mox/plugin-sdk'
import { addCalls, type ComposeServices, LANES } from './compose.ts'
import type { Endpoint } from './registry.ts'
import { CALL, type CallRow, laneOf } from './schema.ts'

/** Events or calls of one unit of work. */
export const REPLAY_BATCH = 100

export interface ReplayServices extends ComposeServices {
  readonly events: Events
}

export async function replay(services: ReplayServices, what: WebhookReplay): Promise<number> {
  if ('eventId' in what) return await replayEvent(services, what.eventId, what.endpoint)
  if ('failedSince' in what) return await replayFailed(services, what)
  return await replayTime(services, what)
}

async function replayEvent(services: ReplayServices, eventId: string, name: string | undefined): Promise<number> {
  const event = await services.events.get(eventId)
  if (event === undefined)
    throw new UsageError(`no event has the id ${JSON.stringify(eventId)}; it may have aged out, see mox event list`)
  return await services.storage.write(() => sendAgain(services, event, name))
}

async function replayTime(
  services: ReplayServices,
  { account, endpoint, from, until }: Extract<WebhookReplay, { from: number }>,
): Promise<number> {
  let made = 0
  let after = 0
  for (;;) {
    const filter = { ...(account === undefined ? {} : { account }), since: from, until }
    const page = await services.events.list(filter, { limit: REPLAY_BATCH, after })
    made += await services.storage.write(async () => {
      let count = 0
      for (const event of page) count += await sendAgain(services, event, endpoint)
      return count
    })
    const last = page.at(-1)
    if (last === undefined || page.length < REPLAY_BATCH) return made
    after = last.id
  }
}

/** Inside a unit of work. */
async function sendAgain(services: ReplayServices, event: MailEvent, name: string | undefined): Promise<number> {
  const wanted = services.registry
    .matching(event.account, event.kind)
    .filter(endpoint => name === undefined || endpoint.name === name)
  const endpoints: Endpoint[] = []
  for (const endpoint of wanted) if (!(await waits(services, event.eventId, endpoint.lane))) endpoints.push(endpoint)
  return endpoints.length === 0 ? 0 : await addCalls(services, event, endpoints)
}

async function waits({ storage }: ReplayServices, eventId: string, lane: string): Promise<boolean> {
  const row: Pick<CallRow, 'id'> | undefined = await storage
    .db<CallRow>(CALL)
    .select('id')
    .where({ event_id: eventId, lane })
    .whereNull('ended_at')
    .first()
  return row !== undefined
}

/** Once for each event and endpoint, unless a later call succeeded. */
async function replayFailed(
  services: ReplayServices,
  { account, endpoint, failedSince }: Extract<WebhookReplay, { failedSince: number }>,
): Promise<number> {
  const { storage } = services
  let made = 0
  let after = 0
  for (;;) {
    const query = storage
      .db<CallRow>(CALL)
      .where({
        success: 0,
        ...(account === undefined ? {} : { account }),
        ...(endpoint === undefined ? {} : { endpoint }),
      })
      .where('ended_at', '>=', failedSince)
      .where('id', '>', after)
      .orderBy('id')
      .limit(REPLAY_BATCH)
    const rows: CallRow[] = await query
    made += await storage.write(async () => {
      let count = 0
      for (const row of rows) if (await callAgain(services, row)) count++
      return count
    })
    const last = rows.at(-1)
    if (last === undefined || rows.length < REPLAY_BATCH) return made
    after = last.id
  }
}

/** Inside a unit of work. */
async function callAgain(services: ReplayServices, row: CallRow): Promise<boolean> {
  const { storage, calls, registry, clock } = services
  const lane = laneOf(row.account, row.endpoint)
  if (registry.get(lane) === undefined || registry.disabled(lane) !== undefined) return false
  const later: Pick<CallRow, 'id'> | undefined = await storage
    .db<CallRow>(CALL)
    .select('id')
    .where({ event_id: row.event_id, lane })
    .where(other => void other.whereNull('ended_at').orWhere('success', 1))
    .first()
  if (later !== undefined) return false
  if (row.payload === '') {
    const event = await services.events.get(row.event_id)
    return event !== undefined && (await sendAgain(services, event, row.endpoint)) > 0
  }
  const { id: _, ...call } = row
  const now = clock.now()
  await calls.add({
    ...call,
    ...{ submitted: now, attempts: 0, due: now, lease: 0, results: '[]', ended_at: null, note: '', keep_until: 0 },
    ...{ source: null, content_id: null },
  })
  storage.notify(LANES, lane)
  return true
}
