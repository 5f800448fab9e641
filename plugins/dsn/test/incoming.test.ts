// Reports that come in, against a real database: what becomes of the history, who is told, and what is not believed.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DsnDone, match, UsageError } from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { samplePath } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { dsnCommands } from '../src/commands.ts'
import { LONGEST_LOG, looksLikeReport } from '../src/incoming.ts'
import { openWorld, TEMPORARY, type World, type WorldOptions } from './support/world.ts'

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

interface Opened extends World {
  readonly events: DsnDone[]
  /** Status and the last entry of a recipient in the history. */
  last(queueId: number): Promise<string>
}

async function open(options: WorldOptions = {}): Promise<Opened> {
  const events: DsnDone[] = []
  const handlers = {
    ...options.handlers,
    'onDSN.done': ({ queueId, account, event, reportId, matchedBy }: DsnDone) =>
      void events.push({ queueId, account, event, reportId, matchedBy }),
  }
  const opened = await openWorld({ ...options, handlers })
  world = opened
  const last = async (queueId: number): Promise<string> => {
    const row = await opened.storage.history.get(queueId)
    const entry = row?.results.at(-1)
    return `${row?.status}: ${entry?.number} ${entry?.outcome} ${entry?.code} ${entry?.enhanced} ${entry?.text}`
  }
  return { ...opened, events, last }
}

interface Report {
  readonly to?: string
  readonly action?: string
  readonly status?: string
  readonly envid?: string
  readonly messageId?: string
  readonly diagnostic?: string
}

/** A report about one recipient, or several. */
function report(...recipients: readonly Report[]): string {
  const { envid, messageId = '<1@example.org>' } = recipients[0] ?? {}
  const blocks = recipients.map(
    ({ to = 'bob@example.net', action = 'failed', status = '5.1.1', diagnostic = '550 5.1.1 no such user' }) =>
      `Final-Recipient: rfc822; ${to}\nAction: ${action}\nStatus: ${status}\nRemote-MTA: dns; inner.example.net\nDiagnostic-Code: smtp; ${diagnostic}\n`,
  )
  return `From: MAILER-DAEMON@mx.example.net
To: alice@example.org
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
${envid === undefined ? '' : `Original-Envelope-Id: ${envid}\n`}
${blocks.join('\n')}
--b
Content-Type: text/rfc822-headers

Message-ID: ${messageId}
--b--
`.replaceAll('\n', '\r\n')
}

const DELIVERED_BEFORE = 'delivered: 1 delivered 250 2.0.0 ok'

test('a bounce corrects the history, and everybody who wants to know is told', async () => {
  const { submit, receive, last, events, storage, clock } = await open()
  const [queueId = 0] = await submit(['bob@example.net'])
  assert.equal(await last(queueId), DELIVERED_BEFORE)
  await world?.advance(60_000)
  await receive('', ['alice@example.org'], report({}))
  assert.equal(await last(queueId), 'failed: 0 permanent 550 5.1.1 failed, says a report: 550 5.1.1 no such user')
  const row = await storage.history.get(queueId)
  assert.equal(row?.lastActivity, clock.now())
  const reportId = row?.results.at(-1)?.reportId ?? 0
  assert.equal(row?.results.at(-1)?.matchedBy, 'message-id')
  assert.deepEqual(events, [
    {
      ...{ queueId, account: 'alice', reportId, matchedBy: 'message-id' },
      event: {
        action: 'failed',
        code: 550,
        enhanced: '5.1.1',
        text: '550 5.1.1 no such user',
        remoteMta: 'inner.example.net',
      },
    },
  ])
  assert.equal((await storage.messages.get(reportId))?.subject, 'Undelivered')

  // The event comes again: nothing new.
  const scope = {
    facts: { get: () => 'report', set: () => {} },
    trace: [],
    signal: new AbortController().signal,
    exempted: new Set<string>(),
    eventId: 'e',
  }
  const done = {
    messageId: reportId,
    kind: 'delivery',
    account: '',
    from: '',
    recipients: ['alice@example.org'],
    size: 1,
  }
  await world?.app.host.hooks.react('onReceive.done', 'dsn', done, scope as never)
  await world?.settle()
  assert.equal(events.length, 1)
  assert.equal((await storage.history.get(queueId))?.results.length, 2)
})

