// Relays and transports that fail: whose trouble it is, and who is told.
import assert from 'node:assert/strict'
import type { DnsRow } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { DialError } from '../src/connect/dial.ts'
import { failTransport } from '../src/fail.ts'
import { relayTransactionMs } from '../src/limits.ts'
import type { RelayDeps } from '../src/relay.ts'
import type { Behaviour } from './support/servers.ts'
import { type BatchOptions, brief, makeBatch, makeWorld, run } from './support/world.ts'

const ZONE: readonly DnsRow[] = [
  ['relay.example', 'A', '192.0.2.1'],
  ['relay.example', 'A', '192.0.2.2'],
  ['inside.example', 'A', '10.0.0.1'],
]
const AT = 'relay.example 192.0.2.1'
const three = { to: ['bob@example.net', 'carol@example.org', 'dave@example.com'] }

interface Row extends BatchOptions {
  readonly server?: Behaviour
  readonly deps?: Partial<RelayDeps>
}

async function check(
  { server = 'ok', deps = {}, ...batch }: Row,
  expected: readonly string[],
  shouts = 0,
): Promise<void> {
  const world = makeWorld(ZONE)
  for (const ip of ['192.0.2.1', '10.0.0.1', '127.0.0.1']) world.servers.set(ip, server)
  const results = await run(world, world.relay(deps), makeBatch(batch))
  assert.deepEqual(results.map(brief), expected, JSON.stringify(server))
  assert.equal(world.log.texts('error').length, shouts)
  assert.equal(world.counts.get('mox_queue_relay_errors_total smarthost') ?? 0, shouts)
}

test('each recipient has its own answer', async () => {
  await check({ ...three, server: { carol: '550 5.1.1 at rcpt', dave: '450 4.2.0 at rcpt' } }, [
    `1 delivered 250 2.0.0 end ${AT}`,
    `2 permanent 550 5.1.1 rcpt ${AT}`,
    `3 temporary 450 4.2.0 rcpt ${AT}`,
  ])
  await check({ server: '550 5.7.1 at mail' }, [`1 permanent 550 5.7.1 mail ${AT}`])
  await check({ server: '554 5.6.0 at end' }, [`1 permanent 554 5.6.0 end ${AT}`])
  await check({ server: '552 5.2.2 at rcpt' }, [`1 temporary 552 5.2.2 rcpt ${AT}`])
  await check({ server: 'io at end' }, [`1 temporary 0 4.4.2 end ${AT}`])
  await check({ server: 'local 553 5.6.7 at mail' }, [`1 permanent 553 5.6.7 mail ${AT}`])
})

test('trouble with the relay bounces nothing and shouts', async () => {
  for (const [server, stage] of [
    ['535 5.7.8 at auth', 'auth'],
    ['local 504 5.7.4 at auth', 'auth'],
    ['554 5.7.1 at greeting', 'greeting'],
    ['550 5.7.1 at ehlo', 'ehlo'],
    ['554 5.7.0 at starttls', 'starttls'],
    ['tls at starttls', 'starttls'],
    ['io at greeting', 'greeting'],
    ['protocol at ehlo', 'ehlo'],
  ] as const) {
    const world = makeWorld(ZONE)
    world.servers.set('192.0.2.1', server)
    const results = await run(world, world.relay(), makeBatch(three))
    assert.deepEqual(
      results.map(({ outcome, code, stage }) => [outcome, code, stage]),
      Array(3).fill(['temporary', 0, stage]),
    )
    assert.match(results[0]?.enhanced ?? '', /^4\./)
    assert.match(results[0]?.text ?? '', /^the relay of transport "smarthost" cannot be used: /)
    assert.deepEqual(world.log.texts('error'), ['error relay cannot be used; mail waits until this is mended'])
    assert.equal(world.counts.get('mox_queue_relay_errors_total smarthost'), 1)
  }
})

test('a certificate that does not verify, unless any will do', async () => {
  await check({ server: 'untrusted' }, [`1 temporary 0 4.7.5 starttls ${AT}`], 1)
  await check({ server: 'untrusted', deps: { tls: { mode: 'required', verify: false } } }, [
    `1 delivered 250 2.0.0 end ${AT}`,
  ])
})

