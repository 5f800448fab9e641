// What stops the start before anything is opened: wrong options, wrong plugins, wrong services, wrong handlers; and what
// `mox plugin explain` shows when all is well.
import {
  clock,
  defineFact,
  definePlugin,
  defineService,
  type Log,
  log,
  type MoxConfig,
  optional,
  type Plugin,
  routes,
  storage,
  transports,
  UsageError,
} from '@mox/plugin-sdk'
import { sampleRcpt } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { SHOWN_LENGTH } from '../src/host/options.ts'
import { newScope } from '../src/receive/scope.ts'
import { checkHost, hostOf, plugin } from './host-support.ts'

const greeter = defineService<{ greet(): string }>('greeter@1')
const names = defineService<string, 'many'>('names@1', 'many')

test('options of zod', () => {
  const schema = z.strictObject({
    domains: z.array(z.string()).min(1),
    port: z.int().max(65_535).default(25),
    relay: z.strictObject({ password: z.string().min(8) }).optional(),
    hosts: z.record(z.string(), z.int()).optional(),
  })
  const make = definePlugin({ name: 'demo', options: schema, setup: () => ({}) })
  const check = (options: unknown, expected?: string): void => checkHost([make(options as never)], expected)
  check({ domains: ['a'] })
  check({ domains: 5 }, 'demo: domains is 5; must be a list in [ ]')
  check({}, 'demo: domains is missing; must be a list in [ ]')
  check({ domains: ['a', 7] }, 'demo: domains[1] is 7; must be a text in quotes')
  check(
    { domains: [], port: 70_000 },
    'demo: domains is []; must have at least 1 entry\ndemo: port is 70000; must be at most 65535',
  )
  check(
    { domains: ['a'], prot: 25, x: 1 },
    'demo: prot is not an option; remove it or correct its name\ndemo: x is not an option; remove it or correct its name',
  )
  check(
    { domains: ['a'], relay: { password: 'short' } },
    'demo: relay.password is a value that is not shown; must have at least 8 characters',
  )
  check(
    { domains: { password: 'x', a: '\u001b[31m' } },
    'demo: domains is {"password":"***","a":"\\u001b[31m"}; must be a list in [ ]',
  )
  check({ domains: ['a'], hosts: { 'a b': 'c' } }, 'demo: hosts["a b"] is "c"; must be a number')
  check(
    { domains: 'x'.repeat(SHOWN_LENGTH - 2) },
    `demo: domains is "${'x'.repeat(SHOWN_LENGTH - 2)}"; must be a list in [ ]`,
  )
  check(
    { domains: 'x'.repeat(SHOWN_LENGTH - 1) },
    `demo: domains is "${'x'.repeat(SHOWN_LENGTH - 2)}…; must be a list in [ ]`,
  )
  checkHost([make(7 as never)], 'demo: options is 7; must be an object in { }')
})

test('what an option must be', () => {
  const check = (schema: z.ZodType, value: unknown, expected: string): void => {
    const make = definePlugin({ name: 'demo', options: z.strictObject({ a: schema }), setup: () => ({}) })
    checkHost([make({ a: value } as never)], `demo: ${expected}`)
  }
  check(z.int(), 1.5, 'a is 1.5; must be a whole number')
  check(z.number().positive(), 0, 'a is 0; must be above 0')
  check(z.number().lt(5), 5, 'a is 5; must be below 5')
  check(z.number().min(2), 1, 'a is 1; must be at least 2')
  check(z.boolean(), 'yes', 'a is "yes"; must be true or false')
  check(z.enum(['x', 'y', 'z']), 'w', 'a is "w"; must be "x", "y" or "z"')
  check(z.literal('x'), 'w', 'a is "w"; must be "x"')
  check(z.string().max(1), 'xy', 'a is "xy"; must have at most 1 character')
  check(z.array(z.string()).max(0), ['x'], 'a is ["x"]; must have at most 0 entries')
  check(z.record(z.string(), z.string()), 'x', 'a is "x"; must be an object in { }')
  const names = z.union([z.string(), z.array(z.string()).min(1)])
  check(names, 5, 'a is 5; must be a text in quotes or be a list in [ ]')
  check(names, ['x', 5], 'a[1] is 5; must be a text in quotes')
  check(z.union([z.int().min(1), z.literal(false)]), 0, 'a is 0; must be at least 1')
  // The plugin's own words, and what the schema alone can say.
  check(
    z.string().refine(() => false, 'must be nice'),
    'x',
    'a is "x"; must be nice',
  )
  check(z.union([z.string(), z.null()], 'must be a name'), 5, 'a is 5; must be a name')
  check(z.string().regex(/^x$/), 'y', 'a is "y"; Invalid string: must match pattern /^x$/')
})

