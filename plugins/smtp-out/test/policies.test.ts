// Destination policies: a fake provider of each demand, what is asked of it, and what it does to a delivery.
import assert from 'node:assert/strict'
import type { DestinationHost, DestinationPolicies, HostPolicy } from '@mox/plugin-sdk'
import type { DnsRow } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import type { Behaviour } from './support/servers.ts'
import { type BatchOptions, brief, makeBatch, makeWorld, run } from './support/world.ts'

const ZONE: readonly DnsRow[] = [
  ['alias.example', 'CNAME', 'example.net', { authentic: true }],
  ['example.net', 'MX', { preference: 10, exchange: 'mx1.example.net' }, { authentic: true }],
  ['example.net', 'MX', { preference: 20, exchange: 'mx2.example.net' }, { authentic: true }],
  ['mx1.example.net', 'CNAME', 'real.example.net'],
  ['real.example.net', 'A', '192.0.2.1'],
  ['mx2.example.net', 'A', '192.0.2.2', { authentic: true }],
]
const MX1 = 'mx1.example.net 192.0.2.1'
const MX2 = 'mx2.example.net 192.0.2.2'

/** Like an MTA-STS policy in enforce mode. */
function listing(...hosts: readonly string[]): DestinationPolicies {
  const refuse = (host: string) => (hosts.includes(host) ? undefined : 'not in the policy')
  return { name: 'mta-sts', domain: async () => ({ refuse, pkix: true }) }
}
/** Like TLSA records. */
function host(policy: HostPolicy): DestinationPolicies {
  return { name: 'dane', host: async () => policy }
}
const ACCEPTS: HostPolicy = { id: 'a', accept: () => undefined }
const REFUSES: HostPolicy = {
  id: 'r',
  accept: ([leaf]) => (String(leaf) === '192.0.2.1' ? 'no TLSA record matches' : undefined),
}
const BREAKS: DestinationPolicies = {
  name: 'mta-sts',
  domain: () => Promise.reject(new Error('the policy cannot be fetched')),
}

interface Row extends BatchOptions {
  readonly policies: readonly DestinationPolicies[]
  readonly servers?: readonly Behaviour[]
}

async function check(
  { policies, servers = [], ...batch }: Row,
  expected: string,
  done?: readonly string[],
): Promise<void> {
  const world = makeWorld(ZONE, policies)
  for (const [i, behaviour] of servers.entries()) world.servers.set(`192.0.2.${i + 1}`, behaviour)
  const results = await run(world, world.direct(), makeBatch(batch))
  assert.deepEqual(results.map(brief), [expected])
  if (done !== undefined) assert.deepEqual(world.servers.done, done)
}

test('a domain that names its hosts and wants verified TLS', async () => {
  const all = listing('mx1.example.net', 'mx2.example.net')
  await check({ policies: [all] }, `1 delivered 250 2.0.0 end ${MX1}`, [
    'dial 192.0.2.1',
    `${MX1} required`,
    'send bob',
  ])
  await check({ policies: [all], servers: ['untrusted'] }, `1 delivered 250 2.0.0 end ${MX2}`, [
    ...['dial 192.0.2.1', `${MX1} required`, 'dial 192.0.2.2', `${MX2} required`, 'send bob'],
  ])
  await check({ policies: [all], servers: ['tls at starttls; ok', 'untrusted'] }, `1 temporary 0 4.7.5 starttls ${MX2}`)
  await check({ policies: [listing('mx2.example.net')] }, `1 delivered 250 2.0.0 end ${MX2}`, [
    ...['dial 192.0.2.2', `${MX2} required`, 'send bob'],
  ])
  await check({ policies: [listing()] }, '1 temporary 0 4.7.5 policy mx2.example.net -', [])
})

test('a host that wants TLS, and one that says which certificates will do', async () => {
  await check({ policies: [host({ id: 'any' })] }, `1 delivered 250 2.0.0 end ${MX1}`, [
    ...['dial 192.0.2.1', `${MX1} required`, 'send bob'],
  ])
  await check({ policies: [host({ id: 'any' })], servers: ['tls at starttls; ok'] }, `1 delivered 250 2.0.0 end ${MX2}`)
  await check({ policies: [host({ id: 'any' })], servers: ['untrusted'] }, `1 delivered 250 2.0.0 end ${MX1}`)
  await check({ policies: [host(ACCEPTS)], servers: ['untrusted'] }, `1 delivered 250 2.0.0 end ${MX1}`)
  await check({ policies: [host(REFUSES)] }, `1 delivered 250 2.0.0 end ${MX2}`)
  await check({ policies: [host(ACCEPTS), host(REFUSES)] }, `1 delivered 250 2.0.0 end ${MX2}`)
  await check({ policies: [listing('mx1.example.net'), host(REFUSES)] }, '1 temporary 0 4.7.5 policy mx2.example.net -')
})

