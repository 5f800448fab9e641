// The transport against scripted LMTP servers: what each recipient is told, row by row.
import { deepStrictEqual, match, ok, strictEqual, throws } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeliveryBatch, type DeliveryResult, type Job, system, transports } from '@mox/plugin-sdk'
import { sampleJob, samplePath, type TestHost, testHost, turns } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { type Behaviour, Peer } from '../../smtp-out/test/support/peer.ts'
import { LIMITS } from '../src/connection.ts'
import { lmtp } from '../src/index.ts'
import { options } from '../src/options.ts'

const CONTENT = 'Subject: hello\r\n\r\n.hello\r\n'
const LONG = Math.max(...Object.values(LIMITS))
const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Row {
  readonly content?: string | (() => AsyncIterable<Buffer>)
  readonly message?: Partial<Job>
  readonly to?: readonly string[]
}

function batchOf({
  content = CONTENT,
  message = {},
  to = ['bob@example.com', 'carol@example.com'],
}: Row): DeliveryBatch {
  const jobs = to.map((address, i) => sampleJob({ size: 20, ...message, id: i + 1, recipient: samplePath(address) }))
  const [first, ...rest] = jobs
  if (first === undefined) throw new Error('a batch has a job')
  const open =
    typeof content === 'function'
      ? content
      : async function* () {
          yield Buffer.from(content, 'latin1')
        }
  return { jobs: [first, ...rest], message: first, attempt: 1, prefix: Buffer.alloc(0), contentId: 1, open }
}

async function start(input: Parameters<typeof lmtp>[0], dataDir = '/nowhere'): Promise<TestHost> {
  const host = await testHost({
    plugins: [lmtp(input)],
    services: [[system, { hostname: 'mail.example.org', dataDir, version: '0.0.0' }]],
  })
  cleanups.push(() => host.close())
  return host
}

async function deliver(host: TestHost, row: Row, signal: AbortSignal = AbortSignal.any([])): Promise<DeliveryResult[]> {
  const [transport] = host.service(transports)
  ok(transport !== undefined)
  return await transport.deliver(batchOf(row), { signal, log: host.log })
}

const told = (r: DeliveryResult): string => `${r.outcome} ${r.stage} ${r.code} ${r.enhanced || '-'} ${r.text}`

async function check(behaviour: Behaviour, expected: string | readonly string[], row: Row = {}): Promise<Peer> {
  const peer = await Peer.listen({ extensions: ['PIPELINING', 'ENHANCEDSTATUSCODES', '8BITMIME'], ...behaviour })
  cleanups.push(() => peer.close())
  const host = await start({ host: '127.0.0.1', port: peer.port })
  peer.onStall = () => void host.advance(LONG)
  const results = await deliver(host, row)
  const jobs = batchOf(row).jobs
  const each = typeof expected === 'string' ? jobs.map(() => expected) : expected
  deepStrictEqual(results.sort((a, b) => a.id - b.id).map(told), each, JSON.stringify(behaviour))
  for (const result of results) strictEqual(result.remoteHost, '127.0.0.1')
  strictEqual(host.clock.pending, 0)
  return peer
}

const BOTH = '250 2.1.5 bob has it\n250 2.1.5 carol has it'
const closed = 'the LMTP server closed the connection'

test('a reply for each recipient after the message', async () => {
  const peer = await check({ end: BOTH }, [
    'delivered end 250 2.1.5 bob has it',
    'delivered end 250 2.1.5 carol has it',
  ])
  deepStrictEqual(peer.flights.slice(0, 3), [
    'LHLO mail.example.org',
    'MAIL FROM:<alice@example.org>|RCPT TO:<bob@example.com>|RCPT TO:<carol@example.com>',
    'DATA',
  ])
  deepStrictEqual(peer.messages, ['Subject: hello\r\n\r\n..hello\r\n'])
  await check({ end: BOTH, octets: true }, [
    'delivered end 250 2.1.5 bob has it',
    'delivered end 250 2.1.5 carol has it',
  ])
  await check({ end: '250 2.1.5 ok\n552 5.2.2 carol is full' }, [
    'delivered end 250 2.1.5 ok',
    'permanent end 552 5.2.2 carol is full',
  ])
  await check({ end: '452 4.2.2 bob is full\n250 2.1.5 ok' }, [
    'temporary end 452 4.2.2 bob is full',
    'delivered end 250 2.1.5 ok',
  ])
  await check({ end: '250-2.1.5 a\n250 2.1.5 b\n250 2.1.5 c' }, [
    'delivered end 250 2.1.5 a\nb',
    'delivered end 250 2.1.5 c',
  ])
})

