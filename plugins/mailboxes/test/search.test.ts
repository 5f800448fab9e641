// Searches on the real index: what each condition finds, and what new, moved and removed messages do to it.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import type { Clock, ListOptions, MailStore } from '@mox/plugin-sdk'
import { parseSearch } from '@mox/plugin-sdk/mail'
import { afterEach, beforeEach, test } from 'vitest'
import { DIGEST_MS, Digester, INLINE_OCTETS } from '../src/digester.ts'
import { BATCH, BUSY_PAUSE_MS, INDEX, LIGHT_PAUSE_MS, PAUSE_MS, WAKE_MS } from '../src/indexer.ts'
import { MESSAGE } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness, START } from './support/harness.ts'
import { openSqliteHarness } from './support/sqlite.ts'

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openSqliteHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

const options = {
  today: { year: 2026, month: 1, day: 1 },
  time: (year: number, month: number, day: number, hour: number, minute: number) =>
    Date.UTC(year, month - 1, day, hour, minute),
}

async function search(text: string, more: Partial<ListOptions> = {}): Promise<string[]> {
  const { filter, mailbox, below } = parseSearch(text, options)
  const scope = mailbox === undefined ? 'usual' : mailbox === '' ? 'all' : { mailbox, below }
  const page = await store.list({ filter, scope, limit: 100, ...more })
  return page.messages.map(m => m.subject).sort()
}

const pdf =
  'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the plan\n--b\nContent-Type: application/pdf; name="Plan_B 50%.pdf"\n\nx\n--b--'

async function fill(): Promise<void> {
  const day = 86_400_000
  const put = async (n: number, head: string, body: string, fields = {}) =>
    await h.deliver('alice', `${head}\n\n${body}`.replace(/\n\n(?=Content-Type)/, '\n'), {
      receivedAt: START + n * day,
      ...fields,
    })
  await put(0, 'Subject: one\nFrom: "Ann Example" <ann@a.test>\nTo: alice@x.test', 'The quick brown fox', {
    seen: true,
  })
  await put(1, 'Subject: two\nFrom: bob@b.test\nCc: Carol <c@c.test>\nList-Id: <l.b.test>', pdf)
  await put(2, 'Subject: three 50%_off\nFrom: Ünal <u@b.test>', 'A fox is quick or brown. 東京の港', {
    keywords: ['Work'],
  })
  await put(3, 'Subject: four\nFrom: ann@a.test\nDate: Wed, 1 Oct 2025 12:00:00 +0000', 'quick words in Archive', {
    mailbox: 'Archive/Old',
  })
  await put(4, 'Subject: five\nFrom: spam@s.test\nContent-Type: text/html', '<p>quick money</p>', { junk: true })
  await h.deliver('bob', 'Subject: not mine\n\nquick')
}

