// What puts recipients on the list by itself, and what must not.
import { deepStrictEqual, match } from 'node:assert'
import { type DsnEvent, suppressions } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { STREAK_MS } from '../src/streaks.ts'
import { openWorld, type World } from './support/world.ts'

const DAY = 86_400_000
const GONE = { stage: 'rcpt', code: 550, enhanced: '5.1.1', text: 'no such user' } as const
const FULL = { stage: 'rcpt', code: 452, enhanced: '4.2.2', text: 'mailbox full' } as const

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => await world.close())

const addresses = async () => (await world.list.list({}, { limit: 100 })).map(entry => `${entry.account} ${entry.base}`)

async function report(queueId: number, event: Partial<DsnEvent>, account = 'alice', eventId?: string): Promise<void> {
  const whole = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'no such user', ...event } as const
  await world.host.react('onDSN.done', { queueId, account, event: whole, reportId: 9, matchedBy: 'fromid' }, eventId)
}

test('a refused recipient is suppressed for its account, in any spelling that is the same mailbox', async () => {
  const id = await world.retire('Bo.b+x@gmail.com', GONE)
  match(
    await world.deliver('bob@googlemail.com'),
    /^suppressed: bob@googlemail\.com is on the suppression list since 2030-01-01 \(bounce\): 550 5\.1\.1 no such user$/,
  )
  match(await world.deliver('bob@gmail.com', 'alice', 'receipts'), /^suppressed/)
  deepStrictEqual(await world.deliver('bob@gmail.com', 'carol'), 'pass')
  deepStrictEqual(await world.deliver('bo@gmail.com'), 'pass')
  const [entry] = await world.list.list({ account: 'alice' }, { limit: 10 })
  deepStrictEqual(
    { ...entry, id: 0 },
    {
      ...{ id: 0, account: 'alice', stream: '', address: 'Bo.b+x@gmail.com', base: 'bob@gmail.com', cause: 'bounce' },
      ...{ reason: '550 5.1.1 no such user', code: 550, enhanced: '5.1.1', queueId: id },
      ...{ createdAt: world.host.clock.now(), expiresAt: world.host.clock.now() + 180 * DAY },
    },
  )
  deepStrictEqual([await world.list.causedBy(id), await world.list.causedBy(id + 1)], [true, false])
})

test('what adds nobody', async () => {
  await world.retire('a@example.com', { ...GONE, stage: 'mail' })
  await world.retire('b@example.com', { ...GONE, enhanced: '5.7.1' })
  await world.retire('c@example.com', { code: 0, enhanced: '', text: 'no answer', stage: 'connect' })
  await world.retire('d@example.com', GONE, { status: 'suppressed' })
  await world.retire('e@example.com', GONE, { status: 'cancelled' })
  await world.retire('f@example.com', GONE, { status: 'delivered' })
  // Mail from outside has no account, and '' would be all of them.
  await world.retire('g@example.com', GONE, { account: '' })
  await world.retire('h@example.com', FULL)
  deepStrictEqual(await addresses(), [])
})

test('the third failure in a row of one account', async () => {
  await world.retire('a@example.com', FULL)
  await world.retire('a@example.com', FULL)
  await world.retire('a@example.com', FULL, { account: 'carol' })
  await world.retire('a@example.com', FULL, { account: 'carol' })
  // A failure that says nothing about the recipient neither counts nor ends the row.
  await world.retire('a@example.com', { code: 0, enhanced: '', text: 'no answer', stage: 'connect' })
  deepStrictEqual(await addresses(), [])
  await world.restart()
  await world.retire('A@example.com', FULL)
  deepStrictEqual(await addresses(), ['alice a@example.com'])
  const [entry] = await world.list.list({}, { limit: 1 })
  deepStrictEqual(entry?.reason, '3 failures in a row, the last: 452 4.2.2 mailbox full')
  deepStrictEqual(entry.expiresAt, world.host.clock.now() + 30 * DAY)
})