test('options of other schemas', () => {
  const parser = (parse: (input: unknown) => unknown) =>
    definePlugin({ name: 'demo', options: { parse }, setup: () => ({}) })({} as never)
  checkHost([parser(() => ({}))], undefined)
  const stops = (error: unknown, expected: string): void =>
    checkHost(
      [
        parser(() => {
          throw error
        }),
      ],
      expected,
    )
  stops(new Error('hours are 0 to 23'), 'demo: options: hours are 0 to 23')
  stops(new UsageError('demo: hours are 0 to 23'), 'demo: hours are 0 to 23')
  stops('text', 'demo: options: text')
  checkHost([parser(async () => ({}))], 'demo: its schema answers with a promise; options are checked without waiting')
  const later = { '~standard': { version: 1 as const, vendor: 'x', validate: async (value: unknown) => ({ value }) } }
  checkHost(
    [definePlugin({ name: 'demo', options: later, setup: () => ({}) })({} as never)],
    'demo: its schema answers with a promise; options are checked without waiting',
  )
  const none = definePlugin({ name: 'demo', setup: () => ({}) })
  checkHost([none()], undefined)
  checkHost([none({ a: 1 } as never)], 'demo: takes no options, but has {"a":1}; write demo()')
})

test('what is no plugin, and names', () => {
  const entry = (value: unknown, expected?: string): void => checkHost([value as Plugin], expected)
  for (const nothing of [false, null, undefined, '', 0]) entry(nothing)
  const factory = definePlugin({ name: 'demo', setup: () => ({}) })
  entry(factory, 'plugins[0] is a function; call it, as in demo()')
  entry(() => 1, 'plugins[0] is a function; call it')
  entry({ name: 'x' }, "plugins[0] is no plugin; put in what a plugin's function returns")
  entry('webhooks', "plugins[0] is no plugin; put in what a plugin's function returns")
  entry(plugin('Bad Name'), 'plugins[0] has the name "Bad Name"; names are lower-case words joined by dashes')
  entry(factory().as('x'.repeat(50)))
  entry(
    factory().as('x'.repeat(51)),
    `plugins[0]: demo is named .as("${'x'.repeat(51)}"); use 1 to 50 letters, digits, "_" and "-"`,
  )
  checkHost([factory(), factory()], "plugins: demo is enabled twice; give the second one a name: demo({…}).as('other')")
  checkHost([factory(), factory().as('a')], undefined)
  checkHost(
    [factory().as('a'), factory().as('a')],
    'plugins: demo/a is enabled twice; give one of them another name in .as()',
  )
})

test('setup', () => {
  const sets = (setup: () => unknown, expected?: string): void =>
    checkHost([definePlugin({ name: 'demo', setup: setup as () => object })()], expected)
  sets(() => ({}))
  const broken = new Error('broken')
  const fails = definePlugin({
    name: 'demo',
    setup: () => {
      throw broken
    },
  })
  // No mistake of the operator: its stack is shown.
  const problem = (): unknown => hostOf([fails()])
  expect(problem).toThrow(
    expect.objectContaining({ name: 'Error', message: 'demo: setup failed: broken', cause: broken }),
  )
  sets(() => {
    throw new UsageError('set a and b')
  }, 'demo: set a and b')
  sets(async () => {
    throw new Error('nobody waits')
  }, 'demo: setup returns a promise; setup is synchronous, and start() opens things')
  sets(() => undefined, 'demo: setup returns no object; return the handlers, as in { beforeDeliver: … }')
  sets(
    () => ({ beforeDelivery: () => undefined }),
    'demo: setup returns "beforeDelivery", which is no hook; did you mean "beforeDeliver"?',
  )
  sets(() => ({ start: 5 }), 'demo: start is no function')
  sets(() => ({ services: { a: 1 } }), 'demo: setup returns services.a, which is not in provides')
})

