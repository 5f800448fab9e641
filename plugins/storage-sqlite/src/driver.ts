// The two SQLite drivers behind one small interface: better-sqlite3, which is synchronous, and sqlite3, which is not. Each
// gives a knex client that always uses one given connection: there is no pool that a nested query could wait for.
import { createRequire } from 'node:module'
import { UsageError } from '@mox/plugin-sdk'
import type { MaybePromise, SqlRow, SqlValue } from '@mox/plugin-storage-sql'
import knexModule, { type Knex } from 'knex'

const { knex } = knexModule

export type DriverName = 'better-sqlite3' | 'sqlite3'

export interface Connection {
  all(sql: string, values: readonly SqlValue[]): MaybePromise<SqlRow[]>
  get(sql: string, values: readonly SqlValue[]): MaybePromise<SqlRow | undefined>
  run(sql: string, values: readonly SqlValue[]): MaybePromise<{ changes: number; lastId: number }>
  exec(sql: string): MaybePromise<void>
  /** False when SQLite has rolled back by itself, as it does when the disk is full. Undefined when the driver cannot tell. */
  inTransaction(): boolean | undefined
  readonly knex: Knex
  close(): Promise<void>
}

/** Opens a database file. `readOnly` connections cannot write. */
export async function connect(
  driver: DriverName,
  file: string,
  options: { readonly readOnly: boolean },
): Promise<Connection> {
  return driver === 'sqlite3'
    ? await connectSqlite3(file, options.readOnly)
    : await connectBetter(file, options.readOnly)
}

/** A knex handle that only compiles queries. */
export function makeBuilder(): Knex {
  return knex({ client: 'better-sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true })
}

interface KnexClient {
  acquireConnection(): Promise<unknown>
  releaseConnection(): Promise<void>
}

/** A knex handle on one connection of ours. */
function knexOn(client: DriverName, raw: unknown): Knex {
  const require = createRequire(import.meta.url)
  const Base = require(
    client === 'sqlite3' ? 'knex/lib/dialects/sqlite3/index.js' : 'knex/lib/dialects/better-sqlite3/index.js',
  ) as new (
    ...args: unknown[]
  ) => KnexClient
  class OneConnection extends Base {
    override acquireConnection(): Promise<unknown> {
      return Promise.resolve(raw)
    }
    override releaseConnection(): Promise<void> {
      return Promise.resolve()
    }
    initializePool(): void {}
    destroy(): Promise<void> {
      return Promise.resolve()
    }
  }
  return knex({
    client: OneConnection as unknown as typeof Knex.Client,
    connection: { filename: 'opened' },
    useNullAsDefault: true,
  } as Knex.Config)
}

const TRANSACTION = /^(?:savepoint|release|begin immediate|commit)\b[^;]*$/

async function connectBetter(file: string, readOnly: boolean): Promise<Connection> {
  const { default: Database } = await import('better-sqlite3')
  const db = new Database(file, { readonly: readOnly })
  const prepared = new Map<string, ReturnType<typeof db.prepare>>()
  const prepare = (sql: string) => {
    let statement = prepared.get(sql)
    if (statement === undefined) {
      statement = db.prepare(sql)
      prepared.set(sql, statement)
    }
    return statement
  }
  return {
    all: (sql, values) => prepare(sql).all(values) as SqlRow[],
    get: (sql, values) => prepare(sql).get(values) as SqlRow | undefined,
    run: (sql, values) => {
      const { changes, lastInsertRowid } = prepare(sql).run(values)
      return { changes, lastId: Number(lastInsertRowid) }
    },
    // Savepoints and commits, again and again: prepared like queries. A pragma or several statements are run as they are.
    exec: sql => void (TRANSACTION.test(sql) ? prepare(sql).run([]) : db.exec(sql)),
    inTransaction: () => db.inTransaction,
    knex: knexOn('better-sqlite3', db),
    close: async () => void db.close(),
  }
}

/** The part of the sqlite3 package that is used; it is installed by who wants it. */
interface Sqlite3Database {
  all(sql: string, values: readonly unknown[], done: (error: Error | null, rows: SqlRow[]) => void): void
  get(sql: string, values: readonly unknown[], done: (error: Error | null, row: SqlRow | undefined) => void): void
  run(
    sql: string,
    values: readonly unknown[],
    done: (this: { changes: number; lastID: number }, error: Error | null) => void,
  ): void
  exec(sql: string, done: (error: Error | null) => void): void
  close(done: (error: Error | null) => void): void
}

async function connectSqlite3(file: string, readOnly: boolean): Promise<Connection> {
  const name = 'sqlite3'
  const module = (await import(name).catch(() => {
    throw new UsageError(
      "storage-sqlite: driver 'sqlite3' is not installed; run npm install sqlite3, or leave out `driver`",
    )
  })) as {
    default: {
      Database: new (file: string, mode: number, done: (error: Error | null) => void) => Sqlite3Database
      OPEN_READONLY: number
      OPEN_READWRITE: number
      OPEN_CREATE: number
    }
  }
  const { Database, OPEN_READONLY, OPEN_READWRITE, OPEN_CREATE } = module.default
  const db = await new Promise<Sqlite3Database>((resolve, reject) => {
    const opened = new Database(file, readOnly ? OPEN_READONLY : OPEN_READWRITE | OPEN_CREATE, error =>
      error === null ? resolve(opened) : reject(error),
    )
  })
  const settle =
    <T>(resolve: (value: T) => void, reject: (error: Error) => void) =>
    (error: Error | null, value: T) =>
      error === null ? resolve(value) : reject(error)
  return {
    all: (sql, values) => new Promise((resolve, reject) => db.all(sql, values, settle(resolve, reject))),
    get: (sql, values) => new Promise((resolve, reject) => db.get(sql, values, settle(resolve, reject))),
    run: (sql, values) =>
      new Promise((resolve, reject) =>
        db.run(sql, values, function (error) {
          if (error === null) resolve({ changes: this.changes, lastId: this.lastID })
          else reject(error)
        }),
      ),
    exec: sql => new Promise((resolve, reject) => db.exec(sql, error => (error === null ? resolve() : reject(error)))),
    inTransaction: () => undefined,
    knex: knexOn('sqlite3', db),
    close: () => new Promise((resolve, reject) => db.close(error => (error === null ? resolve() : reject(error)))),
  }
}
