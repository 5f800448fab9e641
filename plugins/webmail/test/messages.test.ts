import assert from 'node:assert/strict'
import { type MailboxInfo, type MailStore, mailboxes } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { MAX_IDS } from '../src/api/calls.ts'
import { openWebmail, refusal, type WebmailClient, type WebmailHost } from './webmail-host.ts'

let host: WebmailHost
let alice: WebmailClient
let bob: WebmailClient
let store: MailStore
beforeAll(async () => {
  host = await openWebmail({ mailboxes: { junkFlags: { junk: '^junk', neutral: '^(inbox|work)' } } })
  alice = await host.login()
  bob = await host.login('bob@example.org')
  store = await host.store('alice')
  await store.create('Work')
})
afterAll(() => host.close())

let subject = 0
/** New messages in Inbox. */
async function messages(n: number, keywords: readonly string[] = []): Promise<number[]> {
  const ids: number[] = []
  for (let i = 0; i < n; i++) {
    const content = Buffer.from(`Subject: message ${++subject}\r\n\r\nhello\r\n`)
    ids.push((await store.append({ mailbox: 'Inbox', content, keywords })).id)
  }
  return ids
}

async function mailbox(name: string): Promise<MailboxInfo> {
  const found = await store.mailbox(name)
  assert.ok(found)
  return found
}

/** "Inbox seen work": mailbox, flags and keywords of each message. */
async function states(ids: readonly number[]): Promise<string[]> {
  const names = new Map((await store.mailboxes()).map(m => [m.id, m.name]))
  return (await store.listed(ids)).map(({ mailboxId, flags, keywords }) => {
    const set = Object.entries(flags).flatMap(([flag, value]) => (value ? [flag] : []))
    return [names.get(mailboxId), ...set, ...keywords].join(' ')
  })
}

test('messages are moved, marked as read, and all of it is undone exactly', async () => {
  const ids = await messages(2, ['work'])
  const third = await messages(1)
  await alice.call('messagesFlags', { ids: third, set: ['seen', 'flagged'] })
  const all = [...ids, ...third]
  const before = await states(all)
  assert.deepEqual(before, ['Inbox work', 'Inbox work', 'Inbox seen flagged'])
  const { undo } = await alice.call('messagesMove', { ids: all, mailboxId: (await mailbox('Junk')).id, markSeen: true })
  assert.deepEqual(await states(all), ['Junk seen junk work', 'Junk seen junk work', 'Junk seen flagged junk'])
  await alice.call('undo', undo)
  assert.deepEqual(await states(all), before)
  await alice.call('undo', undo)
  assert.deepEqual(await states(all), before)
  const again = await alice.call('messagesMove', { ids: all, mailboxId: (await mailbox('Inbox')).id })
  assert.deepEqual(again.undo, { moved: [], flags: [] })
  await alice.call('messagesDelete', { ids: third })
  assert.equal(await refusal(alice.call('undo', undo)), 'conflict: some of the messages are not there any more')
})

test('undo takes back what was done, and nothing that was done since', async () => {
  const [id = 0] = await messages(1, ['work'])
  const change = async (wanted: object) => await alice.call('messagesFlags', { ids: [id], ...wanted })
  const labelled = await change({ set: ['flagged'], addKeywords: ['todo'] })
  await change({ set: ['seen'], addKeywords: ['later'], removeKeywords: ['work'] })
  await alice.call('undo', labelled.undo)
  assert.deepEqual(await states([id]), ['Inbox seen later'])
  const junked = await alice.call('messagesMove', { ids: [id], mailboxId: (await mailbox('Junk')).id, markSeen: true })
  await change({ clear: ['seen'], addKeywords: ['phish'] })
  await alice.call('undo', junked.undo)
  assert.deepEqual(await states([id]), ['Inbox later phish'])
  // Nothing was changed, so that there is nothing to take back.
  assert.deepEqual((await change({ clear: ['seen'] })).undo, { moved: [], flags: [] })
})

