// From the queue to the sender: the whole server but sockets, on a real database.
import assert from 'node:assert/strict'
import {
  type DsnComposeInput,
  type DsnComposeVerdict,
  fail,
  mailboxes,
  type Notify,
  patch,
  queueControl,
  withhold,
} from '@mox/plugin-sdk'
import { afterEach, expect, test } from 'vitest'
import { parseReport } from '../src/parse/report.ts'
import { GATHER_MS } from '../src/worker.ts'
import {
  type Answer,
  DELIVERED,
  fieldOf,
  openWorld,
  PERMANENT,
  TEMPORARY,
  type World,
  type WorldOptions,
} from './support/world.ts'

let world: World
afterEach(() => world.close())

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Opens a world, for this test only. */
async function open(options: WorldOptions = {}): Promise<World> {
  world = await openWorld(options)
  return world
}

const pendingRows = (): Promise<object[]> =>
  world.storage
    .db('dsn_pending')
    .select('*')
    .then(rows => rows as object[])

/** Recipients and what is said of them, of each DSN. */
function said(messages: readonly string[]): string[] {
  return messages.map(message => {
    const { recipients } = parseReport(Buffer.from(message))
    return recipients.map(r => `${r.finalRecipient} ${r.action} ${r.status} ${r.code}`).join(', ')
  })
}

test('failed: straight into the sender’s mailbox', async () => {
  const { answers, submit, inbox, storage } = await open()
  answers.set('bob@example.net', PERMANENT)
  await submit(['bob@example.net'])
  await world.settle()
  const [message = '', ...more] = await inbox('alice')
  assert.deepEqual(more, [])
  assert.deepEqual(said([message]), ['bob@example.net failed 5.1.1 550'])
  assert.deepEqual(
    ['X-Test-Mailbox', 'Delivered-To', 'Return-Path', 'From', 'To', 'Subject', 'References', 'Auto-Submitted'].map(
      name => fieldOf(message, name),
    ),
    [
      'Inbox',
      'alice@example.org',
      '<>',
      'Mail delivery <postmaster@mail.example.org>',
      'alice@example.org',
      'Your message could not be delivered',
      '<1@example.org>',
      'auto-replied',
    ],
  )
  assert.deepEqual(await pendingRows(), [])
  assert.deepEqual(await storage.verify(), [])
  assert.deepEqual(await world.app.host.service(mailboxes).verify(), [])
})

test('delayed: once, after the attempt of the schedule that is two hours before the next, with the real times', async () => {
  const { answers, submit, inbox, advance, storage } = await open()
  answers.set('bob@example.net', TEMPORARY)
  const [queueId = 0] = await submit(['bob@example.net'])
  await advance(HOUR + 50 * MINUTE, MINUTE)
  assert.deepEqual(await inbox('alice'), [])
  await advance(10 * MINUTE, MINUTE)
  const [message = ''] = await inbox('alice')
  assert.deepEqual(said([message]), ['bob@example.net delayed 4.3.0 451'])
  const job = await storage.queue.get(queueId)
  assert.equal(job?.attempts, 5)
  const times = [...message.matchAll(/^ {6}(\w{3}, .*)\r$/gm)].map(([, date = '']) => Date.parse(date))
  const due = Math.floor(job.due / 1000) * 1000
  assert.deepEqual(
    times.map(time => time - due),
    [0, 4 * HOUR, 12 * HOUR],
  )
  assert.equal(Date.parse(/^Will-Retry-Until: (.*)\r$/m.exec(message)?.[1] ?? ''), due + 12 * HOUR)

  // The next failure says nothing new; the end does.
  await advance(3 * HOUR, 10 * MINUTE)
  assert.equal((await inbox('alice')).length, 1)
  await world.app.host.service(queueControl).end({ ids: [queueId] }, 'failed', 'enough')
  await world.settle()
  assert.deepEqual(said(await inbox('alice')).slice(1), ['bob@example.net failed 5.0.0 0'])
  assert.match((await inbox('alice')).at(-1) ?? '', /Delivery was ended here: enough/)
  assert.deepEqual(await pendingRows(), [])
})

