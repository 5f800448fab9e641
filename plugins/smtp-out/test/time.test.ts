// Every wait of a delivery has an end: what hangs, for how long, and what comes of it then.
import assert from 'node:assert/strict'
import type { Transport } from '@mox/plugin-sdk'
import type { DnsRow } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { type Client, ClientError, type Connect } from '../src/client/types.ts'
import { DialError } from '../src/connect/dial.ts'
import { makeExchange } from '../src/connect/exchange.ts'
import { deadline } from '../src/deadline.ts'
import {
  DESTINATIONS_MS,
  DIAL_MS,
  DIRECT_SETUP_MS,
  DIRECT_TRANSACTION_MS,
  REACH_MS,
  RELAY_SETUP_MS,
  relayTransactionMs,
} from '../src/limits.ts'
import { brief, makeBatch, makeWorld, run, type World } from './support/world.ts'

const ZONE: readonly DnsRow[] = [
  ['example.net', 'MX', { preference: 10, exchange: 'mx1.example.net' }],
  ['mx1.example.net', 'A', '192.0.2.1'],
  ['relay.example', 'A', '192.0.2.1'],
]
const MX1 = 'mx1.example.net 192.0.2.1'

async function check(make: (world: World) => Transport, limitMs: number, expected: string): Promise<void> {
  const world = makeWorld(ZONE)
  let results: readonly string[] | undefined
  void run(world, make(world), makeBatch({ size: 1_048_576 })).then(all => {
    results = all.map(brief)
  })
  await world.clock.advance(limitMs - 1)
  assert.equal(results, undefined, 'ended too early')
  await world.clock.advance(1)
  await world.clock.advance(0)
  assert.deepEqual(results, [expected])
  await world.pool.close()
  assert.equal(world.clock.pending, 0)
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

/** Waits for the abort in one of its steps. */
function slow(world: World, step: 'connect' | 'send'): ReturnType<typeof makeExchange> {
  const connect: Connect = async options => {
    const failure = (error: Error) => ({ code: 0, enhanced: '4.4.2', text: error.message })
    if (step === 'connect')
      await aborted(options.signal).catch((error: Error) => {
        throw new ClientError('io', { stage: 'ehlo', ...failure(error) })
      })
    const client = await world.servers.connect(options)
    const send: Client['send'] = ({ recipients }, signal) =>
      aborted(signal).catch((error: Error) =>
        recipients.map(({ id }) => ({
          id,
          kind: 'io' as const,
          stage: 'data' as const,
          dsn: false,
          ...failure(error),
        })),
      )
    return { ...client, send }
  }
  return makeExchange({ clock: world.clock, connect, pool: world.pool, metrics: world.metrics })
}

test('direct: hosts, addresses, policies, connection, session, message', async () => {
  const hang = (name: string) => (world: World) => {
    world.dns.fail(name, 'hang')
    return world.direct()
  }
  await check(hang('example.net'), DESTINATIONS_MS, '1 temporary 0 4.4.3 dns - -')
  await check(hang('mx1.example.net'), REACH_MS, '1 temporary 0 4.4.3 dns mx1.example.net -')
  const policies = [{ name: 'dane', host: ({ signal }: { signal: AbortSignal }) => aborted(signal) }]
  await check(world => world.direct({ policies }), REACH_MS, '1 temporary 0 4.7.5 policy mx1.example.net -')
  const unreachable = (world: World) =>
    world.direct({
      dial: async (_ip, _port, { timeoutMs, signal }) => {
        await world.clock.sleep(timeoutMs, signal)
        throw new DialError('timeout', 'no answer')
      },
    })
  await check(unreachable, DIAL_MS, '1 temporary 0 4.4.1 connect mx1.example.net -')
  const at = (step: 'connect' | 'send') => (world: World) => world.direct({ exchange: slow(world, step) })
  await check(at('connect'), DIRECT_SETUP_MS, `1 temporary 0 4.4.2 ehlo ${MX1}`)
  await check(at('send'), DIRECT_TRANSACTION_MS, `1 temporary 0 4.4.2 data ${MX1}`)
})

test('relay: addresses, session, message', async () => {
  const hang = (world: World) => {
    world.dns.fail('relay.example', 'hang')
    return world.relay()
  }
  await check(hang, REACH_MS, '1 temporary 0 4.4.3 dns relay.example -')
  const at = (step: 'connect' | 'send') => (world: World) => world.relay({ exchange: slow(world, step) })
  await check(at('connect'), RELAY_SETUP_MS, '1 temporary 0 4.4.2 ehlo relay.example 192.0.2.1')
  await check(at('send'), relayTransactionMs(1_048_576), '1 temporary 0 4.4.2 data relay.example 192.0.2.1')
})

test('a deadline follows its parent, and leaves nothing behind', () => {
  const { clock } = makeWorld([])
  const parent = new AbortController()
  const limit = deadline(clock, 1_000, parent.signal, 'it')
  assert.equal(limit.at, clock.now() + 1_000)
  parent.abort(new Error('stopping'))
  assert.equal((limit.signal.reason as Error).message, 'stopping')
  limit.release()
  const late = deadline(clock, 1_000, parent.signal, 'it')
  assert.equal((late.signal.reason as Error).message, 'stopping')
  late.release()
  assert.equal(clock.pending, 0)
})
