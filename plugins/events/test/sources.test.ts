// Every hook that makes events: which fields, once however often it is repeated, in the unit of work that it belongs to.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { type DsnDone, type MailEvent, type NewJob, suppressions } from '@mox/plugin-sdk'
import { sampleAttempt, sampleAttempted, sampleDone, samplePath, sampleRetire, TEST_NOW } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { REPORT_WAIT_MS } from '../src/incoming.ts'
import { openWorld, settled, type World } from './support.ts'

const caused = new Set<number>()
let world: World
beforeEach(async () => {
  caused.clear()
  const list = {
    causedBy: async (id: number) => caused.has(id),
    learn: async ({ queueId, event }: DsnDone) => {
      if (event.action === 'failed') caused.add(queueId)
    },
  }
  world = await openWorld({ services: [[suppressions, list]] })
})
afterEach(() => world.close())

const all = (): Promise<MailEvent[]> => world.events.list({}, { limit: 100 })

/** The given fields of all events. */
async function pick<K extends keyof MailEvent>(...keys: K[]): Promise<unknown[][]> {
  return (await all()).map(event => keys.map(key => event[key]))
}

async function queued(fields: Partial<NewJob> = {}): Promise<{ messageId: number; queueId: number }> {
  const { messageId } = await world.receive('Message-ID: <1@example.org>\nSubject: order\n\nx\n')
  const recipient = samplePath('bob@example.net')
  const [queueId = 0] = await world.storage.write(() =>
    world.storage.queue.add(messageId, [
      {
        ...{ recipient, recipientDomain: 'example.net', reversePath: samplePath('alice@example.org') },
        ...{ due: TEST_NOW, hold: true, maxAttempts: 0, extra: { order: '7' }, fromId: 'abc', stream: 'receipts' },
        ...fields,
      },
    ]),
  )
  return { messageId, queueId }
}

test('a recipient leaves the queue', async () => {
  const results = [sampleAttempt({ code: 550, enhanced: '5.1.1', text: 'nobody', remoteHost: 'mx.example.net' })]
  const check = async (retired: Parameters<typeof sampleRetire>[0], ...expected: unknown[]) => {
    const before = (await all()).length
    await world.host.write('onRetire.tx', sampleRetire({ attempts: 3, ...retired }))
    const event = (await all())[before]
    deepStrictEqual(
      event && [event.kind, event.code, event.enhanced, event.error, event.remoteMta, event.suppressing],
      expected[0] === undefined ? undefined : expected,
    )
  }
  const accepted = sampleAttempt({ outcome: 'delivered', code: 250, enhanced: '2.0.0', text: 'ok', remoteHost: 'mx' })
  await check({ id: 1, status: 'delivered', results: [accepted] }, 'delivered', 250, '2.0.0', '', 'mx', false)
  await check({ id: 2, status: 'failed', results }, 'failed', 550, '5.1.1', 'nobody', 'mx.example.net', false)
  caused.add(3).add(4)
  await check({ id: 3, status: 'failed', results }, 'failed', 550, '5.1.1', 'nobody', 'mx.example.net', true)
  await check({ id: 4, status: 'suppressed', results }, 'suppressed', 550, '5.1.1', 'nobody', 'mx.example.net', false)
  await check({ id: 5, status: 'cancelled', results: [] }, 'canceled', 0, '', '', '', false)
  await check({ id: 6, account: '', status: 'failed', results }, undefined)
  strictEqual(world.host.log.texts('warn').length, 0)
})

test('every field of an event', async () => {
  const fields = {
    stream: 'receipts',
    fromId: 'f1',
    extra: { a: 'ä' },
    attempts: 2,
    recipient: samplePath('ü@xn--mnchen-3ya.example'),
  }
  await world.host.write('onRetire.tx', sampleRetire({ id: 9, messageId: 4, status: 'cancelled', ...fields }))
  const [{ eventId, ...event }] = (await all()) as [MailEvent]
  strictEqual(/^[a-z2-7]{26}$/.test(eventId), true)
  deepStrictEqual(event, {
    ...{ id: 1, at: TEST_NOW, sequence: 1, account: 'alice', kind: 'canceled', queueId: 9, messageId: 4 },
    ...{ messageIdHeader: '<1@example.org>', subject: 'hello', recipient: 'ü@münchen.example' },
    ...{ fromId: 'f1', stream: 'receipts', extra: { a: 'ä' }, dsn: false, suppressing: false, code: 0 },
    ...{ enhanced: '', error: '', attempt: 2, remoteMta: '' },
  })
  deepStrictEqual(await world.events.get(eventId), { eventId, ...event })
  strictEqual(await world.events.get('nothing'), undefined)
})