test('NOTIFY says who is told what', async () => {
  const { answers, submit, inbox, advance, clock } = await open({
    ...{ retrySchedule: [60, 60, 600], options: { delayedAfterMinutes: 1 } },
  })
  answers.set('fails@example.net', PERMANENT)
  answers.set('waits@example.net', TEMPORARY)
  answers.set('passes@example.net', { ...DELIVERED, dsnPassedOn: true })
  let seen = 0
  const check = async (
    to: string,
    notify: readonly Notify[] | undefined,
    expected: readonly string[],
  ): Promise<void> => {
    await submit([to], notify === undefined ? {} : { notify })
    await advance(to.startsWith('waits') ? 3 * MINUTE : 30_000)
    const all = await inbox('alice')
    assert.deepEqual(said(all.slice(seen)), expected, `${to} ${notify}`)
    seen = all.length
    await world.app.host.service(queueControl).end({}, 'cancelled', 'next')
  }
  const failed = ['fails@example.net failed 5.1.1 550']
  await check('fails@example.net', undefined, failed)
  await check('fails@example.net', ['failure'], failed)
  await check('fails@example.net', ['success', 'delay'], [])
  await check('fails@example.net', [], [])
  const delayed = ['waits@example.net delayed 4.3.0 451']
  await check('waits@example.net', undefined, delayed)
  await check('waits@example.net', ['delay'], delayed)
  await check('waits@example.net', ['failure'], [])
  await check('waits@example.net', [], [])
  await check('there@example.net', undefined, [])
  await check('there@example.net', ['success'], ['there@example.net relayed 2.0.0 250'])
  await check('there@example.net', ['failure', 'delay'], [])
  await check('passes@example.net', ['success'], [])
  await check('bob@example.org', ['success'], ['bob@example.org delivered 2.6.0 250'])
  await check('bob@example.org', undefined, [])
  await check('team@example.org', ['success'], ['team@example.org expanded 2.6.0 250'])
  assert.ok(clock.now() > 0)
})

test('several recipients of one message make one DSN of each kind', async () => {
  const { answers, submit, inbox, advance } = await open()
  const slow = Promise.withResolvers<Answer>()
  answers.set('one@a.example', PERMANENT)
  answers.set('two@b.example', { ...PERMANENT, text: 'nor that one' })
  answers.set('three@c.example', () => slow.promise)
  await submit(['one@a.example', 'two@b.example', 'three@c.example', 'bob@example.org'], {
    notify: ['failure', 'success'],
  })
  await advance(20_000)
  // Somebody is still being tried: it may be told of together.
  assert.deepEqual(said(await inbox('alice')), [])
  slow.resolve(PERMANENT)
  await advance(10_000)
  const messages = await inbox('alice')
  assert.deepEqual(said(messages).sort(), [
    'bob@example.org delivered 2.6.0 250',
    'one@a.example failed 5.1.1 550, two@b.example failed 5.1.1 550, three@c.example failed 5.1.1 550',
  ])
  assert.ok(
    messages.some(message => fieldOf(message, 'Subject') === 'Your message could not be delivered to 3 recipients'),
  )
})

test('a DSN waits for other recipients, but not for ever', async () => {
  const { answers, submit, inbox, advance } = await open()
  const slow = Promise.withResolvers<Answer>()
  answers.set('one@a.example', PERMANENT)
  answers.set('two@b.example', () => slow.promise)
  await submit(['one@a.example', 'two@b.example'])
  await advance(GATHER_MS - 1_000)
  assert.deepEqual(said(await inbox('alice')), [])
  await advance(1_000)
  assert.deepEqual(said(await inbox('alice')), ['one@a.example failed 5.1.1 550'])
  slow.resolve(PERMANENT)
  await advance(1_000)
  assert.deepEqual(said(await inbox('alice')).slice(1), ['two@b.example failed 5.1.1 550'])
})

test('nobody is told of the failure of a DSN, of mail of the server itself, or of what was cancelled', async () => {
  const { answers, submit, advance, inbox, app, storage } = await open()
  answers.set('bob@example.net', PERMANENT)
  await submit(['bob@example.net'], { from: '' })
  const report = 'From: postmaster@mail.example.org\r\nTo: bob@example.net\r\n\r\nreport\r\n'
  await submit(['bob@example.net'], { account: '', from: 'postmaster@mail.example.org', message: report })
  await app.host.service(queueControl).end({}, 'cancelled', 'dropped')
  answers.set('bob@example.net', TEMPORARY)
  await submit(['bob@example.net'])
  await app.host.service(queueControl).end({}, 'cancelled', 'dropped')
  await advance(2 * MINUTE)
  for (const account of ['alice', 'root']) assert.deepEqual(await inbox(account), [])
  assert.equal((await storage.history.list({}, { limit: 10 })).length, 3)
})

test('a policy that fails a recipient is told like a failure', async () => {
  const { submit, inbox } = await open({
    handlers: {
      beforeDeliver: () => fail('the address is on the suppression list', { status: 'suppressed', enhanced: '5.7.1' }),
    },
  })
  await submit(['bob@example.net'])
  const [message = ''] = await inbox('alice')
  assert.deepEqual(said([message]), ['bob@example.net failed 5.7.1 0'])
  assert.match(message, /It was not sent: the address is on the suppression list/)
  assert.doesNotMatch(message, /Diagnostic-Code|Last-Attempt-Date|Remote-MTA/)
})

