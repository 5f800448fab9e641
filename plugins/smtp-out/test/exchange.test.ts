// Connections shared by messages: when one is used again, replaced, and given up.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { ClientError, type ClientTls } from '../src/client/types.ts'
import { DialError } from '../src/connect/dial.ts'
import { type ExchangeOptions, makeExchange, type Target } from '../src/connect/exchange.ts'
import { CONNECTIONS_PER_MESSAGE, DIAL_MS, TIMEOUTS, TRANSACTIONS_PER_CONNECTION } from '../src/limits.ts'
import { messageFor } from '../src/message.ts'
import { makeBatch, makeWorld } from './support/world.ts'

const IP = '192.0.2.1'
const OPPORTUNISTIC: ClientTls = { mode: 'opportunistic', serverName: 'mx1.example.net', verify: false }

function setup(overrides: Partial<Target> = {}) {
  const world = makeWorld([])
  const { clock, servers, pool, metrics, log } = world
  const exchange = makeExchange({ clock, connect: servers.connect, pool, metrics })
  const target: Target = {
    ...{ transport: 'direct', host: 'mx1.example.net', port: 25, ehlo: 'mail.example.org', dial: servers.dial },
    ...{ tls: () => OPPORTUNISTIC, policy: '', setupMs: 60_000, transactionMs: 60_000 },
    ...overrides,
  }
  const options: ExchangeOptions = { log, signal: new AbortController().signal, dialUntil: clock.now() + 30_000 }
  const send = async (changes: Partial<Target> = {}, to = ['bob@example.net'], addresses: readonly string[] = [IP]) => {
    servers.done.length = 0
    const batch = makeBatch({ to })
    const sent = await exchange({ ...target, ...changes }, addresses, messageFor(batch, batch.jobs), options)
    const what = sent.ok
      ? sent.answers.map(({ kind, stage }) => `${kind} ${stage}`)
      : [`${sent.failure.kind} ${sent.failure.stage}`]
    return [...servers.done, ...what].join(', ')
  }
  return { ...world, exchange, target, options, send }
}

const FRESH = `dial ${IP}, mx1.example.net ${IP} opportunistic, send bob, ok end`
const REUSED = 'send bob, ok end'

test('the next message goes over the same connection', async () => {
  const { send, counts } = setup()
  assert.equal(await send(), FRESH)
  assert.equal(await send(), REUSED)
  assert.equal(counts.get('mox_queue_connection_reused_total'), 1)
  assert.equal(counts.get('mox_queue_connection_total ok'), 1)
})

test('only when everything about the connection is the same', async () => {
  const changes: readonly Partial<Target>[] = [
    { transport: 'other' },
    { host: 'mx9.example.net' },
    { port: 26 },
    { policy: 'dane' },
    { tls: () => ({ ...OPPORTUNISTIC, mode: 'required' }) },
    { tls: () => ({ ...OPPORTUNISTIC, verify: true }) },
    { tls: () => ({ ...OPPORTUNISTIC, serverName: 'other.example.net' }) },
  ]
  for (const change of changes) {
    const { send } = setup()
    await send()
    assert.match(await send(change), /^dial /, JSON.stringify(change))
    assert.equal(await send(), REUSED)
  }
})

test('a connection that went stale is replaced once, and nobody notices', async () => {
  for (const stale of ['io at mail', '421 4.3.2 at mail']) {
    const { send, servers } = setup()
    await send()
    servers.set(IP, stale, 'ok')
    assert.equal(await send(), `send bob, ${FRESH}`, stale)
    assert.equal(servers.clients.length, 2)
  }
})

test('a new connection that fails the same way is believed', async () => {
  const { send, servers } = setup()
  servers.set(IP, 'io at mail')
  assert.match(await send(), /^dial [^,]*, [^,]*, send bob, io mail$/)
  servers.set(IP, 'ok', 'io at mail')
  await send()
  assert.match(await send(), /^send bob, dial [^,]*, [^,]*, send bob, io mail$/)
})

