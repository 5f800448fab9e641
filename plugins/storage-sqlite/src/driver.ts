// The two SQLite drivers behind one small interface: better-sqlite3, which is synchronous, and sqlite3, which is not.
import { UsageError } from '@mox/plugin-sdk'
import type { MaybePromise, PreparedSql, SqlRow } from '@mox/plugin-storage-sql'

export type DriverName = 'better-sqlite3' | 'sqlite3'

/** Milliseconds that a statement waits for somebody else's lock: only tools from outside can have one. */
const BUSY_MS = 1_000

export interface Connection {
  /** The driver's own connection, for knex. */
  readonly raw: object
  /** Prepares a statement once and keeps it. */
  prepare(sql: string): PreparedSql
  /** Begins, ends and undoes transactions and savepoints, as prepared statements. */
  control(sql: string): MaybePromise<void>
  /** Runs what is not worth preparing. */
  exec(sql: string): MaybePromise<void>
  close(): Promise<void>
}

/** Opens a database file. `readOnly` connections cannot write. */
export async function connect(driver: DriverName, file: string, readOnly: boolean): Promise<Connection> {
  const connection = await (driver === 'sqlite3' ? connectSqlite3(file, readOnly) : connectBetter(file, readOnly))
  await connection.exec(`pragma busy_timeout = ${BUSY_MS}`)
  return connection
}

async function connectBetter(file: string, readOnly: boolean): Promise<Connection> {
  const { default: Database } = await import('better-sqlite3')
  const db = new Database(file, { readonly: readOnly })
  const prepare = (sql: string): PreparedSql => {
    const statement = db.prepare<unknown[], SqlRow>(sql)
    return {
      all: values => statement.all(values),
      get: values => statement.get(values),
      run: values => {
        const { changes, lastInsertRowid } = statement.run(values)
        return { changes, lastId: Number(lastInsertRowid) }
      },
    }
  }
  return {
    raw: db,
    ...kept(prepare),
    exec: sql => void db.exec(sql),
    close: async () => void db.close(),
  }
}

/** Each statement is prepared on first use. What is asked for is bounded: statements are written down in code. */
function kept(make: (sql: string) => PreparedSql): Pick<Connection, 'prepare' | 'control'> {
  const all = new Map<string, PreparedSql>()
  const prepare = (sql: string): PreparedSql => {
    let statement = all.get(sql)
    if (statement === undefined) {
      statement = make(sql)
      all.set(sql, statement)
    }
    return statement
  }
  return {
    prepare,
    control: sql => {
      const result = prepare(sql).run([])
      if (result instanceof Promise) return result.then(() => undefined)
    },
  }
}

type Done<T> = (error: Error | null, result: T) => void
interface Sqlite3Statement {
  all(values: readonly unknown[], done: Done<SqlRow[]>): void
  run(values: readonly unknown[], done: (this: { changes: number; lastID: number }, error: Error | null) => void): void
  finalize(done: () => void): void
}
/** The part of the sqlite3 package that is used; it is installed by who wants it. */
interface Sqlite3Database {
  prepare(sql: string, done: (error: Error | null) => void): Sqlite3Statement
  exec(sql: string, done: (error: Error | null) => void): void
  serialize(): void
  close(done: (error: Error | null) => void): void
}
interface Sqlite3Module {
  readonly Database: new (file: string, mode: number, done: (error: Error | null) => void) => Sqlite3Database
  readonly OPEN_READONLY: number
  readonly OPEN_READWRITE: number
  readonly OPEN_CREATE: number
}

async function loadSqlite3(): Promise<Sqlite3Module> {
  // Not a constant: the package need not be there, nor its types.
  const name: string = 'sqlite3'
  const module = (await import(name).catch((cause: unknown) => {
    throw new UsageError(
      "storage-sqlite: driver 'sqlite3' cannot be loaded; run npm install sqlite3, or leave out `driver`",
      { cause },
    )
  })) as { default: Sqlite3Module }
  return module.default
}

async function connectSqlite3(file: string, readOnly: boolean): Promise<Connection> {
  const { Database, OPEN_READONLY, OPEN_READWRITE, OPEN_CREATE } = await loadSqlite3()
  const db = await new Promise<Sqlite3Database>((resolve, reject) => {
    const opened = new Database(file, readOnly ? OPEN_READONLY : OPEN_READWRITE | OPEN_CREATE, error =>
      error === null ? resolve(opened) : reject(error),
    )
  })
  db.serialize()
  const open: Promise<Sqlite3Statement>[] = []
  const prepare = (sql: string): PreparedSql => {
    const statement = new Promise<Sqlite3Statement>((resolve, reject) => {
      const prepared = db.prepare(sql, error => (error === null ? resolve(prepared) : reject(error)))
    })
    open.push(statement)
    const all = async (values: readonly unknown[]): Promise<SqlRow[]> => {
      const prepared = await statement
      return await new Promise((resolve, reject) =>
        prepared.all(values, (error, rows) => (error === null ? resolve(rows) : reject(error))),
      )
    }
    return {
      all,
      // The driver's own get() leaves the statement open after the first row, and so its snapshot.
      get: async values => (await all(values))[0],
      run: async values => {
        const prepared = await statement
        return await new Promise((resolve, reject) =>
          prepared.run(values, function (error) {
            if (error === null) resolve({ changes: this.changes, lastId: this.lastID })
            else reject(error)
          }),
        )
      },
    }
  }
  return {
    raw: db,
    ...kept(prepare),
    exec: sql => new Promise((resolve, reject) => db.exec(sql, error => (error === null ? resolve() : reject(error)))),
    close: async () => {
      for (const result of await Promise.allSettled(open))
        if (result.status === 'fulfilled') await new Promise<void>(resolve => result.value.finalize(resolve))
      await new Promise<void>((resolve, reject) => db.close(error => (error === null ? resolve() : reject(error))))
    },
  }
}
