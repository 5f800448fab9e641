// GET /statistics: what was sent and what became of it, by UTC day and stream.
import type { Clock, EventKind, Events } from '@mox/plugin-sdk'
import { DAY_MS } from '../limits.ts'
import { dayOf, type Records } from '../records.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { notEnabled, Problem } from './problem.ts'
import * as schemas from './schemas.ts'

/** Days of one answer. */
export const MAX_DAYS = 400
const DEFAULT_DAYS = 30

interface Line {
  readonly day: string
  readonly stream: string
  messages: number
  recipients: number
  events: Partial<Record<EventKind, number>>
}

export function statisticsEndpoint(parts: { events: Events | undefined; records: Records; clock: Clock }): Endpoint {
  const { events, records, clock } = parts
  return endpoint('GET /statistics', 'getStatistics', {
    summary: 'Messages and events by day and stream.',
    permission: 'events:read',
    query: schemas.statisticsQuery,
    response: schemas.statisticsResponse,
    run: async ({ caller, query }) => {
      if (events === undefined) throw notEnabled('statistics', 'events()')
      const until = query.until ?? dayOf(clock.now())
      const since = query.since ?? dayOf(Date.parse(until) - (DEFAULT_DAYS - 1) * DAY_MS)
      const days = (Date.parse(until) - Date.parse(since)) / DAY_MS + 1
      if (days < 1 || days > MAX_DAYS) throw new Problem('protocol', `since to until must be 1 to ${MAX_DAYS} days`)
      const { stream } = query
      const range = {
        since: Date.parse(since),
        until: Date.parse(until) + DAY_MS,
        ...(stream === undefined ? {} : { stream }),
      }
      const lines = new Map<string, Line>()
      const line = (day: string, name: string): Line => {
        const key = `${day} ${name}`
        const known = lines.get(key) ?? { day, stream: name, messages: 0, recipients: 0, events: {} }
        lines.set(key, known)
        return known
      }
      for (const row of await records.sent(caller.account, since, until, stream)) {
        const found = line(row.day, row.stream)
        found.messages += Number(row.messages)
        found.recipients += Number(row.recipients)
      }
      for (const { day, stream, kind, count } of await events.statistics(caller.account, range))
        line(day, stream).events[kind] = count
      const sorted = [...lines.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
      return { body: { days: sorted } }
    },
  })
}
