// Importing and exporting: a round trip loses nothing, other programs' archives are understood, a second run adds nothing, and
// hostile archives are refused.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  type DeliveryRule,
  type ExportOptions,
  type ImportEvent,
  type ImportOptions,
  MailboxError,
  type MailStore,
  type Storage,
  UsageError,
} from '@mox/plugin-sdk'
import { endOfDirectory, ZipWriter } from '@mox/plugin-sdk/io'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, test } from 'vitest'
import { archiveCommands } from '../src/archive-commands.ts'
import { ARCHIVE_ENTRIES, ARCHIVE_RATIO, ARCHIVE_SLACK, Guard } from '../src/archive-read.ts'
import { IMPORT_MESSAGE_BYTES, readMbox } from '../src/mbox.ts'
import { ACCOUNT, MESSAGE } from '../src/schema.ts'
import { Snapshot } from '../src/snapshot.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness, START } from './support/harness.ts'

let h: Harness
let store: MailStore
let dir: string
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
  dir = await mkdtemp(join(tmpdir(), 'mox-archives-'))
})
afterEach(async () => {
  await h.close()
  await rm(dir, { recursive: true })
})
verifyAfterEach(afterEach, () => h.mailboxes)

async function save(name: string, chunks: AsyncIterable<Buffer> | Buffer): Promise<string> {
  const path = join(dir, name)
  const all: Buffer[] = []
  for await (const chunk of Buffer.isBuffer(chunks) ? [chunks] : chunks) all.push(chunk)
  await writeFile(path, Buffer.concat(all))
  return path
}

async function run(to: MailStore, path: string, options: ImportOptions = {}) {
  const events: ImportEvent[] = []
  const { added, duplicates, skipped } = await to.import(path, { ...options, progress: event => events.push(event) })
  return {
    counts: [added, duplicates, skipped],
    problems: events.flatMap(event => (event.kind === 'problem' ? [event.text] : [])),
    mailboxes: events.flatMap(event => (event.kind === 'count' ? [`${event.mailbox} ${event.messages}`] : [])),
  }
}

/** All that a client sees, without what is numbered anew. */
async function contents(of: MailStore) {
  const mailboxes = await of.mailboxes()
  const seen: unknown[] = []
  for (const mailbox of mailboxes) {
    const messages = await of.messages(mailbox.id, { limit: 1_000 })
    for (const { id, flags, keywords, receivedAt, subject } of messages) {
      const chunks: Buffer[] = []
      for await (const chunk of await h.mailboxes.open(id)) chunks.push(chunk)
      const [row] = await h.storage.db(MESSAGE).where({ id }).select('thread_muted', 'thread_collapsed', 'prefix')
      const muted = [row.thread_muted, row.thread_collapsed]
      seen.push([mailbox.name, subject, flags, keywords, receivedAt, muted, Buffer.concat(chunks).toString('latin1')])
    }
  }
  return { mailboxes: mailboxes.map(m => [m.name, m.specialUse, m.subscribed]), seen }
}

async function fill(): Promise<void> {
  await store.create('Lists/A')
  await store.subscribe('Lists/A', false)
  await store.subscribe('nowhere', true)
  await store.setSpecialUse('Archive', [])
  await store.setSpecialUse('Lists/A', ['archive'])
  await h.deliver('alice', 'Subject: one\nMessage-ID: <1@x>\n\nFrom the start\n>From quoted\n.\n', {
    keywords: ['work', '$Forwarded'],
    receivedAt: START + 123,
  })
  const { id } = await store.append({
    ...{ mailbox: 'Lists/A', receivedAt: START + 5_000, keywords: ['a_b', '$label2'] },
    content: Buffer.from('Subject: two\r\nReferences: <1@x>\r\n\r\nno line end \xff', 'latin1'),
    flags: { seen: true, answered: true, flagged: true, mdnSent: true },
  })
  await store.append({ mailbox: 'Junk', content: Buffer.from('Subject: three\r\n\r\n') })
  await store.setThread(id, { muted: true, collapsed: true })
}

