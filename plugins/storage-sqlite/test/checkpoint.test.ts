// The log of the database: when the thread moves it, who waits for that, and what happens without the thread.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHECKPOINT_PAGES, Checkpoints, OWN_PAGES, WAIT_PAGES } from '../src/checkpoint.ts'
import { type Connection, connect } from '../src/driver.ts'
import { type Opened, openTemporary, quiet } from './support.ts'

const PAGE = 4096

let opened: Opened
beforeEach(async () => {
  opened = await openTemporary()
  await opened.storage.write(db => db.schema.createTable('t', t => void t.binary('bytes')).then(() => undefined))
})
afterEach(() => opened.close())

const database = (): string => join(opened.dir, 'mox.db')
const logPages = async (): Promise<number> => (await stat(`${database()}-wal`)).size / PAGE

/** One unit that makes the log longer by about so many pages. */
async function grow(pages: number): Promise<void> {
  await opened.storage.write(async db => {
    for (let left = pages; left > 0; left -= 100) await db('t').insert({ bytes: Buffer.alloc(100 * PAGE) })
  })
}

/** A writer whose log has as many pages as we say. */
function checkpoints(path: string = database()) {
  let pages = 0
  const failures: unknown[] = []
  const writer = { prepare: () => ({ get: () => ({ log: pages }) }) } as unknown as Connection
  const made = new Checkpoints(path, writer, quiet, error => void failures.push(error))
  const commit = (log: number): Promise<void> | undefined => {
    pages = log
    return made.afterCommit()
  }
  return { commit, failures, close: () => made.close() }
}

/** Commits with a short log until the thread has done what it was asked: the next group then waits for the rest. */
async function rest(commit: (log: number) => Promise<void> | undefined): Promise<void> {
  for (;;) {
    const pass = commit(0)
    if (pass !== undefined) return await pass
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('a short log is left alone', async () => {
  const { commit, close } = checkpoints()
  expect(commit(CHECKPOINT_PAGES - 1)).toBe(undefined)
  // At the limit the thread begins, and nobody waits; the commit after it waits for the rest.
  expect(commit(CHECKPOINT_PAGES)).toBe(undefined)
  await rest(commit)
  expect(commit(CHECKPOINT_PAGES - 1)).toBe(undefined)
  await close()
})

test('who writes faster than the thread moves waits for it', async () => {
  const { commit, close } = checkpoints()
  expect(commit(CHECKPOINT_PAGES)).toBe(undefined)
  expect(commit(WAIT_PAGES - 1)).toBe(undefined)
  const pass = commit(WAIT_PAGES)
  expect(pass).toBeInstanceOf(Promise)
  await pass
  await close()
})

test('the log starts again from its beginning however much is written', async () => {
  for (let written = 0; written < 5 * CHECKPOINT_PAGES; written += 500) await grow(500)
  await grow(1)
  expect(await logPages()).toBeLessThan(OWN_PAGES)
  const [row] = (await opened.storage.db('t').sum({ bytes: opened.storage.db.raw('length(bytes)') })) as {
    bytes: number
  }[]
  expect(row?.bytes).toBe((5 * CHECKPOINT_PAGES + 100) * PAGE)
  expect(await (await opened.reopen()).verify()).toEqual([])
})

test('a long query keeps the log, and nobody waits for its end', async () => {
  const reader = await connect('better-sqlite3', database(), true)
  await reader.exec('begin')
  reader.prepare('select count(*) from t').get([])
  for (let written = 0; written < 3 * CHECKPOINT_PAGES; written += 500) await grow(500)
  expect(await logPages()).toBeGreaterThan(3 * CHECKPOINT_PAGES)
  await reader.exec('commit')
  await reader.close()
  for (let written = 0; written < 5 * CHECKPOINT_PAGES; written += 500) await grow(500)
  expect(await logPages()).toBeLessThan(2 * OWN_PAGES)
})

test('without the thread SQLite moves the log itself', async () => {
  const { commit, failures, close } = checkpoints(join(opened.dir, 'nowhere', 'mox.db'))
  expect(commit(CHECKPOINT_PAGES)).toBe(undefined)
  await expect.poll(() => failures.length).toBe(1)
  expect(commit(WAIT_PAGES)).toBe(undefined)
  await close()
  const [row] = (await opened.storage.write(db => db.raw('pragma wal_autocheckpoint'))) as Record<string, number>[]
  expect(Object.values(row ?? {})).toEqual([OWN_PAGES])
})
