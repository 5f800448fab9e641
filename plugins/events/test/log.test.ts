// Reading the log: filters, pages, watching, statistics, ageing, commands.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { type CommandInput, commands, type EventFilter, type NewEvent } from '@mox/plugin-sdk'
import { TEST_NOW } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { LIST_LIMIT } from '../src/log.ts'
import { options } from '../src/options.ts'
import { DAY_MS, dayOf, TEXT_LENGTH } from '../src/schema.ts'
import { COUNT_BATCH, COUNT_DAYS } from '../src/statistics.ts'
import { openWorld, settled, type World } from './support.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ days: 10 })
})
afterEach(() => world.close())

const event = (fields: Partial<NewEvent> = {}): NewEvent => ({
  ...{ account: 'alice', kind: 'delivered', queueId: 1, messageId: 1, messageIdHeader: '<1@x>', subject: 's' },
  ...{ recipient: 'b@x', fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, code: 250 },
  ...{ enhanced: '', error: '', attempt: 1, remoteMta: '' },
  ...fields,
})
const add = (fields?: Partial<NewEvent>) => world.events.add(event(fields))

test('filters and pages', async () => {
  await add({ queueId: 1, messageId: 1 })
  await world.host.advance(1_000)
  await add({ queueId: 2, messageId: 1, kind: 'failed' })
  await add({ queueId: 2, messageId: 1, kind: 'complained', stream: 'a' })
  await world.host.advance(1_000)
  await add({ queueId: 3, messageId: 2, account: 'bob' })
  await add({ queueId: 0, messageId: 3, kind: 'incoming' })
  const check = async (filter: EventFilter, ids: number[], page = {}) =>
    deepStrictEqual(
      (await world.events.list(filter, { limit: 10, ...page })).map(({ id }) => id),
      ids,
    )
  const times = (await world.events.list({}, { limit: 10 })).map(({ at }) => at)
  await check({}, [1, 2, 3, 4, 5])
  await check({}, [1, 2], { limit: 2 })
  await check({}, [3, 4], { limit: 2, after: 2 })
  await check({}, [5, 4], { limit: 2, descending: true })
  await check({}, [3, 2], { limit: 2, before: 4, descending: true })
  await check({ account: 'alice' }, [1, 2, 3, 5])
  await check({ kinds: ['failed', 'complained'] }, [2, 3])
  await check({ kinds: [] }, [])
  await check({ queueId: 2 }, [2, 3])
  await check({ messageId: 1 }, [1, 2, 3])
  await check({ stream: 'a' }, [3])
  await check({ since: times[1]! }, [2, 3, 4, 5])
  await check({ since: times[1]! + 1 }, [4, 5])
  await check({ until: times[1]! }, [1])
  await check({ until: times[1]! + 1 }, [1, 2, 3])
  await check({ since: times[0]!, until: times[3]! }, [1, 2, 3])
  await check({ since: times[4]! + 1 }, [])
  await world.storage.write(() => check({ account: 'bob' }, [4]))
  await rejects(world.events.list({}, { limit: LIST_LIMIT + 1 }), /limit must be 1 to 1000/)
  await rejects(world.events.list({}, { limit: 0 }), RangeError)
  strictEqual((await world.events.list({}, { limit: LIST_LIMIT })).length, 5)
})

test('a second event of one cause is not added, and sequences count per recipient', async () => {
  const sequences = [await add({ dedupe: 'x' }), await add({ dedupe: 'x' }), await add(), await add({ queueId: 2 })]
  deepStrictEqual(
    sequences.map(one => one?.sequence),
    [1, undefined, 2, 1],
  )
  deepStrictEqual([(await add({ queueId: 0 }))?.sequence, (await add({ queueId: 0 }))?.sequence], [1, 1])
})

test('text of others is cut', async () => {
  const [exact, cut] = [
    await add({ error: 'e'.repeat(TEXT_LENGTH) }),
    await add({ error: 'e'.repeat(TEXT_LENGTH + 1) }),
  ]
  deepStrictEqual([exact?.error.length, cut?.error.length], [TEXT_LENGTH, TEXT_LENGTH])
})

test('watchers are called after the commit', async () => {
  let alice = 0
  const stop = world.events.watch('alice', () => void alice++)
  world.events.watch('alice', () => {
    throw new Error('a watcher that fails')
  })
  world.events.watch('bob', () => strictEqual('called', 'never'))
  await world.storage.write(async () => {
    await add()
    strictEqual(alice, 0)
  })
  await settled(async () => alice === 1)
  await rejects(
    world.storage.write(async () => {
      await add()
      throw new Error('undone')
    }),
    /undone/,
  )
  stop()
  await add()
  strictEqual(alice, 1)
})

