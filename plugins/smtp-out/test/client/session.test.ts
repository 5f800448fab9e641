// What a row cannot tell: one connection for many messages, few writes, giving up, facts of TLS, and limits.
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { createSecureContext } from 'node:tls'
import { turns, VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { type Client, ClientError, type ClientMessage, connect } from '../../src/client/index.ts'
import { HELD_OCTETS, TRANSACTIONS } from '../../src/client/limits.ts'
import { derOf } from '../support/certificates.ts'
import { type Behaviour, Peer } from '../support/peer.ts'
import { CONTENT, clientOptions, dialPeer, messageOf, run, TIMEOUTS, told } from '../support/run.ts'
import { type Row, TAKEN } from './rows/row.ts'

const peers: Peer[] = []
const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const peer of peers.splice(0)) await peer.close()
})

async function open(behaviour: Behaviour, row: Pick<Row, 'tls' | 'login'> = {}, clock = new VirtualClock()) {
  const peer = await Peer.listen(behaviour)
  peers.push(peer)
  const client = await connect(clientOptions(row, await dialPeer(peer), clock))
  clients.push(client)
  return { peer, client, clock }
}

async function send(client: Client, message: ClientMessage = messageOf({}), signal = new AbortController().signal) {
  return (await client.send(message, signal)).map(answer => told(answer.kind, answer))
}

test('three messages on one connection, each in two writes', async () => {
  const { peer, client } = await open({})
  for (let i = 0; i < 3; i++) deepStrictEqual(await send(client), [TAKEN, TAKEN])
  await client.quit()
  const flight = 'MAIL FROM:<alice@example.org>|RCPT TO:<bob@example.com>|RCPT TO:<carol@example.com>|DATA'
  deepStrictEqual(peer.flights, ['EHLO mail.example.org', flight, flight, flight, 'QUIT'])
  deepStrictEqual(peer.messages, [CONTENT, CONTENT, CONTENT])
  strictEqual(client.usable, false)
})

test('ids, and whether a server took over DSN', async () => {
  const { client } = await open({ extensions: ['DSN'] })
  const answers = await client.send(messageOf({ to: ['a@example.com', 'b@example.com'] }), AbortSignal.any([]))
  deepStrictEqual(
    answers.map(({ id, dsn, kind }) => ({ id, dsn, kind })),
    [
      { id: 1, dsn: true, kind: 'ok' },
      { id: 2, dsn: true, kind: 'ok' },
    ],
  )
  const without = await open({})
  strictEqual((await without.client.send(messageOf({}), AbortSignal.any([])))[0]?.dsn, false)
})

test('an idle connection that the server ends is not usable', async () => {
  for (const end of ['250 2.0.0 taken!close', '250 2.0.0 taken\n421 4.4.2 idle!close', '250 2.0.0 taken!reset']) {
    const { client } = await open({ end })
    deepStrictEqual(await send(client), [TAKEN, TAKEN])
    while (client.usable) await turns(1)
    const after = await send(client)
    ok(/^(?:io mail 0 - |reply mail 421 4\.4\.2 idle)/.test(after[0] ?? ''), after[0])
  }
})

test('after 421 nothing more is sent', async () => {
  const { peer, client } = await open({ end: '421 4.3.2 closing' })
  deepStrictEqual(await send(client), Array(2).fill('reply end 421 4.3.2 closing'))
  const count = peer.commands.length
  deepStrictEqual(await send(client), Array(2).fill('io mail 0 - mx.example.com has ended the session'))
  await client.quit()
  strictEqual(peer.commands.length, count)
})

test('giving up while a session is opened', async () => {
  const check = async (server: Behaviour, row: Pick<Row, 'tls'>, expected: string): Promise<void> => {
    const peer = await Peer.listen(server)
    peers.push(peer)
    const clock = new VirtualClock()
    const gone = new AbortController()
    peer.onStall = () => gone.abort(new Error('enough'))
    const options = { ...clientOptions(row, await dialPeer(peer), clock), signal: gone.signal }
    await rejects(connect(options), (error: unknown) => {
      ok(error instanceof ClientError)
      strictEqual(told(error.kind, error.answer), expected)
      return true
    })
    strictEqual(clock.pending, 0)
    ok(options.socket.destroyed)
  }
  await check({ greeting: '!stall' }, {}, 'io greeting 0 - given up on our side')
  await check({ ehlo: '!stall' }, {}, 'io ehlo 0 - given up on our side')
  await check(
    { extensions: ['STARTTLS'], tls: { instead: '!stall' } },
    { tls: { mode: 'required' } },
    'io starttls 0 - given up on our side',
  )
  const peer = await Peer.listen({})
  peers.push(peer)
  const options = clientOptions({}, await dialPeer(peer), new VirtualClock())
  await rejects(connect({ ...options, signal: AbortSignal.abort() }), /given up on our side/)
})

