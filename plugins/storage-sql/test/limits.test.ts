// Each limit of the repositories, at it and one beyond.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Opened, openTemporary } from '../../storage-sqlite/test/support.ts'
import { CLAIM_LIMIT } from '../src/claim.ts'
import { COLLECT_BATCH, INLINE_LIMIT } from '../src/content.ts'
import { FILTER_IDS, PAGE_LIMIT } from '../src/filters.ts'
import { RESERVED_IDS } from '../src/ids.ts'
import { MESSAGE_LIMIT, MESSAGE_RECIPIENTS } from '../src/messages.ts'
import { OUTBOX_LIMIT } from '../src/outbox.ts'
import { CLAIM_GROUPS, GROUP_LIMIT } from '../src/queue-claim.ts'

const NOW = 1_800_000_000_000

let opened: Opened
beforeEach(async () => {
  opened = await openTemporary()
})
afterEach(() => opened.close())

async function message(recipients: readonly string[] = []): Promise<number> {
  const { storage } = opened
  const writer = storage.content.writer()
  await writer.write(Buffer.from('x'))
  const staged = await writer.finish(Buffer.alloc(32, 1))
  return await storage.write(async () =>
    storage.messages.add({
      ...{
        receivedAt: NOW,
        kind: 'submission',
        source: 'test',
        account: 'a',
        prefix: Buffer.alloc(0),
        reversePath: null,
      },
      ...{ messageIdHeader: '', subject: '', size: 1, has8bit: false, smtputf8: false, remoteIp: '', helo: '' },
      ...{ protocol: '', recipients, facts: {}, trace: [], contentId: await storage.content.keep(staged) },
    }),
  )
}

const jobs = (count: number, domain: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => ({
    ...{ recipient: { localpart: `r${n}`, domain: domain(n) }, recipientDomain: domain(n), reversePath: null },
    ...{ due: NOW, hold: false, maxAttempts: 0, extra: {} },
  }))

test.each<[string, number, (n: number) => Promise<unknown>]>([
  ['rows of a page of the queue', PAGE_LIMIT, limit => opened.storage.queue.list({}, { limit })],
  ['rows of a page of the history', PAGE_LIMIT, limit => opened.storage.history.list({}, { limit })],
  [
    'ids of a filter',
    FILTER_IDS,
    n => opened.storage.queue.list({ ids: Array.from({ length: n }, (_, id) => id) }, { limit: 1 }),
  ],
  ['ids of a find', PAGE_LIMIT, limit => opened.storage.queue.find({}, { after: 0, limit })],
  [
    'counts of a purge',
    PAGE_LIMIT,
    n => opened.storage.write(() => opened.storage.sent.purge({ sentUntil: 0, metUntil: 0 }, n)),
  ],
  ['messages of a list', MESSAGE_LIMIT, limit => opened.storage.messages.list({ limit })],
  ['messages of a purge', MESSAGE_LIMIT, n => opened.storage.write(() => opened.storage.messages.purge(0, n))],
  ['entries of a purge', PAGE_LIMIT, n => opened.storage.write(() => opened.storage.history.purge(0, n))],
  ['events of a list', OUTBOX_LIMIT, limit => opened.storage.outbox.list({ limit })],
  [
    'events of a claim',
    OUTBOX_LIMIT,
    limit => opened.storage.write(() => opened.storage.outbox.claim({ now: 0, leaseMs: 1, limit })),
  ],
  [
    'rows of a claim',
    CLAIM_LIMIT,
    limit =>
      opened.storage.claim({
        ...{ table: 'mox_outbox', dueColumn: 'due', leaseColumn: 'lease', now: 0, leaseMs: 1, limit },
      }),
  ],
])('%s: %i, and not one more', async (_, limit, use) => {
  await use(limit)
  await expect((async () => await use(limit + 1))()).rejects.toThrow(RangeError)
})

test.each([GROUP_LIMIT, GROUP_LIMIT + 1])('%i recipients of one domain', async count => {
  const { storage } = opened
  const id = await message()
  await storage.write(() =>
    storage.queue.add(
      id,
      jobs(count, () => 'one.test'),
    ),
  )
  const groups = await storage.write(() => storage.queue.claim({ now: NOW, leaseMs: 9, limit: 9, places: () => 9 }))
  expect(groups.map(g => g.length)).toEqual(count > GROUP_LIMIT ? [GROUP_LIMIT, count - GROUP_LIMIT] : [count])
})

test.each([CLAIM_GROUPS, CLAIM_GROUPS + 1])('%i domains in one claim', async count => {
  const { storage } = opened
  const id = await message()
  await storage.write(() =>
    storage.queue.add(
      id,
      jobs(count, n => `d${n}.test`),
    ),
  )
  const groups = await storage.write(() => storage.queue.claim({ now: NOW, leaseMs: 9, limit: 9e9, places: () => 1 }))
  expect(groups).toHaveLength(CLAIM_GROUPS)
})

test('forward-paths kept with a message', async () => {
  const all = Array.from({ length: MESSAGE_RECIPIENTS + 1 }, (_, n) => `r${n}@x`)
  const ids = [await message(all.slice(1)), await message(all)]
  for (const id of ids) expect((await opened.storage.messages.get(id))?.recipients).toHaveLength(MESSAGE_RECIPIENTS)
})

test.each([
  [INLINE_LIMIT, null],
  [INLINE_LIMIT + 1, expect.any(String)],
])('content of %i bytes is a row up to the limit', async (size, file) => {
  const { storage } = opened
  const writer = storage.content.writer()
  await writer.write(Buffer.alloc(size))
  const staged = await writer.finish(Buffer.alloc(32, 1))
  const id = await storage.write(() => storage.content.keep(staged))
  expect(await storage.db('mox_content').where({ id }).first('file')).toEqual({ file })
})

test.each([COLLECT_BATCH, COLLECT_BATCH + 1])('%i contents without references', async count => {
  const { storage } = opened
  for (const inUnit of [true, false]) {
    await storage.write(async db => {
      for (let n = 0; n < count; n++) {
        const id = 1_000_000 + n
        await db('mox_content').insert({ id, hash: Buffer.from(`${id}`), size: 1, refs: 0 })
        await db('mox_content_data').insert({ id, bytes: Buffer.from('x') })
      }
    })
    const collect = () => storage.content.collect()
    expect(await (inUnit ? storage.write(collect) : collect())).toBe(inUnit ? Math.min(count, COLLECT_BATCH) : count)
    await collect()
  }
  expect(await storage.verify()).toEqual([])
})

test('ids go on without a gap after a clean stop, and behind the reserved ones after a crash', async () => {
  const first = await message()
  await opened.reopen()
  expect(await message()).toBe(first + 1)
  // What a crash leaves behind: the mark, and possibly ids beyond the rows that are there.
  await opened.storage.write(async db => void (await db('mox_message').delete()))
  await opened.reopen()
  expect(await message()).toBe(first + 2)
  const { reserved } = (await opened.storage.db('mox_counter').where({ name: 'message' }).first('reserved')) as {
    reserved: number
  }
  expect(reserved).toBe(first + 2 + RESERVED_IDS - 1)
})