test('a relay that wants a login only says so when mail comes', async () => {
  await check(
    { ...three, server: '530 5.7.0 at mail' },
    [1, 2, 3].map(id => `${id} temporary 0 4.7.0 mail ${AT}`),
    1,
  )
  await check({ server: '535 5.7.8 at rcpt' }, [`1 temporary 0 4.7.8 rcpt ${AT}`], 1)
})

test('a shutdown is not the fault of the relay', async () => {
  const world = makeWorld(ZONE)
  const abort = new AbortController()
  const dial = async () => {
    abort.abort(new Error('the server is stopping'))
    throw new DialError('canceled', 'the server is stopping')
  }
  const [result] = await run(world, world.relay({ dial }), makeBatch(), abort.signal)
  assert.equal(result?.outcome, 'temporary')
  assert.deepEqual(world.log.texts('error'), [])
})

test('never without TLS by itself', async () => {
  const world = makeWorld(ZONE)
  world.servers.set('192.0.2.1', 'tls at starttls; ok')
  await run(world, world.relay({ tls: { mode: 'required', verify: true } }), makeBatch())
  assert.deepEqual(world.servers.done, ['dial 192.0.2.1', `${AT} required`])
})

test('addresses: the next one when one does not answer, private ones, localhost, literals, none', async () => {
  await check({ server: 'refused' }, ['1 delivered 250 2.0.0 end relay.example 192.0.2.2'])
  await check({ deps: { host: 'inside.example' } }, ['1 delivered 250 2.0.0 end inside.example 10.0.0.1'])
  await check({ deps: { host: 'localhost' } }, ['1 delivered 250 2.0.0 end localhost 127.0.0.1'])
  await check({ deps: { host: '127.0.0.1' } }, ['1 delivered 250 2.0.0 end 127.0.0.1 127.0.0.1'])
  await check({ deps: { host: 'missing.example' } }, ['1 temporary 0 4.4.4 dns missing.example -'], 1)
  const world = makeWorld(ZONE)
  world.servers.set('192.0.2.1', 'refused')
  world.servers.set('192.0.2.2', 'unreachable')
  assert.deepEqual((await run(world, world.relay(), makeBatch())).map(brief), [
    '1 temporary 0 4.4.1 connect relay.example -',
  ])
})

test('REQUIRETLS needs a session that is verified', async () => {
  const requireTls = true
  await check({ requireTls }, [`1 delivered 250 2.0.0 end ${AT}`])
  await check({ requireTls, server: 'local 554 5.7.30 at mail' }, [`1 permanent 554 5.7.30 mail ${AT}`])
  for (const tls of [
    { mode: 'required', verify: false },
    { mode: 'none', verify: false },
  ] as const)
    await check({ requireTls, deps: { tls } }, ['1 permanent 554 5.7.30 policy relay.example -'])
})

test('one connection for several messages, with the login that was configured', async () => {
  const world = makeWorld(ZONE)
  const credentials = () => ({ username: 'u', password: 'p', mechanisms: ['PLAIN'] })
  const transport = world.relay({ credentials })
  await run(world, transport, makeBatch())
  await run(world, transport, makeBatch(three))
  const [session, more] = world.servers.sessions
  assert.equal(more, undefined)
  assert.deepEqual(
    [session?.credentials?.username, session?.tls.serverName, session?.tls.mode],
    ['u', 'relay.example', 'implicit'],
  )
})

test('time for a message grows with its size', () => {
  assert.deepEqual([0, 1, 1024 * 1024, 10 * 1024 * 1024].map(relayTransactionMs), [60_000, 60_001, 61_000, 70_000])
})

test('fail transports', async () => {
  const world = makeWorld([])
  const fail = async (code: number) => run(world, failTransport('no', { code, message: 'not today' }), makeBatch(three))
  assert.deepEqual(
    (await fail(554)).map(brief),
    [1, 2, 3].map(id => `${id} permanent 554 5.7.0 policy - -`),
  )
  assert.deepEqual(
    (await fail(450)).map(brief),
    [1, 2, 3].map(id => `${id} temporary 450 4.7.0 policy - -`),
  )
  assert.equal((await fail(554))[0]?.text, 'not today')
  assert.deepEqual(world.servers.done, [])
})
