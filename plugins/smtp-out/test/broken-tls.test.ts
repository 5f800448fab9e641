import assert from 'node:assert/strict'
import { type DnsRow, VirtualClock } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { BrokenTls } from '../src/direct/broken-tls.ts'
import { BROKEN_TLS_HOSTS, BROKEN_TLS_MS } from '../src/limits.ts'
import { makeBatch, makeWorld, run } from './support/world.ts'

test('remembered for so long, for the host and the address', async () => {
  const clock = new VirtualClock()
  const broken = new BrokenTls(clock)
  broken.add('mx', '192.0.2.1')
  await clock.advance(BROKEN_TLS_MS - 1)
  assert.deepEqual(
    [broken.has('mx', '192.0.2.1'), broken.has('mx', '192.0.2.2'), broken.has('my', '192.0.2.1')],
    [true, false, false],
  )
  await clock.advance(1)
  assert.equal(broken.has('mx', '192.0.2.1'), false)
})

test('so many hosts; the oldest is forgotten', () => {
  const broken = new BrokenTls(new VirtualClock())
  const has = (i: number): boolean => broken.has('mx', `${i}`)
  for (let i = 0; i < BROKEN_TLS_HOSTS; i++) broken.add('mx', `${i}`)
  assert.equal(has(0), true)
  broken.add('mx', '0')
  broken.add('mx', 'one more')
  assert.deepEqual([has(0), has(1), has(2)], [true, false, true])
})

const ZONE: readonly DnsRow[] = [['example.net', 'A', '192.0.2.1']]
const modes = (world: ReturnType<typeof makeWorld>): string[] => world.servers.sessions.map(({ tls }) => tls.mode)

test('a host whose TLS failed is spared it for an hour', async () => {
  const world = makeWorld(ZONE)
  const transport = world.direct()
  world.servers.set('192.0.2.1', 'tls at starttls; ok')
  await run(world, transport, makeBatch())
  assert.equal(world.counts.get('mox_queue_plaintext_fallback_total'), 1)
  assert.deepEqual(world.log.texts('warn'), ['warn TLS failed, trying without'])
  await world.clock.advance(BROKEN_TLS_MS - 1)
  await run(world, transport, makeBatch())
  assert.deepEqual(modes(world), ['opportunistic', 'none', 'none'])
  world.servers.set('192.0.2.1', 'ok')
  await world.clock.advance(60_000)
  await run(world, transport, makeBatch())
  assert.deepEqual(modes(world), ['opportunistic', 'none', 'none', 'opportunistic'])
})

test('nothing is remembered of a host that does not work without either', async () => {
  const world = makeWorld(ZONE)
  const transport = world.direct()
  world.servers.set('192.0.2.1', 'tls at starttls; io at greeting')
  await run(world, transport, makeBatch())
  await run(world, transport, makeBatch())
  assert.deepEqual(modes(world), ['opportunistic', 'none', 'opportunistic', 'none'])
})

test('a policy that demands TLS does not hear of it', async () => {
  let demanded = false
  const policy = { name: 'dane', host: async () => (demanded ? { id: 'any' } : undefined) }
  const world = makeWorld(ZONE, [policy])
  const transport = world.direct()
  world.servers.set('192.0.2.1', 'tls at starttls; ok')
  await run(world, transport, makeBatch())
  demanded = true
  const [result] = await run(world, transport, makeBatch())
  assert.deepEqual(modes(world), ['opportunistic', 'none', 'required'])
  assert.equal(result?.outcome, 'temporary')
})