test('flags and labels; junk and not junk exclude each other', async () => {
  const ids = await messages(1)
  const change = async (wanted: object) => {
    await alice.call('messagesFlags', { ids, ...wanted })
    return (await states(ids))[0]
  }
  assert.equal(await change({ set: ['junk', 'seen'], addKeywords: ['A', 'b'] }), 'Inbox seen junk a b')
  assert.equal(await change({ set: ['notjunk'], removeKeywords: ['b'] }), 'Inbox seen notjunk a')
  const { undo } = await alice.call('messagesFlags', { ids, set: ['junk'], clear: ['seen'], removeKeywords: ['a'] })
  assert.deepEqual(await states(ids), ['Inbox junk'])
  await alice.call('undo', undo)
  assert.deepEqual(await states(ids), ['Inbox seen notjunk a'])
  const wrong: readonly (readonly [object, string])[] = [
    [{ set: ['seen'], clear: ['seen'] }, 'badRequest: seen cannot be set and cleared'],
    [{ set: ['junk', 'notjunk'] }, 'badRequest: junk and notjunk cannot both be set'],
    [{ addKeywords: ['x'], removeKeywords: ['x'] }, 'badRequest: a label cannot be added and removed'],
    [{ addKeywords: ['\\seen'] }, 'badRequest: a label cannot begin with a backslash'],
    [{ addKeywords: ['two words'] }, 'refused: keyword not allowed'],
  ]
  for (const [wanted, expected] of wrong)
    assert.equal(await refusal(alice.call('messagesFlags', { ids, ...wanted })), expected)
  assert.deepEqual(await states(ids), ['Inbox seen notjunk a'])
})

test('what belongs to another account is not there', async () => {
  const ids = await messages(1)
  const own = (await (await host.store('bob')).append({ mailbox: 'Inbox', content: Buffer.from('Subject: x\r\n\r\n') }))
    .id
  const bobs = (await (await host.store('bob')).mailbox('Archive'))?.id ?? 0
  const none = 'notFound: the message is not there any more'
  const noMailbox = 'notFound: the mailbox is not there any more'
  const before = await states(ids)
  const threadId = (await store.listed(ids))[0]?.threadId ?? 0
  const foreign = (await mailbox('Work')).id
  assert.equal(await refusal(bob.call('messagesMove', { ids, mailboxId: bobs })), none)
  assert.equal(await refusal(bob.call('messagesMove', { ids: [own], mailboxId: foreign })), noMailbox)
  assert.equal(
    await refusal(bob.call('messagesMove', { ids: [own, ...ids], mailboxId: bobs })),
    'notFound: some of the messages are not there any more',
  )
  assert.equal(await refusal(bob.call('messagesDelete', { ids })), none)
  assert.equal(await refusal(bob.call('messagesFlags', { ids, set: ['seen'] })), none)
  const conflict = 'conflict: some of the messages are not there any more'
  const moved = [{ id: ids[0] ?? 0, mailboxId: bobs }]
  const nothing = { set: [], clear: [], addKeywords: [], removeKeywords: [] }
  assert.equal(await refusal(bob.call('undo', { moved, flags: [] })), conflict)
  assert.equal(await refusal(bob.call('undo', { moved: [], flags: [{ ...nothing, ids, clear: ['seen'] }] })), conflict)
  await bob.call('threadsMute', { threadIds: [threadId], muted: true })
  assert.deepEqual((await bob.call('items', { ids })).items, [])
  for (const call of ['mailboxDelete', 'mailboxEmpty'] as const)
    assert.equal(await refusal(bob.call(call, { id: foreign })), noMailbox)
  assert.equal(await refusal(bob.call('mailboxRename', { id: foreign, name: 'Mine' })), noMailbox)
  assert.equal(await refusal(bob.call('mailboxRole', { id: foreign, role: 'junk' })), noMailbox)
  assert.equal(await refusal(bob.call('mailboxSubscribe', { id: foreign, subscribed: false })), noMailbox)
  assert.equal(await refusal(bob.call('mailboxesMarkRead', { ids: [foreign] })), noMailbox)
  assert.deepEqual(await states(ids), before)
  assert.equal((await store.listed(ids))[0]?.threadMuted, false)
})