test('Maildir archives lose nothing', async () => {
  await fill()
  const expected = await contents(store)
  for (const archive of ['tar', 'tgz', 'zip'] as const) {
    const path = await save(`all.${archive}`, store.export({ format: 'maildir', archive }))
    // A store of its own for each archive.
    const other = await openHarness()
    try {
      const to = await other.mailboxes.store('alice')
      await to.setSpecialUse('Archive', [])
      deepStrictEqual(await run(to, path), {
        ...{ counts: [3, 0, 0], problems: [] },
        mailboxes: ['Inbox 1', 'Junk 1', 'Lists/A 1'],
      })
      const own = h
      h = other
      deepStrictEqual(await contents(to), expected)
      deepStrictEqual(await other.mailboxes.verify(), [])
      h = own
      deepStrictEqual((await run(to, path)).counts, [0, 3, 0])
    } finally {
      await other.close()
    }
  }
  // Into the account it came from: delivered mail is known by its Message-ID and bytes, the others have none.
  deepStrictEqual((await run(store, join(dir, 'all.zip'))).counts, [2, 1, 0])
  deepStrictEqual((await run(store, join(dir, 'all.zip'))).counts, [0, 3, 0])
})

test('what was removed since an import comes back', async () => {
  const path = await save('a.mbox', Buffer.from('From a@x.test Thu Jan  1 10:00:00 2026\nSubject: s\n\nbody\n'))
  deepStrictEqual((await run(store, path)).counts, [1, 0, 0])
  const inbox = (await store.mailbox('Inbox'))?.id ?? 0
  await store.expunge((await store.messages(inbox, { limit: 1 })).map(m => m.id))
  deepStrictEqual(
    [(await run(store, path)).counts, (await run(store, path)).counts],
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  )
})

test('what an account has beside its messages', async () => {
  await store.create('a/b')
  await store.setIntrobox('New')
  await store.annotate('', [{ key: '/private/comment', value: 'of the account' }])
  await store.annotate('a/b', [
    { key: '/shared/comment', value: 'ünïcode\n' },
    { key: '/private/vendor/x', value: Buffer.from([0, 255, 10]) },
    { key: '/private/vendor/large', value: '\u0001'.repeat(64 * 1024) },
  ])
  const rules: DeliveryRule[] = [
    {
      ...{ recipient: 'alice@local.test', mailFrom: 'a', verifiedDomain: 'x.test', forward: true, mailbox: 'a/b' },
      ...{ listAllowDomain: 'y.test', acceptRejects: 'Kept', headers: [{ name: 'b', value: 'c' }], comment: 'why' },
    },
    { recipient: '', msgFrom: 'second', mailbox: 'Archive', comment: '' },
  ]
  for (const rule of rules) await store.addRule(rule)
  const verified = { verifiedDomains: ['s.test'] }
  await h.deliver('alice', 'From: x@s.test\nSubject: new\n\n', { receivedAt: START, ...verified })
  await h.deliver('alice', 'From: y@s.test\nSubject: refused\n\n', { receivedAt: START, rejected: true })
  const all = async (of: MailStore) => {
    const names = (await of.mailboxes()).map(m => m.name)
    const rows: Record<string, unknown>[] = await h.storage
      .db(MESSAGE)
      .join('mailboxes_account as a', 'a.id', `${MESSAGE}.account_id`)
      .leftJoin('mailboxes_mailbox as d', 'd.id', 'destined_mailbox_id')
      .where({ 'a.name': of.account })
      .orderBy('subject')
      .select('subject', 'mail_from', 'rcpt_to', 'is_reject', 'is_forward', 'from_verified', 'd.name as destined')
    const notes = []
    for (const name of ['', ...names])
      notes.push((await of.annotations(name)).map(({ key, value }) => [name, key, value]))
    return { names, introbox: (await of.mailboxes()).find(m => m.introbox)?.name, rows, notes, rules: await of.rules() }
  }
  const expected = await all(store)
  deepStrictEqual([expected.rules, expected.rows.length, expected.introbox], [rules, 2, 'New'])
  const bob = await h.mailboxes.store('bob')
  // What is there already stays.
  await bob.annotate('', [{ key: '/private/comment', value: 'of bob' }])
  const path = await save('all.tgz', store.export({ format: 'maildir', archive: 'tgz' }))
  deepStrictEqual(await run(bob, path), { counts: [2, 0, 0], problems: [], mailboxes: ['New 1', 'Rejects 1'] })
  const [account, ...others] = expected.notes
  deepStrictEqual(account, [['', '/private/comment', 'of the account']])
  const notes = [[['', '/private/comment', 'of bob']], ...others]
  deepStrictEqual(await all(bob), { ...expected, notes })
  deepStrictEqual((await run(bob, path)).counts, [0, 2, 0])
  deepStrictEqual(await all(bob), { ...expected, notes })
  // One mailbox takes its own annotations along, and no rules; names begin with its own.
  const one = await save('one.zip', store.export({ format: 'maildir', archive: 'zip', mailbox: 'a/b' }))
  const other = await openHarness(['carol'])
  try {
    const carol = await other.mailboxes.store('carol')
    await run(carol, one)
    deepStrictEqual(
      [await carol.rules(), (await carol.annotations('b')).length, await carol.annotations('')],
      [[], 3, []],
    )
    deepStrictEqual(await other.mailboxes.verify(), [])
  } finally {
    await other.close()
  }
})