test('a stale connection, and no new one to be had', async () => {
  const { send, servers } = setup()
  await send()
  servers.set(IP, 'io at mail', 'refused')
  assert.equal(await send(), `send bob, dial ${IP}, io connect`)
})

test('what a server says after the message began is no sign of a stale connection', async () => {
  for (const [behaviour, expected] of [
    ['450 4.7.1 at mail', 'reply mail'],
    ['io at rcpt', 'io rcpt'],
    ['io at data', 'io data'],
    ['io at end', 'io end'],
    ['421 4.3.2 at end', 'reply end'],
    ['protocol at mail', 'protocol mail'],
  ] as const) {
    const { send, servers } = setup()
    await send()
    servers.set(IP, behaviour)
    assert.equal(await send(), `send bob, ${expected}`)
  }
})

test('a connection that broke is not kept', async () => {
  const { send, servers, pool } = setup()
  servers.set(IP, 'io at data', 'ok')
  await send()
  assert.equal(pool.size, 0)
  assert.equal(await send(), FRESH)
})

test('so many transactions on one connection', async () => {
  const { send, servers, pool } = setup()
  for (let i = 1; i < TRANSACTIONS_PER_CONNECTION; i++) assert.equal(await send(), i === 1 ? FRESH : REUSED)
  assert.equal(pool.size, 1)
  assert.equal(await send(), REUSED)
  assert.deepEqual([pool.size, servers.clients[0]?.quits], [0, 1])
  assert.equal(await send(), FRESH)
})

test('the server may set a lower limit, and recipients that do not fit one transaction count', async () => {
  const { send, servers } = setup()
  servers.extensions = { limits: { mailMax: 2 } }
  assert.equal(await send(), FRESH)
  assert.equal(await send(), REUSED)
  assert.equal(await send(), FRESH)
  servers.extensions = { limits: { mailMax: 4, rcptMax: 1 } }
  const three = ['bob@example.net', 'carol@example.net', 'dave@example.net']
  await send({ port: 26 }, three)
  assert.match(await send({ port: 26 }), /^send bob/)
  assert.match(await send({ port: 26 }), /^dial/)
})

test('what one connection leaves over goes over fresh ones at once', async () => {
  const to = ['bob@example.net', 'carol@example.net', 'dave@example.net']
  const { send, servers, counts } = setup()
  servers.set(IP, { carol: 'left', dave: 'left' }, { dave: 'left' }, '550 5.1.1 at rcpt')
  const again = `dial ${IP}, mx1.example.net ${IP} opportunistic`
  assert.equal(
    await send({}, to),
    [`${again}, send bob carol dave`, `${again}, send carol dave`, `${again}, send dave`].join(', ') +
      ', ok end, ok end, reply rcpt',
  )
  assert.equal(counts.get('mox_queue_connection_total ok'), 3)
})

test('without another connection they wait; the others have their answers', async () => {
  const to = ['bob@example.net', 'carol@example.net']
  for (const trouble of ['refused', '421 4.7.0 at greeting']) {
    const { send, servers } = setup()
    servers.set(IP, { carol: 'left' }, trouble)
    assert.match(await send({}, to), /send bob carol, dial .*, ok end, local mail$/, trouble)
  }
  const { send, servers } = setup()
  servers.set(IP, { carol: 'left' }, 'io at end')
  assert.match(await send({}, to), /send carol, ok end, io end$/)
})

test('so many connections for one message', async () => {
  for (const [behaviours, last] of [
    [[...Array(CONNECTIONS_PER_MESSAGE - 1).fill('left'), 'ok'], 'ok end'],
    [[...Array(CONNECTIONS_PER_MESSAGE).fill('left'), 'ok'], 'local mail'],
  ] as const) {
    const { send, servers } = setup()
    servers.set(IP, ...behaviours)
    assert.ok((await send()).endsWith(`, send bob, ${last}`))
    assert.equal(servers.clients.length, CONNECTIONS_PER_MESSAGE)
  }
})

