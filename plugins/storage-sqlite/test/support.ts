// A real database in a temporary directory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log, Metrics } from '@mox/plugin-sdk'
import { type SqliteStorage, sqliteStorage } from '../src/database.ts'
import type { DriverName } from '../src/driver.ts'

export const quiet: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = {
  counter: () => none,
  gauge: () => none,
  histogram: () => none,
  collect() {},
  render: async () => '',
}
const clock = { now: () => 1_800_000_000_000, after: () => () => {}, sleep: async () => {} }

export interface Opened {
  readonly dir: string
  storage: SqliteStorage
  reopen(): Promise<SqliteStorage>
  close(): Promise<void>
}

export function make(dir: string, driver: DriverName = 'better-sqlite3'): SqliteStorage {
  return sqliteStorage({ dir, file: 'mox.db', driver }, { clock, log: quiet, metrics })
}

export async function openTemporary(driver: DriverName = 'better-sqlite3'): Promise<Opened> {
  const dir = await mkdtemp(join(tmpdir(), 'mox-storage-'))
  const opened: Opened = {
    dir,
    storage: make(dir, driver),
    reopen: async () => {
      await opened.storage.close()
      opened.storage = make(dir, driver)
      await opened.storage.open()
      return opened.storage
    },
    close: async () => {
      await opened.storage.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  await opened.storage.open()
  return opened
}