test('lines of annotations and manifests that are not ours', async () => {
  const rule = { recipient: '', mailbox: 'x', comment: '' }
  const bytes = await tarOf([
    [
      'mox-export.json',
      JSON.stringify({ version: 1, mailboxes: [], subscriptions: [], rules: [rule, { ...rule, msgFrom: '(' }] }),
    ],
    ['mox-annotations.0.jsonl', '{}\n{"mailbox":"a//b","key":"/private/a","value":"","binary":false}\n'],
    ['mox-annotations.1.jsonl', '{"mailbox":"","key":"bad","value":"","binary":false}\n'],
    ['a/mox-annotations.0.jsonl', ''],
  ])
  deepStrictEqual((await run(store, await save('a.tar', bytes))).problems, [
    'mox-annotations.0.jsonl: a line is not as it should be',
    'annotation /private/a: double slash in mailbox name',
    'annotation bad: not a key of an annotation: it begins with /private/ or /shared/',
    'a/mox-annotations.0.jsonl: no mail in this file',
    'rule for x: the rule has no condition and would take everything; give it one',
    'rule for x: msgFrom is no regular expression of RE2: it has no look-around and no back-references',
  ])
  deepStrictEqual(await store.rules(), [])
})

test('some messages, some mailboxes', async () => {
  await fill()
  await store.create('Lists/A/Deep')
  const messages = await store.list({ scope: 'all', order: 'oldest', limit: 9 })
  const ids = messages.messages.slice(0, 2).map(m => m.id)
  const bob = await h.mailboxes.store('bob')
  for (const archive of ['tar', 'none'] as const) {
    const path = await save(
      `some.${archive}`,
      store.export({ format: 'mbox', archive, ids: [...ids, 999, ids[0] ?? 0] }),
    )
    deepStrictEqual((await run(bob, path, { mailbox: `some ${archive}` })).counts, [2, 0, 0])
  }
  deepStrictEqual((await bob.mailbox('Export'))?.total, 2)
  const names = async (options: Partial<ExportOptions>) => {
    const other = await openHarness(['x'])
    try {
      const to = await other.mailboxes.store('x')
      const before = new Set((await to.mailboxes()).map(m => m.name))
      await run(to, await save('m.zip', store.export({ format: 'maildir', archive: 'zip', ...options })))
      return (await to.mailboxes()).map(m => m.name).filter(name => !before.has(name))
    } finally {
      await other.close()
    }
  }
  deepStrictEqual(await names({ mailbox: 'Lists/A' }), ['A', 'A/Deep'])
  deepStrictEqual(await names({ mailbox: 'Lists/A', below: false }), ['A'])
  deepStrictEqual(await names({ ids }), ['Export'])
})