test('a delivery ends the row, and so does time', async () => {
  const twice = async () => {
    await world.retire('a@example.com', FULL)
    await world.retire('a@example.com', FULL)
  }
  await twice()
  await world.retire('a@example.com', { code: 250, outcome: 'delivered' }, { status: 'delivered' })
  await twice()
  await world.host.advance(STREAK_MS + 1)
  await twice()
  deepStrictEqual(await addresses(), [])
  await world.host.advance(STREAK_MS)
  await world.retire('a@example.com', FULL)
  deepStrictEqual(await addresses(), ['alice a@example.com'])
})

test('reports', async () => {
  const id = await world.retire('a@example.com', { code: 250, outcome: 'delivered' }, { status: 'delivered' })
  await report(id, { action: 'delayed' })
  await report(id, { code: 0, enhanced: '' })
  await report(id, { enhanced: '5.7.1' })
  await report(id, { enhanced: '5.0.0' })
  await report(id, {}, 'carol')
  await report(id + 100, {})
  deepStrictEqual(await addresses(), [])
  // Told twice, it counts once.
  for (let i = 0; i < 4; i++) await report(id, { code: 400, enhanced: '4.2.1' })
  deepStrictEqual(await addresses(), [])
  await report(id, {})
  await report(id, {})
  const entries = await world.list.list({}, { limit: 10 })
  deepStrictEqual(
    entries.map(e => [e.account, e.address, e.cause, e.queueId]),
    [['alice', 'a@example.com', 'dsn', id]],
  )
})

test('a complaint is about its stream and stays', async () => {
  const delivered = { status: 'delivered', stream: 'news' } as const
  const recipient = { localpart: 'a', domain: 'example.com' }
  const id = await world.retire('a@example.com', { code: 250, outcome: 'delivered' }, { ...delivered, recipient })
  await report(id, { action: 'complained', code: 0, enhanced: '', text: 'abuse' })
  match(
    await world.deliver('a@example.com', 'alice', 'news'),
    /\(complaint\): the recipient called a message spam: abuse$/,
  )
  deepStrictEqual(await world.deliver('a@example.com', 'alice', 'receipts'), 'pass')
  deepStrictEqual(await world.deliver('a@example.com'), 'pass')
  await world.restart(3_000 * DAY)
  match(await world.deliver('a@example.com', 'alice', 'news'), /^suppressed/)
})

test('what a server says cannot do harm', async () => {
  const text = `gone\u001b[2J\r\n\u202e${'x'.repeat(10_000)}`
  await world.retire('a@example.com', { ...GONE, text })
  const [entry] = await world.list.list({}, { limit: 1 })
  match(entry?.reason ?? '', /^550 5\.1\.1 gone \[2J x+$/)
  deepStrictEqual((entry?.reason.length ?? 0) <= 500, true)
})

test('a further refusal of a listed address changes nothing', async () => {
  await world.retire('a@example.com', GONE)
  await world.retire('a@example.com', GONE)
  deepStrictEqual(
    world.host.trace.filter(one => one.failed),
    [],
  )
  deepStrictEqual(await addresses(), ['alice a@example.com'])
})

test('without automatic additions', async () => {
  const other = await openWorld({ automatic: false })
  try {
    await other.retire('a@example.com', GONE)
    deepStrictEqual(await other.list.list({}, { limit: 1 }), [])
  } finally {
    await other.close()
  }
})

test('who tells of a report first lets the list learn it, and it counts once', async () => {
  const service = world.host.service(suppressions)
  const told = async (): Promise<number> => {
    const id = await world.retire('a@example.com', { code: 250, outcome: 'delivered' }, { status: 'delivered' })
    const event = { action: 'failed', code: 452, enhanced: '4.2.2', text: 'mailbox full' } as const
    const done = { queueId: id, account: 'alice', event, reportId: 9, matchedBy: 'envid' }
    await service.learn(done)
    await world.host.react('onDSN.done', done, `event-${id}`)
    await service.learn(done)
    return id
  }
  const gone = await world.retire('b@example.com', { code: 250, outcome: 'delivered' }, { status: 'delivered' })
  const event = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'gone' } as const
  await service.learn({ queueId: gone, account: 'alice', event, reportId: 8, matchedBy: 'envid' })
  deepStrictEqual([await addresses(), await service.causedBy(gone)], [['alice b@example.com'], true])
  await told()
  deepStrictEqual(await addresses(), ['alice b@example.com'])
})
