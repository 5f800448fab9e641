// The parts by themselves: signatures, addresses that may be posted to, waits, times of the command line, options.
import { deepStrictEqual, rejects, strictEqual, throws } from 'node:assert'
import { type Address, Egress, parseNetwork, parseRetryAfter, RETRY_AFTER_MOST_MS } from '@mox/plugin-sdk/io'
import { seededRandom, TEST_NOW } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { parseDuration, parseRange, parseTime } from '../src/commands/times.ts'
import { options, urlProblem } from '../src/options.ts'
import { newSecret, parseSecret, SECRET_LEAST, SECRET_MOST, signature } from '../src/secret.ts'
import { backoff } from '../src/send.ts'

test('signatures: the vector of Standard Webhooks', () => {
  const key = parseSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!
  const args = ['msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}'] as const
  const expected = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  strictEqual(signature([key], ...args), expected)
  const two = signature([key, Buffer.alloc(32)], ...args).split(' ')
  deepStrictEqual([two.length, two[0], two[1] === two[0]], [2, expected, false])
})

test('secrets', () => {
  const check = (text: string, length: number | undefined) => strictEqual(parseSecret(text)?.length, length, text)
  const of = (n: number) => `whsec_${Buffer.alloc(n, 7).toString('base64')}`
  check(of(SECRET_LEAST), SECRET_LEAST)
  check(of(SECRET_LEAST - 1), undefined)
  check(of(SECRET_MOST), SECRET_MOST)
  check(of(SECRET_MOST + 1), undefined)
  check('whsec_', undefined)
  check('whsec_$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$', undefined)
  check(Buffer.alloc(32).toString('base64'), undefined)
  check(newSecret(seededRandom()), 32)
})

test('addresses that may be posted to', () => {
  const check = (address: string, expected: boolean, allowed: string[] = []) =>
    strictEqual(new Egress(allowed).permits(address), expected, address)
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.0.1',
    '100.63.0.1',
    '223.255.255.1',
  ])
    check(address, true)
  for (const address of ['2606:4700::1111', '2a00:1450:4001:81b::200e']) check(address, true)
  for (const address of [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.255', '169.254.169.254'],
    ...['172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  ])
    check(address, false)
  for (const address of [
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a00:1', '64:ff9b::7f00:1', '100::1'],
    ...['fe80::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2002:7f00:1::', '2001::1', '2001:db8::1', '3fff::1'],
    ...['fe80::1%eth0', '2606:4700::1%eth0', 'localhost', ''],
  ])
    check(address, false)
  check('::ffff:8.8.8.8', true)
  check('127.0.0.1', true, ['127.0.0.0/8'])
  check('::ffff:127.0.0.1', true, ['127.0.0.0/8'])
  check('128.0.0.1', true, ['127.0.0.0/8'])
  check('10.1.2.3', true, ['10.1.2.3'])
  check('10.1.2.4', false, ['10.1.2.3'])
  check('::1', true, ['::1/128'])
  check('fd12::1', true, ['fd00::/8'])
})

test('names are judged by their addresses, each time', async () => {
  let answers: readonly string[][] = []
  const egress = new Egress([], {
    resolve: async () =>
      (answers[0] ?? []).map((address): Address => ({ address, family: address.includes(':') ? 6 : 4 })),
    hint: '; allow it',
  })
  const check = async (found: string[], expected: string[] | RegExp) => {
    answers = [found]
    if (expected instanceof RegExp) await rejects(egress.lookup('a.example'), expected)
    else
      deepStrictEqual(
        (await egress.lookup('a.example')).map(({ address }) => address),
        expected,
      )
  }
  await check(['8.8.8.8'], ['8.8.8.8'])
  await check(['10.0.0.1', '8.8.8.8', '::1'], ['8.8.8.8'])
  // The name answers differently the second time.
  await check(['127.0.0.1'], /127\.0\.0\.1 is not a public address; allow it/)
  await check(['::1', '10.0.0.1'], /::1 is not a public address/)
  await check([], /a\.example is not/)
})

test('hosts in URLs', () => {
  const check = (url: string, refused: boolean) => {
    const work = () => new Egress([]).checkHost(new URL(url).hostname)
    if (refused) throws(work, /not a public address/, url)
    else work()
  }
  check('https://example.org/', false)
  check('https://8.8.8.8/', false)
  check('https://[2606:4700::1]/', false)
  for (const host of [
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '①②⑦.0.0.1',
  ])
    check(`http://${host}/`, true)
})

test('networks', () => {
  const check = (text: string, expected: [string, number] | undefined) => {
    const parsed = parseNetwork(text)
    deepStrictEqual(parsed && [parsed.address, parsed.prefix], expected, text)
  }
  check('10.0.0.0/8', ['10.0.0.0', 8])
  check('10.0.0.1', ['10.0.0.1', 32])
  check('::1', ['::1', 128])
  check('fd00::/8', ['fd00::', 8])
  check('10.0.0.0/33', undefined)
  check('::/129', undefined)
  check('10.0.0.0/8/8', undefined)
  check('10.0.0.0/', undefined)
  check('fe80::%1/64', undefined)
  check('example.org', undefined)
})

test('waits', () => {
  const schedule = options.parse({}).retrySchedule
  const at = (fraction: number) => ({ ...seededRandom(), number: () => fraction })
  const minutes = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960, 960, 960]
  deepStrictEqual(
    [...Array(14).keys()].map(n => backoff(schedule, n + 1, at(0.5))),
    [...minutes.map(n => n * 60_000), undefined],
  )
  deepStrictEqual([backoff(schedule, 1, at(0)), backoff(schedule, 1, at(1))], [59_400, 60_600])
})