test('an export is the state of one moment', async () => {
  await fill()
  for (let i = 0; i < 3; i++)
    await store.append({ mailbox: 'Archive', content: Buffer.from(`Subject: more ${i}\r\n\r\n`) })
  const expected = await contents(store)
  const chunks: Buffer[] = []
  // In memory at once but for what is read while the archive is made.
  for await (const chunk of store.export({ format: 'maildir', archive: 'tar' })) {
    chunks.push(chunk)
    if (chunks.length > 1) continue
    const all = await store.list({ scope: 'all', limit: 100 })
    const ids = all.messages.map(m => m.id)
    await store.setFlags(ids, { set: { deleted: true }, addKeywords: ['late'] })
    await store.move(ids.slice(0, 2), 'Trash')
    await store.expunge(ids.slice(2))
    await h.housekeeping.idle()
    await h.deliver('alice', 'Subject: late\n\n')
  }
  const other = await openHarness()
  const own = h
  try {
    const to = await other.mailboxes.store('alice')
    await to.setSpecialUse('Archive', [])
    strictEqual((await run(to, await save('all.tar', Buffer.concat(chunks)))).problems.length, 0)
    h = other
    deepStrictEqual(await contents(to), expected)
  } finally {
    h = own
    await other.close()
  }
})

test('changes while messages are listed', async () => {
  const put = async (mailbox: string, n: number) =>
    (await store.append({ mailbox, content: Buffer.from(`Subject: ${n}\r\n\r\n`) })).id
  const ids: number[] = []
  for (let i = 0; i < 6; i++) ids.push(await put(i % 2 === 0 ? 'Archive' : 'Inbox', i))
  const [first = 0, second = 0, third = 0, fourth = 0] = ids
  /** Runs each change before one of the queries that list. */
  const take = async (changes: (() => Promise<unknown>)[]) => {
    const storage: Storage = Object.create(h.storage, {
      offload: {
        value: async (query: Parameters<Storage['offload']>[0]) => {
          await changes.shift()?.()
          return await h.storage.offload(query)
        },
      },
    })
    const account = { id: (await h.storage.db(ACCOUNT).where({ name: 'alice' }).first('id')).id, name: 'alice' }
    const choose = async () => ({ mailboxes: await store.mailboxes() })
    const { snapshot } = await Snapshot.take({ ...h.context, storage }, account, choose)
    const found: string[] = []
    for (const { id, name } of await store.mailboxes())
      for await (const rows of snapshot.rows(id)) found.push(...rows.map(row => `${name} ${row.id} ${row.flagged}`))
    snapshot.close()
    return found
  }
  const state = async () => {
    const found: string[] = []
    for (const { id, name } of await store.mailboxes())
      for (const message of await store.messages(id, { limit: 99 }))
        found.push(`${name} ${message.id} ${message.flags.flagged ? 1 : 0}`)
    return found
  }
  const nothing = async () => {}
  // Archive is listed first, Drafts second, Inbox third.
  const check = async (changes: (() => Promise<unknown>)[]) => deepStrictEqual(await take(changes), await state())
  await check([])
  // From what was listed to what is not yet, and back; changed, removed and added on both sides.
  await check([nothing, () => store.move([first], 'Inbox'), nothing, () => store.move([second], 'Archive')])
  await check([
    nothing,
    () => store.setFlags([third, fourth], { set: { flagged: true } }),
    nothing,
    () => put('Archive', 7),
  ])
  await check([nothing, () => store.expunge([third]), nothing, nothing, () => store.expunge([fourth])])
  // To a mailbox that is made meanwhile: all is listed again.
  await check([
    nothing,
    async () => {
      await store.create('Made')
      await store.move([second], 'Made')
    },
  ])
  const restless = Array.from({ length: 200 }, (_, i) => () => store.create(`Made ${i}`))
  await rejects(take(restless), UsageError)
  let kept = true
  h.context.feed.whenTold('alice', () => {
    kept = false
  })
  strictEqual(kept, false)
})

