// Pages of messages and threads against a model: every order, scope and page size gives the same list as sorting in memory.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { type ListedMessage, type ListScope, MailboxError, type MailStore, UsageError } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { LIST_ADDRESSES, LIST_NAME_LENGTH } from '../src/correspondents.ts'
import { searchKey } from '../src/indexer.ts'
import { LIST_PAGE } from '../src/pages.ts'
import { MESSAGE } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { THREAD_MEMBERS } from '../src/thread-members.ts'
import { type Harness, START } from './support/harness.ts'
import { openSqliteHarness } from './support/sqlite.ts'

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openSqliteHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

interface Known {
  readonly id: number
  readonly mailbox: string
  readonly received: number
  readonly thread: number
  readonly seen: boolean
}

const MAILBOXES = ['Inbox', 'Archive', 'Archive/Old', 'Junk', 'Trash', 'Rejects', 'a_b']

/** Messages with equal and unordered times of receipt, in threads across mailboxes. */
async function fill(count: number): Promise<Known[]> {
  const known: Known[] = []
  let random = 7
  const next = (n: number): number => {
    random = (random * 48_271) % 2_147_483_647
    return random % n
  }
  for (let i = 0; i < count; i++) {
    const thread = next(Math.ceil(count / 3))
    const received = START + next(count) * 1_000
    const mailbox = MAILBOXES[next(MAILBOXES.length)] ?? ''
    const seen = next(2) === 0
    const text = `Subject: t${thread}\nMessage-ID: <${i}@x>\nReferences: <root${thread}@x>\n\nbody ${i}`
    const outcome = await h.deliver('alice', i % 5 === 0 ? text.replace(`<${i}@x>`, `<root${thread}@x>`) : text, {
      ...{ mailbox, receivedAt: received, seen },
    })
    if (!outcome.ok) throw new Error('not delivered')
    known.push({ id: outcome.id, mailbox, received, thread: 0, seen })
  }
  await h.deliver('bob', 'Subject: not mine\n\n')
  const rows: { id: number; thread_id: number }[] = await h.storage.db(MESSAGE).select('id', 'thread_id')
  const threads = new Map(rows.map(row => [row.id, row.thread_id]))
  return known.map(k => ({ ...k, thread: threads.get(k.id) ?? 0 }))
}

const ASIDE = ['Junk', 'Trash', 'Rejects']
const SCOPES: [ListScope, (mailbox: string) => boolean][] = [
  ['usual', mailbox => !ASIDE.includes(mailbox)],
  ['all', () => true],
  [{ mailbox: 'Inbox' }, mailbox => mailbox === 'Inbox'],
  [{ mailbox: 'Archive', below: true }, mailbox => mailbox.startsWith('Archive')],
  [{ mailbox: 'Trash' }, mailbox => mailbox === 'Trash'],
]

function sorted(known: readonly Known[], order: 'newest' | 'oldest'): Known[] {
  const sign = order === 'newest' ? -1 : 1
  return known.toSorted((a, b) => sign * (a.received - b.received || a.id - b.id))
}

test('pages of messages', async () => {
  const known = await fill(120)
  for (const [scope, within] of SCOPES)
    for (const order of ['newest', 'oldest'] as const)
      for (const limit of [7, 1_000])
        for (const unread of [false, true]) {
          const filter = unread ? { labels: [{ text: '\\seen', not: true }] } : {}
          const ids: number[] = []
          for (let cursor: string | undefined; ; ) {
            const page = await store.list({ scope, filter, order, limit, ...(cursor === undefined ? {} : { cursor }) })
            ids.push(...page.messages.map(m => m.id))
            cursor = page.next
            if (cursor === undefined) break
          }
          const expected = sorted(known, order).filter(k => within(k.mailbox) && !(unread && k.seen))
          deepStrictEqual(
            ids,
            expected.map(k => k.id),
          )
        }
})

test('pages of threads', async () => {
  const known = await fill(120)
  for (const [scope, within] of SCOPES)
    for (const order of ['newest', 'oldest'] as const)
      for (const words of [[], [{ text: 'bod', not: false, phrase: false }]])
        for (const limit of [4, 1_000]) {
          const found: [number, [number, boolean][], number][] = []
          for (let cursor: string | undefined; ; ) {
            const options = { scope, order, limit, filter: { words, labels: [{ text: '\\Seen', not: true }] } }
            const page = await store.threads({ ...options, ...(cursor === undefined ? {} : { cursor }) })
            found.push(
              ...page.threads.map((t): [number, [number, boolean][], number] => [
                t.threadId,
                t.messages.map(m => [m.id, m.matches]),
                t.total,
              ]),
            )
            cursor = page.next
            if (cursor === undefined) break
          }
          const matches = (k: Known) => within(k.mailbox) && !k.seen
          const shown = (k: Known) => matches(k) || scope === 'all' || !ASIDE.includes(k.mailbox) || within(k.mailbox)
          // Keys of the search index count seconds; ties are in the order of ids as well.
          const order_ = [
            ...new Set(
              sorted(known, order)
                .filter(matches)
                .map(k => k.thread),
            ),
          ]
          const expected = order_.map(thread => {
            const members = sorted(known, 'oldest').filter(k => k.thread === thread && shown(k))
            return [thread, members.map(k => [k.id, matches(k)]), members.length]
          })
          deepStrictEqual(found, expected)
        }
})

