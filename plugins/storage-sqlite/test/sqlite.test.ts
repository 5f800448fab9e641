// What is particular to SQLite: durability settings, one process per directory, a full disk, a kill.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MailError } from '@mox/plugin-sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GROUP_UNITS } from '../src/units.ts'
import { make, type Opened, openTemporary } from './support.ts'

let opened: Opened
beforeEach(async () => {
  opened = await openTemporary()
  await opened.storage.write(db => db.schema.createTable('t', t => void t.integer('n').primary()).then(() => undefined))
})
afterEach(() => opened.close())

const count = async (): Promise<number> =>
  Number(((await opened.storage.db('t').count({ n: '*' })) as { n: number }[])[0]?.n)

test('the writing connection is durable: WAL, synchronous FULL, foreign keys', async () => {
  const pragma = (name: string) =>
    opened.storage.write(async db => Object.values(((await db.raw(`pragma ${name}`)) as object[])[0] ?? {})[0])
  expect([await pragma('journal_mode'), await pragma('synchronous'), await pragma('foreign_keys')]).toEqual([
    'wal',
    2,
    1,
  ])
})

test('a directory in use is refused, with its process', async () => {
  await expect(make(opened.dir).open()).rejects.toThrow(
    `the data directory ${opened.dir} is in use by another mox (process ${process.pid}); stop it, or set another dataDir`,
  )
})

test('a directory that cannot be made is a mistake of the operator', async () => {
  const file = join(opened.dir, 'file')
  await writeFile(file, '')
  await expect(make(join(file, 'data')).open()).rejects.toThrow(
    /cannot make the data directory .*ENOTDIR.*set another dataDir/,
  )
})

test('a full disk is 452, nothing is half done, and it recovers', async () => {
  const limit = async (pages: string) =>
    void (await opened.storage.write(db => db.raw(`pragma max_page_count = ${pages}`)))
  const pages = ((await opened.storage.db.raw('pragma page_count')) as { page_count: number }[])[0]?.page_count ?? 0
  await limit(String(pages + 2))
  const bytes = Buffer.alloc(200_000, 'x')
  const put = async (n: number) => {
    const writer = opened.storage.content.writer()
    await writer.write(bytes)
    const staged = await writer.finish(Buffer.alloc(32, n))
    await opened.storage.write(async db => {
      await db('t').insert({ n })
      await opened.storage.content.keep(staged)
    })
  }
  const results = await Promise.allSettled([put(1), put(2)])
  for (const result of results) {
    expect(result.status).toBe('rejected')
    const error = (result as PromiseRejectedResult).reason as MailError
    expect(error).toBeInstanceOf(MailError)
    expect([error.reply.code, error.reply.enhanced]).toEqual([452, '4.3.1'])
  }
  expect(await count()).toBe(0)
  await limit('4294967294')
  await put(3)
  expect(await count()).toBe(1)
  expect(await opened.storage.verify()).toEqual([])
})

test('group commit: any mix of good and failing units leaves exactly the good ones', async () => {
  let next = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('ok', 'throw', 'nested', 'nested-throw'), { maxLength: 60 }),
      async kinds => {
        const before = await count()
        const settled = await Promise.allSettled(
          kinds.map(kind =>
            opened.storage.write(async db => {
              await db('t').insert({ n: next++ })
              if (kind.startsWith('nested'))
                await opened.storage
                  .write(async inner => {
                    await inner('t').insert({ n: next++ })
                    if (kind === 'nested-throw') throw new Error('inner')
                  })
                  .catch(() => undefined)
              if (kind === 'throw') throw new Error('outer')
            }),
          ),
        )
        expect(settled.filter(r => r.status === 'rejected')).toHaveLength(kinds.filter(k => k === 'throw').length)
        const expected = kinds.reduce((sum, k) => sum + (k === 'throw' ? 0 : k === 'nested' ? 2 : 1), 0)
        expect((await count()) - before).toBe(expected)
      },
    ),
    { numRuns: 25 },
  )
})

describe('a group', () => {
  test.each([GROUP_UNITS, GROUP_UNITS + 1])('%i units at once all commit', async units => {
    await Promise.all(
      Array.from({ length: units }, (_, n) =>
        opened.storage.write(db =>
          db('t')
            .insert({ n })
            .then(() => undefined),
        ),
      ),
    )
    expect(await count()).toBe(units)
  })
})

test('timers go on while units are written without a pause', async () => {
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  for (let n = 0; n < 300; n++)
    await opened.storage.write(db =>
      db('t')
        .insert({ n })
        .then(() => undefined),
    )
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(0)
})

test('a kill loses nothing that was acknowledged', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-kill-'))
  try {
    const child = spawn(
      process.execPath,
      ['--conditions=mox-source', fileURLToPath(new URL('./writer.ts', import.meta.url)), dir],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let text = ''
    child.stdout.on('data', (data: Buffer) => {
      text += String(data)
      if (text.length > 2000) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const acknowledged = text.split('\n').slice(0, -1).map(Number)
    expect(acknowledged.length).toBeGreaterThan(100)
    const storage = make(dir)
    await storage.open()
    const rows = new Set(((await storage.db('t').select('n')) as { n: number }[]).map(r => r.n))
    expect(acknowledged.filter(n => !rows.has(n))).toEqual([])
    await storage.close()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('the other driver says how to get it where it is missing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-driver-'))
  try {
    const storage = make(dir, 'sqlite3')
    const problem = await storage.open().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (problem === undefined) await storage.close()
    else expect(problem).toMatch(/run npm install sqlite3/)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
