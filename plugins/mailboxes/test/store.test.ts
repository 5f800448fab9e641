// What a user of one account does: mailboxes, flags, append, move, copy, expunge, and the limits of each.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { MailboxError, type MailboxMessage, type MailboxProblem, type MailStore } from '@mox/plugin-sdk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHUNK, ERASE_DELAY_MS } from '../src/expunge.ts'
import { MAILBOX_KEYWORDS, MESSAGE_KEYWORDS } from '../src/flags.ts'
import { ROUND_MS } from '../src/housekeeping.ts'
import { MAILBOXES, SUBSCRIPTIONS } from '../src/mailboxes.ts'
import { SENT_RECIPIENTS } from '../src/place.ts'
import { ERASE, MESSAGE, RECIPIENT } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

async function refused(problem: MailboxProblem, work: Promise<unknown>): Promise<void> {
  await rejects(work, (err: unknown) => err instanceof MailboxError && err.problem === problem)
}

async function put(
  mailbox: string,
  text = 'Subject: x\r\n\r\nbody\r\n',
  keywords: string[] = [],
): Promise<MailboxMessage> {
  return await store.append({ mailbox, content: Buffer.from(text), keywords })
}

async function names(): Promise<string[]> {
  return (await store.mailboxes())
    .map(m => m.name)
    .filter(name => !/^(Archive|Drafts|Inbox|Junk|Sent|Trash)$/.test(name))
}

test('create', async () => {
  const made = await store.create('a/b/c', ['archive'])
  deepStrictEqual(await names(), ['a', 'a/b', 'a/b/c'])
  deepStrictEqual([made.uidNext, made.specialUse, made.subscribed], [1, ['archive'], true])
  strictEqual((await store.mailbox('a/b'))?.subscribed, true)
  deepStrictEqual((await store.mailbox('Archive'))?.specialUse, [])
  strictEqual((await store.create('inbox/x')).name, 'Inbox/x')
  await refused('exists', store.create('a'))
  await refused('exists', store.create('INBOX'))
  await refused('name', store.create('a//b'))
})

test('a removed and remade mailbox has a new UIDVALIDITY', async () => {
  const first = await store.create('a')
  await put('a')
  await store.remove('a')
  const second = await store.create('a')
  strictEqual(second.uidValidity > first.uidValidity, true)
  deepStrictEqual([second.uidNext, second.total], [1, 0])
  deepStrictEqual(await store.expungedSince(first.id, 0), [1])
})

test('remove', async () => {
  await store.create('a/b')
  await refused('children', store.remove('a'))
  await refused('inbox', store.remove('inbox'))
  await refused('missing', store.remove('nothing'))
  for (let i = 0; i < 3; i++) await put('a/b')
  await store.remove('a/b')
  await store.remove('a')
  await store.remove('Junk')
  deepStrictEqual(await names(), [])
  await h.housekeeping.idle()
  strictEqual((await store.usage()).used, 0)
})

test('rename', async () => {
  const check = async (from: string, to: string, expected: string[] | MailboxProblem) => {
    if (typeof expected === 'string') return await refused(expected, store.rename(from, to))
    await store.rename(from, to)
    deepStrictEqual(await names(), expected)
  }
  const { id, uidValidity } = await store.create('a')
  await store.create('a/x/y')
  const message = await put('a')
  await check('a', 'a', 'exists')
  await check('a', 'a/x', 'exists')
  await check('a', 'Inbox', 'inbox')
  await check('inbox', 'b', 'inbox')
  await check('missing', 'b', 'missing')
  await check('a', 'b/', 'name')
  await check('a', 'x'.repeat(497), 'name')
  await check('a', 'x'.repeat(496), ['x'.repeat(496), `${'x'.repeat(496)}/x`, `${'x'.repeat(496)}/x/y`])
  await check('x'.repeat(496), 'b', ['b', 'b/x', 'b/x/y'])
  await check('b', 'b/b', ['b', 'b/b', 'b/b/x', 'b/b/x/y'])
  await check('b/b/x', 'x', ['b', 'b/b', 'x', 'x/y'])
  const moved = await store.mailbox('b/b')
  expect(moved).toMatchObject({ id, uidValidity, uidNext: 2, total: 1, subscribed: false })
  deepStrictEqual(
    (await store.messages(id, { limit: 1 })).map(m => m.id),
    [message.id],
  )
  strictEqual((await store.mailbox('b'))?.subscribed, true)
})

