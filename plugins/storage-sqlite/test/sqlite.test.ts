// What is particular to SQLite: durability settings, one process per directory, a full disk, a kill.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { MailError } from '@mox/plugin-sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Reader } from '../src/reader.ts'
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

/** Runs a script beside this file on a directory. */
function spawnScript(script: string, dir: string): ChildProcessByStdio<null, Readable, null> {
  const args = ['--conditions=mox-source', fileURLToPath(new URL(script, import.meta.url)), dir]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

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
    const child = spawnScript('./writer.ts', dir)
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

test('a full disk is 452 also for who catches the error and goes on, and nothing of it stays', async () => {
  const raw = async (sql: string) => void (await opened.storage.write(db => db.raw(sql)))
  const rows = (await opened.storage.db.raw('pragma page_count')) as { page_count: number }[]
  await raw(`pragma max_page_count = ${rows[0]?.page_count}`)
  const writer = opened.storage.content.writer()
  await writer.write(Buffer.alloc(200_000, 'x'))
  const staged = await writer.finish(Buffer.alloc(32, 1))
  const unit = opened.storage.write(async db => {
    await db('t').insert({ n: 1 })
    await opened.storage.content.keep(staged).catch(() => undefined)
    await db('t').insert({ n: 2 })
  })
  await expect(unit).rejects.toThrow('452 4.3.1 insufficient system storage')
  expect(await count()).toBe(0)
  await raw('pragma max_page_count = 4294967294')
  await opened.storage.write(db =>
    db('t')
      .insert({ n: 3 })
      .then(() => undefined),
  )
  expect(await count()).toBe(1)
})

test('large content is written with bounded memory, and read in pieces', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'large')
  const hash = createHash('sha256')
  const writer = opened.storage.content.writer()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let n = 0; n < 96; n++) {
    hash.update(chunk)
    await writer.write(chunk)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  const staged = await writer.finish(hash.digest())
  const id = await opened.storage.write(() => opened.storage.content.keep(staged))
  let size = 0
  for await (const part of opened.storage.content.open(id)) {
    size += part.length
    expect(part.length).toBeLessThanOrEqual(64 * 1024)
  }
  expect(size).toBe(96 * chunk.length)
  expect(most).toBeLessThan(8 * 1024 * 1024)
})

test('content files that a crash left behind are gone after the next start, others stay', async () => {
  const bytes = Buffer.alloc(300_000, 'stays')
  const writer = opened.storage.content.writer()
  await writer.write(bytes)
  const staged = await writer.finish(createHash('sha256').update(bytes).digest())
  const id = await opened.storage.write(() => opened.storage.content.keep(staged))
  await mkdir(join(opened.dir, 'content', 'zz'))
  await writeFile(join(opened.dir, 'content', 'zz', 'left'), 'behind')
  expect(await opened.storage.verify()).toEqual(['content file zz/left belongs to nothing'])
  await opened.reopen()
  expect(await opened.storage.verify()).toEqual([])
  expect(await opened.storage.content.read(id)).toEqual(bytes)
})

test('verify finds what is missing and what does not fit', async () => {
  const { storage, dir } = opened
  const bytes = Buffer.alloc(300_000, 'lost')
  const writer = storage.content.writer()
  await writer.write(bytes)
  const staged = await writer.finish(createHash('sha256').update(bytes).digest())
  const id = await storage.write(() => storage.content.keep(staged))
  const { file } = (await storage.db('mox_content').where({ id }).first('file')) as { file: string }
  await rm(join(dir, 'content', file))
  await storage.write(async db => {
    await db('mox_content_data').insert({ id: 77, bytes: Buffer.from('x') })
    await db('mox_content').insert({ id: 78, hash: Buffer.from('h'), size: 9, refs: 1 })
  })
  expect(await storage.verify()).toEqual([
    `content ${id}: file ${file} should have 300000 bytes, is missing`,
    'content 78 should have 9 bytes, has none',
    'bytes of content 77 belong to nothing',
  ])
})

test('a database of a newer version is refused, with what to do, and the directory is free again', async () => {
  await opened.storage.write(db =>
    db('mox_migration')
      .insert({ plugin: 'mox', version: 99, name: 'later', applied_at: 0 })
      .then(() => undefined),
  )
  await opened.storage.close()
  for (let again = 0; again < 2; again++)
    await expect(make(opened.dir).open()).rejects.toThrow(/version 99 .* knows up to version \d+: .*newer mox.*backup/)
})

test('another process cannot open a directory in use, and can once it was killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-second-'))
  const child = spawnScript('./writer.ts', dir)
  try {
    await once(child.stdout, 'data')
    await expect(make(dir).open()).rejects.toThrow(`in use by another mox (process ${child.pid})`)
    child.kill('SIGKILL')
    await once(child, 'close')
    const storage = make(dir)
    await storage.open()
    await storage.close()
  } finally {
    child.kill('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  }
})

test('the reader thread: errors are answers, it ends with storage, and a process waits for its answer', async () => {
  const { storage } = opened
  await storage.write(db =>
    db('t')
      .insert({ n: 5 })
      .then(() => undefined),
  )
  expect(await storage.offload(storage.db('t').where('n', 5))).toEqual([{ n: 5 }])
  await expect(storage.offload(storage.db('missing'))).rejects.toThrow(/no such table/)
  expect(await storage.offload(storage.db('t').select(storage.db.raw("x'00ff' as b")))).toEqual([
    { b: Buffer.from([0, 255]) },
  ])
  await storage.write(async db => expect(await storage.offload(db('t').select('n'))).toHaveLength(1))
  const dir = await mkdtemp(join(tmpdir(), 'mox-reader-'))
  try {
    const child = spawnScript('./reads.ts', dir)
    let text = ''
    child.stdout.on('data', (data: Buffer) => {
      text += String(data)
    })
    expect(await once(child, 'close')).toEqual([0, null])
    expect(text).toBe('0 rows\n')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('a reader thread that was ended is started again by the next query', async () => {
  const reader = new Reader(join(opened.dir, 'mox.db'), 'better-sqlite3')
  expect(await reader.query('select 1 as one', [])).toEqual([{ one: 1 }])
  const lost = reader.query(
    'with recursive c(n) as (select 1 union all select n + 1 from c where n < 2000000) select max(n) from c',
    [],
  )
  await Promise.all([expect(lost).rejects.toThrow('the reader thread ended'), reader.close()])
  expect(await reader.query('select 2 as two', [])).toEqual([{ two: 2 }])
  await reader.close()
})

test('use before open and after close says so', async () => {
  const storage = make(opened.dir)
  expect(() => storage.db).toThrow('storage is used before it was opened')
  await expect(storage.write(async () => 1)).rejects.toThrow('storage is used before it was opened')
  await opened.storage.close()
  expect(() => opened.storage.db).toThrow('or after it was closed')
})
