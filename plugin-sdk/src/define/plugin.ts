// definePlugin: a plugin is data plus one synchronous setup function, so that `mox plugin explain` can run it without
// starting anything. setup does no I/O; start() and stop() open and close things.
import type { Handlers } from '../hooks/handler.ts'
import type { Migration } from '../services/storage.ts'
import type { FactToken } from './fact.ts'
import type { InputOf, OptionsSchema, OutputOf } from './options.ts'
import type { Needs, ProvidesOf, ServicesOf } from './service.ts'

/**
 * What a plugin is: data, and one synchronous function. `S` is the schema of its options, `N` what it needs, `P` what it
 * provides.
 */
export interface PluginSpec<S, N extends Needs, P extends Needs> {
  /** Lower-case words joined by dashes; unique in a config. */
  readonly name: string
  /** Checks the options; leave out for a plugin without options. */
  readonly options?: S
  /** Services it uses; using one that is not listed does not compile. */
  readonly needs?: N
  /** Services it offers; setup returns them under the same keys in `services`. */
  readonly provides?: P
  /** Facts it may set outside handlers' own `provides`. */
  readonly facts?: readonly FactToken<unknown>[]
  readonly setup: (input: SetupInput<S, N>) => Setup<P>
}

/** What setup() gets. */
export interface SetupInput<S, N extends Needs> {
  /** The instance's name: the plugin's, or "plugin/instance". */
  readonly name: string
  readonly options: OutputOf<S>
  readonly services: ServicesOf<N>
}

/** What setup() returns: handlers by hook name, services, tables, and what to do at each step of the life of the server. */
export type Setup<P extends Needs> = Handlers & {
  /** Implementations of what the plugin `provides`. */
  readonly services?: ProvidesOf<P>
  /** Numbered, forward only; run before any start(). Needs the storage service. */
  readonly migrations?: readonly Migration[]
  /** Opens things; runs after the services it needs have started. */
  readonly start?: () => Promise<void> | void
  /** Starts taking work from outside (binds listeners); runs after every plugin has started. */
  readonly listen?: () => Promise<void> | void
  /** Stops taking work from outside and finishes what is in progress until `signal` aborts; runs first at shutdown. */
  readonly drain?: (signal: AbortSignal) => Promise<void> | void
  /** Closes what start() opened; runs in reverse order of start. */
  readonly stop?: () => Promise<void> | void
}

/** One plugin of a config: what a factory returns. */
export interface Plugin {
  readonly name: string
  /** Undefined for the only instance of a plugin. */
  readonly instance?: string
  readonly spec: PluginSpec<unknown, Needs, Needs>
  readonly input: unknown
  /** A second instance of the same plugin needs a name: `webhooks({…}).as('billing')`. */
  as(instance: string): Plugin
}

type FactoryArguments<S> =
  undefined extends InputOf<S>
    ? [options?: InputOf<S>]
    : object extends InputOf<S>
      ? [options?: InputOf<S>]
      : [options: InputOf<S>]

/** What definePlugin() returns: called with options, it makes an entry of `plugins`. */
export interface PluginFactory<S> {
  (...args: FactoryArguments<S>): Plugin
  readonly pluginName: string
}

/** Defines a plugin; the result is called in `mox.config.ts` with the plugin's options. */
export function definePlugin<
  S extends OptionsSchema<unknown, unknown> | undefined = undefined,
  const N extends Needs = Record<never, never>,
  const P extends Needs = Record<never, never>,
>(spec: PluginSpec<S, N, P>): PluginFactory<S> {
  const make = (input: unknown, instance?: string): Plugin => ({
    name: spec.name,
    ...(instance === undefined ? {} : { instance }),
    spec: spec as unknown as PluginSpec<unknown, Needs, Needs>,
    input,
    as: name => make(input, name),
  })
  return Object.assign((...args: FactoryArguments<S>) => make(args[0] ?? {}), {
    pluginName: spec.name,
  }) as PluginFactory<S>
}
