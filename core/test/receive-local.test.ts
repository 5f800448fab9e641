// Copies for our own users: aliases, partial failure, and the replies for several recipients.
import assert from 'node:assert/strict'
import { type Retired, reply } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { combine } from '../src/receive/replies.ts'
import { settle } from './stages/clock.ts'
import { addressOf, MESSAGE, makeWorld, short } from './stages/world.ts'

test('who gets a copy', async () => {
  const check = async (to: string[], expected: string[], author = 'x@away.test') => {
    const world = makeWorld()
    const content = `From: ${author}\r\n\r\n`
    const answer = (await world.send({ from: 'x@away.test', to, content })).at(-1)!
    assert.equal(short(answer), '250 2.6.0', to.join())
    assert.deepEqual(
      world.filed.map(one => `${one.account} ${addressOf(one)}`),
      expected,
      to.join(),
    )
    assert.equal(new Set(world.filed.map(({ account, key }) => account + key)).size, expected.length)
  }
  await check(['ann@here.test', 'bob@here.test'], ['ann ann@here.test', 'bob bob@here.test'])
  await check(['ann@here.test', 'ann@here.test'], ['ann ann@here.test'])
  await check(['ann@here.test', 'ann+x@here.test'], ['ann ann@here.test', 'ann ann+x@here.test'])
  await check(['list@here.test'], ['ann list@here.test', 'bob list@here.test'])
  await check(['list@here.test', 'ann@here.test'], ['bob list@here.test', 'ann ann@here.test'])
  await check(['list@here.test', 'list+x@here.test'], ['ann list@here.test', 'bob list@here.test'])
  await check(['list@here.test', 'ann+x@here.test'], ['bob list@here.test', 'ann ann+x@here.test'])
  await check(['postmaster@'], ['ann postmaster@mail.here.test'])
  // A list does not come back to the member who wrote to it.
  await check(['team@here.test'], ['bob team@here.test'], 'ann@here.test')
  await check(['list@here.test'], ['ann list@here.test'], 'bob@here.test')
})

test('who may write to a closed list', async () => {
  const check = async (author: string, expected: string) => {
    const world = makeWorld()
    const content = author === '' ? '\r\n' : `From: ${author}\r\n\r\n`
    const answers = await world.send({ from: 'x@away.test', to: ['team@here.test'], content })
    assert.equal(short(answers.at(-1)!), expected, author)
  }
  await check('ann@here.test', '250 2.6.0')
  await check('ann+x@here.test', '250 2.6.0')
  await check('cid@here.test', '550 5.7.2')
  await check('x@away.test', '550 5.7.2')
  await check('team@here.test', '550 5.7.2')
  await check('', '550 5.7.2')
})

test('some fail: accepted, and the failed ones are retired', async () => {
  const retired: Retired[] = []
  const world = makeWorld({
    handlers: {
      'onRetire.done': {
        dsn: async input => {
          retired.push(input.retired)
        },
      },
    },
  })
  await world.stages.start()
  const answers = await world.send({ from: 'x@away.test', to: ['ann@here.test', 'full@here.test', 'nobody@here.test'] })
  assert.equal(short(answers.at(-1)!), '250 2.6.0')
  await settle()
  assert.deepEqual(
    world.filed.map(({ account }) => account),
    ['ann'],
  )
  assert.deepEqual(
    retired.map(one => [addressOf(one), one.status, one.results[0]?.code, one.results[0]?.outcome, one.account]),
    [
      ['full@here.test', 'failed', 452, 'temporary', ''],
      ['nobody@here.test', 'failed', 550, 'permanent', ''],
    ],
  )
  const { queue, history } = world.storage.snapshot()
  assert.deepEqual([queue.size, history.size], [0, 2])
  await world.stages.stop()
})

test('all fail: refused, and nothing is stored', async () => {
  const check = async (to: string[], expected: string) => {
    const world = makeWorld()
    assert.equal(short((await world.send({ from: 'x@away.test', to })).at(-1)!), expected, to.join())
    const { content, messages, queue, history } = world.storage.snapshot()
    assert.deepEqual(
      [content, messages, queue, history].map(({ size }) => size),
      [0, 0, 0, 0],
    )
  }
  await check(['full@here.test'], '452 4.2.2')
  await check(['full@here.test', 'full+x@here.test'], '452 4.2.2')
  await check(['full@here.test', 'nobody@here.test'], '451 4.3.0')
  await check(['full2@here.test', 'nobody@here.test'], '554 5.0.0')
  await check(['nobody@here.test', 'nobody2@here.test'], '550 5.1.1')
})

test('the one reply for several failures', () => {
  const check = (codes: string[], expected: string) => {
    const replies = codes.map(code => reply(Number(code.slice(0, 3)), code.slice(4), 'x'))
    assert.equal(short(combine(replies)), expected)
  }
  check(['550 5.1.1'], '550 5.1.1')
  check(['550 5.1.1', '550 5.1.1'], '550 5.1.1')
  check(['550 5.1.1', '550 5.2.2'], '554 5.0.0')
  check(['550 5.1.1', '452 4.2.2'], '451 4.3.0')
})

test('a lost rollback is no delivery', async () => {
  const world = makeWorld()
  world.storage.failNext('commit')
  const sent = { from: 'x@away.test', to: ['ann@here.test'], content: MESSAGE }
  assert.equal(short((await world.send(sent)).at(-1)!), '451 4.3.0')
  assert.deepEqual(world.filed, [])
})
