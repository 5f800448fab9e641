// What keeps the documentation of options true: the reference is made from a config with every plugin, and every option is
// explained in the README of its plugin.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT, sources } from '../../scripts/files.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Library of the storage plugins: no plugin itself. */
const LIBRARIES = ['storage-sql']

/** Options by plugin, as the reference has them: "listeners.*.port". */
function reference(): Map<string, string[]> {
  const sections = read('docs/reference/options.md').split(/^## /m).slice(1)
  return new Map(
    sections.map(text => [
      text.split('\n', 1)[0] ?? '',
      [...text.matchAll(/^\| (?:\*\*)?`([^`]+)`/gm)].map(([, option = '']) => option),
    ]),
  )
}

test('every plugin is in the reference', () => {
  const wanted = readdirSync(join(ROOT, 'plugins')).filter(name => !LIBRARIES.includes(name))
  const missing = wanted.filter(name => !reference().has(name))
  expect(missing, 'add these to docs/reference.config.ts and run: npm run docs').toEqual([])
})

test('every option is in the README of its plugin', () => {
  const missing: string[] = []
  for (const [plugin, options] of reference()) {
    if (plugin === 'Core') continue
    const readme = read(`plugins/${plugin}/README.md`)
    for (const option of options) {
      const last =
        option
          .replaceAll('[]', '')
          .split('.')
          .findLast(part => part !== '*') ?? ''
      if (!new RegExp(`\\b${last}\\b`).test(readme)) missing.push(`${plugin}: ${option}`)
    }
  }
  expect(missing).toEqual([])
})

test('every metric of the sources, and of the page for operators, is in the reference', () => {
  const known = new Set([...read('docs/reference/metrics.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name))
  const files = ['core', 'plugins'].flatMap(sources).filter(path => path.includes('/src/'))
  const declared = files.flatMap(path =>
    [...read(path).matchAll(/\.(?:counter|gauge|histogram)\(\s*'(\w+)'/g)].map(([, name]) => name),
  )
  const told = [...read('docs/OPERATING.md').matchAll(/`(mox_\w+)/g)].map(([, name]) => name)
  assert.ok(declared.length > 20 && told.length > 2)
  const missing = [...declared, ...told].filter(name => !known.has(name))
  expect(missing, 'declare it in setup, not at the first use').toEqual([])
})
