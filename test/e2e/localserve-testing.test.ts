// @mox/plugin-localserve/testing as the tests of an application use it: from vitest here, and from node:test in a process of its
// own. That nothing is left behind is part of it.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { connectLocalserve, type Localserve, linksOf, startLocalserve } from '@mox/plugin-localserve/testing'
import { afterAll, beforeAll, beforeEach, test, vi } from 'vitest'
import { run } from '../kit/cli.ts'
import { NODE } from '../kit/server.ts'
import { smtpSession } from '../kit/smtp.ts'
import { removeDir, tempDir } from '../kit/temp.ts'

let server: Localserve
let state: string
beforeAll(async () => {
  // Where the developer's own server is remembered.
  state = await tempDir()
  vi.stubEnv('XDG_STATE_HOME', state)
  server = await startLocalserve()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server?.close()
  await removeDir(state)
})
beforeEach(() => server.reset())

async function alive(): Promise<boolean> {
  return await fetch(server.url).then(
    () => true,
    () => false,
  )
}

test('inboxes are separate, and waiting ends with the message', async () => {
  const [ann, bob] = [server.inbox(), server.inbox()]
  const waiting = ann.waitForMessage({ subject: /^welcome/i, state: 'delivered' })
  await server.send({ to: bob.address, subject: 'not for ann', text: 'x' })
  await server.send({ to: ann.address, subject: 'Welcome, Änne', text: 'Hello', html: '<p>Hello <b>Ann</b></p>' })
  const message = await waiting
  assert.equal(message.subject, 'Welcome, Änne')
  assert.equal(message.text?.trim(), 'Hello')
  assert.match(message.html ?? '', /<b>Ann<\/b>/)
  assert.deepEqual(message.recipients, [ann.address])
  assert.deepEqual(
    message.parts.map(({ contentType }) => contentType),
    ['multipart/alternative', 'text/plain', 'text/html'],
  )
  assert.deepEqual(
    (await bob.messages()).map(({ subject }) => subject),
    ['not for ann'],
  )
  assert.equal((await server.messages()).length, 2)
  assert.match((await server.source(message.id)).toString(), /^Subject: Welcome, =\?UTF-8\?/m)
})

test('commands without --config go on talking to the server that was started before', async () => {
  assert.deepEqual(await readdir(state), [])
})

test('over SMTP, with the login that it gives', async () => {
  const inbox = server.inbox()
  const { host, port, user, password } = server.submission
  const session = await smtpSession({ host, port })
  await session.ehlo()
  await session.login({ user, password })
  const content = Buffer.from('From: mox@localhost\r\nSubject: reset\r\n\r\nGo to https://app.test/reset?token=a1.\r\n')
  assert.equal((await session.send({ from: user, to: [inbox.address], content })).code, 250)
  await session.quit()
  assert.deepEqual(linksOf(await inbox.waitForMessage({ text: 'reset?token' })), ['https://app.test/reset?token=a1'])
})

test('what is not there: the error says what is', async () => {
  const inbox = server.inbox()
  await assert.rejects(
    inbox.waitForMessage({ subject: 'no' }, { timeout: 200 }),
    /not there after 200 ms: no message with subject "no", to ".*@inbox\.test"; there are none/,
  )
  await server.send({ to: inbox.address, subject: 'something else' })
  await assert.rejects(
    inbox.waitForMessage({ where: () => false }, { timeout: 200 }),
    /the newest are "something else" to/,
  )
  await assert.rejects(server.message(999_999), /GET \/api\/messages\/999999: 404 no such message/)
})