test('the signal of connect has no say later', async () => {
  const peer = await Peer.listen({})
  peers.push(peer)
  const gone = new AbortController()
  const client = await connect({
    ...clientOptions({}, await dialPeer(peer), new VirtualClock()),
    signal: gone.signal,
  })
  clients.push(client)
  gone.abort()
  deepStrictEqual(await send(client), [TAKEN, TAKEN])
})

test('giving up while a message is sent', async () => {
  const check = async (behaviour: Behaviour, expected: string): Promise<void> => {
    const { peer, client, clock } = await open(behaviour)
    const gone = new AbortController()
    // Not before the client has read what was said so far.
    peer.onStall = () => void turns(5).then(() => gone.abort())
    deepStrictEqual(await send(client, messageOf({}), gone.signal), [expected, expected])
    strictEqual(client.usable, false)
    strictEqual(clock.pending, 0)
  }
  await check({ mail: '!stall' }, 'io mail 0 - given up on our side')
  await check({ data: '!stall' }, 'io data 0 - given up on our side')
  await check({ end: '!stall' }, 'io end 0 - given up on our side; the message may have been delivered')
  const { client, peer } = await open({})
  deepStrictEqual(
    await send(client, messageOf({}), AbortSignal.abort()),
    Array(2).fill('io mail 0 - given up on our side'),
  )
  deepStrictEqual(peer.commands, ['EHLO mail.example.org'])
})

test('time limits to the millisecond', async () => {
  const check = async (server: Behaviour, limit: number, tls: Row['tls'] = { mode: 'none' }): Promise<void> => {
    const peer = await Peer.listen(server)
    peers.push(peer)
    const clock = new VirtualClock()
    const stalled = new Promise<void>(resolve => {
      peer.onStall = resolve
    })
    let over = false
    const done = dialPeer(peer)
      .then(socket => connect(clientOptions({ tls }, socket, clock)))
      .then(
        async client => (await client.send(messageOf({}), AbortSignal.any([]))).map(({ kind }) => kind),
        (error: ClientError) => [error.kind],
      )
      .finally(() => {
        over = true
      })
    await stalled
    while (clock.pending === 0) await turns(1)
    await clock.advance(limit - 1)
    strictEqual(over, false)
    await clock.advance(1)
    ok(['io', 'tls'].includes((await done)[0] ?? ''))
  }
  await check({ greeting: '!stall' }, TIMEOUTS.greeting)
  await check({ ehlo: '!stall' }, TIMEOUTS.command)
  await check({ extensions: ['STARTTLS'], tls: { instead: '!stall' } }, TIMEOUTS.tls, { mode: 'required' })
  await check({ mail: '!stall' }, TIMEOUTS.command)
  await check({ rcpt: '!stall', extensions: [] }, TIMEOUTS.command)
  await check({ data: '!stall' }, TIMEOUTS.command)
  await check({ end: '!stall' }, TIMEOUTS.end)
})

test('one message at a time', async () => {
  const { client } = await open({})
  const first = send(client)
  await rejects(send(client), /one message at a time/)
  deepStrictEqual(await first, [TAKEN, TAKEN])
  deepStrictEqual(await send(client), [TAKEN, TAKEN])
})

test('QUIT: with an answer, without one, and when all is over', async () => {
  for (const quit of ['221 2.0.0 bye', '!close', '!reset', 'garbage'] as const) {
    const { client, peer } = await open({ quit })
    await client.quit()
    strictEqual(peer.commands.at(-1), 'QUIT')
    await client.quit()
    strictEqual(peer.commands.filter(line => line === 'QUIT').length, 1)
  }
  const { client, peer, clock } = await open({ quit: '!stall' })
  peer.onStall = () => void clock.advance(5_000)
  await client.quit()
  strictEqual(clock.pending, 0)
})

test('our own name must be one', async () => {
  const peer = await Peer.listen({})
  peers.push(peer)
  for (const ehlo of ['', 'a b', 'a\r\nMAIL FROM:<>', 'ä', 'x'.repeat(600)]) {
    const options = clientOptions({}, await dialPeer(peer), new VirtualClock())
    await rejects(connect({ ...options, ehlo }), /our own name is no host name/)
  }
  deepStrictEqual(
    peer.commands.filter(line => line !== 'QUIT'),
    [],
  )
})

test('facts of TLS', async () => {
  const server: Behaviour = { extensions: ['STARTTLS'] }
  const good = await open(server, { tls: { mode: 'opportunistic' } })
  deepStrictEqual(good.client.tls, {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: 'mx.example.com',
    verified: true,
  })
  const old = await open({ ...server, tls: { maxVersion: 'TLSv1.2' } }, { tls: { mode: 'opportunistic' } })
  strictEqual(old.client.tls?.version, 'TLSv1.2')
  const system = createSecureContext()
  const unknown = await open(server, { tls: { mode: 'opportunistic', context: system } })
  deepStrictEqual(unknown.client.tls?.problem, {
    type: 'certificate-not-trusted',
    reason: '',
    text: 'the certificate is self-signed',
  })
  const expired = await open({ ...server, tls: { certificate: 'expired' } }, { tls: { mode: 'opportunistic' } })
  strictEqual(expired.client.tls?.verified, false)
  strictEqual(expired.client.tls?.problem?.type, 'certificate-expired')
  const other = await open(server, { tls: { mode: 'opportunistic', serverName: 'mx.example.net' } })
  strictEqual(other.client.tls?.serverName, 'mx.example.net')
  strictEqual(other.client.tls?.problem?.type, 'certificate-host-mismatch')
  strictEqual((await open({})).client.tls, undefined)
})

