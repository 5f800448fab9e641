// What was sent over HTTP, for lists, the limits of streams and statistics: one row per message, written a moment after the
// messages were queued. A row that cannot be written, or that a crash comes before, loses the entry, never the message.
import type { Clock, Log, Statement, Storage } from '@mox/plugin-sdk'
import { DAY_MS } from './limits.ts'
import { MESSAGE, type MessageRow, RECIPIENTS_TEXT, SUBJECT_TEXT } from './schema.ts'

export const MINUTE_MS = 60_000
/** Rows removed in one unit of work. */
const CHUNK = 1_000

export interface NewRecord {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly messageId: number
  readonly account: string
  readonly stream: string
  readonly sender: string
  readonly subject: string
  readonly headerId: string
  /** Addresses. */
  readonly recipients: readonly string[]
}

export interface ListFilter {
  readonly account: string
  readonly stream?: string
  /** Substrings, without case for ASCII letters. */
  readonly to?: string
  readonly subject?: string
  readonly headerId?: string
  /** Milliseconds since the epoch, inclusive and exclusive. */
  readonly since?: number
  readonly until?: number
}

export class Records {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #log: Log
  readonly #keepMs: number
  readonly #addMessage: Statement<MessageRow, unknown>
  #waiting: NewRecord[] = []
  #writing: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #purging: Promise<void> = Promise.resolve()

  /** `keepMs`: how long rows are kept. */
  constructor(services: { storage: Storage; clock: Clock; log: Log }, keepMs: number) {
    const { storage, clock, log } = services
    this.#storage = storage
    this.#clock = clock
    this.#log = log
    this.#keepMs = keepMs
    this.#addMessage = storage.statement((db, p) =>
      db(MESSAGE)
        .insert(
          row(p, [
            'message_id',
            'account',
            'stream',
            'day',
            'minute',
            'sent_at',
            'sender',
            'recipients',
            'subject',
            'header_id',
            'count',
          ]),
        )
        .onConflict('message_id')
        .ignore(),
    )
  }

  start(): void {
    this.#purging = this.#purge().catch((err: unknown) => this.#log.warn({ err }, 'old records could not be removed'))
    this.#cancel = this.#clock.after(DAY_MS, () => this.start())
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    await Promise.all([this.#purging, this.flush()])
  }

  add(record: NewRecord): void {
    this.#waiting.push(record)
    this.#writing ??= this.#writeAll()
  }

  /** Resolves when all that was added is written. */
  async flush(): Promise<void> {
    await this.#writing
  }

  /** What comes while a unit of work is written goes into the next one. */
  async #writeAll(): Promise<void> {
    // What is sent in this turn of the event loop is written together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const records = this.#waiting
      this.#waiting = []
      try {
        await this.#storage.write(async () => {
          for (const record of records) await this.#write(record)
        })
      } catch (err) {
        this.#log.error({ err, messages: records.length }, 'sent messages could not be recorded')
      }
    }
    this.#writing = undefined
  }

  async #write({ at, messageId, account, stream, sender, subject, headerId, recipients }: NewRecord): Promise<void> {
    const minute = Math.floor(at / MINUTE_MS)
    await this.#addMessage.run({
      ...{ message_id: messageId, account, stream, day: dayOf(at), minute, sent_at: at, sender, header_id: headerId },
      recipients: recipients.join(' ').slice(0, RECIPIENTS_TEXT),
      subject: subject.slice(0, SUBJECT_TEXT),
      count: recipients.length,
    })
  }

  /** Recipients of a stream by minute since a minute. */
  async counts(account: string, stream: string, since: number): Promise<[number, number][]> {
    await this.flush()
    const rows = await this.#storage.offload<{ minute: number; n: number }>(
      this.#storage
        .db(MESSAGE)
        .select('minute')
        .sum('count as n')
        .where({ account, stream })
        .where('minute', '>=', since)
        .groupBy('minute'),
    )
    return rows.map(({ minute, n }) => [Number(minute), Number(n)])
  }

  /** Newest first, ids below `before` if given. */
  async list(filter: ListFilter, page: { limit: number; before?: number }): Promise<MessageRow[]> {
    await this.flush()
    const { account, stream, to, subject, headerId, since, until } = filter
    let query = this.#storage
      .db<MessageRow>(MESSAGE)
      .select('*')
      .where({ account })
      .orderBy('message_id', 'desc')
      .limit(page.limit)
    if (page.before !== undefined) query = query.where('message_id', '<', page.before)
    if (stream !== undefined) query = query.where({ stream })
    if (headerId !== undefined) query = query.where({ header_id: headerId })
    if (since !== undefined) query = query.where('sent_at', '>=', since)
    if (until !== undefined) query = query.where('sent_at', '<', until)
    if (to !== undefined) query = query.whereLike('recipients', contains(to))
    if (subject !== undefined) query = query.whereLike('subject', contains(subject))
    return await this.#storage.offload<MessageRow>(query)
  }

  /** Messages and recipients sent, by day and stream. */
  async sent(account: string, since: string, until: string, stream: string | undefined) {
    await this.flush()
    const query = this.#storage
      .db(MESSAGE)
      .select('day', 'stream')
      .count('* as messages')
      .sum('count as recipients')
      .where({ account, ...(stream === undefined ? {} : { stream }) })
      .whereBetween('day', [since, until])
      .groupBy('day', 'stream')
    return await this.#storage.offload<{ day: string; stream: string; messages: number; recipients: number }>(query)
  }

  /** Ids grow with time: what is old comes first. */
  async #purge(): Promise<void> {
    const before = Math.floor((this.#clock.now() - this.#keepMs) / MINUTE_MS)
    for (let removed = CHUNK; removed === CHUNK; ) {
      const oldest: Pick<MessageRow, 'message_id' | 'minute'>[] = await this.#storage
        .db<MessageRow>(MESSAGE)
        .select('message_id', 'minute')
        .orderBy('message_id')
        .limit(CHUNK)
      const old = oldest.filter(row => Number(row.minute) < before)
      const last = old.at(-1)?.message_id
      removed = old.length
      if (last !== undefined)
        await this.#storage.write(
          async db => void (await db(MESSAGE).where('message_id', '<=', last).where('minute', '<', before).delete()),
        )
    }
  }
}

/** "2030-01-31", UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** A LIKE pattern; the callers' own wildcards match any character at their place, which finds no less. */
function contains(text: string): string {
  return `%${text.replace(/[%\\]/g, '_')}%`
}

function row<K extends string, V>(p: (name: string) => V, columns: readonly K[]): Record<K, V> {
  return Object.fromEntries(columns.map(column => [column, p(column)])) as Record<K, V>
}
