// An index that was made by an earlier version: it is made anew, and what was in it is read again.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { afterEach, beforeEach, test } from 'vitest'
import { INDEX } from '../src/indexer.ts'
import { MESSAGE } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import type { Harness } from './support/harness.ts'
import { openSqliteHarness } from './support/sqlite.ts'

let h: Harness
beforeEach(async () => {
  h = await openSqliteHarness()
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

test('an index with other fields', async () => {
  const store = await h.mailboxes.store('alice')
  const { id } = await store.append({
    mailbox: 'Inbox',
    content: Buffer.from('From: ann@a.test\r\nSubject: s\r\n\r\nword'),
  })
  await h.storage.write(async db => {
    await h.storage.search?.create(INDEX, ['account', 'text'])
    await h.storage.search?.put(INDEX, 5, { account: 'a1', text: 'word' })
    await db(MESSAGE).where({ id }).update({ search_id: 5 })
  })
  const find = async (from: string) =>
    (await store.list({ filter: { from: [{ text: from, not: false }] }, limit: 9 })).messages.map(m => m.id)
  deepStrictEqual([await find('nn@a'), await find('bob')], [[id], []])
  strictEqual((await h.storage.db(MESSAGE).where({ id }).first('search_id')).search_id > 5, true)
})