test('recipients that are refused have no reply after the message', async () => {
  await check({ rcpt: ['550 5.1.1 no bob', '250 2.1.5 ok'], end: '250 2.0.0 ok' }, [
    'permanent rcpt 550 5.1.1 no bob',
    'delivered end 250 2.0.0 ok',
  ])
  const peer = await check({ rcpt: '450 4.2.0 busy' }, 'temporary rcpt 450 4.2.0 busy')
  strictEqual(peer.commands.includes('DATA'), false)
})

test('every stage', async () => {
  await check({ greeting: '554 go away' }, 'permanent greeting 554 - go away')
  await check({ greeting: '421 busy' }, 'temporary greeting 421 - busy')
  await check({ greeting: '250 hello' }, 'temporary greeting 250 - hello')
  await check({ ehlo: '500 unknown' }, 'permanent ehlo 500 - unknown')
  await check({ mail: '550 5.7.1 no', rcpt: '503 5.5.1 no' }, 'permanent mail 550 5.7.1 no')
  await check({ mail: '451 4.3.0 later', rcpt: '503 5.5.1 no' }, 'temporary mail 451 4.3.0 later')
  await check({ data: '451 4.3.0 later' }, 'temporary data 451 4.3.0 later')
  await check({ data: '554 5.6.0 no' }, 'permanent data 554 5.6.0 no')
  await check({ data: '250 2.0.0 ok' }, 'temporary data 250 2.0.0 ok')
  await check({ end: '354 more\n354 more' }, 'temporary end 354 - more')
})

test('connections that break', async () => {
  await check({ greeting: '!close' }, `temporary greeting 0 - ${closed}`)
  await check({ ehlo: '!close' }, `temporary ehlo 0 - ${closed}`)
  await check({ mail: '!close' }, `temporary mail 0 - ${closed}`)
  await check({ rcpt: ['550 5.1.1 no bob', '!close'] }, [
    'permanent rcpt 550 5.1.1 no bob',
    `temporary rcpt 0 - ${closed}`,
  ])
  await check({ data: '!close' }, `temporary data 0 - ${closed}`)
  await check({ end: '!close' }, `temporary end 0 - ${closed}`)
  await check({ end: '250 2.0.0 ok!close' }, ['delivered end 250 2.0.0 ok', `temporary end 0 - ${closed}`])
  await check({ greeting: '!stall' }, 'temporary greeting 0 - the greeting took more than 60 seconds')
  await check({ mail: '!stall' }, 'temporary mail 0 - MAIL took more than 60 seconds')
  await check({ end: '250 2.0.0 ok!stall' }, [
    'delivered end 250 2.0.0 ok',
    'temporary end 0 - the message took more than 600 seconds',
  ])
})

test('servers that speak nonsense or out of turn', async () => {
  const nonsense = 'the server does not speak LMTP:'
  await check({ greeting: 'hello' }, `temporary greeting 0 - ${nonsense} not a reply`)
  await check({ end: '250-a\n550 b' }, `temporary end 0 - ${nonsense} lines of one reply with different codes`)
  await check(
    { rcpt: ['250 2.1.5 ok', '250 2.1.5 ok\n250 2.1.5 ok'] },
    'temporary data 0 - the LMTP server speaks without being asked',
  )
  await check({ greeting: '220 a\n220 b' }, 'temporary ehlo 0 - the LMTP server speaks without being asked')
})

test('what the server announced', async () => {
  const end = '250 2.0.0 ok'
  const to = ['bob@example.com']
  const done = 'delivered end 250 2.0.0 ok'
  const check1 = async (extensions: readonly string[], message: Partial<Job>, mail: string): Promise<void> => {
    const peer = await check({ extensions: ['ENHANCEDSTATUSCODES', ...extensions], end }, done, { message, to })
    strictEqual(peer.commands[1], mail)
  }
  await check1([], { has8bit: true }, 'MAIL FROM:<alice@example.org>')
  await check1(['8BITMIME', 'SIZE 20'], { has8bit: true }, 'MAIL FROM:<alice@example.org> SIZE=20 BODY=8BITMIME')
  await check1(['SMTPUTF8', 'size'], { smtputf8: true }, 'MAIL FROM:<alice@example.org> SIZE=20 SMTPUTF8')
  await check1([], { reversePath: null }, 'MAIL FROM:<>')
  await check(
    { extensions: ['SIZE 19'] },
    'permanent mail 552 5.3.4 the message has 20 octets; the LMTP server takes 19',
  )
  await check({}, 'permanent mail 553 5.6.7 the message needs SMTPUTF8, which the LMTP server does not have', {
    message: { smtputf8: true },
  })
})

test('what must not be sent is never ended', async () => {
  const peer = await check({}, 'permanent data 554 5.6.0 the message has a CR or LF that is not part of a CRLF', {
    content: 'a\nb',
  })
  deepStrictEqual(peer.messages, [])
  const broken = await check({}, 'temporary data 451 4.3.0 the message cannot be read: disk', {
    content: async function* () {
      yield Buffer.from('Subject: x\r\n')
      throw new Error('disk')
    },
  })
  deepStrictEqual(broken.messages, [])
})

