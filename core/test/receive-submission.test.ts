// Submissions: into the queue with onQueue, our own fields in front, and the same way in for plugins.
import assert from 'node:assert/strict'
import { defineFact, hold, type MailError, type QueueDraft, refuse, type SubmitMessage } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { addressOf, MESSAGE, makeWorld, path, short, type World, type WorldOptions } from './stages/world.ts'

const ANN = { account: 'ann', from: 'ann@here.test' }

async function submit(to: string[], options: WorldOptions = {}, content: string = MESSAGE) {
  const world = makeWorld(options)
  const answers = await world.send({ ...ANN, to, content })
  const { queue, messages } = world.storage.snapshot()
  return { world, code: short(answers.at(-1)!), jobs: [...queue.values()], message: [...messages.values()][0] }
}

test('one queued recipient each, local ones too', async () => {
  const { world, code, jobs } = await submit(['x@away.test', 'x@away.test', 'bob@here.test'])
  assert.equal(code, '250 2.6.0')
  assert.deepEqual(
    jobs.map(job => [addressOf(job), job.recipientDomain, job.due, job.hold, job.account]),
    [
      ['x@away.test', 'away.test', world.clock.now(), false, 'ann'],
      ['bob@here.test', 'here.test', world.clock.now(), false, 'ann'],
    ],
  )
  assert.deepEqual(world.filed, [])
})

test('our fields hide the client, name a single recipient, and fill in what is missing', async () => {
  const check = async (to: string[], content: string, expected: string) => {
    const { message } = await submit(to, {}, content)
    assert.equal(String(message?.prefix).replaceAll('\r\n ', ' '), expected)
    assert.equal(message?.size, message!.prefix.length + content.length)
  }
  const received = (end: string) =>
    `Received: from mail.here.test by mail.here.test via tcp with ESMTPA id id1${end}\r\n`
  await check(['x@away.test', 'y@away.test'], MESSAGE, received('; Mon, 5 Jan 2026 00:00:00 +0000'))
  await check(['x@away.test'], MESSAGE, received(' for <x@away.test>; Mon, 5 Jan 2026 00:00:00 +0000'))
  const added = 'Date: Mon, 5 Jan 2026 00:00:00 +0000\r\nMessage-ID: <id2@mail.here.test>\r\n'
  const bare = 'From: ann@here.test\r\n\r\n'
  await check(['x@away.test'], bare, received(' for <x@away.test>; Mon, 5 Jan 2026 00:00:00 +0000') + added)
  assert.equal((await submit(['x@away.test'], {}, bare)).message?.messageIdHeader, '<id2@mail.here.test>')
})

test('what is known of a message', async () => {
  const { message } = await submit(
    ['x@away.test'],
    {},
    'From: ann@here.test\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\n\r\nx',
  )
  assert.deepEqual([message?.subject, message?.has8bit, message?.smtputf8], ['grün', false, false])
  const utf8 = await submit(['x@away.test'], {}, 'From: ann@here.test\r\nSubject: grün\r\n\r\nx')
  assert.deepEqual([utf8.message?.subject, utf8.message?.has8bit, utf8.message?.smtputf8], ['grün', true, true])
  const body8 = await submit(['x@away.test'], {}, 'From: ann@here.test\r\n\r\ngrün')
  assert.deepEqual([body8.message?.has8bit, body8.message?.smtputf8], [true, false])
  assert.equal((await submit(['ü@away.test'])).message?.smtputf8, true)
})

test('TLS-Required: No', async () => {
  const check = async (fields: string, expected: boolean | undefined) =>
    assert.equal((await submit(['x@away.test'], {}, fields + MESSAGE)).jobs[0]?.requireTls, expected)
  await check('', undefined)
  await check('TLS-Required: No\r\n', false)
  await check('TLS-Required: no\r\nTLS-Required: NO\r\n', false)
  await check('TLS-Required: No\r\nTLS-Required: yes\r\n', undefined)
})

test('onQueue shapes each recipient, holds, and refuses the whole submission', async () => {
  const note = defineFact<string>('note', { persist: true })
  const handlers: WorldOptions['handlers'] = {
    onQueue: ({ draft: { recipient } }, { facts }) => {
      facts.set(note, 'seen')
      if (recipient.localpart === 'bad') return { verdict: refuse('no', { code: 554, enhanced: '5.7.0' }) }
      if (recipient.localpart === 'slow') return { verdict: hold('check first') }
      return { draft: { reversePath: path('ann+id@here.test'), fromId: 'id', extra: { k: 'v' }, maxAttempts: 3 } }
    },
  }
  const { jobs, message } = await submit(['x@away.test', 'slow@away.test'], { handlers })
  assert.deepEqual(
    jobs.map(job => [job.hold, job.fromId, job.maxAttempts, job.extra, job.reversePath?.localpart]),
    [
      [false, 'id', 3, { k: 'v' }, 'ann+id'],
      [true, undefined, 0, {}, 'ann'],
    ],
  )
  assert.deepEqual(message?.facts, { note: 'seen' })
  assert.deepEqual(
    message?.trace.map(({ verdict, recipient }) => [verdict, recipient]),
    [
      ['pass', 'x@away.test'],
      ['hold', 'slow@away.test'],
    ],
  )
  const refused = await submit(['x@away.test', 'bad@away.test'], { handlers })
  assert.equal(refused.code, '554 5.7.0')
  assert.equal(refused.world.storage.snapshot().messages.size, 0)
})

