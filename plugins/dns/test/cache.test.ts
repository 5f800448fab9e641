// What is remembered and how long, one question for many callers, and who is told when a caller leaves.
import assert from 'node:assert/strict'
import { type DnsAnswer, DnsError } from '@mox/plugin-sdk'
import { turns } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { Cache, ENTRIES_LIMIT, OCTETS_LIMIT, SERVFAIL_SECONDS } from '../src/cache.ts'
import { TTL_LIMIT } from '../src/message.ts'
import { failure, withRig } from './support/rig.ts'
import { type Asked, a, answer, errors, type Script, soa } from './support/server.ts'

const good: Script = asked => answer(asked, { answers: [a(asked.name)] })

test('an answer is kept for its TTL', async () => {
  await withRig(good, async ({ resolve, server, host, counts }) => {
    const check = async (name: string, ttl: number, asked: number): Promise<void> => {
      const { records, ...rest } = await resolve(name, 'A')
      assert.deepEqual([records, rest.ttl, server.asked.length], [['192.0.2.1'], ttl, asked])
    }
    await check('example.org', 300, 1)
    await check('EXAMPLE.ORG.', 300, 1)
    await host.advance(1000)
    await check('example.org', 299, 1)
    await host.advance(298_999)
    await check('example.org', 1, 1)
    await host.advance(1)
    await check('example.org', 300, 2)
    assert.deepEqual(await counts(), ['A ok 2'])
  })
})

test('each type on its own', async () => {
  await withRig(good, async ({ resolve, server }) => {
    await resolve('example.org', 'A')
    await resolve('example.org', 'AAAA')
    assert.deepEqual(server.log, ['A example.org udp', 'AAAA example.org udp'])
  })
})

test('TTLs of 0, of more than a day, and with the highest bit', async () => {
  const check = async (ttl: number, expected: number, keptMs: number): Promise<void> => {
    const script: Script = asked => answer(asked, { answers: [a(asked.name, '192.0.2.1', ttl)] })
    await withRig(script, async ({ resolve, server, host }) => {
      assert.equal((await resolve('example.org', 'A')).ttl, expected)
      if (keptMs > 0) {
        await host.advance(keptMs - 1)
        await resolve('example.org', 'A')
        assert.equal(server.asked.length, 1)
        await host.advance(1)
      }
      await resolve('example.org', 'A')
      assert.equal(server.asked.length, 2)
    })
  }
  await check(0, 0, 0)
  await check(1, 1, 1000)
  await check(TTL_LIMIT, TTL_LIMIT, TTL_LIMIT * 1000)
  await check(TTL_LIMIT + 1, TTL_LIMIT, TTL_LIMIT * 1000)
  await check(2 ** 31 - 1, TTL_LIMIT, TTL_LIMIT * 1000)
  await check(2 ** 31, 0, 0)
})

test('"no" is kept as the SOA record says', async () => {
  const script: Script = asked => answer(asked, { rcode: 3, authorities: [soa('org', 60)] })
  await withRig(script, async ({ resolve, server, host, counts }) => {
    assert.equal((await resolve('example.org', 'A')).status, 'nxdomain')
    await host.advance(59_999)
    assert.equal((await resolve('example.org', 'A')).status, 'nxdomain')
    assert.equal(server.asked.length, 1)
    await host.advance(1)
    await resolve('example.org', 'A')
    assert.equal(server.asked.length, 2)
    assert.deepEqual(await counts(), ['A nxdomain 2'])
  })
})

test(`SERVFAIL is kept for ${SERVFAIL_SECONDS} seconds, other failures are not`, async () => {
  const script: Script = asked => answer(asked, { rcode: 2, additionals: [errors([6, 'bogus'])] })
  await withRig(script, async ({ resolve, server, host, counts }) => {
    const check = async (asked: number): Promise<void> => {
      const { code, extended } = await failure(resolve('example.org', 'A'))
      assert.deepEqual([code, extended, server.asked.length], ['servfail', { code: 6, text: 'bogus' }, asked])
    }
    await check(1)
    await host.advance(SERVFAIL_SECONDS * 1000 - 1)
    await check(1)
    await host.advance(1)
    await check(2)
    server.script = asked => answer(asked, { rcode: 5 })
    assert.equal((await failure(resolve('example.com', 'A'))).code, 'refused')
    assert.equal((await failure(resolve('example.com', 'A'))).code, 'refused')
    assert.equal(server.asked.length, 4)
    assert.deepEqual(await counts(), ['A temporary 4'])
  })
})

