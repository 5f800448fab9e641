// Random operations on two accounts: the check stays empty, the feed equals the log, and whoever follows the feed knows which
// messages are in which mailbox under which uid. A fifth of the units of work roll back.
import { deepStrictEqual } from 'node:assert'
import { type Change, MailboxError, type MailStore } from '@mox/plugin-sdk'
import fc from 'fast-check'
import { test } from 'vitest'
import { type Harness, openHarness } from './support/harness.ts'

const NAMES = ['Inbox', 'Junk', 'Sent', 'a', 'a/b', 'a/b/c', 'd']
const ACCOUNTS = ['alice', 'bob']
const RUNS = 60

const name = fc.constantFrom(...NAMES)
const ids = fc.array(fc.nat(6), { minLength: 1, maxLength: 4 })
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('deliver' as const),
      name,
      refs: fc.nat(5),
      own: fc.nat(5),
      junk: fc.boolean(),
    }),
  },
  fc.record({ op: fc.constant('append' as const), name }),
  fc.record({
    op: fc.constant('flags' as const),
    ids,
    seen: fc.boolean(),
    deleted: fc.boolean(),
    word: fc.constantFrom('x', 'y'),
  }),
  { weight: 2, arbitrary: fc.record({ op: fc.constant('move' as const), ids, name }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('copy' as const), ids, name }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('expunge' as const), ids }) },
  fc.record({ op: fc.constant('mute' as const), ids }),
  fc.record({ op: fc.constant('create' as const), name }),
  fc.record({ op: fc.constant('rename' as const), name, to: name }),
  fc.record({ op: fc.constant('remove' as const), name }),
  fc.record({ op: fc.constant('role' as const), name }),
)
type Step = {
  readonly account: string
  readonly fail: boolean
  readonly erase: boolean
  readonly run: typeof operation extends fc.Arbitrary<infer T> ? T : never
}
const step: fc.Arbitrary<Step> = fc.record({
  account: fc.constantFrom(...ACCOUNTS),
  fail: fc.integer({ min: 0, max: 4 }).map(n => n === 0),
  erase: fc.boolean(),
  run: operation,
})

async function apply(h: Harness, store: MailStore, account: string, run: Step['run']): Promise<void> {
  const all = (await h.mailboxes.recent({ limit: 100 })).filter(m => m.account === account).map(m => m.id)
  const pick = (indices: readonly number[]) => indices.map(i => all[i] ?? i)
  switch (run.op) {
    case 'deliver': {
      const text = `Subject: s\nMessage-ID: <${run.own}@x>\nReferences: <${run.refs}@x>\nTo: t@x.test\n\nbody`
      const delivery = await h.delivery(account, text, { mailbox: run.name, junk: run.junk, keywords: ['w'] })
      await h.mailboxes.deliver(delivery)
      return
    }
    case 'append':
      await store.append({ mailbox: run.name, content: Buffer.from('To: u@x.test\r\n\r\nbody') })
      return
    case 'flags':
      await store.setFlags(pick(run.ids), { set: { seen: run.seen, deleted: run.deleted }, addKeywords: [run.word] })
      return
    case 'move':
      await store.move(pick(run.ids), run.name)
      return
    case 'copy':
      await store.copy(pick(run.ids), run.name)
      return
    case 'expunge':
      return await store.expunge(pick(run.ids))
    case 'mute':
      for (const id of pick(run.ids)) await store.setThread(id, { muted: true })
      return
    case 'create':
      await store.create(run.name)
      return
    case 'rename':
      return await store.rename(run.name, run.to)
    case 'remove':
      return await store.remove(run.name)
    case 'role':
      return await store.setSpecialUse(run.name, ['sent'])
  }
}

/** What the feed says is there: "mailbox uid" to id. */
function replay(changes: readonly Change[]): Map<string, number> {
  const there = new Map<string, number>()
  for (const change of changes) {
    if (change.kind === 'add') there.set(`${change.mailboxId} ${change.uid}`, change.id)
    if (change.kind === 'remove') for (const uid of change.uids) there.delete(`${change.mailboxId} ${uid}`)
  }
  return there
}

async function present(store: MailStore): Promise<Map<string, number>> {
  const there = new Map<string, number>()
  for (const mailbox of await store.mailboxes()) {
    for (const m of await store.messages(mailbox.id, { limit: 1000 })) there.set(`${m.mailboxId} ${m.uid}`, m.id)
  }
  return there
}

const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

async function scenario(steps: readonly Step[]): Promise<void> {
  const h = await openHarness(ACCOUNTS)
  try {
    const feeds = new Map<string, Change[]>(ACCOUNTS.map(account => [account, []]))
    const watch = (account: string) => h.mailboxes.watch(account, changes => feeds.get(account)?.push(...changes))
    const stops = ACCOUNTS.map(watch)
    const stores = new Map<string, MailStore>()
    for (const account of ACCOUNTS) stores.set(account, await h.mailboxes.store(account))
    for (const { account, fail, erase, run } of steps) {
      const store = stores.get(account)
      if (store === undefined) continue
      const before = fail ? await h.storage.db('mailboxes_message').orderBy('id') : []
      try {
        await h.storage.write(async () => {
          await apply(h, store, account, run)
          if (fail) throw new RangeError('roll back')
        })
      } catch (err) {
        if (!(err instanceof MailboxError || err instanceof RangeError)) throw err
      }
      if (fail) deepStrictEqual(await h.storage.db('mailboxes_message').orderBy('id'), before)
      if (erase) h.clock.advance(3_700_000)
      await h.housekeeping.idle()
      await h.housekeeping.idle()
      deepStrictEqual(await h.mailboxes.verify(), [])
    }
    for (const [account, store] of stores) {
      const log = await store.changesSince(0, 10_000)
      deepStrictEqual(log, { changes: feeds.get(account), complete: true })
      deepStrictEqual(sorted(replay(log.changes)), sorted(await present(store)))
    }
    for (const stop of stops) stop()
  } finally {
    await h.close()
  }
}

test('random operations', { timeout: 120_000 }, async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), scenario), {
    numRuns: RUNS,
    seed: 7,
  })
})
