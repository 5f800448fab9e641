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
    command: async (words, config) => void served.push(words.join(' '), config ?? ''),
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
  expect((await run('--dir', home)).out).toContain('webmail      http://localhost:1080/')
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

test('advance runs the command of the server', async () => {
  expect((await run('advance', '3d')).served).toEqual(['clock advance 3d', ''])
  expect((await run('advance', '--dir', dir, '1h')).served).toEqual(['clock advance 1h', join(dir, 'mox.config.ts')])
  expect((await run('advance', '--help')).out).toContain('mox localserve advance DURATION')
  for (const wrong of [['advance'], ['advance', '1h', '2h'], ['advance', '1h', '--colour']])
    await expect(run(...wrong)).rejects.toThrow(/mox localserve advance needs a duration such as 90s/)
})