test('roles', async () => {
  await store.setSpecialUse('Inbox', ['junk', 'trash'])
  const roles = (await store.mailboxes()).filter(m => m.specialUse.length > 0).map(m => [m.name, ...m.specialUse])
  deepStrictEqual(roles, [
    ['Archive', 'archive'],
    ['Drafts', 'drafts'],
    ['Inbox', 'junk', 'trash'],
    ['Sent', 'sent'],
  ])
  await store.setSpecialUse('Inbox', ['trash'])
  deepStrictEqual((await store.mailbox('Inbox'))?.specialUse, ['trash'])
  await refused('missing', store.setSpecialUse('nothing', ['junk']))
})

test('subscriptions', async () => {
  await store.subscribe('Inbox', false)
  strictEqual((await store.mailbox('Inbox'))?.subscribed, false)
  await store.subscribe('later', true)
  await store.subscribe('later', true)
  await store.create('later')
  await store.remove('later')
  strictEqual((await store.create('later')).subscribed, true)
  await refused('name', store.subscribe('a//b', true))
  const rows = Array.from({ length: SUBSCRIPTIONS - 8 }, (_, i) => ({ account_id: 1, name: `s${i}` }))
  await h.storage.write(async db => {
    for (let i = 0; i < rows.length; i += 200) await db('mailboxes_subscription').insert(rows.slice(i, i + 200))
  })
  await store.subscribe('t1', true)
  const n = (await h.storage.db('mailboxes_subscription').select('name')).length
  for (let i = n; i < SUBSCRIPTIONS; i++) await store.subscribe(`u${i}`, true)
  await refused('limit', store.subscribe('t2', true))
})

test('number of mailboxes', async () => {
  const missing = MAILBOXES - 6
  await h.storage.write(async () => {
    for (let i = 1; i < missing; i++) await store.create(`m${i}`)
  })
  await refused('limit', store.create('x/y'))
  await store.create('x')
  await refused('limit', store.create('y'))
  // A delivery is not lost for it.
  strictEqual((await h.deliver('alice', 'Subject: x\n\n', { mailbox: 'more' })).ok, true)
  strictEqual((await store.mailbox('Inbox'))?.total, 1)
})

test('append', async () => {
  const content = Buffer.from('Message-ID: <1@x>\r\nSubject: x\r\n\r\nbody\r\n')
  const message = await store.append({
    mailbox: 'drafts'.replace('d', 'D'),
    content,
    flags: { draft: true },
    keywords: ['$Forwarded', 'Todo'],
    receivedAt: 5,
    messageId: 7,
  })
  expect(message).toMatchObject({
    uid: 1,
    receivedAt: 5,
    messageId: 7,
    size: content.length,
    keywords: ['todo'],
    threadId: message.id,
  })
  deepStrictEqual([message.flags.draft, message.flags.forwarded, message.flags.seen], [true, true, false])
  await refused('missing', put('nothing'))
  await refused('keyword', put('Inbox', 'x', ['a b']))
  h.quotas.set('alice', 2 * content.length)
  await store.append({ mailbox: 'Inbox', content })
  await refused('quota', store.append({ mailbox: 'Inbox', content: Buffer.from('x') }))
  await refused('quota', store.copy([message.id], 'Inbox'))
  strictEqual((await store.usage()).used, 2 * content.length)
})

test('messages are found by their Message-ID', async () => {
  const content = (n: number) => `Message-ID: <One.${n}@Example.ORG>\r\n\r\nx\r\n`
  const first = await put('Inbox', content(1))
  await put('Inbox', content(2))
  const copied = await store.copy([first.id], 'Archive')
  const ids = async (text: string) => (await store.withMessageId(text)).map(m => m.id)
  const both = [first.id, copied[0]?.id]
  deepStrictEqual(await ids('<one.1@example.org>'), both)
  deepStrictEqual(await ids('One.1@example.org'), both)
  await store.expunge([first.id])
  deepStrictEqual(await ids('<one.1@example.org>'), [copied[0]?.id])
  deepStrictEqual(await ids('<three@example.org>'), [])
  deepStrictEqual(await ids(''), [])
  deepStrictEqual(await (await h.mailboxes.store('bob')).withMessageId('<one.2@example.org>'), [])
})

