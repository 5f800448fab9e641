// What hosts do and what becomes of the recipients, row by row: the servers, and then what was done and what came of it.
import assert from 'node:assert/strict'
import type { DnsRow } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import type { Extensions } from '../src/client/types.ts'
import type { Behaviour } from './support/servers.ts'
import { type BatchOptions, brief, makeBatch, makeWorld, run } from './support/world.ts'

const ZONE: readonly DnsRow[] = [
  ['example.net', 'MX', { preference: 10, exchange: 'mx1.example.net' }],
  ['example.net', 'MX', { preference: 20, exchange: 'mx2.example.net' }],
  ['mx1.example.net', 'A', '192.0.2.1'],
  ['mx2.example.net', 'A', '192.0.2.2'],
  ['two.example', 'MX', { preference: 10, exchange: 'dual.two.example' }],
  ['two.example', 'MX', { preference: 20, exchange: 'mx2.example.net' }],
  ['dual.two.example', 'A', '192.0.2.3'],
  ['dual.two.example', 'AAAA', '2001:db8::3'],
  ['empty.example', 'MX', { preference: 10, exchange: 'nothing.empty.example' }],
]
const MX1 = 'mx1.example.net 192.0.2.1'
const MX2 = 'mx2.example.net 192.0.2.2'

interface Row extends BatchOptions {
  /** Behaviours of 192.0.2.1, .2, .3; 2001:db8::3 is always ok. */
  readonly servers: readonly Behaviour[]
  readonly extensions?: Partial<Extensions>
}

function check(
  name: string,
  { servers, extensions = {}, ...batch }: Row,
  expected: readonly string[],
  done?: readonly string[],
): void {
  test(name, async () => {
    const world = makeWorld(ZONE)
    world.servers.extensions = extensions
    for (const [i, behaviour] of servers.entries()) world.servers.set(`192.0.2.${i + 1}`, behaviour)
    const results = await run(world, world.direct(), makeBatch(batch))
    assert.deepEqual(results.map(brief), expected)
    if (done !== undefined) assert.deepEqual(world.servers.done, done)
    for (const { dialed, remoteIp, remoteHost } of results)
      if (remoteIp !== undefined) assert.deepEqual(dialed, { host: remoteHost, ip: remoteIp })
    await world.pool.close()
    assert.equal(world.clock.pending, 0)
  })
}

const FIRST = ['dial 192.0.2.1', `${MX1} opportunistic`]
const SECOND = ['dial 192.0.2.2', `${MX2} opportunistic`]
const three = { to: ['bob@example.net', 'carol@example.net', 'dave@example.net'] }