test('an attempt that will be repeated', async () => {
  const { messageId, queueId } = await queued()
  const input = sampleAttempted({ queueId, messageId, account: 'alice', nextAttempt: TEST_NOW + 1 })
  await world.host.react('onAttempt', input, 'one')
  await world.host.react('onAttempt', input, 'one')
  await world.host.react('onAttempt', { ...input, final: true }, 'two')
  await world.host.react('onAttempt', { ...input, account: '' }, 'three')
  await world.host.react('onAttempt', { ...input, queueId: 999, attempt: sampleAttempt({ number: 4 }) }, 'four')
  deepStrictEqual(
    await pick('kind', 'queueId', 'subject', 'stream', 'extra', 'code', 'error', 'attempt', 'nextAttempt'),
    [
      ['delayed', queueId, 'order', 'receipts', { order: '7' }, 451, 'try again later', 1, TEST_NOW + 1],
      // A recipient that is gone from queue and history.
      ['delayed', 999, 'order', '', {}, 451, 'try again later', 4, TEST_NOW + 1],
    ],
  )
})

test('a report came in', async () => {
  const { messageId, queueId } = await queued()
  // The message above is mail from outside; the one it is about belongs to alice.
  const job = await world.storage.queue.get(queueId)
  await world.host.write('onRetire.tx', sampleRetire({ ...job, account: 'alice', id: queueId, status: 'delivered' }))
  await world.storage.write(async () => {
    const now = world.host.clock.now()
    const retired = sampleRetire({ ...job, account: 'alice', id: queueId, messageId, status: 'delivered' }).retired
    await world.storage.queue.retire([{ ...retired, keepUntil: now + 1_000 }])
  })
  const known = await world.storage.history.get(queueId)
  const done = (event: DsnDone['event'], more: Partial<DsnDone> = {}): DsnDone => ({
    ...{ queueId, account: known?.account ?? '', event, reportId: 77, matchedBy: 'envid' },
    ...more,
  })
  const failed = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'nobody', remoteMta: 'mx' } as const
  await world.host.react('onDSN.done', done(failed), 'one')
  await world.host.react('onDSN.done', done(failed), 'one')
  await world.host.react('onDSN.done', done({ ...failed, action: 'relayed', text: 'relayed' }), 'two')
  await world.host.react('onDSN.done', done({ ...failed, action: 'complained' }), 'three')
  await world.host.react('onDSN.done', done({ action: 'unrecognized', code: 0, enhanced: '', text: 'what' }), 'four')
  await world.host.react('onDSN.done', done(failed, { queueId: 12_345 }), 'five')
  await world.host.react('onDSN.done', done(failed, { account: 'other' }), 'six')
  deepStrictEqual(await pick('sequence', 'kind', 'dsn', 'suppressing', 'code', 'error', 'remoteMta'), [
    [1, 'delivered', false, false, 0, '', ''],
    [2, 'failed', true, true, 550, 'nobody', 'mx'],
    [3, 'relayed', true, false, 550, '', 'mx'],
    [4, 'complained', true, true, 550, 'nobody', 'mx'],
    [5, 'unrecognized', true, false, 0, 'what', ''],
  ])
})