test('handlers', () => {
  const handler = (): undefined => undefined
  const has = (spec: object, expected?: string): void =>
    checkHost([plugin('demo', { beforeDeliver: spec as never })], expected)
  has({ handler, timeoutMs: 10_000, band: 'late', category: 'policy', onError: 'pass' })
  has({}, 'demo: beforeDeliver: has no handler; write { handler: input => … }')
  has({ handler, timeoutMs: 10_001 }, 'demo: beforeDeliver: timeoutMs is 10001; this hook gives at most 10000')
  has(
    { handler, when: () => true },
    'demo: beforeDeliver: has `when`, which is for write and react handlers; this is a decide hook: return nothing instead',
  )
  has({ handler, timeoutMs: 0 }, 'demo: beforeDeliver: timeoutMs is 0; this hook gives at most 10000')
  has({ handler, timeoutMs: Number.NaN }, 'demo: beforeDeliver: timeoutMs is NaN; this hook gives at most 10000')
  has({ handler, band: 'last' }, 'demo: beforeDeliver: band is "last"; write "early", "normal" or "late"')
  has(
    { handler, category: 'spam' },
    'demo: beforeDeliver: category is "spam"; write one of auth, reputation, content, policy',
  )
  has(
    { handler, onError: 'reject' },
    'demo: beforeDeliver: onError is "reject"; write "postpone" or "pass" or "hold" or "fail"',
  )
})

test("the operator's overrides", async () => {
  const throws = plugin('demo', {
    'onReceive.rcpt': {
      onError: 'reject',
      handler: () => {
        throw new Error('x')
      },
    },
  })
  const check = async (onError: NonNullable<MoxConfig['hooks']>['onError'], expected: string): Promise<void> => {
    const { host } = hostOf([throws.as('one')], onError === undefined ? {} : { onError })
    expect(
      await host.hooks.decide('onReceive.rcpt', sampleRcpt(), newScope(new AbortController().signal)),
    ).toMatchObject({ kind: expected })
  }
  await check(undefined, 'reject')
  await check({ demo: { 'onReceive.rcpt': 'pass' } }, 'pass')
  await check({ demo: { 'onReceive.rcpt': 'pass' }, 'demo/one': { 'onReceive.rcpt': 'defer' } }, 'defer')
  checkHost(
    [throws],
    'hooks.onError: "beforeDeliver" is a hook; the plugin comes first: { "my-policy": { "beforeDeliver": … } }',
    { onError: { beforeDeliver: { demo: 'pass' } } },
  )
  checkHost([throws], 'hooks.onError: "dmeo" is not enabled; did you mean "demo"?', { onError: { dmeo: {} } })
  checkHost([throws], 'hooks.onError: demo: there is no hook "onReceive.rctp"; did you mean "onReceive.rcpt"?', {
    onError: { demo: { 'onReceive.rctp': 'pass' } },
  })
  checkHost([throws], 'hooks.onError: demo: onReceive.rcpt is "hold"; write "defer" or "pass" or "reject"', {
    onError: { demo: { 'onReceive.rcpt': 'hold' } },
  })
  checkHost([throws], 'hooks.order: there is no hook "onQeue"; did you mean "onQueue"?', { order: { onQeue: [] } })
})

test('services: providers, order, what is missing', () => {
  const seen: string[] = []
  const user = definePlugin({
    name: 'user',
    needs: { greeter },
    setup: ({ services }) => {
      seen.push(services.greeter.greet())
      return {}
    },
  })()
  const provider = (name: string): Plugin =>
    plugin(name, { services: { greeter: { greet: () => name } } }, {}, { greeter })
  checkHost([user, provider('one')], undefined)
  checkHost([user], undefined, {}, [[greeter.id, { greet: () => 'built in' }]])
  expect(seen).toEqual(['one', 'built in'])
  checkHost(
    [provider('one'), provider('two')],
    'one and two both provide the service greeter@1; enable only one of them',
  )
  checkHost([provider('one')], 'mox itself and one both provide the service greeter@1; enable only one of them', {}, [
    [greeter.id, {}],
  ])
  checkHost([user], 'user needs the service greeter@1, which nobody provides; add a plugin that does to plugins')
  checkHost(
    [plugin('user', {}, { storage })],
    'user needs the service storage@1, which nobody provides; add storageSqlite() from @mox/plugin-storage-sqlite to plugins',
  )
  checkHost(
    [plugin('user', {}, { clock: defineService('clock@2') })],
    'user needs the service clock@2, which nobody provides; did you mean "clock@1"?',
  )
  checkHost(
    [plugin('one', {}, {}, { greeter })],
    'one: provides has greeter (greeter@1), but setup returns no services.greeter',
  )
  checkHost([plugin('user', {}, { greeter: optional(greeter) })], undefined)
  const a = defineService('a@1')
  const b = defineService('b@1')
  checkHost(
    [plugin('first', { services: { a: 1 } }, { b }, { a }), plugin('second', { services: { b: 1 } }, { a }, { b })],
    'plugins: first needs second needs first: none of them can be first; leave one out',
  )
})

