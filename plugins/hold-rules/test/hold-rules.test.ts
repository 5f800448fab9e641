// Rules against the real queue: what they hold, when they come and when they go.
import { deepStrictEqual, match, strictEqual } from 'node:assert'
import { directory } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { type Mailflow, mailflow } from '../../../test/kit/mailflow.ts'
import { holdRules } from '../src/index.ts'
import { PAGE, RULES, Rules } from '../src/rules.ts'
import { RULE } from '../src/schema.ts'

let flow: Mailflow
beforeEach(async () => {
  flow = await mailflow([holdRules()], { paused: true })
})
afterEach(async () => await flow.close())

/** Recipients on hold, by address. */
const held = async () =>
  (await flow.jobs())
    .filter(job => job.hold)
    .map(job => `${job.recipient.localpart}@${job.recipientDomain}`)
    .sort()
const add = async (flags: Readonly<Record<string, string | boolean>>) => await flow.text('queue holdrules add', flags)

test('all that a rule names must be so, in the queue and for what comes later', async () => {
  const check = async (flags: Readonly<Record<string, string | boolean>>, expected: readonly string[]) => {
    const send = async (prefix: string) => {
      await flow.submit({ to: [`${prefix}1@one.example`, `${prefix}2@two.example`] })
      await flow.submit({ from: null, to: [`${prefix}3@one.example`] })
      const bob = 'bob@example.org'
      await flow.submit({ account: 'bob', author: bob, from: bob, to: [`${prefix}4@one.example`] })
    }
    await send('a')
    match(await add(flags), new RegExp(`${expected.length} recipients? in the queue put on hold$`))
    await send('b')
    deepStrictEqual(
      await held(),
      ['a', 'b'].flatMap(prefix => expected.map(rest => prefix + rest)).sort(),
      JSON.stringify(flags),
    )
    const [rule] = await flow.rows('queue holdrules list')
    match(await flow.text(`queue holdrules remove ${String(rule?.['id'])}`, { release: true }), / released$/)
    deepStrictEqual(await held(), [])
    await flow.mox('queue drop', { all: true })
  }
  await check({ all: true }, ['1@one.example', '2@two.example', '3@one.example', '4@one.example'])
  await check({ recipientdom: 'ONE.example' }, ['1@one.example', '3@one.example', '4@one.example'])
  await check({ senderdom: 'example.org' }, ['1@one.example', '2@two.example', '4@one.example'])
  await check({ senderdom: 'example.org', recipientdom: 'two.example' }, ['2@two.example'])
  await check({ account: 'alice', recipientdom: 'two.example' }, ['2@two.example'])
  await check({ account: 'bob' }, ['4@one.example'])
  await check({ recipientdom: 'example' }, [])
  await check({ sender: 'Alice@example.org', recipientdom: 'one.example' }, ['1@one.example'])
  await check({ sender: 'bob@example.org' }, ['4@one.example'])
  await check({ sender: 'eve@example.org' }, [])
})

test('addresses', async () => {
  await add({ sender: 'alice@example.org', recipient: 'x@one.example' })
  await flow.submit({ from: 'alice+news@example.org', to: ['X@one.example', 'y@one.example'] })
  await flow.submit({ from: null, to: ['x@one.example'] })
  deepStrictEqual(await held(), ['X@one.example'])
})

test('why it waits is to be seen', async () => {
  const [before = 0] = await flow.submit({ to: ['a@one.example'] })
  strictEqual(
    await add({ recipientdom: 'one.example', reason: 'they are moving' }),
    'hold rule 1 added; 1 recipient in the queue put on hold',
  )
  const [after = 0] = await flow.submit({ to: ['b@one.example'] })
  const reason = /hold rule 1 \(recipient domain one\.example\): they are moving/
  for (const id of [before, after]) match(await flow.text(`message explain q${id}`), reason)
  await flow.restart()
  deepStrictEqual(await held(), ['a@one.example', 'b@one.example'])
  await flow.submit({ to: ['c@one.example'] })
  deepStrictEqual(await held(), ['a@one.example', 'b@one.example', 'c@one.example'])
})

