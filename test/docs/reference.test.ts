// What keeps the documentation of options true: the reference is made from a config with every plugin, and every option is
// explained in the README of its plugin.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
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