test('conditions', async () => {
  deepStrictEqual(await search('before there is anything'), [])
  await fill()
  const check = async (text: string, expected: string) =>
    deepStrictEqual([text, await search(text)], [text, expected === '' ? [] : expected.split(',')])
  const three = 'three 50%_off'
  await check('', `four,one,${three},two`)
  await check('mb:', `five,four,one,${three},two`)
  await check('mb:inbox', `one,${three},two`)
  await check('mb:Archive', '')
  await check('mb:Archive submb:', 'four')
  await check('quick', `four,one,${three}`)
  await check('qu', '')
  await check('is', three)
  await check('QUI', `four,one,${three}`)
  await check('"quick brown"', 'one')
  await check('"qui"', '')
  await check('quick -brown', 'four')
  await check('quick -"brown fox"', `four,${three}`)
  await check('-quick', 'two')
  await check('mb: quick', `five,four,one,${three}`)
  await check('京の', three)
  await check('unal', three)
  await check('from:ann', 'four,one')
  await check('-f:ann', `${three},two`)
  await check('f:"example"', 'one')
  await check('f:ÜNAL', three)
  await check('from:nn', 'four,one')
  await check('from:xampl', 'one')
  await check('from:"example ann"', '')
  await check('from:xampl quick -brown', '')
  await check('from:ann quick -brown', 'four')
  await check('from:ann -from:example', 'four')
  await check('mb:inbox from:@b.test', `${three},two`)
  await check('from:nobody', '')
  await check('s:ee', three)
  await check('to:carol', 'two')
  await check('to:rol t:c.te', 'two')
  await check('t:x.test', 'one')
  await check('s:50%_', three)
  await check('s:5_%', '')
  await check('-s:50%_', 'four,one,two')
  await check('s:f', `four,${three}`)
  await check('l:work', three)
  await check('-l:work', 'four,one,two')
  await check('l:\\Seen', 'one')
  await check('-l:\\seen quick', `four,${three}`)
  await check('l:(', '')
  await check('a:any', 'two')
  await check('a:none', `four,one,${three}`)
  await check('a:pdf', 'two')
  await check('-a:pdf quick', `four,one,${three}`)
  await check('a:image', '')
  await check('plan', 'two')
  await check('file:plan', 'two')
  await check('file:"LAN_B 50%.p"', 'two')
  await check('file:5_%', '')
  await check('file:b', 'two')
  await check('file:none', '')
  await check('-file:plan', `four,one,${three}`)
  await check('-file:plan quick', `four,one,${three}`)
  await check('has:html', '')
  await check('mb: has:html', 'five')
  await check('has:text', `four,one,${three},two`)
  await check('-has:html quick', `four,one,${three}`)
  await check('mb: -has:text', 'five')
  await check('has:attachment', 'two')
  await check('sentstart:2025-10-1 sentend:2025-10-1', 'four')
  await check('sentend:2025-9-30', '')
  await check('h:list-id', 'two')
  await check('h:List-Id:L.B', 'two')
  await check('h:List-Id:other', '')
  await check('h:list', '')
  await check('h:from:ünal', three)
  await check('start:2026-1-3', `four,${three}`)
  await check('end:2026-1-3 start:2026-1-2', `${three},two`)
  await check('start:2026-1-4T0:01', '')
  await check('minsize:1b maxsize:1kb', `four,one,${three},two`)
  await check('minsize:1kb', '')
  await check('!!! quick', `four,one,${three}`)
  await check('a22', '')
})

test('pages of a search, and giving up', async () => {
  for (let i = 0; i < 25; i++)
    await h.deliver('alice', `Subject: m${i}\n\nword ${i % 5 === 0 ? 'rare' : ''}`, {
      receivedAt: START + (i % 7) * 1000,
    })
  const all = async (order: 'newest' | 'oldest', limit: number): Promise<number[]> => {
    const ids: number[] = []
    for (let cursor: string | undefined; ; ) {
      const filter = { words: [{ text: 'word', phrase: false, not: false }] }
      const page = await store.list({ filter, order, limit, ...(cursor === undefined ? {} : { cursor }) })
      ids.push(...page.messages.map(m => m.id))
      strictEqual(page.complete, true)
      if (page.next === undefined) return ids
      cursor = page.next
    }
  }
  const rows: { id: number }[] = await h.storage.db(MESSAGE).select('id').orderBy(['received_at', 'id'])
  const ids = rows.map(row => row.id)
  for (const limit of [1, 4, 25, 100]) {
    deepStrictEqual(await all('oldest', limit), ids)
    deepStrictEqual(await all('newest', limit), ids.toReversed())
  }
  const reason = new RangeError('stop')
  const signal = AbortSignal.abort(reason)
  await rejects(store.list({ limit: 1, signal, filter: { words: [{ text: 'w', phrase: false, not: false }] } }), reason)
})

test('flags, moves, copies and removals', async () => {
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: s\r\n\r\nfindme') })
  deepStrictEqual(await search('findme'), ['s'])
  await store.setFlags([id], { set: { flagged: true } })
  deepStrictEqual(await search('findme l:\\flagged'), ['s'])
  await store.copy([id], 'Archive')
  deepStrictEqual(await search('findme'), ['s', 's'])
  await store.move([id], 'Trash')
  deepStrictEqual([await search('findme'), await search('mb: findme')], [['s'], ['s', 's']])
  const query = { filter: { words: [{ text: 'findme', phrase: false, not: false }] } }
  deepStrictEqual(await store.matching(query, [id, 99]), [])
  deepStrictEqual(await store.matching({ ...query, scope: 'all' }, [99, id]), [id])
  await store.expunge([id])
  deepStrictEqual(await search('mb: findme'), ['s'])
  await h.housekeeping.idle()
  const [row] = await h.storage.db(MESSAGE).where({ id })
  deepStrictEqual([row.search_id, row.preview, row.correspondents], [-id, null, ''])
  const keys = await h.storage.search?.query(INDEX, [{ text: 'findme' }], { limit: 9 })
  strictEqual(keys?.length, 1)
})

