// The fakes of the test kit: clock, randomness, log, DNS, failing handlers.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { DnsError, type DnsType, type HandlerContext } from '../../src/index.ts'
import {
  collectingLog,
  type DnsFailure,
  type DnsRow,
  failing,
  fakeDns,
  HANDLER_FAILURES,
  seededRandom,
  TEST_NOW,
  turns,
  VirtualClock,
} from '../../src/testkit/index.ts'

test('clock: timers run in order, at their time, with what they start', async () => {
  const clock = new VirtualClock()
  const events: string[] = []
  const note = (name: string) => () => void events.push(`${name} ${clock.now() - TEST_NOW}`)
  clock.after(30, note('c'))
  clock.after(10, note('a'))
  clock.after(10, () => {
    note('b')()
    clock.after(5, note('nested'))
    void clock.sleep(5).then(note('slept'))
    clock.after(-1, note('past'))
  })
  const cancel = clock.after(20, note('never'))
  cancel()
  cancel()
  assert.equal(clock.pending, 3)
  await clock.advance(29)
  assert.deepEqual(events, ['a 10', 'b 10', 'past 10', 'nested 15', 'slept 15'])
  await clock.advance(1)
  assert.deepEqual([events.at(-1), clock.now() - TEST_NOW, clock.pending], ['c 30', 30, 0])
  assert.equal(new VirtualClock(5).now(), 5)
})

test('clock: sleep ends by abort', async () => {
  const clock = new VirtualClock()
  const abort = new AbortController()
  const slept = clock.sleep(10, abort.signal)
  abort.abort(new Error('gone'))
  await assert.rejects(slept, { message: 'gone' })
  await assert.rejects(clock.sleep(10, abort.signal), { message: 'gone' })
  assert.equal(clock.pending, 0)
})

test('random: the same for the same seed', () => {
  const take = (seed?: number): unknown[] => {
    const random = seededRandom(seed)
    return [random.id(), random.number(), random.bytes(4).toString('hex')]
  }
  assert.deepEqual(take(), take(1))
  assert.notDeepEqual(take(1), take(2))
  const random = seededRandom(3)
  assert.match(random.id(), /^[a-z2-7]{26}$/)
  const numbers = Array.from({ length: 1000 }, () => random.number())
  assert.ok(numbers.every(n => n >= 0 && n < 1))
  const mean = numbers.reduce((a, b) => a + b) / 1000
  assert.ok(mean > 0.45 && mean < 0.55, String(mean))
})

test('log', () => {
  const log = collectingLog()
  log.child({ plugin: 'a' }).child({ hook: 'h' }).warn({ n: 1 }, 'one')
  log.debug({}, 'two')
  assert.deepEqual(log.lines[0], { level: 'warn', text: 'one', fields: { plugin: 'a', hook: 'h', n: 1 } })
  assert.deepEqual([log.texts(), log.texts('info')], [['warn one', 'debug two'], ['warn one']])
  log.clear()
  assert.deepEqual(log.lines, [])
})

const ROWS: readonly DnsRow[] = [
  ['example.org', 'MX', { preference: 10, exchange: 'mx.example.org' }],
  ['example.org', 'MX', { preference: 20, exchange: 'mx2.example.org' }, { ttl: 60 }],
  ['mx.example.org.', 'A', '192.0.2.1', { authentic: false }],
  ['www.example.org', 'CNAME', 'MX.example.org'],
  ['gone.example.org', 'CNAME', 'nowhere.example'],
  ['a.loop', 'CNAME', 'b.loop'],
  ['b.loop', 'CNAME', 'a.loop'],
]

test('dns: answers', async () => {
  const check = async (name: string, type: DnsType, expected: unknown): Promise<void> => {
    const { status, records, authentic, ttl, canonical } = await fakeDns(ROWS, { authentic: true }).resolve(name, type)
    const found = [status, records, authentic, ttl]
    assert.deepEqual(canonical === name ? found : [...found, canonical], expected, name)
  }
  const mx = [
    { preference: 10, exchange: 'mx.example.org' },
    { preference: 20, exchange: 'mx2.example.org' },
  ]
  await check('example.org', 'MX', ['found', mx, true, 60])
  await check('EXAMPLE.org.', 'MX', ['found', mx, true, 60, 'example.org'])
  await check('mx.example.org', 'A', ['found', ['192.0.2.1'], false, 300])
  await check('mx.example.org', 'AAAA', ['nodata', [], true, 300])
  await check('org', 'A', ['nodata', [], true, 300])
  await check('example.com', 'A', ['nxdomain', [], true, 300])
  await check('www.example.org', 'A', ['found', ['192.0.2.1'], false, 300, 'mx.example.org'])
  await check('www.example.org', 'CNAME', ['found', ['MX.example.org'], true, 300])
  await check('mx.example.org', 'CNAME', ['nodata', [], true, 300])
  await check('gone.example.org', 'A', ['nxdomain', [], true, 300, 'nowhere.example'])
  await assert.rejects(fakeDns(ROWS).resolve('a.loop', 'A'), { code: 'malformed' })
})

test('dns: failures', async () => {
  const dns = fakeDns(ROWS)
  for (const failure of ['timeout', 'servfail', 'malformed', 'refused'] satisfies DnsFailure[]) {
    dns.fail('example.org', failure, { times: 1 })
    await assert.rejects(dns.resolve('example.org', 'MX'), error => error instanceof DnsError && error.code === failure)
  }
  assert.equal((await dns.resolve('example.org', 'MX')).status, 'found')
  dns.fail('example.org.', 'servfail', { type: 'TXT' })
  assert.equal((await dns.resolve('example.org', 'MX')).status, 'found')
  await assert.rejects(dns.resolve('example.org', 'TXT'), { code: 'servfail' })
  dns.heal('example.org')
  assert.equal((await dns.resolve('example.org', 'TXT')).status, 'nodata')
  dns.fail('mx.example.org', 'hang')
  const abort = new AbortController()
  const hanging = dns.resolve('www.example.org', 'A', abort.signal)
  await turns()
  abort.abort(new Error('gone'))
  await assert.rejects(hanging, { message: 'gone' })
  await assert.rejects(dns.resolve('example.org', 'MX', abort.signal), { message: 'gone' })
  assert.deepEqual(dns.queries.slice(-2), ['TXT example.org', 'A www.example.org'])
})

test('failing handlers', async () => {
  const outcomes = HANDLER_FAILURES.map(async how => {
    const abort = new AbortController()
    const input = { signal: abort.signal } as HandlerContext
    const handler = failing<HandlerContext, unknown>(() => 'answer', how, 1)
    let first: unknown
    try {
      const returned = handler(input)
      abort.abort(new Error('aborted'))
      first = await Promise.race([returned, turns(10).then(() => 'nothing')])
    } catch (error) {
      first = (error as Error).message
    }
    return [how, first, handler(input)]
  })
  assert.deepEqual(await Promise.all(outcomes), [
    ['throw', 'thrown on purpose', 'answer'],
    ['reject', 'rejected on purpose', 'answer'],
    ['hang', 'aborted', 'answer'],
    ['deaf', 'nothing', 'answer'],
    ['null', null, 'answer'],
    ['text', 'yes', 'answer'],
    ['unknown', { kind: 'approve' }, 'answer'],
  ])
})