test('parameters of the envelope are kept', async () => {
  const world = makeWorld()
  const session = await world.open({ account: 'ann' })
  const later = world.clock.now() + 3_600_000
  const parameters = {
    ret: 'HDRS',
    envid: 'e1',
    holdUntil: later,
    futureReleaseRequest: 'for;3600',
    requireTls: true,
  } as const
  await session.mail(path('ann@here.test'), parameters)
  await session.rcpt({ path: path('x@away.test'), notify: ['failure'], orcpt: 'rfc822;x@away.test' })
  const sink = session.data({ maxSize: 10_000 })
  await sink.write(Buffer.from(MESSAGE))
  await sink.finish()
  const [job] = world.storage.snapshot().queue.values()
  assert.deepEqual([job?.ret, job?.envid, job?.due, job?.futureReleaseRequest], ['HDRS', 'e1', later, 'for;3600'])
  assert.deepEqual([job?.requireTls, job?.notify, job?.orcpt], [true, ['failure'], 'rfc822;x@away.test'])
})

test('plugins submit the same way', async () => {
  const message = (fields: Partial<SubmitMessage> = {}): SubmitMessage => ({
    ...{ account: 'ann', source: 'webapi', content: Buffer.from(MESSAGE) },
    envelope: { reversePath: path('ann@here.test'), recipients: [{ path: path('x@away.test') }] },
    ...fields,
  })
  const world = makeWorld()
  const { messageId, queueIds, fromIds } = await world.stages.submission.submit(message())
  const { messages, queue } = world.storage.snapshot()
  assert.deepEqual([[...messages.keys()], [...queue.keys()]], [[messageId], queueIds])
  assert.deepEqual(fromIds, [''])
  assert.equal(messages.get(messageId)?.source, 'webapi')
  assert.match(
    String(messages.get(messageId)?.prefix),
    /^Received: from mail.here.test by mail.here.test via tcp id id2 for/,
  )

  async function* chunks() {
    for (const char of MESSAGE) yield Buffer.from(char)
  }
  assert.ok((await world.stages.submission.submit(message({ content: chunks() }))).messageId > messageId)

  const onQueue = ({ draft: { recipient } }: { readonly draft: QueueDraft }) =>
    recipient.localpart === 'x' ? { draft: { fromId: 'id7' } } : undefined
  const two = [{ path: path('x@away.test') }, { path: path('y@away.test') }]
  const unique = await makeWorld({ handlers: { onQueue } }).stages.submission.submit(
    message({ envelope: { reversePath: path('ann@here.test'), recipients: two } }),
  )
  assert.deepEqual([unique.queueIds.length, unique.fromIds], [2, ['id7', '']])

  const said = { extra: { order: '7' }, stream: 'receipts', requireTls: false } as const
  const [id = 0] = (await world.stages.submission.submit(message(said))).queueIds
  const { extra, stream, requireTls } = world.storage.snapshot().queue.get(id) ?? {}
  assert.deepEqual({ extra, stream, requireTls }, said)

  const check = async (world: World, fields: Partial<SubmitMessage>, expected: string) => {
    const before = world.storage.snapshot()
    const caught = await world.stages.submission.submit(message(fields)).catch((error: MailError) => error)
    assert.ok(caught instanceof Error && short(caught.reply) === expected, `${expected}: ${caught}`)
    assert.deepEqual(world.storage.snapshot().messages, before.messages)
  }
  const envelope = (from: string, to: string[]) => ({
    envelope: { reversePath: path(from), recipients: to.map(one => ({ path: path(one) })) },
  })
  await check(world, envelope('bob@here.test', ['x@away.test']), '550 5.7.1')
  await check(world, envelope('ann@here.test', ['x@away.test', 'nobody@here.test']), '550 5.1.1')
  await check(world, envelope('ann@here.test', []), '503 5.5.1')
  await check(world, { content: Buffer.from('x\n') }, '500 5.5.2')
  world.storage.failNext('commit')
  await check(world, {}, '451 4.3.0')
})

test('the server itself submits as postmaster, with or without a reverse-path', async () => {
  const submit = async (reversePath: string, author: string, account = '') => {
    const world = makeWorld()
    const recipients = [{ path: path('x@away.test') }, { path: path('bob@here.test') }]
    const content = Buffer.from(`From: ${author}\r\nTo: x@away.test\r\n\r\nreport\r\n`)
    const from = reversePath === '' ? null : path(reversePath)
    const message = { account, source: 'dsn', content, envelope: { reversePath: from, recipients } }
    const caught = await world.stages.submission.submit(message).catch((error: MailError) => error)
    if (caught instanceof Error) return short(caught.reply)
    const stored = world.storage.snapshot().messages.get(caught.messageId)
    return [stored?.account, stored?.kind, stored?.source, caught.queueIds.length].join()
  }
  const check = async (reversePath: string, author: string, expected: string) =>
    assert.equal(await submit(reversePath, author), expected, `${reversePath} ${author}`)
  const queued = ',submission,dsn,2'
  await check('', 'postmaster@mail.here.test', queued)
  await check('', 'Mail system <Postmaster@here.test>', queued)
  await check('postmaster@here.test', 'postmaster@mail.here.test', queued)
  await check('', 'postmaster@off.test', queued)
  await check('', 'postmaster@away.test', '550 5.7.1')
  await check('', 'ann@here.test', '550 5.7.1')
  await check('ann@here.test', 'postmaster@here.test', '550 5.7.1')
  await check('postmaster@away.test', 'postmaster@here.test', '550 5.7.1')
  assert.equal(await submit('', 'postmaster@mail.here.test', 'bob'), '550 5.7.1')
})
