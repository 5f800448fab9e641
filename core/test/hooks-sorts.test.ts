// Shape, write and react hooks, and the rules of each sort: who may change what, who may write, who may wait, who may set which
// fact.
import {
  defineFact,
  dns,
  type Facts,
  hold,
  type Log,
  patch,
  type QueueControl,
  queueControl,
  refuse,
  type Storage,
  skip,
  storage,
  submission,
} from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { fakeDns, memoryStorage, VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { FACT_LENGTH } from '../src/hooks/handler-facts.ts'
import { currentHandler } from '../src/hooks/running.ts'
import { guardService } from '../src/host/guarded.ts'
import { bench, call } from './hooks-support.ts'

const head = parseHeader(Buffer.from('\r\n'))
const draft = {
  account: 'alice',
  reversePath: null,
  recipient: { localpart: 'b', domain: 'c' },
  due: 1,
  maxAttempts: 0,
  extra: {},
}

test('shape: each handler sees what the ones before it left', async () => {
  const seen: unknown[] = []
  const { hooks, scope } = bench('onQueue', {
    a: () => patch({ due: 5, extra: { a: '1' } }),
    b: ({ draft }: { draft: typeof draft0 }) => {
      seen.push(draft.due, Object.isFrozen(draft))
      return patch({ extra: { ...draft.extra, b: '2' } }, 'why')
    },
    c: () => hold('wait'),
  })
  const shaped = await hooks.shape('onQueue', { draft, head, messageId: 1 }, scope)
  expect(shaped).toEqual({ draft: { ...draft, due: 5, extra: { a: '1', b: '2' } }, verdict: hold('wait') })
  expect([seen, draft.due]).toEqual([[5, true], 1])
  expect(scope.trace.map(({ plugin, verdict, reason }) => [plugin, verdict, reason])).toEqual([
    ['a', 'patch', undefined],
    ['b', 'patch', 'why'],
    ['c', 'hold', 'wait'],
  ])
})
const draft0 = draft

test('shape: the strongest verdict, its top ends, nobody there changes nothing', async () => {
  const check = async (handlers: Parameters<typeof bench>[1], expected: unknown): Promise<void> => {
    const { hooks, scope } = bench('onQueue', handlers)
    expect(await hooks.shape('onQueue', { draft, head, messageId: 1 }, scope)).toEqual(expected)
  }
  const ends = { a: () => patch({ due: 5 }), b: () => refuse('no'), c: () => expect.unreachable() }
  await check(ends, { draft: { ...draft, due: 5 }, verdict: refuse('no') })
  await check({ a: () => hold('one'), b: () => hold('two') }, { draft, verdict: hold('one') })
  await check({}, { draft, verdict: { kind: 'pass' } })
  expect(await call(bench('onWebhook.send', { a: () => skip('off') }), 'onWebhook.send')).toEqual(skip('off'))
})

test('write: a savepoint each; a failing handler is undone and the rest goes on', async () => {
  const clock = new VirtualClock()
  const backend = memoryStorage({ clock })
  const note = (hook: string) => (): Promise<void> =>
    backend.outbox.add([{ eventId: hook, hook, subscriber: 's', payload: {}, createdAt: 0, due: 0 }])
  const { hooks, scope } = bench('onRetire.tx', {
    a: note('a'),
    b: async () => {
      await note('b')()
      throw new Error('after writing')
    },
    c: note('c'),
  })
  await backend.write(() => hooks.write('onRetire.tx', {} as never, scope, work => backend.write(work)))
  const rows = await backend.outbox.list({ limit: 10 })
  expect(rows.map(row => row.hook).sort()).toEqual(['a', 'c'])
  expect(scope.trace.map(({ plugin, verdict, failed }) => [plugin, verdict, failed])).toEqual([
    ['a', 'pass', undefined],
    ['b', 'failed', true],
    ['c', 'pass', undefined],
  ])
})

test('write: where a failure is to be retried, the first one ends the hook', async () => {
  const { hooks, scope } = bench('onAccount.remove', {
    a: () => undefined,
    b: () => {
      throw new Error('locked')
    },
    c: () => expect.unreachable(),
  })
  const removing = hooks.write('onAccount.remove', { account: 'eve' }, scope, work => work())
  await expect(removing).rejects.toThrow('onAccount.remove of b threw Error: locked')
})

test('write: a database that fails ends the hook', async () => {
  const { hooks, scope } = bench('onRetire.tx', { a: () => undefined, b: () => expect.unreachable() })
  const broken = async (work: () => Promise<void>): Promise<void> => {
    await work()
    throw new Error('disk full')
  }
  await expect(hooks.write('onRetire.tx', {} as never, scope, broken)).rejects.toThrow('disk full')
})

test('react: one subscriber at a time, with the event id', async () => {
  const seen: unknown[] = []
  const { hooks, scope } = bench('onAttempt', {
    a: (input: object) => void seen.push(input),
    b: () => {
      throw new Error('unavailable')
    },
  })
  expect(hooks.subscribers('onAttempt')).toEqual(['a', 'b'])
  await hooks.react('onAttempt', 'a', { queueId: 7 }, { ...scope, eventId: 'e1' })
  expect(seen).toMatchObject([{ queueId: 7, eventId: 'e1' }])
  const rejects = (subscriber: string, message: string): Promise<void> =>
    expect(hooks.react('onAttempt', subscriber, {}, { ...scope, eventId: 'e' })).rejects.toThrow(message)
  await rejects('b', 'onAttempt of b threw Error: unavailable')
  await rejects('c', 'onAttempt has no handler of c')
  await expect(hooks.react('onRetire.done', 'a', {}, { ...scope, eventId: 'e' })).rejects.toThrow('no handler of a')
})

test('when: events that are not a handler’s business cost it nothing', async () => {
  const seen: string[] = []
  const fact = defineFact<string>('colour')
  const of = (name: string, when?: (input: never) => boolean) => ({
    handler: () => void seen.push(name),
    ...(when === undefined ? {} : { when: when as (input: object) => boolean }),
  })
  const handlers = {
    all: of('all'),
    seven: of('seven', ({ queueId }: { queueId: number }) => queueId === 7),
    red: of('red', ({ facts }: { facts: Facts }) => facts.get(fact) === 'red'),
    broken: of('broken', () => {
      throw new Error('no')
    }),
  }
  const { hooks, scope, log } = bench('onAttempt', handlers)
  const interested = (queueId: number) =>
    hooks.subscribers('onAttempt', { input: { queueId } as never, facts: scope.facts })
  expect(interested(7)).toEqual(['all', 'seven', 'broken'])
  scope.facts.set(fact, 'red')
  expect(interested(8)).toEqual(['all', 'red', 'broken'])
  expect(hooks.subscribers('onAttempt')).toEqual(['all', 'seven', 'red', 'broken'])
  expect(log.lines.map(({ text }) => text)).toEqual(['`when` of the handler failed', '`when` of the handler failed'])

  const write = bench('onRetire.tx', handlers)
  let savepoints = 0
  await write.hooks.write('onRetire.tx', { queueId: 8 } as never, write.scope, async work => {
    savepoints++
    await work()
  })
  expect([seen, savepoints]).toEqual([['all', 'broken'], 2])
})

test('facts: what a handler may set, and when', async () => {
  const score = defineFact<number>('score')
  const kept = defineFact<unknown>('kept', { persist: true })
  const set = async (work: (facts: Facts) => unknown, expected: string | undefined): Promise<void> => {
    const handler = ({ facts }: { facts: Facts }): void => void work(facts)
    const one = bench('onReceive.rcpt', { p: { handler, provides: new Set(['score', 'kept']) } })
    await call(one, 'onReceive.rcpt')
    expect(one.scope.trace[0]?.reason).toBe(expected && `onReceive.rcpt of p threw HandlerRuleError: ${expected}`)
  }
  const may = (id: string): string => `onReceive.rcpt of p may not set the fact "${id}": `
  await set(facts => facts.set(score, 3), undefined)
  await set(facts => facts.set(score, Number.NaN), undefined)
  await set(facts => facts.set(defineFact('other'), 1), `${may('other')}it does not list it in provides`)
  await set(facts => facts.set(kept, { a: [1] }), undefined)
  await set(
    facts => facts.set(kept, { at: new Date(0) }),
    `${may('kept')}it is stored as JSON, but the value .at is a Date`,
  )
  await set(facts => facts.set(kept, 'x'.repeat(FACT_LENGTH - 2)), undefined)
  await set(
    facts => facts.set(kept, 'x'.repeat(FACT_LENGTH - 1)),
    `${may('kept')}it is stored as JSON, but the value has more than 65536 characters as JSON`,
  )
  let after: Facts | undefined
  await set(facts => {
    after = facts
  }, undefined)
  expect(() => after?.set(score, 1)).toThrow(`${may('score')}it has already answered`)
})

test('facts: later handlers read them, and persisted ones are for storing', async () => {
  const score = defineFact<number>('score', { persist: true })
  const seen: unknown[] = []
  const { hooks, scope } = bench('onReceive.rcpt', {
    a: { handler: ({ facts }: { facts: Facts }) => facts.set(score, 3), provides: new Set(['score']) },
    b: ({ facts }: { facts: Facts }) => void seen.push(facts.get(score)),
  })
  await hooks.decide('onReceive.rcpt', {} as never, scope)
  expect([seen, scope.facts.persisted()]).toEqual([[3], { score: 3 }])
})

test('rules: decide and shape only read, write stays in its transaction, nothing in a transaction waits', async () => {
  const clock = new VirtualClock()
  const backend = memoryStorage({ clock })
  const guarded = guardService(storage.id, backend) as Storage
  const resolver = guardService(dns.id, fakeDns([['a.example', 'A', '192.0.2.1']])) as ReturnType<typeof fakeDns>
  const sender = guardService(submission.id, { submit: async () => 'queued' }) as { submit(): Promise<unknown> }
  const control = guardService(queueControl.id, { end: async () => 0, status: () => ({}) }) as QueueControl
  const calls: Readonly<Record<string, () => unknown>> = {
    write: () => guarded.write(async () => undefined),
    afterCommit: () => guarded.afterCommit(() => {}),
    notify: () => guarded.notify('c'),
    read: () => guarded.queue.count({}),
    resolve: () => resolver.resolve('a.example', 'A'),
    submit: () => sender.submit(),
    status: () => control.status(),
    end: () => control.end({}, 'cancelled', ''),
  }
  const check = async (
    hook: Parameters<typeof bench>[0],
    allowed: readonly string[],
    inUnit: boolean,
  ): Promise<void> => {
    const passed: string[] = []
    const messages: string[] = []
    const handler = async (): Promise<void> => {
      for (const [name, work] of Object.entries(calls))
        try {
          await work()
          passed.push(name)
        } catch (error) {
          messages.push((error as Error).message)
        }
    }
    const one = bench(hook, { p: handler })
    await (inUnit ? backend.write(() => call(one, hook)) : call(one, hook))
    expect(passed, hook).toEqual(allowed)
    for (const message of messages) expect(message).toMatch(new RegExp(`^${hook} of p may not call \\w+\\.\\w+: `))
  }
  await check('onReceive.rcpt', ['read', 'resolve', 'status'], false)
  await check('beforeDeliver', ['read', 'resolve', 'status'], false)
  await check('onQueue', ['read', 'status'], true)
  await check('onWebhook.send', ['read', 'resolve', 'status'], false)
  await check('onRetire.tx', ['write', 'afterCommit', 'notify', 'read', 'status'], true)
  await check('onRetire.tx', ['read', 'status'], false)
  await check('onAttempt', Object.keys(calls), false)
  // Outside of handlers nothing is checked.
  for (const work of Object.values(calls)) await work()
})

test('rules: they hold for what a handler starts, until it has answered; a late write handler writes no more', async () => {
  const backend = memoryStorage({ clock: new VirtualClock() })
  const guarded = guardService(storage.id, backend) as Storage
  const outcomes: string[] = []
  const tryWrite = async (when: string): Promise<void> => {
    try {
      await guarded.write(async () => undefined)
      outcomes.push(`${when}: wrote`)
    } catch (error) {
      outcomes.push(`${when}: ${(error as Error).message}`)
    }
  }
  let release = (): void => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const one = bench('onReceive.rcpt', {
    p: async () => {
      void released.then(() => tryWrite('after the answer'))
      await Promise.resolve().then(() => tryWrite('inside'))
    },
  })
  await call(one, 'onReceive.rcpt')
  release()
  await new Promise(resolve => setImmediate(resolve))
  const late = bench('onRetire.tx', {
    p: async () => {
      await late.clock.sleep(2_000)
      await tryWrite('late')
    },
  })
  const written = backend.write(() => call(late, 'onRetire.tx'))
  await late.clock.advance(2_000)
  await written
  expect(outcomes).toEqual([
    'inside: onReceive.rcpt of p may not call storage.write: a decide handler only reads; write in onReceive.done, onRetire.tx or another later hook',
    'after the answer: wrote',
    'late: onRetire.tx of p may not call storage.write: its time is over and its changes were undone',
  ])
  expect(currentHandler()).toBeUndefined()
})

test('the handler gets a log that is its own', async () => {
  const one = bench('onAttempt', { p: ({ log }: { log: Log }) => log.info({ n: 1 }, 'seen') })
  await call(one, 'onAttempt')
  expect(one.log.texts()).toEqual(['info seen'])
})