test('flags and keywords', async () => {
  const a = await put('Inbox')
  const b = await put('Inbox')
  const first = await store.setFlags([a.id, b.id, 999], {
    set: { seen: true, flagged: true },
    addKeywords: ['Work', '$Junk'],
  })
  deepStrictEqual(
    first.changed.map(m => [m.id, m.flags.seen, m.flags.flagged, m.flags.junk, ...m.keywords]),
    [
      [a.id, true, true, true, 'work'],
      [b.id, true, true, true, 'work'],
    ],
  )
  strictEqual(first.changed[0]?.modseq, first.changed[1]?.modseq)
  deepStrictEqual((await store.setFlags([a.id], { set: { seen: true } })).changed, [])
  const modseq = first.changed[0]?.modseq ?? 0
  const second = await store.setFlags([a.id], {
    set: { deleted: true },
    removeKeywords: ['WORK', '$junk'],
    unchangedSince: modseq,
  })
  deepStrictEqual(
    second.changed.map(m => [m.flags.deleted, m.flags.junk, m.keywords]),
    [[true, false, []]],
  )
  const third = await store.setFlags([a.id, b.id], { set: { seen: false }, unchangedSince: modseq })
  deepStrictEqual([third.changed.map(m => m.id), third.modified], [[b.id], [a.id]])
  expect(await store.mailbox('Inbox')).toMatchObject({ total: 1, deleted: 1, unread: 1, unseen: 1, keywords: ['work'] })
  const changed = await store.messages(a.mailboxId, { limit: 10, changedSince: second.changed[0]?.modseq ?? 0 })
  deepStrictEqual(
    changed.map(m => m.id),
    [b.id],
  )
  await refused('keyword', store.setFlags([a.id], { addKeywords: ['a b'] }))
})

test('limits of keywords', async () => {
  const a = await put('Inbox')
  const words = (from: number, n: number) => Array.from({ length: n }, (_, i) => `k${from + i}`)
  await store.setFlags([a.id], { addKeywords: words(0, MESSAGE_KEYWORDS) })
  await refused('limit', store.setFlags([a.id], { addKeywords: ['more'] }))
  for (let from = 0; from < MAILBOX_KEYWORDS; from += MESSAGE_KEYWORDS) {
    await store.setFlags([a.id], {
      addKeywords: words(from, MESSAGE_KEYWORDS),
      removeKeywords: words(from - MESSAGE_KEYWORDS, MESSAGE_KEYWORDS),
    })
  }
  await refused('limit', store.setFlags([a.id], { addKeywords: ['more'], removeKeywords: words(0, MAILBOX_KEYWORDS) }))
})

test('move keeps the id and leaves a record for the old uid', async () => {
  const session = h.mailboxes.session('alice', () => {})
  const a = await put('Inbox', 'Subject: a\r\n\r\n', ['work'])
  const b = await put('Inbox', 'Subject: b\r\n\r\n')
  await put('Archive')
  const before = await store.usage()
  const moved = await store.move([b.id, a.id], 'Archive')
  deepStrictEqual(
    moved.map(m => [m.id, m.uid]),
    [
      [a.id, 2],
      [b.id, 3],
    ],
  )
  strictEqual(moved[0]?.modseq, moved[0]?.createSeq)
  deepStrictEqual(await store.messages(a.mailboxId, { limit: 9 }), [])
  deepStrictEqual(await store.expungedSince(a.mailboxId, a.modseq), [1, 2])
  deepStrictEqual(await store.usage(), before)
  deepStrictEqual((await store.mailbox('Archive'))?.keywords, ['work'])
  await refused('same', store.move([a.id], 'Archive'))
  await refused('missing', store.move([a.id], 'nothing'))
  // A session that still shows uid 1 of Inbox can read it.
  const old = await h.storage.db(MESSAGE).where({ mailbox_id: a.mailboxId, uid: 1 }).first()
  strictEqual(old.id !== a.id && old.expunged_at > 0, true)
  const parts: Buffer[] = []
  for await (const part of await h.mailboxes.open(old.id)) parts.push(part)
  strictEqual(Buffer.concat(parts).toString(), 'Subject: a\r\n\r\n')
  session.close()
  const [junk] = await store.move([a.id], 'Junk')
  deepStrictEqual([junk?.flags.junk, junk?.id], [true, a.id])
})