test('mbox: flags in header fields, quoting, and back', async () => {
  await fill()
  const zip = await save('all.zip', store.export({ format: 'mbox', archive: 'zip' }))
  for (const archive of ['tar', 'tgz'] as const) {
    const other = await openHarness()
    const path = await save(`mbox.${archive}`, store.export({ format: 'mbox', archive }))
    deepStrictEqual((await run(await other.mailboxes.store('alice'), path)).counts, [3, 0, 0])
    await other.close()
  }
  const bob = await h.mailboxes.store('bob')
  deepStrictEqual((await run(bob, zip)).counts, [3, 0, 0])
  const seconds = (value: unknown[]): unknown[] => value.with(4, Math.floor(Number(value[4]) / 1_000))
  // mbox knows seconds, and no muted threads; a last line gets its end.
  const plain = (list: unknown[]) =>
    (list as unknown[][]).map(value =>
      seconds(value)
        .with(5, null)
        .with(6, String(value[6]).replace(/([^\n])$/, '$1\r\n')),
    )
  deepStrictEqual(plain((await contents(bob)).seen), plain((await contents(store)).seen))
  const single = await save('inbox.mbox', store.export({ format: 'mbox', archive: 'none', mailbox: 'inbox' }))
  const text = await readFile(single, 'latin1')
  strictEqual(
    text.startsWith('From sender@remote.test Thu Jan  1 00:00:00 2026\nStatus: O\nX-Keywords: $Forwarded work\n'),
    true,
  )
  strictEqual(text.includes('\n>From the start\n>>From quoted\n.\n\n'), true)
  deepStrictEqual((await run(bob, single, { mailbox: 'New/One' })).mailboxes, ['New/One 1'])
  const bad: ExportOptions[] = [
    { format: 'maildir', archive: 'none', mailbox: 'Inbox' },
    { format: 'mbox', archive: 'none' },
  ]
  for (const options of bad) await rejects(save('no', store.export(options)), UsageError)
  await rejects(save('no', store.export({ format: 'mbox', archive: 'zip', mailbox: 'nowhere' })), MailboxError)
})

test('mbox files as they are found', async () => {
  const check = async (text: string, expected: (string | undefined)[]) => {
    const found: (string | undefined)[] = []
    // In small pieces: lines and marks may be cut anywhere.
    const bytes = Buffer.from(text, 'latin1')
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3)
    }
    for await (const { chunks, receivedAt } of readMbox(pieces()))
      found.push(`${receivedAt} ${chunks === undefined ? undefined : Buffer.concat(chunks).toString('latin1')}`)
    deepStrictEqual(found, expected)
  }
  const from = 'From a Thu Jan  1 00:00:00 1970\n'
  await check('', [])
  await check('no mbox\n', [])
  await check(`${from}A: b\n\nbody\n`, ['0 A: b\n\nbody\n'])
  await check(`${from}A: b\n\nbody\n\nFrom b x\nB: c\n\n\n`, ['0 A: b\n\nbody\n', 'undefined B: c\n\n'])
  await check(`${from}A: b\r\n\r\n>From x\r\n>>From y\r\nFrom z\r\n\r\n`, [
    '0 A: b\r\n\r\nFrom x\r\n>From y\r\nFrom z\r\n',
  ])
  await check(`${from}A: b\n\nno end`, ['0 A: b\n\nno end'])
  await check(`${from}A: b\n\n`, ['0 A: b\n\n'])
})

test('a folder of another program: keywords, roles by name, replies before what they answer', async () => {
  const files: [string, string][] = [
    ['Sent Items/cur/1700000000.a:2,Sa', 'Subject: Re: x\nMessage-ID: <2@x>\nReferences: <1@x>\n\nreply'],
    ['Sent Items/cur/1700000001.b:2,z', 'Subject: Re: x\nMessage-ID: <3@x>\nReferences: <1@x>\n\nreply'],
    ['Sent Items/cur/1700000003.d:2,c', 'Subject: y\n\njunk'],
    ['Sent Items/dovecot-keywords', '0 Work\n1 $Forwarded\n2 NonJunk\n'],
    ['Sent Items/dovecot-uidlist', 'x'],
    ['z/new/1700000002.c', 'Subject: x\nMessage-ID: <1@x>\n\nfirst, no end'],
    ['z/new/empty', ''],
    ['notes.txt', 'x'],
  ]
  for (const [path, text] of files) {
    await mkdir(join(dir, 'in', path, '..'), { recursive: true })
    await writeFile(join(dir, 'in', path), text)
  }
  await store.remove('Sent')
  const result = await run(store, join(dir, 'in'))
  deepStrictEqual(result.counts, [4, 0, 2])
  deepStrictEqual(result.problems.sort(), ['an empty message of z', 'notes.txt: no mail in this file'])
  deepStrictEqual((await store.mailbox('Sent Items'))?.specialUse, ['sent'])
  const sent = await store.messages((await store.mailbox('Sent Items'))?.id ?? 0, { limit: 9 })
  deepStrictEqual(sent.map(m => [m.flags.seen, m.keywords, m.receivedAt]).sort(), [
    [false, [], 1_700_000_001_000],
    [false, [], 1_700_000_003_000],
    [true, ['work'], 1_700_000_000_000],
  ])
  deepStrictEqual(
    sent.map(m => m.flags.notjunk),
    sent.map(m => m.receivedAt === 1_700_000_003_000),
  )
  deepStrictEqual(
    (await store.threads({ limit: 9 })).threads.map(t => t.total),
    [1, 3],
  )
})

