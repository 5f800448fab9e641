// Every way in which a handler can fail, for every hook: the outcome is the declared one, it comes by the deadline, once, and
// the trace and the log say what happened.
import type { HookName } from '@mox/plugin-sdk'
import { failing, HANDLER_FAILURES, type HandlerFailure, turns } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import type { FailureOutcome } from '../src/hooks/table.ts'
import { entryOf, HOOKS } from '../src/hooks/table.ts'
import { bench, call, ID } from './hooks-support.ts'

const reason = `policy failed (${ID})`
const temporary = `local error, try again later (${ID})`
const failed = { reason, failed: true }

const DECLARED: Readonly<Record<HookName, unknown>> = {
  'onReceive.connect': { kind: 'defer', reply: { code: 421, enhanced: '4.3.0', text: temporary }, ...failed },
  'onReceive.mail': { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
  'onReceive.rcpt': { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
  'onReceive.data': { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
  'onReceive.head': { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
  'onReceive.done': expect.stringMatching(/^rejects: onReceive\.done of policy /),
  onQueue: { kind: 'refuse', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
  beforeDeliver: { kind: 'postpone', until: 0, ...failed },
  onAttempt: expect.stringMatching(/^rejects: onAttempt of policy /),
  'onDSN.compose': expect.stringMatching(/^rejects: onDSN\.compose of policy /),
  'onDSN.match': { kind: 'pass' },
  'onRetire.tx': 'done',
  'onDSN.done': expect.stringMatching(/^rejects: onDSN\.done of policy /),
  'onRetire.done': expect.stringMatching(/^rejects: onRetire\.done of policy /),
  'onWebhook.compose': { kind: 'pass' },
  'onWebhook.send': expect.stringMatching(/^rejects: onWebhook\.send of policy /),
  'onReport.due': expect.stringMatching(/^rejects: onReport\.due of policy /),
  'onReport.received': { kind: 'pass' },
  'onAccount.remove': expect.stringMatching(/^rejects: onAccount\.remove of policy /),
}

const TEXTS: Readonly<Record<HandlerFailure | 'abort', RegExp>> = {
  throw: /threw Error: thrown on purpose$/,
  reject: /threw Error: rejected on purpose$/,
  hang: /gave no answer within \d+ ms$/,
  deaf: /gave no answer within \d+ ms$/,
  null: /returned something else than a verdict: /,
  text: /returned something else than a verdict: /,
  unknown: /returned something else than a verdict: /,
  abort: /was aborted: the peer is gone or the process stops$/,
}

async function check(hook: HookName, how: HandlerFailure | 'abort'): Promise<void> {
  const handler = failing(() => undefined, how === 'abort' ? 'deaf' : how)
  const one = bench(hook, { policy: handler })
  const outcome = call(one, hook)
  if (how === 'abort') one.gone.abort()
  await one.clock.advance(entryOf(hook).limitMs)
  expect(await outcome, `${hook} ${how}`).toEqual(DECLARED[hook])
  expect(one.scope.trace, `${hook} ${how}`).toEqual([
    {
      hook,
      plugin: 'policy',
      verdict: expect.any(String),
      reason: expect.stringMatching(TEXTS[how]),
      ms: expect.any(Number),
      failed: true,
    },
  ])
  expect(one.log.texts()).toEqual([
    how === 'abort' ? 'debug handler was not needed any more' : 'error handler failed',
    ...(how === 'hang' ? ['warn handler answered after its deadline'] : []),
  ])
  expect(one.clock.pending).toBe(0)
}

test.each([...HOOKS.keys()] as HookName[])('%s: every way to fail has the declared outcome', async hook => {
  for (const how of [...HANDLER_FAILURES, 'abort'] as const) await check(hook, how)
})

test('every failure that may be declared instead', async () => {
  const expected: Readonly<Record<FailureOutcome, unknown>> = {
    pass: { kind: 'pass' },
    defer: { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
    reject: { kind: 'reject', reply: { code: 554, enhanced: '5.3.0', text: `local error (${ID})` }, ...failed },
    refuse: { kind: 'refuse', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed },
    fail: {
      kind: 'fail',
      status: 'failed',
      reply: { code: 554, enhanced: '5.3.0', text: `local error (${ID})` },
      ...failed,
    },
    postpone: { kind: 'postpone', until: 0, ...failed },
    quarantine: { kind: 'quarantine', ...failed },
    hold: { kind: 'hold', ...failed },
    skip: { kind: 'skip', ...failed },
    withhold: { kind: 'withhold', ...failed },
    ...{ retry: undefined, undo: undefined, exempt: undefined, tag: undefined, route: undefined },
    ...{ match: undefined, draft: undefined, accept: undefined },
  }
  for (const { name, sort, otherFailures } of HOOKS.values())
    for (const onError of otherFailures) {
      const one = bench(name, { policy: { handler: failing(() => undefined, 'throw'), onError } })
      expect(await call(one, name), `${name} ${onError}`).toEqual(sort === 'react' ? 'done' : expected[onError])
    }
})

test('the deadline: an answer at the last moment counts, one after it does not', async () => {
  const check = async (ms: number, expected: string): Promise<void> => {
    const one = bench('beforeDeliver', {
      slow: async () => {
        await one.clock.sleep(ms)
        return { kind: 'hold', reason: 'slow' }
      },
    })
    const outcome = call(one, 'beforeDeliver')
    await one.clock.advance(20_000)
    expect(await outcome).toMatchObject({ kind: expected })
  }
  await check(9_999, 'hold')
  await check(10_001, 'postpone')
})

test('the signal aborts at the deadline and with the session, also for one who asks late', async () => {
  const reasons: string[] = []
  const handler = (input: { signal: AbortSignal }): Promise<never> => {
    input.signal.addEventListener('abort', () => reasons.push((input.signal.reason as Error).name))
    return new Promise(() => {})
  }
  const late = bench('onAttempt', { p: handler })
  void call(late, 'onAttempt')
  await late.clock.advance(30_000)
  const gone = bench('onAttempt', { p: handler })
  void call(gone, 'onAttempt')
  gone.gone.abort()
  let kept: { signal: AbortSignal } | undefined
  const lazy = bench('onAttempt', {
    p: (input: { signal: AbortSignal }) => {
      kept = input
      return new Promise(() => {})
    },
  })
  void call(lazy, 'onAttempt')
  await lazy.clock.advance(30_000)
  expect([...reasons, kept?.signal.aborted]).toEqual(['TimeoutError', 'AbortError', true])
})

test('nobody is asked once the peer is gone', async () => {
  const one = bench('beforeDeliver', { p: () => expect.unreachable() })
  one.gone.abort()
  expect(await call(one, 'beforeDeliver')).toMatchObject({ kind: 'postpone', failed: true })
})

test('onReceive.data: 30 s each, 120 s in all', async () => {
  const asked: string[] = []
  const hanging = (name: string) => () => {
    asked.push(name)
    return new Promise<never>(() => {})
  }
  const names = ['a', 'b', 'c', 'd', 'e']
  const one = bench('onReceive.data', Object.fromEntries(names.map(name => [name, hanging(name)])))
  let done = false
  void call(one, 'onReceive.data').then(() => {
    done = true
  })
  await one.clock.advance(119_999)
  expect(done).toBe(false)
  await one.clock.advance(1)
  await turns()
  expect([done, asked, one.scope.trace.at(-1)?.reason]).toEqual([
    true,
    ['a', 'b', 'c', 'd'],
    'onReceive.data of e was not asked: earlier handlers took all the time',
  ])
})

test('a handler that returns no promise sets no timer', async () => {
  const one = bench('beforeDeliver', { p: () => undefined })
  one.clock.after = () => expect.unreachable()
  expect(await call(one, 'beforeDeliver')).toEqual({ kind: 'pass' })
})

test('hostile answers', async () => {
  const trap = (field: string): object =>
    Object.defineProperty({ kind: 'hold', reason: 'x' }, field, {
      get: () => {
        throw new Error('trap')
      },
    })
  const twice = {
    // biome-ignore lint/suspicious/noThenProperty: this is what the row is about
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve({ kind: 'hold', reason: 'first' })
      resolve({ kind: 'pass' })
      reject(new Error('third'))
      throw new Error('fourth')
    },
  }
  const rows: [() => unknown, string][] = [
    [() => trap('kind'), 'postpone'],
    [() => trap('reason'), 'postpone'],
    [() => trap('then'), 'postpone'],
    [() => twice, 'hold'],
    [() => new Proxy({}, { get: () => 'hold' }), 'hold'],
    [() => Promise.reject(Object.create(null)), 'postpone'],
  ]
  for (const [answer, expected] of rows) {
    const one = bench('beforeDeliver', { p: answer })
    expect(((await call(one, 'beforeDeliver')) as { kind: string }).kind).toBe(expected)
  }
})

test('reasons in the trace are short and without control characters', async () => {
  const one = bench('beforeDeliver', {
    a: () => ({ kind: 'hold', reason: `two\r\nlines ${'x'.repeat(500)}` }),
    b: () => {
      throw new Error('\u001b[31mred')
    },
  })
  await call(one, 'beforeDeliver')
  const [a, b] = one.scope.trace
  expect([a?.reason?.length, a?.reason?.slice(0, 13), b?.reason]).toEqual([
    200,
    'two\\r\\nlines x'.slice(0, 13),
    'beforeDeliver of b threw Error: \\u001b[31mred',
  ])
})