test('a policy that cannot be had delays', async () => {
  await check({ policies: [BREAKS] }, '1 temporary 0 4.7.5 policy - -', [])
  const breaks: DestinationPolicies = {
    name: 'dane',
    host: async ({ host }) => (host === 'mx1.example.net' ? Promise.reject(new Error('SERVFAIL')) : undefined),
  }
  await check({ policies: [breaks] }, `1 delivered 250 2.0.0 end ${MX2}`, [
    'dial 192.0.2.2',
    `${MX2} opportunistic`,
    'send bob',
  ])
})

test('"TLS-Required: No" and address literals ask nobody', async () => {
  const all = [BREAKS, host(REFUSES)]
  await check({ policies: all, requireTls: false }, `1 delivered 250 2.0.0 end ${MX1}`)
  await check({ policies: all, to: ['bob@[192.0.2.1]'] }, '1 delivered 250 2.0.0 end 192.0.2.1 192.0.2.1')
})

test('REQUIRETLS needs a policy that verifies, and a host that has the extension', async () => {
  const requireTls = true
  await check({ requireTls, policies: [listing('mx1.example.net')] }, `1 delivered 250 2.0.0 end ${MX1}`)
  await check({ requireTls, policies: [host(ACCEPTS)] }, `1 delivered 250 2.0.0 end ${MX1}`)
  await check({ requireTls, policies: [host({ id: 'any' })] }, '1 permanent 554 5.7.30 policy mx2.example.net -')
  const without = 'local 554 5.7.30 at mail'
  await check({ requireTls, policies: [host(ACCEPTS)], servers: [without, 'ok'] }, `1 delivered 250 2.0.0 end ${MX2}`)
  await check(
    { requireTls, policies: [host(ACCEPTS)], servers: [without, without] },
    `1 permanent 554 5.7.30 mail ${MX2}`,
  )
  await check(
    { requireTls, policies: [host(ACCEPTS)], servers: [without, 'refused'] },
    '1 temporary 0 4.4.1 connect mx2.example.net -',
  )
})

test('REQUIRETLS is counted and asked for', async () => {
  const world = makeWorld(ZONE, [host(ACCEPTS)])
  world.servers.set('192.0.2.1', 'local 554 5.7.30 at mail')
  await run(world, world.direct(), makeBatch({ requireTls: true }))
  assert.equal(world.counts.get('mox_queue_requiretls_unsupported_total norequiretls'), 1)
  assert.equal(world.servers.messages[0]?.requireTls, true)
  const none = makeWorld(ZONE)
  await run(none, none.direct(), makeBatch({ requireTls: true }))
  assert.equal(none.counts.get('mox_queue_requiretls_unsupported_total nopolicy'), 2)
})

test('what policies are asked', async () => {
  const domains: string[] = []
  const hosts: Omit<DestinationHost, 'signal'>[] = []
  const asks: DestinationPolicies = {
    name: 'asks',
    domain: async ({ domain }) => {
      domains.push(domain)
      return undefined
    },
    host: async ({ signal: _, ...query }) => {
      hosts.push(query)
      return undefined
    },
  }
  const world = makeWorld(ZONE, [asks])
  world.servers.set('192.0.2.1', 'refused')
  await run(world, world.direct(), makeBatch({ to: ['bob@alias.example'] }))
  assert.deepEqual(domains, ['alias.example'])
  const both = { domain: 'alias.example', port: 25, mx: true, domainAuthentic: true }
  assert.deepEqual(hosts, [
    { ...both, host: 'mx1.example.net', canonical: 'real.example.net', hostAuthentic: false },
    { ...both, host: 'mx2.example.net', canonical: 'mx2.example.net', hostAuthentic: false },
  ])
})

test('sessions are shared by equal policies only', async () => {
  let id = 'one'
  const changing: DestinationPolicies = {
    name: 'dane',
    host: async () => ({ id, accept: () => undefined, serverName: 'tlsa.example.net' }),
  }
  const world = makeWorld(ZONE, [changing])
  const transport = world.direct()
  await run(world, transport, makeBatch())
  await run(world, transport, makeBatch())
  assert.equal(world.servers.sessions.length, 1)
  assert.equal(world.servers.sessions[0]?.tls.serverName, 'tlsa.example.net')
  id = 'two'
  await run(world, transport, makeBatch())
  assert.equal(world.servers.sessions.length, 2)
})

test('a name that only answers about others is told in the text', async () => {
  const world = makeWorld(ZONE, [listing('mx9.example.net')])
  const [result] = await run(world, world.direct(), makeBatch())
  assert.equal(result?.text, 'mail is not sent to mx2.example.net: not in the policy (mta-sts)')
  const broken = makeWorld(ZONE, [BREAKS])
  const [delayed] = await run(broken, broken.direct(), makeBatch())
  assert.equal(delayed?.text, 'the mta-sts policy of example.net is not known: the policy cannot be fetched')
})
