// The event log of an account: pages from a cursor, waiting for the next one, or as a stream (Server-Sent Events). A reader
// that remembers its cursor misses nothing and sees nothing twice.
import { PassThrough } from 'node:stream'
import type { Clock, EventFilter, EventKind, Events, MailEvent } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { type Endpoint, endpoint, type Reply } from './endpoint.ts'
import { defined, iso } from './messages.ts'
import { notEnabled, Problem } from './problem.ts'
import * as schemas from './schemas.ts'
import type { Waiting } from './waiting.ts'

const DEFAULT_PAGE = 100
/** Events of a stream that are read at once. */
const STREAM_PAGE = 100
/** Milliseconds without an event after which a stream says that it is alive. */
export const HEARTBEAT_MS = 15_000

export interface EventParts {
  readonly events: Events | undefined
  readonly clock: Clock
  readonly waiting: Waiting
}

export function eventsEndpoint({ events, clock, waiting }: EventParts): Endpoint {
  return endpoint('GET /events', 'listEvents', {
    summary: 'What became of messages, oldest first, from a cursor. With Accept: text/event-stream it does not end.',
    permission: 'events:read',
    query: schemas.eventsQuery,
    response: schemas.eventsResponse,
    run: async ({ caller, query, ctx }) => {
      if (events === undefined) throw notEnabled('events', 'events()')
      const filter: EventFilter = defined({
        ...{ account: caller.account, stream: query.stream, queueId: query.queueId, messageId: query.messageId },
        kinds: kindsOf(query.kinds),
      })
      const after = query.after ?? 0
      const accepted = ctx.accepts(['application/json', 'text/event-stream'])
      if (accepted === 'text/event-stream')
        return stream(ctx, { events, clock, waiting }, filter, lastEventId(ctx) ?? after)
      const limit = query.limit ?? DEFAULT_PAGE
      const list = () => events.list(filter, { limit, after })
      const wait = (query.wait ?? 0) * 1000
      const found = await (wait === 0 ? list() : waitFor(ctx, { events, clock, waiting }, caller.account, wait, list))
      return { body: { events: found.map(show), cursor: found.at(-1)?.id ?? after } }
    },
  })
}

type Parts = Required<EventParts> & { readonly events: Events }

/** Asks again after each commit with events of the account, until there is one or the time is over. */
async function waitFor(
  ctx: Context,
  { events, clock, waiting }: Parts,
  account: string,
  ms: number,
  list: () => Promise<MailEvent[]>,
): Promise<MailEvent[]> {
  using place = waiting.take(account)
  const bell = new Bell()
  const stop = events.watch(account, () => bell.ring())
  let over = false
  const end = (): void => {
    over = true
    bell.ring()
  }
  const cancel = clock.after(ms, end)
  place.signal.addEventListener('abort', end)
  ctx.req.socket.once('close', end)
  try {
    for (;;) {
      const found = await list()
      if (found.length > 0 || over) return found
      await bell.wait()
    }
  } finally {
    stop()
    cancel()
    ctx.req.socket.off('close', end)
  }
}

function stream(ctx: Context, parts: Parts, filter: EventFilter, after: number): Reply {
  const { account = '' } = filter
  const place = parts.waiting.take(account)
  const out = new PassThrough()
  const bell = new Bell()
  const stop = parts.events.watch(account, () => bell.ring())
  const end = (): void => {
    out.end()
    bell.ring()
  }
  place.signal.addEventListener('abort', end)
  out.on('drain', () => bell.ring())
  out.once('close', () => bell.ring())
  ctx.res.once('close', () => out.destroy())
  ctx.status = 200
  ctx.set('Content-Type', 'text/event-stream; charset=utf-8')
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Accel-Buffering', 'no')
  ctx.body = out
  out.write('retry: 2000\n\n')
  void pump(out, parts, filter, after, bell)
    .catch((error: Error) => out.destroy(error))
    .finally(() => {
      stop()
      place[Symbol.dispose]()
    })
  return { written: true }
}

/** Writes no faster than the reader reads. */
async function pump(
  out: PassThrough,
  { events, clock }: Parts,
  filter: EventFilter,
  from: number,
  bell: Bell,
): Promise<void> {
  for (let after = from; !out.destroyed && !out.writableEnded; ) {
    if (out.writableNeedDrain) {
      await bell.wait()
      continue
    }
    const found = await events.list(filter, { limit: STREAM_PAGE, after })
    for (const event of found) {
      if (out.destroyed || out.writableEnded) return
      out.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(show(event))}\n\n`)
      after = event.id
    }
    if (found.length === STREAM_PAGE) continue
    let quiet = false
    const cancel = clock.after(HEARTBEAT_MS, () => {
      quiet = true
      bell.ring()
    })
    await bell.wait()
    cancel()
    if (quiet && !out.destroyed && !out.writableEnded) out.write(': alive\n\n')
  }
}

/** Remembers one ring until somebody waits. */
class Bell {
  #rang = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rang = true
    this.#wake?.()
  }

  async wait(): Promise<void> {
    if (!this.#rang)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    this.#rang = false
    this.#wake = undefined
  }
}

function lastEventId(ctx: Context): number | undefined {
  const text = ctx.get('Last-Event-ID')
  if (text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) throw new Problem('protocol', 'Last-Event-ID must be the id of an event')
  return Number(text)
}

function kindsOf(text: string | undefined): readonly EventKind[] | undefined {
  if (text === undefined) return undefined
  const kinds = text.split(',')
  const isKind = (word: string): word is EventKind => (schemas.EVENT_KINDS as readonly string[]).includes(word)
  const bad = kinds.find(word => !isKind(word))
  if (bad !== undefined)
    throw new Problem('protocol', `kinds: ${JSON.stringify(bad)} is not one of ${schemas.EVENT_KINDS.join(', ')}`)
  return kinds.filter(isKind)
}

export function show({ account: _, ...event }: MailEvent) {
  return {
    ...event,
    at: iso(event.at),
    mailboxMessageId: event.mailboxMessageId ?? null,
    nextAttempt: event.nextAttempt === undefined ? null : iso(event.nextAttempt),
  }
}
