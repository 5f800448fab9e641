// A database of an earlier version is brought up to date with what it has.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { expect, test } from 'vitest'
import { SqliteEngine } from '../../storage-sqlite/src/engine.ts'
import { make, quiet } from '../../storage-sqlite/test/support.ts'
import { prepareMigrations } from '../src/migrate.ts'
import { migrations } from '../src/schema.ts'

const NOW = 1_800_000_000_000
const BÜCHER = 'xn--bcher-kva.example'

const recipient = (id: number, domain: string, reverse: string | null) => ({
  ...{ id, message_id: 1, account: 'ann', recipient_local: 'r', recipient_domain: domain, domain },
  ...{ reverse_local: reverse === null ? null : 'a', reverse_domain: reverse, attempts: 0, max_attempts: 0 },
  ...{ results: '', extra: '', dialed_ips: '' },
})

test('version 1: sizes and domains in U-labels are filled in', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-migrate-'))
  try {
    const events = { committed: () => {} }
    const engine = new SqliteEngine({ dir, file: 'mox.db', driver: 'better-sqlite3', log: quiet, events })
    await engine.open()
    const migrate = await prepareMigrations(engine, () => NOW)
    await migrate('mox', migrations.slice(0, 1))
    await engine.write(async db => {
      await db('mox_content').insert({ id: 1, hash: Buffer.alloc(32), size: 1, refs: 1 })
      await db('mox_content_data').insert({ id: 1, bytes: Buffer.from('x') })
      await db('mox_message').insert({
        ...{ id: 1, received_at: NOW, kind: 'submission', source: 's', account: 'ann', message_id_header: '' },
        ...{ subject: '', size: 77, has8bit: 0, smtputf8: 0, prefix: Buffer.alloc(0), content_id: 1 },
        ...{ remote_ip: '', helo: '', protocol: '', recipients: '[]', facts: '{}', trace: '[]' },
      })
      const waiting = { due: NOW, hold: 0, lease: 0 }
      await db('mox_queue').insert({ ...recipient(1, BÜCHER, null), ...waiting })
      await db('mox_queue').insert({ ...recipient(2, 'a.test', BÜCHER), ...waiting })
      await db('mox_queue').insert({ ...recipient(3, 'a.test', 'b.test'), ...waiting })
      const left = { status: 'failed', last_activity: NOW, keep_until: NOW + 9, trace: '' }
      await db('mox_history').insert({ ...recipient(4, BÜCHER, 'b.test'), ...left })
    })
    await engine.idle()
    await engine.close()

    const storage = make(dir)
    await storage.open()
    const ids = async (filter: object) => await storage.queue.find(filter, { after: 0, limit: 9 })
    expect(await ids({ to: '@bücher' })).toEqual([1])
    expect(await ids({ from: '@bücher' })).toEqual([2])
    expect(await ids({})).toEqual([1, 2, 3])
    expect((await storage.history.list({ to: '@bücher' }, { limit: 9 })).map(({ id }) => id)).toEqual([4])
    expect(await storage.queue.usage('ann', 9)).toEqual({ count: 3, bytes: 231 })
    expect(await storage.verify()).toEqual([])
    await storage.close()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('a step that fails leaves the tables of before, and the next start tries all again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-migrate-'))
  const storage = make(dir)
  try {
    await storage.open()
    let broken = true
    const steps = ['one', 'two'].map((name, i) => ({
      version: i + 1,
      name,
      up: async (db: Knex) => {
        await db.schema.createTable(`test_${name}`, t => void t.integer('id'))
        if (broken && name === 'two') throw new Error('out of luck')
      },
    }))
    const tables = async (): Promise<boolean[]> =>
      await Promise.all(steps.map(({ name }) => storage.db.schema.hasTable(`test_${name}`)))
    await expect(storage.migrate('test', steps)).rejects.toThrow('out of luck')
    expect(await tables()).toEqual([false, false])
    broken = false
    await storage.migrate('test', steps)
    expect(await tables()).toEqual([true, true])
  } finally {
    await storage.close()
    await rm(dir, { recursive: true, force: true })
  }
})
