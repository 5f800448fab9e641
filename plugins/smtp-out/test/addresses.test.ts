import assert from 'node:assert/strict'
import { type DnsRow, fakeDns } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { type Families, findAddresses, orderAddresses } from '../src/direct/addresses.ts'
import { egressGuard, parseNetwork } from '../src/direct/networks.ts'
import { local } from '../src/failure.ts'
import { ADDRESSES } from '../src/limits.ts'

test('order: families take turns, an address that was tried once comes back', () => {
  const all = '4a 4b 6a 6b'
  const check = (addresses: string, dialed: string, expected: string): void => {
    const ip = (name: string): string =>
      name.startsWith('4') ? `192.0.2.${name.charCodeAt(1)}` : `2001:db8::${name[1]}`
    const list = (names: string): string[] => names.split(' ').filter(Boolean).map(ip)
    assert.deepEqual(orderAddresses(list(addresses), list(dialed)), list(expected), `${addresses} after ${dialed}`)
  }
  check(all, '', '4a 4b 6a 6b')
  check(all, '4a', '6a 6b 4a 4b')
  check(all, '4b', '6a 6b 4b 4a')
  check(all, '4b 6b', '4a 4b 6b 6a')
  check(all, '4b 6b 4a', '6a 6b 4a 4b')
  check(all, '4a 4b', '6a 6b 4a 4b')
  check(all, '4b 6a 6b', '4a 4b 6a 6b')
  check(all, '4b 4b', '6a 6b 4a 4b')
  check('4a 4b', '4b', '4b 4a')
  check('4a 4b', '4b 4b', '4a 4b')
  check('4a 4b', '6a', '4a 4b')
  check('6a 6b', '6b', '6b 6a')
  check('4a', '4a', '4a')
  check('4a 4b 6a', '4c', '6a 4a 4b')
})

const ZONE: readonly DnsRow[] = [
  ['dual.example', 'A', '192.0.2.1'],
  ['dual.example', 'A', '192.0.2.2'],
  ['dual.example', 'AAAA', '2001:db8::1'],
  ['four.example', 'A', '192.0.2.3'],
  ['alias.example', 'CNAME', 'four.example'],
  ['text.example', 'TXT', 'no addresses'],
  ['signed.example', 'A', '192.0.2.4', { authentic: true }],
  ['inside.example', 'A', '10.1.2.3'],
  ['mixed.example', 'A', '127.0.0.1'],
  ['mixed.example', 'A', '192.0.2.5'],
  ['ours.example', 'A', '192.0.2.25'],
]
const BOTH: Families = { ipv4: true, ipv6: true }
const dns = fakeDns(ZONE)

async function find(host: string, families: Families = BOTH, dialed: readonly string[] = []): Promise<string> {
  const guard = egressGuard([], ['192.0.2.25'])
  const unknown = local('dns', 550, '5.1.2', 'no such domain')
  const found = await findAddresses(dns, { host, families, guard, dialed, unknown }, new AbortController().signal)
  if ('kind' in found) return `${found.kind} ${found.stage} ${found.code} ${found.enhanced}`
  const { addresses, dualStack, canonical, authentic } = found
  return [addresses.join(','), canonical, dualStack && 'dual', authentic && 'authentic'].filter(Boolean).join(' ')
}

test('addresses of a host', async () => {
  const check = async (expected: string, ...input: Parameters<typeof find>): Promise<void> =>
    assert.equal(await find(...input), expected)
  await check('192.0.2.1,192.0.2.2,2001:db8::1 dual.example dual', 'dual.example')
  await check('2001:db8::1,192.0.2.2,192.0.2.1 dual.example dual', 'dual.example', BOTH, ['192.0.2.2'])
  await check('192.0.2.1,192.0.2.2 dual.example', 'dual.example', { ipv4: true, ipv6: false })
  await check('2001:db8::1 dual.example', 'dual.example', { ipv4: false, ipv6: true })
  await check('192.0.2.3 four.example', 'four.example')
  await check('192.0.2.3 four.example', 'alias.example')
  await check('io dns 0 4.4.4', 'four.example', { ipv4: false, ipv6: true })
  await check('io dns 0 4.4.4', 'text.example')
  await check('local dns 550 5.1.2', 'missing.example')
  await check('192.0.2.7 192.0.2.7', '192.0.2.7')
  await check('io dns 0 4.4.4', '192.0.2.7', { ipv4: false, ipv6: true })
  await check('2001:db8::7 2001:db8::7', '2001:db8::7')
  await check('local policy 554 5.4.4', '127.0.0.1')
  await check('local policy 554 5.4.4', 'inside.example')
  await check('192.0.2.5 mixed.example', 'mixed.example')
  await check('local policy 554 5.4.4', 'ours.example')
  await check('192.0.2.4 signed.example authentic', 'signed.example', { ipv4: true, ipv6: false })
  await check('192.0.2.4 signed.example', 'signed.example')
})