test('copy', async () => {
  const a = await put('Inbox', 'Subject: a\r\n\r\n', ['work'])
  const [copy] = await store.copy([a.id], 'Junk')
  expect(copy).toMatchObject({ uid: 1, size: a.size, keywords: ['work'], threadId: a.threadId, messageId: a.messageId })
  deepStrictEqual([copy?.flags.junk, a.flags.junk, copy?.id === a.id], [true, false, false])
  deepStrictEqual(await store.usage(), { used: 2 * a.size, quota: 0 })
  await store.expunge([a.id])
  await h.housekeeping.idle()
  const parts: Buffer[] = []
  for await (const part of await h.mailboxes.open(copy?.id ?? 0)) parts.push(part)
  strictEqual(Buffer.concat(parts).toString(), 'Subject: a\r\n\r\n')
  strictEqual((await store.copy([copy?.id ?? 0], 'Junk')).length, 1)
})

test('each message holds one reference to its content until it is erased', async () => {
  const delivery = await h.delivery('alice', 'Subject: x\n\n')
  const references = () => h.backend.references(delivery.contentId)
  const check = async (work: Promise<unknown>, expected: number) => {
    await work
    await h.housekeeping.idle()
    strictEqual(await references(), expected)
  }
  await check(
    h.storage.write(() => h.mailboxes.deliver(delivery)),
    2,
  )
  await check(
    h.storage.write(() => h.mailboxes.deliver(delivery)),
    2,
  )
  const [message] = await h.mailboxes.copies(delivery.messageId)
  const id = message?.id ?? 0
  const [copy] = await store.copy([id], 'Archive')
  await check(store.move([id], 'Archive'), 3)
  const session = h.mailboxes.session('alice', () => {})
  await check(store.move([id], 'Inbox'), 4)
  session.close()
  await check(h.housekeeping.idle(), 3)
  await check(store.expunge([id, copy?.id ?? 0]), 1)
})

test('expunged messages are erased at once when nobody watches', async () => {
  const a = await put('Inbox')
  await store.expunge([a.id])
  await h.housekeeping.idle()
  strictEqual((await store.usage()).used, 0)
  strictEqual(await h.mailboxes.message(a.id), undefined)
  await rejects(h.mailboxes.open(a.id), /gone/)
  deepStrictEqual(await store.expungedSince(a.mailboxId, a.modseq), [1])
  deepStrictEqual(await store.expungedSince(a.mailboxId, a.modseq + 1), [])
  // More than one unit of work of the eraser.
  const ids: number[] = []
  for (let i = 0; i <= CHUNK; i++) ids.push((await put('Inbox')).id)
  await store.expunge(ids)
  await h.housekeeping.idle()
  deepStrictEqual([(await store.usage()).used, await h.storage.db(ERASE)], [0, []])
})

test('expunged messages wait while somebody watches', async () => {
  const a = await put('Inbox')
  const session = h.mailboxes.session('alice', () => {})
  await store.expunge([a.id])
  session.take()
  const advance = async (ms: number) => {
    h.clock.advance(ms)
    await h.housekeeping.idle()
    await h.housekeeping.idle()
    return (await store.usage()).used
  }
  strictEqual(await advance(ERASE_DELAY_MS - ROUND_MS), a.size)
  await h.mailboxes.open(a.id)
  strictEqual(await advance(ROUND_MS), 0)
  await rejects(h.mailboxes.open(a.id), /gone/)
})

test('recipients of sent mail', async () => {
  const text = 'To: A <a@x.test>, b@x.test\r\nCc: a@x.test, (nothing)\r\nDate: Thu, 1 Jan 1970 00:00:10 +0000\r\n\r\n'
  const rows = async () =>
    await h.storage.db(RECIPIENT).orderBy('id').select('message_id', 'localpart', 'domain', 'sent_at')
  const sent = await put('Sent', text)
  const expected = (id: number) =>
    ['a', 'b'].map(localpart => ({ message_id: id, localpart, domain: 'x.test', sent_at: 10_000 }))
  deepStrictEqual(await rows(), expected(sent.id))
  await store.move([sent.id], 'Archive')
  deepStrictEqual(await rows(), expected(sent.id))
  await store.expunge([sent.id])
  deepStrictEqual(await rows(), [])
  const draft = await put('Drafts', text)
  deepStrictEqual(await rows(), [])
  const [copy] = await store.copy([draft.id], 'Sent')
  deepStrictEqual(await rows(), expected(copy?.id ?? 0))
  const list = (n: number) => `To: ${Array.from({ length: n }, (_, i) => `r${i}@x.test`).join(',\r\n ')}\r\n\r\n`
  const many = await put('Sent', `${list(SENT_RECIPIENTS).slice(0, -2)}Cc: more@x.test\r\n\r\n`)
  strictEqual((await rows()).filter(row => row.message_id === many.id).length, SENT_RECIPIENTS)
})
