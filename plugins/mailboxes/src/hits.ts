// The messages that a list has, in its order, a window at a time: along an index by time of receipt, or along the search index
// when words are asked for. A window bounds what one query reads, so that long searches can be given up and others get their
// turn on the reader thread. All queries run there.
import { setImmediate } from 'node:timers/promises'
import type { ListOptions, ListQuery } from '@mox/plugin-sdk'
import { readHead } from './content.ts'
import type { Context } from './context.ts'
import { afterPlace, inOrder, keyCursor, type Order, type Place, placeCursor, readKey, readPlace } from './cursor.ts'
import { CHUNK, chunks } from './expunge.ts'
import { type CompiledFilter, compileFilter } from './filter.ts'
import { INDEX } from './indexer.ts'
import { LISTED_COLUMNS, type ListedRow } from './listing.ts'
import type { Query } from './query.ts'
import { MESSAGE, type MessageRow } from './schema.ts'
import { inScope, isInScope, resolveScope, type Scope } from './scope.ts'

/** Messages that one call looks at before it returns what it has. */
export const EXAMINED = 200_000
/** Messages whose header sections one call reads. */
export const HEADS = 2_000
const HEADS_TOGETHER = 10
/** Threads in one query, and messages by id or thread that one query returns. */
const THREADS_TOGETHER = 50
export const AMONG = 1_000
/** Messages looked at, and keys of the search index, in one window: from the first to the last. It returns CHUNK at most. */
const WINDOW = { first: 200, most: 20_000, grow: 4 }
const KEYS = { first: 100, most: 4_000, grow: 4 }
/** The newest messages that are read for search before it begins. */
const CATCH_UP = 100

export interface Hit {
  readonly row: ListedRow
  /** Where the list goes on after this one. */
  readonly cursor: string
}

export interface Window {
  readonly hits: readonly Hit[]
  /** Where the next window begins; undefined at the end. */
  readonly next: string | undefined
}

export class Hits {
  readonly scope: Scope
  /** False while messages that may match wait to be read. */
  readonly complete: boolean
  readonly #context: Context
  readonly #account: number
  readonly #filter: CompiledFilter
  #heads = HEADS

  private constructor(context: Context, account: number, scope: Scope, filter: CompiledFilter, complete: boolean) {
    this.#context = context
    this.#account = account
    this.scope = scope
    this.#filter = filter
    this.complete = complete
  }

  static async of(context: Context, account: number, query: ListQuery): Promise<Hits> {
    const scope = await resolveScope(context, account, query.scope ?? 'usual')
    const filter = compileFilter(query.filter ?? {}, account, context.storage.search !== undefined)
    const complete = !filter.needsDigest || (await context.indexer.catchUp(account, CATCH_UP))
    return new Hits(context, account, scope, filter, complete)
  }

