// Loading runs in a Node of its own, since the test runner has its own way with imports. One process does all rows.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const LOAD = fileURLToPath(new URL('../src/config/load.ts', import.meta.url))
const good = (rest = ''): string => `import { defineConfig } from '@mox/plugin-sdk'
export default defineConfig({ hostname: 'localhost', plugins: [], ${rest} })
`

const FILES: Record<string, string> = {
  'good.ts': good(),
  'types.ts': `const days: number = 5\n${good('queue: { keepRetiredDays: days }')}`,
  'generic.ts': `const same = <T>(x: T): T => x\nconst days = same<number>(6)\n${good('queue: { keepRetiredDays: days }')}`,
  'common.ts': `module.exports = { hostname: 'c.example', plugins: [] }`,
  'plain.mjs': `export default { hostname: 'a.example', plugins: [] }`,
  'with-part.ts': `import { days } from './part.ts'\n${good('queue: { keepRetiredDays: days }')}`,
  'part.ts': 'export const days: number = 3',
  'syntax.ts': good('queue: {'),
  'syntax.mjs': `export default {\n  hostname: 'a'\n  plugins: [] }\n`,
  'enum.ts': `enum Kind { A }\n${good()}`,
  'package.ts': `// first line\nimport { x } from 'no-such-package'\n${good('x')}`,
  'file.ts': `import x from './nowhere.ts'\n${good('x')}`,
  'named.ts': `import {\n  definConfig } from '@mox/plugin-sdk'\nexport default definConfig({})\n`,
  'throws.ts': `const value: { a?: { b: string } } = {}\nexport default value.a!.b\n`,
  'inner.ts': `import './syntax.ts'\n${good()}`,
  'usage.ts': `import { UsageError } from '@mox/plugin-sdk'\n\nthrow new UsageError('set MY_NAME first')\n`,
  'empty.ts': '',
  'number.mjs': 'export default 7',
  'unknown.ts': `export default { hostname: 'localhost', plugin: [] }`,
}

let dir: string
let results: Record<string, { ok?: Record<string, unknown>; error?: string }>

beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'mox-load-')))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(dir, name), text)
  await mkdir(join(dir, 'site', 'a', 'b'), { recursive: true })
  await writeFile(join(dir, 'site', 'mox.config.ts'), good())
  await writeFile(join(dir, 'site', 'a', 'mox.config.json'), '{}')
  const script = `
    const { loadConfig, findConfig, needConfig } = await import(${JSON.stringify(LOAD)})
    const { writeFileSync } = await import('node:fs')
    const dir = ${JSON.stringify(dir)}
    const out = {}
    const row = async (name, work) => {
      out[name] = await work().then(ok => ({ ok }), error => ({ error: error.name + ': ' + error.message }))
    }
    for (const name of ${JSON.stringify(Object.keys(FILES))}) await row(name, () => loadConfig(dir + '/' + name))
    writeFileSync(dir + '/part.ts', 'export const days: number = 4')
    await row('again', () => loadConfig(dir + '/with-part.ts'))
    await row('find', async () => await findConfig(undefined, dir + '/site/a/b'))
    await row('none', async () => (await findConfig(undefined, dir)) ?? 'nothing')
    await row('need', () => needConfig(undefined, dir))
    await row('given', async () => await findConfig('good.ts', dir))
    await row('missing', () => findConfig('gone.ts', dir))
    await row('folder', () => findConfig('site', dir))
    console.log(JSON.stringify(out))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=mox-source', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      cwd: tmpdir(),
    },
  )
  if (stdout === '') throw new Error(stderr)
  results = JSON.parse(stdout) as typeof results
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('a config file that cannot be used says where and why', () => {
  test.each<[string, (file: string) => string]>([
    [
      'syntax.ts',
      f =>
        `${f}:2: Expected ',', got ')'\n    export default defineConfig({ hostname: 'localhost', plugins: [], queue: { })`,
    ],
    ['syntax.mjs', f => `${f}:3: SyntaxError: Unexpected identifier 'plugins'\n    plugins: [] }`],
    [
      'enum.ts',
      f =>
        `${f}:1: TypeScript enum is not supported in strip-only mode\n    enum Kind { A }\n  Node runs TypeScript by removing`,
    ],
    [
      'package.ts',
      f =>
        `${f}:2: Cannot find package 'no-such-package' imported from ${f}\n    import { x } from 'no-such-package'\n  install it: npm install no-such-package`,
    ],
    [
      'file.ts',
      f =>
        `${f}:1: Cannot find module '${join(f, '..', 'nowhere.ts')}' imported from ${f}\n    import x from './nowhere.ts'`,
    ],
    [
      'named.ts',
      f =>
        `${f}:2: SyntaxError: The requested module '@mox/plugin-sdk' does not provide an export named 'definConfig'\n    definConfig } from`,
    ],
    [
      'throws.ts',
      f => `${f}:2: TypeError: Cannot read properties of undefined (reading 'b')\n    export default value.a!.b`,
    ],
    ['inner.ts', f => `${join(f, '..', 'syntax.ts')}:2: Expected ','`],
    ['usage.ts', f => `${f}:3: set MY_NAME first`],
    ['empty.ts', f => `${f}\n  hostname: is missing`],
    ['number.mjs', f => `${f}\n  the file does not export a config; write: export default defineConfig(`],
    ['unknown.ts', f => `${f}\n  plugin: is not an option; did you mean "plugins"?\n  plugins: is missing`],
  ])('%s', (name, expected) => {
    expect(results[name]?.error).toContain(`UsageError: ${expected(join(dir, name))}`)
  })
})

test('a config outside of the installation finds the packages beside core', () => {
  expect(results['good.ts']?.ok).toMatchObject({
    hostname: 'localhost',
    dataDir: join(dir, 'data'),
    path: join(dir, 'good.ts'),
  })
  expect(results['plain.mjs']?.ok).toMatchObject({ hostname: 'a.example' })
})

test('with types and without, and CommonJS', () => {
  expect(results['common.ts']?.ok).toMatchObject({ hostname: 'c.example' })
  expect(results['types.ts']?.ok).toMatchObject({ queue: { keepRetiredDays: 5 } })
  expect(results['generic.ts']?.ok).toMatchObject({ queue: { keepRetiredDays: 6 } })
})

test('loading again reads the file and what it imports again', () => {
  expect(results['with-part.ts']?.ok).toMatchObject({ queue: { keepRetiredDays: 3 } })
  expect(results['again']?.ok).toMatchObject({ queue: { keepRetiredDays: 4 } })
})

test('finding it', () => {
  expect(results['find']?.ok).toBe(join(dir, 'site', 'mox.config.ts'))
  expect(results['none']?.ok).toBe('nothing')
  expect(results['need']?.error).toBe(
    `UsageError: no mox.config.ts in ${dir} or above; name one with --config FILE, or try \`mox localserve\` for a server on this machine`,
  )
  expect(results['given']?.ok).toBe(join(dir, 'good.ts'))
  expect(results['missing']?.error).toBe(`UsageError: --config gone.ts: there is no file ${join(dir, 'gone.ts')}`)
  expect(results['folder']?.error).toContain('is not a file; name the file, such as')
})