test('what each action does', async () => {
  const { submit, receive, last, events } = await open()
  const check = async (given: Report, expected: string) => {
    const messageId = `<${events.length + 10}@example.org>`
    const [queueId = 0] = await submit(['bob@example.net'], {
      message: `From: alice@example.org\r\nMessage-ID: ${messageId}\r\n\r\nx\r\n`,
    })
    await receive('', ['alice@example.org'], report({ ...given, messageId }))
    assert.equal(await last(queueId), expected)
    assert.equal(events.at(-1)?.queueId, queueId)
  }
  const said = 'says a report: 550 5.1.1 no such user'
  await check({ action: 'failed' }, `failed: 0 permanent 550 5.1.1 failed, ${said}`)
  await check({ action: 'delayed', status: '4.4.1' }, `delivered: 0 temporary 550 4.4.1 delayed, ${said}`)
  await check(
    { action: 'delivered', status: '2.0.0', diagnostic: 'ok' },
    'delivered: 0 delivered 0 2.0.0 delivered, says a report: ok',
  )
  await check(
    { action: 'relayed', status: '2.0.0', diagnostic: '250 ok' },
    'delivered: 0 delivered 250 2.0.0 relayed, says a report: 250 ok',
  )
  await check({ action: 'pondering', status: '' }, `failed: 0 permanent 550 5.1.1 failed, ${said}`)
})

test('by envelope id first, and several recipients each to its own', async () => {
  const { submit, receive, last, events } = await open()
  const ids = await submit(['bob@example.net', 'eve@other.example', 'dan@other.example'], {
    envelope: { envid: 'E-1' },
  })
  const [bob = 0, eve = 0, dan = 0] = ids
  // The Message-ID is somebody else's.
  const rows: Report[] = [
    { to: 'BOB@example.net', envid: 'E-1', messageId: '<other@example.org>' },
    { to: 'eve@other.example', action: 'delayed', status: '4.2.2', diagnostic: '452 full' },
    { to: 'unknown@other.example' },
  ]
  await receive('', ['alice@example.org'], report(...rows))
  assert.equal(await last(bob), 'failed: 0 permanent 550 5.1.1 failed, says a report: 550 5.1.1 no such user')
  assert.equal(await last(eve), 'delivered: 0 temporary 452 4.2.2 delayed, says a report: 452 full')
  assert.equal(await last(dan), DELIVERED_BEFORE)
  assert.deepEqual(
    events.map(({ queueId, matchedBy }) => [queueId, matchedBy]),
    [
      [bob, 'envid'],
      [eve, 'envid'],
    ],
  )
  // Unknown as an envelope id, known as a Message-ID.
  await receive('', ['alice@example.org'], report({ to: 'dan@other.example', envid: 'E-2' }))
  assert.deepEqual(events.at(-1)?.matchedBy, 'message-id')
})

test('an envelope id and an ORCPT that come back in xtext', async () => {
  const { submit, receive, last, events } = await open()
  const given = [
    { path: samplePath('bob@example.net'), orcpt: 'rfc822;bob+tag@list.example' },
    { path: samplePath('eve@example.net'), orcpt: 'rfc822;eve+tag@list.example' },
  ]
  const [bob = 0, eve = 0] = await submit([], { envelope: { envid: 'E+1=2', recipients: given } })
  const messageId = '<other@example.org>'
  await receive('', ['alice@example.org'], report({ to: 'eve+2Btag@list.example', envid: 'E+2B1+3D2', messageId }))
  assert.match(await last(eve), /^failed: 0/)
  assert.equal(await last(bob), DELIVERED_BEFORE)
  assert.deepEqual(
    events.map(({ queueId, matchedBy }) => [queueId, matchedBy]),
    [[eve, 'envid']],
  )
})

