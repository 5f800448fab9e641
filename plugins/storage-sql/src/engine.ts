// What a database engine gives the repositories: prepared statements, units of work, a reader thread. One implementation
// per database; everything above it is shared.
import type { SearchIndex, Storage } from '@mox/plugin-sdk'
import type { Knex } from 'knex'

export type MaybePromise<T> = T | Promise<T>
export type SqlValue = string | number | bigint | Buffer | null
export type SqlRow = Record<string, SqlValue>

/** Runs on the open unit of work, outside of one on a read connection. Bindings are in the order of the placeholders. */
export interface PreparedSql {
  all(bindings: readonly SqlValue[]): MaybePromise<SqlRow[]>
  get(bindings: readonly SqlValue[]): MaybePromise<SqlRow | undefined>
  run(bindings: readonly SqlValue[]): MaybePromise<{ changes: number; lastId: number }>
}

export interface SqlEngine {
  /** "sqlite", "postgres". */
  readonly name: string
  readonly capabilities: Storage['capabilities']
  /** Ambient: the unit of work that the running code belongs to, or a read connection. Throws after a unit's end. */
  readonly db: Knex
  /** Compiles queries in the engine's dialect; there from the beginning. */
  readonly builder: Knex
  /** Prepares on first use, on each connection once. */
  prepare(sql: string): PreparedSql
  write<T>(work: (db: Knex) => Promise<T>): Promise<T>
  inUnit(): boolean
  /**
   * Runs once the surrounding unit of work has committed (true) or was undone (false); at once, with true, when there is none.
   * In no unit, and not in the caller's async context.
   */
  afterUnit(work: (committed: boolean) => void): void
  /** Runs in the caller's async context, but in no unit, once the surrounding unit of work has committed; without one at once. */
  afterCommit(work: () => void): void
  /** Runs a query on the reader thread. */
  offload(sql: string, bindings: readonly SqlValue[]): Promise<SqlRow[]>
  /** What was written may not be on stable storage: takes no more writes. */
  failed(error: unknown): void
  readonly search?: SearchIndex
}
