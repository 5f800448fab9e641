// The plugin as the host sees it: options and their errors, its transports, secrets, shutdown.
import assert from 'node:assert/strict'
import { SECRET_NAME_WANTED, transports, UsageError } from '@mox/plugin-sdk'
import { testHost } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { smtpOut } from '../src/index.ts'
import { FAIL_MESSAGE_LENGTH, options, parseEndpoint } from '../src/options.ts'
import { brief, makeBatch } from './support/world.ts'

type Input = Parameters<typeof smtpOut>[0]

/** Undefined when the options are good; else the path and the text of the first problem. */
function problem(input: unknown): string | undefined {
  const { error } = options.safeParse(input)
  const [issue] = error?.issues ?? []
  return issue && `${issue.path.join('.')}: ${issue.message}`
}

test('options: what is wrong, and what it may be', () => {
  const check = (input: unknown, expected: string | undefined): void => assert.equal(problem(input), expected)
  const one = (transport: unknown) => ({ transports: { x: transport } })
  const good: Input = {
    hostname: 'mail.example.org',
    localAddresses: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
    allowNetworks: ['10.0.0.0/8', '::1'],
    transports: {
      a: { kind: 'submissions', host: 'relay.example', auth: { username: 'u', passwordSecret: 'relay' } },
      b: {
        kind: 'submission',
        host: '192.0.2.1',
        insecureSkipVerify: true,
        auth: { username: 'u', password: 'p', mechanisms: ['PLAIN'] },
      },
      c: {
        kind: 'smtp',
        host: '127.0.0.1',
        noStartTls: true,
        auth: { username: 'u', password: 'p', mechanisms: ['PLAIN'] },
      },
      d: { kind: 'socks', address: '127.0.0.1:9050', remoteHostname: 'exit.example', remoteIps: ['192.0.2.9'] },
      direct: { kind: 'direct', ipv6: false },
      f: { kind: 'fail', code: 450, message: 'later' },
    },
  }
  check({}, undefined)
  check(good, undefined)
  check({ hostname: 'not a name' }, 'hostname: must be a host name such as "mail.example.org"')
  check({ hostname: '[192.0.2.1]' }, 'hostname: must be a host name such as "mail.example.org"')
  check({ port: 65_535 }, undefined)
  for (const port of [0, 65_536, 2.5]) assert.match(problem({ port }) ?? '', /^port: /)
  check({ localAddresses: { ipv4: '2001:db8::1' } }, 'localAddresses.ipv4: must be an IPv4 address')
  check({ localAddresses: { ipv6: '192.0.2.1' } }, 'localAddresses.ipv6: must be an IPv6 address')
  check({ allowNetworks: ['10.0.0.0/33'] }, 'allowNetworks.0: must be like "10.1.0.0/16" or "::1"')
  check(
    one({ kind: 'smpt', host: 'a.example' }),
    'transports.x.kind: must be "submissions", "submission", "smtp", "socks", "direct" or "fail"',
  )
  check(one({ kind: 'smtp', host: 'a b' }), 'transports.x.host: must be a host name or an IP address')
  check(
    one({ kind: 'direct', ipv4: false, ipv6: false }),
    'transports.x.ipv6: must not be false when ipv4 is false too',
  )
  const relay = { kind: 'smtp', host: 'a.example' }
  const secret = 'transports.x.auth.passwordSecret: needs either password or passwordSecret'
  check(one({ ...relay, auth: { username: 'u' } }), secret)
  const from = (passwordSecret: string) => one({ ...relay, auth: { username: 'u', passwordSecret } })
  check(from('x'.repeat(64)), undefined)
  for (const name of ['x'.repeat(65), 'RELAY', 'a_b', ''])
    check(from(name), `transports.x.auth.passwordSecret: ${SECRET_NAME_WANTED}`)
  check(one({ ...relay, auth: { username: 'u', password: 'p', passwordSecret: 'p' } }), secret)
  const mechanisms = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN']
  const login = { username: 'u', password: 'p' }
  check(
    one({ ...relay, auth: { ...login, mechanisms: ['LOGIN'] } }),
    `transports.x.auth.mechanisms.0: must be one of ${mechanisms.join(', ')}`,
  )
  const plain = { ...relay, noStartTls: true, auth: { ...login, mechanisms: ['PLAIN'] } }
  check(
    one(plain),
    'transports.x.auth.mechanisms: must not have PLAIN with noStartTls: the password would be sent unencrypted',
  )
  check(
    one({ ...relay, noStartTls: true, insecureSkipVerify: true }),
    'transports.x.insecureSkipVerify: has no meaning with noStartTls',
  )
  const socks = { kind: 'socks', remoteHostname: 'exit.example' }
  check(one({ ...socks, address: 'proxy' }), 'transports.x.address: must be "host:port" or "[IPv6 address]:port"')
  check(
    one({ ...socks, address: 'proxy:1080', remoteIps: ['10.0.0.0/8'] }),
    'transports.x.remoteIps.0: must be an IP address',
  )
  for (const code of [399, 600]) assert.match(problem(one({ kind: 'fail', code })) ?? '', /^transports\.x\.code: /)
  for (const code of [400, 599]) check(one({ kind: 'fail', code }), undefined)
  check(one({ kind: 'fail', message: 'a\nb' }), 'transports.x.message: must be printable ASCII text')
  check(one({ kind: 'fail', message: 'a'.repeat(FAIL_MESSAGE_LENGTH) }), undefined)
  assert.match(
    problem(one({ kind: 'fail', message: 'a'.repeat(FAIL_MESSAGE_LENGTH + 1) })) ?? '',
    /^transports\.x\.message: /,
  )
  const named = (name: string) => ({ transports: { [name]: relay } })
  check(named('local'), 'transports.local: its name stands for delivery on this machine; choose another')
  check(named('a b'), 'transports.a b: its name must be 1 to 64 letters, digits, ".", "_" or "-"')
  check(named('a'.repeat(64)), undefined)
  assert.match(problem(named('a'.repeat(65))) ?? '', /its name must be/)
  assert.match(problem(named('direct')) ?? '', /^transports\.direct: the transport "direct" must have kind "direct"/)
})

