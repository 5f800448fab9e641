// onReceive.head: what handlers make of the header section is what is stored, found and delivered; the rest stays as it came.
import assert from 'node:assert/strict'
import { defer, reject } from '@mox/plugin-sdk'
import { HEADER_BYTES } from '@mox/plugin-sdk/mail'
import { expect, test } from 'vitest'
import { bench, call, ID } from './hooks-support.ts'
import { settle } from './stages/clock.ts'
import { all, DELIVERED, MESSAGE, makeWorld, path, type SendOptions, short, type World } from './stages/world.ts'

const SECRET = 'Secret: a\r\n b\r\n'
const SUBMISSION = { account: 'ann', from: 'ann@here.test', to: ['x@away.test'] }
const without = (head: Buffer): Buffer => Buffer.from(head.toString('latin1').replace(SECRET, ''), 'latin1')
const behind = (front: string) => (head: Buffer) => Buffer.concat([Buffer.from(front), head])

async function send(world: World, content: string, options: Partial<SendOptions> = SUBMISSION): Promise<string> {
  return short((await world.send({ from: 'x@away.test', to: ['bob@here.test'], ...options, content })).at(-1)!)
}

/** A world whose one handler changes each header section. */
const changing = (change: (head: Buffer) => Buffer): World =>
  makeWorld({ handlers: { 'onReceive.head': ({ draft }) => ({ draft: { head: change(draft.head) } }) } })

async function onlyMessage({ storage }: World) {
  const rows = [...storage.snapshot().messages.values()]
  assert.equal(rows.length, 1)
  const [row] = rows
  const content = await storage.content.read(row!.contentId)
  return { row: row!, content: content.toString() }
}

test('a field that is taken out is nowhere, and every other byte stays', async () => {
  for (const body of ['', 'short\r\n', `${SECRET}\r\n`, 'long line\r\n'.repeat(50_000)]) {
    const seen: string[] = []
    const world = makeWorld({
      handlers: {
        'onReceive.head': ({ draft }) => ({ draft: { head: without(draft.head) } }),
        'onReceive.data': ({ head }) => void seen.push(`data ${head.get('secret')}`),
        onQueue: ({ head }) => void seen.push(`queue ${head.get('secret')} ${head.get('subject')}`),
      },
      direct: async batch => {
        const parts: Buffer[] = []
        for await (const chunk of batch.open()) parts.push(chunk)
        seen.push(Buffer.concat(parts).toString())
        return await all(DELIVERED)(batch)
      },
    })
    assert.equal(await send(world, SECRET + MESSAGE + body), '250 2.6.0')
    const { row, content } = await onlyMessage(world)
    assert.equal(content, MESSAGE + body)
    assert.equal(row.size, row.prefix.length + content.length)
    assert.equal(world.storage.snapshot().content.size, 1)
    await world.stages.start()
    await settle()
    assert.deepEqual(seen, ['data a b', 'queue undefined hello', row.prefix + content])
    await world.stages.stop()
  }
})

test('what is put in front leaves the content alone', async () => {
  const world = changing(behind('Signature: x\r\n'))
  assert.equal(await send(world, MESSAGE), '250 2.6.0')
  const { row, content } = await onlyMessage(world)
  assert.equal(content, MESSAGE)
  assert.match(String(row.prefix), /^Received: .*\r\nSignature: x\r\n$/s)
  assert.equal(row.size, row.prefix.length + content.length)
})

test('what is measured and found is what is stored', async () => {
  const check = async (change: (head: Buffer) => Buffer, content: string, expected: object) => {
    const world = changing(change)
    assert.equal(await send(world, content), '250 2.6.0')
    const { row } = await onlyMessage(world)
    const { has8bit, smtputf8, subject } = row
    assert.deepEqual({ has8bit, smtputf8, subject }, expected)
  }
  const utf8 = SECRET.replace('a', 'ü')
  const cut = (head: Buffer) => Buffer.from(String(head).replace(utf8, ''))
  await check(cut, utf8 + MESSAGE, { has8bit: false, smtputf8: false, subject: 'hello' })
  await check(cut, `${utf8}${MESSAGE}ü\r\n`, { has8bit: true, smtputf8: false, subject: 'hello' })
  await check(behind(utf8), MESSAGE, { has8bit: true, smtputf8: true, subject: 'hello' })
  const renamed = (head: Buffer) => Buffer.from(String(head).replace('hello', 'good bye'))
  await check(renamed, MESSAGE, { has8bit: false, smtputf8: false, subject: 'good bye' })
  // Date and Message-ID are added where they are missing in the end.
  const world = changing(head => Buffer.from(String(head).replace(/Date: .*\r\nMessage-ID: .*\r\n/, '')))
  await send(world, 'From: <ann@here.test>\r\nDate: x\r\nMessage-ID: <y>\r\n\r\n')
  const { row } = await onlyMessage(world)
  assert.match(String(row.prefix), /\r\nDate: .*\r\nMessage-ID: </s)
  assert.match(row.messageIdHeader, /@mail\.here\.test>$/)
})

