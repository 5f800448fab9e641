import assert from 'node:assert/strict'
import { DnsError, type Random } from '@mox/plugin-sdk'
import { type DnsRow, fakeDns, seededRandom } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { findDestinations } from '../src/direct/destinations.ts'
import { HOSTS } from '../src/limits.ts'

const mx = (name: string, preference: number, exchange: string): DnsRow => [name, 'MX', { preference, exchange }]

const ZONE: readonly DnsRow[] = [
  mx('plain.example', 20, 'b.example'),
  mx('plain.example', 10, 'a.example'),
  ['alias.example', 'CNAME', 'plain.example'],
  ['bare.example', 'A', '192.0.2.1'],
  ['barealias.example', 'CNAME', 'bare.example'],
  mx('null.example', 0, '.'),
  mx('nullish.example', 0, '.'),
  mx('nullish.example', 10, 'a.example'),
  mx('bad.example', 10, '192.0.2.1'),
  mx('bad.example', 10, '-a-.example'),
  mx('partly.example', 5, '192.0.2.1'),
  mx('partly.example', 10, 'a_b.example'),
  mx('twice.example', 10, 'a.example'),
  mx('twice.example', 20, 'b.example'),
  mx('twice.example', 30, 'a.example'),
  mx('backup.example', 10, 'a.example'),
  mx('backup.example', 20, 'mail.example.org'),
  mx('backup.example', 20, 'b.example'),
  mx('backup.example', 30, 'c.example'),
  mx('ours.example', 10, 'mail.example.org'),
  mx('ours.example', 20, 'a.example'),
  ['mail.example.org', 'A', '192.0.2.25'],
  ['signed.example', 'MX', { preference: 10, exchange: 'a.example' }, { authentic: true }],
  ['one.example', 'CNAME', 'two.example'],
  ['two.example', 'CNAME', 'one.example'],
]
const OWN = new Set(['mail.example.org'])

async function find(domain: string, random: Random = seededRandom(), dns = fakeDns(ZONE)) {
  const signal = new AbortController().signal
  const found = await findDestinations({ dns, random, ownNames: OWN }, domain, signal)
  if ('kind' in found) return `${found.kind} ${found.stage} ${found.code} ${found.enhanced}`
  const { hosts, ...facts } = found
  const flags = Object.entries(facts).flatMap(([name, value]) => (value === true ? [name] : []))
  return [hosts.join(','), ...flags].join(' ')
}

test('hosts of a domain, or what is wrong with it', async () => {
  const check = async (domain: string, expected: string): Promise<void> =>
    assert.equal(await find(domain), expected, domain)
  await check('plain.example', 'a.example,b.example mx')
  await check('alias.example', 'a.example,b.example mx')
  await check('bare.example', 'bare.example')
  await check('barealias.example', 'bare.example')
  await check('signed.example', 'a.example mx authentic')
  await check('twice.example', 'a.example,b.example mx')
  await check('missing.example', 'missing.example missing')
  await check('null.example', 'local dns 556 5.1.10')
  await check('nullish.example', 'a.example mx')
  await check('bad.example', 'local dns 550 5.4.4')
  await check('partly.example', 'a_b.example mx')
  await check('backup.example', 'a.example mx')
  await check('ours.example', 'local dns 554 5.4.6')
  await check('mail.example.org', 'local dns 554 5.4.6')
  await check('one.example', 'io dns 0 4.4.3')
  await check('[192.0.2.9]', '192.0.2.9 literal')
  await check('[IPv6:2001:db8::9]', '2001:db8::9 literal')
  await check('[nonsense]', 'local dns 501 5.1.3')
  await check('', 'local dns 553 5.1.3')
  await check('bücher.example', 'local dns 553 5.1.3')
})

test('an alias costs no question of its own', async () => {
  const dns = fakeDns(ZONE)
  await find('alias.example', seededRandom(), dns)
  assert.deepEqual(dns.queries, ['MX alias.example'])
})

test('failures of DNS are trouble, and say what', async () => {
  for (const failure of ['timeout', 'servfail', 'malformed', 'refused'] as const) {
    const dns = fakeDns(ZONE)
    dns.fail('plain.example', failure)
    assert.equal(await find('plain.example', seededRandom(), dns), 'io dns 0 4.4.3')
  }
  const dns = { resolve: async () => Promise.reject(new DnsError('servfail', 'DNSSEC says no')) }
  const signal = new AbortController().signal
  const found = await findDestinations({ dns, random: seededRandom(), ownNames: OWN }, 'plain.example', signal)
  assert.ok('kind' in found && /hosts of plain\.example in DNS \(servfail: DNSSEC says no\)/.test(found.text))
})

test('equal hosts are shuffled, others keep their order', async () => {
  const rows = ['a', 'b', 'c'].map(name => mx('equal.example', 10, `${name}.example`))
  const dns = fakeDns([...rows, mx('equal.example', 5, 'first.example'), mx('equal.example', 20, 'last.example')])
  const seen = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) {
    const found = await find('equal.example', seededRandom(seed), dns)
    assert.match(found, /^first\.example,.*,last\.example mx$/)
    seen.add(found)
  }
  assert.equal(seen.size, 6)
})

test('only so many hosts', async () => {
  const many = (count: number) =>
    fakeDns(Array.from({ length: count }, (_, i) => mx('many.example', i, `mx${i}.example`)))
  const count = async (given: number): Promise<number> =>
    (await find('many.example', seededRandom(), many(given))).split(',').length
  assert.equal(await count(HOSTS), HOSTS)
  assert.equal(await count(HOSTS + 1), HOSTS)
})
