// resolv.conf: what is read from it, and that it is read again when it changes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectingLog, VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { ATTEMPTS_LIMIT, parseResolvConf, TIMEOUT_LIMIT } from '../src/resolv-conf.ts'
import { CHECK_MS, FILE_LIMIT, ResolvConfFile } from '../src/resolv-conf-file.ts'
import { formatServer, SERVERS_LIMIT } from '../src/server.ts'
import type { Settings } from '../src/settings.ts'
import { withRig } from './support/rig.ts'
import { a, answer, type Script, scriptedServer } from './support/server.ts'

let dir: string
let file: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-dns-'))
  file = join(dir, 'resolv.conf')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const wordsOf = ({ servers, timeoutMs, attempts, rotate, trustAd }: Settings): unknown[] => [
  ...[...servers.map(formatServer), timeoutMs, attempts],
  ...(rotate ? ['rotate'] : []),
  ...(trustAd === undefined ? [] : [trustAd]),
]

test('what is read', () => {
  const check = (text: string, expected: string): void => {
    const { settings, ignored } = parseResolvConf(text)
    const rest = ignored.length > 0 ? ` ignored ${ignored}` : ''
    const words = settings === undefined ? ['none'] : wordsOf(settings)
    assert.equal(words.join(' ') + rest, expected, text)
  }
  check('nameserver 192.0.2.1', '192.0.2.1:53 5000 2')
  check(
    '# by hand\nsearch example.org\nnameserver\t192.0.2.1 # first\n nameserver ::1\r\n',
    '192.0.2.1:53 [::1]:53 5000 2',
  )
  check('nameserver fe80::1%eth0', '[fe80::1%eth0]:53 5000 2')
  check('search example.org\n', '127.0.0.1:53 5000 2')
  check('; nameserver 192.0.2.1\n', '127.0.0.1:53 5000 2')
  check('', 'none')
  check(' \n\n', 'none')
  check('nameserver dns.example.net\nnameserver 300.1.1.1', 'none ignored dns.example.net,300.1.1.1')
  check('nameserver dns.example.net\nnameserver ::1', '[::1]:53 5000 2 ignored dns.example.net')
  check('nameserver', 'none ignored ')
  check('nameserver ::1\noptions timeout:3 attempts:4 rotate trust-ad edns0 ndots:5', '[::1]:53 3000 4 rotate true')
  check('nameserver ::1\noptions timeout:3\noptions rotate timeout:x attempts', '[::1]:53 3000 2 rotate')
  const both = (timeout: number, attempts: number) => `nameserver ::1\noptions timeout:${timeout} attempts:${attempts}`
  check(both(TIMEOUT_LIMIT, ATTEMPTS_LIMIT), '[::1]:53 30000 5')
  check(both(TIMEOUT_LIMIT + 1, ATTEMPTS_LIMIT + 1), '[::1]:53 30000 5')
  check(both(0, 0), '[::1]:53 1000 1')
  const many = Array.from({ length: SERVERS_LIMIT + 1 }, (_, i) => `nameserver 192.0.2.${i}`)
  assert.equal(parseResolvConf(many.slice(0, SERVERS_LIMIT).join('\n')).settings?.servers.length, SERVERS_LIMIT)
  assert.equal(parseResolvConf(many.join('\n')).settings?.servers.length, SERVERS_LIMIT)
})

test('the file is read again when it changed, and a broken one changes nothing', async () => {
  const clock = new VirtualClock()
  const log = collectingLog()
  const conf = new ResolvConfFile(file, clock, log)
  let step = 0
  /** After `write`, and after the time until the next look, the servers are these. */
  const check = async (write: () => Promise<unknown>, expected: string, said: readonly string[]): Promise<void> => {
    await write()
    // Files written in quick succession may have equal times.
    await utimes(file, ++step, step).catch(() => {})
    log.clear()
    await clock.advance(CHECK_MS)
    assert.equal((await conf.settings()).servers.map(formatServer).join(), expected)
    await clock.advance(CHECK_MS)
    await conf.settings()
    assert.deepEqual(log.texts(), said)
  }
  const read = ['info name servers read']
  const kept = ['warn name servers cannot be read; those known stay in use']
  const write = (text: string) => () => writeFile(file, text)
  await check(async () => {}, '127.0.0.1:53', kept)
  await check(write('nameserver 192.0.2.1\n'), '192.0.2.1:53', read)
  await check(async () => {}, '192.0.2.1:53', read)
  await check(write('nameserver 192.0.2.2\n'), '192.0.2.2:53', read)
  await check(write(''), '192.0.2.2:53', kept)
  await check(write('nameserver nowhere\n'), '192.0.2.2:53', kept)
  await check(() => rm(file), '192.0.2.2:53', kept)
  await check(write('search example.org\n'), '127.0.0.1:53', read)
  await check(write('nameserver ::1\n'.padEnd(FILE_LIMIT, '#')), '[::1]:53', read)
  await check(write('nameserver 192.0.2.3\n'.padEnd(FILE_LIMIT + 1, '#')), '[::1]:53', kept)
})

test('looks are seldom', async () => {
  const clock = new VirtualClock()
  await writeFile(file, 'nameserver 192.0.2.1\n')
  const conf = new ResolvConfFile(file, clock, collectingLog())
  const check = async (expected: string): Promise<void> => {
    assert.equal((await conf.settings()).servers.map(formatServer).join(), expected)
  }
  await check('192.0.2.1:53')
  await writeFile(file, 'nameserver 192.0.2.22\n')
  await clock.advance(CHECK_MS - 1)
  await check('192.0.2.1:53')
  await clock.advance(1)
  await check('192.0.2.22:53')
})

test('lookups use the file: servers, rotate, timeout, trust-ad', async () => {
  const script: Script = asked => answer(asked, { ad: true, answers: [a(asked.name)] })
  const [one, two] = [await scriptedServer(script), await scriptedServer(script)]
  // With ports, as only tests write them.
  const write = (options: string) =>
    writeFile(file, `nameserver ${one.address}\nnameserver ${two.address}\noptions ${options}\n`)
  const lengths = (): number[] => [one.asked.length, two.asked.length]
  try {
    await write('timeout:1')
    await withRig(
      [],
      async ({ resolve, host }) => {
        const names = ['a.test', 'b.test', 'c.test', 'd.test']
        for (const name of names) assert.equal((await resolve(name, 'A')).authentic, true)
        assert.deepEqual(lengths(), [4, 0])
        one.script = () => undefined
        const found = resolve('e.test', 'A')
        await one.heard(5)
        await host.advance(1000)
        assert.equal((await found).status, 'found')
        one.script = script
        await write('rotate timeout:2')
        await host.advance(CHECK_MS)
        for (const name of names) await resolve(`more.${name}`, 'A')
        assert.deepEqual(lengths(), [7, 3])
      },
      { resolvConf: file },
    )
  } finally {
    await one.close()
    await two.close()
  }
})
