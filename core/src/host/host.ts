// The plugin host: checks the options of a config's plugins, sets them up in dependency order, orders and taps their handlers,
// and runs their life cycle. All that can be found wrong without I/O is found by createHost, as a UsageError.
import {
  type Clock,
  clock as clockToken,
  hooks as hooksToken,
  type Log,
  log as logToken,
  type MoxConfig,
  type Random,
  random as randomToken,
  type ServiceOf,
  type ServiceToken,
  type Storage,
  storage as storageToken,
} from '@mox/plugin-sdk'
import { createHooks } from '../hooks/hooks.ts'
import type { Hooks } from '../hooks/types.ts'
import { explainHost, type HostExplanation } from './explain.ts'
import { collectHandlers } from './handlers.ts'
import { hookRunner } from './hook-runner.ts'
import { instancesOf } from './instances.ts'
import { Lifecycle, type Part } from './lifecycle.ts'
import { parseOptions } from './options.ts'
import { dependencyOrder, Services } from './services.ts'
import { setUp } from './setup.ts'

export type { HandlerExplanation, HookExplanation, HostExplanation, PluginExplanation } from './explain.ts'

export interface HostOptions {
  readonly config: Pick<MoxConfig, 'plugins' | 'hooks'>
  /** Core's own services by token id; for a `many` service one or an array. Must have clock, random and log; hooks is added. */
  readonly builtins: ReadonlyMap<string, unknown>
  /** Milliseconds of a clock that only goes forward, for traces. Default `performance.now`. */
  readonly stopwatch?: () => number
}

export interface Host {
  readonly hooks: Hooks
  /** As core uses it, without the rules for handlers. Undefined for what nobody provides, an array for `many`. */
  service<S extends ServiceToken<unknown>>(token: S): ServiceOf<S>
  /** Storage, all migrations, then everybody's start() in dependency order. On failure what was started is stopped. */
  start(): Promise<void>
  /** Everybody's listen(). On failure everything is stopped. */
  listen(): Promise<void>
  /** Everybody's drain() at once, until all are done or `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
  /** Everybody's stop() in reverse. Never rejects. */
  stop(): Promise<void>
  explain(): HostExplanation
}

export function createHost({ config, builtins: given, stopwatch = () => performance.now() }: HostOptions): Host {
  const builtins = new Map(given).set(
    hooksToken.id,
    hookRunner(() => ({ hooks, clock, random, storage: services.get(storageToken) as Storage })),
  )
  const builtin = <T>({ id }: ServiceToken<T>): T => {
    const service = builtins.get(id)
    if (service === undefined) throw new Error(`the host needs ${id} among its builtins`)
    return service as T
  }
  const clock: Clock = builtin(clockToken)
  const random: Random = builtin(randomToken)
  const log: Log = builtin(logToken)

  const instances = instancesOf(config.plugins)
  const order = dependencyOrder(instances, new Set(builtins.keys()))
  const options = new Map(instances.map(({ name, plugin }) => [name, parseOptions(name, plugin)]))
  const services = new Services(builtins, instances)
  const parts: readonly Part[] = order.map(instance => ({
    ...instance,
    setup: setUp(instance, options.get(instance.name), services, log),
  }))
  services.freeze()
  const inConfigOrder = instances.flatMap(({ name }) => parts.filter(part => part.name === name))
  const handlers = collectHandlers(inConfigOrder, config.hooks, log)
  const lifecycle = new Lifecycle(parts, neededFor(storageToken, parts), {
    clock,
    log,
    storage: () => services.get(storageToken) as Storage | undefined,
  })

  const hooks = createHooks({ clock, random, stopwatch }, handlers)

  return {
    hooks,
    service: <S extends ServiceToken<unknown>>(token: S) => services.get(token) as ServiceOf<S>,
    start: () => lifecycle.start(),
    listen: () => lifecycle.listen(),
    drain: signal => lifecycle.drain(signal),
    stop: () => lifecycle.stop(),
    explain: () => explainHost(inConfigOrder, options, handlers),
  }
}

/** The provider of a service and all that it needs itself. */
function neededFor(token: ServiceToken<unknown>, parts: readonly Part[]): ReadonlySet<Part> {
  const found = new Set<Part>()
  const add = (id: string): void => {
    for (const part of parts) {
      if (
        found.has(part) ||
        !Object.values(part.plugin.spec.provides ?? {}).some(t => t.id === id && t.arity === 'one')
      )
        continue
      found.add(part)
      for (const need of Object.values(part.plugin.spec.needs ?? {})) add(need.id)
    }
  }
  add(token.id)
  return found
}
