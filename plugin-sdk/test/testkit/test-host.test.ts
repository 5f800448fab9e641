// testHost: each kind of hook, services of the kit and of the test, time, and what an author gets to see when something is wrong.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import {
  defer,
  defineFact,
  definePlugin,
  defineService,
  directory,
  dns,
  log,
  metrics,
  patch,
  secrets,
  storage,
  system,
  tag,
} from '../../src/index.ts'
import {
  fakeDns,
  sampleAttempted,
  sampleConnect,
  sampleData,
  sampleDone,
  sampleMail,
  samplePath,
  sampleQueue,
  sampleRcpt,
  sampleRetire,
  testHost,
} from '../../src/testkit/index.ts'

const seen = defineFact<string>('seen', { persist: true })

const everywhere = definePlugin({
  name: 'everywhere',
  facts: [seen],
  needs: { storage, log },
  setup: ({ services }) => ({
    'onReceive.connect': ({ session }) => (session.tls === undefined ? defer('no TLS') : undefined),
    'onReceive.rcpt': ({ facts, recipient }) => facts.set(seen, recipient.path.localpart),
    'onReceive.data': ({ facts, head }) => tag([`from-${facts.get(seen) ?? 'nobody'}`, head.get('subject') ?? 'none']),
    onQueue: () => patch({ transport: 'direct' }),
    'onRetire.tx': async ({ retired }) => {
      await services.storage.outbox.add([
        { eventId: 'e', hook: 'x', subscriber: 's', payload: retired.id, createdAt: 0, due: 0 },
      ])
    },
    onAttempt: ({ eventId, attempt, log }) => log.info({ eventId, code: attempt.code }, 'attempted'),
    'onReceive.done': () => {
      throw new Error('unavailable')
    },
  }),
})

test('hooks of every sort', async () => {
  const host = await testHost({ plugins: [everywhere()] })
  assert.deepEqual(await host.decide('onReceive.connect', sampleConnect()), { kind: 'pass' })
  assert.deepEqual(await host.decide('onReceive.mail', sampleMail()), { kind: 'pass' })
  await host.decide('onReceive.rcpt', sampleRcpt({ recipient: { path: samplePath('carol@example.net') } }))
  assert.deepEqual(await host.decide('onReceive.data', sampleData()), tag(['from-carol', 'hello']))
  const { draft, verdict } = await host.shape('onQueue', sampleQueue({ maxAttempts: 3 }))
  assert.deepEqual([draft.transport, draft.maxAttempts, verdict.kind], ['direct', 3, 'pass'])
  await host.write('onRetire.tx', sampleRetire({ id: 7 }))
  assert.deepEqual(
    (await host.storage.outbox.list({ limit: 9 })).map(row => row.payload),
    [7],
  )
  await host.react('onAttempt', sampleAttempted(), 'event-9')
  assert.deepEqual(host.log.lines.at(-1), {
    ...{ level: 'info', text: 'attempted' },
    fields: { plugin: 'everywhere', hook: 'onAttempt', eventId: 'event-9', code: 451 },
  })
  await assert.rejects(
    host.react('onReceive.done', sampleDone()),
    /onReceive\.done of everywhere threw Error: unavailable/,
  )
  assert.equal(host.trace.length, 7)
  host.newMessage()
  assert.deepEqual(host.trace, [])
  assert.deepEqual(await host.decide('onReceive.data', sampleData()), tag(['from-nobody', 'hello']))
  await host.close()
})

test('services: of the kit, of the test, of a plugin', async () => {
  const greeter = defineService<string>('greeter@1')
  const plugin = definePlugin({
    name: 'demo',
    needs: { directory, dns, metrics, secrets, system },
    provides: { greeter },
    setup: ({ services }) => ({
      services: { greeter: services.system.hostname },
      start: async () => {
        services.metrics.counter('mox_demo_total', 'x').inc()
        await services.secrets.generate('key', 8)
        await services.dns.resolve('example.org', 'A')
      },
    }),
  })
  const host = await testHost({ plugins: [plugin()], services: [[directory, {}]], hostname: 'mail.test' })
  assert.deepEqual([host.service(greeter), host.dns.queries, host.secrets.size], ['mail.test', ['A example.org'], 1])
  await host.close()
  const provider = definePlugin({
    name: 'resolver',
    provides: { dns },
    setup: () => ({ services: { dns: fakeDns() } }),
  })
  await (await testHost({ plugins: [provider()] })).close()
  await assert.rejects(testHost({ plugins: [plugin()] }), {
    name: 'UsageError',
    message:
      'demo needs the service directory@1, which nobody provides; add accounts({…}) from @mox/plugin-accounts to plugins',
  })
})

test('time, and a peer that goes away', async () => {
  const slow = definePlugin({
    name: 'slow',
    setup: () => ({ 'onReceive.rcpt': () => new Promise<undefined>(() => {}) }),
  })
  const host = await testHost({ plugins: [slow()] })
  const late = host.decide('onReceive.rcpt', sampleRcpt())
  await host.advance(5_000)
  assert.equal((await late).kind, 'defer')
  const gone = host.decide('onReceive.rcpt', sampleRcpt())
  host.abort()
  assert.equal((await gone).kind, 'defer')
  assert.deepEqual(
    host.trace.map(({ ms, reason }) => [ms, reason]),
    [
      [5_000, 'onReceive.rcpt of slow gave no answer within 5000 ms'],
      [0, 'onReceive.rcpt of slow was aborted: the peer is gone or the process stops'],
    ],
  )
  await host.close()
  assert.equal(host.clock.pending, 0)
})
