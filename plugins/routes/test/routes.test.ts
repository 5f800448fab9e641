import assert from 'node:assert/strict'
import { definePlugin, directory, type Job, transports, UsageError } from '@mox/plugin-sdk'
import { sampleDeliver, sampleJob, testHost } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { routes } from '../src/index.ts'
import { options } from '../src/options.ts'

type Input = NonNullable<Parameters<typeof routes>[0]>

/** Transports with these names, and a directory that has example.org and below.example.org. */
async function start(input: Input) {
  const names = ['direct', 'smarthost', 'bulk', 'a', 'b', 'c']
  const others = definePlugin({
    name: 'others',
    provides: { transports },
    setup: () => ({ services: { transports: names.map(name => ({ name, deliver: async () => [] })) } }),
  })
  const own = ['example.org', 'below.example.org']
  const fake = { domain: async (name: string) => (own.includes(name) ? { name } : undefined) }
  return testHost({ plugins: [routes(input), others()], services: [[directory, fake]] })
}

interface Query extends Partial<Job> {
  readonly from?: string | null
  readonly to?: string
  readonly attempt?: number
}

async function check(
  input: Input,
  { from = 'example.org', to = 'example.net', attempt = 1, ...job }: Query,
  expected: string | undefined,
): Promise<void> {
  const host = await start(input)
  try {
    const reversePath = from === null ? null : { localpart: 'alice', domain: from }
    const verdict = await host.decide(
      'beforeDeliver',
      sampleDeliver({ attempt, job: sampleJob({ reversePath, recipientDomain: to, ...job }) }),
    )
    assert.equal(
      verdict.kind === 'route' ? verdict.transport : undefined,
      expected,
      JSON.stringify({ from, to, attempt, job }),
    )
  } finally {
    await host.close()
  }
}

test('account, then sender domain, then all; the first that matches', async () => {
  const all: Input = {
    global: [{ transport: 'c' }],
    domains: { 'example.org': [{ toDomain: ['other.example'], transport: 'bulk' }, { transport: 'b' }] },
    accounts: { alice: [{ toDomain: ['example.com'], transport: 'a' }] },
  }
  await check(all, { to: 'example.com' }, 'a')
  await check(all, { to: 'example.com', account: 'bob' }, 'b')
  await check(all, { to: 'other.example' }, 'bulk')
  await check(all, {}, 'b')
  await check(all, { from: 'sub.example.org' }, 'c')
  await check(all, { from: null }, 'c')
  await check(all, { account: '' }, 'b')
  await check(all, { account: 'constructor', from: 'elsewhere.example' }, 'c')
  await check({}, {}, undefined)
})

test('domains in routes', async () => {
  const to = (...toDomain: string[]): Input => ({ global: [{ toDomain, transport: 'a' }] })
  await check(to('example.net'), { to: 'example.net' }, 'a')
  await check(to('example.net'), { to: 'sub.example.net' }, undefined)
  await check(to('.example.net'), { to: 'example.net' }, 'a')
  await check(to('.example.net'), { to: 'a.b.example.net' }, 'a')
  await check(to('.example.net'), { to: 'badexample.net' }, undefined)
  await check(to('x.example', '.example.net'), { to: 'example.net' }, 'a')
  await check(to('EXAMPLE.Net'), { to: 'example.net' }, 'a')
  await check(to('bücher.example'), { to: 'xn--bcher-kva.example' }, 'a')
  await check(to('.bücher.example'), { to: 'de.xn--bcher-kva.example' }, 'a')
  await check(to('.'), { to: '[192.0.2.1]' }, 'a')
  await check(to('.'), { to: 'example.net' }, undefined)
  await check(to('.net'), { to: '[192.0.2.1]' }, undefined)
  await check(to(), { to: '[192.0.2.1]' }, 'a')
  const from = (...fromDomain: string[]): Input => ({ global: [{ fromDomain, transport: 'a' }] })
  await check(from('.'), { from: null }, 'a')
  await check(from('.'), { from: '[192.0.2.1]' }, 'a')
  await check(from('.'), {}, undefined)
  await check(from('example.org'), {}, 'a')
  await check(from('example.org'), { from: null }, undefined)
  await check(from('.org'), {}, 'a')
})

