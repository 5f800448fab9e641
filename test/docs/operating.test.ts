// The commands that docs/OPERATING.md shows are understood by the command line, and every command on the queue is shown.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { matchCommand, parseWords } from '../../core/src/cli/args.ts'
import { coreInfos } from '../../core/src/cli/core-infos.ts'

/** Words as a shell splits them, up to a redirection. */
function words(line: string): string[] {
  return [...line.replace(/ > .*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

test('commands of the page', async () => {
  const page = await readFile(new URL('../../docs/OPERATING.md', import.meta.url), 'utf8')
  const lines = [...page.matchAll(/^\$ mox (.*)$/gm), ...page.matchAll(/`mox ([^`]*)`/g)].map(match => match[1] ?? '')
  const core = coreInfos()
  const shown = new Set<string>()
  for (const line of lines) {
    const given = words(line)
    const found = matchCommand(given, core)
    if (found === undefined) {
      assert.match(line, /^(?:account|localserve)\b/, `mox ${line} is no command of core`)
      continue
    }
    shown.add(found.command.path.join(' '))
    // Some are named without their arguments; what is given must fit.
    const needs = (found.command.arguments ?? []).filter(a => a.required !== false).length
    const rest = found.rest.length === 0 ? Array.from({ length: needs }, () => '1') : found.rest
    assert.doesNotThrow(() => parseWords(found.command, rest), `mox ${line}`)
  }
  const missing = core.map(({ path }) => path.join(' ')).filter(name => name.startsWith('queue ') && !shown.has(name))
  assert.deepEqual(missing, [])
})
