// The tutorial of docs/PLUGINS.md: its files are written to a folder, compiled with the project's strict settings, and its
// own test is run.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = join(HERE, '..', '..')
let dir: string

beforeAll(async () => {
  const text = await readFile(join(ROOT, 'docs', 'PLUGINS.md'), 'utf8')
  const files = [...text.matchAll(/```ts title=(\S+)\n(.*?)```/gs)]
  expect(files.map(f => f[1])).toEqual(['src/index.ts', 'test/night-only.test.ts'])
  dir = await mkdtemp(join(HERE, 'tutorial-'))
  for (const [, path = '', code = ''] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), code)
  }
  const config = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: {
      noEmit: true,
      customConditions: ['mox-source'],
      isolatedDeclarations: false,
      declaration: false,
    },
    include: ['.'],
  }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(config))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test('compiles', async () => {
  const { stdout } = await run(process.execPath, [
    join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    dir,
  ]).catch((e: { stdout: string }) => e)
  expect(stdout).toBe('')
})

test('its own test passes', async () => {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const { stdout } = await run(
    process.execPath,
    [vitest, 'run', '--root', ROOT, '--exclude', 'none', `${dir}/test/night-only.test.ts`],
    {
      env: { ...process.env, NO_COLOR: '1' },
    },
  ).catch((e: { stdout: string; stderr: string }) => ({ stdout: e.stdout + e.stderr }))
  expect(stdout).toMatch(/Tests +1 passed/)
})
