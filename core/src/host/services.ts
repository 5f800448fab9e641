// Services among plugins: who starts before whom, and who gets what. Two providers of one service, or none for a needed one,
// stop the start with a message that names them.
import { type Needs, type Plugin, type ServiceToken, UsageError } from '@mox/plugin-sdk'

export interface Instance {
  /** The plugin's name, or "plugin/instance". */
  readonly name: string
  readonly plugin: Plugin
}

/** Which package usually provides a service, for the error message. */
const USUAL: Readonly<Record<string, string>> = {
  'storage@1': '@mox/plugin-storage-sqlite',
  'directory@1': '@mox/plugin-accounts',
  'mailboxes@1': '@mox/plugin-mailboxes',
  'certificates@1': '@mox/plugin-certificates',
}

const tokens = (needs: Needs | undefined): ServiceToken<unknown>[] => Object.values(needs ?? {})

/** The instances so that each comes after what it needs; otherwise in config order. */
export function startOrder(instances: readonly Instance[], builtins: ReadonlySet<string>): Instance[] {
  const providers = new Map<string, Instance[]>()
  for (const instance of instances)
    for (const token of tokens(instance.plugin.spec.provides)) {
      const others = providers.get(token.id) ?? []
      if (token.arity === 'one' && builtins.has(token.id))
        throw new UsageError(
          `${instance.name} provides ${token.id}, which core itself provides; remove it from plugins`,
        )
      if (token.arity === 'one' && others[0] !== undefined)
        throw new UsageError(`${others[0].name} and ${instance.name} both provide ${token.id}; enable only one of them`)
      providers.set(token.id, [...others, instance])
    }
  for (const instance of instances)
    for (const token of tokens(instance.plugin.spec.needs)) {
      if (token.arity === 'many' || token.optional || builtins.has(token.id) || providers.has(token.id)) continue
      const usual = USUAL[token.id]
      throw new UsageError(
        `${instance.name} needs ${token.id}, which no plugin provides; add ${usual === undefined ? 'a plugin that does' : usual} to plugins`,
      )
    }
  const order: Instance[] = []
  const state = new Map<Instance, 'visiting' | 'done'>()
  const visit = (instance: Instance, path: readonly string[]): void => {
    if (state.get(instance) === 'done') return
    if (state.get(instance) === 'visiting')
      throw new UsageError(
        `plugins need each other in a circle: ${[...path.slice(path.indexOf(instance.name)), instance.name].join(' → ')}; make one of the services optional`,
      )
    state.set(instance, 'visiting')
    // Providers of a `many` service may themselves need its user: those come in no particular order.
    for (const token of tokens(instance.plugin.spec.needs))
      if (token.arity === 'one')
        for (const provider of providers.get(token.id) ?? []) visit(provider, [...path, instance.name])
    state.set(instance, 'done')
    order.push(instance)
  }
  for (const instance of instances) visit(instance, [])
  return order
}

/** The services of one host, filled while plugins are set up. */
export class Services {
  readonly #one = new Map<string, unknown>()
  readonly #many = new Map<string, unknown[]>()

  constructor(builtins: ReadonlyMap<string, unknown>) {
    for (const [id, value] of builtins) this.#one.set(id, value)
  }

  /** What a plugin gets for its needs; arrays of `many` services fill up until the last plugin is set up. */
  collect(needs: Needs | undefined): Record<string, unknown> {
    return Object.fromEntries(Object.entries(needs ?? {}).map(([key, token]) => [key, this.get(token)]))
  }

  get(token: ServiceToken<unknown>): unknown {
    if (token.arity === 'one') return this.#one.get(token.id)
    const list = this.#many.get(token.id) ?? []
    this.#many.set(token.id, list)
    return list
  }

  /** Takes what setup returned; throws when a promised service is missing. */
  provide(name: string, promised: Needs | undefined, given: Readonly<Record<string, unknown>> | undefined): void {
    for (const [key, token] of Object.entries(promised ?? {})) {
      const value = given?.[key]
      if (value === undefined)
        throw new UsageError(`${name} promises ${token.id} but its setup returns no services.${key}`)
      if (token.arity === 'one') this.#one.set(token.id, value)
      else (this.get(token) as unknown[]).push(...(Array.isArray(value) ? value : [value]))
    }
  }
}
