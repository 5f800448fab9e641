// `mox localserve`: its flags, that it takes anything, and the localparts that ask for trouble.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { mox, moxJson } from '../kit/cli.ts'
import { freePorts, type Localserve, startLocalserve } from '../kit/localserve.ts'
import { startServer } from '../kit/server.ts'
import { eventually, withTempDir } from '../kit/temp.ts'

const text = (subject: string): Buffer => Buffer.from(`From: mox@localhost\r\nSubject: ${subject}\r\n\r\ntext\r\n`)

test('the flags of localserve', async () => {
  await withTempDir(async dir => {
    const place = join(dir, 'new')
    const check = async (args: readonly string[], code: number, output: RegExp): Promise<void> => {
      const result = await mox(['localserve', ...args])
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`)
      assert.match(result.stdout + result.stderr, output)
    }
    await check(['--help'], 0, /--init-only/)
    await check(['--dir', place, '--ip', 'nonsense'], 1, /--ip "nonsense" is not an IP address/)
    await check(['--dir', place, '--log-level', 'loud'], 1, /choose one of trace, debug/)
    await check(['--dir', place, '--colour'], 1, /--colour/)
    await check(['--dir', place, '--init-only', '--ip', '127.0.0.3'], 0, /made .*mox\.config\.ts/)
    assert.match(await readFile(join(place, 'mox.config.ts'), 'utf8'), /127\.0\.0\.3/)
    await check(['--dir', place, '--init-only'], 0, /exists already; nothing was changed/)
    await check(['--dir', place, '--ip', '127.0.0.1'], 1, /--ip works only when the directory is made/)
    await writeFile(join(dir, 'file'), '')
    await check(['--dir', join(dir, 'file', 'below')], 1, /cannot make .*choose another place with --dir/)

    await freePorts(place)
    await using server = await startServer({
      dir: place,
      args: ['localserve', '--dir', place, '--log-level', 'trace'],
    })
    await eventually(() => assert.match(server.text, /mox localserve is ready[\s\S]*mox@localhost, password moxmoxmox/))
    const session = await server.smtp()
    await session.ehlo('shown.test')
    await eventually(() => assert.match(server.text, /EHLO shown\.test/, 'the level is the one asked for'))
    await session.quit()
    await server.stop()
  })
})

test('anybody can be written to, and everything ends in one mailbox', async () => {
  await using server = await startLocalserve({ probe: true })
  const session = await server.login('local')
  const to = ['friend@example.org', 'mox@localhost', 'a.b+c@xn--bcher-kva.example', 'x@[127.0.0.1]']
  assert.equal((await session.send({ from: 'mox@localhost', to, content: text('all') })).code, 250)
  await session.quit()
  const incoming = await server.smtp('smtp')
  await incoming.ehlo('mx.example.net')
  const reply = await incoming.send({ from: 'someone@example.net', to: ['any@example.org'], content: text('in') })
  assert.equal(reply.code, 250)
  const bounce = await incoming.send({ from: '', to: ['mox@localhost'], content: text('null reverse-path') })
  assert.equal(bounce.code, 250)
  await incoming.quit()
  await eventually(async () => {
    const count = await server.get<{ stored: number; queued: number }>('/probe/count/mox')
    assert.deepEqual(count, { stored: to.length + 2, queued: 0 })
  })
})

/** Where a transaction ends: at MAIL FROM, RCPT TO, the end of data, or in the queue. */
type Place = 'mail' | 'rcpt' | 'data' | 'queue'

test('localparts that ask for trouble', async () => {
  await using server = await startLocalserve({ queue: 'retrySchedule: [1000]' })

  const check = async (from: string, to: string, place: Place, code: number): Promise<void> => {
    const incoming = from !== 'mox@localhost'
    const session = incoming ? await server.smtp('smtp') : await server.login('local')
    if (incoming) await session.ehlo('mx.example.net')
    const mail = await session.command(`MAIL FROM:<${from}>`)
    const rcpt = mail.code === 250 ? await session.command(`RCPT TO:<${to}>`) : mail
    let last = rcpt
    if (rcpt.code === 250) {
      await session.expect(354, 'DATA')
      session.write(`${text(to).toString()}.\r\n`)
      last = await session.reply()
    }
    await session.quit()
    const found: Place = mail.code !== 250 ? 'mail' : rcpt.code !== 250 ? 'rcpt' : last.code !== 250 ? 'data' : 'queue'
    assert.deepEqual([found, found === 'queue' ? code : last.code], [place, code], `${from} → ${to}`)
    if (found === 'queue') await failsInQueue(server, to, code)
  }

  await check('mailfromtemperror@example.net', 'mox@localhost', 'mail', 451)
  await check('mailfrom-550@example.net', 'mox@localhost', 'mail', 550)
  await check('mox@localhost', 'rcpttotemperror@example.org', 'rcpt', 451)
  await check('mox@localhost', 'rcpttopermerror@example.org', 'rcpt', 550)
  await check('x@example.net', 'rcptto452@example.org', 'rcpt', 452)
  await check('mox@localhost', 'temperror@example.org', 'data', 451)
  await check('mox@localhost', 'some-permerror@example.org', 'data', 550)
  await check('x@example.net', '599@example.org', 'data', 599)
  await check('x@example.net', 'a400@example.org', 'data', 400)
  await check('mox@localhost', 'queuepermerror@example.org', 'queue', 550)
  await check('mox@localhost', 'queue-452@example.org', 'queue', 452)
  await check('mox@localhost', 'queue600@example.org', 'queue', 250)
  await check('mox@localhost', 'Temperror@example.org', 'queue', 250)
  await check('mox@localhost', 'ordinary399@example.org', 'queue', 250)
})

/** Waits for the first result of a recipient; its localpart says which one. */
async function failsInQueue(server: Localserve, to: string, code: number): Promise<void> {
  const list = code >= 400 && code < 500 ? ['queue', 'list'] : ['queue', 'retired', 'list']
  await eventually(async () => {
    const rows = await moxJson<Record<string, unknown>[]>([...list, '--config', server.configFile])
    const row = rows.find(r => Object.values(r).includes(to))
    assert.ok(row !== undefined, `${to} in mox ${list.join(' ')}`)
    const shown = JSON.stringify(row)
    if (code >= 400) assert.match(shown, new RegExp(`\\b${code}\\b`))
    else assert.match(shown, /delivered/)
  })
}
