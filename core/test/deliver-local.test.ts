// From the queue into mailboxes, and what a crash at any commit leaves: nothing lost, nothing twice.
import assert from 'node:assert/strict'
import { hold, reject } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { settle } from './stages/clock.ts'
import { addressOf, MESSAGE, makeWorld, stored, type World, type WorldOptions } from './stages/world.ts'

async function run(to: readonly string[], options: WorldOptions = {}, from: string = 'ann@here.test'): Promise<World> {
  const world = makeWorld(options)
  await world.stages.start()
  await world.send({ account: 'ann', from, to })
  await settle()
  return world
}

const states = ({ storage }: World) => {
  const { queue, history } = storage.snapshot()
  const rows = [...queue.values(), ...history.values()].sort((a, b) => a.id - b.id)
  return rows.map(row => {
    const { code, enhanced } = row.results.at(-1) ?? {}
    return `${addressOf(row)} ${'status' in row ? row.status : 'queued'} ${code} ${enhanced}`
  })
}

test('one result per recipient', async () => {
  const check = async (to: string[], filed: string[], expected: string[], options: WorldOptions = {}) => {
    const world = await run(to, options)
    assert.deepEqual(
      world.filed.map(one => `${one.account} ${addressOf(one)}`),
      filed,
      to.join(),
    )
    assert.deepEqual(states(world), expected, to.join())
  }
  await check(['bob@here.test'], ['bob bob@here.test'], ['bob@here.test delivered 250 2.6.0'])
  await check(
    ['ann@here.test', 'full@here.test', 'gone@here.test', 'bob@here.test'],
    ['ann ann@here.test', 'bob bob@here.test'],
    [
      'ann@here.test delivered 250 2.6.0',
      'full@here.test queued 452 4.2.2',
      'gone@here.test failed 550 5.2.1',
      'bob@here.test delivered 250 2.6.0',
    ],
  )
  await check(
    ['full@here.test', 'gone@here.test'],
    [],
    ['full@here.test queued 452 4.2.2', 'gone@here.test failed 550 5.2.1'],
  )
  await check(['list@here.test'], ['bob list@here.test'], ['list@here.test delivered 250 2.6.0'])
  const handlers: WorldOptions['handlers'] = {
    'onReceive.data': ({ session }) =>
      session.kind === 'delivery' ? reject('spam', { enhanced: '5.7.2' }) : undefined,
  }
  await check(['bob@here.test'], [], ['bob@here.test failed 550 5.7.2'], { handlers })
})

test('a null reverse-path: one transaction each', async () => {
  const world = await run(['ann@here.test', 'bob@here.test'], {}, '')
  assert.deepEqual(
    world.filed.map(({ account, reversePath }) => [account, reversePath]),
    [
      ['ann', null],
      ['bob', null],
    ],
  )
})

test('the copy: new trace fields, then those of the submission, then the same content', async () => {
  const world = await run(['bob@here.test'])
  const [delivery] = world.filed
  const text = (await stored(world, delivery!)).replaceAll('\r\n ', ' ')
  const lines = text.split('\r\n')
  assert.deepEqual(lines.slice(0, 2), ['Delivered-To: bob@here.test', 'Return-Path: <ann@here.test>'])
  assert.match(
    lines[2]!,
    /^Received: from mail.here.test \(\[127.0.0.1\]\) by mail.here.test .* ESMTP .* for <bob@here.test>;/,
  )
  assert.match(lines[3]!, /^Received: from mail.here.test by mail.here.test .* with ESMTPA /)
  assert.equal(lines.slice(4).join('\r\n'), MESSAGE)
  assert.equal(delivery?.size, (await stored(world, delivery!)).length)
  assert.match(delivery.key, /^q\d+$/)
  const { content, messages } = world.storage.snapshot()
  assert.deepEqual([content.size, messages.size], [1, 2])
  // The submission, the delivery and the copy.
  assert.equal([...content.values()][0]?.references, 3)
})