test('the check compares with the index', async () => {
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: s\r\n\r\nword') })
  strictEqual((await search('word')).length, 1)
  const key = (await h.storage.db(MESSAGE).where({ id }).first('search_id')).search_id
  await h.storage.write(async () => await h.storage.search?.remove(INDEX, key))
  deepStrictEqual(await h.mailboxes.verify(), [`search index: message ${id} is not in it`])
  await h.storage.write(async db => await db(MESSAGE).where({ id }).update({ search_id: null }))
  strictEqual((await search('word')).length, 1)
})

const waiting = async (): Promise<number> => (await h.storage.db(MESSAGE).whereNull('search_id')).length

test('new messages are read after a pause, and what a crash left is read at the next start', async () => {
  const { indexer } = h.context
  for (let i = 0; i < BATCH + 1; i++) await h.deliver('alice', `Subject: m${i}\n\nbody`)
  strictEqual(await waiting(), BATCH + 1)
  indexer.start()
  const step = async (ms: number) => {
    h.clock.advance(ms)
    await indexer.ensure([-1])
    return await waiting()
  }
  strictEqual(await step(PAUSE_MS), 1)
  strictEqual(await step(BUSY_PAUSE_MS - 1), 1)
  strictEqual(await step(1), 0)
  // Nothing is left: it rests until it is woken.
  strictEqual(await step(BUSY_PAUSE_MS), 0)
  for (let i = 0; i < 2 * BATCH + 1; i++) await h.deliver('alice', `Subject: light${i}\n\nbody`)
  strictEqual(await step(WAKE_MS - 1), 2 * BATCH + 1)
  strictEqual(await step(1), BATCH + 1)
  // Few came in that time, none since.
  strictEqual(await step(LIGHT_PAUSE_MS - 1), BATCH + 1)
  strictEqual(await step(1), 1)
  strictEqual(await step(PAUSE_MS), 0)
  await indexer.stop()
  await h.deliver('alice', 'Subject: late\n\nbody')
  strictEqual(await step(60_000), 1)
  const more = { filter: { words: [{ text: 'body', phrase: false, not: false }] }, limit: 100 }
  strictEqual((await store.list(more)).messages.length, 3 * BATCH + 3)
})

test('a long backlog: pages say that they are not complete', async () => {
  await h.storage.write(async () => {
    for (let i = 0; i < 110; i++) await h.mailboxes.deliver(await h.delivery('alice', `Subject: m\n\nbody`))
  })
  const filter = { words: [{ text: 'body', phrase: false, not: false }] }
  const page = await store.list({ filter, limit: 1_000 })
  deepStrictEqual([page.messages.length, page.complete], [100, false])
  await h.context.indexer.finish()
  const whole = await store.list({ filter, limit: 1_000 })
  deepStrictEqual([whole.messages.length, whole.complete], [110, true])
})

test('large messages are read in a thread; one that takes too long by its beginning', async () => {
  const body = `Subject: large\n\n${'line of text\n'.repeat(INLINE_OCTETS / 10)}at the end`
  await h.deliver('alice', body)
  deepStrictEqual(await search('end'), ['large'])
  const clock: Clock = {
    now: () => START,
    sleep: async () => {},
    after: (ms, work) => {
      strictEqual(ms, DIGEST_MS)
      // The time is up before the thread can answer.
      process.nextTick(work)
      return () => {}
    },
  }
  const digester = new Digester(clock, h.context.log)
  const check = async (octets: number, expected: boolean) => {
    const { text } = await digester.digest(
      1,
      Buffer.from(`Subject: s\r\n\r\n${'x '.repeat(octets)}`.slice(0, octets - 3) + 'end'),
    )
    strictEqual(text.endsWith('end'), expected)
  }
  await check(INLINE_OCTETS, true)
  await check(INLINE_OCTETS + 1, false)
  digester.close()
})

test('a storage without full text looks in subject and names', async () => {
  const other = await openHarness()
  try {
    const plain = await other.mailboxes.store('alice')
    await other.deliver('alice', 'Subject: Needle in\nFrom: Ann <a@x.test>\n\nbody')
    const find = async (text: string, not = false) =>
      (await plain.list({ filter: { words: [{ text, not, phrase: false }] }, limit: 9 })).messages.length
    deepStrictEqual(
      [await find('needle'), await find('ann'), await find('body'), await find('body', true)],
      [1, 1, 0, 1],
    )
    deepStrictEqual(await other.mailboxes.verify(), [])
  } finally {
    await other.close()
  }
})
