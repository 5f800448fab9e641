// Starts that must fail: each says what is wrong, with which option, and what to do; nothing starts half-way, nothing keeps
// running. A stack trace is the answer only to a mistake in a plugin's code.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { test } from 'vitest'
import { mox } from '../kit/cli.ts'
import { type ConfigOptions, configText } from '../kit/config.ts'
import { startServer } from '../kit/server.ts'
import { withTempDir } from '../kit/temp.ts'

interface Fails {
  /** The text of the config, or what differs from an ordinary one. */
  readonly config: string | ConfigOptions
  /** All must be in the output. */
  readonly output: readonly RegExp[]
  /** A stack trace may be in the output: the plugin's author has to mend it. */
  readonly stack?: true
}

/** Tries `mox serve` with a config that cannot work. */
async function check(what: string, { config, output, stack }: Fails): Promise<void> {
  await withTempDir(async dir => {
    const file = join(dir, 'mox.config.ts')
    await writeFile(file, typeof config === 'string' ? config : configText(config))
    await failsToStart(what, file, output, stack)
  })
}

async function failsToStart(what: string, file: string, output: readonly RegExp[], stack = false): Promise<void> {
  const result = await mox(['serve', '--config', file])
  const text = result.stdout + result.stderr
  assert.ok(result.code !== 0 && result.code !== null, `${what}: ended with ${result.code}\n${text}`)
  for (const pattern of output) assert.match(text, pattern, what)
  if (!stack) assert.doesNotMatch(text, /^\s+at .*:\d+:\d+/m, `${what}: no stack trace\n${text}`)
  assert.doesNotMatch(text, /"m":"ready"/, `${what}: never ready`)
}

const change = (from: string | RegExp, to: string): string => {
  const text = configText()
  const changed = text.replace(from, to)
  assert.notEqual(changed, text, String(from))
  return changed
}

test('a config that is wrong', { timeout: 120_000 }, async () => {
  await check('no such file', { config: 'export default 1', output: [/defineConfig/] })
  await check('syntax', { config: 'export default {', output: [/mox\.config\.ts/] })
  await check('missing host name', { config: change(/hostname: .*/, ''), output: [/hostname/, /is missing/] })
  await check('host name of another type', { config: change(/hostname: .*/, 'hostname: 5,'), output: [/hostname: 5/] })
  await check('unknown option', { config: { more: ['hostnam: "a"'] }, output: [/hostnam/, /hostname/] })
  await check('value out of range', {
    config: change('queue: {', 'queue: { concurrency: 0,'),
    output: [/queue\.concurrency: 0/, /from 1 to/],
  })
  await check('option of a plugin', {
    config: change("kind: 'delivery'", "kind: 'relay'"),
    output: [/smtp-in/, /listeners\.smtp\.kind/, /delivery/],
  })
  await check('unknown option of a plugin', {
    config: change('requestsPerMinute: false', 'requestsPerMinut: 5'),
    output: [/http/, /requestsPerMinut/],
  })
  await check('the same plugin twice', { config: { plugins: ['mailboxes()'] }, output: [/mailboxes/, /\.as\(/] })
  await check('a plugin that is not called', { config: { plugins: ['mailboxes'] }, output: [/mailboxes\(/] })
  await check('nothing provides storage', { config: change('storageSqlite(),', ''), output: [/storage@1/] })
  await check('several mistakes at once', {
    config: change(/hostname: .*/, 'hostname: 5,').replace('queue: {', 'queue: { concurrency: 0,'),
    output: [/hostname: 5/, /queue\.concurrency: 0/],
  })
  await check('a package that is not installed', {
    config: { imports: ["import { x } from 'mox-plugin-that-does-not-exist'"], plugins: ['x()'] },
    output: [/mox-plugin-that-does-not-exist/],
  })
  await check('an order that names nobody', {
    config: { more: ["hooks: { order: { 'onReceive.rcpt': ['nobody'] } }"] },
    output: [/nobody/],
  })
})

const PLUGIN = "import { definePlugin } from '@mox/plugin-sdk'"
const thrower = (body: string): ConfigOptions => ({
  imports: [`${PLUGIN}\nconst thrower = definePlugin({ name: 'thrower', setup: () => { ${body} } })`],
  plugins: ['thrower()'],
})

test('a plugin that fails', async () => {
  await check('in setup', { config: thrower("throw new Error('cannot')"), output: [/thrower/, /cannot/], stack: true })
  await check('in start', {
    config: thrower("return { start: () => { throw new Error('cannot start') } }"),
    output: [/thrower/, /cannot start/],
    stack: true,
  })
  await check('in listen', {
    config: thrower("return { listen: async () => { throw new Error('cannot listen') } }"),
    output: [/thrower/, /cannot listen/],
    stack: true,
  })
  await check('with a hook that does not exist', {
    config: thrower('return { beforeDelivery: () => undefined }'),
    output: [/thrower/, /beforeDeliver/],
  })
  await check('asking for a service that nobody offers', {
    config: {
      imports: [
        `import { definePlugin, defineService } from '@mox/plugin-sdk'\nconst thing = defineService('thing@1')\nconst needy = definePlugin({ name: 'needy', needs: { thing }, setup: () => ({}) })`,
      ],
      plugins: ['needy()'],
    },
    output: [/needy/, /thing@1/],
  })
})

test('a port that is in use', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  try {
    await check('SMTP', {
      config: { smtpPort: port },
      output: [new RegExp(`\\b${port}\\b`), /in use/, /smtpIn|smtp-in/, /\bsmtp\b/],
    })
    await check('HTTP', {
      config: change("http: { ip: '127.0.0.1', port: 0", `http: { ip: '127.0.0.1', port: ${port}`),
      output: [new RegExp(`\\b${port}\\b`), /in use/, /listeners: \{ http/],
    })
  } finally {
    await new Promise(resolve => other.close(resolve))
  }
})

test('a data directory that another server uses', async () => {
  await using server = await startServer()
  await failsToStart('in use', server.configFile, [/in use|another/, /data/])
  // The first one is none the worse for it.
  const session = await server.login()
  await session.quit()
  await server.stop()
})

test('a database of a newer version', async () => {
  await withTempDir(async dir => {
    const first = await startServer({ dir, config: {} })
    await first.stop()
    const db = new Database(join(dir, 'data', 'mox.db'))
    db.prepare('UPDATE mox_migration SET version = version + 1000').run()
    db.close()
    await failsToStart('newer', join(dir, 'mox.config.ts'), [/newer/])
  })
})

test('a data directory that cannot be one', async () => {
  await withTempDir(async dir => {
    await writeFile(join(dir, 'file'), '')
    await mkdir(join(dir, 'sub'))
    const file = join(dir, 'sub', 'mox.config.ts')
    await writeFile(file, configText({ dataDir: '../file' }))
    await failsToStart('a file', file, [/file/])
  })
})