test('whose address it is: its mailbox, else Inbox, else postmaster', async () => {
  const { answers, submit, inbox } = await open()
  answers.set('bob@example.net', PERMANENT)
  const mailboxesOf = async (account: string) =>
    (await inbox(account)).map(message => fieldOf(message, 'X-Test-Mailbox'))
  const message = (from: string) => `From: ${from}\r\nTo: bob@example.net\r\n\r\nhello\r\n`
  await submit(['bob@example.net'], { from: 'work@example.org', message: message('work@example.org') })
  assert.deepEqual(await mailboxesOf('alice'), ['Work'])
  await submit(['bob@example.net'], { account: 'full', from: 'full@example.org', message: message('full@example.org') })
  assert.deepEqual(await mailboxesOf('full'), [])
  assert.deepEqual(await mailboxesOf('root'), ['Inbox'])
  assert.match((await inbox('root'))[0] ?? '', /^To: full@example\.org/m)
})

test('content is there for the DSN although nothing of the message is kept', async () => {
  const { answers, submit, inbox, advance, storage, clock } = await open({ keepRetiredDays: 0 })
  const slow = Promise.withResolvers<Answer>()
  answers.set('one@a.example', PERMANENT)
  answers.set('two@b.example', () => slow.promise)
  await submit(['one@a.example', 'two@b.example'], { envelope: { ret: 'FULL' } })
  slow.resolve(DELIVERED)
  await world.settle()
  await storage.write(async () => {
    await storage.messages.purge(clock.now() + 1, 100)
    await storage.content.collect()
  })
  await advance(MINUTE)
  assert.match((await inbox('alice'))[0] ?? '', /Content-Type: message\/rfc822[\s\S]*Hello Bob\./)
  await storage.write(async () => {
    await storage.messages.purge(clock.now() + 1, 100)
  })
  assert.deepEqual(await storage.verify(), [])
})

test('a crash between the end of a recipient and the DSN: exactly one DSN', async () => {
  const { answers, submit, log } = await open({
    handlers: { 'onDSN.compose': { handler: () => new Promise<undefined>(() => {}), timeoutMs: 5_000 } },
  })
  answers.set('bob@example.net', PERMANENT)
  await submit(['bob@example.net'])
  // The handler has not answered: the recipient is retired, the DSN is not written.
  assert.equal((await pendingRows()).length, 1)
  assert.deepEqual(
    log.lines.filter(({ text }) => text === 'DSN sent'),
    [],
  )
  world = await world.restart()
  assert.deepEqual(await world.inbox('alice'), [])
  // Three tries of five seconds, and the waits between them.
  await world.advance(6 * MINUTE)
  assert.deepEqual(said(await world.inbox('alice')), ['bob@example.net failed 5.1.1 550'])
  world = await world.restart()
  await world.advance(MINUTE)
  assert.equal((await world.inbox('alice')).length, 1)
  assert.deepEqual(await pendingRows(), [])
})

test('a unit that fails leaves neither half', async () => {
  const { answers, submit, inbox, advance, storage } = await open()
  answers.set('bob@example.net', PERMANENT)
  const release = storage.content.release.bind(storage.content)
  let failures = 1
  storage.content.release = async id => {
    if (failures-- > 0) throw new Error('disk gone')
    await release(id)
  }
  await submit(['bob@example.net'])
  assert.deepEqual(await inbox('alice'), [])
  await advance(2 * MINUTE)
  assert.deepEqual(said(await inbox('alice')), ['bob@example.net failed 5.1.1 550'])
  assert.deepEqual(await storage.verify(), [])
})

