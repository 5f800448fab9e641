// The database of one data directory: the writing connection with its units of work, the reading one, the reader thread, and
// the repositories on top. Opening it asserts what durability rests on.
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, type Metrics, type Storage, UsageError } from '@mox/plugin-sdk'
import {
  Channels,
  ContentFiles,
  claimRows,
  compile,
  Ids,
  type Migrate,
  migrations,
  offload,
  type PreparedSql,
  prepareMigrations,
  SqlContent,
  type SqlEngine,
  SqlHistory,
  SqlMessages,
  SqlOutbox,
  SqlQueue,
  takeLock,
  verify,
} from '@mox/plugin-storage-sql'
import type { Knex } from 'knex'
import { type Connection, connect, type DriverName, makeBuilder } from './driver.ts'
import { type Exclusive, takeDirectory } from './exclusive.ts'
import { Reader } from './reader.ts'
import { searchIndex, searchMigrations } from './search.ts'
import { Units } from './units.ts'

/** The names under which the schema steps of core and of this backend are recorded. */
const CORE = 'mox'
const OWN = 'storage-sqlite'
/** Pages of the log before they are moved into the database. */
const CHECKPOINT_PAGES = 4000
/** KiB of page cache of the writing and of the reading connection. */
const CACHE_KIB = 16_384

export interface DatabaseOptions {
  readonly dir: string
  /** Relative paths start from `dir`. */
  readonly file: string
  readonly driver: DriverName
}

export interface DatabaseServices {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface SqliteStorage extends Storage {
  open(): Promise<void>
  close(): Promise<void>
}

export function sqliteStorage(
  { dir, file, driver }: DatabaseOptions,
  { clock, log, metrics }: DatabaseServices,
): SqliteStorage {
  const path = join(dir, file)
  const builder = makeBuilder()
  const commits = metrics.histogram(
    'mox_storage_commit_seconds',
    'Time of a group of units of work, commit included.',
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
  )
  const units_ = metrics.histogram(
    'mox_storage_commit_units',
    'Units of work that shared a commit.',
    [1, 2, 5, 10, 20, 50, 100, 256],
  )
  let opened:
    | {
        writer: Connection
        readerConnection: Connection
        units: Units
        reader: Reader
        exclusive: Exclusive
        migrate: Migrate
      }
    | undefined

  const open_ = (): NonNullable<typeof opened> => {
    if (opened === undefined) throw new Error('storage is used before it was opened or after it was closed')
    return opened
  }
  const connection = (): Connection =>
    open_().units.current() === undefined ? open_().readerConnection : open_().writer
  const afterUnit = (work: (committed: boolean) => void): void => {
    const unit = opened?.units.current()
    if (unit === undefined) work(true)
    else unit.after.push(work)
  }
  const engine: SqlEngine = {
    name: 'sqlite',
    capabilities: { search: true, crossProcess: false },
    get db() {
      return connection().knex
    },
    builder,
    prepare: (sql): PreparedSql => ({
      all: values => connection().all(sql, values),
      get: values => connection().get(sql, values),
      run: values => connection().run(sql, values),
    }),
    write: work => open_().units.write(work),
    inUnit: () => opened?.units.current() !== undefined,
    afterUnit,
    offload: (sql, values) => open_().reader.query(sql, values),
    failed: error => open_().units.fail(error),
  }
  const ids = new Ids(engine)
  const files = new ContentFiles(join(dir, 'content'), engine.failed)
  const content = new SqlContent(engine, ids, files)
  const channels = new Channels(engine, log)

  return {
    engine: engine.name,
    capabilities: engine.capabilities,
    get db(): Knex {
      return engine.db
    },
    write: engine.write,
    inUnit: engine.inUnit,
    afterCommit: work => afterUnit(committed => (committed ? work() : undefined)),
    statement: build => compile(engine, build),
    offload: query => offload(engine, query),
    claim: options => claimRows(engine, options),
    content,
    messages: new SqlMessages(engine, ids, content),
    queue: new SqlQueue(engine, ids, clock),
    history: new SqlHistory(engine),
    outbox: new SqlOutbox(engine, ids, clock),
    notify: (channel, payload) => channels.notify(channel, payload),
    subscribe: (channel, listener) => channels.subscribe(channel, listener),
    lock: (name, ttlMs) => takeLock(engine, clock, name, ttlMs),
    search: searchIndex(engine),
    migrate: (plugin, steps) => open_().migrate(plugin, steps),
    verify: () => verify(engine, files),
    open: async () => {
      await mkdir(dir, { recursive: true, mode: 0o750 }).catch(error => {
        throw new UsageError(
          `cannot make the data directory ${dir} (${(error as NodeJS.ErrnoException).code}); set another dataDir`,
        )
      })
      const exclusive = await takeDirectory(dir, driver)
      try {
        const writer = await connect(driver, path, { readOnly: false })
        await prepareWriter(writer, path)
        const readerConnection = await connect(driver, path, { readOnly: true })
        await readerConnection.exec(`pragma cache_size = -${CACHE_KIB}`)
        const units = new Units(writer, log, {
          committed: (n, ms) => {
            commits.observe(ms / 1000)
            units_.observe(n)
          },
        })
        opened = {
          writer,
          readerConnection,
          units,
          reader: new Reader(path, driver),
          exclusive,
          migrate: () => Promise.resolve(),
        }
        opened.migrate = await prepareMigrations(engine, () => clock.now())
        await opened.migrate(CORE, migrations)
        await opened.migrate(OWN, searchMigrations)
        await ids.open()
        await content.sweep()
      } catch (error) {
        opened = undefined
        await exclusive.release()
        throw error
      }
      const size = metrics.gauge('mox_storage_database_bytes', 'Size of the database file.')
      metrics.collect(async () => size.set((await stat(path).catch(() => ({ size: 0 }))).size))
    },
    close: async () => {
      if (opened === undefined) return
      const { writer, readerConnection, units, reader, exclusive } = opened
      await units.idle()
      await ids.close()
      opened = undefined
      await reader.close()
      await readerConnection.close()
      await writer.close() // moves the log into the database
      await exclusive.release()
      await builder.destroy()
    },
  }
}

/** Sets and asserts the pragmas: a driver's default may be less than we promise. */
async function prepareWriter(writer: Connection, path: string): Promise<void> {
  for (const pragma of [
    'busy_timeout = 5000',
    'journal_mode = WAL',
    'synchronous = FULL',
    'foreign_keys = ON',
    `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    `cache_size = -${CACHE_KIB}`,
    'temp_store = MEMORY',
    'journal_size_limit = 67108864',
  ])
    await writer.exec(`pragma ${pragma}`)
  const assert = async (pragma: string, expected: string | number): Promise<void> => {
    const row = await writer.get(`pragma ${pragma}`, [])
    const value = row === undefined ? undefined : Object.values(row)[0]
    if (value !== expected)
      throw new UsageError(
        `storage-sqlite: ${path} has ${pragma} = ${value} instead of ${expected}; without it acknowledged mail may be lost. Use a local file system that supports it`,
      )
  }
  await assert('journal_mode', 'wal')
  await assert('synchronous', 2)
  await assert('foreign_keys', 1)
}
