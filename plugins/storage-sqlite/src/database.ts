// storage@1 on one SQLite database: the engine, the repositories on top of it, and what is measured.
import { join } from 'node:path'
import type { Clock, Log, Metrics } from '@mox/plugin-sdk'
import { SqlStorage } from '@mox/plugin-storage-sql'
import type { DriverName } from './driver.ts'
import { SqliteEngine } from './engine.ts'
import { searchMigrations } from './search.ts'

/** The name under which this backend's own tables are recorded. */
const OWN = 'storage-sqlite'

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

export class SqliteStorage extends SqlStorage {
  readonly #engine: SqliteEngine

  constructor({ dir, file, driver }: DatabaseOptions, { clock, log, metrics }: DatabaseServices) {
    const seconds = metrics.histogram(
      'mox_storage_commit_seconds',
      'Time of a group of units of work, commit included.',
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
    )
    const together = metrics.histogram(
      'mox_storage_commit_units',
      'Units of work that shared a commit.',
      [1, 2, 5, 10, 20, 50, 100, 256],
    )
    const committed = (units: number, ms: number): void => {
      seconds.observe(ms / 1000)
      together.observe(units)
    }
    const engine = new SqliteEngine({ dir, file, driver, log, events: { committed } })
    super({ engine, clock, log, contentDir: join(dir, 'content') })
    this.#engine = engine
    const size = metrics.gauge('mox_storage_database_bytes', 'Size of the database file.')
    metrics.collect(async () => size.set(await engine.size()))
  }

  /** Throws a UsageError for what the operator can mend. */
  override async open(): Promise<void> {
    await this.#engine.open()
    try {
      await super.open()
      await this.migrate(OWN, searchMigrations)
    } catch (error) {
      await this.#engine.close()
      throw error
    }
  }

  /** Finishes what was begun. After a failure of the disk too the directory is given free. */
  override async close(): Promise<void> {
    try {
      await this.#engine.idle()
      if (this.#engine.isOpen) await super.close()
    } finally {
      await this.#engine.close()
    }
  }
}

export function sqliteStorage(options: DatabaseOptions, services: DatabaseServices): SqliteStorage {
  return new SqliteStorage(options, services)
}
