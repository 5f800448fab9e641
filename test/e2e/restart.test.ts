// A server that is killed or stopped loses nothing and repeats nothing: what was queued is delivered once by the next one,
// sessions are finished or told, and an attempt that was cut off is tried again.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { mox, moxJson } from '../kit/cli.ts'
import { configText } from '../kit/config.ts'
import type { ProbeMessage } from '../kit/probe.ts'
import { type Server, startServer } from '../kit/server.ts'
import { type SmtpReply, stuffed } from '../kit/smtp.ts'
import { eventually, withTempDir } from '../kit/temp.ts'

const FROM = 'alice@example.org'

async function submit(server: Server, subject: string, to: readonly string[]): Promise<SmtpReply> {
  const session = await server.login()
  const reply = await session.send({ from: FROM, to, content: content(subject) })
  await session.quit()
  return reply
}

const content = (subject: string): Buffer =>
  Buffer.from(`From: ${FROM}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@restart.test>\r\n\r\ntext\r\n`)

async function delivered(server: Server, expected: readonly string[]): Promise<void> {
  await eventually(async () => {
    const { queued } = await server.get<{ queued: number }>('/probe/queued')
    assert.equal(queued, 0)
  })
  const mail = await server.get<ProbeMessage[]>('/probe/mail')
  assert.deepEqual(mail.map(m => `${m.subject} ${m.account}`).sort(), [...expected].sort())
}

test('a queue that was killed is delivered once by the next server', async () => {
  await withTempDir(async dir => {
    const first = await startServer({ dir, config: { paused: true } })
    assert.equal((await submit(first, 'one', ['bob@example.org'])).code, 250)
    assert.equal((await submit(first, 'two', ['bob@example.org', 'alice@example.org'])).code, 250)
    await first.kill()

    const queued = await moxJson<object[]>(['queue', 'list', '--config', first.configFile])
    assert.equal(queued.length, 3, 'one record per recipient, also without a server')

    await using second = await startServer({ dir, config: configText() })
    await delivered(second, ['one bob', 'two bob', 'two alice'])
    assert.deepEqual(await second.stop(), { code: 0, signal: null })

    const third = await startServer({ dir })
    await delivered(third, ['one bob', 'two bob', 'two alice'])
    await third.stop()
    const verified = await mox(['verify', '--config', first.configFile])
    assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  })
})

test('SIGTERM lets a message that is being sent finish, and tells idle sessions', async () => {
  await withTempDir(async dir => {
    const server = await startServer({ dir, config: { paused: true } })
    const idle = await server.smtp()
    await idle.ehlo()
    const busy = await server.login()
    await busy.expect(250, `MAIL FROM:<${FROM}>`)
    await busy.expect(250, 'RCPT TO:<bob@example.org>')
    await busy.expect(354, 'DATA')
    const bytes = stuffed(content('late'))
    busy.write(bytes.subarray(0, 40))
    const stopping = server.stop()
    const told = await idle.reply()
    assert.equal(told.code, 421)
    busy.write(bytes.subarray(40))
    assert.equal((await busy.reply()).code, 250, 'the message in progress is taken')
    assert.deepEqual(await stopping, { code: 0, signal: null })

    await using next = await startServer({ dir, config: configText() })
    await delivered(next, ['late bob'])
    await next.stop()
  })
})

test('an attempt that is cut off by the end is made again', async () => {
  await withTempDir(async dir => {
    const config = configText({ kind: 'local', retrySchedule: [1, 1, 1] })
    const first = await startServer({ dir, config })
    const session = await first.login('local')
    const reply = await session.send({
      from: 'mox@localhost',
      to: ['queuetimeout@example.org'],
      content: Buffer.from('From: mox@localhost\r\nSubject: slow\r\n\r\ntext\r\n'),
    })
    assert.equal(reply.code, 250)
    await session.quit()
    const at = ['--config', first.configFile]
    await eventually(async () => {
      const [row] = await moxJson<{ attempts: number }[]>(['queue', 'list', ...at])
      assert.equal(Number(row?.attempts), 1, 'the attempt is registered before it is made')
    })
    await first.kill()

    const second = await startServer({ dir })
    await eventually(async () => {
      const [row] = await moxJson<{ attempts: number }[]>(['queue', 'list', ...at])
      assert.ok(Number(row?.attempts) >= 2, 'and another one follows')
    })
    // The first signal lets attempts finish, which this one does not; the second ends them.
    second.signal('SIGTERM')
    await eventually(() => assert.ok(second.log.some(line => line.m === 'stopping')))
    assert.deepEqual(await second.stop(), { code: 0, signal: null })
    const [row] = await moxJson<{ attempts: number }[]>(['queue', 'list', ...at])
    assert.ok(row !== undefined, 'it is still queued')
  })
})