test('services: many are in the order of plugins, complete and frozen after the last setup', () => {
  let list: readonly string[] = []
  let early = -1
  const user = definePlugin({
    name: 'user',
    needs: { names, greeter: optional(greeter) },
    setup: ({ services }) => {
      list = services.names
      early = list.length
      return { services: {} }
    },
  })()
  const giving = (name: string, given: string | readonly string[], needs = {}): Plugin =>
    plugin(name, { services: { names: given } }, needs, { names })
  const greets = plugin('greets', { services: { greeter: { greet: () => '' } } }, {}, { greeter })
  const { host } = hostOf([user, giving('one', 'b', { greeter }), giving('two', ['c', 'd']), greets], {}, [
    [names.id, 'a'],
  ])
  expect([early, list, Object.isFrozen(list), host.service(names)]).toEqual([1, ['a', 'b', 'c', 'd'], true, list])
  expect([host.service(transports), host.service(optional(greeter)) === undefined, host.service(routes)]).toEqual([
    [],
    false,
    [],
  ])
})

test('each plugin logs under its name', () => {
  const speaks = definePlugin({
    name: 'demo',
    needs: { log },
    setup: ({ services }: { services: { log: Log } }) => {
      services.log.info({ a: 1 }, 'hello')
      return {}
    },
  })
  expect(hostOf([speaks().as('x')]).log.lines).toEqual([
    { level: 'info', text: 'hello', fields: { plugin: 'demo/x', a: 1 } },
  ])
})

test('facts of a plugin may be set by all of its handlers', async () => {
  const auth = defineFact<number>('auth')
  const sets = definePlugin({
    name: 'demo',
    facts: [auth],
    setup: () => ({ 'onReceive.rcpt': ({ facts }) => facts.set(auth, 1) }),
  })()
  const scope = newScope(new AbortController().signal)
  await hostOf([sets]).host.hooks.decide('onReceive.rcpt', sampleRcpt(), scope)
  expect([scope.facts.get(auth), scope.trace[0]?.verdict]).toEqual([1, 'pass'])
})

test('explain', () => {
  const score = defineFact('score')
  const demo = definePlugin({
    name: 'demo',
    options: z.strictObject({ port: z.int().default(25) }),
    needs: { clock, greeter: optional(greeter) },
    provides: { names },
    setup: () => ({
      services: { names: 'x' },
      onQueue: () => undefined,
      beforeDeliver: {
        ...{
          handler: () => undefined,
          band: 'late',
          timeoutMs: 500,
          onError: 'pass',
          category: 'policy',
          mandatory: true,
        },
        provides: [score],
      },
    }),
  })
  const { plugins, hooks } = hostOf([demo({})], { onError: { demo: { onQueue: 'hold' } } }).host.explain()
  expect(plugins).toEqual([
    {
      name: 'demo',
      needs: ['clock@1', 'greeter@1 (optional)'],
      provides: ['names@1'],
      hooks: ['onQueue', 'beforeDeliver'],
      options: { port: 25 },
    },
  ])
  expect(hooks.filter(({ handlers }) => handlers.length > 0)).toEqual([
    {
      hook: 'onQueue',
      sort: 'shape',
      ladder: ['pass', 'hold', 'refuse'],
      handlers: [
        {
          ...{ plugin: 'demo', place: 'order of plugins', timeoutMs: 2000, onError: 'hold', onErrorBy: 'config' },
          ...{ mandatory: false, provides: [], uses: [] },
        },
      ],
    },
    {
      hook: 'beforeDeliver',
      sort: 'decide',
      ladder: ['pass', 'route', 'postpone', 'hold', 'fail'],
      handlers: [
        {
          ...{ plugin: 'demo', place: 'band late', timeoutMs: 500, onError: 'pass', onErrorBy: 'plugin' },
          ...{ category: 'policy', mandatory: true, provides: ['score'], uses: [] },
        },
      ],
    },
  ])
})