// One recipient.
check(
  'delivered at the first host',
  { servers: ['ok', 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX1}`],
  [...FIRST, 'send bob'],
)
check(
  'no connection: next host',
  { servers: ['refused', 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX2}`],
  ['dial 192.0.2.1', ...SECOND, 'send bob'],
)
check('no answer in time: next host', { servers: ['unreachable', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('no host answers', { servers: ['refused', 'refused'] }, ['1 temporary 0 4.4.1 connect mx2.example.net -'])
check('421 at greeting: next host', { servers: ['421 4.3.2 at greeting', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('554 at greeting ends it', { servers: ['554 at greeting', 'ok'] }, [`1 permanent 554 - greeting ${MX1}`], FIRST)
check('io at greeting: next host', { servers: ['io at greeting', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('nonsense at greeting: next host', { servers: ['protocol at greeting', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX2}`,
])
check('550 at EHLO ends it', { servers: ['550 5.7.1 at ehlo', 'ok'] }, [`1 permanent 550 5.7.1 ehlo ${MX1}`], FIRST)
check('451 at EHLO: next host', { servers: ['451 4.3.0 at ehlo', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check(
  '450 at MAIL: next host',
  { servers: ['450 4.7.1 at mail', 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX2}`],
  [...FIRST, 'send bob', ...SECOND, 'send bob'],
)
check('550 at MAIL ends it', { servers: ['550 5.1.8 at mail', 'ok'] }, [`1 permanent 550 5.1.8 mail ${MX1}`])
check('421 at MAIL of a new session: next host', { servers: ['421 4.3.2 at mail', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX2}`,
])
check('450 at RCPT: next host', { servers: ['450 4.2.0 at rcpt', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('452 at RCPT: next host', { servers: ['452 4.5.3 at rcpt', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('550 at RCPT ends it', { servers: ['550 5.1.1 at rcpt', 'ok'] }, [`1 permanent 550 5.1.1 rcpt ${MX1}`])
check('551 at RCPT ends it', { servers: ['551 at rcpt', 'ok'] }, [`1 permanent 551 - rcpt ${MX1}`])
check('552 at RCPT is temporary', { servers: ['552 5.2.2 at rcpt', '552 5.2.2 at rcpt'] }, [
  `1 temporary 552 5.2.2 rcpt ${MX2}`,
])
check('552 at the end is permanent', { servers: ['552 5.2.2 at end', 'ok'] }, [`1 permanent 552 5.2.2 end ${MX1}`])
check('554 at DATA ends it', { servers: ['554 5.5.1 at data', 'ok'] }, [`1 permanent 554 5.5.1 data ${MX1}`])
check('451 at DATA: next host', { servers: ['451 at data', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('io while sending: next host', { servers: ['io at data', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check('451 at the end: next host', { servers: ['451 4.3.0 at end', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX2}`])
check(
  'io at the end: no other host now',
  { servers: ['io at end', 'ok'] },
  [`1 temporary 0 4.4.2 end ${MX1}`],
  [...FIRST, 'send bob'],
)
check('nonsense at the end: no other host now', { servers: ['protocol at end', 'ok'] }, [
  `1 temporary 0 4.4.2 end ${MX1}`,
])
check('the last answer counts', { servers: ['450 4.2.0 at rcpt', '451 4.3.0 at data'] }, [
  `1 temporary 451 4.3.0 data ${MX2}`,
])
check('temporary, then permanent', { servers: ['450 at rcpt', '550 5.1.1 at rcpt'] }, [
  `1 permanent 550 5.1.1 rcpt ${MX2}`,
])
check('an answer of no class is temporary', { servers: ['354 at mail', '650 at mail'] }, [
  `1 temporary 650 - mail ${MX2}`,
])

// Several recipients.
check(
  'all delivered in one message',
  { ...three, servers: ['ok'] },
  [`1 delivered 250 2.0.0 end ${MX1}`, `2 delivered 250 2.0.0 end ${MX1}`, `3 delivered 250 2.0.0 end ${MX1}`],
  [...FIRST, 'send bob carol dave'],
)
check(
  'each keeps its own refusal',
  { ...three, servers: [{ carol: '550 5.1.1 at rcpt', dave: '551 5.1.6 at rcpt' }] },
  [`1 delivered 250 2.0.0 end ${MX1}`, `2 permanent 550 5.1.1 rcpt ${MX1}`, `3 permanent 551 5.1.6 rcpt ${MX1}`],
  [...FIRST, 'send bob carol dave'],
)
check(
  'only who has no final answer goes on',
  { ...three, servers: [{ carol: '450 at rcpt', dave: '550 5.1.1 at rcpt' }, 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX1}`, `2 delivered 250 2.0.0 end ${MX2}`, `3 permanent 550 5.1.1 rcpt ${MX1}`],
  [...FIRST, 'send bob carol dave', ...SECOND, 'send carol'],
)
check(
  'and keeps the last answer',
  { ...three, servers: [{ carol: '450 4.2.0 at rcpt', dave: 'io at end' }, '452 4.3.1 at mail'] },
  [`1 delivered 250 2.0.0 end ${MX1}`, `2 temporary 452 4.3.1 mail ${MX2}`, `3 temporary 0 4.4.2 end ${MX1}`],
)
check('a refused MAIL is for all', { ...three, servers: ['550 5.7.1 at mail', 'ok'] }, [
  `1 permanent 550 5.7.1 mail ${MX1}`,
  `2 permanent 550 5.7.1 mail ${MX1}`,
  `3 permanent 550 5.7.1 mail ${MX1}`,
])
check('no session: all go on', { ...three, servers: ['refused', { carol: '550 at rcpt' }] }, [
  `1 delivered 250 2.0.0 end ${MX2}`,
  `2 permanent 550 - rcpt ${MX2}`,
  `3 delivered 250 2.0.0 end ${MX2}`,
])
check(
  'different wishes for TLS are different messages',
  {
    to: [{ requireTls: false }, {}, { requireTls: false, recipient: { localpart: 'carol', domain: 'example.net' } }],
    servers: ['ok'],
  },
  [`1 delivered 250 2.0.0 end ${MX1}`, `2 delivered 250 2.0.0 end ${MX1}`, `3 delivered 250 2.0.0 end ${MX1}`],
  [...FIRST, 'send bob carol', 'send bob'],
)

// TLS.
const plainly = [`${MX1} opportunistic`, 'dial 192.0.2.1', `${MX1} none`]
check(
  'TLS fails: the same host without',
  { servers: ['tls at starttls; ok', 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX1}`],
  ['dial 192.0.2.1', ...plainly, 'send bob'],
)
check('STARTTLS refused: without', { servers: ['454 4.7.0 at starttls; ok', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX1}`,
])
check('STARTTLS refused for good: without', { servers: ['554 5.7.0 at starttls; ok', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX1}`,
])
check('the connection breaks in the handshake: without', { servers: ['io at starttls; ok', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX1}`,
])
check('a late TLS alert: without', { servers: ['tls at ehlo; ok', 'ok'] }, [`1 delivered 250 2.0.0 end ${MX1}`])
check('refused without TLS', { servers: ['tls at starttls; 550 5.1.1 at rcpt', 'ok'] }, [
  `1 permanent 550 5.1.1 rcpt ${MX1}`,
])
check(
  'TLS fails and nothing works without: next host',
  { servers: ['tls at starttls; io at greeting', 'ok'] },
  [`1 delivered 250 2.0.0 end ${MX2}`],
  ['dial 192.0.2.1', ...plainly, ...SECOND, 'send bob'],
)
check('"TLS-Required: No" may go without', { requireTls: false, servers: ['tls at starttls; ok', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX1}`,
])
check(
  'REQUIRETLS without a policy',
  { requireTls: true, servers: ['ok', 'ok'] },
  ['1 permanent 554 5.7.30 policy mx2.example.net -'],
  [],
)

// What a server cannot do.
check('SMTPUTF8 at no host', { smtputf8: true, servers: ['local 553 5.6.7 at mail', 'local 553 5.6.7 at mail'] }, [
  `1 permanent 553 5.6.7 mail ${MX2}`,
])
check('SMTPUTF8 at another host', { smtputf8: true, servers: ['local 553 5.6.7 at mail', 'ok'] }, [
  `1 delivered 250 2.0.0 end ${MX2}`,
])
check('SMTPUTF8 perhaps at another host', { smtputf8: true, servers: ['local 553 5.6.7 at mail', 'refused'] }, [
  '1 temporary 0 4.4.1 connect mx2.example.net -',
])
check('SMTPUTF8 perhaps at the first host', { smtputf8: true, servers: ['refused', 'local 553 5.6.7 at mail'] }, [
  `1 temporary 0 4.6.7 mail ${MX2}`,
])
check('too large for every host', { servers: ['local 552 5.3.4 at mail', 'local 552 5.3.4 at mail'] }, [
  `1 permanent 552 5.3.4 mail ${MX2}`,
])
check('a temporary decision of ours', { servers: ['local 451 4.7.30 at mail', 'local 451 4.7.30 at mail'] }, [
  `1 temporary 0 4.7.30 mail ${MX2}`,
])

// Leniency.
const DUAL = { to: ['bob@two.example'] }
const AT3 = 'dual.two.example 192.0.2.3'
check(
  'refused by policy on the first attempt to both families',
  { ...DUAL, servers: ['ok', '550 5.7.1 at rcpt', '550 5.7.1 at rcpt'] },
  [`1 permanent 550 5.7.1 rcpt ${MX2}`],
)
check('lenient, then delivered', { ...DUAL, servers: ['ok', 'ok', '554 5.7.1 at greeting'] }, [
  `1 delivered 250 2.0.0 end ${MX2}`,
])
check('lenient, then temporary', { ...DUAL, servers: ['ok', 'refused', '550 5.7.1 at mail'] }, [
  '1 temporary 0 4.4.1 connect mx2.example.net -',
])
check('not on the second attempt', { ...DUAL, attempt: 2, servers: ['ok', 'ok', '550 5.7.1 at rcpt'] }, [
  `1 permanent 550 5.7.1 rcpt ${AT3}`,
])
check('not for other refusals', { ...DUAL, servers: ['ok', 'ok', '550 5.1.1 at rcpt'] }, [
  `1 permanent 550 5.1.1 rcpt ${AT3}`,
])
check('not for one family', { servers: ['550 5.7.1 at rcpt', 'ok'] }, [`1 permanent 550 5.7.1 rcpt ${MX1}`])
check('an address that does not answer: the next one of the host', { ...DUAL, servers: ['ok', 'ok', 'refused'] }, [
  '1 delivered 250 2.0.0 end dual.two.example 2001:db8::3',
])
check(
  'what the server says makes no other address be tried',
  { ...DUAL, servers: ['ok', 'refused', '421 at greeting'] },
  ['1 temporary 0 4.4.1 connect mx2.example.net -'],
)

// Destinations.
check('an address literal', { to: ['bob@[192.0.2.1]'], servers: ['ok'] }, [
  '1 delivered 250 2.0.0 end 192.0.2.1 192.0.2.1',
])
check('a host without addresses', { to: ['bob@empty.example'], servers: [] }, [
  '1 temporary 0 4.4.4 dns nothing.empty.example -',
])
check('no such domain, first attempt', { to: ['bob@missing.example'], servers: [] }, [
  '1 temporary 0 4.1.2 dns missing.example -',
])
check('no such domain, second attempt', { to: ['bob@missing.example'], attempt: 2, servers: [] }, [
  '1 permanent 550 5.1.2 dns missing.example -',
])

test('a connection that was made is told although another host had the last word', async () => {
  const world = makeWorld(ZONE)
  world.servers.set('192.0.2.1', '450 at rcpt')
  world.servers.set('192.0.2.2', 'refused')
  const [result] = await run(world, world.direct(), makeBatch())
  assert.deepEqual(result?.dialed, { host: 'mx1.example.net', ip: '192.0.2.1' })
  assert.equal(result?.remoteIp, undefined)
})

test('what the server took over, TLS, and an uncertain end', async () => {
  const world = makeWorld(ZONE)
  world.servers.extensions = { dsn: true }
  const [taken] = await run(world, world.direct(), makeBatch())
  assert.equal(taken?.dsnPassedOn, true)
  assert.equal(taken?.tls?.version, 'TLSv1.3')
  world.servers.set('192.0.2.1', 'io at end')
  const [unsure] = await run(world, world.direct(), makeBatch())
  assert.equal(unsure?.dsnPassedOn, undefined)
  // The client's own words say already that the message may have been delivered.
  assert.equal(unsure?.text, 'io trouble')
})

test('an abort ends the attempt before the next host', async () => {
  const world = makeWorld(ZONE)
  const abort = new AbortController()
  const transport = world.direct({
    dial: async (...input) => {
      abort.abort(new Error('the server is stopping'))
      return world.servers.dial(...input)
    },
  })
  world.servers.set('192.0.2.1', 'local 553 5.6.7 at mail')
  const results = await run(world, transport, makeBatch(), abort.signal)
  assert.deepEqual(results.map(brief), [`1 temporary 0 4.6.7 mail ${MX1}`])
  const none = await run(world, transport, makeBatch(), abort.signal)
  assert.equal(none[0]?.outcome, 'temporary')
})

test('the message goes on as the queue has it', async () => {
  const world = makeWorld(ZONE)
  const to = [
    {
      notify: ['failure'] as const,
      orcpt: 'rfc822;bob@old.example',
      recipient: { localpart: 'böb', domain: 'example.net' },
    },
  ]
  await run(world, world.direct(), makeBatch({ to, size: 4711, has8bit: true, ret: 'HDRS', envid: 'e1' }))
  const [message] = world.servers.messages
  assert.deepEqual(message?.recipients, [
    { id: 1, path: { localpart: 'böb', domain: 'example.net' }, notify: ['failure'], orcpt: 'rfc822;bob@old.example' },
  ])
  const { reversePath, size, has8bit, smtputf8, requireTls, ret, envid } = message!
  assert.deepEqual(
    { reversePath, size, has8bit, smtputf8, requireTls, ret, envid },
    {
      ...{ reversePath: { localpart: 'alice', domain: 'example.org' }, size: 4711, has8bit: true, smtputf8: true },
      ...{ requireTls: false, ret: 'HDRS', envid: 'e1' },
    },
  )
})

test('an exception of the client is trouble, not a crash', async () => {
  const world = makeWorld([['example.net', 'A', '192.0.2.1']])
  world.servers.set('192.0.2.1', 'no such behaviour')
  const results = await run(world, world.direct(), makeBatch())
  assert.deepEqual(results.map(brief), ['1 temporary 0 4.3.0 greeting example.net 192.0.2.1'])
  assert.deepEqual(world.log.texts('error'), ['error session failed'])
})
