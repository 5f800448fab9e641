// Junk flags by mailbox, and the mailbox for what was refused.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { afterEach, beforeEach, test } from 'vitest'
import { junkFlags } from '../src/junk-flags.ts'
import { expungeRejects, REJECTS } from '../src/rejects.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
beforeEach(async () => {
  h = await openHarness(undefined, undefined, { junkFlags: { neutral: '^(inbox|neutral)$', notJunk: '^keep' } })
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

test('names of mailboxes', () => {
  const check = (options: Parameters<typeof junkFlags>[0], name: string, expected: string) => {
    const flags = junkFlags(options)(name)
    strictEqual(
      flags === undefined ? 'as it is' : flags.junk ? 'junk' : flags.notjunk ? 'not junk' : 'neutral',
      expected,
    )
  }
  const all = { junk: '^(junk|spam)', neutral: '^(inbox|spam/look)', notJunk: 'a' }
  check(undefined, 'Inbox', 'as it is')
  check({}, 'Inbox', 'as it is')
  check(all, 'Inbox', 'neutral')
  check(all, 'SPAM/look', 'junk')
  check(all, 'Archive', 'not junk')
  check(all, 'x', 'as it is')
  check({ junk: 'j', neutral: 'n' }, 'x', 'not junk')
  check({ junk: 'j', notJunk: 'k' }, 'x', 'neutral')
  check({ neutral: 'n', notJunk: 'k' }, 'x', 'junk')
  check({ junk: 'j' }, 'x', 'as it is')
})

test('flags of what comes into a mailbox', async () => {
  const store = await h.mailboxes.store('alice')
  const flags = async (id: number) => {
    const [message] = await store.listed([id])
    return [message?.flags.junk, message?.flags.notjunk]
  }
  const delivered = await h.deliver('alice', 'Subject: s\n\n', { keywords: ['$Junk'] })
  const id = delivered.ok ? delivered.id : 0
  deepStrictEqual(await flags(id), [false, false])
  await store.create('Keep')
  await store.create('other')
  await store.move([id], 'Keep')
  deepStrictEqual(await flags(id), [false, true])
  const [copy] = await store.copy([id], 'other')
  deepStrictEqual(await flags(copy?.id ?? 0), [true, false])
  await store.move([id], 'Junk')
  deepStrictEqual(await flags(id), [true, false])
  await store.setFlags([id], { set: { junk: false } })
  await store.move([id], 'Inbox')
  deepStrictEqual(await flags(id), [false, false])
})

test('what was refused leaves after a while, and when there is too much', async () => {
  const store = await h.mailboxes.store('alice')
  const count = async (name: string) => (await store.mailbox(name))?.total
  let serial = 0
  const add = async (n: number, rejected = true) =>
    await h.storage.write(async () => {
      for (let i = 0; i < n; i++)
        await h.mailboxes.deliver(await h.delivery('alice', `Message-ID: <${serial++}@x>\n\n`, { rejected }))
    })
  await add(2)
  await add(1, false)
  // What a user puts there stays.
  const { id } = await store.append({ mailbox: 'Rejects', content: Buffer.from('Subject: own\r\n\r\n') })
  const day = 86_400_000
  h.clock.advance(14 * day)
  await expungeRejects(h.context, 14)
  strictEqual(await count('Rejects'), 3)
  h.clock.advance(1)
  await add(1)
  await expungeRejects(h.context, 0)
  strictEqual(await count('Rejects'), 4)
  await expungeRejects(h.context, 14)
  deepStrictEqual([await count('Rejects'), await count('Inbox')], [2, 1])
  await add(REJECTS - 1)
  await expungeRejects(h.context, 14)
  strictEqual(await count('Rejects'), REJECTS + 1)
  await add(1)
  await expungeRejects(h.context, 14)
  strictEqual(await count('Rejects'), REJECTS + 1)
  strictEqual((await store.listed([id])).length, 1)
  await store.setSpecialUse('Rejects', ['archive'])
  h.clock.advance(30 * day)
  await expungeRejects(h.context, 14)
  strictEqual(await count('Rejects'), REJECTS + 1)
})