test('without the plugin for events', async () => {
  const config = (text: string) => text.replace(/^ {4}(?:events|webhooks)\(.*\n/gm, '')
  await using own = await startLocalserve({ config })
  await assert.rejects(own.expectEvent({ kind: 'delivered' }, { timeout: 200 }), /404 nobody provides events@1/)
})

test('refusals of what is sent', async () => {
  const check = async (draft: Parameters<Localserve['send']>[0], expected: RegExp): Promise<void> => {
    await assert.rejects(server.send(draft), expected)
  }
  await check({ to: 'nobody' }, /400 "nobody" is not an address/)
  await check({ to: [] }, /400 to: /)
  await check({ from: 'no', to: 'a@b.test' }, /400 "no" is not an address/)
  await check({ to: 'a@b.test', headers: { 'X A': 'b' } }, /not a header field name/)
  const { messageId } = await server.send({ to: 'a@b.test', subject: 'x\r\nBcc: c@d.test' })
  assert.doesNotMatch((await server.source(messageId)).toString(), /^Bcc:/m)
})

test('a magic inbox and the clock', async () => {
  const inbox = server.inbox('greylist', { queue: true })
  await server.send({ to: inbox.address, subject: 'grey' })
  const { recipientDetails } = await inbox.waitForMessage({
    where: ({ recipientDetails: [one] }) => one?.attempts[0]?.outcome === 'temporary',
  })
  assert.equal(recipientDetails[0]?.attempts[0]?.code, 451)
  assert.deepEqual(
    (await server.queue({ to: inbox.address })).map(({ state, attempts }) => [state, attempts]),
    [['waiting', 1]],
  )
  const before = (await server.clock()).now
  await server.advance('10m')
  assert.ok((await server.clock()).now - before >= 600_000)
  await inbox.waitForMessage({ state: 'delivered' })
  assert.deepEqual(await server.queue(), [])
})

test('scenarios, the queue and suppressions', async () => {
  await server.scenario('down.test', [{ reply: '452 4.3.1 full' }])
  assert.equal((await server.scenarios()).scenarios[0]?.domain, 'down.test')
  const { queueIds } = await server.send({ to: 'a@down.test', subject: 'stuck' })
  await server.waitForMessage({ subject: 'stuck', where: m => m.recipientDetails[0]?.attempts[0]?.code === 452 })
  assert.equal(await server.changeQueue('fail', queueIds), 1)
  await server.waitForMessage({ subject: 'stuck', state: 'failed' })
  await server.suppress('b@up.test')
  await server.send({ to: 'b@up.test', subject: 'unwanted' })
  await server.waitForMessage({ subject: 'unwanted', state: 'suppressed' })
  assert.deepEqual(
    (await server.suppressions()).map(({ address }) => address),
    ['b@up.test'],
  )
  await server.unsuppress('b@up.test')
  assert.deepEqual(await server.suppressions(), [])
  await assert.rejects(server.suppress('nobody'), /400 /)
})

test('reset forgets everything', async () => {
  await server.scenario('down.test', [{ break: 'end' }])
  await server.suppress('b@up.test')
  await server.send({ to: 'a@down.test', subject: 'stuck' })
  await server.send({ to: 'bounce5@up.test', subject: 'comes back' })
  await server.waitForMessage({ subject: 'comes back', state: 'delivered' })
  await server.reset()
  assert.deepEqual(await server.messages(), [])
  assert.deepEqual(await server.queue(), [])
  assert.deepEqual((await server.scenarios()).scenarios, [])
  assert.deepEqual(await server.suppressions(), [])
  await server.advance('1h')
  assert.deepEqual(await server.messages(), [])
})

test('events', async () => {
  await using own = await startLocalserve()
  const inbox = own.inbox('550', { queue: true })
  const waiting = own.expectEvent({ kind: 'failed', recipient: inbox.address })
  const { queueIds } = await own.send({ to: inbox.address, subject: 'refused' })
  const event = await waiting
  assert.deepEqual([event.code, event.queueId, event.subject], [550, queueIds[0], 'refused'])
  await own.send({ to: 'friend@example.org', subject: 'fine' })
  await own.expectEvent({ kind: 'delivered', where: ({ subject }) => subject === 'fine' })
  assert.equal((await own.events()).filter(({ kind }) => kind !== 'incoming').length, 2)
  await assert.rejects(
    own.expectEvent({ kind: 'complained' }, { timeout: 200 }),
    /no event with kind "complained"; the last are .*failed .*delivered friend@example\.org/,
  )
  await own.reset()
  assert.deepEqual(await own.events(), [])
})

test('another client of the same server; the wrong password', async () => {
  const other = connectLocalserve({ url: `${server.url}/some/page` })
  await other.send({ to: 'x@y.test', subject: 'from the other' })
  assert.equal((await server.waitForMessage({ subject: 'from the other' })).kind, 'submission')
  const wrong = connectLocalserve({ url: server.url, adminPassword: 'guess' })
  await assert.rejects(wrong.reset(), /POST \/admin\/reset: 401/)
})

test('a server that does not start says why and leaves nothing', async () => {
  await assert.rejects(
    startLocalserve({ config: text => text.replace('localserve({', "localserve({ scenarioDir: '',") }),
    /localserve ended before it was ready, with 1:\n[\s\S]*scenarioDir/,
  )
})

test('closed with the block', async () => {
  let dir: string
  {
    await using own = await startLocalserve()
    dir = own.dir
    assert.ok(existsSync(dir))
  }
  assert.ok(!existsSync(dir))
  assert.ok(await alive())
})

test('from node:test', async () => {
  const file = fileURLToPath(new URL('./localserve-testing.node.ts', import.meta.url))
  const { code, stdout, stderr } = await run([...NODE, '--test', file], { timeout: 60_000 })
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /pass 2/)
})
