// A plugin that owns a moment runs its hooks: the handlers of all plugins answer, with ladder, trace, facts and failures.
import { defineFact, hooks, match, type Needs, patch, type Setup, skip, storage } from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { memoryStorage, VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { hostOf, plugin } from './host-support.ts'

const signal = new AbortController().signal
const draft = { url: 'https://a.example/', headers: {}, body: '{}' }
const send = { draft, eventId: 'e', attempt: 1 }

/** The service as a plugin sees it, with handlers of others beside it. */
function runner(others: Readonly<Record<string, Setup<Needs>>>) {
  const { host } = hostOf(Object.entries(others).map(([name, setup]) => plugin(name, setup)))
  return host.service(hooks)
}

test('shape: changes add up, and the trace says whose they were', async () => {
  const service = runner({
    one: { 'onWebhook.send': ({ draft }) => patch({ headers: { ...draft.headers, a: '1' } }) },
    two: { 'onWebhook.send': ({ draft }) => patch({ headers: { ...draft.headers, b: '2' } }) },
  })
  const shaped = await service.shape('onWebhook.send', send, { signal, recipient: 'b@example.org' })
  expect(shaped.draft).toEqual({ ...draft, headers: { a: '1', b: '2' } })
  expect(shaped.verdict).toEqual({ kind: 'pass' })
  expect(shaped.trace.map(({ plugin, verdict, recipient }) => [plugin, verdict, recipient])).toEqual([
    ['one', 'patch', 'b@example.org'],
    ['two', 'patch', 'b@example.org'],
  ])
})

test('shape: a verdict of the ladder comes back, and a failure that is retried rejects', async () => {
  const skipping = runner({ one: { 'onWebhook.send': () => skip('not today') } })
  expect((await skipping.shape('onWebhook.send', send, { signal })).verdict).toEqual(skip('not today'))
  const failing = runner({
    one: {
      'onWebhook.send': () => {
        throw new Error('broken')
      },
    },
  })
  await expect(failing.shape('onWebhook.send', send, { signal })).rejects.toThrow(/one/)
})

test('decide: the first match ends, and persisted facts of the message are there', async () => {
  const fact = defineFact<string>('test.fact', { persist: true })
  const event = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'no' } as const
  const provider = plugin('provider', { 'onReceive.data': { provides: [fact], handler: () => undefined } })
  const matcher = plugin('matcher', {
    'onDSN.match': { uses: [fact], handler: ({ facts }) => match(7, event, facts.get(fact)) },
  })
  const service = hostOf([provider, matcher]).host.service(hooks)
  const input = {
    messageId: 1,
    recipient: 'a@b',
    account: 'a',
    head: parseHeader(Buffer.from('\r\n')),
    content: async function* () {},
  }
  const { verdict } = await service.decide('onDSN.match', input, { signal, facts: { 'test.fact': 'known' } })
  expect(verdict).toEqual(match(7, event, 'known'))
  expect([service.has('onDSN.match'), service.has('onWebhook.send')]).toEqual([true, false])
})

test('emit: a row for each subscriber, in the unit of work of the caller', async () => {
  const memory = memoryStorage({ clock: new VirtualClock() })
  const subscribers = ['one', 'two'].map(name => plugin(name, { 'onDSN.done': () => undefined }))
  const { host } = hostOf(subscribers, {}, [[storage.id, memory]])
  const event = { action: 'failed', code: 550, enhanced: '5.1.1', text: 'no' } as const
  const done = { queueId: 7, account: 'a', event, reportId: 3, matchedBy: 'envid' }
  const service = host.service(hooks)
  await expect(
    memory.write(async () => {
      await service.emit('onDSN.done', done)
      throw new Error('undone')
    }),
  ).rejects.toThrow('undone')
  expect(await memory.outbox.list({ limit: 10 })).toEqual([])
  await memory.write(() => service.emit('onDSN.done', done, { 'test.fact': 1 }))
  const rows = await memory.outbox.list({ limit: 10 })
  expect(rows.map(row => [row.hook, row.subscriber, row.payload])).toEqual(
    ['one', 'two'].map(name => ['onDSN.done', name, { input: done, facts: { 'test.fact': 1 } }]),
  )
})