test('removing a rule releases what rules held and no other rule is about', async () => {
  const [byHand = 0] = await flow.submit({ to: ['hand@one.example'] })
  await flow.mox('queue hold', { ids: String(byHand) })
  await flow.submit({ to: ['old@one.example'] })
  await add({ recipientdom: 'one.example' })
  await add({ account: 'alice', recipientdom: 'one.example' })
  await flow.submit({ to: ['new@one.example'] })
  const [freed = 0] = await flow.submit({ to: ['freed@one.example'] })
  await flow.mox('queue unhold', { ids: String(freed) })
  const all = ['hand@one.example', 'new@one.example', 'old@one.example']
  deepStrictEqual(await held(), all)
  strictEqual(
    await flow.text('queue holdrules remove 1', { release: true }),
    'hold rule 1 removed; 0 recipients released',
  )
  deepStrictEqual(await held(), all)
  strictEqual(
    await flow.text('queue holdrules remove 2', { release: true }),
    'hold rule 2 removed; 2 recipients released',
  )
  deepStrictEqual(await held(), ['hand@one.example'])
  await add({ all: true })
  await flow.submit({ to: ['last@one.example'] })
  strictEqual(
    await flow.text('queue holdrules remove 3'),
    'hold rule 3 removed; release what it held with mox queue unhold',
  )
  deepStrictEqual((await held()).includes('last@one.example'), true)
})

test('a long queue is gone through to its end', async () => {
  for (const part of [1, 2]) {
    const to = Array.from({ length: 600 }, (_, i) => `r${part}-${i}@one.example`)
    await flow.submit({ to })
  }
  strictEqual(PAGE < 1_200, true)
  strictEqual(await add({ recipientdom: 'one.example' }), 'hold rule 1 added; 1200 recipients in the queue put on hold')
  strictEqual(
    await flow.text('queue holdrules remove 1', { release: true }),
    'hold rule 1 removed; 1200 recipients released',
  )
})

test('when adding fails, nothing is held', async () => {
  await flow.submit({ to: ['a@one.example'] })
  const rules = new Rules({ storage: flow.storage, directory: flow.service(directory), clock: flow.clock })
  await flow.storage
    .write(async () => {
      await rules.add({}, '')
      throw new Error('undone')
    })
    .catch(() => {})
  deepStrictEqual([await held(), await flow.rows('queue holdrules list')], [[], []])
})

test('mistakes', async () => {
  const check = async (line: string, flags: Readonly<Record<string, string | boolean>>, expected: RegExp) =>
    match(await flow.text(line, flags), expected)
  await check('queue holdrules add', {}, /choose recipients with --account, .*--recipient, or write --all/)
  await check('queue holdrules add', { all: true, account: 'alice' }, /or write --all/)
  await check('queue holdrules add', { account: 'nobody' }, /there is no account "nobody"/)
  await check('queue holdrules add', { senderdom: 'a_b' }, /--senderdom "a_b": bad domain; write a domain such as/)
  await check('queue holdrules add', { recipient: 'one.example' }, /--recipient "one\.example": .*; write an address/)
  await check('queue holdrules add', { all: true, reason: 'a\nb' }, /--reason must be one line of at most 200/)
  await check('queue holdrules add', { all: true, reason: 'x'.repeat(201) }, /--reason must be one line of at most 200/)
  await check('queue holdrules add', { all: true, reason: 'x'.repeat(200) }, /^hold rule 1 added/)
  await check('queue holdrules remove 7', {}, /there is no hold rule 7; see mox queue holdrules list/)
  await check('queue holdrules remove x', {}, /"x" is no id/)
})

test('as many rules as are compared with each recipient', async () => {
  const row = { account: '', sender_domain: '', sender: '', recipient: '', reason: '', created_at: 0 }
  await flow.storage.write(async db => {
    for (let i = 1; i < RULES; i++) await db(RULE).insert({ ...row, recipient_domain: `d${i}.example` })
  })
  match(await add({ recipientdom: 'last.example' }), /^hold rule 200 added/)
  match(await add({ recipientdom: 'more.example' }), /there are 200 rules already; remove one first/)
  await flow.submit({ to: ['a@last.example', 'a@more.example'] })
  deepStrictEqual(await held(), ['a@last.example'])
})
