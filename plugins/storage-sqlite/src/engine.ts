// The SQLite engine: one connection that writes, one that reads, a reader thread, and the lock on the data directory. Opening
// asserts what durability rests on and refuses to go on without.
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Log, type SearchIndex, UsageError } from '@mox/plugin-sdk'
import type { MaybePromise, PreparedSql, SqlEngine, SqlRow, SqlValue } from '@mox/plugin-storage-sql'
import type { Knex } from 'knex'
import { CHECKPOINT_PAGES, Checkpoints, OWN_PAGES } from './checkpoint.ts'
import { type Connection, connect, type DriverName } from './driver.ts'
import { explainRefusal, isFinal } from './errors.ts'
import { type Exclusive, takeDirectory } from './exclusive.ts'
import { ambientHandle } from './handle.ts'
import { Reader } from './reader.ts'
import { searchIndex } from './search.ts'
import { Units } from './units.ts'

/** Bytes of the log's file that are kept when it starts again from its beginning. */
const LOG_BYTES = 64 * 1024 * 1024
/** KiB of page cache of the writing and of the reading connection. */
const CACHE_KIB = 16_384

export interface EngineOptions {
  /** The data directory. */
  readonly dir: string
  /** Relative paths start from `dir`. */
  readonly file: string
  readonly driver: DriverName
  readonly log: Log
  readonly events: EngineEvents
}

export interface EngineEvents {
  /** `ms`: from the start of the group to the end of its commit. */
  committed(units: number, ms: number): void
}

interface Opened {
  readonly exclusive: Exclusive
  readonly writer: Connection
  readonly readOnly: Connection
  readonly reader: Reader
  readonly units: Units
  readonly checkpoints: Checkpoints | undefined
}

export class SqliteEngine implements SqlEngine {
  readonly name = 'sqlite'
  readonly capabilities = { search: true, crossProcess: false }
  readonly builder: Knex
  readonly search: SearchIndex
  readonly path: string
  readonly #options: EngineOptions
  #opened: Opened | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    this.path = resolve(options.dir, options.file)
    this.builder = ambientHandle(options.driver, {
      connection: () => this.#connection().raw,
      failed: (raw, error) => this.#explain(raw, error),
    })
    this.search = searchIndex(this)
  }

  async open(): Promise<void> {
    const { dir, driver, log, events } = this.#options
    await makeDirectory(dir)
    await makeDirectory(dirname(this.path))
    const exclusive = await takeDirectory(dir, driver)
    const connections: Connection[] = []
    try {
      const writer = await connect(driver, this.path, false)
      connections.push(writer)
      await prepareWriter(writer, this.path, driver)
      const readOnly = await connect(driver, this.path, true)
      connections.push(readOnly)
      await readOnly.exec(`pragma cache_size = -${CACHE_KIB}`)
      // The other driver has threads of its own.
      const checkpoints =
        driver === 'better-sqlite3'
          ? new Checkpoints(this.path, writer, log, error => void (isFinal(error) && units.fail(error)))
          : undefined
      const committed = (together: number, ms: number): Promise<void> | undefined => {
        events.committed(together, ms)
        return checkpoints?.afterCommit()
      }
      const units: Units = new Units(writer, this.builder, log, { committed })
      this.#opened = { exclusive, writer, readOnly, units, checkpoints, reader: new Reader(this.path, driver) }
    } catch (error) {
      for (const connection of connections) await connection.close()
      await exclusive.release()
      throw error
    }
  }

  get isOpen(): boolean {
    return this.#opened !== undefined
  }

  /** Resolves when all units that were begun have ended. */
  async idle(): Promise<void> {
    await this.#opened?.units.idle()
  }

  /** Moves the log into the database and gives the directory free. */
  async close(): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    this.#opened = undefined
    try {
      await opened.units.idle()
      await opened.checkpoints?.close()
      await opened.reader.close()
      await opened.readOnly.close()
      await opened.writer.close()
    } finally {
      await opened.exclusive.release()
    }
  }

  /** Bytes of the database and its log. */
  async size(): Promise<number> {
    const sizes = [this.path, `${this.path}-wal`].map(path =>
      stat(path).then(
        found => found.size,
        () => 0,
      ),
    )
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  }

  get db(): Knex {
    this.#connection()
    return this.builder
  }

  prepare(sql: string): PreparedSql {
    return {
      all: values => this.#ask(sql, statement => statement.all(values)),
      get: values => this.#ask<SqlRow | undefined>(sql, statement => statement.get(values)),
      run: values => this.#ask(sql, statement => statement.run(values)),
    }
  }

  write<T>(work: (db: Knex) => Promise<T>): Promise<T> {
    return this.#opened === undefined ? Promise.reject(notOpen()) : this.#opened.units.write(work)
  }

  inUnit(): boolean {
    return this.#opened?.units.inUnit() ?? false
  }

  afterUnit(work: (committed: boolean) => void): void {
    if (this.#opened === undefined) work(true)
    else this.#opened.units.afterUnit(work)
  }

  afterCommit(work: () => void): void {
    if (this.#opened === undefined) work()
    else this.#opened.units.afterCommit(work)
  }

  async offload(sql: string, bindings: readonly SqlValue[]): Promise<SqlRow[]> {
    if (this.#opened === undefined) throw notOpen()
    return await this.#opened.reader.query(sql, bindings)
  }

  failed(error: unknown): void {
    this.#opened?.units.fail(error)
  }

  #connection(): Connection {
    if (this.#opened === undefined) throw notOpen()
    const { units, writer, readOnly } = this.#opened
    return units.current() === undefined ? readOnly : writer
  }

  #ask<T>(sql: string, use: (statement: PreparedSql) => MaybePromise<T>): MaybePromise<T> {
    const connection = this.#connection()
    try {
      const result = use(connection.prepare(sql))
      if (!(result instanceof Promise)) return result
      return result.catch(error => {
        throw this.#explain(connection.raw, error)
      })
    } catch (error) {
      throw this.#explain(connection.raw, error)
    }
  }

  #explain(raw: object, error: unknown): unknown {
    if (raw !== this.#opened?.writer.raw) return explainRefusal(error)
    this.#opened.units.failed(error)
    return error
  }
}

function notOpen(): Error {
  return new Error('storage is used before it was opened or after it was closed')
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot make the data directory ${path} (${error.code}); set another dataDir`)
  })
}

/** Sets and asserts the pragmas: a driver's default may be less than we promise. */
async function prepareWriter(writer: Connection, path: string, driver: DriverName): Promise<void> {
  for (const pragma of [
    'journal_mode = WAL',
    'synchronous = FULL',
    'foreign_keys = ON',
    `wal_autocheckpoint = ${driver === 'better-sqlite3' ? OWN_PAGES : CHECKPOINT_PAGES}`,
    `journal_size_limit = ${LOG_BYTES}`,
    `cache_size = -${CACHE_KIB}`,
    // What savepoints need to undo stays in memory.
    'temp_store = MEMORY',
  ])
    await writer.exec(`pragma ${pragma}`)
  for (const [pragma, expected] of [
    ['journal_mode', 'wal'],
    ['synchronous', 2],
    ['foreign_keys', 1],
  ] as const) {
    const row = await writer.prepare(`pragma ${pragma}`).get([])
    const value = row === undefined ? undefined : Object.values(row)[0]
    if (value !== expected)
      throw new UsageError(
        `storage-sqlite: ${path} has ${pragma} = ${value} instead of ${expected}; without it acknowledged mail may be lost. Use a local file system that supports it`,
      )
  }
}
