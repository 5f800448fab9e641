// The clock of localserve: a whole schedule of retries, the notices of delay and failure, and what magic addresses promise for
// later, in seconds and in the same order every time.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { advance, messageOf, recipientOf, submit } from '../kit/bench.ts'
import { mox, moxJson } from '../kit/cli.ts'
import { type Localserve, startLocalserve } from '../kit/localserve.ts'
import { eventually } from '../kit/temp.ts'

const HOUR = 3_600_000

const tried = async (server: Localserve, subject: string, attempts: number): Promise<void> =>
  await eventually(async () => {
    const recipient = await recipientOf(server, subject)
    assert.equal(recipient.attempts.filter(({ outcome }) => outcome !== 'running').length, attempts, subject)
  })

const outcomes = async (server: Localserve, subject: string): Promise<string[]> =>
  (await recipientOf(server, subject)).attempts.map(({ outcome, code }) => `${outcome} ${code}`)

test('three days of retries end in seconds, with the DSNs of a delay and of the failure', async () => {
  await using server = await startLocalserve({ probe: true })
  await submit(server, ['queue451@example.org'], 'never taken')
  await tried(server, 'never taken', 1)
  const before = await server.get<{ now: number; offset: number }>('/api/clock')
  assert.equal(before.offset, 0)

  const began = performance.now()
  const result = await mox(['localserve', 'advance', '3d', '--dir', server.dir])
  const seconds = (performance.now() - began) / 1_000
  assert.equal(result.code, 0, result.stderr)
  assert.match(result.stdout, /^it is \d{4}-.*Z now; \d+ timers ran on the way/)
  assert.ok(seconds < 30, `${seconds} s`)

  const { state, attempts } = await recipientOf(server, 'never taken')
  assert.equal(state, 'failed')
  assert.deepEqual(
    attempts.map(({ number, code }) => `${number} ${code}`),
    [1, 2, 3, 4, 5, 6, 7, 8].map(n => `${n} 451`),
  )
  const [first, last] = [attempts[0]?.startedAt ?? 0, attempts.at(-1)?.startedAt ?? 0]
  const hours = (last - first) / HOUR
  assert.ok(hours > 15.7 && hours < 16.1, `the last attempt is ${hours} h after the first`)
  const after = await server.get<{ now: number; offset: number }>('/api/clock')
  assert.ok(after.now - before.now >= 72 * HOUR)
  assert.ok(after.offset > 72 * HOUR - 60_000 && after.offset <= 72 * HOUR)

  const mail = await server.get<{ subject: string; receivedAt: number }[]>('/probe/mail')
  assert.deepEqual(mail.map(({ subject }) => subject).reverse(), [
    'Your message is delayed',
    'Your message could not be delivered',
  ])
})

test('the clock goes on where it was after a restart', async () => {
  await using server = await startLocalserve()
  await advance(server, '5d')
  const { now, offset } = await server.get<{ now: number; offset: number }>('/api/clock')
  server.signal('SIGHUP')
  await eventually(() => assert.equal(server.starts, 2))
  const again = await server.get<{ now: number; offset: number }>('/api/clock')
  assert.equal(again.offset, offset)
  assert.ok(again.now >= now)
  const shown = await moxJson<{ offsetSeconds: number }>(['clock', 'show', '--config', server.configFile])
  assert.equal(shown.offsetSeconds, Math.round(offset / 1_000))
})

test('durations that are none', async () => {
  await using server = await startLocalserve()
  const check = async (by: string, expected: RegExp): Promise<void> => {
    await assert.rejects(advance(server, by), expected, by)
  }
  await check('soon', /400 .*write one such as 90s, 1h30m or 3d/)
  await check('0', /400 .*1 ms to 31 days/)
  await check('-1h', /400 .*1 ms to 31 days/)
  await check('32d', /400 .*1 ms to 31 days/)
  await check('x'.repeat(65), /400 by: /)
  const refused = await fetch(server.url('/admin/clock/advance'), { method: 'POST', body: '{"by":"1h"}' })
  assert.equal(refused.status, 401)
})

