// Reads new messages for lists and search: preview, attachments, words. It follows deliveries at a distance, in small units
// of work with pauses between them, longer ones while mail comes in. What waits is a column of the message, so a crash
// forgets nothing. A message that cannot be read any more is passed by; other failures are logged and tried again.
import { setImmediate } from 'node:timers/promises'
import type { Clock, Log, Storage } from '@mox/plugin-sdk'
import { type MessageDigest, parseHeader, VIEW_OCTETS } from '@mox/plugin-sdk/mail'
import { readStart } from './content.ts'
import { correspondentColumns, fold, SEARCH_LENGTH } from './correspondents.ts'
import { Digester } from './digester.ts'
import { joinWords } from './flags.ts'
import { partsOf } from './parts.ts'
import type { Query } from './query.ts'
import { MESSAGE, type MessageRow } from './schema.ts'

/** Name and fields of the search index. */
export const INDEX = 'mailboxes'
export const INDEX_FIELDS = ['account', 'fields', 'text', 'sender', 'recipients', 'subject', 'files']
/** Messages read between two pauses. */
export const BATCH = 8
/** Characters of text indexed in one unit of work, but for those of one message. */
export const UNIT_CHARACTERS = 16_384
/** From a new message to the first batch. */
export const WAKE_MS = 100
/** Pauses between batches: while nothing comes in, while some does, which they keep up with, and at more than BUSY_RATE a second. */
export const PAUSE_MS = 5
export const LIGHT_PAUSE_MS = 20
export const BUSY_PAUSE_MS = 500
export const BUSY_RATE = 200
/** After a failure. */
export const RETRY_MS = 60_000

type Searched = Pick<MessageRow, 'from_search' | 'to_search' | 'subject_search' | 'files_search'>
type Pending = Omit<Searched, 'files_search'> &
  Pick<MessageRow, 'id' | 'account_id' | 'expunged_at' | 'content_id' | 'prefix' | 'received_at' | 'correspondents'>
const PENDING: readonly (keyof Pending)[] = [
  ...(['id', 'account_id', 'expunged_at', 'content_id', 'prefix', 'received_at', 'correspondents'] as const),
  ...(['from_search', 'to_search', 'subject_search'] as const),
]

export class Indexer {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #log: Log
  readonly #digester: Digester
  #created: Promise<void> | undefined
  /** Changes with new messages since then. */
  #added = 0
  #since = 0
  #started = false
  /** There may be more than the running round has seen. */
  #woken = false
  #cancel: (() => void) | undefined
  /** All work, one after the other. */
  #work: Promise<unknown> = Promise.resolve()

  constructor({ storage, clock, log }: { readonly storage: Storage; readonly clock: Clock; readonly log: Log }) {
    this.#storage = storage
    this.#clock = clock
    this.#log = log
    this.#digester = new Digester(clock, log)
  }

  /** Goes on with what waits since the last time. */
  start(): void {
    this.#started = true
    this.#since = this.#clock.now()
    this.#arm(PAUSE_MS)
  }

  async stop(): Promise<void> {
    this.#started = false
    this.#cancel?.()
    await this.#work
    this.#digester.close()
  }

