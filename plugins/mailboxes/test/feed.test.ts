// The change feed and the log behind it: order, pages, limits, ageing.
import { deepStrictEqual, strictEqual } from 'node:assert'
import type { Change, MailStore } from '@mox/plugin-sdk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHUNK, ERASE_DELAY_MS } from '../src/expunge.ts'
import { PENDING_CHANGES } from '../src/feed.ts'
import { purgeHistory } from '../src/history.ts'
import { Housekeeping, ROUND_MS } from '../src/housekeeping.ts'
import { CHANGE, MESSAGE } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

const DAY = 86_400_000

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

async function put(mailbox: string): Promise<number> {
  return (await store.append({ mailbox, content: Buffer.from('Subject: x\r\n\r\n') })).id
}

test('every kind of change, to all who watch, in order', async () => {
  const start = (await store.mailboxes()).reduce((highest, m) => Math.max(highest, m.modseq), 0)
  const inbox = (await store.mailbox('Inbox'))?.id ?? 0
  const seen: Change[][] = []
  const other: Change[] = []
  const stop = h.mailboxes.watch('alice', changes => seen.push([...changes]))
  h.mailboxes.watch('alice', () => {
    throw new Error('a watcher that fails')
  })
  h.mailboxes.watch('alice', changes => other.push(...changes))
  h.mailboxes.watch('bob', () => strictEqual('called', 'never'))
  const { id: a } = await store.create('a')
  const id = await put('a')
  await store.setFlags([id], { addKeywords: ['k'] })
  await store.setFlags([id], { addKeywords: ['k'] })
  await store.move([id], 'Inbox')
  await store.setThread(id, { muted: true })
  await store.setThread(id, { muted: true })
  await store.rename('a', 'b')
  await store.subscribe('nowhere', true)
  await store.expunge([id])
  await store.remove('b')
  const m = start
  deepStrictEqual(seen, [
    [{ kind: 'mailbox', mailboxId: a, name: 'a', removed: false, modseq: m + 1 }],
    [{ kind: 'add', mailboxId: a, uid: 1, id, modseq: m + 2 }],
    [
      { kind: 'mailbox', mailboxId: a, name: 'a', removed: false, modseq: m + 3 },
      { kind: 'flags', mailboxId: a, uid: 1, id, modseq: m + 3 },
    ],
    [
      { kind: 'mailbox', mailboxId: inbox, name: 'Inbox', removed: false, modseq: m + 4 },
      { kind: 'add', mailboxId: inbox, uid: 1, id, modseq: m + 4 },
      { kind: 'remove', mailboxId: a, uids: [1], ids: [id], modseq: m + 4 },
    ],
    [{ kind: 'thread', threadId: id, muted: true, collapsed: false, modseq: m + 5 }],
    [{ kind: 'mailbox', mailboxId: a, name: 'b', removed: false, modseq: m + 6 }],
    [{ kind: 'mailbox', mailboxId: 0, name: 'nowhere', removed: false, modseq: m + 7 }],
    [{ kind: 'remove', mailboxId: inbox, uids: [1], ids: [id], modseq: m + 8 }],
    [{ kind: 'mailbox', mailboxId: a, name: 'b', removed: true, modseq: m + 9 }],
  ])
  deepStrictEqual(other, seen.flat())
  deepStrictEqual(await store.changesSince(m, 100), { changes: other, complete: true })
  stop()
  await put('Inbox')
  deepStrictEqual([seen.length, other.length], [9, 13])
})

test('pages end between modseqs', async () => {
  const since = (await store.changesSince(0, 100)).changes.at(-1)?.modseq ?? 0
  await store.create('a/b/c')
  await put('a')
  await put('a')
  const check = async (modseq: number, limit: number, expected: number[]) => {
    const { changes, complete } = await store.changesSince(since + modseq, limit)
    deepStrictEqual([changes.map(change => change.modseq - since), complete], [expected, true])
  }
  await check(0, 10, [1, 1, 1, 2, 3])
  await check(0, 4, [1, 1, 1, 2])
  await check(0, 3, [1, 1, 1])
  await check(0, 1, [1, 1, 1])
  await check(1, 1, [2])
  await check(3, 10, [])
  strictEqual((await store.changesSince(since + 4, 10)).complete, false)
})

test('a session overflows and stays so until it resyncs', async () => {
  const { feed } = h.context
  let woken = 0
  const session = h.mailboxes.session('alice', () => woken++)
  const change: Change = { kind: 'add', modseq: 9, mailboxId: 1, uid: 1, id: 1 }
  const many = (n: number) => Array.from({ length: n }, () => change)
  feed.publish('alice', many(PENDING_CHANGES))
  deepStrictEqual([session.overflowed, woken], [false, 1])
  feed.publish('alice', [change])
  deepStrictEqual([session.overflowed, woken], [true, 2])
  strictEqual(session.take().length, PENDING_CHANGES)
  feed.publish('alice', [change])
  deepStrictEqual([session.overflowed, session.take(), woken], [true, [], 2])
  session.resync()
  feed.publish('alice', [change])
  deepStrictEqual([session.overflowed, session.take(), session.take()], [false, [change], []])
  session.close()
  session.close()
  feed.publish('alice', [change])
  deepStrictEqual(session.take(), [])
})