test('greylisting ends after five minutes', async () => {
  await using server = await startLocalserve()
  await submit(server, ['queue-greylist@example.org'], 'grey')
  await tried(server, 'grey', 1)
  const { attempts } = await recipientOf(server, 'grey')
  assert.equal(attempts[0]?.code, 451)
  assert.match(attempts[0]?.text ?? '', /^greylisted, try again in 300 seconds$/)
  await advance(server, '7m')
  assert.deepEqual(await outcomes(server, 'grey'), ['temporary 451'])
  await advance(server, '1m')
  assert.deepEqual(await outcomes(server, 'grey'), ['temporary 451', 'delivered 250'])
  // The pair is known now: the next one passes at once.
  await submit(server, ['queue-greylist@example.org'], 'known')
  await tried(server, 'known', 1)
  assert.deepEqual(await outcomes(server, 'known'), ['delivered 250'])
})

test('greylisting in a session: the client is told to come back', async () => {
  await using server = await startLocalserve()
  const send = async (): Promise<number> => {
    const session = await server.login('local')
    const content = Buffer.from('From: mox@localhost\r\nSubject: session\r\n\r\ntext\r\n')
    const { code } = await session.send({ from: 'mox@localhost', to: ['greylist@example.org'], content })
    await session.quit()
    return code
  }
  assert.deepEqual([await send(), await send()], [451, 451])
  await advance(server, '5m')
  assert.equal(await send(), 250)
})

test('slow, without an answer, and without TLS', async () => {
  await using server = await startLocalserve()
  await submit(server, ['queue-slow600@example.org'], 'slow')
  await submit(server, ['queue-slow9-452@example.org'], 'slow refusal')
  await submit(server, ['queue-timeout@example.org'], 'timeout')
  await submit(server, ['queue-tlsfail@example.org'], 'tls')
  await tried(server, 'tls', 1)
  const { attempts } = await recipientOf(server, 'tls')
  assert.deepEqual([attempts[0]?.outcome, attempts[0]?.stage, attempts[0]?.code], ['temporary', 'starttls', 0])
  assert.deepEqual(await outcomes(server, 'slow'), ['running 0'])
  await advance(server, '5m')
  assert.deepEqual(await outcomes(server, 'slow'), ['running 0'])
  assert.deepEqual(await outcomes(server, 'slow refusal'), ['temporary 452'])
  await advance(server, '6m')
  assert.deepEqual(await outcomes(server, 'slow'), ['delivered 250'])
  assert.deepEqual(await outcomes(server, 'timeout'), ['running 0'])
  await advance(server, '25m')
  // An attempt has 35 minutes.
  assert.equal((await outcomes(server, 'timeout'))[0], 'temporary 451')
})

test('a bounce comes later and corrects the history; a complaint is understood', async () => {
  await using server = await startLocalserve()
  await submit(server, ['bounce@example.org'], 'comes back')
  await submit(server, ['complaint90@example.org'], 'unloved')
  await submit(server, ['queue-greylist-bounce10@example.org'], 'combined')
  for (const subject of ['comes back', 'unloved', 'combined']) await tried(server, subject, 1)
  assert.deepEqual(await outcomes(server, 'comes back'), ['delivered 250'])
  // The clock goes on by itself as well, and a busy machine takes seconds for what was done so far.
  await advance(server, '30s')
  assert.equal((await recipientOf(server, 'comes back')).state, 'delivered')
  await advance(server, '1m')
  const { state, attempts } = await recipientOf(server, 'comes back')
  assert.equal(state, 'failed')
  assert.deepEqual([attempts[1]?.outcome, attempts[1]?.code, attempts[1]?.enhanced], ['permanent', 550, '5.1.1'])
  const report = await server.get<{ from: string; parts: { contentType: string }[]; recipients: string[] }>(
    `/api/messages/${attempts[1]?.reportId}`,
  )
  assert.deepEqual([report.from, ...report.recipients], ['', 'mox@localhost'])
  assert.deepEqual(
    report.parts.map(({ contentType }) => contentType),
    ['multipart/report', 'text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  )
  await advance(server, '2h')
  const complained = await recipientOf(server, 'unloved')
  assert.match(complained.attempts.at(-1)?.text ?? '', /^complained, says a report: complaint: abuse/)
  assert.deepEqual(await outcomes(server, 'combined'), ['temporary 451', 'delivered 250', 'permanent 550'])
  assert.equal((await messageOf(server, 'Complaint about a message from you')).recipients[0], 'mox@localhost')
})