test('no further connection once somebody aborts', async () => {
  const { exchange, target, options, servers } = setup()
  const abort = new AbortController()
  servers.set(IP, 'left')
  const connect: Target['dial'] = async (...given) => {
    const socket = await servers.dial(...given)
    abort.abort(new Error('stopping'))
    return socket
  }
  const batch = makeBatch()
  const message = messageFor(batch, batch.jobs)
  const sent = await exchange({ ...target, dial: connect }, [IP], message, { ...options, signal: abort.signal })
  assert.ok(sent.ok && sent.answers.every(({ left }) => left))
  assert.equal(servers.clients.length, 1)
})

test('each address gets its share of the time that is left', async () => {
  const { clock, send, options } = setup()
  const limits: number[] = []
  const dial: Target['dial'] = async (_ip, _port, { timeoutMs }) => {
    limits.push(timeoutMs)
    await clock.advance(timeoutMs)
    throw new DialError('timeout', 'no answer')
  }
  await send({ dial }, ['bob@example.net'], ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  assert.deepEqual(limits, [10_000, 10_000, 10_000])
  assert.equal(clock.now(), options.dialUntil)
  limits.length = 0
  await send({ dial })
  assert.deepEqual(limits, [0])
  assert.equal(DIAL_MS, 30_000)
})

test('no other address is tried once somebody aborts', async () => {
  const { exchange, target, options, servers } = setup()
  const abort = new AbortController()
  const dial: Target['dial'] = async ip => {
    servers.done.push(`dial ${ip}`)
    abort.abort(new Error('stopping'))
    throw new DialError('canceled', 'stopping')
  }
  const batch = makeBatch()
  const message = messageFor(batch, batch.jobs)
  const sent = await exchange({ ...target, dial }, [IP, '192.0.2.2'], message, { ...options, signal: abort.signal })
  assert.equal(sent.ok, false)
  assert.deepEqual(servers.done, [`dial ${IP}`])
})

test('limits of the session and of the message abort the client', async () => {
  const { clock, servers, pool, metrics, options, target } = setup({ setupMs: 60_000, transactionMs: 90_000 })
  const batch = makeBatch()
  const message = messageFor(batch, batch.jobs)
  const whenAborted = (signal: AbortSignal): Promise<string> =>
    new Promise(resolve => signal.addEventListener('abort', () => resolve((signal.reason as Error).message)))

  const hanging = makeExchange({
    ...{ clock, pool, metrics },
    connect: async ({ signal }) => {
      const text = await whenAborted(signal)
      throw new ClientError('io', { stage: 'greeting', code: 0, enhanced: '4.4.2', text })
    },
  })
  const first = hanging(target, [IP], message, options)
  await clock.advance(60_000)
  const failed = await first
  assert.ok(!failed.ok && failed.failure.text === 'the start of the session took longer than 60 s')

  const slow = makeExchange({
    ...{ clock, pool, metrics },
    connect: async input => ({
      ...(await servers.connect(input)),
      send: async (_message, signal) => {
        const text = await whenAborted(signal)
        return [{ id: 1, kind: 'io', stage: 'end', code: 0, enhanced: '4.4.2', text, dsn: false }]
      },
    }),
  })
  const second = slow(target, [IP], message, options)
  await clock.advance(90_000)
  const sent = await second
  assert.ok(sent.ok && sent.answers[0]?.text === 'sending the message took longer than 90 s')
  await pool.close()
  assert.equal(clock.pending, 0)
})

test('the client gets what it needs, and its socket is destroyed when there is no session', async () => {
  const { send, servers } = setup({ credentials: { username: 'u', password: 'p', mechanisms: ['PLAIN'] } })
  servers.set(IP, '554 5.7.1 at greeting')
  await send()
  const [session] = servers.sessions
  assert.equal(session?.ehlo, 'mail.example.org')
  assert.equal(session?.credentials?.username, 'u')
  assert.equal(session?.timeouts, TIMEOUTS)
  assert.equal(session?.socket.destroyed, true)
})
