import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import command from '../src/command.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-localserve-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function run(...argv: string[]): Promise<{ out: string; served: string[] }> {
  let out = ''
  const served: string[] = []
  await command.run(argv, {
    serve: async (config, options) => {
      served.push(config, options.logLevel ?? '')
      options.onReady?.()
    },
    stdout: text => {
      out += text
    },
    stderr: () => {},
  })
  return { out, served }
}

test('makes a directory, serves it, and keeps changes made to it', async () => {
  const home = join(dir, 'new', 'place')
  const config = join(home, 'mox.config.ts')
  expect((await run('--dir', home, '--log-level', 'debug')).served).toEqual([config, 'debug'])
  expect(await readFile(config, 'utf8')).toContain("const ip = ['127.0.0.1', '::1']")
  await writeFile(config, '// mine')
  expect((await run('--dir', home)).out).toContain('page         http://localhost:1080/')
  expect(await readFile(config, 'utf8')).toBe('// mine')
})

test('--init-only makes and ends; --ip is written down', async () => {
  const { out, served } = await run('--dir', join(dir, 'a'), '--ip', '127.0.0.5', '--init-only')
  expect(served).toEqual([])
  expect(out).toContain('made ')
  expect(await readFile(join(dir, 'a', 'mox.config.ts'), 'utf8')).toContain("const ip = '127.0.0.5'")
  expect((await run('--dir', join(dir, 'a'), '--init-only')).out).toContain('exists already')
})

test.each([
  [['--ip', 'localhost'], /--ip "localhost" is not an IP address/],
  [['--log-level', 'loud'], /--log-level "loud" is unknown; choose one of trace, debug/],
  [['--port', '1'], /Unknown option '--port'.*mox localserve --help/s],
  [['extra'], /Unexpected argument 'extra'/],
])('%j', async (argv, message) => {
  await expect(run('--dir', join(dir, 'b'), ...argv)).rejects.toThrow(message)
  await expect(readFile(join(dir, 'b', 'mox.config.ts'))).rejects.toThrow('ENOENT')
})

test('--ip with an existing directory, and a place that cannot be made', async () => {
  await run('--dir', join(dir, 'c'), '--init-only')
  await expect(run('--dir', join(dir, 'c'), '--ip', '127.0.0.1')).rejects.toThrow(/only when the directory is made/)
  await writeFile(join(dir, 'file'), '')
  await expect(run('--dir', join(dir, 'file', 'x'))).rejects.toThrow(
    /cannot make .* \(ENOTDIR\); choose another place with --dir/,
  )
})
