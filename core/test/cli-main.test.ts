// The command line in this process: what needs neither a config nor a server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { main } from '../src/cli/main.ts'
import { packageCommand, packageCommandNames } from '../src/cli/packages.ts'
import type { Terminal } from '../src/cli/types.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-main-'))
  vi.stubEnv('XDG_STATE_HOME', dir)
  vi.spyOn(process, 'cwd').mockReturnValue(dir)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await rm(dir, { recursive: true, force: true })
})

async function run(line: string): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const terminal: Terminal = {
    stdout: text => {
      out += text
    },
    bytes: async chunk => {
      out += chunk
    },
    stderr: text => {
      err += text
    },
    columns: undefined,
    secret: async () => '',
  }
  const code = await main(line === '' ? [] : line.split(' '), terminal)
  return { code, out, err }
}

test.each<[string, number, RegExp]>([
  ['version', 0, /^mox \d+\.\d+\.\d+, node v\d+\.\d+\.\d+, \w+ \w+\n$/],
  ['--version', 0, /^mox \d/],
  ['', 0, /^mox COMMAND …\n\n {2}config check .*\n {2}queue list .*Plugins add commands of their own/s],
  ['help', 0, /^ {2}localserve +run a mail server/m],
  ['help queue retired', 0, /^mox COMMAND …\n\n {2}queue retired list .*\n {2}queue retired print /],
  ['help message parse', 0, /^mox message parse FILE\n/],
  ['message parse --help', 0, /^mox message parse FILE\n/],
  ['help queue pause', 0, /\nNeeds a running server\.\n$/],
  ['help localserve', 0, /^mox localserve \[--dir PATH\]/],
  ['localserve --help', 0, /^mox localserve \[--dir PATH\]/],
])('mox %s', async (line, code, expected) => {
  const result = await run(line)
  expect(result).toMatchObject({ code, err: '' })
  expect(result.out).toMatch(expected)
})

test.each<[string, number, string]>([
  ['quue list', 2, 'mox: unknown command "quue"; did you mean "queue"?'],
  ['localserv', 2, 'mox: unknown command "localserv"; did you mean "localserve"?'],
  ['queue lst', 2, 'mox: mox queue has no "lst"; did you mean "list"?'],
  ['config', 2, 'mox: mox config needs one of: check, show'],
  ['help zzz', 2, 'mox: unknown command "zzz"; see mox help'],
  ['version extra', 2, 'mox: mox version: "extra" is one argument too many; it takes none'],
  ['serve --log-levle debug', 2, 'mox: mox serve: unknown flag --log-levle; did you mean "--log-level"?'],
  ['queue list --config', 2, 'mox: --config needs the path of a config file'],
  ['queue list', 1, 'mox: no mox.config.ts in '],
  ['account list', 1, 'mox: no mox.config.ts in '],
  ['config check --config gone.ts', 1, 'mox: --config gone.ts: there is no file '],
  ['localserve --port 1', 1, "mox: localserve: Unknown option '--port'"],
])('mox %s fails', async (line, code, expected) => {
  const result = await run(line)
  expect(result.err).toContain(expected)
  expect(result).toMatchObject({ code, out: '' })
})

test('commands of packages', async () => {
  expect(packageCommandNames()).toContain('localserve')
  for (const name of ['http', 'no-such', '../x', 'A', '', 'x'.repeat(65)])
    expect(await packageCommand(name)).toBeUndefined()
})
