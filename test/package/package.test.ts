// What is published works: a copy of the repository is built, every package packed, the tarballs are installed together in an
// empty folder, and config.example.ts is started from there. Takes a minute; the repository itself is not touched.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { run } from '../kit/cli.ts'
import { startInstalled } from '../kit/installed.ts'
import { withTempDir } from '../kit/temp.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Minutes are not unusual on a machine whose npm cache is empty. */
const TIMEOUT = 300_000

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: Record<string, string>
}

test('packed, installed in an empty folder, and started', { timeout: TIMEOUT }, async () => {
  await withTempDir(async dir => {
    const copy = join(dir, 'copy')
    const tarballs = join(dir, 'tarballs')
    const place = join(dir, 'empty')
    await mkdir(tarballs)
    await mkdir(place)
    await copyRepository(copy)
    await succeeds(['npm', 'run', 'build:web'], copy)
    await succeeds(['npm', 'run', 'build'], copy)
    // The template is built the way its own README says, and packed like any third party's plugin.
    await succeeds(['npm', 'run', 'build', '-w', TEMPLATE], copy)
    const packages = await publishable(copy)
    assert.ok(packages.some(p => p.name === '@mox/core') && packages.some(p => p.name === '@mox/plugin-sdk'))
    await succeeds(
      ['npm', 'pack', '--ignore-scripts', '--pack-destination', tarballs, ...packages.flatMap(p => ['-w', p.name])],
      copy,
    )
    await succeeds(['npm', 'pack', '--ignore-scripts', '--pack-destination', tarballs, '-w', TEMPLATE], copy)
    const files = (await readdir(tarballs)).sort()
    assert.equal(files.length, packages.length + 1)
    for (const file of files) await looksRight(join(tarballs, file))

    await writeFile(join(place, 'package.json'), '{ "name": "place", "private": true, "type": "module" }\n')
    await succeeds(
      ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...files.map(f => join(tarballs, f))],
      place,
    )
    const example = await readFile(join(ROOT, 'config.example.ts'), 'utf8')
    // Free ports on loopback, and a log that a program can read; the rest is as it is published.
    const config = example
      .replace(/\bport: \d+/g, 'port: 0')
      .replaceAll("['0.0.0.0', '::']", "['127.0.0.1']")
      .replace("format: 'logfmt'", "format: 'json'")
      .replace('  plugins: [', "  plugins: [\n    weekendHold({ domains: ['example.net'] }),")
      .replace('import {', `import { weekendHold } from '${TEMPLATE}'\nimport {`)
    assert.notEqual(config, example)
    await writeFile(join(place, 'mox.config.ts'), config)

    const checked = await run(['npx', '--no-install', 'mox', 'config', 'check'], { cwd: place, env: path() })
    assert.equal(checked.code, 0, checked.stderr + checked.stdout)
    const listed = await run(['npx', '--no-install', 'mox', 'plugin', 'list'], { cwd: place, env: path() })
    assert.match(listed.stdout, /weekend-hold/)
    // The processes that read messages are found, too.
    await writeFile(join(place, 'read.mjs'), READ)
    const read = await run(['node', 'read.mjs'], { cwd: place, env: path() })
    assert.equal(read.stdout, 'Hello\ntext Hello\n', read.stderr)
    await using server = await startInstalled(place)
    const session = await server.smtp('smtp')
    assert.equal(session.greeting.code, 220)
    await session.quit()
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  })
})

const READ = `
import { Confined } from '@mox/plugin-sdk/io'
const clock = { now: () => 0, sleep: async () => {}, after: () => () => {} }
const open = path => new Confined(new URL(import.meta.resolve(path)), { ms: 5_000, mib: 256 }, clock)
const digests = open('./node_modules/@mox/plugin-mailboxes/dist/digest-process.js')
const reads = open('./node_modules/@mox/plugin-webmail/dist/server/content/read-process.js')
const bytes = Buffer.from('Subject: Hello\\r\\n\\r\\ntext')
const { text } = await digests.ask(bytes)
const opened = await reads.ask({ bytes, request: { kind: 'open' } })
console.log(text.trim(), opened.subject)
`

/** plugin-sdk/template, a complete third-party plugin. */
const TEMPLATE = 'mox-plugin-weekend-hold'
const SKIP = new Set(['node_modules', 'dist', '.git', 'data', 'tmp'])

/** The sources, without what was built, and with links to the dependencies that are installed. */
async function copyRepository(to: string): Promise<void> {
  await cp(ROOT, to, { recursive: true, filter: source => source === ROOT || !SKIP.has(basename(source)) })
  const modules = join(to, 'node_modules')
  await mkdir(join(modules, '@mox'), { recursive: true })
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '@mox' && name !== '.package-lock.json')
      await symlink(join(ROOT, 'node_modules', name), join(modules, name))
  // Workspaces are relative links, which then mean the copy's.
  for (const name of await readdir(join(ROOT, 'node_modules', '@mox')))
    await symlink(await readlink(join(ROOT, 'node_modules', '@mox', name)), join(modules, '@mox', name))
}

/** Packages that `npm publish` would publish. */
async function publishable(root: string): Promise<Manifest[]> {
  const { stdout } = await succeeds(['npm', 'query', '.workspace'], root)
  return (JSON.parse(stdout) as Manifest[]).filter(p => p.private !== true)
}

/** A tarball has compiled code, its types and a README, and neither sources nor tests. */
async function looksRight(tarball: string): Promise<void> {
  const { stdout } = await succeeds(['tar', '-tzf', tarball], ROOT)
  const files = stdout.trim().split('\n')
  const has = (pattern: RegExp): boolean => files.some(file => pattern.test(file))
  assert.ok(has(/^package\/dist\/.*\.js$/), `${tarball} has compiled code`)
  assert.ok(has(/^package\/dist\/.*\.d\.ts$/), `${tarball} has types`)
  assert.ok(has(/^package\/README\.md$/), `${tarball} has a README`)
  assert.ok(!has(/^package\/(?:src|test)\/|tsbuildinfo$/), `${tarball} has no sources, tests or build state`)
}

async function succeeds(command: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const result = await run(command, { cwd, env: path(), timeout: TIMEOUT })
  assert.equal(result.code, 0, `${command.join(' ')}\n${result.stdout}${result.stderr}`)
  return result
}

/** The Node that runs this test comes first. */
function path(): Record<string, string> {
  return { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
}
