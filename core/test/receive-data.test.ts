// The end of DATA: limits, loops, authors, verdicts, and what a failing storage answers. Nothing refused is stored.
import assert from 'node:assert/strict'
import { defer, MailError, quarantine, reject, reply, tag } from '@mox/plugin-sdk'
import { CONTINUATION_LINES, HEADER_BYTES, HEADER_LINES } from '@mox/plugin-sdk/mail'
import { test } from 'vitest'
import { settle } from './stages/clock.ts'
import {
  MESSAGE,
  makeWorld,
  path,
  type SendOptions,
  short,
  stored,
  type World,
  type WorldOptions,
} from './stages/world.ts'

async function last(world: World, options: Partial<SendOptions>): Promise<string> {
  return short((await world.send({ from: 'x@away.test', to: ['ann@here.test'], ...options })).at(-1)!)
}

function assertNothingStored(world: World): void {
  const { content, messages, queue, history, outbox } = world.storage.snapshot()
  assert.deepEqual(
    [content, messages, queue, history, outbox].map(table => table.size),
    [0, 0, 0, 0, 0],
  )
  assert.deepEqual(world.filed, [])
}

const received = (n: number) => 'Received: from a\r\n'.repeat(n)

test('limits of a message', async () => {
  const check = async (content: string, expected: string, maxSize = 10_000_000) => {
    const world = makeWorld()
    assert.equal(await last(world, { content, maxSize }), expected, `${content.length} bytes`)
    if (!expected.startsWith('2')) assertNothingStored(world)
  }
  await check(MESSAGE, '250 2.6.0', MESSAGE.length)
  await check(MESSAGE, '552 5.3.4', MESSAGE.length - 1)
  await check(`${received(100)}${MESSAGE}`, '250 2.6.0')
  await check(`${received(101)}${MESSAGE}`, '550 5.4.6')
  await check(`${MESSAGE}bare\nlf\r\n`, '500 5.5.2')
  await check(`${MESSAGE}bare\rcr\r\n`, '500 5.5.2')
  await check(`${MESSAGE}end\r`, '500 5.5.2')
  await check(`${MESSAGE}nul\0\r\n`, '500 5.5.2')
  const field = `X: ${'x'.repeat(94)}\r\n`
  await check(`${'X: y\r\n'.repeat(HEADER_LINES)}\r\n`, '250 2.6.0')
  await check(`${'X: y\r\n'.repeat(HEADER_LINES + 1)}\r\n`, '554 5.6.0')
  await check(`X: y\r\n${' z\r\n'.repeat(CONTINUATION_LINES)}\r\n`, '250 2.6.0')
  await check(`X: y\r\n${' z\r\n'.repeat(CONTINUATION_LINES + 1)}\r\n`, '554 5.6.0')
  await check(`${field.repeat(Math.ceil(HEADER_BYTES / field.length))}\r\n`, '552 5.3.4')
  // Outside of a submission, a message needs neither a header nor a From.
  await check('hello\r\n', '250 2.6.0')
})

test('an endless message is refused while it comes in', async () => {
  const world = makeWorld()
  const session = await world.open()
  await session.mail(null, {})
  await session.rcpt({ path: path('ann@here.test') })
  const sink = session.data({ maxSize: 10 })
  const codes: (number | undefined)[] = []
  for (const text of ['0123456789', '0']) {
    await sink.write(Buffer.from(text))
    codes.push(sink.refused?.code)
  }
  assert.deepEqual(codes, [undefined, 552])
  for (let i = 0; i < 10; i++) await sink.write(Buffer.from('more'))
  assert.equal((await sink.finish()).code, 552)
  assertNothingStored(world)
})

test('the author of a submission', async () => {
  const check = async (content: string, expected: string) => {
    const world = makeWorld()
    const sent = { account: 'ann', from: 'ann@here.test', to: ['x@away.test'], content }
    assert.equal(await last(world, sent), expected, content)
    if (!expected.startsWith('2')) assertNothingStored(world)
  }
  await check('From: ann@here.test\r\n\r\n', '250 2.6.0')
  await check('From: A <ann+x@here.test>\r\n\r\n', '250 2.6.0')
  await check('From: ann@here.test\r\n', '554 5.6.0')
  await check('Subject: x\r\n\r\n', '550 5.6.0')
  await check('From: ann@here.test\r\nFrom: ann@here.test\r\n\r\n', '550 5.6.0')
  await check('From: ann@here.test, bob@here.test\r\n\r\n', '550 5.6.0')
  await check('From: bob@here.test\r\n\r\n', '550 5.7.1')
  await check('From: x@away.test\r\n\r\n', '550 5.7.1')
  await check('From: ann@off.test\r\n\r\n', '451 4.3.0')
})

test('unknown recipients are told late, and together', async () => {
  const world = makeWorld()
  const session = await world.open()
  await session.mail(null, {})
  await session.rcpt({ path: path('nobody@here.test') })
  const sink = session.data({ maxSize: 1000 })
  await sink.write(Buffer.from(MESSAGE))
  let answer = ''
  void sink.finish().then(r => {
    answer = short(r)
  })
  await world.clock.advance(4_999)
  assert.equal(answer, '')
  await world.clock.advance(1)
  assert.equal(answer, '550 5.1.1')
  assertNothingStored(world)
})