test('an address cannot break a line', async () => {
  const reversePath = { localpart: 'a\r\nRCPT TO:<evil@example.com>', domain: 'example.org' }
  const peer = await check({}, 'permanent mail 553 5.1.3 an address has a control character', {
    message: { reversePath },
  })
  deepStrictEqual(
    peer.commands.filter(line => line !== 'QUIT'),
    ['LHLO mail.example.org'],
  )
})

test('time limits to the millisecond', async () => {
  const check = async (behaviour: Behaviour, limit: number): Promise<void> => {
    const peer = await Peer.listen(behaviour)
    cleanups.push(() => peer.close())
    const host = await start({ host: '127.0.0.1', port: peer.port })
    const stalled = new Promise<void>(resolve => {
      peer.onStall = resolve
    })
    let over = false
    const delivered = deliver(host, {}).finally(() => {
      over = true
    })
    await stalled
    while (host.clock.pending === 0) await turns(1)
    await host.advance(limit - 1)
    strictEqual(over, false)
    await host.advance(1)
    match((await delivered).at(-1)?.text ?? '', / took more than \d+ seconds$/)
  }
  await check({ greeting: '!stall' }, LIMITS.command)
  await check({ ehlo: '!stall' }, LIMITS.command)
  await check({ end: '!stall' }, LIMITS.end)
})

test('a large message, and a server that stops reading', async () => {
  const chunk = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(1024))
  const large = async function* () {
    for (let i = 0; i < 300; i++) yield chunk
  }
  const row = { content: large, to: ['bob@example.com'] }
  const peer = await check({ end: '250 2.0.0 ok' }, 'delivered end 250 2.0.0 ok', row)
  strictEqual(peer.messages[0]?.length, 300 * chunk.length)
  await check(
    { during: { octets: 1000, say: '!stall' } },
    'temporary data 0 - sending the message took more than 60 seconds',
    row,
  )
})

test('nobody there, and giving up', async () => {
  const peer = await Peer.listen({})
  await peer.close()
  const host = await start({ host: '127.0.0.1', port: peer.port })
  for (const result of await deliver(host, {})) {
    strictEqual(result.outcome, 'temporary')
    strictEqual(result.stage, 'connect')
    match(result.text, /no connection to the LMTP server: connect ECONNREFUSED/)
  }
  const silent = await Peer.listen({ mail: '!stall' })
  cleanups.push(() => silent.close())
  const other = await start({ host: '127.0.0.1', port: silent.port })
  const gone = new AbortController()
  silent.onStall = () => gone.abort()
  deepStrictEqual(
    (await deliver(other, {}, gone.signal)).map(told),
    Array(2).fill('temporary mail 0 - given up on our side'),
  )
  for (const result of await deliver(other, {}, AbortSignal.abort()))
    strictEqual(told(result), 'temporary connect 0 - given up on our side')
})

test('a Unix socket in the data directory', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mox-lmtp-'))
  cleanups.push(() => rm(dataDir, { recursive: true }))
  const peer = await Peer.listen({ end: BOTH }, join(dataDir, 'lmtp.sock'))
  cleanups.push(() => peer.close())
  const host = await start({ name: 'dovecot', socket: 'lmtp.sock', hostname: 'mx.example.org' }, dataDir)
  strictEqual(host.service(transports)[0]?.name, 'dovecot')
  // No network, so no TLS is needed.
  const results = await deliver(host, { message: { requireTls: true } })
  deepStrictEqual(
    results.map(r => [r.outcome, r.remoteHost]),
    [
      ['delivered', undefined],
      ['delivered', undefined],
    ],
  )
  strictEqual(peer.commands[0], 'LHLO mx.example.org')
})

test('REQUIRETLS is not carried over the network', async () => {
  const host = await start({ host: 'mailstore.example.org' })
  deepStrictEqual(
    (await deliver(host, { message: { requireTls: true } })).map(told),
    Array(2).fill(
      'permanent policy 554 5.7.30 the message needs REQUIRETLS, which LMTP over the network does not have',
    ),
  )
})

test('options', () => {
  const refused = (input: object, expected: RegExp): void => throws(() => options.parse(input), expected)
  refused({}, /set either `socket` or `host`/)
  refused({ socket: 'a', host: 'b' }, /set either `socket` or `host`/)
  refused({ host: 'b', port: 0 }, /port/)
  refused({ host: 'b', name: 'A B' }, /lower-case/)
  refused({ host: 'b', hostname: 'a b' }, /hostname/)
  deepStrictEqual(options.parse({ host: 'b' }), { name: 'lmtp', host: 'b', port: 24 })
})