test('a message came in: one event for each copy', async () => {
  const recipients = ['alice@example.org', 'bob@example.org']
  const { messageId, copies } = await world.receive('Message-ID: <m@x>\nSubject: hi\n\nx\n', { recipients })
  const done = sampleDone({ messageId, copies, from: 'eve@example.net', recipients })
  await world.host.react('onReceive.done', done, 'one')
  await world.host.react('onReceive.done', done, 'one')
  await world.host.react('onReceive.done', { ...done, kind: 'submission' }, 'two')
  const { copies: _, ...without } = done
  await world.host.react('onReceive.done', without, 'three')
  deepStrictEqual(
    await pick('kind', 'account', 'mailboxMessageId', 'messageId', 'recipient', 'messageIdHeader', 'queueId'),
    [
      ['incoming', 'alice', copies[0], messageId, 'alice@example.org', '<m@x>', 0],
      ['incoming', 'bob', copies[1], messageId, 'bob@example.org', '<m@x>', 0],
    ],
  )
  const own = await world.receive('Subject: failed\n\nx\n', { source: 'dsn' })
  await world.host.react('onReceive.done', sampleDone(own), 'four')
  strictEqual((await all()).length, 2)
})

test('what may be a report waits until it is known', async () => {
  const report = 'Content-Type: multipart/report; boundary=b\nSubject: r\n\nx\n'
  const check = async (text: string, receive: Parameters<World['receive']>[1], waits: boolean, isReport = false) => {
    const before = (await all()).length
    const { messageId, copies } = await world.receive(text, receive)
    const from = receive?.from === null ? '' : 'eve@example.net'
    const recipients = receive?.recipients ?? ['alice@example.org']
    await world.host.react('onReceive.done', sampleDone({ messageId, copies, from, recipients }), `m${messageId}`)
    strictEqual((await all()).length - before, waits ? 0 : 1, text)
    const event = { action: 'failed', code: 550, enhanced: '', text: '' } as const
    const done: DsnDone = { queueId: 1, account: 'alice', event, reportId: messageId, matchedBy: 'fromid' }
    if (isReport) await world.host.react('onDSN.done', done, `d${messageId}`)
    await world.host.advance(REPORT_WAIT_MS - 1)
    strictEqual((await all()).length - before, waits ? 0 : 1, text)
    await world.host.advance(1)
    await settled(async () => (await world.storage.db('events_waiting')).length === 0)
    strictEqual((await all()).length - before, isReport ? 0 : 1, text)
  }
  await check('Subject: ordinary\n\nx\n', {}, false)
  await check('Subject: bounce of somebody\n\nx\n', { from: null }, true)
  await check('Subject: bounce of ours\n\nx\n', { from: null }, true, true)
  await check(report, {}, true)
  await check(report, {}, true, true)
  await check('Subject: reply\n\nx\n', { recipients: ['alice+abc@example.org'] }, true)
  await check('Subject: reply\n\nx\n', { recipients: ['alice+abc@example.org'] }, true, true)
})

test('what waits is still there after a restart', async () => {
  const { messageId, copies } = await world.receive('Subject: x\n\nx\n', { from: null })
  await world.host.react('onReceive.done', sampleDone({ messageId, copies, from: '' }), 'one')
  await world.host.close()
  const again = await openWorld({ dir: world.dir, now: TEST_NOW + REPORT_WAIT_MS })
  try {
    await settled(async () => (await again.events.list({}, { limit: 10 })).length === 1)
  } finally {
    await again.host.close()
  }
})

test('an event is undone with its unit of work, and by a listener that throws', async () => {
  world.events.onAdd(async event => {
    if (event.subject === 'bad') throw new Error('no')
  })
  const { id: _, ...retired } = sampleRetire().retired
  const add = (subject: string) =>
    world.events.add({
      ...{ account: 'alice', kind: 'delivered', queueId: 1, messageId: 1, messageIdHeader: '', subject },
      ...{ recipient: 'b@x', fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, code: 0 },
      ...{ enhanced: '', error: '', attempt: 1, remoteMta: '' },
    })
  await rejects(add('bad'), /no/)
  await rejects(
    world.storage.write(async () => {
      await add('good')
      throw new Error('undone')
    }),
    /undone/,
  )
  deepStrictEqual(await all(), [])
  await world.host.write('onRetire.tx', sampleRetire({ ...retired, subject: 'bad' }))
  deepStrictEqual(await all(), [])
  strictEqual(
    world.host.trace.some(entry => entry.plugin === 'events' && entry.failed === true),
    true,
  )
})
