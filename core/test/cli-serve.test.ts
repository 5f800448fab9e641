// The life of a server as a process: start, commands through its socket, reload, stop. Its plugins are small and write down
// what is asked of them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/mox.js', import.meta.url))

let dir: string
let config: string
let env: NodeJS.ProcessEnv
const running = new Set<ChildProcess>()

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-serve-'))
  config = join(dir, 'mox.config.ts')
  env = { ...process.env, XDG_STATE_HOME: join(dir, 'state'), NODE_OPTIONS: '' }
})
afterEach(async () => {
  for (const child of running) {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended
  }
  running.clear()
  await rm(dir, { recursive: true, force: true })
})

/** A config whose plugin writes its steps to the file "trace". */
async function writeConfig(steps = '', hostname = 'localhost'): Promise<void> {
  await writeFile(
    config,
    `import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { clock, commands, definePlugin, defineConfig, type Directory, directory, storage, UsageError } from '@mox/plugin-sdk'
import { memoryStorage } from '@mox/plugin-sdk/testkit'

const note = (text: string): void => appendFileSync(join(import.meta.dirname, 'trace'), text + '\\n')
const memory = definePlugin({
  name: 'memory',
  needs: { clock },
  provides: { storage },
  setup: ({ services }) => ({ services: { storage: memoryStorage(services) }, start: () => note('storage start'), stop: () => note('storage stop') }),
})
const demo = definePlugin({
  name: 'demo',
  needs: { storage },
  provides: { directory, commands },
  setup: () => ({
    services: {
      directory: {} as Directory,
      commands: [
        { path: ['ping'], summary: 'answers', offline: true, run: async () => ({ kind: 'text' as const, text: 'pong from ${hostname}' }) },
        {
          path: ['secret'], summary: 'length of a secret', offline: true, arguments: [{ name: 'PASSWORD', help: 'it' }], secret: ['PASSWORD'],
          run: async input => ({ kind: 'value' as const, value: input.arguments.map(a => a.length) }),
        },
      ],
    },
    start: () => note('start'),
    listen: () => note('listen'),
    drain: signal => note(signal.aborted ? 'drain at once' : 'drain'),
    stop: () => note('stop'),
    ${steps}
  }),
})
export default defineConfig({ hostname: '${hostname}', plugins: [memory(), demo()] })
`,
  )
}

interface Running {
  readonly child: ChildProcess
  /** Resolves with the first line of standard error that has the text, from where the last one was found. */
  line(text: string): Promise<string>
  exit(): Promise<number | null>
  readonly stderr: string
}

function start(): Running {
  const child = spawn(process.execPath, [BIN, 'serve', '--config', config], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.add(child)
  let all = ''
  let seen = 0
  let closed = false
  const ended = once(child, 'close').then(([code]) => {
    closed = true
    return code as number | null
  })
  child.stderr?.setEncoding('utf8').on('data', chunk => {
    all += chunk
  })
  const find = (text: string): string | undefined => {
    const at = all.indexOf(text, seen)
    const lf = all.indexOf('\n', at)
    if (at < 0 || lf < 0) return undefined
    seen = lf + 1
    return all.slice(all.lastIndexOf('\n', at) + 1, lf)
  }
  return {
    child,
    line: async text => {
      for (;;) {
        const found = find(text)
        if (found !== undefined) return found
        if (closed) throw new Error(`ended without ${JSON.stringify(text)}:\n${all}`)
        await Promise.race([once(child.stderr!, 'data'), ended])
      }
    },
    exit: () => ended,
    get stderr() {
      return all
    },
  }
}

function mox(words: string, input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...words.split(' ')], {
    env,
    cwd: tmpdir(),
    encoding: 'utf8',
    input,
  })
  return { code: status, out: stdout, err: stderr }
}

const trace = async (): Promise<string> => {
  const text = await readFile(join(dir, 'trace'), 'utf8')
  await rm(join(dir, 'trace'))
  return text.trim().split('\n').join(', ')
}

