// The plugin host: takes the plugins of a config, checks their options, sets them up in dependency order, orders and taps their
// handlers, and runs their life cycle. Everything that can be found wrong without I/O is found in createHost.
import {
  type Clock,
  clock as clockToken,
  type HandlerFunction,
  type HandlerSpec,
  type HookName,
  type Log,
  log as logToken,
  type MoxConfig,
  type Needs,
  type Plugin,
  type Random,
  random as randomToken,
  type ServiceOf,
  type ServiceToken,
  type Setup,
  type Storage,
  storage as storageToken,
  UsageError,
} from '@mox/plugin-sdk'
import { didYouMean } from '../config/nearest.ts'
import type { Tap } from '../hooks/guard.ts'
import { createHooks } from '../hooks/hooks.ts'
import { assertMayWrite } from '../hooks/running.ts'
import { entryOf, type FailureOutcome, HOOKS } from '../hooks/table.ts'
import type { Hooks } from '../hooks/types.ts'
import { Lifecycle } from './lifecycle.ts'
import { parseOptions } from './options.ts'
import { checkFacts, type Ordered, orderHandlers, type Placed } from './order.ts'
import { type Instance, Services, startOrder } from './services.ts'

const HOOK_NAMES: readonly HookName[] = [...HOOKS.values()].map(entry => entry.name)

export interface HostOptions {
  readonly config: Pick<MoxConfig, 'plugins' | 'hooks'>
  /** Core's own services by token id. Must have the clock and the log. */
  readonly builtins: ReadonlyMap<string, unknown>
}

export interface Host {
  readonly hooks: Hooks
  /** A service by token; undefined for an optional one that nobody provides, [] for `many`. */
  service<S extends ServiceToken<unknown>>(token: S): ServiceOf<S>
  /** Migrations, then start() of every plugin in dependency order. */
  start(): Promise<void>
  /** listen() of every plugin. */
  listen(): Promise<void>
  /** drain() of every plugin, together. */
  drain(signal: AbortSignal): Promise<void>
  /** stop() of every plugin that was started, in reverse. */
  stop(): Promise<void>
  explain(): HostExplanation
}

export interface HostExplanation {
  readonly plugins: readonly PluginExplanation[]
  readonly hooks: readonly HookExplanation[]
}

export interface PluginExplanation {
  readonly name: string
  readonly needs: readonly string[]
  readonly provides: readonly string[]
  readonly hooks: readonly HookName[]
  readonly options: unknown
}

export interface HookExplanation {
  readonly hook: HookName
  /** In the order they run. */
  readonly handlers: readonly {
    readonly plugin: string
    readonly place: string
    readonly timeoutMs: number
    readonly onError: string
  }[]
}

export function createHost({ config, builtins }: HostOptions): Host {
  const instances = instancesOf(config.plugins)
  const order = startOrder(instances, new Set(builtins.keys()))
  const services = new Services(builtins)
  const log = builtins.get(logToken.id) as Log
  const options = new Map(order.map(({ name, plugin }) => [name, parseOptions(name, plugin)]))
  const setups = order.map(instance => ({
    ...instance,
    setup: setUp(instance, options.get(instance.name), services, log),
  }))
  const inConfigOrder = instances.map(({ name }) => setups.find(s => s.name === name)!)

  const known = new Set(instances.map(i => i.name))
  checkNames(config.hooks, known)
  const placed = HOOK_NAMES.map(hook => ({
    hook,
    placed: inConfigOrder.flatMap(({ name, setup }) => place(name, hook, setup)),
  }))
  checkFacts(placed, new Set(instances.flatMap(i => (i.plugin.spec.facts ?? []).map(f => f.id))))
  const ordered = new Map(
    placed.map(({ hook, placed }) => [hook, orderHandlers(hook, placed, known, config.hooks?.order?.[hook] ?? [])]),
  )
  const handlers = new Map(
    [...ordered].map(([hook, list]) => [
      hook,
      list.map(o => handlerOf(hook, o, config.hooks?.onError?.[o.plugin]?.[hook], log)),
    ]),
  )
  const hooks = createHooks(
    {
      clock: services.get(clockToken) as Clock,
      random: services.get(randomToken) as Random,
      stopwatch: () => performance.now(),
    },
    handlers,
  )
  const lifecycle = new Lifecycle(setups, () => services.get(storageToken) as Storage | undefined, log)

  return {
    hooks,
    service: <S extends ServiceToken<unknown>>(token: S) => services.get(token) as ServiceOf<S>,
    start: () => lifecycle.start(),
    listen: () => lifecycle.listen(),
    drain: signal => lifecycle.drain(signal),
    stop: () => lifecycle.stop(),
    explain: () => ({
      plugins: inConfigOrder.map(({ name, plugin, setup }) => ({
        name,
        needs: Object.values(plugin.spec.needs ?? {}).map(t => (t.optional ? `${t.id} (optional)` : t.id)),
        provides: Object.values(plugin.spec.provides ?? {}).map(t => t.id),
        hooks: HOOK_NAMES.filter(hook => setup[hook] !== undefined),
        options: options.get(name),
      })),
      hooks: [...ordered].map(([hook, list]) => ({
        hook,
        handlers: list.map(({ plugin, place }, i) => ({
          plugin,
          place,
          timeoutMs: handlers.get(hook)![i]!.limitMs,
          onError: handlers.get(hook)![i]!.onError,
        })),
      })),
    }),
  }
}

