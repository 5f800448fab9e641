// Several servers: who is asked next, how often, how long, and what the error says when none is left.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { DEADLINE_MS } from '../src/lookup.ts'
import { options } from '../src/options.ts'
import { formatServer, isLoopback, parseServer, SERVERS_LIMIT } from '../src/server.ts'
import { failure, withRig } from './support/rig.ts'
import { a, answer, errors, type Script, soa } from './support/server.ts'

const good: Script = asked => answer(asked, { answers: [a(asked.name)] })
const silent: Script = () => undefined
const rcode =
  (code: number, additionals: ReturnType<typeof errors>[] = []): Script =>
  asked =>
    answer(asked, { rcode: code, additionals })
const ns = (name: string) => ({ type: 'NS', name, ttl: 300, data: 'ns.example.net' })

test('a server that cannot answer makes way for the next', async () => {
  const check = async (first: Script): Promise<void> => {
    await withRig([first, good], async ({ resolve, servers }) => {
      assert.deepEqual((await resolve('example.org', 'A')).records, ['192.0.2.1'])
      assert.deepEqual(
        servers.map(({ asked }) => asked.length),
        [1, 1],
      )
    })
  }
  await check(rcode(2))
  await check(rcode(4))
  await check(rcode(5))
  await check(rcode(0, [{ ...errors(), extendedRcode: 1 } as ReturnType<typeof errors>])) // BADVERS
  await check(asked => answer(asked, { authorities: [ns('org')] }))
  await check(asked => answer(asked, { answers: [a('example.org')] }).subarray(0, -3))
})

test('a referral beside a SOA record or an answer is none', async () => {
  await withRig(
    asked => answer(asked, { authorities: [ns('example.org'), soa('example.org')] }),
    async ({ resolve }) => assert.equal((await resolve('example.org', 'A')).status, 'nodata'),
  )
  await withRig(
    asked => answer(asked, { answers: [a('example.org')], authorities: [ns('example.org')] }),
    async ({ resolve }) => assert.equal((await resolve('example.org', 'A')).status, 'found'),
  )
})

test('a silent server makes way after 5 seconds, and is asked again in a second round', async () => {
  await withRig([silent, silent], async ({ resolve, servers: [first, second], host }) => {
    const failed = failure(resolve('example.org', 'A'))
    await first!.heard(1)
    await host.advance(4999)
    assert.equal(second!.asked.length, 0)
    await host.advance(1)
    await second!.heard(1)
    await host.advance(5000)
    await first!.heard(2)
    await host.advance(5000)
    await second!.heard(2)
    await host.advance(5000)
    const { code, message } = await failed
    assert.equal(code, 'timeout')
    assert.equal(message, `A example.org: ${first!.address} no answer in 5 s; ${second!.address} no answer in 5 s`)
    assert.equal(host.clock.pending, 0)
  })
})

test('only silent servers are asked again', async () => {
  await withRig([rcode(2), silent], async ({ resolve, servers: [first, second], host }) => {
    const failed = failure(resolve('example.org', 'A'))
    await second!.heard(1)
    await host.advance(5000)
    await second!.heard(2)
    await host.advance(5000)
    assert.equal((await failed).code, 'servfail')
    assert.equal(first!.asked.length, 1)
  })
})

test('a server that answers in the second round', async () => {
  let asked = 0
  await withRig(
    question => (++asked === 1 ? undefined : good(question)),
    async ({ resolve, server, host }) => {
      const found = resolve('example.org', 'A')
      await server.heard(1)
      await host.advance(5000)
      assert.equal((await found).status, 'found')
    },
  )
})

test('a port where nobody listens', async () => {
  await withRig(
    [],
    async ({ resolve }) => {
      const { code, message } = await failure(resolve('example.org', 'A'))
      assert.match(`${code} ${message}`, /^refused A example\.org: 127\.0\.0\.1:1 \w+ ECONNREFUSED$/)
    },
    { servers: ['127.0.0.1:1'] },
  )
})

