// Mail that is put aside: that of first-time senders, and copies of what was refused. Who is a first-time sender, where rules
// send what, and what taking a message out of there does to it.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { type DeliveryRule, type LocalDelivery, MailboxError, type MailStore } from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { afterEach, beforeEach, test } from 'vitest'
import { mailboxCommands } from '../src/commands.ts'
import { ACCOUNT, MESSAGE } from '../src/schema.ts'
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

const rule = (fields: Partial<DeliveryRule>): DeliveryRule => ({
  recipient: '',
  mailbox: 'Ruled',
  comment: '',
  ...fields,
})

async function delivered(message: string, fields: Partial<LocalDelivery> = {}): Promise<number> {
  const outcome = await h.deliver('alice', message, fields)
  strictEqual(outcome.ok, true)
  return outcome.ok ? outcome.id : 0
}

const nameOf = async (id: number): Promise<string> =>
  (await store.mailboxes()).find(m => m.id === id)?.name ?? (id === 0 ? '' : `${id}`)

/** Mailbox, where it was meant for, and what else tells of being put aside. */
async function place(id: number): Promise<string> {
  const [row] = await h.storage.db(MESSAGE).where({ id })
  const marks = ['is_reject', 'is_forward', 'seen', 'junk', 'notjunk'].filter(column => row[column] === 1)
  const names = [row.mailbox_id, row.orig_mailbox_id, row.destined_mailbox_id]
  return [...(await Promise.all(names.map(nameOf))), ...marks].join(' ')
}

test('first-time senders', async () => {
  const check = async (expected: string, message: string, fields: Partial<LocalDelivery> = {}) =>
    strictEqual(await place(await delivered(message, fields)), expected)
  await check('Inbox Inbox ', 'From: early@a.test\n\n')
  await store.setIntrobox('New people')
  const aside = 'New people New people Inbox'
  await check('Inbox Inbox ', 'From: early@a.test\n\n')
  await check(aside, 'From: ann@a.test\n\n')
  // Waiting there makes nobody known; nor does junk of him.
  await check(aside, 'From: ann@a.test\n\n')
  await check('Junk Junk  junk', 'From: ann@a.test\n\n', { junk: true })
  await check(aside, 'From: ann@a.test\n\n')
  await check(aside, 'Subject: from nobody\n\n')
  await check(aside, 'From: ann@a.test, early@a.test\n\n')
  await check('Lists Lists ', 'From: ann@a.test\n\n', { mailbox: 'Lists' })
  // What this machine reports of own mail is no first-time sender; a bounce from elsewhere is one.
  await check('Inbox Inbox ', 'From: postmaster@here.test\n\n', { reversePath: null, remoteIp: '127.0.0.1' })
  await check(aside, 'From: postmaster@there.test\n\n', { reversePath: null })
  await store.append({ mailbox: 'Sent', content: Buffer.from('To: Carol <Carol@c.test>\r\n\r\n') })
  await check('Inbox Inbox ', 'From: Carol@c.test\n\n')
  await check(aside, 'From: other@c.test\n\n')
  await store.setIntrobox('')
  await check('Inbox Inbox ', 'From: yet@another.test\n\n')
})

test('who is not verified is not taken for an author who was', async () => {
  await store.setIntrobox('New')
  const send = async (verifiedDomains: readonly string[], from = 'ann@mail.a.test') =>
    (await place(await delivered(`From: ${from}\n\n`, { verifiedDomains }))).split(' ')[0]
  await store.move([await delivered('From: ann@mail.a.test\n\n', { verifiedDomains: ['a.test'] })], 'Inbox')
  strictEqual(await send([]), 'New')
  strictEqual(await send(['evil.test', 'xa.test']), 'New')
  strictEqual(await send(['a.test']), 'Inbox')
  strictEqual(await send(['x.mail.a.test']), 'Inbox')
  await store.move([await delivered('From: bob@b.test\n\n')], 'Inbox')
  strictEqual(await send([], 'bob@b.test'), 'Inbox')
  strictEqual(await send(['b.test'], 'bob@b.test'), 'Inbox')
})

