// Copies for our own users: aliases, partial failure, and the replies for several recipients.
import assert from 'node:assert/strict'
import { type Retired, reply } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { combine, UNKNOWN_DELAY_MS } from '../src/receive/replies.ts'
import { settle } from './stages/clock.ts'
import { addressOf, MESSAGE, makeWorld, path, short } from './stages/world.ts'

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

test('some fail: accepted; who may be served later waits in the queue, the others are retired', async () => {
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
  const to = ['ann@here.test', 'full@here.test', 'full2@here.test']
  const answers = await world.send({ from: 'x@away.test', to })
  assert.equal(short(answers.at(-1)!), '250 2.6.0')
  await settle()
  assert.deepEqual(
    world.filed.map(({ account }) => account),
    ['ann'],
  )
  const shown = (one: Retired) => [addressOf(one), one.status, one.results.at(-1)?.code, one.attempts, one.account]
  assert.deepEqual(retired.map(shown), [['full2@here.test', 'failed', 550, 0, '']])
  const { queue } = world.storage.snapshot()
  assert.deepEqual(
    [...queue.values()].map(job => [addressOf(job), job.hold, job.attempts, job.results.map(({ code }) => code)]),
    [['full@here.test', false, 0, [452]]],
  )
  assert.ok([...queue.values()].every(({ due }) => due > world.clock.now()))
  await world.clock.advance(20 * 3_600_000)
  assert.deepEqual(retired.slice(1).map(shown), [['full@here.test', 'failed', 452, 8, '']])
  await world.stages.stop()
})

test('a message is never accepted for an address that nobody has', async () => {
  const check = async (to: string[], expected: string[], waits = 0) => {
    const world = makeWorld()
    const session = await world.open()
    await session.mail(path('x@away.test'), {})
    const codes: string[] = []
    const done = (async () => {
      for (const one of to) codes.push(short(await session.rcpt({ path: path(one) })))
    })()
    for (let n = 0; n < waits; n++) await world.clock.advance(UNKNOWN_DELAY_MS)
    await done
    assert.deepEqual(codes, expected, to.join())
  }
  await check(['ann@here.test', 'nobody@here.test', 'bob@here.test'], ['250 2.1.5', '550 5.1.1', '250 2.1.5'], 1)
  await check(['nobody@here.test', 'ann@here.test', 'nobody2@here.test'], ['250 2.1.5', '452 4.5.3', '452 4.5.3'])
  await check(['nobody@here.test', 'nobody@here.test'], ['250 2.1.5', '250 2.1.5'])
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
  await check(['full@here.test', 'full2@here.test'], '451 4.3.0')
  await check(['nobody@here.test'], '550 5.1.1')
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