  /** There are new messages. */
  wake(): void {
    this.#added++
    this.#woken = true
    if (this.#cancel === undefined) this.#arm(WAKE_MS)
  }

  /** Reads these messages now, those that wait for it. */
  async ensure(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    const task = this.#work.then(async () => {
      for (let at = 0; at < ids.length; at += BATCH) {
        const part = ids.slice(at, at + BATCH)
        await this.#index(await this.#pending().whereIn('id', part))
      }
    })
    this.#work = task.catch(() => undefined)
    await task
  }

  /** Reads the newest messages of an account that wait, at most `limit`; false when others still wait. */
  async catchUp(account: number, limit: number): Promise<boolean> {
    await this.#create()
    const waiting: { id: number; account_id: number }[] = await this.#storage
      .db<MessageRow>(MESSAGE)
      .select('id', 'account_id')
      .whereNull('search_id')
      .orderBy('id', 'desc')
      .limit(limit + 1)
    await this.ensure(waiting.slice(0, limit).flatMap(row => (row.account_id === account ? [row.id] : [])))
    return waiting.length <= limit
  }

  /** Reads everything that waits. */
  async finish(): Promise<void> {
    while ((await this.#batch()) > 0);
  }

  #arm(ms: number): void {
    if (!this.#started) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = () => {}
      void this.#round()
    })
  }

  async #round(): Promise<void> {
    let next = 0
    this.#woken = false
    try {
      const pause = this.#pause()
      if ((await this.#batch()) > 0) next = pause
    } catch (err) {
      this.#log.error({ err }, 'reading new messages for search failed')
      next = RETRY_MS
    }
    this.#cancel = undefined
    if (next > 0 || this.#woken) this.#arm(next || WAKE_MS)
  }

  /** By how much came in since the last round. */
  #pause(): number {
    const now = this.#clock.now()
    const rate = (this.#added * 1_000) / Math.max(1, now - this.#since)
    const pause = this.#added === 0 ? PAUSE_MS : rate > BUSY_RATE ? BUSY_PAUSE_MS : LIGHT_PAUSE_MS
    this.#added = 0
    this.#since = now
    return pause
  }

  async #batch(): Promise<number> {
    const task = this.#work.then(async () => {
      const rows: Pending[] = await this.#pending().orderBy('id').limit(BATCH)
      await this.#index(rows)
      return rows.length
    })
    this.#work = task.catch(() => undefined)
    return await task
  }

  #pending(): Query {
    return this.#storage
      .db(MESSAGE)
      .select(...PENDING)
      .whereNull('search_id')
  }

  async #index(rows: readonly Pending[]): Promise<void> {
    if (rows.length === 0) return
    await this.#create()
    let unit: Digested[] = []
    let characters = 0
    for (const row of rows) {
      const digested = await this.#digest(row)
      // The database answers at once: timers and sockets get their turn here.
      await setImmediate()
      const length = digested.digest?.text.length ?? 0
      if (unit.length > 0 && characters + length > UNIT_CHARACTERS) {
        await this.#store(unit)
        unit = []
        characters = 0
      }
      unit.push(digested)
      characters += length
    }
    await this.#store(unit)
  }

  async #create(): Promise<void> {
    const { search } = this.#storage
    if (search === undefined) return
    this.#created ??= this.#storage.write(async db => {
      // What was in an index that is empty now is read again.
      if (await search.create(INDEX, INDEX_FIELDS))
        await db(MESSAGE).where('search_id', '>', 0).update({ search_id: null })
    })
    try {
      await this.#created
    } catch (err) {
      this.#created = undefined
      throw err
    }
  }

  async #digest(row: Pending): Promise<Digested> {
    if (row.expunged_at !== 0 || row.content_id === 0) return { row }
    const bytes = await this.#read(row)
    if (bytes === undefined) return { row }
    const columns = row.correspondents === '' ? correspondentColumns(parseHeader(bytes)) : undefined
    return { row, ...(columns === undefined ? {} : { columns }), digest: await this.#digester.digest(row.id, bytes) }
  }

  /** Undefined when it was erased meanwhile. */
  async #read(row: Pending): Promise<Buffer | undefined> {
    try {
      return await readStart(this.#storage, row, VIEW_OCTETS)
    } catch (err) {
      const now = await this.#storage.db<MessageRow>(MESSAGE).where({ id: row.id, expunged_at: 0 }).first('id')
      if (now === undefined) return undefined
      this.#log.error({ err, id: row.id }, 'message cannot be read for search')
      return Buffer.alloc(0)
    }
  }

  async #store(unit: readonly Digested[]): Promise<void> {
    await this.#storage.write(async db => {
      for (const { row, columns, digest } of unit) {
        const key = digest === undefined ? -row.id : await this.#key(row)
        const files = fold(digest?.files ?? '')
          .slice(0, SEARCH_LENGTH)
          .toWellFormed()
        const changes = await db(MESSAGE)
          .where({ id: row.id })
          .whereNull('search_id')
          .update({
            search_id: key,
            ...columns,
            ...(digest === undefined ? {} : digestColumns(digest, files)),
          })
        // Another process may have been faster.
        if (changes === 0 || digest === undefined) continue
        await this.#storage.search?.put(INDEX, key, {
          account: accountWord(row.account_id),
          fields: digest.fields.split('\n').map(fieldWord).join(' '),
          text: digest.text,
          ...partFields({ ...row, ...columns, files_search: files }),
        })
      }
    })
  }

  /** Seconds of receipt and the last bits of the id, below 2^53: keys are in the order of receipt. */
  async #key(row: Pending): Promise<number> {
    const { db } = this.#storage
    let key = searchKey(row.received_at, row.id)
    while ((await db<MessageRow>(MESSAGE).where({ search_id: key }).first('id')) !== undefined) key++
    return key
  }
}

interface Digested {
  readonly row: Pending
  readonly columns?: Partial<MessageRow>
  /** Undefined for what is not there any more. */
  readonly digest?: MessageDigest
}

function digestColumns({ preview, attachments, bodies }: MessageDigest, files: string): Partial<MessageRow> {
  return { preview, attachments: joinWords(attachments), files_search: files, bodies: joinWords(bodies) }
}

const ID_BITS = 2 ** 20
const SECONDS = 2 ** 33 - 1

/** The first key that a message may have. */
export function searchKey(receivedAt: number, id: number): number {
  const seconds = Math.max(1, Math.min(SECONDS, Math.floor(receivedAt / 1_000)))
  return seconds * ID_BITS + (id % ID_BITS)
}

/** The word of the index that says whose message it is. */
export function accountWord(account: number): string {
  return `a${account}`
}

/** What is searched for any piece of it, as fields of the index. */
export function partFields(row: Searched): Readonly<Record<'sender' | 'recipients' | 'subject' | 'files', string>> {
  return {
    sender: partsOf(row.from_search),
    recipients: partsOf(row.to_search),
    subject: partsOf(row.subject_search),
    files: partsOf(row.files_search),
  }
}

/** A header field name as one word: a letter of its own for what is neither letter nor digit. */
export function fieldWord(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '\u02bc')
}
