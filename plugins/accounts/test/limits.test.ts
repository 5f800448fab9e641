// Failed logins: classes of addresses, windows, giving back, bounds; and over the whole plugin.
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { COUNTED, LoginLimits, networkKeys } from '../src/limits.ts'
import { context, converse, ending, openWorld, PASSWORD } from './support/world.ts'

const MINUTE = 60_000
const DAY = 86_400_000

test('networks', () => {
  const same = (a: string, b: string, expected: readonly boolean[]): void => {
    const [left, right] = [networkKeys(a), networkKeys(b)]
    expect(
      left.map((key, i) => key === right[i]),
      `${a} ${b}`,
    ).toEqual(expected)
  }
  same('192.0.2.1', '192.0.2.1', [true, true, true])
  same('192.0.2.1', '192.0.2.63', [false, true, true])
  same('192.0.2.1', '192.0.2.64', [false, false, true])
  same('192.0.0.0', '192.0.7.255', [false, false, true])
  same('192.0.7.255', '192.0.8.0', [false, false, false])
  same('::ffff:192.0.2.1', '192.0.2.1', [true, true, true])
  same('2001:db8::1', '2001:db8::ffff:1', [true, true, true])
  same('2001:db8::1', '2001:0db8:0:0:1::', [true, true, true])
  same('2001:db8::1', '2001:db8:0:1::1', [false, true, true])
  same('2001:db8::1', '2001:db8:1::1', [false, false, true])
  same('2001:db8::1', '2001:db9::1', [false, false, false])
  same('fe80::1%eth0', 'fe80::2', [true, true, true])
  same('nonsense', '', [true, true, true])
})

test('10, 30, 90 a minute and 50, 150, 450 a day', async () => {
  const clock = new VirtualClock(0)
  const limits = new LoginLimits({ perMinute: 10, perDay: 50 }, clock)
  const fail = (ip: string, times: number): void => {
    for (let i = 0; i < times; i++) limits.take(ip)
  }
  fail('192.0.2.1', 9)
  expect(limits.limited('192.0.2.1')).toBe(false)
  fail('192.0.2.1', 1)
  expect(limits.limited('192.0.2.1')).toBe(true)
  expect(limits.limited('192.0.2.2')).toBe(false)
  fail('192.0.2.2', 10)
  fail('192.0.2.3', 9)
  expect(limits.limited('192.0.2.4')).toBe(false)
  fail('192.0.2.3', 1)
  expect(limits.limited('192.0.2.4')).toBe(true)
  expect(limits.limited('192.0.2.100')).toBe(false)
  fail('192.0.2.100', 10)
  fail('192.0.2.101', 10)
  for (let i = 0; i < 4; i++) fail(`192.0.3.${i}`, 10)
  expect(limits.limited('192.0.5.1')).toBe(true)
  expect(limits.limited('192.0.8.1')).toBe(false)
  await clock.advance(MINUTE)
  expect(limits.limited('192.0.2.1')).toBe(false)

  for (let minute = 0; minute < 4; minute++) {
    fail('192.0.2.1', 10)
    expect(limits.limited('192.0.2.1')).toBe(true)
    await clock.advance(MINUTE)
  }
  expect(limits.limited('192.0.2.1')).toBe(true)
  await clock.advance(DAY)
  expect(limits.limited('192.0.2.1')).toBe(false)
})

test('giving back', async () => {
  const clock = new VirtualClock(0)
  const limits = new LoginLimits({ perMinute: 1, perDay: 5 }, clock)
  const giveBack = limits.take('2001:db8::1')
  expect(limits.limited('2001:db8::2')).toBe(true)
  giveBack()
  giveBack()
  expect(limits.limited('2001:db8::2')).toBe(false)
  const late = limits.take('192.0.2.1')
  await clock.advance(MINUTE)
  limits.take('192.0.2.1')
  late()
  expect(limits.limited('192.0.2.1')).toBe(true)
})

test('no limit, and bounded memory', () => {
  const clock = new VirtualClock(0)
  const none = new LoginLimits(false, clock)
  for (let i = 0; i < 1000; i++) none.take('192.0.2.1')()
  expect(none.limited('192.0.2.1')).toBe(false)
  const limits = new LoginLimits({ perMinute: 1, perDay: 1 }, clock)
  const ip = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
  for (let i = 0; i < COUNTED; i++) limits.take(ip(i))
  expect(limits.limited(ip(0))).toBe(true)
  limits.take('2001:db8::1')
  expect(limits.limited('2001:db8::1')).toBe(true)
  // The first one's own entry is gone; its networks are still over their limits.
  expect(limits.limited(ip(0))).toBe(true)
  const forgotten = new LoginLimits({ perMinute: 1, perDay: 1 }, clock)
  const far = (i: number): string => `2001:${i.toString(16)}::1`
  for (let i = 0; i < COUNTED; i++) forgotten.take(far(i))
  expect(forgotten.limited(far(0))).toBe(true)
  forgotten.take('192.0.2.1')
  expect([forgotten.limited(far(0)), forgotten.limited(far(1))]).toEqual([false, true])
})

test('over the whole plugin', async () => {
  const world = await openWorld({
    domains: { 'example.org': {} },
    accounts: { alice: { addresses: ['alice@example.org'], password: PASSWORD } },
    loginLimits: { perMinute: 3, perDay: 1000 },
  })
  try {
    const login = async (password: string, remoteIp: string = '192.0.2.1'): Promise<string> =>
      ending(await world.directory.login('alice@example.org', password, context({ remoteIp })))
    // Right ones do not count, even at the same time.
    for (let i = 0; i < 5; i++) expect(await login(PASSWORD)).toBe('ok alice alice@example.org')
    const together = await Promise.all(Array.from({ length: 20 }, () => login(PASSWORD, '198.51.100.1')))
    expect(new Set(together)).toEqual(new Set(['ok alice alice@example.org']))
    // Guesses in parallel are counted before they are judged.
    const guesses = await Promise.all(Array.from({ length: 6 }, (_, i) => login(`guess number ${i}`)))
    expect(guesses.filter(g => g === '535 badpassword').length).toBe(3)
    expect(guesses.filter(g => g === '454 toomany').length).toBe(3)
    expect(world.directory.limited('192.0.2.1')).toBe(true)
    expect(world.directory.limited('127.0.0.1')).toBe(false)
    expect(await login(PASSWORD)).toBe('454 toomany')
    const scram = world.directory.sasl('SCRAM-SHA-256', context())
    expect(await converse(scram, ['n,,n=alice@example.org,r=abc'])).toEqual(['454 toomany'])
    expect(world.counted.get('mox_authentication_ratelimited_total{submission}')).toBe(5)
    await world.host.advance(MINUTE)
    expect(await login(PASSWORD)).toBe('ok alice alice@example.org')
  } finally {
    await world.close()
  }
})