test('Retry-After', () => {
  const check = (value: string | undefined, expected: number | undefined) =>
    strictEqual(parseRetryAfter(value, TEST_NOW), expected, value)
  check(undefined, undefined)
  check('120', 120_000)
  check('0', undefined)
  check('-1', undefined)
  check('soon', undefined)
  check('86400', RETRY_AFTER_MOST_MS)
  check('86401', RETRY_AFTER_MOST_MS)
  check('9999999999', RETRY_AFTER_MOST_MS)
  check(new Date(TEST_NOW + 5_000).toUTCString(), 5_000)
  check(new Date(TEST_NOW - 5_000).toUTCString(), undefined)
})

test('times on the command line', () => {
  const duration = (text: string, expected: number | RegExp) => {
    if (typeof expected === 'number') strictEqual(parseDuration(text), expected, text)
    else throws(() => parseDuration(text), expected)
  }
  duration('0', 0)
  duration('300ms', 300)
  duration('1h30m', 5_400_000)
  duration('-24h', -86_400_000)
  duration('1.5s', 1_500)
  duration('2d', 172_800_000)
  duration('5', /"5" is no duration/)
  duration('', /no duration/)
  duration('1h 30m', /no duration/)
  duration('99999999d', /hundred years/)
  const range = (text: string, expected: object | RegExp) => {
    if (expected instanceof RegExp) throws(() => parseRange(text, TEST_NOW), expected)
    else deepStrictEqual(parseRange(text, TEST_NOW), expected)
  }
  range('<-24h', { until: TEST_NOW - 86_400_000 })
  range('>1h', { from: TEST_NOW + 3_600_001 })
  range('<now', { until: TEST_NOW })
  range('24h', /no time filter/)
  const time = (text: string, expected: number | RegExp) => {
    if (typeof expected === 'number') strictEqual(parseTime(text, TEST_NOW), expected, text)
    else throws(() => parseTime(text, TEST_NOW), expected)
  }
  time('now', TEST_NOW)
  time('-2d', TEST_NOW - 172_800_000)
  time('2026-03-01', Date.UTC(2026, 2, 1))
  time('2026-03-01T08:00:00Z', Date.UTC(2026, 2, 1, 8))
  time('2026-13-01', /no time/)
  time('2026-03-01 08:00', /no time/)
})

test('options', () => {
  const url = 'https://example.org/hook'
  const check = (input: unknown, ...problems: string[]) => {
    const result = options.safeParse(input)
    deepStrictEqual(result.success ? [] : result.error.issues.map(({ path }) => path.join('.')), problems)
  }
  check(undefined)
  check({
    accounts: { alice: { outgoing: { url, authorization: 'Basic eDp5', events: ['failed'] }, incoming: { url } } },
  })
  const secret = newSecret(seededRandom())
  check({ accounts: { alice: { outgoing: { url, secret } } } })
  check({ accounts: { alice: { outgoing: { url, secret: [secret, 'name-of-one'] } } } })
  check(
    { accounts: { alice: { outgoing: { url, secret: [secret, secret, secret] } } } },
    'accounts.alice.outgoing.secret',
  )
  check({ accounts: { alice: { outgoing: { url, secret: 'whsec_short' } } } }, 'accounts.alice.outgoing.secret')
  check({ accounts: { alice: { outgoing: { url, events: ['incoming'] } } } }, 'accounts.alice.outgoing.events.0')
  check(
    { accounts: { alice: { outgoing: { url, authorization: 'a\r\nb' } } } },
    'accounts.alice.outgoing.authorization',
  )
  check({ accounts: { alice: { incoming: { url, events: [] } } } }, 'accounts.alice.incoming')
  check({ accounts: { alice: { endpoints: [{ name: 'a', url, concurrency: 100 }] } } })
  check(
    { accounts: { alice: { endpoints: [{ name: 'a', url, concurrency: 101 }] } } },
    'accounts.alice.endpoints.0.concurrency',
  )
  check({ accounts: { alice: { endpoints: [{ name: 'outgoing', url }] } } }, 'accounts.alice.endpoints.0.name')
  check({ accounts: { alice: { endpoints: [{ name: 'A', url }] } } }, 'accounts.alice.endpoints.0.name')
  check(
    {
      accounts: {
        alice: {
          endpoints: [
            { name: 'a', url },
            { name: 'a', url },
          ],
        },
      },
    },
    'accounts.alice.endpoints',
  )
  check({ allowNetworks: ['10.0.0.0/99'] }, 'allowNetworks.0')
  check({ retrySchedule: [] }, 'retrySchedule')
  check({ retrySchedule: [0.5] }, 'retrySchedule.0')
  check({ keepDays: -1 }, 'keepDays')
  check({ accounts: { alice: { keepDays: 0 } } })
  check({ accounts: { alice: { keepDays: 3651 } } }, 'accounts.alice.keepDays')
  check({ nonsense: 1 }, '')
})

test('URLs of endpoints', () => {
  const check = (text: string, problem: RegExp | undefined) =>
    strictEqual(
      problem === undefined ? urlProblem(text) === undefined : problem.test(urlProblem(text) ?? ''),
      true,
      text,
    )
  check('https://example.org/', undefined)
  check('http://127.0.0.1:8080/x', undefined)
  check(`https://example.org/${'a'.repeat(1_980)}`, undefined)
  check(`https://example.org/${'a'.repeat(1_981)}`, /more than 2000/)
  check('example.org', /no URL/)
  check('ftp://example.org/', /https/)
  check('file:///etc/passwd', /https/)
  check('https://user:pw@example.org/', /authorization/)
})