test('statistics are the same before and after counting, and outlive the log', async () => {
  const day = (n: number) => new Date(TEST_NOW + n * DAY_MS).toISOString().slice(0, 10)
  for (let i = 0; i < 3; i++) await add()
  await add({ stream: 'news' })
  await add({ account: 'bob' })
  await world.host.advance(DAY_MS)
  for (let i = 0; i < 2; i++) await add({ kind: 'failed' })
  const all = { since: TEST_NOW - DAY_MS, until: TEST_NOW + 3 * DAY_MS }
  const expected = [
    { day: day(0), stream: '', kind: 'delivered', count: 3 },
    { day: day(0), stream: 'news', kind: 'delivered', count: 1 },
    { day: day(1), stream: '', kind: 'failed', count: 2 },
  ]
  const check = async () => {
    deepStrictEqual(await world.events.statistics('alice', all), expected)
    deepStrictEqual(await world.events.statistics('alice', { ...all, stream: 'news' }), [expected[1]])
    deepStrictEqual(await world.events.statistics('alice', { ...all, until: TEST_NOW + 1 }), expected.slice(0, 2))
    deepStrictEqual(await world.events.statistics('alice', { ...all, since: TEST_NOW + DAY_MS }), expected.slice(2))
  }
  await check()
  await world.host.advance(3 * 60_000)
  await settled(async () => (await world.storage.db('events_counted').first()).last_id === 7)
  await check()
  // 10 days after the first day: its events go, those of the next day stay, and the counts are what they were.
  await rounds(9 * DAY_MS, async () => (await world.events.list({}, { limit: 10 })).length === 2)
  await check()
  await rounds(2 * DAY_MS, async () => (await world.events.list({}, { limit: 10 })).length === 0)
  await check()
  strictEqual((await add())?.id, 8)
})

test('counts age out too', async () => {
  const old = dayOf(TEST_NOW) - COUNT_DAYS
  const row = (day: number) => ({ account: 'alice', day, stream: '', kind: 'failed', count: 1 })
  await world.storage.write(db => db('events_count').insert([row(old), row(old - 1)]))
  await world.host.advance(60_000)
  await settled(async () => (await world.storage.db('events_count')).length === 1)
  deepStrictEqual(await world.storage.db('events_count'), [row(old)])
})

/** Moves the clock in one leap, then goes on in rounds of an hour until `check` holds. */
async function rounds(ms: number, check: () => Promise<boolean>): Promise<void> {
  await world.host.advance(ms)
  for (let round = 0; round < 10 && !(await check()); round++) {
    await world.host.advance(3_600_000)
    for (let turn = 0; turn < 500 && !(await check()); turn++) await new Promise(resolve => setImmediate(resolve))
  }
  strictEqual(await check(), true)
}

test('many events are counted in portions', async () => {
  await world.storage.write(async () => {
    for (let i = 0; i <= COUNT_BATCH; i++) await add({ queueId: 0 })
  })
  await world.host.advance(3 * 60_000)
  await settled(async () => (await world.storage.db('events_counted').first()).last_id === COUNT_BATCH + 1)
  const [row] = await world.events.statistics('alice', { since: TEST_NOW, until: TEST_NOW + 1 })
  strictEqual(row?.count, COUNT_BATCH + 1)
})

test('commands', async () => {
  await add({ kind: 'failed', code: 550, enhanced: '5.1.1', error: 'no' })
  const second = await add({ queueId: 0, kind: 'incoming', code: 0 })
  const run = async (path: string, flags: Record<string, string | number> = {}, ...args: string[]) => {
    const command = world.host.service(commands).find(one => one.path.join(' ') === path)
    const input: CommandInput = { arguments: args, flags: new Map(Object.entries(flags)), limit: 1 }
    const result = await command?.run(input)
    return result?.kind === 'rows' ? [result.rows.map(row => row['id']), result.more] : result
  }
  deepStrictEqual(await run('event list'), [[2], true])
  deepStrictEqual(await run('event list', { after: 0 }), [[1], true])
  deepStrictEqual(await run('event list', { kind: 'failed, complained' }), [[1], false])
  deepStrictEqual(await run('event list', { message: 9 }), [[], false])
  deepStrictEqual(await run('event list', { account: 'bob' }), [[], false])
  deepStrictEqual(await run('event print', {}, second?.eventId ?? ''), { kind: 'value', value: second })
  await rejects(run('event list', { kind: 'nonsense' }), /--kind "nonsense" is unknown; choose from delivered/)
  await rejects(run('event print', {}, 'x'), /no event has the id "x"/)
})

test('options', () => {
  const check = (input: unknown, expected: unknown) => {
    const result = options.safeParse(input)
    deepStrictEqual(result.success ? result.data : result.error.issues.map(issue => issue.path.join('.')), expected)
  }
  check(undefined, { days: 30 })
  check({ days: 3650 }, { days: 3650 })
  check({ days: 3651 }, ['days'])
  check({ days: 0 }, ['days'])
  check({ hours: 1 }, [''])
})