test('taken out of there', async () => {
  await store.setIntrobox('New')
  const put = () => delivered('From: ann@a.test\n\n')
  const first = await put()
  await store.move([first], 'Archive')
  // Not said to be anything: it still waits.
  strictEqual(await place(first), 'Archive New Inbox')
  await store.move([first], 'Junk')
  strictEqual(await place(first), 'Junk New Inbox junk')
  const junk = await put()
  await store.move([junk], 'Junk')
  strictEqual(await place(junk), 'Junk Inbox  junk')
  const copied = await put()
  const [copy] = await store.copy([copied], 'Inbox')
  strictEqual(await place(copy?.id ?? 0), 'Inbox Inbox  notjunk')
  strictEqual(await place(copied), 'New New Inbox')
  const good = await delivered('From: bob@b.test\n\n')
  await store.move([good], 'Inbox')
  strictEqual(await place(good), 'Inbox Inbox  notjunk')
  strictEqual(await place(await delivered('From: bob@b.test\n\n')), 'Inbox Inbox ')
})

test('setting it', async () => {
  const shown = async () => (await store.mailboxes()).filter(m => m.introbox).map(m => m.name)
  const changes: string[] = []
  h.mailboxes.watch('alice', list => changes.push(...list.map(c => (c.kind === 'mailbox' ? c.name : c.kind))))
  deepStrictEqual(await shown(), [])
  await store.setIntrobox('a/New')
  deepStrictEqual([await shown(), changes.splice(0)], [['a/New'], ['a', 'a/New', 'a/New']])
  await store.setIntrobox('a/New')
  deepStrictEqual(changes, [])
  await store.setIntrobox('Archive')
  deepStrictEqual([await shown(), changes.splice(0)], [['Archive'], ['a/New', 'Archive']])
  await store.rename('Archive', 'Old')
  deepStrictEqual(await shown(), ['Old'])
  await store.remove('Old')
  deepStrictEqual(await shown(), [])
  strictEqual(await place(await delivered('From: x@y.test\n\n')), 'Inbox Inbox ')
  for (const [name, problem] of [
    ['inbox', 'inbox'],
    ['a//b', 'name'],
  ] as const)
    await rejects(store.setIntrobox(name), (err: unknown) => err instanceof MailboxError && err.problem === problem)
  const command = mailboxCommands(h.mailboxes).find(c => c.path[1] === 'introbox')
  const run = (words: string[]) => command?.run({ arguments: words, flags: new Map(), limit: 10 })
  await run(['alice', 'Intro'])
  deepStrictEqual(await shown(), ['Intro'])
  await run(['alice'])
  deepStrictEqual(await shown(), [])
  await h.storage.write(async db => await db(ACCOUNT).where({ name: 'alice' }).update({ introbox_id: 99 }))
  const [problem] = await h.mailboxes.verify()
  strictEqual(problem, 'introbox: account alice has mailbox 99 for it, which is not there')
  await h.storage.write(async db => await db(ACCOUNT).where({ name: 'alice' }).update({ introbox_id: 0 }))
})

