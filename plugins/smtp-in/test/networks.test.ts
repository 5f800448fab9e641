// Limits by client address: the classes, one connection at the limit and one beyond it.
import { expect, test } from 'vitest'
import { ConnectionLimits, isLoopback, networkKeys, plainAddress } from '../src/networks.ts'

test('addresses of one class share its key', () => {
  const check = (a: string, b: string, shared: [boolean, boolean, boolean]): void => {
    const [left, right] = [networkKeys(a), networkKeys(b)]
    expect(left.map((key, i) => key === right[i])).toEqual(shared)
  }
  check('192.0.2.1', '192.0.2.1', [true, true, true])
  check('192.0.2.1', '192.0.2.62', [false, true, true])
  check('192.0.2.1', '192.0.2.64', [false, false, true])
  check('192.0.0.1', '192.0.7.255', [false, false, true])
  check('192.0.0.1', '192.0.8.0', [false, false, false])
  check('2001:db8:0:1::1', '2001:db8:0:1:ffff::', [true, true, true])
  check('2001:db8:0:1::1', '2001:db8:0:2::1', [false, true, true])
  check('2001:db8:1::', '2001:db8:2::', [false, false, true])
  check('2001:db8::', '2001:db9::', [false, false, false])
  check('::1', '0:0:0:0:0:0:0:1', [true, true, true])
  check('fe80::1%eth0', 'fe80::2%eth1', [true, true, true])
})

test('IPv4 clients of dual-stack sockets', () => {
  expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(plainAddress('2001:db8::1')).toBe('2001:db8::1')
  expect(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '::2'].map(isLoopback)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

test('connections per minute', () => {
  const limits = new ConnectionLimits({ connectionsPerMinute: 300, openConnections: false })
  const take = (address: string, count: number, now: number): string[] =>
    Array.from({ length: count }, () => limits.admit(address, now))
  expect(take('192.0.2.1', 300, 0)).not.toContain('rate')
  expect(limits.admit('192.0.2.1', 59_999)).toBe('rate')
  expect(limits.admit('192.0.2.2', 59_999)).toBe('ok')
  expect(limits.admit('192.0.2.1', 60_000)).toBe('ok')
  // 900 for a /26, 2700 for a /21.
  for (let i = 0; i < 3; i++) take(`198.51.100.${i}`, 300, 60_000)
  expect(limits.admit('198.51.100.9', 60_000)).toBe('rate')
  for (let i = 1; i <= 9; i++) take(`203.0.${104 + (i % 8)}.${i * 25}`, 300, 60_000)
  expect(limits.admit('203.0.111.254', 60_000)).toBe('rate')
  expect(limits.admit('203.0.112.1', 60_000)).toBe('ok')
})

test('open connections', () => {
  const limits = new ConnectionLimits({ connectionsPerMinute: false, openConnections: 30 })
  for (let i = 0; i < 30; i++) expect(limits.admit('2001:db8::1', 0)).toBe('ok')
  expect(limits.admit('2001:db8::2', 0)).toBe('open')
  limits.release('2001:db8::1')
  expect(limits.admit('2001:db8::2', 0)).toBe('ok')
  for (let i = 1; i < 3; i++) for (let n = 0; n < 30; n++) limits.admit(`2001:db8:0:${i}::`, 0)
  expect(limits.admit('2001:db8:0:9::', 0)).toBe('open')
  expect(limits.admit('2001:db8:1::', 0)).toBe('ok')
})

test('no limits', () => {
  const limits = new ConnectionLimits({ connectionsPerMinute: false, openConnections: false })
  for (let i = 0; i < 5000; i++) expect(limits.admit('127.0.0.1', 0)).toBe('ok')
})