async function tarOf(files: readonly [string, string][]): Promise<Buffer> {
  const tar = pack()
  for (const [name, text] of files) tar.entry({ name }, text)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

test('a tar with the names of keywords last', async () => {
  const bytes = await tarOf([
    ['a/cur/1.x:2,Sb', 'Subject: s\n\nx'],
    ['a/dovecot-keywords', '1 Later\n'],
  ])
  const path = await save('a.tgz', gzipSync(bytes))
  deepStrictEqual((await run(store, path)).counts, [1, 0, 0])
  const [message] = await store.messages((await store.mailbox('a'))?.id ?? 0, { limit: 1 })
  deepStrictEqual(message?.keywords, ['later'])
})

test('archives that are refused', async () => {
  const check = async (name: string, bytes: Buffer, message: RegExp) =>
    await rejects(
      store.import(await save(name, bytes)),
      (err: unknown) => err instanceof UsageError && message.test(err.message),
    )
  await check('a', Buffer.from('what is this'), /no zip, tar/)
  const tar = await tarOf([['a/cur/1', `Subject: s\n\n${'x'.repeat(9_000)}`]])
  await check('cut.tar', tar.subarray(0, 4_000), /damaged/)
  await check('cut.tgz', gzipSync(tar).subarray(0, 60), /damaged/)
  await check('bad.zip', Buffer.from('PK\u0003\u0004 nothing'), /damaged/)
  // Zeros that pack to a thousandth.
  await check(
    'bomb.tgz',
    gzipSync(await tarOf([['a/cur/1', '\0'.repeat(2 * ARCHIVE_SLACK)]])),
    /far more than its size/,
  )
  await rejects(store.import(join(dir, 'nowhere')), UsageError)
  const zip = new ZipWriter()
  await zip.file('ok/cur/1', START, [Buffer.from('Subject: s\n\nx')])
  await zip.finish()
  const chunks: Buffer[] = []
  for await (const chunk of zip.output) chunks.push(chunk as Buffer)
  // A name that leads out of the archive is left out, the rest is taken.
  const evil = Buffer.from(Buffer.concat(chunks).toString('latin1').replaceAll('ok/cur/1', '../cur/1'), 'latin1')
  const result = await run(store, await save('evil.zip', evil))
  deepStrictEqual([result.counts, result.problems], [[0, 0, 1], ['../cur/1: path is not allowed']])
})

test('limits of archives and messages', async () => {
  const bytes = (n: number) => new Guard(10).bytes(n)
  bytes(ARCHIVE_SLACK + 10 * ARCHIVE_RATIO)
  await rejects(async () => bytes(ARCHIVE_SLACK + 10 * ARCHIVE_RATIO + 1), UsageError)
  const guard = new Guard(10)
  for (let i = 0; i < ARCHIVE_ENTRIES; i++) guard.entry()
  await rejects(async () => guard.entry(), UsageError)
  const piece = Buffer.alloc(1024 * 1024, 'x'.repeat(1023).concat('\n'))
  async function* message(extra: number) {
    yield Buffer.from('From a\n')
    for (let i = 0; i < IMPORT_MESSAGE_BYTES / piece.length; i++) yield piece
    yield Buffer.from('x'.repeat(extra))
    if (extra > 0) yield Buffer.from('\n\nFrom b\nA: b\n')
  }
  const found = async (extra: number): Promise<boolean[]> => {
    const all: boolean[] = []
    for await (const { chunks } of readMbox(message(extra))) all.push(chunks !== undefined)
    return all
  }
  deepStrictEqual([await found(0), await found(1)], [[true], [false, true]])
})

test('the end of a zip archive with more than 16 and 32 bits hold', () => {
  const check = (entries: number, bytes: number, offset: number, length: number) =>
    strictEqual(endOfDirectory(entries, bytes, offset).length, length)
  check(0xfffe, 0xffff_fffe, 0xffff_fffe, 22)
  check(0xffff, 1, 1, 98)
  check(1, 0xffff_ffff, 1, 98)
  check(1, 1, 0xffff_ffff, 98)
})

test('whether a message is there already is found along an index, however many there are', async () => {
  const path = await save('one.mbox', Buffer.from('From a\nMessage-ID: <one@x>\n\nx\n'))
  const queries: { sql: string; bindings: readonly never[] }[] = []
  const { db } = h.storage
  const listen = (query: (typeof queries)[number]): void => void queries.push(query)
  db.on('query', listen)
  await store.import(path)
  db.off('query', listen)
  const asked = queries.filter(({ sql }) => /^select .* from .mailboxes_message. /.test(sql))
  const plans = await Promise.all(
    asked.map(async ({ sql, bindings }) => {
      const rows = (await db.raw(`explain query plan ${sql}`, [...bindings])) as { detail: string }[]
      return rows.map(({ detail }) => detail).join('; ')
    }),
  )
  strictEqual(plans.length > 1, true)
  for (const plan of plans) strictEqual(/delivery_key=\?|message_id_header=\?/.test(plan), true, plan)
})

test('quota and giving up leave what was added, and a second run goes on', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `From a\nSubject: ${i}\n\n${'x'.repeat(80)}\n`).join('\n')
  const path = await save('many.mbox', Buffer.from(many))
  const total = async () => (await store.mailbox('Inbox'))?.total
  h.quotas.set('alice', 8_000)
  await rejects(store.import(path), (err: unknown) => err instanceof MailboxError && err.problem === 'quota')
  strictEqual(await total(), 50)
  h.quotas.set('alice', 0)
  const stop = new AbortController()
  const progress = () => stop.abort(new RangeError('enough'))
  await rejects(store.import(path, { signal: stop.signal, progress }), RangeError)
  strictEqual(await total(), 150)
  const result = await run(store, path)
  deepStrictEqual(result.counts, [150, 150, 0])
  deepStrictEqual(result.mailboxes, ['Inbox 100', 'Inbox 150'])
  strictEqual(await total(), 300)
})