function instancesOf(plugins: MoxConfig['plugins']): Instance[] {
  const instances: Instance[] = []
  for (const [i, plugin] of plugins.entries()) {
    if (!plugin) continue
    if (typeof plugin === 'function')
      throw new UsageError(
        `plugins[${i}] is a function; call it: ${(plugin as { pluginName?: string }).pluginName ?? 'plugin'}()`,
      )
    if (typeof plugin !== 'object' || typeof plugin.name !== 'string' || plugin.spec === undefined)
      throw new UsageError(`plugins[${i}] is not a plugin; put in what a plugin's function returns`)
    const name = instanceName(plugin)
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\/[a-zA-Z0-9_-]{1,50})?$/.test(name))
      throw new UsageError(`plugins[${i}] has the name ${JSON.stringify(name)}; use lower-case words joined by dashes`)
    if (instances.some(other => other.name === name))
      throw new UsageError(
        `the plugin ${name} is enabled twice; give the second one a name: ${plugin.name}({…}).as('other')`,
      )
    instances.push({ name, plugin })
  }
  return instances
}

const instanceName = (plugin: Plugin): string =>
  plugin.instance === undefined ? plugin.name : `${plugin.name}/${plugin.instance}`

function setUp({ name, plugin }: Instance, options: unknown, services: Services, log: Log): Setup<Needs> {
  const given = services.collect(plugin.spec.needs)
  for (const [key, token] of Object.entries(plugin.spec.needs ?? {})) {
    if (token.id === storageToken.id && given[key] !== undefined) given[key] = guardStorage(given[key] as Storage)
    if (token.id === logToken.id) given[key] = log.child({ pkg: name })
  }
  let setup: Setup<Needs>
  try {
    setup = plugin.spec.setup({ name, options: options as never, services: given as never })
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(error.message.startsWith(name) ? error.message : `${name}: ${error.message}`, {
        cause: error,
      })
    throw new UsageError(
      `the plugin ${name} failed in setup: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  if (typeof setup !== 'object' || setup === null)
    throw new UsageError(`the plugin ${name} returned nothing from setup; return an object with its handlers`)
  if (typeof (setup as { then?: unknown }).then === 'function')
    throw new UsageError(`the plugin ${name} has an asynchronous setup; do I/O in start()`)
  for (const key of Object.keys(setup))
    if (!HOOK_NAMES.includes(key as HookName) && !SETUP_KEYS.includes(key))
      throw new UsageError(
        `the plugin ${name} returned "${key}" from setup, which is no hook${didYouMean(key, [...HOOK_NAMES, ...SETUP_KEYS])}`,
      )
  services.provide(name, plugin.spec.provides, setup.services)
  return setup
}

const SETUP_KEYS: readonly string[] = ['services', 'migrations', 'start', 'listen', 'drain', 'stop']

/** Decide and shape handlers may read but not write. */
function guardStorage(storage: Storage): Storage {
  const guarded: Pick<Storage, 'write' | 'notify'> = {
    write: work => {
      assertMayWrite('storage.write', storage.inUnit())
      return storage.write(work)
    },
    notify: (channel, payload) => {
      assertMayWrite('storage.notify', storage.inUnit())
      storage.notify(channel, payload)
    },
  }
  return new Proxy(storage, {
    get: (target, key) => {
      if (key === 'write' || key === 'notify') return guarded[key]
      const value = Reflect.get(target, key, target) as unknown
      // knex is a function too, with properties of its own: only methods of the storage are bound to it.
      return typeof value === 'function' && key !== 'db' ? value.bind(target) : value
    },
  })
}

function place(name: string, hook: HookName, setup: Setup<Needs>): Placed[] {
  const given = setup[hook] as HandlerFunction<HookName> | HandlerSpec<HookName> | undefined
  if (given === undefined) return []
  const spec = typeof given === 'function' ? { handler: given } : given
  if (typeof spec.handler !== 'function')
    throw new UsageError(`${name}: ${hook} has no handler function; write { handler: input => … }`)
  return [{ plugin: name, spec: spec as HandlerSpec<HookName> }]
}

function handlerOf(hook: HookName, { plugin, spec }: Ordered, override: string | undefined, log: Log): Tap {
  const entry = entryOf(hook)
  const onError = (override ?? spec.onError ?? entry.failure) as FailureOutcome
  const allowed = [entry.failure, ...entry.otherFailures]
  if (!allowed.includes(onError))
    throw new UsageError(`${plugin}: onError of ${hook} is "${onError}"; choose one of ${allowed.join(', ')}`)
  const limitMs = spec.timeoutMs ?? entry.limitMs
  if (!Number.isFinite(limitMs) || limitMs <= 0 || limitMs > entry.limitMs)
    throw new UsageError(`${plugin}: timeoutMs of ${hook} is ${limitMs}; give 1 to ${entry.limitMs}`)
  return {
    entry,
    plugin,
    handler: input => spec.handler(input as never),
    limitMs,
    onError,
    ...(spec.category === undefined ? {} : { category: spec.category }),
    mandatory: spec.mandatory ?? false,
    provides: new Set((spec.provides ?? []).map(f => f.id)),
    log: log.child({ pkg: plugin, hook }),
  }
}

/** The operator's overrides must name hooks and plugins that exist. */
function checkNames(hooks: MoxConfig['hooks'], known: ReadonlySet<string>): void {
  const isHook = (name: string, where: string): void => {
    if (!HOOK_NAMES.includes(name as HookName))
      throw new UsageError(
        `${where} names "${name}", which is no hook${didYouMean(name, HOOK_NAMES)}; see mox plugin explain`,
      )
  }
  for (const hook of Object.keys(hooks?.order ?? {})) isHook(hook, 'hooks.order')
  for (const [plugin, overrides] of Object.entries(hooks?.onError ?? {})) {
    if (!known.has(plugin))
      throw new UsageError(
        `hooks.onError names "${plugin}", which is not enabled${didYouMean(plugin, known)}; remove or correct it`,
      )
    for (const hook of Object.keys(overrides)) isHook(hook, `hooks.onError["${plugin}"]`)
  }
}