  /** Windows from the cursor on, until the end or until EXAMINED messages were looked at. */
  async *windows({ order = 'newest', cursor, signal, limit }: ListOptions): AsyncGenerator<Window> {
    const bySearch = this.#filter.terms.length > 0
    const sizes = bySearch ? KEYS : WINDOW
    let next = cursor
    let size = Math.max(sizes.first, limit)
    for (let examined = 0; ; size = Math.min(size * sizes.grow, sizes.most)) {
      signal?.throwIfAborted()
      const window = await (bySearch ? this.#byKey(order, next, size) : this.#byTime(order, next, size))
      signal?.throwIfAborted()
      yield window
      examined += size
      next = window.next
      if (next === undefined || examined >= EXAMINED || this.#heads <= 0) return
    }
  }

  /** Rows that a list with this query has, among those that `narrow` selects by id or thread; AMONG of them. */
  async among(narrow: (query: Query) => void): Promise<ListedRow[]> {
    return await this.#checked(await this.#indexed(await this.#found(narrow)))
  }

  /** Those of the threads that have a hit at or before the cursor. */
  async threadsBefore(threads: readonly number[], order: Order, cursor: string): Promise<Set<number>> {
    const back = order === 'newest' ? 'oldest' : 'newest'
    const found: ListedRow[] = []
    for (let at = 0; at < threads.length; at += THREADS_TOGETHER) {
      const part = threads.slice(at, at + THREADS_TOGETHER)
      if (this.#filter.terms.length === 0) {
        const narrow = (query: Query): void => {
          query.whereIn('thread_id', part)
          afterPlace(query, back, readPlace(cursor), true)
        }
        found.push(...(await this.among(narrow)))
        continue
      }
      const key = readKey(cursor)
      const rows = await this.#found(query => query.whereIn('thread_id', part))
      const before = rows.filter(({ search_id: own }) => own !== null && (order === 'newest' ? own >= key : own <= key))
      found.push(...(await this.#checked(await this.#indexed(before))))
    }
    return new Set(found.map(row => row.thread_id))
  }

  async #byTime(order: Order, cursor: string | undefined, size: number): Promise<Window> {
    const from = cursor === undefined ? undefined : readPlace(cursor)
    const bound = await this.#bound(order, from, size)
    const most = Math.min(size, CHUNK)
    const rows = await this.#walked(query => {
      if (from !== undefined) afterPlace(query, order, from)
      if (bound !== undefined) afterPlace(query, order === 'newest' ? 'oldest' : 'newest', bound, true)
      inOrder(query, order)
      query.limit(most)
    })
    const hits = (await this.#checked(rows)).map(row => ({ row, cursor: placeCursor(row) }))
    const last = rows.at(-1)
    // There may be more in this window.
    if (rows.length === most && last !== undefined) return { hits, next: placeCursor(last) }
    return { hits, next: bound === undefined ? undefined : placeCursor(bound) }
  }

  /** The last place of a window; undefined when there are fewer messages. */
  async #bound(order: Order, from: Place | undefined, size: number): Promise<Place | undefined> {
    const { storage } = this.#context
    const query: Query = storage.db(MESSAGE).select('received_at', 'id')
    // Several mailboxes are read along the index of the account.
    inScope(query, this.#account, this.scope.only === undefined ? this.scope : { hidden: this.scope.hidden })
    if (from !== undefined) afterPlace(query, order, from)
    inOrder(query, order)
    return (await storage.offload<Place>(query.limit(1).offset(size - 1)))[0]
  }

  async #byKey(order: Order, cursor: string | undefined, size: number): Promise<Window> {
    const keys = await this.#keys(size, order, cursor === undefined ? undefined : readKey(cursor))
    const hits: Hit[] = []
    for (const part of chunks(keys)) {
      const rows = await this.#found(query => query.whereIn('search_id', part))
      const sign = order === 'newest' ? -1 : 1
      rows.sort((a, b) => sign * ((a.search_id ?? 0) - (b.search_id ?? 0)))
      for (const row of await this.#checked(rows)) hits.push({ row, cursor: keyCursor(row.search_id ?? 0) })
    }
    const last = keys.at(-1)
    return { hits, next: keys.length < size || last === undefined ? undefined : keyCursor(last) }
  }

  async #keys(limit: number, order: Order, after: number | undefined): Promise<number[]> {
    const options = { limit, order: order === 'newest' ? 'descending' : 'ascending' } as const
    const found = this.#context.storage.search?.query(INDEX, this.#filter.terms, {
      ...options,
      ...(after === undefined ? {} : { after }),
    })
    return (await found) ?? []
  }

  /** Those of the rows that the search index finds. */
  async #indexed(rows: readonly ListedRow[]): Promise<ListedRow[]> {
    const { search } = this.#context.storage
    if (this.#filter.terms.length === 0 || search === undefined) return [...rows]
    const keys = new Set<number>()
    for (const part of chunks(rows.flatMap(row => row.search_id ?? []))) {
      const found = await search.query(INDEX, this.#filter.terms, { limit: CHUNK, among: part })
      for (const key of found) keys.add(key)
    }
    return rows.filter(row => keys.has(row.search_id ?? 0))
  }

  /** Along an index by time. */
  async #walked(narrow: (query: Query) => void): Promise<ListedRow[]> {
    return await this.#rows(query => {
      inScope(query, this.#account, this.scope)
      narrow(query)
    })
  }

  /** By id, thread or key. The scope is no condition of the query: SQLite would rather walk along the mailbox. */
  async #found(narrow: (query: Query) => void): Promise<ListedRow[]> {
    const rows = await this.#rows(query => {
      query.where('expunged_at', 0).limit(AMONG)
      narrow(query)
    })
    return rows.filter(row => isInScope(row, this.#account, this.scope))
  }

  async #rows(narrow: (query: Query) => void): Promise<ListedRow[]> {
    const { storage } = this.#context
    const query: Query = storage.db(MESSAGE).select(...LISTED_COLUMNS)
    this.#filter.where(query)
    narrow(query)
    return await storage.offload<ListedRow>(query)
  }

  async #checked(rows: readonly ListedRow[]): Promise<ListedRow[]> {
    const kept: ListedRow[] = []
    for (const row of rows) {
      if (!this.#filter.check(row)) continue
      if (this.#filter.needsHead && !(await this.#checkHead(row.id))) continue
      kept.push(row)
    }
    return kept
  }

  async #checkHead(id: number): Promise<boolean> {
    this.#heads--
    // The database answers at once: timers and sockets get their turn here.
    if (this.#heads % HEADS_TOGETHER === 0) await setImmediate()
    const { storage } = this.#context
    const row = await storage.db<MessageRow>(MESSAGE).select('prefix', 'content_id').where({ id }).first()
    if (row === undefined || row.content_id === 0) return false
    return this.#filter.checkHead(await readHead(storage, row))
  }
}