test(`a lookup ends after ${DEADLINE_MS / 1000} seconds`, async () => {
  await withRig(Array<Script>(4).fill(silent), async ({ resolve, servers, host, counts }) => {
    const failed = failure(resolve('example.org', 'A'))
    const total = DEADLINE_MS / 5000
    for (let i = 0; i < total; i++) {
      await servers[i % 4]!.heard(1 + Math.floor(i / 4))
      await host.advance(i < total - 1 ? 5000 : 4999)
    }
    const { pending } = host.clock
    assert.ok(pending > 0)
    await host.advance(1)
    assert.equal((await failed).message, 'A example.org: no answer in 30 s')
    assert.equal(host.clock.pending, 0)
    assert.deepEqual(await counts(), ['A timeout 1'])
  })
})

test('which failure the error tells', async () => {
  const check = async (scripts: readonly Script[], expected: RegExp): Promise<void> => {
    await withRig(scripts, async ({ resolve }) => {
      const { code, message, extended } = await failure(resolve('example.org', 'A'))
      assert.match(`${code} ${JSON.stringify(extended)} ${message}`, expected)
    })
  }
  const broken: Script = asked => answer(asked, { answers: [a('example.org')] }).subarray(0, -3)
  await check([rcode(2)], /^servfail undefined A example\.org: 127.0.0.1:\d+ SERVFAIL$/)
  await check([rcode(5)], /^refused undefined .* REFUSED$/)
  await check([rcode(9)], /^servfail undefined .* RCODE 9$/)
  await check([broken], /^malformed undefined .* the answer cannot be read: the data of a record are cut off$/)
  await check([asked => answer(asked, { authorities: [ns('org')] })], /^refused .* looks nothing up for us/)
  await check([rcode(5), broken, rcode(2)], /^servfail undefined .* REFUSED; .*cut off; .* SERVFAIL$/)
  await check([rcode(5), broken, rcode(5)], /^malformed /)
  const bogus = errors([6, 'signature crypto failed'])
  await check(
    [rcode(2), rcode(2, [bogus])],
    /^servfail {"code":6,"text":"signature crypto failed"} .* SERVFAIL; .* SERVFAIL \(6 signature crypto failed\)$/,
  )
  await check([rcode(2, [errors([22, ''])])], /^servfail {"code":22,"text":""} .* SERVFAIL \(22\)$/)
  await check([rcode(2, [errors([22, 'unreachable'], [9, 'no DNSKEY'])])], /^servfail {"code":9,"text":"no DNSKEY"}/)
  await check([rcode(5, [errors([18, 'prohibited'])])], /^refused {"code":18,"text":"prohibited"}/)
})

test('addresses of servers', () => {
  const check = (text: string, expected: string | undefined, loopback = false): void => {
    const server = parseServer(text)
    assert.equal(server && formatServer(server), expected, text)
    assert.equal(server !== undefined && isLoopback(server), loopback, text)
  }
  check('192.0.2.1', '192.0.2.1:53')
  check('127.0.0.1:5353', '127.0.0.1:5353', true)
  check('127.8.9.10', '127.8.9.10:53', true)
  check('::1', '[::1]:53', true)
  check('[::1]:5353', '[::1]:5353', true)
  check('0:0:0:0:0:0:0:1', '[0:0:0:0:0:0:0:1]:53', true)
  check('::ffff:127.0.0.1', '[::ffff:127.0.0.1]:53', true)
  check('2001:db8::1', '[2001:db8::1]:53')
  check('2001:db8::127', '[2001:db8::127]:53')
  check('fe80::1%eth0', '[fe80::1%eth0]:53')
  check('[2001:db8::1]', '[2001:db8::1]:53')
  check('192.0.2.1:65535', '192.0.2.1:65535')
  check('192.0.2.1:65536', undefined)
  check('192.0.2.1:0', undefined)
  check('[192.0.2.1]:53', undefined)
  check('localhost', undefined)
  check('192.0.2.1:', undefined)
  check('', undefined)
})

test('options', () => {
  const check = (input: unknown, expected: RegExp | true): void => {
    const { success, error } = options.safeParse(input)
    if (expected === true) assert.ok(success)
    else assert.match(String(error?.issues[0]?.message), expected)
  }
  const servers = (count: number) => Array.from({ length: count }, (_, i) => `192.0.2.${i}`)
  check({}, true)
  check({ servers: servers(SERVERS_LIMIT) }, true)
  check({ servers: servers(SERVERS_LIMIT + 1) }, /<=8 items/)
  check({ servers: [] }, />=1 items/)
  check({ servers: ['dns.example.net'] }, /must be an IP address with or without a port: "192\.0\.2\.1"/)
  check({ search: 'example.org' }, /Unrecognized key/)
})
