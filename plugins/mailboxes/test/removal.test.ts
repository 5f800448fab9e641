// A removed account's store: out of sight at once, deleted in portions, consistent at every moment, also after a crash in between.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { afterEach, beforeEach, test } from 'vitest'
import { CHUNK } from '../src/expunge.ts'
import { ROUND_MS } from '../src/housekeeping.ts'
import { deletePortion, leaveStore, nextRemoved } from '../src/removal.ts'
import { ACCOUNT, ANNOTATION, CHANGE, ERASE, MAILBOX, MESSAGE, RECIPIENT, SUBSCRIPTION } from '../src/schema.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
beforeEach(async () => {
  h = await openHarness()
  for (const account of ['alice', 'bob'])
    for (let i = 0; i < 3; i++)
      await h.deliver(account, `Subject: x\nMessage-ID: <${i}@x>\n\nword`, { keywords: ['k'] })
})
afterEach(() => h.close())

const remove = (): Promise<void> => h.storage.write(() => leaveStore(h.context, 'alice'))

/** Rows by table, of bob's account alone when `bob` is given. */
async function rows(bob?: number): Promise<number[]> {
  const tables = [MAILBOX, MESSAGE, SUBSCRIPTION, CHANGE, ANNOTATION]
  const counted = tables.map(table => {
    const query = h.storage.db(table).count({ n: '*' })
    return bob === undefined ? query : query.where({ account_id: bob })
  })
  return (await Promise.all(counted)).map(([row]) => Number(row?.['n']))
}

test('the name is free at once, and what was there is out of sight', async () => {
  const [first] = await h.mailboxes.recent({ limit: 10 })
  strictEqual(first?.account, 'bob')
  const alices = (await h.mailboxes.recent({ limit: 10 })).filter(message => message.account === 'alice')
  strictEqual(alices.length, 3)
  await remove()
  deepStrictEqual(
    (await h.mailboxes.recent({ limit: 10 })).map(message => message.account),
    ['bob', 'bob', 'bob'],
  )
  strictEqual(await h.mailboxes.message(alices[0]?.id ?? 0), undefined)
  const anew = await h.mailboxes.store('alice')
  deepStrictEqual(
    (await anew.mailboxes()).map(mailbox => mailbox.total),
    [0, 0, 0, 0, 0, 0],
  )
  deepStrictEqual(await h.mailboxes.verify(), [])
  h.clock.advance(ROUND_MS)
  await h.housekeeping.idle()
  strictEqual(await nextRemoved(h.context), undefined)
  deepStrictEqual((await anew.mailboxes()).length, 6)
  deepStrictEqual(await h.mailboxes.verify(), [])
})

test('a removal that is undone leaves everything', async () => {
  const undone = h.storage.write(async () => {
    await leaveStore(h.context, 'alice')
    throw new Error('undone')
  })
  await undone.catch(() => undefined)
  strictEqual(await nextRemoved(h.context), undefined)
  strictEqual((await h.mailboxes.recent({ limit: 10 })).length, 6)
})

test('in portions, consistent after each, with nothing left of it and all of the others', async () => {
  for (let i = 3; i < CHUNK + 5; i++) await h.deliver('alice', `Subject: ${i}\nMessage-ID: <${i}@x>\n\n`)
  const store = await h.mailboxes.store('alice')
  const [gone] = await h.mailboxes.recent({ limit: 1 })
  await store.expunge([gone?.id ?? 0])
  const bob = await h.storage.db(ACCOUNT).where({ name: 'bob' }).first('id')
  const alice = await h.storage.db(ACCOUNT).where({ name: 'alice' }).first('id')
  const bobs = await rows(bob.id)
  const contents = await h.storage
    .db(MESSAGE)
    .where({ account_id: alice.id })
    .where('content_id', '>', 0)
    .pluck('content_id')
  const references = (): Promise<number[]> => Promise.all(contents.map(id => h.backend.references(id)))
  const before = await references()
  await remove()
  const removed = await nextRemoved(h.context)
  const id = removed?.id ?? 0
  deepStrictEqual([await deletePortion(h.context, id), await h.mailboxes.verify()], [true, []])
  deepStrictEqual([await deletePortion(h.context, id), await h.mailboxes.verify()], [true, []])
  deepStrictEqual([await deletePortion(h.context, id), await h.mailboxes.verify()], [false, []])
  deepStrictEqual(await rows(), bobs)
  for (const table of [ERASE, RECIPIENT]) strictEqual((await h.storage.db(table).limit(1)).length, 0)
  deepStrictEqual(
    await references(),
    before.map(n => n - 1),
  )
})
