// Replies to MAIL and RCPT: order of commands, who may send, who may be written to, limits.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { defer, pass, reject } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { makeWorld, path, short, type WorldOptions } from './stages/world.ts'

/** "MAIL ann@here.test", "RCPT bob@here.test", "DATA", "RSET"; the code of each reply. */
async function dialogue(commands: readonly string[], account?: string, options: WorldOptions = {}): Promise<string[]> {
  const world = makeWorld(options)
  const session = await world.open(account === undefined ? {} : { account })
  const replies: string[] = []
  for (const command of commands) {
    const [verb, argument = ''] = command.split(' ')
    if (verb === 'MAIL') replies.push(short(await session.mail(argument === '' ? null : path(argument), {})))
    if (verb === 'RCPT') replies.push(short(await session.rcpt({ path: path(argument) })))
    if (verb === 'DATA') replies.push(short(session.data({ maxSize: 1000 }).refused ?? { code: 354, text: '' }))
    if (verb === 'RSET') session.reset()
    if (verb === 'CLOSE') session.close()
  }
  return replies
}

const OK = ['250 2.1.0', '250 2.1.5']

test('order of commands', async () => {
  const check = async (commands: string[], expected: string[]) =>
    assert.deepEqual(await dialogue(commands), expected, commands.join(', '))

  await check(['RCPT ann@here.test'], ['503 5.5.1'])
  await check(['DATA'], ['503 5.5.1'])
  await check(['MAIL a@away.test', 'MAIL a@away.test'], ['250 2.1.0', '503 5.5.1'])
  await check(['MAIL a@away.test', 'DATA'], ['250 2.1.0', '503 5.5.1'])
  await check(['MAIL a@away.test', 'RCPT ann@here.test', 'DATA'], [...OK, '354 undefined'])
  await check(['MAIL a@away.test', 'RSET', 'RCPT ann@here.test'], ['250 2.1.0', '503 5.5.1'])
  await check(['MAIL a@away.test', 'RSET', 'MAIL a@away.test'], ['250 2.1.0', '250 2.1.0'])
  await check(['MAIL a@away.test', 'RCPT ann@here.test', 'DATA', 'DATA'], [...OK, '354 undefined', '503 5.5.1'])
  await check(['CLOSE', 'MAIL a@away.test'], ['421 4.3.2'])
  await check(['MAIL a@away.test', 'CLOSE', 'RCPT ann@here.test', 'DATA'], ['250 2.1.0', '421 4.3.2', '421 4.3.2'])
})

test('recipients of a delivery', async () => {
  const check = async (to: string, expected: string) =>
    assert.deepEqual((await dialogue(['MAIL a@away.test', `RCPT ${to}`]))[1], expected, to)

  await check('ann@here.test', '250 2.1.5')
  await check('ann+x@here.test', '250 2.1.5')
  await check('list@here.test', '250 2.1.5')
  await check('nobody@here.test', '250 2.1.5')
  await check('postmaster@', '250 2.1.5')
  await check('gone@here.test', '550 5.2.1')
  await check('away@here.test', '451 4.2.1')
  await check('ann@away.test', '550 5.1.1')
  await check('ann@[127.0.0.1]', '550 5.1.1')
  await check('ann@off.test', '450 4.2.1')
})

test('sender and recipients of a submission', async () => {
  const check = async (from: string, to: string, expected: string[]) =>
    assert.deepEqual(await dialogue([`MAIL ${from}`, `RCPT ${to}`], 'ann'), expected, `${from} ${to}`)

  await check('ann@here.test', 'x@away.test', OK)
  await check('', 'x@away.test', OK)
  await check('ann@here.test', 'bob@here.test', OK)
  await check('ann@here.test', 'x@[127.0.0.1]', OK)
  await check('ann@here.test', 'gone@here.test', OK)
  await check('ann@here.test', 'nobody@here.test', ['250 2.1.0', '550 5.1.1'])
  await check('ann@here.test', 'x@off.test', ['250 2.1.0', '450 4.2.1'])
  await check('bob@here.test', 'x@away.test', ['550 5.7.1', '503 5.5.1'])
  await check('x@away.test', 'x@away.test', ['550 5.7.1', '503 5.5.1'])
  await check('ann@off.test', 'x@away.test', ['451 4.3.0', '503 5.5.1'])
})

test('a submission needs a login', async () => {
  const session = await makeWorld().open({ kind: 'submission' })
  assert.equal(short(await session.mail(path('ann@here.test'), {})), '530 5.7.0')
})

test('limits on recipients', async () => {
  const many = Array.from({ length: 1001 }, (_, i) => `RCPT ann+${i}@here.test`)
  const replies = await dialogue(['MAIL a@away.test', ...many])
  assert.deepEqual(replies.slice(-2), ['250 2.1.5', '452 4.5.3'])
  const null2 = await dialogue(['MAIL', 'RCPT ann@here.test', 'RCPT bob@here.test'])
  assert.deepEqual(null2, [...OK, '452 4.5.3'])
  // The same address again is no second recipient.
  assert.deepEqual(await dialogue(['MAIL', 'RCPT ann@here.test', 'RCPT ann@here.test']), [...OK, '250 2.1.5'])
  const submitted = await dialogue(['MAIL', 'RCPT x@away.test', 'RCPT y@away.test'], 'ann')
  assert.deepEqual(submitted, [...OK, '250 2.1.5'])
})

test('verdicts and failures of hooks', async () => {
  const check = async (handlers: WorldOptions['handlers'], expected: string[]) => {
    const commands = ['MAIL a@away.test', 'RCPT ann@here.test']
    assert.deepEqual(await dialogue(commands, undefined, handlers === undefined ? {} : { handlers }), expected)
  }
  const broken = () => {
    throw new Error('secret detail')
  }
  await check({ 'onReceive.mail': () => pass(), 'onReceive.rcpt': () => undefined }, OK)
  await check({ 'onReceive.mail': () => reject('no') }, ['550 5.7.1', '503 5.5.1'])
  await check({ 'onReceive.rcpt': () => defer('later', { code: 450, enhanced: '4.7.1' }) }, ['250 2.1.0', '450 4.7.1'])
  await check({ 'onReceive.mail': broken }, ['451 4.3.0', '503 5.5.1'])
  await check({ 'onReceive.rcpt': broken }, ['250 2.1.0', '451 4.3.0'])
})

test('a peer that is sent away gets nowhere', async () => {
  const world = makeWorld({ handlers: { 'onReceive.connect': () => reject('bye', { code: 554 }) } })
  const info = { id: 's', kind: 'delivery' as const, listener: 'l', hostname: 'h', localIp: '', remoteIp: '' }
  const { session, reply } = await world.stages.receiver.open(
    { ...info, remotePort: 1, connectedAt: 0, helo: '', protocol: 'SMTP' },
    new AbortController().signal,
  )
  assert.equal(reply?.code, 554)
  assert.equal(short(await session.mail(null, {})), '421 4.3.2')
})

test('a reply to a failure tells nothing internal', async () => {
  const world = makeWorld({
    handlers: {
      'onReceive.mail': () => {
        throw new Error('secret detail')
      },
    },
  })
  const reply = await (await world.open()).mail(null, {})
  assert.deepEqual(reply, { code: 451, enhanced: '4.3.0', text: 'local error, try again later (id1)' })
  assert.match(inspect(world.errors[0]?.fields), /secret detail/)
})