test('history ages out', async () => {
  const inbox = (await store.mailbox('Inbox'))?.id ?? 0
  const root = await put('Inbox')
  const old: number[] = []
  for (let i = 0; i < CHUNK; i++) old.push(await put('Inbox'))
  await store.expunge(old)
  await h.housekeeping.idle()
  const text = 'Subject: Re: x\n\n'
  const reply = await h.deliver('alice', text)
  const child = await h.deliver('alice', text, { receivedAt: h.clock.now() + 1 })
  if (!reply.ok || !child.ok) throw new Error('not delivered')
  await store.expunge([reply.id])
  await h.housekeeping.idle()
  const { changes } = await store.changesSince(0, 10_000)
  const last = changes.at(-1)?.modseq ?? 0
  h.clock.advance(DAY)
  const added = await put('Inbox')
  await h.context.storage.write(async db => {
    await db(MESSAGE).where({ id: child.id }).update({ thread_parent_id: reply.id, thread_id: reply.id })
    await db(MESSAGE).where({ id: reply.id }).update({ thread_parent_id: root, thread_id: root })
    await db(MESSAGE).where({ id: child.id }).update({ thread_id: root })
  })
  strictEqual(await purgeHistory(h.context, 1), 0)
  h.clock.advance(1)
  strictEqual((await purgeHistory(h.context, 1)) > 0, true)
  const relinked = { kind: 'flags', id: child.id }
  expect(await store.changesSince(last, 10)).toMatchObject({
    changes: [{ kind: 'add', id: added }, relinked],
    complete: true,
  })
  expect(await store.changesSince(last - 1, 10)).toMatchObject({
    changes: [{ kind: 'add', id: added }, relinked],
    complete: false,
  })
  strictEqual((await h.storage.db(CHANGE)).length, 2)
  strictEqual((await h.storage.db(MESSAGE)).length, 3)
  // The answer to what is gone answers what that answered.
  expect(await h.storage.db(MESSAGE).where({ id: child.id }).first()).toMatchObject({
    thread_parent_id: root,
    thread_missing_link: 1,
  })
  // Records are gone: all uids that are not there.
  deepStrictEqual(await store.expungedSince(inbox, last), [])
  deepStrictEqual((await store.expungedSince(inbox, 0)).length, CHUNK + 1)
})

test('what is expunged is kept until all were told, and no longer', async () => {
  const used = async () => {
    await h.housekeeping.idle()
    return (await store.usage()).used
  }
  const one = h.mailboxes.session('alice', () => {})
  const two = h.mailboxes.session('alice', () => {})
  h.mailboxes.watch('alice', () => {})
  h.mailboxes.session('bob', () => {})
  const [first, second] = [await put('Inbox'), await put('Inbox')]
  const all = await used()
  one.take()
  await store.expunge([first])
  // Not what was taken before.
  one.told()
  two.take()
  two.told()
  strictEqual(await used(), all)
  one.take()
  strictEqual(await used(), all)
  await store.expunge([second])
  one.told()
  strictEqual(await used(), all / 2)
  await h.mailboxes.open(second)
  one.take()
  one.told()
  strictEqual(await used(), all / 2)
  two.close()
  strictEqual(await used(), 0)

  // A session that has lost count of the changes has to begin anew anyway.
  const third = await put('Inbox')
  const change: Change = { kind: 'add', modseq: 9, mailboxId: 1, uid: 1, id: 1 }
  h.context.feed.publish('alice', Array(PENDING_CHANGES).fill(change))
  strictEqual(one.overflowed, true)
  await store.expunge([third])
  strictEqual(await used(), 0)
  one.resync()
  const keep = h.context.feed.keep('alice')
  const fourth = await put('Inbox')
  await store.expunge([fourth])
  one.close()
  strictEqual((await used()) > 0, true)
  keep()
  strictEqual(await used(), 0)
})

test('what waits to be erased is erased at the next start', async () => {
  h.mailboxes.session('alice', () => {})
  for (let i = 0; i <= CHUNK; i++) await store.expunge([await put('Inbox')])
  await h.housekeeping.idle()
  strictEqual((await store.usage()).used > 0, true)
  const next = new Housekeeping()
  next.start(h.context, { historyDays: 30, rejectsDays: 14 })
  await next.idle()
  await next.stop()
  strictEqual((await store.usage()).used, 0)
})

test('the periodic round erases and ages out', async () => {
  const session = h.mailboxes.session('alice', () => {})
  const id = await put('Inbox')
  await store.expunge([id])
  const round = async (ms: number) => {
    h.clock.advance(ms)
    await h.housekeeping.idle()
    await h.housekeeping.idle()
  }
  strictEqual((await store.usage()).used > 0, true)
  await round(ERASE_DELAY_MS + ROUND_MS)
  strictEqual((await store.usage()).used, 0)
  session.close()
  await round(31 * DAY)
  deepStrictEqual(await h.storage.db(MESSAGE), [])
  deepStrictEqual((await store.changesSince(0, 10)).changes, [])
})