test('copies for our own users have it too, from outside and from the queue', async () => {
  const check = async (options: Partial<SendOptions>, change: (head: Buffer) => Buffer, expected: RegExp) => {
    const world = changing(change)
    assert.equal(await send(world, SECRET + MESSAGE, options), '250 2.6.0')
    await world.stages.start()
    await settle()
    const [copy] = world.filed
    const content = await world.storage.content.read(copy!.contentId)
    assert.match(`${copy!.prefix}|${content}`, expected)
    assert.equal(copy!.size, copy!.prefix.length + content.length)
    assert.equal(copy!.head.fields[0]?.lower, 'delivered-to')
    await world.stages.stop()
  }
  const outside = { from: 'x@away.test', to: ['bob@here.test'] }
  await check(outside, without, /^Delivered-To: (?!.*Secret).*\r\n\|From: Ann/s)
  await check(outside, behind('A: 1\r\n'), /^Delivered-To: .*\r\nA: 1\r\n\|Secret: a/s)
  const queued = { ...SUBMISSION, to: ['bob@here.test'] }
  await check(queued, without, /^Delivered-To: (?!.*Secret).*\r\nReceived: .*\r\n\|From: Ann/s)
  // Once when it is submitted, once when it is filed.
  await check(queued, behind('A: 1\r\n'), /\r\nA: 1\r\nReceived: .*\r\nA: 1\r\n\|Secret: a/s)
})

test('a message without an empty line', async () => {
  const outside = { from: 'x@away.test', to: ['bob@here.test'] }
  const world = changing(without)
  assert.equal(await send(world, `${SECRET}Subject: only this\r\n`, outside), '250 2.6.0')
  assert.equal((await onlyMessage(world)).content, 'Subject: only this\r\n')
})

test('refusals, and changes that make no message of it: nothing is stored', async () => {
  const check = async (world: World, expected: string) => {
    const answer = await send(world, `${SECRET}${MESSAGE}`)
    assert.equal(answer, expected)
    const { content, messages, queue } = world.storage.snapshot()
    assert.deepEqual([content.size, messages.size, queue.size], [0, 0, 0])
  }
  const saying = (verdict: ReturnType<typeof defer> | ReturnType<typeof reject>) =>
    makeWorld({ handlers: { 'onReceive.head': () => ({ verdict }) } })
  await check(saying(defer('later')), '451 4.3.0')
  await check(saying(reject('no', { code: 554, enhanced: '5.6.0' })), '554 5.6.0')
  await check(
    changing(head => head.subarray(0, -2)),
    '451 4.3.0',
  )
  await check(
    changing(head => Buffer.from(String(head).replace(/From: .*\r\n/, ''))),
    '550 5.6.0',
  )
  await check(changing(behind('From: <bob@here.test>\r\n')), '550 5.6.0')
  await check(changing(behind('Received: x\r\n'.repeat(101))), '550 5.4.6')
  // The new content is complete, but cannot be stored.
  const full = changing(without)
  full.storage.failNext('commit')
  await check(full, '451 4.3.0')
})

test('a patch that is no header section counts as a failure of its handler', async () => {
  const check = async (head: unknown, problem: string | undefined) => {
    const one = bench('onReceive.head', { policy: () => ({ kind: 'patch', changes: { head } }) })
    const outcome = await call(one, 'onReceive.head')
    if (problem === undefined) return expect(outcome).toEqual({ head })
    expect(outcome).toMatchObject({ kind: 'defer', reason: `policy failed (${ID})` })
    expect(one.scope.trace[0]?.reason).toContain(problem)
  }
  await check(Buffer.from('A: b\r\n\r\n'), undefined)
  await check(Buffer.from('A: b\r\n'), undefined)
  await check('A: b\r\n\r\n', '.head is no Buffer')
  await check(Buffer.from('A: b'), '.head does not end in CRLF')
  await check(Buffer.from('A: b\r\n\r\nC: d\r\n'), '.head has an empty line before its end')
  await check(Buffer.from('A: b\nC: d\r\n\r\n'), '.head has a NUL or a bare newline')
  await check(Buffer.from('A: \0\r\n\r\n'), '.head has a NUL or a bare newline')
  const field = `X: ${'x'.repeat(94)}\r\n`
  await check(Buffer.from(field.repeat(HEADER_BYTES / field.length + 1)), `.head has more than ${HEADER_BYTES} bytes`)
})

test('a message that comes in pieces', async () => {
  const world = changing(without)
  const session = await world.open({ account: 'ann' })
  await session.mail(path('ann@here.test'), {})
  await session.rcpt({ path: path('x@away.test') })
  const sink = session.data({ maxSize: 1_000 })
  for (const part of [SECRET, MESSAGE]) await sink.write(Buffer.from(part))
  assert.equal(short(await sink.finish()), '250 2.6.0')
  await sink.abort()
  assert.equal((await onlyMessage(world)).content, MESSAGE)
})
