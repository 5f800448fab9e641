// The consistency check finds each kind of damage, and no more than 20 of a kind.
import { deepStrictEqual, strictEqual } from 'node:assert'
import type { Knex } from 'knex'
import { afterEach, beforeEach, test } from 'vitest'
import { mailboxCommands } from '../src/commands.ts'
import { ACCOUNT, ANNOTATION, CHANGE, ERASE, MAILBOX, MESSAGE, RECIPIENT } from '../src/schema.ts'
import { PROBLEMS_PER_KIND } from '../src/verify.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
beforeEach(async () => {
  h = await openHarness()
  for (let i = 0; i < 3; i++) await h.deliver('alice', `Subject: x\nMessage-ID: <${i}@x>\n\n`, { keywords: ['k'] })
})
afterEach(() => h.close())

const NOTE = { account_id: 1, mailbox_id: 0, key: '/private/a', value: '', is_string: 1, create_seq: 2, modseq: 2 }

const DAMAGE: readonly [string, (db: Knex) => Promise<unknown>, string[]][] = [
  ['nothing', async () => {}, []],
  ['content', db => db(MESSAGE).where({ id: 1 }).update({ content_id: 99 }), ['message content']],
  ['size', db => db(MESSAGE).where({ id: 1 }).update({ size: 1 }), ['message size', 'usage', 'mailbox counts']],
  ['flag', db => db(MESSAGE).where({ id: 1 }).update({ seen: 1 }), ['mailbox counts']],
  ['usage', db => db(ACCOUNT).update({ used: 0 }), ['usage']],
  ['uid', db => db(MAILBOX).where({ name: 'Inbox' }).update({ uidnext: 3 }), ['mailbox uid']],
  ['uid 0', db => db(MESSAGE).where({ id: 1 }).update({ uid: 0 }), ['message uid']],
  ['uidvalidity', db => db(ACCOUNT).decrement('uidvalidity', 1), ['uidvalidity']],
  ['create sequence', db => db(MESSAGE).where({ id: 1 }).update({ create_seq: 0 }), ['message modseq']],
  ['message modseq', db => db(MESSAGE).where({ id: 3 }).update({ modseq: 90 }), ['mailbox modseq']],
  ['account modseq', db => db(ACCOUNT).update({ modseq: 3 }), ['mailbox modseq', 'change log']],
  ['parent', db => db(MAILBOX).where({ name: 'Sent' }).update({ parent_id: 1 }), ['mailbox parent']],
  ['missing parent', db => db(MAILBOX).where({ name: 'Sent' }).update({ name: 'a/b' }), ['mailbox parent']],
  ['role', db => db(MAILBOX).where({ name: 'Inbox' }).update({ sent: 1 }), ['role']],
  ['keywords', db => db(MAILBOX).where({ name: 'Inbox' }).update({ keywords: '' }), ['mailbox keywords']],
  ['thread', db => db(MESSAGE).where({ id: 1 }).update({ thread_id: 0 }), ['thread']],
  ['cycle', db => db(MESSAGE).where({ id: 1 }).update({ thread_parent_id: 1 }), ['thread']],
  ['other thread', db => db(MESSAGE).where({ id: 2 }).update({ thread_parent_id: 1 }), ['thread']],
  ['mailbox', db => db(MESSAGE).update({ mailbox_id: 99 }), ['mailbox counts', 'message mailbox']],
  ['removed mailbox', db => db(MAILBOX).where({ name: 'Inbox' }).update({ removed_seq: 2 }), ['mailbox removed']],
  ['removed role', db => db(MAILBOX).where({ name: 'Sent' }).update({ removed_seq: 2 }), ['role']],
  [
    'recipient',
    db => db(RECIPIENT).insert({ account_id: 1, message_id: 99, localpart: '', domain: '', sent_at: 0 }),
    ['recipient'],
  ],
  ['erase', db => db(ERASE).insert({ account_id: 1, message_id: 99, due: 0, counted: 0 }), ['erase']],
  ['erase of a live one', db => db(ERASE).insert({ account_id: 1, message_id: 1, due: 0, counted: 0 }), ['erase']],
  ['expunged', db => db(MESSAGE).where({ id: 1 }).update({ expunged_at: 1 }), ['erase', 'usage', 'mailbox counts']],
  ['index', db => db(MESSAGE).where({ id: 1 }).update({ search_id: -1 }), ['search index']],
  ['annotation of no mailbox', db => db(ANNOTATION).insert({ ...NOTE, mailbox_id: 99 }), ['annotation']],
  ['annotation of the future', db => db(ANNOTATION).insert({ ...NOTE, modseq: 99 }), ['annotation']],
  ['annotation of the account', db => db(ANNOTATION).insert(NOTE), []],
  ['log', db => db(CHANGE).insert({ account_id: 1, modseq: 99, at: 0, body: '{}' }), ['change log']],
]

test.each(DAMAGE)('damage: %s', async (_, damage, expected) => {
  await h.storage.write(damage)
  const kinds = (await h.mailboxes.verify()).map(problem => problem.split(':')[0])
  deepStrictEqual([...new Set(kinds)].sort(), [...new Set(expected)].sort())
})

test('at most so many of a kind', async () => {
  const check = async (n: number, expected: number) => {
    for (let i = 0; i < n; i++) await h.deliver('alice', 'Subject: x\n\n')
    await h.storage.write(async db => await db(MESSAGE).update({ create_seq: 0 }))
    strictEqual((await h.mailboxes.verify()).length, expected)
  }
  await check(PROBLEMS_PER_KIND - 3, PROBLEMS_PER_KIND)
  await check(1, PROBLEMS_PER_KIND)
})

test('commands', async () => {
  const run = async (name: string, words: string[], flags: [string, number][] = [], limit = 100) => {
    const command = mailboxCommands(h.mailboxes).find(c => c.path[1] === name)
    return await command?.run({ arguments: words, flags: new Map(flags), limit })
  }
  const list = await run('list', ['alice'], [], 3)
  deepStrictEqual(
    list?.kind === 'rows' && [list.rows.map(row => [row.name, row.use, row.messages, row.unread]), list.more],
    [
      [
        ['Archive', 'archive', 0, 0],
        ['Drafts', 'drafts', 0, 0],
        ['Inbox', '', 3, 3],
      ],
      true,
    ],
  )
  const messages = await run('messages', ['alice', 'inbox'], [['after', 2]])
  deepStrictEqual(messages?.kind === 'rows' && [messages.rows, messages.more], [
    [
      {
        uid: 3,
        id: 3,
        received: '2026-01-01T00:00:00.000Z',
        size: 57,
        flags: 'k',
        from: 'sender@remote.test',
        subject: 'x',
      },
    ],
    false,
  ])
  deepStrictEqual(await run('verify', []), { kind: 'text', text: 'message stores are consistent', failed: false })
  await h.storage.write(async db => await db(ACCOUNT).update({ used: 0 }))
  const text = 'usage: account alice uses 171 bytes, recorded are 0'
  deepStrictEqual(await run('verify', []), { kind: 'text', text, failed: true })
  const fails = async (name: string, words: string[]) => await run(name, words).catch((err: Error) => err.message)
  strictEqual(await fails('list', ['nobody']), 'there is no account "nobody"')
  strictEqual(await fails('messages', ['alice', 'x']), 'account alice has no mailbox "x"')
})
