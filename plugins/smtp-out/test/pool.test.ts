import assert from 'node:assert/strict'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import type { Client } from '../src/client/types.ts'
import { Pool } from '../src/connect/pool.ts'
import { IDLE_MS, IDLE_PER_DESTINATION, IDLE_TOTAL } from '../src/limits.ts'

interface TestClient extends Client {
  usable: boolean
}

function setup() {
  const clock = new VirtualClock()
  const pool = new Pool(clock)
  const done: string[] = []
  const client = (name: string): TestClient => ({
    ...{ extensions: {} as Client['extensions'], tls: undefined, usable: true },
    send: async () => [],
    quit: async () => {
      done.push(`quit ${name}`)
    },
    destroy: () => {
      done.push(`destroy ${name}`)
    },
  })
  const give = (key: string, name: string): TestClient => {
    const given = client(name)
    pool.give(key, { client: given, transactions: 1 })
    return given
  }
  return { clock, pool, done, client, give }
}

test('what is given is taken once, newest first, by its own key', () => {
  const { clock, pool, done, give } = setup()
  const [a, b] = [give('k', 'a'), give('k', 'b')]
  give('other', 'c')
  assert.equal(pool.take('k')?.client, b)
  assert.equal(pool.take('k')?.client, a)
  assert.equal(pool.take('k'), undefined)
  assert.equal(pool.size, 1)
  assert.equal(pool.take('other')?.transactions, 1)
  assert.equal(clock.pending, 0)
  assert.deepEqual(done, [])
})

test('a connection waits so long and no longer', async () => {
  const { clock, pool, done, give } = setup()
  give('k', 'a')
  await clock.advance(IDLE_MS - 1)
  assert.equal(pool.size, 1)
  await clock.advance(1)
  assert.deepEqual([pool.size, done], [0, ['quit a']])
  assert.equal(pool.take('k'), undefined)
})

test('one that broke while it waited is not handed out', () => {
  const { pool, done, give } = setup()
  const a = give('k', 'a')
  give('k', 'b').usable = false
  assert.equal(pool.take('k')?.client, a)
  assert.deepEqual(done, ['destroy b'])
})

test('limits for one destination and in all', () => {
  const { pool, done, give } = setup()
  for (let i = 1; i <= IDLE_PER_DESTINATION; i++) give('k', `${i}`)
  assert.deepEqual(done, [])
  give('k', 'more')
  assert.deepEqual(done, ['quit more'])
  for (let i = pool.size; i < IDLE_TOTAL; i++) give(`key ${i}`, `${i}`)
  assert.deepEqual([pool.size, done.length], [IDLE_TOTAL, 1])
  give('one more', 'last')
  assert.deepEqual([pool.size, done], [IDLE_TOTAL, ['quit more', 'quit 1']])
  assert.notEqual(pool.take('one more'), undefined)
})

test('close says goodbye to all, waits for it, and keeps nothing afterwards', async () => {
  const { clock, pool, done, client, give } = setup()
  give('k', 'a')
  give('k', 'b').usable = false
  const { promise: farewell, resolve } = Promise.withResolvers<void>()
  pool.retire({ ...client('slow'), quit: () => farewell })
  let closed = false
  const closing = pool.close().then(() => {
    closed = true
  })
  await clock.advance(0)
  assert.deepEqual([closed, done], [false, ['quit a', 'destroy b']])
  resolve()
  await closing
  give('k', 'late')
  assert.deepEqual([pool.size, done.at(-1), clock.pending], [0, 'quit late', 0])
})
