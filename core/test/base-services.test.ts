import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClock, TIMER_LIMIT } from '../src/base/clock.ts'
import { base32, createRandom } from '../src/base/random.ts'
import { createSecrets, SECRET_LIMIT } from '../src/base/secrets.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-base-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(dir, { recursive: true, force: true })
})

test.each([
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw6'],
  ['foob', 'mzxw6yq'],
  ['fooba', 'mzxw6ytb'],
  ['foobar', 'mzxw6ytboi'],
])('base32 %j', (text, expected) => {
  expect(base32(Buffer.from(text))).toBe(expected)
})

test('ids are 26 characters and differ; numbers are in [0, 1)', () => {
  const random = createRandom()
  const ids = Array.from({ length: 100 }, () => random.id())
  expect(ids.every(id => /^[a-z2-7]{26}$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(100)
  const numbers = Array.from({ length: 100 }, () => random.number())
  expect(numbers.every(n => n >= 0 && n < 1)).toBe(true)
  expect(random.bytes(7)).toHaveLength(7)
})

test('timers: a wait longer than setTimeout knows, and cancelling', () => {
  vi.useFakeTimers()
  const clock = createClock()
  const ran: string[] = []
  clock.after(TIMER_LIMIT, () => ran.push('at the limit'))
  clock.after(TIMER_LIMIT + 5, () => ran.push('beyond'))
  clock.after(10, () => ran.push('cancelled'))()
  vi.advanceTimersByTime(TIMER_LIMIT - 1)
  expect(ran).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ran).toEqual(['at the limit'])
  vi.advanceTimersByTime(5)
  expect(ran).toEqual(['at the limit', 'beyond'])
})

test('sleep ends with the signal', async () => {
  vi.useFakeTimers()
  const clock = createClock()
  const abort = new AbortController()
  const slept = clock.sleep(1000, abort.signal)
  abort.abort(new Error('enough'))
  await expect(slept).rejects.toThrow('enough')
  await expect(clock.sleep(1, abort.signal)).rejects.toThrow('enough')
  expect(vi.getTimerCount()).toBe(0)
  const other = clock.sleep(5, new AbortController().signal)
  vi.advanceTimersByTime(5)
  await other
})

test('secrets: environment first, then the file; generated once', async () => {
  const secrets = createSecrets(dir, { MOX_SECRET_ADMIN_PASSWORD: 'from env' })
  expect(await secrets.get('admin-password')).toBe('from env')
  expect(await secrets.generate('admin-password', 8)).toBe('from env')
  const [a, b] = await Promise.all([secrets.generate('key', 24), secrets.generate('key', 24)])
  expect(a).toMatch(/^[\w-]{32}$/)
  expect(b).toBe(a)
  expect(await createSecrets(dir, {}).get('key')).toBe(a)
  expect(await createSecrets(dir, {}).generate('key', 24)).toBe(a)
  expect(await readdir(join(dir, 'secrets'))).toEqual(['key'])
  if (process.platform !== 'win32') expect((await stat(join(dir, 'secrets', 'key'))).mode & 0o777).toBe(0o600)
  expect(await readFile(join(dir, 'secrets', 'key'), 'utf8')).toBe(`${a}\n`)
})

test('secrets that cannot be used say what to do', async () => {
  const secrets = createSecrets(dir, {})
  const file = join(dir, 'secrets', 'some-key')
  await expect(secrets.get('some-key')).rejects.toThrow(
    `the secret "some-key" is missing: set MOX_SECRET_SOME_KEY, or write it to ${file} (chmod 600)`,
  )
  for (const name of ['../x', 'A', '', 'a/b', 'a'.repeat(65)])
    await expect(secrets.get(name)).rejects.toThrow('is no name for a secret')
  await mkdir(join(dir, 'secrets'))
  await writeFile(file, '\n')
  await chmod(file, 0o600)
  await expect(secrets.get('some-key')).rejects.toThrow('is empty')
  await writeFile(file, 'x'.repeat(SECRET_LIMIT))
  expect(await secrets.get('some-key')).toHaveLength(SECRET_LIMIT)
  await writeFile(file, 'x'.repeat(SECRET_LIMIT + 1))
  await expect(secrets.get('some-key')).rejects.toThrow('that is no secret')
  await writeFile(file, 'fine\r\n')
  expect(await secrets.get('some-key')).toBe('fine')
  await chmod(file, 0o644)
  if (process.platform !== 'win32') await expect(secrets.get('some-key')).rejects.toThrow(`run: chmod 600 ${file}`)
})