test('verdicts on the message', async () => {
  const run = async (verdict: ReturnType<typeof tag> | ReturnType<typeof quarantine> | ReturnType<typeof reject>) => {
    const world = makeWorld({ handlers: { 'onReceive.data': () => verdict } })
    return { world, code: await last(world, {}) }
  }
  const tagged = await run(tag(['$forged', 'list']))
  assert.equal(tagged.code, '250 2.6.0')
  assert.deepEqual([tagged.world.filed[0]?.keywords, tagged.world.filed[0]?.junk], [['$forged', 'list'], false])
  const junk = await run(quarantine('spam'))
  assert.deepEqual([junk.code, junk.world.filed[0]?.junk], ['250 2.6.0', true])
  const refused = await run(reject('no', { code: 554, enhanced: '5.7.26' }))
  assert.equal(refused.code, '554 5.7.26')
  assertNothingStored(refused.world)
  const world = makeWorld({ handlers: { 'onReceive.data': () => defer('later') } })
  assert.equal(await last(world, {}), '451 4.3.0')
  assertNothingStored(world)
})

test('a data hook reads the message as it came in', async () => {
  for (const body of ['short\r\n', 'long line\r\n'.repeat(50_000)]) {
    const seen: string[] = []
    const world = makeWorld({
      handlers: {
        'onReceive.data': async ({ content, head, size, envelope }) => {
          const parts: Buffer[] = []
          for await (const chunk of content()) parts.push(chunk)
          seen.push(Buffer.concat(parts).toString(), String(size), String(head.get('subject')))
          seen.push(envelope.recipients.map(({ path }) => path.localpart).join())
          return undefined
        },
      },
    })
    assert.equal(await last(world, { content: MESSAGE + body }), '250 2.6.0')
    assert.deepEqual(seen, [MESSAGE + body, String(MESSAGE.length + body.length), 'hello', 'ann'])
  }
})

test('what is stored is what came in, after our trace fields', async () => {
  const world = makeWorld()
  assert.equal(await last(world, { to: ['ann+x@here.test'] }), '250 2.6.0')
  const [delivery] = world.filed
  const prefix = [
    'Delivered-To: ann+x@here.test',
    'Return-Path: <x@away.test>',
    'Received: from client.test ([198.51.100.7]) by mail.here.test ([192.0.2.1])',
    ' via tcp with ESMTP id id1 for <ann+x@here.test>; Mon, 5 Jan 2026 00:00:00',
    ' +0000',
    '',
  ].join('\r\n')
  assert.equal(await stored(world, delivery!), prefix + MESSAGE)
  assert.equal(delivery?.size, prefix.length + MESSAGE.length)
  assert.deepEqual(
    delivery.head.fields.slice(0, 4).map(({ lower }) => lower),
    [...['delivered-to', 'return-path', 'received', 'from']],
  )
  const [message] = world.storage.snapshot().messages.values()
  assert.deepEqual(
    { ...message, prefix: '', receivedAt: 0, id: 0, contentId: 0, trace: [] },
    {
      ...{ account: '', reversePath: path('x@away.test'), messageIdHeader: '<1@here.test>', subject: 'hello' },
      ...{ size: message!.prefix.length + MESSAGE.length, has8bit: false, smtputf8: false, kind: 'delivery' },
      ...{ source: 'test', prefix: '', remoteIp: '198.51.100.7', helo: 'client.test', protocol: 'ESMTP' },
      ...{ recipients: ['ann+x@here.test'], facts: {}, receivedAt: 0, id: 0, contentId: 0, trace: [] },
    },
  )
})

test('a failing storage means no 250 and no trace of the message', async () => {
  const check = async (
    point: string,
    error: Error | undefined,
    expected: string,
    options: Partial<SendOptions> = {},
  ) => {
    const world = makeWorld()
    world.storage.failNext(point, error)
    const answers = await world.send({ from: 'x@away.test', to: ['ann@here.test'], ...options })
    assert.equal(short(answers.at(-1)!), expected, point)
    assert.doesNotMatch(answers.at(-1)!.text, /failed|disk/)
    assertNothingStored(world)
    // The next one gets through.
    assert.equal(await last(world, options), '250 2.6.0')
  }
  const submission = { account: 'ann', from: 'ann@here.test', to: ['x@away.test'] }
  const full = Object.assign(new Error('disk'), { code: 'ENOSPC' })
  for (const point of ['content.write', 'content.finish', 'write', 'content.keep', 'messages.add', 'commit']) {
    await check(point, undefined, '451 4.3.0')
    await check(point, undefined, '451 4.3.0', submission)
  }
  await check('content.retain', undefined, '451 4.3.0')
  await check('queue.add', undefined, '451 4.3.0', submission)
  await check('content.write', full, '452 4.3.1')
  await check('commit', full, '452 4.3.1')
  await check('commit', new MailError('storage', reply(450, '4.3.1', 'too busy')), '450 4.3.1')
})

test('a peer that goes away leaves nothing', async () => {
  const world = makeWorld()
  const session = await world.open()
  await session.mail(null, {})
  await session.rcpt({ path: path('ann@here.test') })
  const sink = session.data({ maxSize: 1000 })
  await sink.write(Buffer.from(MESSAGE))
  await sink.abort()
  assertNothingStored(world)
  assert.equal(short(await sink.finish()), '421 4.3.2')
})

test('250 comes after the commit, events after that', async () => {
  const events: unknown[] = []
  const options: WorldOptions = {
    handlers: {
      'onReceive.done': {
        one: async (input, { eventId }) => {
          events.push({ ...input, eventId })
        },
      },
    },
  }
  const world = makeWorld(options)
  await world.stages.start()
  assert.equal(await last(world, { to: ['ann@here.test', 'bob@here.test'] }), '250 2.6.0')
  await settle()
  const size = [...world.storage.snapshot().messages.values()][0]?.size
  const recipients = ['ann@here.test', 'bob@here.test']
  assert.deepEqual(events, [
    {
      messageId: 2,
      kind: 'delivery',
      account: '',
      from: 'x@away.test',
      copies: [1, 2],
      recipients,
      size,
      eventId: 'id2',
    },
  ])
  await world.stages.stop()
})