test('options: defaults and names in their ASCII form', () => {
  const parsed = options.parse({
    hostname: 'MAIL.Example.ORG',
    transports: {
      a: { kind: 'submissions', host: 'bücher.example' },
      b: { kind: 'submission', host: 'b.example' },
      f: { kind: 'fail' },
    },
  })
  assert.equal(parsed.hostname, 'mail.example.org')
  assert.equal(parsed.port, 25)
  const { a, b, f } = parsed.transports
  assert.ok(a?.kind === 'submissions' && a.port === 465 && a.host === 'xn--bcher-kva.example')
  assert.ok(b?.kind === 'submission' && b.port === 587 && !b.noStartTls && !b.insecureSkipVerify)
  assert.ok(f?.kind === 'fail' && f.code === 554)
})

test('proxies as text', () => {
  const check = (text: string, expected: string | undefined): void => {
    const found = parseEndpoint(text)
    assert.equal(found && `${found.host} ${found.port}`, expected, text)
  }
  check('proxy.example:1080', 'proxy.example 1080')
  check('127.0.0.1:65535', '127.0.0.1 65535')
  check('[::1]:9050', '::1 9050')
  for (const bad of ['proxy', 'proxy:', 'proxy:0', 'proxy:65536', '::1:9050', '[proxy]:1', 'a b:1', ':1', ''])
    check(bad, undefined)
})

test('its transports: direct is always there, and each does its own', async () => {
  const host = await testHost({
    plugins: [
      smtpOut({
        transports: {
          no: { kind: 'fail', message: 'not there' },
          tor: { kind: 'socks', address: '127.0.0.1:9050', remoteHostname: 'exit.example' },
        },
      }),
    ],
  })
  const all = host.service(transports)
  assert.deepEqual(
    all.map(({ name }) => name),
    ['direct', 'no', 'tor'],
  )
  host.dns.add(['example.net', 'MX', { preference: 0, exchange: '.' }], ['private.example', 'A', '127.0.0.1'])
  host.dns.add(['loop.example', 'MX', { preference: 10, exchange: 'mail.example.net' }])
  host.dns.add(['exit-loop.example', 'MX', { preference: 10, exchange: 'exit.example' }])
  const context = { signal: new AbortController().signal, log: host.log }
  const check = async (name: string, to: string, expected: string): Promise<void> => {
    const results = await all.find(one => one.name === name)?.deliver(makeBatch({ to: [to] }), context)
    assert.deepEqual(results?.map(brief), [expected])
  }
  await check('direct', 'bob@example.net', '1 permanent 556 5.1.10 dns - -')
  await check('direct', 'bob@private.example', '1 permanent 554 5.4.4 policy private.example -')
  await check('direct', 'bob@loop.example', '1 permanent 554 5.4.6 dns - -')
  await check('tor', 'bob@loop.example', '1 permanent 554 5.4.6 dns - -')
  await check('tor', 'bob@exit-loop.example', '1 permanent 554 5.4.6 dns - -')
  await check('no', 'bob@example.net', '1 permanent 554 5.7.0 policy - -')
  await host.close()
  assert.equal(host.clock.pending, 0)
})

test('a password that is nowhere stops the server, but no command, and is named', async () => {
  const relay = { kind: 'smtp', host: 'relay.example', auth: { username: 'u', passwordSecret: 'relay' } } as const
  const host = await testHost({ plugins: [smtpOut({ transports: { relay } })] })
  assert.deepEqual(
    host.service(transports).map(t => t.name),
    ['direct', 'relay'],
  )
  await assert.rejects(host.listen(), (error: unknown) => {
    assert.ok(error instanceof UsageError && error.message.startsWith('smtp-out: the secret relay'))
    return true
  })
  await host.close()
})