test('copies of what was refused', async () => {
  const refused = (message: string, fields: Partial<LocalDelivery> = {}) =>
    h.deliver('alice', message, { rejected: true, ...fields })
  const first = await refused('Message-ID: <1@x>\nFrom: a@x.test\n\nbody')
  strictEqual(first.ok && (await place(first.id)), 'Rejects Rejects Inbox is_reject seen')
  // The peer tries again, with another queue id perhaps; without a Message-ID the bytes tell.
  deepStrictEqual(await refused('Message-ID: <1@X>\nFrom: a@x.test\n\nother'), { ...first, duplicate: true })
  const bare = await refused('From: a@x.test\n\nbody')
  deepStrictEqual(await refused('From: a@x.test\n\nbody'), { ...bare, duplicate: true })
  const other = await refused('From: a@x.test\n\nother', { mailbox: 'Lists' })
  // The mailbox it was meant for is not made.
  strictEqual(other.ok && (await place(other.id)), 'Rejects Rejects Inbox is_reject seen')
  strictEqual((await store.mailbox('Rejects'))?.total, 3)
  // Accepted after all: the copy goes, and is no parent of it.
  const id = await delivered('Message-ID: <1@x>\nFrom: a@x.test\n\nbody')
  const [row] = await h.storage.db(MESSAGE).where({ id })
  deepStrictEqual([row.thread_id, row.thread_parent_id], [id, 0])
  deepStrictEqual([(await store.mailbox('Rejects'))?.total, (await store.mailbox('Rejects'))?.unread], [2, 0])
  // Taken out of there it is mail like any other, and new.
  if (bare.ok) await store.move([bare.id], 'Inbox')
  strictEqual(bare.ok && (await place(bare.id)), 'Inbox Inbox ')
  strictEqual((await store.mailbox('Inbox'))?.unread, 2)
})

test('rules for lists, forwards and rejects', async () => {
  const verified = { verifiedDomains: ['list.test'] }
  await store.setIntrobox('New')
  await store.addRule(rule({ msgFrom: '@list', listAllowDomain: 'List.test' }))
  await store.addRule(
    rule({
      mailFrom: '@forward',
      verifiedDomain: 'forward.test',
      forward: true,
      mailbox: 'Inbox',
      acceptRejects: 'Kept',
    }),
  )
  const send = async (message: string, fields: Partial<LocalDelivery> = {}) => place(await delivered(message, fields))
  strictEqual(await send('From: a@list.test\n\n', { junk: true }), 'Junk Junk  junk')
  strictEqual(await send('From: a@list.test\n\n', { junk: true, verifiedDomains: ['x.list.test'] }), 'Junk Junk  junk')
  strictEqual(await send('From: a@list.test\n\n', { junk: true, ...verified }), 'Ruled Ruled ')
  const forwarded: Partial<LocalDelivery> = {
    reversePath: { localpart: 'me', domain: 'forward.test' },
    verifiedDomains: ['forward.test'],
  }
  const id = await delivered('From: stranger@s.test\n\n', forwarded)
  strictEqual(await place(id), 'Inbox Inbox  is_forward')
  const [row] = await h.storage.db(MESSAGE).where({ id })
  deepStrictEqual([row.remote_ip, row.helo, row.mail_from], ['', '', 'me@forward.test'])
  const rejected = { rejected: true, ...forwarded }
  strictEqual(await send('From: stranger@s.test\n\nagain', rejected), 'Kept Kept Inbox is_reject is_forward seen')
  strictEqual(
    await send('From: stranger@s.test\n\nonce more', { rejected: true }),
    'Rejects Rejects Inbox is_reject seen',
  )
  const judged = await h.mailboxes.ruling({
    ...{ account: 'alice', recipient: { localpart: 'alice', domain: 'local.test' }, reversePath: null },
    ...{ head: parseHeader(Buffer.from('From: a@list.test\r\n\r\n')), ...verified },
  })
  deepStrictEqual([judged?.listed, judged?.rule.mailbox, judged?.rule.listAllowDomain], [true, 'Ruled', 'list.test'])
  for (const fields of [
    { mailFrom: 'a', forward: true },
    { verifiedDomain: 'a.test', forward: true },
    { mailFrom: 'a', listAllowDomain: 'a b' },
    { listAllowDomain: 'a.test' },
    { mailFrom: 'a', acceptRejects: 'a//b' },
  ])
    await rejects(store.addRule(rule(fields)), MailboxError)
  for (const one of await store.rules()) strictEqual(await store.removeRule(one), 1)
})