test('start, commands, reload, stop', async () => {
  await writeConfig()
  const server = start()
  expect(await server.line('m=ready')).toMatch(
    /^l=info m=ready ms=\d+ hostname=localhost dataDir=\S+ plugins=2 version=\S+$/,
  )
  expect(await trace()).toBe('storage start, start, listen')

  // The server that was started last is found without --config.
  expect(mox('ping')).toEqual({ code: 0, out: 'pong from localhost\n', err: '' })
  expect(mox(`queue list --config ${config}`)).toEqual({ code: 0, out: 'none\n', err: '' })
  expect(mox('queue list --json').out).toBe('[]\n')
  expect(mox('queue pause').out).toBe('paused, 0 in progress\n')
  expect(mox('verify').out).toBe('no problems found\n')
  expect(mox('secret', 'hunter2\n').out).toBe('[\n  7\n]\n')
  expect(mox('secret abc').out).toBe('[\n  3\n]\n')
  expect(mox('secret').err).toBe('mox: PASSWORD is missing: write it to standard input\n')
  expect(mox('pign')).toEqual({ code: 2, out: '', err: 'mox: unknown command "pign"; did you mean "ping"?\n' })
  expect(mox('help').out).toContain('ping ')
  expect(mox(`serve --config ${config}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('another server is running for'),
  })

  await writeFile(config, 'export default {')
  server.child.kill('SIGHUP')
  expect(await server.line('the new config is wrong')).toContain('mox.config.ts:1')
  expect(mox('ping').out).toBe('pong from localhost\n')
  expect(existsSync(join(dir, 'trace'))).toBe(false)

  await writeConfig('', 'new.example')
  server.child.kill('SIGHUP')
  await server.line('hostname=new.example')
  expect(await trace()).toBe('drain, stop, storage stop, storage start, start, listen')
  expect(mox('ping').out).toBe('pong from new.example\n')

  await writeConfig(`listen: () => { throw new UsageError('demo: port 25 is in use') },`, 'other.example')
  server.child.kill('SIGHUP')
  await server.line('cannot start with the new config')
  await server.line('hostname=new.example')
  await trace()

  // What was started last is forgotten when its config is gone, but not while it runs.
  await rm(config)
  expect(mox('ping').out).toBe('pong from new.example\n')
  server.child.kill('SIGTERM')
  expect(await server.exit()).toBe(0)
  expect(await trace()).toBe('drain, stop, storage stop')
  expect(existsSync(join(dir, 'data', 'mox.sock'))).toBe(false)
  const none = /^mox: no mox\.config\.ts in \S+ or above; name one with --config FILE/
  expect(mox('ping').err).toMatch(none)
  expect(mox('config show').err).toMatch(none)
})

test('without a server, commands that may run on the data directory', async () => {
  await writeConfig()
  expect(mox(`ping --config ${config}`)).toEqual({ code: 0, out: 'pong from localhost\n', err: '' })
  expect(await trace()).toBe('storage start, start, stop, storage stop')
  expect(mox(`queue pause --config ${config}`)).toEqual({
    code: 1,
    out: '',
    err: `mox: no server is running for ${join(dir, 'data')}; start it with mox serve\n`,
  })
  expect(existsSync(join(dir, 'trace'))).toBe(false)
  expect(mox('ping').err).toContain('or above; name one with --config FILE')
})

test('config and plugin commands, and the reference pages', async () => {
  await writeConfig(`'onReceive.rcpt': { handler: () => undefined, band: 'early' },`)
  expect(mox(`config check --config ${config}`)).toEqual({ code: 0, out: `${config} is fine: 2 plugins\n`, err: '' })
  expect(mox(`config show --config ${config}`).out).toMatch(/^hostname +localhost$/m)
  expect(mox(`plugin list --config ${config}`).out).toMatch(
    /^demo +directory@1, commands@1 +storage@1 +onReceive.rcpt$/m,
  )
  expect(mox(`plugin explain onReceive.rcpt --config ${config}`).out).toMatch(
    /^onReceive.rcpt +1 +demo +.*early.* +5000 +defer$/m,
  )
  expect(mox(`plugin explain onRecieve.rcpt --config ${config}`).err).toBe(
    'mox: there is no hook "onRecieve.rcpt"; did you mean "onReceive.rcpt"?\n',
  )
  const docs = `docs --config ${config} --dir ${join(dir, 'reference')}`
  expect(mox(`${docs} --check`)).toMatchObject({ code: 1, out: expect.stringContaining('out of date: ') })
  expect(mox(docs)).toMatchObject({ code: 0, err: '' })
  expect(mox(`${docs} --check`)).toMatchObject({ code: 0 })
  const page = join(dir, 'reference', 'commands.md')
  expect(await readFile(page, 'utf8')).toContain('## mox ping\n\nAnswers.\n\n    mox ping\n')
  await writeFile(page, 'other')
  expect(mox(`${docs} --check`).out).toBe(`out of date: ${page}; run npm run docs\n`)
})

test('what stops a start: nothing is left running', async () => {
  await writeConfig(`listen: () => { throw new UsageError('demo: port 25 is in use') },`)
  const server = start()
  expect(await server.exit()).toBe(1)
  expect(server.stderr).toBe('mox: demo: port 25 is in use\n')
  expect(await trace()).toBe('storage start, start, stop, storage stop')
  expect(existsSync(join(dir, 'data', 'mox.sock'))).toBe(false)
  await writeFile(config, `export default { hostname: 'localhost', plugins: [] }`)
  expect(mox(`serve --config ${config}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('since no plugin provides storage@1; add storageSqlite()'),
  })
  expect(mox(`serve --config ${config} --log-level loud`).err).toContain(
    '--log-level "loud" is unknown; choose one of trace',
  )
})