test('both lists and the attempts must match', async () => {
  const one: Input = {
    global: [{ fromDomain: ['example.org'], toDomain: ['example.net'], minimumAttempts: 2, transport: 'a' }],
  }
  await check(one, { attempt: 3 }, 'a')
  await check(one, { attempt: 2 }, undefined)
  await check(one, { attempt: 3, from: 'example.com' }, undefined)
  await check(one, { attempt: 3, to: 'example.com' }, undefined)
  await check({ global: [{ minimumAttempts: 1, transport: 'a' }, { transport: 'b' }] }, { attempt: 1 }, 'b')
  await check({ global: [{ minimumAttempts: 1, transport: 'a' }, { transport: 'b' }] }, { attempt: 2 }, 'a')
})

test('our own domains need their very name', async () => {
  const to = (...toDomain: string[]): Input => ({ global: [{ toDomain, transport: 'a' }] })
  await check(to(), { to: 'example.org' }, undefined)
  await check(to('.org'), { to: 'example.org' }, undefined)
  await check(to('example.org'), { to: 'example.org' }, 'a')
  await check(to('.example.org'), { to: 'example.org' }, 'a')
  await check(to('.example.org'), { to: 'below.example.org' }, undefined)
  await check(to('.example.org'), { to: 'elsewhere.example.org' }, 'a')
  await check(
    { global: [{ transport: 'a' }, { toDomain: ['example.org'], transport: 'b' }] },
    { to: 'example.org' },
    'b',
  )
})

test("an operator's choice comes first", async () => {
  await check({ global: [{ transport: 'a' }] }, { transport: 'direct' }, undefined)
})

test('options: what is wrong, and what it may be', () => {
  const bad = (input: unknown, expected: string): void => {
    const [issue] = options.safeParse(input).error?.issues ?? []
    assert.equal(`${issue?.path.join('.')}: ${issue?.message}`, expected)
  }
  const domain = 'must be "example.org", ".example.org" for the domain and all below it, or "." for no domain'
  for (const entry of ['', '..', 'a b', '*.example.org', '[192.0.2.1]', '..example.org', 'example.org.'])
    bad({ global: [{ toDomain: [entry], transport: 'a' }] }, `global.0.toDomain.0: ${domain}`)
  bad({ global: [{ fromDomain: ['a b'], transport: 'a' }] }, `global.0.fromDomain.0: ${domain}`)
  bad({ domains: { '.example.org': [] } }, 'domains..example.org: its name must be a domain such as "example.org"')
  bad({ domains: { 'example.org': [], 'Example.ORG': [] } }, 'domains.Example.ORG: it is there twice')
  assert.equal(options.safeParse({ global: [{ transport: '' }] }).success, false)
  assert.equal(options.safeParse({ global: [{ transport: 'a', minimumAttempts: -1 }] }).success, false)
  assert.equal(options.safeParse({ accounts: { alice: [{ transport: 'a', to: 'b' }] } }).success, false)
})

test('a transport that does not exist stops the start, every one of them', async () => {
  const input: Input = {
    global: [{ transport: 'local' }, { transport: 'smarthots' }],
    domains: { 'Example.org': [{ transport: 'bulk' }, { transport: 'nowhere-near' }] },
    accounts: { alice: [{ transport: 'Direct' }] },
  }
  await assert.rejects(start(input), (error: unknown) => {
    assert.ok(error instanceof UsageError)
    assert.deepEqual(error.message.split('\n'), [
      'routes: global[1].transport is "smarthots", which is no transport; did you mean "smarthost"?',
      'routes: domains["example.org"][1].transport is "nowhere-near", which is no transport; there are "local", "direct", "smarthost", "bulk", "a", "b", "c"',
      'routes: accounts["alice"][0].transport is "Direct", which is no transport; did you mean "direct"?',
    ])
    return true
  })
})