test('threads, rows, and the ids of a query', async () => {
  const ids = await messages(3, ['threads'])
  const { items } = await alice.call('items', { ids: [...ids, 999_999] })
  assert.deepEqual(
    items.map(item => item.id),
    ids,
  )
  assert.equal(items[0]?.matches, true)
  const threadIds = items.map(item => item.threadId)
  await alice.call('threadsMute', { threadIds, muted: true })
  const flags = async () => (await store.listed(ids)).map(m => `${m.threadMuted} ${m.threadCollapsed}`)
  assert.deepEqual(await flags(), ['true true', 'true true', 'true true'])
  await alice.call('threadsMute', { threadIds, muted: false })
  await alice.call('threadsCollapse', { threadIds: threadIds.slice(1), collapsed: false })
  assert.deepEqual(await flags(), ['false true', 'false false', 'false false'])
  const query = {
    ...{ scope: { mailbox: 'Inbox' }, filter: { labels: [{ text: 'threads', not: false }] } },
    ...{ order: 'oldest' as const, threads: true },
  }
  assert.deepEqual(await alice.call('queryIds', { query }), { ids, complete: true })
  const missing = { ...query, scope: { mailbox: 'None' } }
  assert.match(await refusal(alice.call('queryIds', { query: missing })), /^notFound: /)
})

test('parameters are checked before anything is done', async () => {
  const usual = { scope: 'usual', order: 'newest', threads: true }
  const [id = 0] = await messages(1)
  const rows: readonly (readonly [Parameters<WebmailClient['raw']>[0], unknown, RegExp])[] = [
    ['messagesMove', {}, /^badRequest: ids: .*; mailboxId: /],
    ['messagesMove', { ids: [], mailboxId: 1 }, /^badRequest: ids: /],
    ['messagesMove', { ids: [id], mailboxId: 0 }, /^badRequest: mailboxId: /],
    ['messagesMove', { ids: [id], mailboxId: 1, more: 1 }, /^badRequest: .*more/],
    ['messagesDelete', { ids: Array.from({ length: MAX_IDS + 1 }, (_, i) => i + 1) }, /^badRequest: ids: /],
    ['messagesDelete', { ids: [1.5] }, /^badRequest: ids\.0: /],
    ['messagesFlags', { ids: [id], set: ['recent'] }, /^badRequest: set\.0: /],
    ['undo', { moved: [{ id }], flags: [] }, /^badRequest: moved\.0\.mailboxId: /],
    [
      'undo',
      {
        moved: [],
        flags: [{ ids: [id], set: Array(11).fill('seen'), clear: [], addKeywords: [], removeKeywords: [] }],
      },
      /^badRequest: flags\.0\.set: /,
    ],
    ['queryIds', { query: { scope: 'every', order: 'newest', threads: true } }, /^badRequest: query\.scope: /],
    [
      'queryIds',
      { query: { ...usual, filter: { from: Array(101).fill({ text: 'a', not: true }) } } },
      /^badRequest: query\.filter\.from: /,
    ],
    [
      'queryIds',
      { query: { ...usual, filter: { files: [{ text: 'a'.repeat(2_001), not: false }] } } },
      /^badRequest: query\.filter\.files\.0\.text: /,
    ],
    ['threadsMute', { threadIds: [id], muted: 'yes' }, /^badRequest: muted: /],
    ['items', { ids: 'all' }, /^badRequest: ids: /],
    ['mailboxCreate', { name: '' }, /^badRequest: name: /],
    ['mailboxRename', { id: 1 }, /^badRequest: name: /],
    ['mailboxDelete', { id: '1' }, /^badRequest: id: /],
    ['mailboxEmpty', [], /^badRequest: request: /],
    ['mailboxesMarkRead', { ids: [-1] }, /^badRequest: ids\.0: /],
    ['mailboxRole', { id: 1, role: 'inbox' }, /^badRequest: role: /],
    ['mailboxSubscribe', { id: 1 }, /^badRequest: subscribed: /],
    ['settingsSave', { settings: {} }, /^badRequest: settings\.signature: /],
    ['deviceRevoke', { id: 1 }, /^badRequest: id: /],
  ]
  for (const [name, params, expected] of rows) assert.match(await refusal(alice.raw(name, params)), expected, name)
})