test('onDSN.compose: the text is changed, withheld, or sent as it is when the handler keeps failing', async () => {
  const inputs: DsnComposeInput[] = []
  const run = async (
    answer: (input: DsnComposeInput) => DsnComposeVerdict | undefined,
    wait: number,
  ): Promise<string[]> => {
    const { answers, submit, inbox, advance } = await open({
      handlers: {
        'onDSN.compose': input => {
          inputs.push(input)
          return answer(input)
        },
      },
    })
    answers.set('bob@example.net', PERMANENT)
    await submit(['bob@example.net'])
    await advance(wait)
    assert.deepEqual(await pendingRows(), [])
    return await inbox('alice')
  }
  const patched = await run(
    () => patch({ subject: 'Nicht zugestellt: Grüße', text: 'Leider.\nÜber', language: 'de' }),
    0,
  )
  assert.match(patched[0] ?? '', /^Subject: Nicht zugestellt: =\?UTF-8\?B\?/m)
  assert.match(patched[0] ?? '', /Content-Language: de\r\n\r\nLeider\.\r\n=C3=9Cber\r\n/)
  expect(inputs[0]).toMatchObject({
    ...{
      action: 'failed',
      account: 'alice',
      draft: { subject: 'Your message could not be delivered', language: 'en' },
    },
    recipients: [{ address: 'bob@example.net', action: 'failed', attempt: { code: 550, text: 'no such user' } }],
  })
  await world.close()
  assert.deepEqual(await run(() => withhold('they know'), 0), [])
  const [retired] = await world.storage.history.list({}, { limit: 1 })
  assert.deepEqual(
    retired?.trace.slice(1).map(({ hook, verdict, reason }) => [hook, verdict, reason]),
    [['onDSN.compose', 'withhold', 'they know']],
  )
  await world.close()
  inputs.length = 0
  const plain = await run(() => {
    throw new Error('broken')
  }, 5 * MINUTE)
  assert.equal(inputs.length, 3)
  assert.equal(fieldOf(plain[0] ?? '', 'Subject'), 'Your message could not be delivered')
  assert.equal(plain.length, 1)
})

test('senders of mail from outside are told only where they asked, and never get more than the header section', async () => {
  const message = 'From: eve@remote.example\r\nTo: bob@example.org\r\nMessage-ID: <9@remote.example>\r\n\r\nsecret\r\n'
  const to = ['bob@example.org', 'full@example.org']
  const run = async (options: WorldOptions, notify: readonly Notify[] | undefined): Promise<World['sent']> => {
    const { receive, sent, advance } = await open(options)
    const replies = await receive('eve@remote.example', to, message, notify)
    assert.equal(replies.at(-1)?.code, 250)
    // The full mailbox is tried again until the schedule ends.
    await advance(20 * HOUR, 10 * MINUTE)
    return sent
  }
  assert.deepEqual(await run({}, undefined), [])
  await world.close()
  assert.deepEqual(await run({ options: { outsideSenders: 'never' } }, ['failure']), [])
  await world.close()
  const sent = await run({}, ['failure'])
  assert.deepEqual(
    sent.map(({ from, to }) => [from, to]),
    [['', ['eve@remote.example']]],
  )
  const [{ bytes = '', batch } = {}] = sent
  assert.deepEqual(said([bytes]), ['full@example.org failed 5.2.2 452'])
  assert.match(bytes, /^Received-From-MTA: dns; mail\.example\.org \(198\.51\.100\.7\)\r$/m)
  assert.doesNotMatch(bytes, /secret/)
  assert.deepEqual([batch?.jobs[0].notify, batch?.jobs[0].account], [[], ''])
  // Its own failure is the end of it.
  assert.deepEqual(await pendingRows(), [])
})

test('a DSN that is in the queue already is not queued again after a crash', async () => {
  const message = 'From: eve@remote.example\r\nTo: bob@example.org\r\n\r\nhello\r\n'
  const { receive, storage, sent, advance } = await open()
  const finish = storage.content.release.bind(storage.content)
  let failures = 1
  // Dies after the submission, before the rows are gone.
  storage.content.release = async id => {
    if (failures-- > 0) throw new Error('crash')
    await finish(id)
  }
  await receive('eve@remote.example', ['bob@example.org', 'full@example.org'], message, ['failure'])
  await world.app.host.service(queueControl).end({}, 'failed', 'enough')
  await advance(5_000)
  assert.equal((await pendingRows()).length, 1)
  await advance(5 * MINUTE)
  assert.deepEqual(
    sent.map(({ to }) => to),
    [['eve@remote.example']],
  )
  assert.deepEqual(await pendingRows(), [])
})

test('mail from outside that is filed at once: success is told to who asked', async () => {
  const message = 'From: eve@remote.example\r\nTo: bob@example.org\r\nMessage-ID: <9@remote.example>\r\n\r\nhello\r\n'
  const { receive, sent, advance } = await open()
  const check = async (to: readonly string[], notify: readonly Notify[] | undefined, expected: readonly string[]) => {
    sent.length = 0
    await receive('eve@remote.example', to, message, notify)
    await advance(MINUTE)
    assert.deepEqual(said(sent.map(({ bytes }) => bytes)), expected, `${to} ${notify}`)
    assert.deepEqual(await pendingRows(), [])
  }
  await check(['bob@example.org'], undefined, [])
  await check(['bob@example.org'], ['failure'], [])
  await check(['bob@example.org'], ['success'], ['bob@example.org delivered 2.0.0 0'])
  const both = 'carol@example.org delivered 2.0.0 0, team@example.org expanded 2.0.0 0'
  await check(['carol@example.org', 'team@example.org', 'full@example.org'], ['success'], [both])
})
