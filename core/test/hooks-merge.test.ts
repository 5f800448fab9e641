// How the verdicts of several handlers become one: ladders, ties, exemptions, keywords; the order of handlers does not matter.
import {
  accept,
  defer,
  draft,
  exempt,
  fail,
  type HookName,
  hold,
  match,
  pass,
  postpone,
  quarantine,
  reject,
  route,
  tag,
} from '@mox/plugin-sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HOOKS } from '../src/hooks/table.ts'
import { bench, call } from './hooks-support.ts'

/** Handlers a, b, c … give the answers in this order. */
async function check(hook: HookName, answers: readonly unknown[], expected: unknown): Promise<void> {
  const handlers = answers.map((answer, i) => [String.fromCharCode(97 + i), () => answer])
  expect(await call(bench(hook, Object.fromEntries(handlers)), hook)).toEqual(expected)
}

test('the strongest wins, whoever comes first', async () => {
  await check('onReceive.rcpt', [pass(), undefined], { kind: 'pass' })
  await check('onReceive.rcpt', [defer('later'), pass()], defer('later'))
  await check('onReceive.rcpt', [exempt({ categories: ['auth'], reason: 'x' }), defer('later')], defer('later'))
  await check('onReceive.rcpt', [defer('later'), reject('no')], reject('no'))
  await check('onReceive.rcpt', [reject('no'), () => expect.unreachable()], reject('no'))
  await check('beforeDeliver', [hold('x'), route('direct'), postpone(5, 'y')], hold('x'))
  await check('beforeDeliver', [hold('x'), fail('no')], fail('no'))
})

test('equals', async () => {
  await check('onReceive.data', [tag(['b', 'a'], 'one'), tag(['c', 'a'])], {
    kind: 'tag',
    keywords: ['a', 'b', 'c'],
    reason: 'one',
  })
  await check(
    'onReceive.data',
    [exempt({ categories: ['policy'], reason: 'one' }), exempt({ categories: ['auth'], reason: 'two' })],
    {
      ...{ kind: 'exempt', categories: ['auth', 'policy'], reason: 'one' },
    },
  )
  await check('beforeDeliver', [postpone(5, 'one'), postpone(9, 'two'), postpone(7, 'three')], postpone(9, 'two'))
  await check('beforeDeliver', [route('one'), route('two')], route('one'))
  await check('beforeDeliver', [postpone(5, 'one'), null], { ...postpone(5, 'one'), failed: true })
  await check('onReceive.rcpt', [null, defer('meant')], defer('meant'))
})

test('keywords stay with a stronger verdict that accepts', async () => {
  await check('onReceive.data', [tag(['list']), quarantine('spam'), tag(['big'])], {
    ...quarantine('spam'),
    keywords: ['big', 'list'],
  })
  await check('onReceive.data', [exempt({ categories: ['auth'], reason: 'x' }), tag(['list'])], {
    ...exempt({ categories: ['auth'], reason: 'x' }),
    keywords: ['list'],
  })
})

test('the first match or draft ends; a failure counts only when there is none', async () => {
  const event = { action: 'failed', code: 550, enhanced: '', text: '' } as const
  await check('onDSN.match', [pass(), match(1, event), match(2, event)], match(1, event))
  await check('onReport.received', [null, accept('tlsrpt', [])], accept('tlsrpt', []))
  const report = { recipients: ['a@b'], subject: 's', filename: 'f', contentType: 'a/b', body: Buffer.alloc(0) }
  await check('onReport.due', [null, draft(report)], draft(report))
  await check(
    'onReport.due',
    [null, pass()],
    expect.stringMatching(/^rejects: onReport\.due of a returned something else/),
  )
})

test('exempt silences later handlers of its categories, in later hooks of the scope too, unless they are mandatory', async () => {
  const one = bench('onReceive.rcpt', {
    greylist: { handler: () => defer('greylisted'), category: 'reputation' },
    allow: () => exempt({ categories: ['reputation'], reason: 'a friend' }),
    dnsbl: { handler: () => reject('listed'), category: 'reputation' },
    quota: { handler: () => defer('full'), category: 'policy' },
    banned: { handler: () => reject('banned'), category: 'reputation', mandatory: true },
  })
  expect(await call(one, 'onReceive.rcpt')).toEqual(reject('banned'))
  expect(one.scope.trace.map(({ plugin, verdict, reason }) => [plugin, verdict, reason])).toEqual([
    ['greylist', 'defer', undefined],
    ['allow', 'exempt', 'a friend'],
    ['dnsbl', 'exempted', 'reputation was exempted'],
    ['quota', 'defer', undefined],
    ['banned', 'reject', undefined],
  ])
  await call(one, 'onReceive.rcpt')
  expect(one.scope.trace[5]).toMatchObject({ plugin: 'greylist', verdict: 'exempted' })
})

test('nobody there: one shared answer', async () => {
  const { hooks, scope } = bench('onAttempt', {})
  const first = hooks.decide('beforeDeliver', {} as never, scope)
  expect(first).toBe(hooks.decide('onReceive.rcpt', {} as never, scope))
  expect([await first, hooks.has('beforeDeliver'), hooks.subscribers('onAttempt')]).toEqual([
    { kind: 'pass' },
    false,
    [],
  ])
})

const text = fc.constantFrom('x', 'y', 'z')
const answers: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  pass: fc.constantFrom(undefined, pass()),
  tag: fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map(keywords => tag(keywords)),
  quarantine: text.map(quarantine),
  exempt: fc
    .tuple(fc.subarray(['auth', 'policy'] as const, { minLength: 1 }), text)
    .map(([categories, reason]) => exempt({ categories, reason })),
  defer: text.map(t => defer(t)),
  reject: text.map(t => reject(t)),
  route: text.map(t => route(t)),
  postpone: fc.tuple(fc.nat(3), text).map(([until, reason]) => postpone(until, reason)),
  hold: text.map(hold),
  fail: text.map(t => fail(t)),
  match: fc.integer({ min: 1, max: 3 }).map(id => match(id, { action: 'failed', code: 0, enhanced: '', text: '' })),
  draft: text.map(subject =>
    draft({ recipients: ['a@b'], subject, filename: 'f', contentType: 'a/b', body: Buffer.alloc(0) }),
  ),
  accept: text.map(report => accept(report, [])),
  failure: fc.constantFrom(null, 'text', Promise.resolve(null)),
}

const decideHooks = [...HOOKS.values()].filter(({ sort }) => sort === 'decide')

test.each(decideHooks)('$name: every order of handlers gives the same verdict', async ({ name, ladder }) => {
  const kinds = [...ladder, 'failure'].map(kind => answers[kind] ?? fc.constant(undefined))
  const plugins = fc.uniqueArray(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.oneof(...kinds), fc.boolean()),
    {
      selector: ([plugin]) => plugin,
      maxLength: 6,
    },
  )
  const orders = plugins.chain(list =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  )
  await fc.assert(
    fc.asyncProperty(orders, async pair => {
      const [one, other] = await Promise.all(
        pair.map(list => {
          const handlers = list.map(([plugin, answer, later]) => [plugin, later ? async () => answer : () => answer])
          return call(bench(name, Object.fromEntries(handlers)), name)
        }),
      )
      const kind = (verdict: unknown): unknown => (verdict as { kind?: string }).kind ?? 'rejects'
      expect(kind(one)).toBe(kind(other))
      // The top of a ladder ends the hook: which of several such answers it is depends on who was asked first.
      if (kind(one) !== ladder.at(-1) && kind(one) !== 'rejects') expect(one).toEqual(other)
    }),
    { seed: 1, numRuns: 500 },
  )
})