test('mailboxes are made, renamed, given roles, emptied and removed', async () => {
  const made = await alice.call('mailboxCreate', { name: 'Lists/node' })
  assert.equal(`${made.name} ${made.subscribed}`, 'Lists/node true')
  assert.equal(await refusal(alice.call('mailboxCreate', { name: 'Lists/node' })), 'refused: mailbox exists')
  assert.match(await refusal(alice.call('mailboxCreate', { name: 'a//b' })), /^refused: /)
  await alice.call('mailboxRename', { id: made.id, name: 'Lists/js' })
  assert.equal((await mailbox('Lists/js')).id, made.id)
  const inbox = (await mailbox('Inbox')).id
  assert.equal(await refusal(alice.call('mailboxDelete', { id: inbox })), 'refused: Inbox cannot be removed')
  assert.match(await refusal(alice.call('mailboxRename', { id: inbox, name: 'Other' })), /^refused: Inbox/)
  assert.equal(
    await refusal(alice.call('mailboxDelete', { id: (await mailbox('Lists')).id })),
    'refused: mailbox has mailboxes below it',
  )
  await alice.call('mailboxRole', { id: made.id, role: 'archive' })
  assert.deepEqual((await mailbox('Lists/js')).specialUse, ['archive'])
  assert.deepEqual((await mailbox('Archive')).specialUse, [])
  await alice.call('mailboxRole', { id: made.id, role: null })
  assert.deepEqual((await mailbox('Lists/js')).specialUse, [])
  await alice.call('mailboxSubscribe', { id: made.id, subscribed: false })
  assert.equal((await mailbox('Lists/js')).subscribed, false)
  const ids = await messages(3)
  await alice.call('messagesMove', { ids, mailboxId: made.id })
  await alice.call('mailboxEmpty', { id: made.id })
  assert.equal((await mailbox('Lists/js')).total, 0)
  const more = await messages(2)
  await alice.call('messagesMove', { ids: more, mailboxId: made.id })
  await alice.call('mailboxDelete', { id: made.id })
  assert.equal(await store.mailbox('Lists/js'), undefined)
  assert.deepEqual(await store.listed(more), [])
  assert.deepEqual(await host.service(mailboxes).verify(), [])
})

test('a mailbox is marked as read, which can be undone', async () => {
  const made = await alice.call('mailboxCreate', { name: 'Unread' })
  const ids = await messages(3, ['kept'])
  await alice.call('messagesFlags', { ids: ids.slice(0, 1), set: ['seen'] })
  await alice.call('messagesMove', { ids, mailboxId: made.id })
  const { undo } = await alice.call('mailboxesMarkRead', { ids: [made.id, (await mailbox('Trash')).id] })
  assert.equal((await mailbox('Unread')).unread, 0)
  assert.deepEqual(
    undo.flags.map(({ ids, clear }) => [ids.length, clear]),
    [[2, ['seen']]],
  )
  await alice.call('undo', undo)
  assert.equal((await mailbox('Unread')).unread, 2)
})

test('usage is told in bytes', async () => {
  const { used, quota } = await alice.call('usage', {})
  assert.ok(used > 0)
  assert.equal(quota, 0)
})