test('the caller sees the chain whatever WebPKI says', async () => {
  const seen: Buffer[][] = []
  await open(
    { extensions: ['STARTTLS'], tls: { certificate: 'expired' } },
    { tls: { mode: 'required', context: createSecureContext(), accept: chain => void seen.push([...chain]) } },
  )
  deepStrictEqual(seen, [[derOf('expired')]])
})

test('what a TLS report says', async () => {
  const check = async (
    server: Behaviour,
    tls: NonNullable<Row['tls']>,
    type: string,
    reason: string,
  ): Promise<void> => {
    const { error } = await run({
      name: '',
      server: { extensions: ['STARTTLS'], ...server },
      tls: { mode: 'required', ...tls },
    })
    deepStrictEqual([error?.kind, error?.problem?.type, error?.problem?.reason], ['tls', type, reason])
  }
  const failed = 'validation-failure'
  await check({ starttls: '454 no' }, {}, 'starttls-not-supported', 'smtp-starttls-reply-code-454')
  await check({ extensions: [], starttls: '502 no' }, {}, 'starttls-not-supported', '')
  await check({ tls: { instead: '250 ok' } }, {}, failed, 'tls-record-header-error')
  await check(
    { tls: { instead: Buffer.from([21, 3, 3, 0, 2, 2, 40]) } },
    {},
    failed,
    'tls-remote-alert-40-handshake-failure',
  )
  await check({ tls: { instead: '!close' } }, {}, failed, 'connection-closed-during-handshake')
  await check({ tls: { instead: '!stall' } }, {}, failed, 'io-timeout-during-handshake')
  await check({ tls: { demandCertificate: true } }, {}, failed, 'tls-remote-alert-116-certificate-required')
  await check({ tls: { certificate: 'expired' } }, { verify: true }, 'certificate-expired', '')
  await check({}, { verify: true, serverName: 'x.example' }, 'certificate-host-mismatch', '')
  await check({}, { verify: true, context: createSecureContext() }, 'certificate-not-trusted', '')
  await check({}, { accept: () => 'no match' }, failed, '')
  const { error } = await run({ name: '', server: { greeting: '554 no' } })
  strictEqual(error?.problem, undefined)
})

test('facts of a TLS connection that was not good enough', async () => {
  const { error } = await run({
    name: '',
    server: { extensions: ['STARTTLS'], tls: { certificate: 'expired' } },
    tls: { mode: 'required', verify: true },
  })
  strictEqual(error?.tls?.version, 'TLSv1.3')
  strictEqual(error?.tls?.verified, false)
})

test('a small message is read once, a large one once more for each transaction', async () => {
  const check = async (octets: number, expected: number): Promise<void> => {
    let opened = 0
    const line = `${'x'.repeat(62)}\r\n`
    const content = Buffer.from(line.repeat(octets / 64))
    const { peer, client } = await open({ extensions: ['LIMITS RCPTMAX=1'] })
    const message = messageOf({
      content: async function* () {
        opened++
        yield content
      },
    })
    deepStrictEqual(await send(client, message), ['ok end 250 - 2.0.0 taken', 'ok end 250 - 2.0.0 taken'])
    strictEqual(opened, expected)
    deepStrictEqual(
      peer.messages.map(m => m.length),
      [content.length, content.length],
    )
  }
  // The final dot counts as well.
  await check(HELD_OCTETS - 64, 1)
  await check(HELD_OCTETS, 3)
})

test('transactions of one message have a limit', async () => {
  const check = async (recipients: number, last: string): Promise<void> => {
    const { client, peer } = await open({ extensions: ['PIPELINING', 'ENHANCEDSTATUSCODES', 'LIMITS RCPTMAX=1'] })
    const to = Array.from({ length: recipients }, (_, i) => `r${i}@example.com`)
    const answers = await send(client, messageOf({ to }))
    deepStrictEqual(new Set(answers.slice(0, TRANSACTIONS)), new Set([TAKEN]))
    strictEqual(answers.at(-1), last)
    strictEqual(peer.messages.length, TRANSACTIONS)
  }
  await check(TRANSACTIONS, TAKEN)
  await check(TRANSACTIONS + 1, 'local mail 452 4.5.3 the server takes no more on this connection')
})

test('a thousand recipients in one write', async () => {
  const { client, peer } = await open({})
  const to = Array.from({ length: 1000 }, (_, i) => `recipient-${i}@example.com`)
  deepStrictEqual(new Set(await send(client, messageOf({ to }))), new Set([TAKEN]))
  strictEqual(peer.messages.length, 1)
})