test('ORCPT names the recipient, and one that was forwarded is certain when there is only one', async () => {
  const { submit, receive, last } = await open()
  const [queueId = 0] = await submit(['bob@example.net'])
  await receive('', ['alice@example.org'], report({ to: 'robert@elsewhere.example' }))
  assert.match(await last(queueId), /^failed: 0/)
  const two = await submit(['bob@example.net', 'eve@example.net'], {
    message: 'From: alice@example.org\r\nMessage-ID: <2@example.org>\r\n\r\nx\r\n',
  })
  await receive('', ['alice@example.org'], report({ to: 'robert@elsewhere.example', messageId: '<2@example.org>' }))
  for (const id of two) assert.equal(await last(id), DELIVERED_BEFORE)
})

test('what is not believed or not a report changes nothing', async () => {
  const { submit, receive, last, events } = await open()
  const [queueId = 0] = await submit(['bob@example.net'])
  const nothing = async (to: string, from: string, message: string) => {
    await receive(from, [to], message)
    assert.equal(await last(queueId), DELIVERED_BEFORE)
    assert.deepEqual(events, [])
  }
  // Somebody else's report about alice's message.
  await nothing('carol@example.org', '', report({}))
  await nothing('alice@example.org', '', report({ messageId: '<unknown@example.org>' }))
  await nothing(
    'alice@example.org',
    'bob@example.net',
    'From: bob@example.net\r\nSubject: Re: hello\r\nIn-Reply-To: <1@example.org>\r\n\r\n<bob@example.net>: 550 5.1.1 no\r\n',
  )
  await nothing(
    'alice@example.org',
    '',
    'From: bob@example.net\r\nSubject: away\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n',
  )
})

test('a recipient that is still tried: told, but its history is the queue’s', async () => {
  const { answers, submit, receive, events, storage } = await open()
  answers.set('bob@example.net', TEMPORARY)
  const [queueId = 0] = await submit(['bob@example.net'])
  await receive('', ['alice@example.org'], report({}))
  assert.deepEqual(
    events.map(event => event.queueId),
    [queueId],
  )
  assert.equal((await storage.queue.get(queueId))?.results.length, 1)
})

test('a complaint', async () => {
  const { submit, receive, last, events } = await open()
  const [queueId = 0] = await submit(['bob@example.net'])
  const complaint =
    'From: fbl@isp.example\nTo: alice@example.org\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <bob@example.net>\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@example.org>\n--b--\n'
  await receive('fbl@isp.example', ['alice@example.org'], complaint.replaceAll('\n', '\r\n'))
  assert.equal(await last(queueId), 'delivered: 0 delivered 0  complained, says a report: complaint: abuse')
  assert.equal(events[0]?.event.action, 'complained')
})

test('handlers of onDSN.match come first, for every message, and are believed for the account’s own recipients only', async () => {
  let target = 0
  const { submit, receive, last, events } = await open({
    handlers: {
      'onDSN.match': ({ account, recipient, head }) => {
        if (head.get('x-about') === undefined) return undefined
        assert.deepEqual([account, recipient], ['alice', 'alice@example.org'])
        return {
          ...match(target, { action: 'unrecognized', code: 0, enhanced: '', text: 'a reply' }),
          reason: 'fromid',
        }
      },
    },
  })
  const [queueId = 0] = await submit(['bob@example.net'])
  const [foreign = 0] = await submit(['bob@example.net'], {
    account: 'bob',
    from: 'bob@example.org',
    message: 'From: bob@example.org\r\n\r\nx\r\n',
  })
  const reply = 'From: eve@example.net\r\nX-About: it\r\n\r\nhello\r\n'
  target = queueId
  await receive('eve@example.net', ['alice@example.org'], reply)
  assert.equal(await last(queueId), 'delivered: 0 delivered 0  unrecognized, says a report: a reply')
  assert.deepEqual(
    events.map(({ matchedBy }) => matchedBy),
    ['fromid'],
  )
  target = foreign
  await receive('eve@example.net', ['alice@example.org'], reply)
  assert.equal(await last(foreign), DELIVERED_BEFORE)
  assert.equal(events.length, 1)
})

