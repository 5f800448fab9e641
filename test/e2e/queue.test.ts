// The queue's commands on a running server and on its data directory afterwards: what is listed, changed and dumped.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { mox, moxJson } from '../kit/cli.ts'
import { type Localserve, startLocalserve } from '../kit/localserve.ts'
import { eventually } from '../kit/temp.ts'

const TO = ['queue-tardy-452@example.net', 'queue-busy-451@example.net', 'queue-full-452@example.org']
/** Larger than a frame of the control socket, and than a row of the database. */
const BODY = `${'0123456789'.repeat(7)}\r\n`.repeat(20_000)

interface Row {
  readonly id: number
  readonly to: string
  readonly attempts: number
  readonly hold: boolean
  readonly due: string
  readonly transport: string | null
  readonly requireTls: boolean | null
}

let server: Localserve

beforeAll(async () => {
  server = await startLocalserve()
  const session = await server.login('local')
  const content = Buffer.from(`From: mox@localhost\r\nSubject: report\r\n\r\n${BODY}`)
  assert.equal((await session.send({ from: 'mox@localhost', to: TO, content })).code, 250)
  await session.quit()
  await eventually(async () =>
    assert.deepEqual(
      (await list()).map(({ attempts }) => attempts),
      [1, 1, 1],
    ),
  )
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const options = () => ({ cwd: server.dir })
const list = (...args: string[]) => moxJson<Row[]>(['queue', 'list', ...args], options())
const idOf = async (to: string): Promise<number> => (await list('--to', to))[0]?.id ?? 0

/** What a command says when it is done; it must be. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await mox(['queue', ...args], options())
  assert.equal(code, 0, `mox queue ${args.join(' ')}: ${stderr}`)
  return stdout
}
async function refused(expected: RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await mox(['queue', ...args], options())
  assert.notEqual(code, 0, args.join(' '))
  assert.match(stderr, expected)
}

describe.each(['with a server', 'without a server'])('queue commands %s', how => {
  const online = how === 'with a server'
  beforeAll(async () => {
    if (!online) await server.stop()
  })

  test('filters and pages', async () => {
    const found = async (...args: string[]) => (await list(...args)).map(({ to }) => to).sort()
    assert.deepEqual(await found('--to', '@example.net'), [TO[1], TO[0]].sort())
    assert.deepEqual(await found('--to', 'queue-full', '--submitted', '<now'), [TO[2]])
    assert.deepEqual(await found('--submitted', '<-1h'), [])
    assert.deepEqual(await found('--nextattempt', '>1m', '--account', 'mox'), [...TO].sort())
    const first = await done('list', '--sort', 'queued', '--limit', '2')
    const after = /go on with --after (\S+)/.exec(first)?.[1] ?? ''
    assert.deepEqual(await found('--sort', 'queued', '--after', after), [TO[0]])
    await refused(/--to needs a value/, 'list', '--to')
  })

  test('changes, and back', { timeout: 120_000 }, async () => {
    const [slow = ''] = TO
    const row = async () => (await list('--to', slow))[0]
    assert.equal(await done('hold', '--to', slow), '1 recipient\n')
    assert.equal((await row())?.hold, true)
    assert.equal(await done('unhold', '--hold'), '1 recipient\n')
    if (!online) return
    const before = Date.parse((await row())?.due ?? '')
    assert.equal(await done('schedule', '--to', slow, '1h30m'), '1 recipient\n')
    assert.equal(Date.parse((await row())?.due ?? '') - before, 5_400_000)
    assert.equal(await done('schedule', '--to', slow, '-90m'), '1 recipient\n')
    assert.equal(Date.parse((await row())?.due ?? ''), before)
    assert.equal(await done('transport', '--to', slow, 'localserve'), '1 recipient\n')
    await refused(/there is no transport "localserv"; did you mean "localserve"\?/, 'transport', '--all', 'localserv')
    assert.equal(await done('requiretls', '--to', slow, 'no'), '1 recipient\n')
    assert.deepEqual([(await row())?.transport, (await row())?.requireTls], ['localserve', false])
    assert.equal(await done('transport', '--transport', 'localserve', ''), '1 recipient\n')
    assert.equal(await done('requiretls', '--to', slow, 'default'), '1 recipient\n')
    assert.deepEqual([(await row())?.transport, (await row())?.requireTls], [null, null])
    await refused(/choose recipients with --ids/, 'hold')
  })

  test('dump', async () => {
    const text = await done('dump', String(await idOf(TO[0] ?? '')))
    assert.match(text, /^Received: .*[\s\S]*\r\nSubject: report\r\n\r\n0123456789/)
    assert.ok(text.endsWith(`\r\n\r\n${BODY}`))
    await refused(/no message is kept for the queue id 999999/, 'dump', '999999')
  })

  test('ends', async () => {
    if (!online) return await refused(/no server is running/, 'drop', '--all')
    assert.equal(await done('kick', '--to', 'queue-tardy'), '1 recipient\n')
    await eventually(async () => assert.equal((await list('--to', 'queue-tardy'))[0]?.attempts, 2))
    assert.match(await done('kick'), /^running, \d+ in progress\n$/)
    const [busy, full] = [await idOf('queue-busy'), await idOf('queue-full')]
    const session = await server.login('local')
    for (const to of ['queue-x-452@example.net', 'queue-y-452@example.net'])
      await session.send({ from: 'mox@localhost', to: [to], content: Buffer.from('From: mox@localhost\r\n\r\nx\r\n') })
    await session.quit()
    assert.equal(await done('drop', '--to', 'queue-x'), '1 recipient\n')
    assert.equal(await done('fail', '--to', 'queue-y'), '1 recipient\n')
    const retired = await moxJson<{ to: string; status: string }[]>(
      ['queue', 'retired', 'list', '--result', 'failure', '--lastactivity', '>-1h', '--sort', 'queued', '--asc'],
      options(),
    )
    assert.deepEqual(
      retired.map(({ to, status }) => [to, status]),
      [
        ['queue-x-452@example.net', 'cancelled'],
        ['queue-y-452@example.net', 'failed'],
      ],
    )
    assert.deepEqual([await idOf('queue-busy'), await idOf('queue-full')], [busy, full])
  })
})
