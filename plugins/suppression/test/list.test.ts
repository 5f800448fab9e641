// The list itself: scopes, spellings, expiry, the trail.
import { deepStrictEqual, match, rejects } from 'node:assert'
import type { NewSuppression } from '@mox/plugin-sdk'
import { samplePath } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { PAGE_LIMIT } from '../src/list.ts'
import { options } from '../src/options.ts'
import { AUDIT, ENTRY, STREAK } from '../src/schema.ts'
import { STREAK_MS } from '../src/streaks.ts'
import { AUDIT_DAYS, BATCH } from '../src/upkeep.ts'
import { openWorld, type World } from './support/world.ts'

const DAY = 86_400_000
let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => await world.close())

const entry = (address: string, fields: Partial<NewSuppression> = {}): NewSuppression => ({
  ...{ account: 'alice', stream: '', address, cause: 'manual', reason: 'test' },
  ...fields,
})

test('scopes', async () => {
  await world.list.add(entry('one@example.com'))
  await world.list.add(entry('@blocked.example', { account: '' }))
  await world.list.add(entry('two@example.com', { stream: 'news' }))
  await world.list.add(entry('@gmail.com', { account: 'carol' }))
  const check = async (address: string, account: string, stream: string, expected: string | undefined) =>
    deepStrictEqual((await world.list.check(account, stream, samplePath(address)))?.address, expected)
  await check('one@example.com', 'alice', '', 'one@example.com')
  await check('ONE@example.com', 'alice', 'news', 'one@example.com')
  await check('one@example.com', 'carol', '', undefined)
  await check('any@blocked.example', 'carol', '', '@blocked.example')
  await check('any@blocked.example', '', '', '@blocked.example')
  await check('any@sub.blocked.example', 'carol', '', undefined)
  await check('two@example.com', 'alice', 'news', 'two@example.com')
  await check('two@example.com', 'alice', '', undefined)
  await check('x@googlemail.com', 'carol', '', '@gmail.com')
  await check('x@gmail.com', 'alice', '', undefined)
})

test('adding twice, removing in another spelling', async () => {
  deepStrictEqual((await world.list.add(entry('a.b@gmail.com')))?.base, 'ab@gmail.com')
  deepStrictEqual(await world.list.add(entry('AB+x@gmail.com')), undefined)
  deepStrictEqual((await world.list.add(entry('ab@gmail.com', { stream: 'news' })))?.stream, 'news')
  deepStrictEqual(await world.list.remove('carol', '', 'ab@gmail.com'), false)
  deepStrictEqual(await world.list.remove('alice', '', 'a.b+y@googlemail.com'), true)
  deepStrictEqual(await world.list.remove('alice', '', 'ab@gmail.com'), false)
  deepStrictEqual(
    (await world.list.list({}, { limit: 10 })).map(e => e.stream),
    ['news'],
  )
  await rejects(world.list.add(entry('nobody')), /"nobody" is no address/)
  await rejects(world.list.remove('alice', '', 'nobody'), /"nobody" is no address/)
})

test('an addition is undone with the unit of work around it', async () => {
  await rejects(
    world.storage.write(async () => {
      await world.list.add(entry('a@example.com'))
      throw new Error('undone')
    }),
    /undone/,
  )
  deepStrictEqual(await world.list.list({}, { limit: 10 }), [])
  deepStrictEqual(await world.rows('suppression audit'), [])
})

test('expiry', async () => {
  const at = world.host.clock.now() + 10 * DAY
  await world.list.add(entry('a@example.com', { expiresAt: at }))
  await world.host.advance(10 * DAY - 1)
  match(await world.deliver('a@example.com'), /^suppressed/)
  await world.host.advance(1)
  deepStrictEqual(await world.deliver('a@example.com'), 'pass')
  deepStrictEqual(await world.list.list({}, { limit: 10 }), [])
  // An expired entry is in nobody's way.
  deepStrictEqual((await world.list.add(entry('a@example.com')))?.expiresAt, undefined)
  match(await world.deliver('a@example.com'), /^suppressed/)
  await world.restart()
  match(await world.deliver('a@example.com'), /^suppressed/)
})

test('pages', async () => {
  for (const name of ['a', 'b', 'c']) await world.list.add(entry(`${name}@example.com`))
  const first = await world.list.list({}, { limit: 2 })
  deepStrictEqual(
    first.map(e => e.address),
    ['a@example.com', 'b@example.com'],
  )
  const after = first[1]?.id ?? 0
  deepStrictEqual(
    (await world.list.list({}, { limit: 2, after })).map(e => e.address),
    ['c@example.com'],
  )
  deepStrictEqual((await world.list.list({ address: 'B@example.com' }, { limit: PAGE_LIMIT })).length, 1)
  await rejects(world.list.list({}, { limit: PAGE_LIMIT + 1 }), /limit must be 1 to 10000/)
})

test('upkeep removes what is over, however much', async () => {
  const now = world.host.clock.now()
  const { storage } = world
  const count = BATCH + 1
  await storage.write(async db => {
    for (let i = 0; i < count; i++) {
      const address = `a${i}@example.com`
      await world.list.add(entry(address, { expiresAt: now + 1 }))
      await db(STREAK).insert({
        account: 'alice',
        base: address,
        failures: 1,
        queue_id: i,
        last_at: now - STREAK_MS - 1,
      })
    }
    await world.list.add(entry('stays@example.com'))
  })
  await world.restart(DAY)
  const rows = async (table: string) => Number((await storageOf().db(table).count({ n: '*' }))[0]?.['n'])
  const storageOf = () => world.storage
  await settled(async () => (await rows(ENTRY)) === 1 && (await rows(STREAK)) === 0)
  deepStrictEqual(
    (await world.rows('suppression audit', { address: 'a7@example.com' })).map(r => [r['what'], r['who']]),
    [
      ['expire', 'expiry'],
      ['add', 'api'],
    ],
  )
  await world.restart(AUDIT_DAYS * DAY)
  await settled(async () => (await rows(AUDIT)) === count)
  await world.restart(1)
  await settled(async () => (await rows(AUDIT)) === 0)
})

/** Real units of work take real turns of the event loop. */
async function settled(done: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (await done()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error('it never came to that')
}

test('options', () => {
  const check = (input: unknown, expected: unknown) => {
    const result = options.safeParse(input)
    deepStrictEqual(result.success ? result.data : result.error.issues.map(issue => issue.path.join('.')), expected)
  }
  const expireDays = { bounce: 180, dsn: 180, repeated: 30, complaint: 0 }
  check(undefined, { automatic: true, expireDays, domains: {} })
  check({ expireDays: { bounce: 3650 } }, { automatic: true, expireDays: { ...expireDays, bounce: 3650 }, domains: {} })
  check({ expireDays: { bounce: 3651 } }, ['expireDays.bounce'])
  check({ expireDays: { manual: 1 } }, ['expireDays'])
  check({ domains: { 'Example.com': {} } }, ['domains.Example.com'])
  check({ domains: { 'example.com': { separators: [''] } } }, ['domains.example.com.separators.0'])
})
