// events@1 on the shared database. An event and all that listeners make of it are written in one unit of work: the one that the
// event belongs to, or one of its own.
import type { Clock, EventFilter, Events, Log, MailEvent, NewEvent, Random, Statement, Storage } from '@mox/plugin-sdk'
import { type EventRow, eventOf, LOG, rowOf } from './schema.ts'
import { statistics } from './statistics.ts'

/** Events of one list at most. */
export const LIST_LIMIT = 1_000
const CHANNEL = 'events'

export interface LogServices {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Statements {
  readonly insert: Statement<Omit<EventRow, 'id'>, unknown>
  readonly last: Statement<{ queue_id: number }, { sequence: number }>
  readonly known: Statement<{ dedupe: string }, { id: number }>
  readonly byEventId: Statement<{ event_id: string }, EventRow>
}

const COLUMNS: readonly (keyof Omit<EventRow, 'id'>)[] = [
  ...(['event_id', 'at', 'day', 'account', 'kind', 'queue_id', 'message_id', 'mailbox_message_id'] as const),
  ...(['message_id_header', 'subject', 'recipient', 'from_id', 'stream', 'extra', 'dsn', 'suppressing'] as const),
  ...(['code', 'enhanced', 'error', 'attempt', 'remote_mta', 'next_attempt', 'sequence', 'dedupe'] as const),
]

function prepare(storage: Storage): Statements {
  return {
    insert: storage.statement((db, p) =>
      db(LOG).insert(Object.fromEntries(COLUMNS.map(column => [column, p(column)]))),
    ),
    last: storage.statement((db, p) =>
      db(LOG)
        .select('sequence')
        .where('queue_id', p('queue_id'))
        .orderBy('sequence', 'desc')
        .limit(1, { skipBinding: true }),
    ),
    known: storage.statement((db, p) =>
      db(LOG).select('id').where('dedupe', p('dedupe')).whereNotNull('dedupe').limit(1, { skipBinding: true }),
    ),
    byEventId: storage.statement((db, p) => db(LOG).select('*').where('event_id', p('event_id'))),
  }
}

export class EventLog implements Events {
  readonly #services: LogServices
  readonly #listeners: ((event: MailEvent) => Promise<void>)[] = []
  readonly #watchers = new Map<string, Set<() => void>>()
  #statements: Statements | undefined
  #unsubscribe: (() => void) | undefined

  constructor(services: LogServices) {
    this.#services = services
  }

  get #prepared(): Statements {
    this.#statements ??= prepare(this.#services.storage)
    return this.#statements
  }

  async add(event: NewEvent): Promise<MailEvent | undefined> {
    const { storage } = this.#services
    return storage.inUnit() ? await this.#add(event) : await storage.write(() => this.#add(event))
  }

  async #add(event: NewEvent): Promise<MailEvent | undefined> {
    const { storage, clock, random } = this.#services
    const { insert, last, known } = this.#prepared
    if (event.dedupe !== undefined && (await known.get({ dedupe: event.dedupe })) !== undefined) return undefined
    const before = event.queueId > 0 ? await last.get({ queue_id: event.queueId }) : undefined
    const row = rowOf(event, random.id(), clock.now(), (before?.sequence ?? 0) + 1)
    const { lastId } = await insert.run(row)
    const added = eventOf({ ...row, id: lastId === 0 ? await this.#idOf(row.event_id) : lastId })
    for (const listener of this.#listeners) await listener(added)
    storage.notify(CHANNEL, event.account)
    return added
  }

  /** For engines that do not tell the key of an inserted row. */
  async #idOf(eventId: string): Promise<number> {
    const row = await this.#prepared.byEventId.get({ event_id: eventId })
    if (row === undefined) throw new Error('an event was not stored')
    return row.id
  }

  async get(eventId: string): Promise<MailEvent | undefined> {
    const row = await this.#prepared.byEventId.get({ event_id: eventId })
    return row === undefined ? undefined : eventOf(row)
  }

  async list(
    filter: EventFilter,
    page: { readonly limit: number; readonly after?: number; readonly before?: number; readonly descending?: boolean },
  ): Promise<MailEvent[]> {
    const { limit, after, before, descending = false } = page
    if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT)
      throw new RangeError(`events: limit must be 1 to ${LIST_LIMIT}, not ${limit}`)
    const { storage } = this.#services
    const { account, kinds, queueId, messageId, stream, since, until } = filter
    const query = storage
      .db<EventRow>(LOG)
      .select('*')
      .orderBy('id', descending ? 'desc' : 'asc')
      .limit(limit)
    if (account !== undefined) void query.where({ account })
    if (kinds !== undefined) void query.whereIn('kind', [...kinds])
    if (queueId !== undefined) void query.where('queue_id', queueId)
    if (messageId !== undefined) void query.where('message_id', messageId)
    if (stream !== undefined) void query.where({ stream })
    // Ids grow with time: the ends of the time are found by id, so that no index by time is needed.
    if (since !== undefined) void query.where('id', '>=', await this.#firstSince(since)).where('at', '>=', since)
    if (until !== undefined) void query.where('id', '<', await this.#firstSince(until)).where('at', '<', until)
    if (after !== undefined) void query.where('id', '>', after)
    if (before !== undefined) void query.where('id', '<', before)
    const rows = storage.inUnit() ? await query : await storage.offload<EventRow>(query)
    return (rows as EventRow[]).map(eventOf)
  }

  /** The lowest id of an event at `time` or later; one above all ids when there is none. */
  async #firstSince(time: number): Promise<number> {
    const { db } = this.#services.storage
    const end = async (order: 'asc' | 'desc'): Promise<number | undefined> => {
      const row: { id: number } | undefined = await db(LOG).select('id').orderBy('id', order).first()
      return row?.id
    }
    let low = (await end('asc')) ?? 1
    let high = ((await end('desc')) ?? 0) + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row: { id: number; at: number } | undefined = await db<EventRow>(LOG)
        .select('id', 'at')
        .where('id', '>=', middle)
        .orderBy('id')
        .first()
      if (row === undefined || row.at >= time) high = middle
      else low = row.id + 1
    }
    return low
  }

  onAdd(listener: (event: MailEvent) => Promise<void>): void {
    this.#listeners.push(listener)
  }

  watch(account: string, listener: () => void): () => void {
    this.#unsubscribe ??= this.#services.storage.subscribe(CHANNEL, payload => this.#wake(String(payload)))
    const watchers = this.#watchers.get(account) ?? new Set()
    this.#watchers.set(account, watchers)
    watchers.add(listener)
    return () => {
      watchers.delete(listener)
      if (watchers.size === 0 && this.#watchers.get(account) === watchers) this.#watchers.delete(account)
    }
  }

  #wake(account: string): void {
    for (const listener of this.#watchers.get(account) ?? []) {
      try {
        listener()
      } catch (error) {
        this.#services.log.error({ err: error, account }, 'a watcher of events failed')
      }
    }
  }

  statistics(account: string, options: Parameters<Events['statistics']>[1]): ReturnType<Events['statistics']> {
    return statistics(this.#services.storage, account, options)
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#watchers.clear()
  }
}
