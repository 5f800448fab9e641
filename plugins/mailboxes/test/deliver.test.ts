// Delivery: where a message goes, what is recognised, what is refused and what that leaves behind.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import type { LocalDelivery, MailboxMessage } from '@mox/plugin-sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAILBOX_KEYWORDS, MESSAGE_KEYWORDS } from '../src/flags.ts'
import { UID_MAX } from '../src/place.ts'
import { CHANGE, MAILBOX, MESSAGE } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { SUBJECT_AFTER_MS, SUBJECT_BEFORE_MS } from '../src/threads.ts'
import { type Harness, openHarness, START } from './support/harness.ts'

let h: Harness
beforeEach(async () => {
  h = await openHarness()
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

const MESSAGE_TEXT =
  'From: Sender <sender@remote.test>\nSubject: =?utf-8?q?Re:_caf=C3=A9?=\nMessage-ID: <A@b>\n\nbody\n'

async function one(id: number): Promise<MailboxMessage> {
  const message = await h.mailboxes.message(id)
  if (message === undefined) throw new Error(`no message ${id}`)
  return message
}

async function delivered(message: string, fields?: Partial<LocalDelivery>, account = 'alice'): Promise<MailboxMessage> {
  const outcome = await h.deliver(account, message, fields)
  if (!outcome.ok) throw new Error(outcome.reply.text)
  return await one(outcome.id)
}

async function mailboxOf(message: MailboxMessage): Promise<string | undefined> {
  const store = await h.mailboxes.store(message.account)
  return (await store.mailboxes()).find(mailbox => mailbox.id === message.mailboxId)?.name
}

test('an ordinary message', async () => {
  const message = await delivered(MESSAGE_TEXT, { receivedAt: START - 1000, tls: { version: 'TLSv1.3', cipher: 'x' } })
  expect(message).toMatchObject({
    account: 'alice',
    uid: 1,
    receivedAt: START - 1000,
    threadId: message.id,
    messageIdHeader: 'a@b',
    subject: 'Re: café',
    mailFrom: 'sender@remote.test',
    rcptTo: 'alice@local.test',
    verifiedDomains: [],
    keywords: [],
  })
  strictEqual(message.flags.seen, false)
  strictEqual(message.createSeq, message.modseq)
  const parts: Buffer[] = []
  for await (const part of await h.mailboxes.open(message.id)) parts.push(part)
  strictEqual(Buffer.concat(parts).toString(), 'Received: from mx.test\r\n' + MESSAGE_TEXT.replaceAll('\n', '\r\n'))
  strictEqual(Buffer.concat(parts).length, message.size)
  deepStrictEqual(await h.mailboxes.copies(message.messageId), [message])
  const store = await h.mailboxes.store('alice')
  expect(await store.mailbox('inbox')).toMatchObject({
    name: 'Inbox',
    uidNext: 2,
    total: 1,
    unread: 1,
    unseen: 1,
    deleted: 0,
    size: message.size,
    modseq: message.modseq,
    uidValidity: Math.floor(START / 2000),
    subscribed: true,
  })
  deepStrictEqual(await store.usage(), { used: message.size, quota: 0 })
  const row = await h.storage.db(MESSAGE).where({ id: message.id }).first()
  expect(row).toMatchObject({
    msg_from: 'sender@remote.test',
    subject_base: 'café',
    tls_version: 'TLSv1.3',
    helo: 'mx.remote.test',
  })
})

test('statements of a delivery', async () => {
  const check = async (text: string, expected: number) => {
    const before = h.backend.statements()
    await h.deliver('alice', text)
    // And one for the reference to the content.
    strictEqual(h.backend.statements() - before + 1, expected)
  }
  await h.mailboxes.store('alice')
  await check('Subject: x\nMessage-ID: <1@x>\n\n', 9)
  await check('Subject: x\nMessage-ID: <2@x>\nReferences: <1@x>\n\n', 8)
  await check('Subject: Re: x\nMessage-ID: <3@x>\n\n', 9)
})

test('mailboxes of a new account', async () => {
  const store = await h.mailboxes.store('alice')
  const found = (await store.mailboxes()).map(m => [m.name, ...m.specialUse, m.subscribed])
  deepStrictEqual(found, [
    ['Archive', 'archive', true],
    ['Drafts', 'drafts', true],
    ['Inbox', true],
    ['Junk', 'junk', true],
    ['Sent', 'sent', true],
    ['Trash', 'trash', true],
  ])
})

test('where a message goes', async () => {
  const check = async (fields: Partial<LocalDelivery>, mailbox: string) => {
    const message = await delivered(MESSAGE_TEXT, fields)
    strictEqual(await mailboxOf(message), mailbox)
    return message
  }
  await check({}, 'Inbox')
  await check({ mailbox: 'INBOX' }, 'Inbox')
  await check({ mailbox: 'Lists/a' }, 'Lists/a')
  await check({ mailbox: '../evil' }, 'Inbox')
  const junk = await check({ junk: true }, 'Junk')
  deepStrictEqual([junk.flags.junk, junk.flags.notjunk], [true, false])
  const store = await h.mailboxes.store('alice')
  await store.setSpecialUse('Archive', ['junk'])
  await check({ junk: true }, 'Archive')
  await store.setSpecialUse('Archive', [])
  const unfiled = await check({ junk: true, mailbox: 'Lists/a' }, 'Lists/a')
  strictEqual(unfiled.flags.junk, true)
  strictEqual((await store.mailbox('Lists'))?.total, 0)
})

test('keywords and flags', async () => {
  const message = await delivered(MESSAGE_TEXT, { keywords: ['Work', '$Phishing', 'not ok'], seen: true })
  deepStrictEqual(message.keywords, ['work'])
  deepStrictEqual([message.flags.phishing, message.flags.seen], [true, true])
  const many = Array.from({ length: MESSAGE_KEYWORDS + 1 }, (_, i) => `k${i}`)
  strictEqual((await delivered(MESSAGE_TEXT, { keywords: many })).keywords.length, MESSAGE_KEYWORDS)
  const store = await h.mailboxes.store('alice')
  for (let i = 0; i < MAILBOX_KEYWORDS; i += MESSAGE_KEYWORDS) {
    const keywords = Array.from({ length: MESSAGE_KEYWORDS }, (_, n) => `m${i + n}`)
    await delivered(MESSAGE_TEXT, { mailbox: 'Full', keywords })
  }
  strictEqual((await store.mailbox('Full'))?.keywords.length, MAILBOX_KEYWORDS)
  deepStrictEqual((await delivered(MESSAGE_TEXT, { mailbox: 'Full', keywords: ['more', 'm1'] })).keywords, ['m1'])
})

test('a second delivery with the same key', async () => {
  const first = await h.deliver('alice', MESSAGE_TEXT, { key: 'same' })
  const before = await (await h.mailboxes.store('alice')).mailbox('Inbox')
  const second = await h.deliver('alice', MESSAGE_TEXT, { key: 'same', keywords: ['new'] })
  deepStrictEqual(second, { ...first, duplicate: true })
  deepStrictEqual(await (await h.mailboxes.store('alice')).mailbox('Inbox'), before)
  const other = await h.deliver('bob', MESSAGE_TEXT, { key: 'same' })
  expect(other).toMatchObject({ ok: true, duplicate: false })
  if (!first.ok) return
  // Also after the user has removed it.
  await (await h.mailboxes.store('alice')).expunge([first.id])
  await h.housekeeping.idle()
  deepStrictEqual(await h.deliver('alice', MESSAGE_TEXT, { key: 'same' }), { ...first, duplicate: true })
})

test('quota', async () => {
  const over = { ok: false, reply: { code: 452, enhanced: '4.2.2', text: 'account storage full' } }
  const { size } = await h.delivery('alice', MESSAGE_TEXT)
  h.quotas.set('alice', 2 * size)
  const first = await h.deliver('alice', MESSAGE_TEXT, { key: 'first' })
  expect(first).toMatchObject({ ok: true })
  const second = await h.deliver('alice', MESSAGE_TEXT)
  expect(second).toMatchObject({ ok: true })
  deepStrictEqual(await h.deliver('alice', MESSAGE_TEXT), over)
  deepStrictEqual(await h.deliver('alice', MESSAGE_TEXT, { key: 'first' }), { ...first, duplicate: true })
  h.quotas.set('alice', 3 * size - 1)
  deepStrictEqual(await h.deliver('alice', MESSAGE_TEXT), over)
  h.quotas.set('alice', 3 * size)
  // A refusal leaves the unit of work usable.
  const fits = await h.delivery('alice', MESSAGE_TEXT)
  const tooMuch = await h.delivery('alice', MESSAGE_TEXT)
  const elsewhere = await h.delivery('bob', MESSAGE_TEXT)
  const outcomes = await h.storage.write(async () => [
    await h.mailboxes.deliver(fits),
    await h.mailboxes.deliver(tooMuch),
    await h.mailboxes.deliver(elsewhere),
  ])
  deepStrictEqual(
    outcomes.map(outcome => outcome.ok),
    [true, false, true],
  )
  const store = await h.mailboxes.store('alice')
  deepStrictEqual(await store.usage(), { used: 3 * size, quota: 3 * size })
  strictEqual((await store.mailbox('Inbox'))?.total, 3)
})

test('an account that is not there, and outside a unit of work', async () => {
  expect(await h.deliver('nobody', MESSAGE_TEXT)).toMatchObject({ ok: false, reply: { code: 550, enhanced: '5.1.1' } })
  await rejects(h.mailboxes.store('nobody'), /there is no account "nobody"/)
  await rejects(h.mailboxes.deliver(await h.delivery('alice', MESSAGE_TEXT)), /inside a unit of work/)
})

test('a unit of work that rolls back leaves nothing', async () => {
  const seen: unknown[] = []
  h.mailboxes.watch('alice', changes => seen.push(...changes))
  const delivery = await h.delivery('alice', MESSAGE_TEXT, { mailbox: 'New' })
  const fails = h.storage.write(async () => {
    strictEqual((await h.mailboxes.deliver(delivery)).ok, true)
    throw new Error('undo')
  })
  await rejects(fails, /undo/)
  for (const table of [MESSAGE, MAILBOX, CHANGE]) deepStrictEqual(await h.storage.db(table).select('id'), [])
  deepStrictEqual(seen, [])
  // And the same after the account was made, with a nested unit that fails alone.
  const kept = await h.delivery('alice', MESSAGE_TEXT)
  const outcome = await h.storage.write(async () => {
    await rejects(
      h.storage.write(async () => {
        await h.mailboxes.deliver(delivery)
        throw new Error('undo')
      }),
    )
    return await h.mailboxes.deliver(kept)
  })
  strictEqual(outcome.ok, true)
  const store = await h.mailboxes.store('alice')
  strictEqual(await store.mailbox('New'), undefined)
  deepStrictEqual((await store.changesSince(0, 100)).changes, seen)
})

test('uids end at 32 bits', async () => {
  await delivered(MESSAGE_TEXT)
  await h.storage.write(async db => await db(MAILBOX).where({ name: 'Inbox' }).update({ uidnext: UID_MAX }))
  strictEqual((await delivered(MESSAGE_TEXT)).uid, UID_MAX)
  const full = await h.deliver('alice', MESSAGE_TEXT)
  deepStrictEqual(full, { ok: false, reply: { code: 452, enhanced: '4.2.2', text: 'mailbox full' } })
})

test('accounts do not see each other', async () => {
  const mine = await delivered(MESSAGE_TEXT)
  const alice = await h.mailboxes.store('alice')
  const bob = await h.mailboxes.store('bob')
  deepStrictEqual(await bob.messages(mine.mailboxId, { limit: 10 }), [])
  deepStrictEqual((await bob.setFlags([mine.id], { set: { seen: true } })).changed, [])
  deepStrictEqual(await bob.move([mine.id], 'Archive'), [])
  deepStrictEqual(await bob.copy([mine.id], 'Archive'), [])
  await bob.expunge([mine.id])
  deepStrictEqual(await bob.thread(mine.threadId), [])
  await bob.setThread(mine.threadId, { muted: true })
  deepStrictEqual(await bob.expungedSince(mine.mailboxId, 0), [])
  deepStrictEqual(await alice.messages(mine.mailboxId, { limit: 10 }), [mine])
  // The same Message-ID elsewhere is no thread.
  const theirs = await delivered(MESSAGE_TEXT, {}, 'bob')
  strictEqual(theirs.threadId, theirs.id)
  deepStrictEqual(
    (await h.mailboxes.recent({ limit: 10 })).map(m => m.id),
    [theirs.id, mine.id],
  )
  deepStrictEqual(
    (await h.mailboxes.recent({ limit: 10, before: theirs.id })).map(m => m.id),
    [mine.id],
  )
})

describe('threads', () => {
  const text = (fields: string) => `From: a@remote.test\n${fields}\n\nbody\n`

  test('by references and subject', async () => {
    const root = await delivered(text('Subject: Plan\nMessage-ID: <1@x>'))
    const check = async (fields: string, threadOf: MailboxMessage | undefined) => {
      const message = await delivered(text(fields))
      strictEqual(message.threadId, threadOf?.threadId ?? message.id, fields)
      return message
    }
    const reply = await check('Subject: Re: Plan\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>', root)
    await check('Subject: Re: plan\nMessage-ID: <3@x>\nReferences: <1@x>\n <2@x>', root)
    await check('Subject: Other\nMessage-ID: <4@x>\nReferences: <1@x>', undefined)
    await check('Subject: Fwd: [list] Plan\nMessage-ID: <5@x>', root)
    await check('Subject: Plan\nMessage-ID: <6@x>', undefined)
    await check('Subject: Anything\nMessage-ID: <2@X>', reply)
    await check('Subject: Anything', undefined)
    await check(
      'Subject: failed\nReferences: <1@x>\nContent-Type: multipart/report; report-type=delivery-status; boundary=x',
      root,
    )
  })

  test('by subject within a time and a mailbox', async () => {
    const check = async (later: number, mailbox: string, joins: boolean) => {
      const subject = `s${later}${mailbox}`
      const first = await delivered(text(`Subject: ${subject}`))
      const second = await delivered(text(`Subject: Re: ${subject}`), { receivedAt: START + later, mailbox })
      strictEqual(second.threadId === first.threadId, joins, `${later} ${mailbox}`)
    }
    await check(0, 'Inbox', true)
    await check(0, 'Archive', false)
    await check(SUBJECT_BEFORE_MS, 'Inbox', true)
    await check(SUBJECT_BEFORE_MS + 1, 'Inbox', false)
    await check(-SUBJECT_AFTER_MS, 'Inbox', true)
    await check(-SUBJECT_AFTER_MS - 1, 'Inbox', false)
  })

  test('muted threads', async () => {
    const root = await delivered(text('Subject: Plan\nMessage-ID: <1@x>'))
    const store = await h.mailboxes.store('alice')
    await store.setThread(root.threadId, { muted: true })
    strictEqual((await delivered(text('Subject: Re: Plan\nIn-Reply-To: <1@x>'))).flags.seen, true)
    await store.setThread(root.threadId, { muted: false, collapsed: true })
    const third = await delivered(text('Subject: Re: Plan\nIn-Reply-To: <1@x>'))
    strictEqual(third.flags.seen, false)
    const rows = await h.storage
      .db(MESSAGE)
      .orderBy('id')
      .select('thread_muted', 'thread_collapsed', 'thread_missing_link')
    deepStrictEqual(rows, Array(3).fill({ thread_muted: 0, thread_collapsed: 1, thread_missing_link: 0 }))
    deepStrictEqual(
      (await store.thread(root.threadId)).map(m => m.uid),
      [1, 2, 3],
    )
  })
})