test('a second signal does not wait', async () => {
  await writeConfig(
    `drain: signal => new Promise(resolve => signal.addEventListener('abort', () => { note('cut short'); resolve() })),`,
  )
  const server = start()
  await server.line('m=ready')
  server.child.kill('SIGINT')
  await server.line('m=stopping')
  server.child.kill('SIGINT')
  expect(await server.exit()).toBe(0)
  expect(await trace()).toBe('storage start, start, listen, cut short, stop, storage stop')
})

test('a start that hangs ends with the second signal', async () => {
  await writeConfig(`start: () => { note('start'); console.error('hangs'); return new Promise(() => {}) },`)
  const server = start()
  await server.line('hangs')
  server.child.kill('SIGTERM')
  server.child.kill('SIGINT')
  expect(await server.exit()).toBe(1)
  expect(server.stderr).toBe('hangs\nmox: stopped before the start was done\n')
  expect(await trace()).toBe('storage start, start, storage stop')
  expect(existsSync(join(dir, 'data', 'mox.sock'))).toBe(false)
})

test('a plugin that fails: the place in its own file is shown', async () => {
  const check = async (steps: string, expected: RegExp): Promise<void> => {
    await writeConfig(steps)
    const { code, err } = mox(`serve --config ${config}`)
    expect([code, err.split('\n').slice(0, 3).join('\n')]).toEqual([1, expect.stringMatching(expected)])
  }
  await check(
    `start: () => { throw new TypeError('broken') },`,
    /^mox: demo failed to start: broken\nTypeError: broken\n +at \S+ \(\S+mox\.config\.ts:\d+/,
  )
  await check(
    `...(() => { throw new TypeError('broken') })(),`,
    /^mox: demo: setup failed: broken\nTypeError: broken\n +at .*\S+mox\.config\.ts:\d+/,
  )
})

test('an error that nobody caught is told and ends the server', async () => {
  await writeConfig(`listen: () => { setImmediate(() => Promise.reject(new Error('nobody\\nlistens'))) },`)
  const server = start()
  expect(await server.exit()).toBe(1)
  expect(await server.line('l=fatal')).toMatch(
    /^l=fatal m="uncaught error" err="nobody\\nlistens" stack="Error: nobody/,
  )
})