test('a log that is full stays as it is', async () => {
  const { submit, receive, storage, events } = await open()
  const [queueId = 0] = await submit(['bob@example.net'])
  const [entry] = (await storage.history.get(queueId))?.results ?? []
  assert.ok(entry)
  const fill = (entries: number) =>
    storage.write(() => storage.history.update(queueId, { results: Array.from({ length: entries }, () => entry) }))
  await fill(LONGEST_LOG - 1)
  await receive('', ['alice@example.org'], report({ action: 'delayed' }))
  await receive('', ['alice@example.org'], report({ action: 'delayed' }))
  assert.equal((await storage.history.get(queueId))?.results.length, LONGEST_LOG)
  assert.equal(events.length, 1)
})

test('what looks like a report', () => {
  const check = (header: string, reversePath: unknown, expected: boolean) =>
    assert.equal(looksLikeReport(parseHeader(Buffer.from(`${header}\r\n\r\n`)), reversePath), expected, header)
  check('From: bob@example.net', {}, false)
  check('From: bob@example.net', null, true)
  check('From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>', {}, true)
  check('From: MAILER-DAEMON (Mail Delivery)', {}, true)
  check('From: postmaster@mx.example.net', {}, true)
  check('From: notpostmaster@mx.example.net', {}, false)
  check('Content-Type: multipart/report; report-type=feedback-report', {}, true)
  check('Content-Type: multipart/reporting', {}, false)
  check('X-Failed-Recipients: x@y.example', {}, true)
})

test('mox dsn parse', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mox-dsn-'))
  try {
    const [command] = dsnCommands
    const run = (file: string) => command?.run({ arguments: [file], flags: new Map(), limit: 100 })
    const check = async (sample: string, expected: object) => {
      const result = await run(join(import.meta.dirname, 'samples', `${sample}.eml`))
      assert.deepEqual(result?.kind === 'value' && result.value, expected, sample)
    }
    await check('postfix-failed', {
      ...{ kind: 'bounce', messageId: '<orig-1@sender.example>', envelopeId: '', reportingMta: 'mx.sender.example' },
      arrivalDate: '2030-01-01T11:00:00.000Z',
      recipients: [
        {
          ...{ address: 'bob@rcpt.example', action: 'failed', status: '5.1.1', code: 550, category: 'recipient' },
          diagnostic: '550 5.1.1 <bob@rcpt.example>: Recipient address rejected: User unknown in virtual mailbox table',
          ...{ host: 'mx.rcpt.example', finalRecipient: 'bob@rcpt.example', originalRecipient: 'bob@rcpt.example' },
        },
      ],
    })
    const none = { messageId: '', envelopeId: '', reportingMta: '', arrivalDate: null, recipients: [] }
    await check('ordinary', { kind: 'none', ...none })
    await check('vacation', { kind: 'auto-reply', ...none })
    const kinds = { 'postfix-delayed': 'delay', 'arf-abuse': 'complaint', 'postfix-success': 'success' }
    for (const [sample, kind] of Object.entries(kinds)) {
      const result = await run(join(import.meta.dirname, 'samples', `${sample}.eml`))
      assert.equal(result?.kind === 'value' && (result.value as { kind: string }).kind, kind)
    }
    // Forwarded: whom the sender wrote to, and who did not get it.
    const forwarded = await run(join(import.meta.dirname, 'samples', 'original-recipient-first.eml'))
    const { recipients } = (forwarded?.kind === 'value' ? forwarded.value : {}) as {
      recipients: { address: string; finalRecipient: string }[]
    }
    assert.deepEqual(
      recipients.map(one => [one.address, one.finalRecipient]),
      [['bob@rcpt.example', 'bob@inner.rcpt.example']],
    )
    await assert.rejects(async () => await run(join(dir, 'missing.eml')), UsageError)
    await assert.rejects(async () => await run(dir), UsageError)
  } finally {
    await rm(dir, { recursive: true })
  }
})