test('a row has what a list shows', async () => {
  const parts = [
    'From: =?utf-8?q?J=C3=BCrgen?= <j@a.test>, other@b.test',
    'To: "B, C" <bc@c.test>',
    'Cc: d@xn--bcher-kva.test',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'Date: Thu, 01 Jan 2026 10:00:00 +0000',
    'Message-ID: <M@x>',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'Hello there',
    '--b',
    'Content-Type: application/pdf; name=a.pdf',
    '',
    'x',
    '--b--',
  ]
  const delivered = await h.deliver('alice', parts.join('\n'), { keywords: ['work'] })
  if (!delivered.ok) throw new Error('not delivered')
  const [row] = (await store.list({ limit: 1 })).messages
  const flags = Object.fromEntries(Object.keys(row?.flags ?? {}).map(flag => [flag, false]))
  const expected: unknown = {
    ...{ id: delivered.id, mailboxId: row?.mailboxId, uid: 1, modseq: row?.modseq, receivedAt: START },
    sentAt: Date.UTC(2026, 0, 1, 10),
    size: row?.size,
    flags,
    keywords: ['work'],
    ...{ threadId: delivered.id, threadParentId: 0, threadMissingLink: false },
    ...{ threadMuted: false, threadCollapsed: false, messageIdHeader: 'm@x', subject: 'Grüße' },
    from: [
      { name: 'Jürgen', address: 'j@a.test' },
      { name: '', address: 'other@b.test' },
    ],
    to: [{ name: 'B, C', address: 'bc@c.test' }],
    cc: [{ name: '', address: 'd@bücher.test' }],
    bcc: [],
    preview: 'Hello there',
    attachments: ['pdf'],
  }
  deepStrictEqual(row, expected)
  deepStrictEqual(await store.listed([99, delivered.id]), [row])
  const [copy] = await store.copy([delivered.id], 'Archive')
  strictEqual((await store.listed([copy?.id ?? 0]))[0]?.preview, 'Hello there')
  await store.move([delivered.id], 'Trash')
  deepStrictEqual(
    (await store.list({ limit: 9 })).messages.map(m => m.id),
    [copy?.id],
  )
  await store.expunge([delivered.id])
  deepStrictEqual(await store.listed([delivered.id]), [])
})

test('what a row keeps of long fields', async () => {
  const row = async (head: string): Promise<ListedMessage | undefined> => {
    const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from(`${head}\r\n\r\n`) })
    return (await store.listed([id]))[0]
  }
  const list = (n: number) => `To: ${Array.from({ length: n }, (_, i) => `a${i}@x.test`).join(',')}`
  strictEqual((await row(list(LIST_ADDRESSES)))?.to.length, LIST_ADDRESSES)
  strictEqual((await row(list(LIST_ADDRESSES + 1)))?.to.length, LIST_ADDRESSES)
  const name = (n: number) => `From: ${'x'.repeat(n)} <a@x.test>`
  strictEqual((await row(name(LIST_NAME_LENGTH)))?.from[0]?.name.length, LIST_NAME_LENGTH)
  strictEqual((await row(name(LIST_NAME_LENGTH + 1)))?.from[0]?.name.length, LIST_NAME_LENGTH)
})

test('a thread with more messages than a page shows', async () => {
  const one = async (i: number) =>
    await store.append({
      ...{ mailbox: i % 2 === 0 ? 'Inbox' : 'Archive', receivedAt: START + i },
      content: Buffer.from(`Subject: s\r\nMessage-ID: <same@x>\r\n\r\n${i}`),
    })
  const ids: number[] = []
  for (let i = 0; i < THREAD_MEMBERS; i++) ids.push((await one(i)).id)
  const get = async () => (await store.threads({ limit: 10 })).threads.map(t => [t.messages.map(m => m.id), t.total])
  deepStrictEqual(await get(), [[ids, THREAD_MEMBERS]])
  ids.push((await one(THREAD_MEMBERS)).id)
  deepStrictEqual(await get(), [[ids.slice(1), THREAD_MEMBERS + 1]])
})

test('bad requests', async () => {
  await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: x\r\n\r\n') })
  await rejects(store.list({ limit: 1, scope: { mailbox: 'nowhere' } }), MailboxError)
  deepStrictEqual(await store.list({ limit: 1, scope: { mailbox: 999 } }), { messages: [], complete: true })
  for (const cursor of ['', 'x', 'r1', 'k5', 'r1.2.3', `r${'1'.repeat(30)}.1`])
    await rejects(store.list({ limit: 1, cursor }), UsageError)
  const words = [{ text: 'x', not: false, phrase: false }]
  await rejects(store.list({ limit: 1, cursor: 'r1.1', filter: { words } }), UsageError)
  await rejects(store.list({ limit: 1, signal: AbortSignal.abort(new RangeError('stop')) }), RangeError)
  strictEqual((await store.list({ limit: 0 })).messages.length, 1)
  strictEqual(LIST_PAGE, 1_000)
})

test('keys of the search index', () => {
  const check = (received: number, id: number, expected: number) => strictEqual(searchKey(received, id), expected)
  check(1_000, 5, 2 ** 20 + 5)
  check(1_999, 2 ** 20 + 5, 2 ** 20 + 5)
  check(-5_000, 1, 2 ** 20 + 1)
  check(Number.MAX_SAFE_INTEGER, 2 ** 20 - 1, 2 ** 53 - 1)
})
