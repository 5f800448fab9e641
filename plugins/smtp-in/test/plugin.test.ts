// The plugin as the host sees it: options, starting, ports that cannot be had.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type Directory, UsageError } from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import { smtpIn } from '../src/index.ts'
import { options } from '../src/options.ts'
import { Client } from './support/client.ts'
import { VirtualClock } from './support/clock.ts'
import { FakeDirectory, FakeReceiver } from './support/fakes.ts'
import { FakeCertificates, fakeLog, fakeMetrics, fakeRandom, type LogLine } from './support/harness.ts'

const system = { hostname: 'mail.example', dataDir: '/', version: '1' }

function setup(input: Parameters<typeof smtpIn>[0], certificates?: FakeCertificates) {
  const lines: LogLine[] = []
  const parts = smtpIn(input).spec.setup({
    name: 'smtp-in',
    options: options.parse(input) as never,
    services: {
      receiver: new FakeReceiver(),
      directory: new FakeDirectory() as unknown as Directory,
      certificates,
      clock: new VirtualClock(),
      random: fakeRandom(),
      log: fakeLog(lines),
      metrics: fakeMetrics(new Map()),
      system,
    } as never,
  })
  const ports = (): number[] => lines.filter(l => l.text === 'listening').map(l => l.fields['port'] as number)
  return { parts, ports }
}

const plain = { ip: '127.0.0.1', port: 0, kind: 'delivery', tls: 'none' } as const

test('listens, serves, drains and stops', async () => {
  const { parts, ports } = setup({ listeners: { a: plain, b: { ...plain, hostname: 'other.example' } } })
  await parts.listen!()
  const [a, b] = ports()
  using first = await Client.open(a!)
  using second = await Client.open(b!)
  expect(await first.until(/\r\n$/)).toBe('220 mail.example ESMTP mox\r\n')
  expect(await second.until(/\r\n$/)).toBe('220 other.example ESMTP mox\r\n')
  await parts.drain!(new AbortController().signal)
  await parts.stop!()
  await expect(Client.open(a!)).rejects.toThrow()
})

test('a port in use: names the address and the option, and leaves nothing open', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const { parts, ports } = setup({ listeners: { first: plain, second: { ...plain, port } } })
  await expect(parts.listen!()).rejects.toThrow(
    new UsageError(
      `smtp-in: 127.0.0.1:${port} is in use by another program; stop it, or choose another port in plugins: smtpIn({ listeners: { second: { port } } })`,
    ),
  )
  await expect(Client.open(ports()[0]!)).rejects.toThrow()
  other.close()
})

test('an address that this machine does not have', async () => {
  const { parts } = setup({ listeners: { x: { ...plain, ip: '192.0.2.1' } } })
  await expect(parts.listen!()).rejects.toThrow(
    /^smtp-in: cannot listen on 192\.0\.2\.1:0 \(EADDRNOTAVAIL\); check ip and port in plugins/,
  )
})

test('TLS without certificates', async () => {
  const { parts } = setup({ listeners: { x: { ...plain, tls: 'starttls' } } })
  await expect(parts.listen!()).rejects.toThrow(/listeners\.x\.tls is "starttls" but no plugin provides certificates/)
})

test('TLS with certificates', async () => {
  const { parts, ports } = setup({ listeners: { x: { ...plain, tls: 'implicit' } } }, new FakeCertificates())
  await parts.listen!()
  using client = await Client.open(ports()[0]!, {})
  expect(await client.until(/\r\n$/)).toBe('220 mail.example ESMTP mox\r\n')
  await parts.stop!()
})

test('options: defaults', () => {
  expect(options.parse({ listeners: { x: { port: 25, kind: 'delivery', tls: 'starttls' } } })).toEqual({
    listeners: {
      x: { ip: ['0.0.0.0', '::'], port: 25, kind: 'delivery', tls: 'starttls', maxMessageSize: 104_857_600 },
    },
    allowPlainAuth: 'never',
    earlyTalkerMs: 0,
    limits: { connectionsPerMinute: 300, openConnections: 30, slowMode: true, idleSeconds: 300 },
  })
  expect(options.parse({ listeners: { x: plain }, limits: false }).limits).toEqual({
    connectionsPerMinute: false,
    openConnections: false,
    slowMode: false,
    idleSeconds: 300,
  })
})

test('options: mistakes say what to write', () => {
  const check = (input: unknown, ...expected: string[]): void => {
    const result = options.safeParse(input)
    const text = result.success
      ? 'no mistake'
      : result.error.issues.map(i => `${i.path.join('.')}: ${i.message}`).join('\n')
    for (const part of expected) expect(text).toContain(part)
  }
  check({ listeners: {} }, 'listeners: add at least one listener')
  check({ listeners: { x: { ...plain, kind: 'mx' } } }, 'listeners.x.kind: must be "delivery"')
  check({ listeners: { x: { ...plain, tls: true } } }, 'listeners.x.tls: must be "none", "starttls"')
  check({ listeners: { x: { ...plain, port: 70_000 } } }, 'listeners.x.port')
  check({ listeners: { x: { ...plain, size: 1 } } }, 'size')
  check({ listeners: { x: plain }, limits: { openConnections: 0 } }, 'limits')
  check({ listeners: { x: plain }, allowPlainAuth: true }, 'allowPlainAuth: must be "never" or "loopback"')
})
