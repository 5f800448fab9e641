// The plugin in the real mail flow: who waits, why, until when, and what a restart remembers.
import { deepStrictEqual, match, strictEqual } from 'node:assert'
import { sampleAttempt, sampleAttempted, sampleJob, seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { type Answer, DELIVERED, type Mailflow, type MailflowOptions, mailflow } from '../../../test/kit/mailflow.ts'
import { GRANT_MS } from '../src/grants.ts'
import { throttle } from '../src/index.ts'
import { options } from '../src/options.ts'
import { PAUSE_MS } from '../src/pace.ts'
import { DOMAINS, type Store } from '../src/store.ts'
import { PACES, Throttle } from '../src/throttle.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const GOOGLE = { remoteHost: 'aspmx.l.google.com' } as const
const SLOW: Answer = {
  outcome: 'temporary',
  code: 450,
  enhanced: '4.7.1',
  text: 'too many messages',
  stage: 'rcpt',
  ...GOOGLE,
}

let flow: Mailflow | undefined
afterEach(async () => {
  await flow?.close()
  flow = undefined
})

async function open(input: Parameters<typeof throttle>[0] = {}, more: MailflowOptions = {}): Promise<Mailflow> {
  flow = await mailflow([throttle(input)], { concurrencyPerDomain: 100, ...more })
  return flow
}

/** What the log of each waiting recipient says last, and in how many seconds it is due. */
async function waiting(f: Mailflow): Promise<string[]> {
  return (await f.jobs()).map(
    job => `${job.recipientDomain} ${Math.round((job.due - f.clock.now()) / 1_000)} s: ${job.results.at(-1)?.text}`,
  )
}

const settled = async (f: Mailflow) => await f.advance(0)
const shown = async (f: Mailflow) =>
  (await f.rows('throttle list')).map(
    row => `${row['destination']} | ${row['connections']} | ${row['rate']} | ${row['why']}`,
  )

test('deliveries at the same time', async () => {
  const f = await open({ destinations: { 'one.example': { concurrency: 2 } } })
  const going: (() => void)[] = []
  f.answer(async () => {
    await new Promise<void>(resolve => going.push(resolve))
    return DELIVERED
  })
  for (let i = 0; i < 4; i++) await f.submit({ to: [`r${i}@one.example`] })
  await f.until(async () => (await waiting(f)).filter(text => text.includes('postponed')).length === 2, 'two wait')
  deepStrictEqual((await waiting(f)).filter(text => text.includes('postponed')).sort(), [
    'one.example 2 s: postponed: waiting: 2 of 2 connections to one.example',
    'one.example 2 s: postponed: waiting: 2 of 2 connections to one.example',
  ])
  deepStrictEqual(await shown(f), ['one.example | 2 of 2 |  | '])
  // In the list of the queue too.
  const listed = (await f.rows('queue list')).filter(({ last }) => /^postponed: waiting: 2 of 2 /.test(String(last)))
  strictEqual(listed.length, 2)
  f.answer(() => DELIVERED)
  for (const end of going) end()
  await settled(f)
  await f.advance(5_000)
  strictEqual((await f.jobs()).length, 0)
  strictEqual(f.sent.length, 4)
})

test('recipients of one message that share a transaction are one delivery', async () => {
  const f = await open({ destinations: { 'one.example': { concurrency: 1 } } })
  await f.submit({ to: ['a@one.example', 'b@one.example', 'c@one.example'] })
  await settled(f)
  deepStrictEqual(
    f.sent.map(batch => batch.jobs.length),
    [3],
  )
})

test('a slow-down is the whole group of servers’, with its words; then it goes on, slower', async () => {
  const f = await open()
  f.answer(() => ({ ...DELIVERED, ...GOOGLE }))
  await f.submit({ to: ['a@one.example'] })
  await f.submit({ to: ['a@two.example'] })
  await settled(f)
  f.answer(() => SLOW)
  await f.submit({ to: ['b@one.example'] })
  await settled(f)
  await settled(f)
  deepStrictEqual(await shown(f), ['google | 0 of 5 | 10 a minute | 450 4.7.1 too many messages'])
  f.answer(() => ({ ...DELIVERED, ...GOOGLE }))
  f.sent.length = 0
  for (let i = 0; i < 3; i++) await f.submit({ to: [`c${i}@two.example`] })
  await f.submit({ to: ['c@three.example'] })
  await settled(f)
  // Nobody knows yet who takes the mail of three.example.
  deepStrictEqual(
    f.sent.map(batch => batch.jobs[0].recipientDomain),
    ['three.example'],
  )
  const pause = 'postponed: waiting: 450 4.7.1 too many messages; until 12:01 UTC'
  deepStrictEqual((await waiting(f)).filter(text => text.includes('two')).sort(), [
    `two.example 60 s: ${pause}`,
    `two.example 66 s: ${pause}`,
    `two.example 72 s: ${pause}`,
  ])
  await f.advance(PAUSE_MS + 13_000)
  strictEqual(f.sent.filter(batch => batch.jobs[0].recipientDomain === 'two.example').length, 3)
  deepStrictEqual(
    (await f.jobs()).map(job => job.recipient.localpart),
    ['b'],
    'what was refused keeps its own schedule',
  )
})

test('what was learned is there after a restart, and is forgotten after a day or by command', async () => {
  const f = await open()
  f.answer(() => SLOW)
  await f.submit({ to: ['a@one.example'] })
  await settled(f)
  await f.mox('queue drop', { all: true })
  await f.restart()
  const slowed = 'google | 0 of 5 | 10 a minute | 450 4.7.1 too many messages'
  deepStrictEqual(await shown(f), [slowed])
  f.answer(() => ({ ...DELIVERED, ...GOOGLE }))
  await f.submit({ to: ['b@one.example'] })
  await settled(f)
  match((await waiting(f)).join(), /one\.example 60 s: postponed: waiting: 450 4\.7\.1/)
  await f.restart(DAY)
  await settled(f)
  strictEqual((await f.jobs()).length, 0)
  deepStrictEqual(await shown(f), [])
  f.answer(() => SLOW)
  await f.submit({ to: ['c@one.example'] })
  await settled(f)
  deepStrictEqual(await shown(f), [slowed])
  match(await f.text('throttle forget google'), /^google has its full pace/)
  strictEqual(await f.text('throttle forget google'), '"google" was not slowed down; see mox throttle list')
  await f.restart()
  deepStrictEqual(await shown(f), [])
})

test('messages a minute', async () => {
  const f = await open({ perMinute: 6 })
  for (let i = 0; i < 4; i++) await f.submit({ to: [`r${i}@one.example`] })
  await settled(f)
  strictEqual(f.sent.length, 1)
  match(
    (await waiting(f)).join('\n'),
    /^(?:one\.example \d+ s: postponed: waiting: 6 messages a minute to one\.example\n?){3}$/,
  )
  await f.advance(11_000)
  strictEqual(f.sent.length, 2)
  await f.advance(20_000)
  strictEqual(f.sent.length, 4)
})

test('warm-up', async () => {
  const f = await open({ warmUp: { '192.0.2.25': { since: '2029-12-31', perDay: [1, 3, 5] } } })
  for (let i = 0; i < 5; i++) await f.submit({ to: [`r${i}@d${i}.example`] })
  await settled(f)
  strictEqual(f.sent.length, 3)
  const wait = 'postponed: waiting: 3 of 3 messages today from 192.0.2.25, day 2 of its warm-up'
  deepStrictEqual(
    (await waiting(f)).map(text => text.slice('d0.example '.length)),
    [`43200 s: ${wait}`, `43200 s: ${wait}`],
  )
  await f.restart()
  deepStrictEqual(await shown(f), ['from 192.0.2.25 |  | 3 of 3 today | day 2 of its warm-up'])
  await f.submit({ to: ['late@d9.example'] })
  await settled(f)
  strictEqual(f.sent.length, 3)
  await f.restart(12 * 60 * MINUTE)
  await settled(f)
  strictEqual(f.sent.length, 6)
})

test('mail for our own users does not wait', async () => {
  const f = await open({ perMinute: 1 })
  for (let i = 0; i < 5; i++) await f.submit({ to: ['bob@example.org'] })
  await settled(f)
  strictEqual((await f.jobs()).length, 0)
})

test('a delivery that never came about takes its place for a while only', () => {
  const clock = new VirtualClock()
  const throttle = new Throttle({
    store: {} as Store,
    clock,
    random: seededRandom(),
    options: options.parse({ concurrency: 1 }),
  })
  const ask = (id: number, messageId: number) => throttle.ask(sampleJob({ id, messageId }))?.reason
  strictEqual(ask(1, 1), undefined)
  strictEqual(ask(1, 1), undefined, 'the same again')
  strictEqual(ask(2, 2), 'waiting: 1 of 1 connections to example.net')
  void clock.advance(GRANT_MS - 1)
  strictEqual(ask(2, 2), 'waiting: 1 of 1 connections to example.net')
  const later = new VirtualClock(clock.now() + GRANT_MS)
  Object.defineProperty(clock, 'now', { value: () => later.now() })
  strictEqual(ask(2, 2), undefined)
})

test('as many domains and paces as are remembered', async () => {
  const clock = new VirtualClock()
  const news: string[] = []
  const store: Partial<Store> = { domain: async domain => void news.push(domain), pace: async () => {} }
  const throttle = new Throttle({
    ...{ store: store as Store, clock, random: seededRandom() },
    options: options.parse({ concurrency: 1 }),
  })
  const attempted = async (n: number) => {
    const recipient = { localpart: 'a', domain: `d${n}.example` }
    const attempt = sampleAttempt({ outcome: 'delivered', code: 250, stage: 'end', remoteHost: 'mx.shared.example' })
    await throttle.attempted(sampleAttempted({ queueId: n, recipient, attempt }))
  }
  for (let n = 0; n < DOMAINS; n++) await attempted(n)
  await attempted(0)
  strictEqual(news.length, DOMAINS)
  await attempted(DOMAINS)
  // The one that was longest not seen made room: it is news again, and makes room itself.
  await attempted(1)
  await attempted(0)
  deepStrictEqual(news.slice(DOMAINS), [`d${DOMAINS}.example`, 'd1.example'])
  // Paces of no use any more make room; those in use stay, however many.
  const ask = (n: number) => throttle.ask(sampleJob({ id: n, messageId: n, recipientDomain: `p${n}.example` }))?.reason
  for (let n = 0; n <= PACES; n++) strictEqual(ask(n), undefined)
  strictEqual(throttle.list().length, PACES + 1)
  strictEqual(
    throttle.ask(sampleJob({ id: -1, messageId: -1, recipientDomain: 'p0.example' }))?.reason,
    'waiting: 1 of 1 connections to p0.example',
  )
})

test('names from outside do no harm', async () => {
  const f = await open({ destinations: { 'constructor.example': { perMinute: 6 } } })
  f.answer(job => ({ ...SLOW, remoteHost: job.recipient.localpart === 'a' ? '__proto__' : 'mx.constructor.example' }))
  await f.submit({ to: ['a@one.example'] })
  await f.submit({ to: ['b@two.example'] })
  await settled(f)
  deepStrictEqual(
    (await shown(f)).map(text => text.split(' ')[0]),
    ['__proto__', 'constructor.example'],
  )
})
