// The order of handlers: bands, names, facts, the operator's pin, ties; and every way to contradict oneself.
import { defineFact, type HandlerSpec, type MoxConfig, type Plugin } from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import { checkHost, hostOf, plugin } from './host-support.ts'

type Spec = Omit<HandlerSpec<'beforeDeliver'>, 'handler'>
const HOOK = 'beforeDeliver'
const auth = defineFact('auth')
const score = defineFact('score')

function pluginsOf(specs: Readonly<Record<string, Spec>>): Plugin[] {
  return Object.entries(specs).map(([name, spec]) => {
    const [first = '', instance] = name.split('/')
    const made = plugin(first, { [HOOK]: { ...spec, handler: () => undefined } })
    return instance === undefined ? made : made.as(instance)
  })
}

/** `expected`: names in order, with why they stand there. */
function check(specs: Readonly<Record<string, Spec>>, expected: readonly string[], pin?: readonly string[]): void {
  const hooks: MoxConfig['hooks'] = pin === undefined ? {} : { order: { [HOOK]: pin } }
  const { hooks: explained } = hostOf(pluginsOf(specs), hooks).host.explain()
  const handlers = explained.find(({ hook }) => hook === HOOK)?.handlers ?? []
  expect(handlers.map(({ plugin, place }) => `${plugin}: ${place}`)).toEqual(expected)
}

function refuse(specs: Readonly<Record<string, Spec>>, expected: string, pin?: readonly string[]): void {
  checkHost(pluginsOf(specs), expected, pin === undefined ? {} : { order: { [HOOK]: pin } })
}

const plain = 'order of plugins'

test('ties, bands, names', () => {
  check({ b: {}, a: {}, c: {} }, [`b: ${plain}`, `a: ${plain}`, `c: ${plain}`])
  check({ a: { band: 'late' }, b: {}, c: { band: 'early' }, d: { band: 'normal' } }, [
    'c: band early',
    `b: ${plain}`,
    'd: band normal',
    'a: band late',
  ])
  check({ a: { after: ['b'] }, b: {}, c: {} }, [`b: ${plain}`, 'a: comes after b', `c: ${plain}`])
  check({ a: {}, b: { before: ['a'] } }, ['b: comes before a', 'a: b comes before a'])
  check({ a: { after: ['?gone'], before: ['?missing'] } }, [`a: ${plain}`])
  check({ a: { after: ['b'], band: 'early' }, b: { band: 'late' }, c: {} }, [
    'c: order of plugins',
    'b: band late',
    'a: comes after b; band early',
  ])
})

test('a name means all instances, or one', () => {
  check({ a: { after: ['hooks'] }, 'hooks/x': {}, 'hooks/y': {} }, [
    `hooks/x: ${plain}`,
    `hooks/y: ${plain}`,
    'a: comes after hooks/x; comes after hooks/y',
  ])
  check({ a: { after: ['hooks/y'] }, 'hooks/x': {}, 'hooks/y': {} }, [
    `hooks/x: ${plain}`,
    `hooks/y: ${plain}`,
    'a: comes after hooks/y',
  ])
})

test('facts', () => {
  check({ a: { uses: [auth] }, b: { provides: [auth] } }, [`b: ${plain}`, 'a: uses the fact "auth" of b'])
  check({ a: { uses: [auth], provides: [auth] } }, [`a: ${plain}`])
  refuse(
    { a: { uses: [auth] } },
    'a: beforeDeliver uses the fact "auth", which no enabled plugin provides; enable one that does',
  )
  refuse(
    { a: { uses: [defineFact('scoer')] }, b: { provides: [score] } },
    'a: beforeDeliver uses the fact "scoer", which no enabled plugin provides; did you mean "score"?',
  )
  // A fact of an earlier hook is there, without an order within this one.
  const earlier = plugin('early', { 'onReceive.data': { provides: [auth], handler: () => undefined } })
  checkHost([...pluginsOf({ a: { uses: [auth] } }), earlier], undefined)
})

test('the operator pins', () => {
  check({ a: {}, b: {}, c: {} }, ['c: pinned in hooks.order', 'b: pinned in hooks.order', `a: ${plain}`], ['c', 'b'])
  check(
    { a: { band: 'early' }, b: { after: ['a'], band: 'late' } },
    ['b: pinned in hooks.order; band late', 'a: band early'],
    ['b'],
  )
  check({ a: { after: ['b'] }, b: {} }, ['a: pinned in hooks.order', 'b: pinned in hooks.order'], ['a', 'b'])
  refuse({ a: {} }, 'hooks.order: beforeDeliver names "limits", which is not enabled', ['limits'])
  refuse(
    { suppression: {} },
    'hooks.order: beforeDeliver names "supression", which is not enabled; did you mean "suppression"?',
    ['supression'],
  )
  checkHost(
    [plugin('other'), ...pluginsOf({ a: {} })],
    'hooks.order: beforeDeliver names "other", which has no handler of beforeDeliver; there are a',
    { order: { [HOOK]: ['other'] } },
  )
  refuse(
    { a: { uses: [auth] }, b: { provides: [auth] } },
    'beforeDeliver: handlers wait for each other: a uses the fact "auth" of b, hooks.order puts b after a; take one of these back',
    ['a', 'b'],
  )
})

test('names that nobody has, and circles', () => {
  refuse(
    { suppression: {}, a: { after: ['supression'] } },
    'a: beforeDeliver comes after "supression", which is not enabled; did you mean "suppression"?',
  )
  refuse(
    { a: { before: ['greylist'] } },
    'a: beforeDeliver comes before "greylist", which is not enabled; enable it, or write "?greylist" if it may be missing',
  )
  refuse(
    { x: { after: ['a'] }, a: { after: ['b'] }, b: { after: ['c'] }, c: { before: ['b'], after: ['a'] } },
    'beforeDeliver: handlers wait for each other: a comes after b, b comes after c, c comes after a; take one of these back',
  )
  refuse(
    { a: { provides: [auth], uses: [score] }, b: { provides: [score], uses: [auth] } },
    'beforeDeliver: handlers wait for each other: a uses the fact "score" of b, b uses the fact "auth" of a; take one of these back',
  )
})