test('messages that cannot be read are listed', async () => {
  await h.deliver('alice', 'Subject: fine\n\n')
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: gone\r\n\r\n') })
  const { content_id } = await h.storage.db(MESSAGE).where({ id }).first('content_id')
  await h.storage.write(async db => await db(MESSAGE).where({ id }).update({ content_id: 999 }))
  const path = await save('part.tar', store.export({ format: 'maildir', archive: 'tar' }))
  const text = await readFile(path, 'latin1')
  strictEqual(text.includes(`Inbox: message ${id} (uid 2): no content 999\n`), true)
  strictEqual(text.includes('Subject: fine\n'), true)
  await h.storage.write(async db => await db(MESSAGE).where({ id }).update({ content_id }))
})

test('commands', async () => {
  await fill()
  const command = async (name: string, words: string[], flags: [string, string][] = []) => {
    const found = archiveCommands(h.mailboxes).find(c => c.path[1] === name)
    const result = await found?.run({ arguments: words, flags: new Map(flags), limit: 100 })
    return result?.kind === 'text' ? result.text : ''
  }
  const path = join(dir, 'out.tgz')
  strictEqual(/^\d+ bytes written/.test(await command('export', ['alice', path])), true)
  await rejects(command('export', ['alice', path]), /is there already/)
  await rejects(command('export', ['alice', join(dir, 'x.rar')]), UsageError)
  await rejects(command('export', ['alice', 'relative.zip']), UsageError)
  await rejects(command('export', ['alice', join(dir, 'x.zip')], [['format', 'eml']]), UsageError)
  await rejects(command('export', ['alice', join(dir, 'x.mbox')]), UsageError)
  strictEqual(
    await command('import', ['bob', path]),
    '3 messages added, 0 were there already, 0 files or messages left out',
  )
  await rejects(command('import', ['bob', 'relative']), UsageError)
  await rejects(command('import', ['bob', join(dir, 'nothing')]), UsageError)
})