test('trouble with one family does not matter while the other is known', async () => {
  dns.fail('dual.example', 'servfail', { type: 'AAAA', times: 1 })
  assert.equal(await find('dual.example'), '192.0.2.1,192.0.2.2 dual.example')
  dns.fail('four.example', 'timeout', { type: 'A', times: 1 })
  assert.equal(await find('four.example'), 'io dns 0 4.4.3')
})

test('both families are asked at the same time', async () => {
  const hanging = fakeDns(ZONE)
  hanging.fail('dual.example', 'hang')
  const abort = new AbortController()
  const query = { host: 'dual.example', families: BOTH, guard: () => undefined, dialed: [] }
  const pending = findAddresses(hanging, query, abort.signal)
  assert.deepEqual(hanging.queries, ['A dual.example', 'AAAA dual.example'])
  abort.abort(new Error('finding dual.example took longer than 30 s'))
  const found = await pending
  assert.ok('kind' in found && found.text.includes('took longer than 30 s'))
})

test('only so many addresses', async () => {
  const many = (count: number) =>
    fakeDns(Array.from({ length: count }, (_, i): DnsRow => ['many.example', 'A', `192.0.2.${i + 1}`]))
  const count = async (given: number): Promise<number> => {
    const query = { host: 'many.example', families: BOTH, guard: () => undefined, dialed: [] }
    const found = await findAddresses(many(given), query, new AbortController().signal)
    return 'kind' in found ? -1 : found.addresses.length
  }
  assert.equal(await count(ADDRESSES), ADDRESSES)
  assert.equal(await count(ADDRESSES + 1), ADDRESSES)
})

test('networks that strangers must not send us to', () => {
  const allowed = ['10.1.0.0/16', '::1'].map(text => parseNetwork(text)!)
  const guard = egressGuard(allowed, ['192.0.2.25', '2001:db8::25'])
  const check = (ip: string, expected: string | undefined): void => assert.equal(guard(ip), expected, ip)
  const inside = [
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '10.2.0.0',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.255',
      '169.254.169.254',
      '172.16.0.1',
    ],
    ...[
      '172.31.255.255',
      '192.168.1.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12::1',
    ],
    ...['ff02::1', '::ffff:127.0.0.1', '::ffff:a02:1', '::10.0.0.1', '64:ff9b::192.168.0.1', '64:ff9b:1::1', 'fec0::1'],
  ]
  for (const ip of inside) check(ip, 'is private')
  const outside = [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
  ]
  for (const ip of [...outside, '192.167.255.255', '192.0.2.1', '2001:db8::1', '64:ff9b::1.1.1.1']) check(ip, undefined)
  check('10.1.255.255', undefined)
  check('::1', undefined)
  check('192.0.2.25', 'is an address of this server')
  check('2001:db8:0::25', 'is an address of this server')
})

test('networks as text', () => {
  const check = (text: string, expected: string | undefined): void => {
    const network = parseNetwork(text)
    assert.equal(network && `${network.family} ${network.address}/${network.bits}`, expected, text)
  }
  check('10.0.0.0/8', 'ipv4 10.0.0.0/8')
  check('10.0.0.1', 'ipv4 10.0.0.1/32')
  check('0.0.0.0/0', 'ipv4 0.0.0.0/0')
  check('::1', 'ipv6 ::1/128')
  check('fd00::/8', 'ipv6 fd00::/8')
  for (const bad of [
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%lo',
    'example.org',
  ])
    check(bad, undefined)
})