test('a crash after any commit loses nothing and delivers nothing twice', async () => {
  const to = ['bob@here.test', 'cid@here.test', 'x@away.test', 'y@away.test']
  const full = await run(to)
  await full.clock.advance(3_600_000)
  await full.stages.stop()
  assert.ok(full.commits.length >= 8)
  for (const [index, from] of full.commits.entries()) {
    const accepted = from.snapshot.messages.size > 0
    const world = makeWorld({ from, clock: full.clock })
    await world.stages.start()
    await world.clock.advance(3_600_000)
    const { queue, history } = world.storage.snapshot()
    if (!accepted) continue
    assert.equal(queue.size, 0, `commit ${index}`)
    assert.deepEqual(
      [...history.values()].map(({ status }) => status),
      ['delivered', 'delivered', 'delivered', 'delivered'],
    )
    const accounts = world.filed
      .map(({ account }) => account)
      .sort()
      .join()
    assert.equal(accounts, 'bob,cid', `commit ${index}`)
    await world.stages.stop()
  }
})

test('a repeated replay stores no second message and tells nobody twice', async () => {
  const events: string[] = []
  const options: WorldOptions = {
    handlers: {
      'onReceive.done': {
        one: async ({ kind }) => {
          events.push(kind)
        },
      },
    },
  }
  // A null reverse-path: a transaction for each recipient, and the queue hears of all of them at the end.
  const world: World = await run(['bob@here.test', 'ann@here.test'], options, '')
  // The state in which the copies are filed, and the recipients still queued.
  const between = world.commits.find(({ filed, snapshot }) => filed.length === 2 && snapshot.queue.size === 2)
  assert.ok(between)
  await settle()
  assert.deepEqual(events, ['submission', 'delivery', 'delivery'])
  const again = makeWorld({ ...options, from: between, clock: world.clock })
  await again.stages.start()
  await again.clock.advance(3_600_000)
  const { messages, history } = again.storage.snapshot()
  assert.deepEqual([messages.size, again.filed.length], [3, 2])
  assert.deepEqual(
    [...history.values()].map(({ status }) => status),
    ['delivered', 'delivered'],
  )
})

test('with the copies filed the recipients leave the queue, in one commit', async () => {
  const world = await run(['bob@here.test', 'ann@here.test'])
  const sizes = world.commits.map(
    ({ filed, snapshot }) => `${filed.length} ${snapshot.queue.size} ${snapshot.history.size}`,
  )
  assert.deepEqual([...new Set(sizes)], ['0 0 0', '0 2 0', '2 0 2'])
})

test('a recipient that cannot leave the queue has no copy, and the next attempt delivers once', async () => {
  const world = makeWorld({ handlers: { onQueue: () => ({ verdict: hold('later') }) } })
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['bob@here.test'] })
  world.storage.failNext('queue.retire')
  await world.storage.write(() => world.storage.queue.set({}, { hold: false }))
  world.stages.queueControl.kick()
  await settle()
  assert.deepEqual([states(world), world.filed.length], [['bob@here.test queued 451 4.3.0'], 0])
  await world.clock.advance(450_000)
  assert.deepEqual([states(world), world.filed.length], [['bob@here.test delivered 250 2.6.0'], 1])
  const [row] = world.storage.snapshot().history.values()
  assert.deepEqual(
    row?.results.map(({ outcome }) => outcome),
    ['temporary', 'delivered'],
  )
})

test('a failing storage during the replay is temporary, and the next attempt delivers once', async () => {
  const world = makeWorld({ handlers: { onQueue: () => ({ verdict: hold('later') }) } })
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['bob@here.test'] })
  world.storage.failNext('content.retain')
  await world.storage.write(() => world.storage.queue.set({}, { hold: false }))
  world.stages.queueControl.kick()
  await settle()
  assert.deepEqual(states(world), ['bob@here.test queued 451 4.3.0'])
  await world.clock.advance(450_000)
  assert.deepEqual(states(world), ['bob@here.test delivered 250 2.6.0'])
  assert.equal(world.filed.length, 1)
})

test('the attempt tells what the receive hooks said, each recipient its own', async () => {
  const world = await run(['bob@here.test', 'ann@here.test'], { handlers: { 'onReceive.rcpt': () => undefined } })
  for (const row of world.storage.snapshot().history.values()) {
    const said = row.results.at(-1)?.trace?.map(({ hook, recipient }) => `${hook} ${recipient}`)
    assert.deepEqual(said, [`onReceive.rcpt ${addressOf(row)}`])
  }
  assert.equal(world.storage.snapshot().history.size, 2)
})
