// The command line against a running server and without one: rows, --json, --limit, mistakes and their exit codes.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { mox, moxJson } from '../kit/cli.ts'
import { type Server, startServer } from '../kit/server.ts'
import { eventually, removeDir, tempDir } from '../kit/temp.ts'

/** Messages that are there. */
const MESSAGES = 3

let dir: string
let server: Server

beforeAll(async () => {
  dir = await tempDir()
  server = await startServer({ dir, config: {} })
  const session = await server.login()
  for (let i = 1; i <= MESSAGES; i++) {
    const content = Buffer.from(`From: alice@example.org\r\nSubject: number ${i}\r\n\r\ntext\r\n`)
    const reply = await session.send({ from: 'alice@example.org', to: ['bob@example.org'], content })
    assert.equal(reply.code, 250)
  }
  await session.quit()
  await eventually(async () => assert.equal((await server.get<{ queued: number }>('/probe/queued')).queued, 0))
})

afterAll(async () => {
  await server?.kill()
  await removeDir(dir)
})

async function check(args: readonly string[], output: RegExp, code: number = 0): Promise<void> {
  const result = await mox(args, { cwd: dir })
  assert.equal(result.code, code, `mox ${args.join(' ')}: ${result.stdout}${result.stderr}`)
  assert.match(result.stdout + result.stderr, output, `mox ${args.join(' ')}`)
}

describe.each(['with a server', 'without a server'])('commands %s', how => {
  beforeAll(async () => {
    if (how === 'without a server') await server.stop()
  })

  test('lists', { timeout: 120_000 }, async () => {
    const lists = [
      'queue list',
      'queue retired list',
      'message list',
      'account list',
      'domain list',
      'mailbox list bob',
      'mailbox messages bob Inbox',
      'plugin list',
    ]
    for (const words of lists) {
      const args = words.split(' ')
      // Rows for people come from the same code in both ways.
      if (how === 'with a server') await check(args, /\S/)
      const rows = await moxJson<unknown[]>(args, { cwd: dir })
      assert.ok(Array.isArray(rows), words)
      assert.ok(rows.length > 0 || words === 'queue list', `${words} has rows`)
      if (how === 'without a server' || words === 'queue list') continue
      const one = await moxJson<unknown[]>([...args, '--limit', '1'], { cwd: dir })
      assert.deepEqual(one, rows.slice(0, 1), `${words} --limit 1`)
    }
    const retired = await moxJson<{ id: number; to: string; status: string }[]>(['queue', 'retired', 'list'], {
      cwd: dir,
    })
    assert.deepEqual(
      retired.map(r => [r.to, r.status]),
      Array(MESSAGES).fill(['bob@example.org', 'delivered']),
    )
  })

  test('one thing', { timeout: 120_000 }, async () => {
    const [last] = await moxJson<{ id: number }[]>(['queue', 'retired', 'list'], { cwd: dir })
    await check(['queue', 'retired', 'print', String(last?.id)], /"status": "delivered"/)
    await check(['message', 'explain', '1'], /number 1[\s\S]*bob@example\.org[\s\S]*delivered/)
    await check(['message', 'explain', `q${last?.id}`], /delivered/)
    await check(['account', 'show', 'alice'], /alice@example\.org/)
    await check(['config', 'check'], /\S/)
    await check(['config', 'show'], /hostname/)
    await check(['plugin', 'explain', 'beforeDeliver'], /beforeDeliver/)
    await check(['verify'], /no problems found/)
    await check(['mailbox', 'verify'], /consistent/)
  })

  test('what is not there', { timeout: 120_000 }, async () => {
    await check(['queue', 'retired', 'print', '99999'], /no retired recipient/, 1)
    await check(['message', 'explain', 'x'], /x/, 1)
    await check(['mailbox', 'messages', 'bob', 'Nowhere'], /no mailbox "Nowhere"/, 1)
  })

  test('accounts and domains in the database', { timeout: 120_000 }, async () => {
    const domain = how === 'with a server' ? 'one.test' : 'two.test'
    const name = how === 'with a server' ? 'carol' : 'dora'
    await check(['domain', 'add', domain], /\S|^$/)
    await check(['account', 'add', name, `${name}@${domain}`], /\S|^$/)
    const set = await mox(['account', 'password', name], { cwd: dir, input: 'a long enough password\n' })
    assert.equal(set.code, 0, set.stdout + set.stderr)
    await check(['account', 'show', name], new RegExp(`${name}@${domain.replace('.', '\\.')}`))
    await check(['account', 'remove', name], /\S|^$/)
    await check(['domain', 'remove', domain], /\S|^$/)
  })
})

test('mistakes', { timeout: 120_000 }, async () => {
  await check(['queu', 'list'], /unknown command "queu".*queue/, 2)
  await check(['queue', 'lst'], /list/, 2)
  await check(['queue', 'list', '--jsn'], /--json/, 2)
  await check(['queue', 'list', '--limit', '0'], /--limit 0 must be a whole number/, 2)
  await check(['queue', 'list', '--limit', '10001'], /10000/, 2)
  await check(['queue', 'retired', 'print'], /ID is missing/, 2)
  await check(['queue', 'list', '--config', join(dir, 'no-such.ts')], /no-such\.ts/, 1)
})

test('the structure of a message', async () => {
  const file = join(dir, 'message.eml')
  await writeFile(
    file,
    'From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n',
  )
  await check(['message', 'parse', file], /multipart\/mixed[\s\S]*text\/plain[\s\S]*text\/html/)
  await check(['message', 'parse', join(dir, 'none.eml')], /none\.eml/, 1)
})

test('help and version', async () => {
  await check(['help'], /localserve[\s\S]*queue list/)
  await check(['--version'], /\d+\.\d+\.\d+/)
  await check(['queue', 'list', '--help'], /--limit/)
})
