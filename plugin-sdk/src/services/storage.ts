// storage@1: what a storage backend provides. Plugins use `db`, `write`, `statement` and the helpers; core uses the
// repositories, so that the hot statements sit in one place. `storageConformance` in the test kit defines what a backend is.
import type { Knex } from 'knex'
import { defineService, type ServiceToken } from '../define/service.ts'
import type { ContentStore } from './content.ts'
import type {
  HistoryRepository,
  MessageRepository,
  OutboxRepository,
  QueueRepository,
  SentRepository,
} from './repositories.ts'

/** One step of a plugin's schema. Numbered from 1 without gaps, forward only, each in its own transaction. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** Creates and changes the plugin's own tables, whose names start with the plugin's name and "_". */
  up(db: Knex): Promise<void>
}

/** A place for a value in a statement: `p('id')`. */
export type Placeholder = (name: string) => Knex.Value

/**
 * A query built once with knex's builder and then run many times as a prepared statement. Runs on the open unit of work, or
 * outside of one on a read connection.
 */
export interface Statement<P extends object, R> {
  all(values: P): Promise<R[]>
  get(values: P): Promise<R | undefined>
  /** Returns the number of changed rows and, where the engine has it, the last inserted integer key. */
  run(values: P): Promise<{ changes: number; lastId: number }>
}

/** A database, and the content of messages. */
export interface Storage {
  /** "sqlite", "postgres". */
  readonly engine: string
  /** Whether `search` is there and whether notifications cross processes. */
  readonly capabilities: { readonly search: boolean; readonly crossProcess: boolean }

  /** Inside a unit of work: its transaction. Outside: read-only connections that never wait for a writer. */
  readonly db: Knex

  /**
   * One unit of work: everything inside happens or nothing does, and the promise resolves only after it is on stable storage.
   * Nested calls join the outer unit with a savepoint. No network and no waiting for anything but the database inside.
   */
  write<T>(work: (db: Knex) => Promise<T>): Promise<T>
  /** Runs `work` after the surrounding unit of work has committed (at once when there is none); dropped when it rolls back. */
  afterCommit(work: () => void): void
  /** True inside a unit of work. */
  inUnit(): boolean

  statement<P extends object, R = unknown>(build: (db: Knex, p: Placeholder) => Knex.QueryBuilder): Statement<P, R>
  /** Runs a read query that may take more than 10 ms on a reader worker thread. */
  offload<R>(query: Knex.QueryBuilder): Promise<R[]>

  /**
   * Takes due rows of a plugin's table under a lease: rows with `dueColumn` ≤ now whose lease has ended get `leaseColumn` =
   * now + leaseMs and are returned, oldest due first. Two claimers never get the same row before its lease ends.
   */
  claim<R>(options: ClaimOptions): Promise<R[]>

  readonly content: ContentStore
  readonly messages: MessageRepository
  readonly queue: QueueRepository
  readonly history: HistoryRepository
  readonly outbox: OutboxRepository
  readonly sent: SentRepository

  /** Wakes subscribers of a channel, after the surrounding unit of work has committed. */
  notify(channel: string, payload?: unknown): void
  subscribe(channel: string, listener: (payload: unknown) => void): () => void

  /** One holder in the whole installation; null when somebody else holds it. Ends by release() or `ttlMs` after the last renew(). */
  lock(name: string, ttlMs: number): Promise<Lock | null>

  /** Full text; present when capabilities.search is true. */
  readonly search?: SearchIndex

  /** Brings a plugin's tables up to date. Throws a UsageError when the database was made by a newer version. */
  migrate(plugin: string, migrations: readonly Migration[]): Promise<void>

  /** Checks content references, counts and files; an empty list means consistent. */
  verify(): Promise<string[]>
}

/** Which rows claim() takes. Names are of the plugin's own table and columns. */
export interface ClaimOptions {
  readonly table: string
  readonly dueColumn: string
  readonly leaseColumn: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly leaseMs: number
  readonly limit: number
  /** Only rows where these columns have these values. */
  readonly where?: Readonly<Record<string, string | number | boolean | null>>
}

/** A lock that is held. */
export interface Lock {
  /** False when the lock was lost meanwhile. */
  renew(): Promise<boolean>
  release(): Promise<void>
}

/** Words that a document must have, in one field or in any; with `not`, must not have. */
export interface SearchTerm {
  /** What is no letter and no digit only separates words; without any the term asks for nothing. */
  readonly text: string
  /** Default false: these words in this order; true: the last one may go on. */
  readonly prefix?: boolean
  readonly field?: string
  readonly not?: boolean
}

export interface SearchOptions {
  readonly limit: number
  /** Default "descending". */
  readonly order?: 'ascending' | 'descending'
  /** Only keys that come after this one in that order. */
  readonly after?: number
  /** Only these keys. */
  readonly among?: readonly number[]
}

/** Full text. An index has named fields; names of both are lower-case words. Case and accents do not matter. */
export interface SearchIndex {
  /**
   * Makes an index unless it is there; before anything else is done with it, in a unit of work. One with other fields is made
   * anew. True when it was made, and so is empty.
   */
  create(index: string, fields: readonly string[]): Promise<boolean>
  /** Adds or replaces a document, with a text for each field; part of the surrounding unit of work. */
  put(index: string, key: number, document: Readonly<Record<string, string>>): Promise<void>
  remove(index: string, key: number): Promise<void>
  /** Keys of documents that match all the terms, of which one at least must ask for something without `not`; else none. */
  query(index: string, terms: readonly SearchTerm[], options: SearchOptions): Promise<number[]>
}

/** Where everything is kept. */
export const storage: ServiceToken<Storage, 'one'> = defineService<Storage>('storage@1')
