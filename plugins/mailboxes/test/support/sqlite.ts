// The real storage backend for tests of what needs its reader thread and its search: a database in a directory of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storage, system } from '@mox/plugin-sdk'
import { testHost } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { type Harness, openHarness } from './harness.ts'

export async function openSqliteHarness(accounts?: readonly string[]): Promise<Harness> {
  const dir = await mkdtemp(join(tmpdir(), 'mox-mailboxes-'))
  const host = await testHost({
    plugins: [storageSqlite()],
    services: [[system, { hostname: 'mail.example.net', dataDir: dir, version: '0.0.0' }]],
  })
  return await openHarness(accounts, {
    storage: host.service(storage),
    statements: () => 0,
    references: async () => 0,
    close: async () => {
      await host.close()
      await rm(dir, { recursive: true })
    },
  })
}