test('bounds', () => {
  const found = (ttl = 60): DnsAnswer => ({ status: 'found', records: [], canonical: '.', authentic: false, ttl })
  const cache = new Cache()
  for (let i = 0; i < ENTRIES_LIMIT; i++) cache.keepAnswer(`${i}`, found(), 100, 0)
  assert.equal(cache.size, ENTRIES_LIMIT)
  assert.ok(cache.get('0', 1))
  cache.keepAnswer('more', found(), 100, 0)
  assert.equal(cache.size, ENTRIES_LIMIT)
  // The one that was not used for the longest time.
  assert.equal(cache.get('1', 1), undefined)
  assert.ok(cache.get('0', 1) && cache.get('2', 1) && cache.get('more', 1))

  cache.keepAnswer('fits', found(), OCTETS_LIMIT, 0)
  cache.keepAnswer('too big', found(), OCTETS_LIMIT + 1, 0)
  assert.ok(cache.get('fits', 1))
  assert.equal(cache.get('too big', 1), undefined)

  cache.keepFailure('failed', new DnsError('timeout', ''), 0)
  assert.equal(cache.get('failed', 1), undefined)
  // The clock was set back.
  cache.keepAnswer('later', found(), 100, 5000)
  assert.equal(cache.get('later', 4999), undefined)
})

/** Answers when the test says so. */
function held(): { readonly script: Script; readonly release: () => void } {
  let release = (): void => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const script = async (asked: Asked): Promise<Buffer> => {
    await released
    return answer(asked, { answers: [a(asked.name)] })
  }
  return { script, release: () => release() }
}

test('equal questions at the same time are asked once', async () => {
  const { script, release } = held()
  await withRig(script, async ({ resolve, server, counts }) => {
    const all = ['example.org', 'Example.Org', 'example.org.'].map(name => resolve(name, 'A'))
    await server.heard(1)
    release()
    for (const one of await Promise.all(all)) assert.deepEqual(one.records, ['192.0.2.1'])
    assert.equal(server.asked.length, 1)
    assert.deepEqual(await counts(), ['A ok 3'])
  })
})

test('one caller that leaves does not disturb the others', async () => {
  const { script, release } = held()
  await withRig(script, async ({ resolve, server, counts }) => {
    const leaving = new AbortController()
    const first = resolve('example.org', 'A', leaving.signal)
    const second = resolve('example.org', 'A', new AbortController().signal)
    const third = resolve('example.org', 'A')
    await server.heard(1)
    leaving.abort(new Error('gone'))
    await assert.rejects(first, /^Error: gone$/)
    release()
    assert.deepEqual([(await second).status, (await third).status], ['found', 'found'])
    assert.equal(server.asked.length, 1)
    assert.deepEqual((await counts()).sort(), ['A canceled 1', 'A ok 2'])
  })
})

test('when the last caller leaves the question is given up, and the next one asks anew', async () => {
  const { script, release } = held()
  await withRig(script, async ({ resolve, server, host }) => {
    const [one, two] = [new AbortController(), new AbortController()]
    const failed = [resolve('example.org', 'A', one.signal), resolve('example.org', 'A', two.signal)]
    await server.heard(1)
    one.abort(new Error('first'))
    await assert.rejects(failed[0]!, /^Error: first$/)
    assert.ok(host.clock.pending > 0)
    two.abort(new Error('second'))
    await assert.rejects(failed[1]!, /^Error: second$/)
    await turns()
    assert.equal(host.clock.pending, 0)
    const again = resolve('example.org', 'A')
    await server.heard(2)
    release()
    assert.equal((await again).status, 'found')
  })
})

test('a signal that is aborted already', async () => {
  await withRig(good, async ({ resolve, server }) => {
    await assert.rejects(resolve('example.org', 'A', AbortSignal.abort(new Error('gone'))), /^Error: gone$/)
    assert.equal(server.asked.length, 0)
  })
})

test('when the server stops, lookups end and new ones fail', async () => {
  await withRig(
    () => undefined,
    async ({ resolve, server, host }) => {
      const failed = failure(resolve('example.org', 'A'))
      await server.heard(1)
      await host.close()
      assert.match((await failed).message, /the server stops/)
      assert.match((await failure(resolve('example.org', 'A'))).message, /the server stops/)
      assert.equal(host.clock.pending, 0)
    },
  )
})
