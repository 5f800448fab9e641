// Services among plugins: who is set up and started before whom, and who gets what. Two providers of one service, or none for
// one that is needed, stop the start with a message that names them.
import { didYouMean, type Needs, type ServiceToken, UsageError } from '@mox/plugin-sdk'
import type { Instance } from './instances.ts'

/** Which package usually provides a service, for the message when it is missing. */
const USUAL: ReadonlyMap<string, string> = new Map([
  ['storage@1', 'storageSqlite() from @mox/plugin-storage-sqlite'],
  ['directory@1', 'accounts({…}) from @mox/plugin-accounts'],
  ['mailboxes@1', 'mailboxes() from @mox/plugin-mailboxes'],
  ['certificates@1', 'certificates({…}) from @mox/plugin-certificates'],
  ['dns@1', 'dns() from @mox/plugin-dns'],
  ['events@1', 'events() from @mox/plugin-events'],
])

const tokensOf = (needs: Needs | undefined): ServiceToken<unknown>[] => Object.values(needs ?? {})

/** The instances so that each comes after the providers of what it needs; otherwise in config order. */
export function dependencyOrder(instances: readonly Instance[], builtins: ReadonlySet<string>): readonly Instance[] {
  const providers = providersOf(instances, builtins)
  for (const { name, plugin } of instances)
    for (const token of tokensOf(plugin.spec.needs)) {
      const missing = token.arity === 'one' && !token.optional && !builtins.has(token.id) && !providers.has(token.id)
      if (missing)
        throw new UsageError(
          `${name} needs the service ${token.id}, which nobody provides${remedy(token.id, [...providers.keys(), ...builtins])}`,
        )
    }
  const order: Instance[] = []
  const state = new Map<Instance, 'visiting' | 'done'>()
  const visit = (instance: Instance, path: readonly string[]): void => {
    if (state.get(instance) === 'done') return
    const way = [...path, instance.name]
    if (state.get(instance) === 'visiting')
      throw new UsageError(
        `plugins: ${way.slice(way.indexOf(instance.name)).join(' needs ')}: none of them can be first; leave one out`,
      )
    state.set(instance, 'visiting')
    for (const token of tokensOf(instance.plugin.spec.needs)) {
      // Users of a `many` service read it when all plugins are set up: they may come before its providers.
      const provider = token.arity === 'one' ? providers.get(token.id) : undefined
      if (provider !== undefined) visit(provider, way)
    }
    state.set(instance, 'done')
    order.push(instance)
  }
  for (const instance of instances) visit(instance, [])
  return order
}

/** The providers of `one` services. */
function providersOf(instances: readonly Instance[], builtins: ReadonlySet<string>): ReadonlyMap<string, Instance> {
  const providers = new Map<string, Instance>()
  for (const instance of instances)
    for (const token of tokensOf(instance.plugin.spec.provides)) {
      if (token.arity === 'many') continue
      const other = builtins.has(token.id) ? 'mox itself' : providers.get(token.id)?.name
      if (other !== undefined)
        throw new UsageError(
          `${other} and ${instance.name} both provide the service ${token.id}; enable only one of them`,
        )
      providers.set(token.id, instance)
    }
  return providers
}

function remedy(id: string, known: readonly string[]): string {
  const usual = USUAL.get(id)
  if (usual !== undefined) return `; add ${usual} to plugins`
  return didYouMean(id, known) || '; add a plugin that does to plugins'
}

/** The services of one host. */
export class Services {
  readonly #one = new Map<string, unknown>()
  readonly #many = new Map<string, { list: unknown[]; parts: Map<string, readonly unknown[]> }>()
  readonly #order: readonly string[]

  /** `instances` in config order, which is the order of `many` services. */
  constructor(builtins: ReadonlyMap<string, unknown>, instances: readonly Instance[]) {
    this.#order = ['', ...instances.map(({ name }) => name)]
    for (const [id, value] of builtins) this.#one.set(id, value)
  }

  /** For `many` the live array, which is complete and frozen once all plugins are set up. */
  get(token: ServiceToken<unknown>): unknown {
    return token.arity === 'one' ? this.#one.get(token.id) : this.#listOf(token.id).list
  }

  /** Takes what a setup returned as `services`. */
  provide(name: string, promised: Needs | undefined, given: Readonly<Record<string, unknown>> | undefined): void {
    const promises = promised ?? {}
    for (const key of Object.keys(given ?? {}))
      if (!Object.hasOwn(promises, key))
        throw new UsageError(
          `${name}: setup returns services.${key}, which is not in provides${didYouMean(key, Object.keys(promises))}`,
        )
    for (const [key, token] of Object.entries(promises)) {
      const value = given?.[key]
      if (value === undefined)
        throw new UsageError(`${name}: provides has ${key} (${token.id}), but setup returns no services.${key}`)
      if (token.arity === 'one') this.#one.set(token.id, value)
      else {
        const { list, parts } = this.#listOf(token.id)
        parts.set(name, Array.isArray(value) ? value : [value])
        list.splice(0, list.length, ...this.#order.flatMap(part => parts.get(part) ?? []))
      }
    }
  }

  /** All plugins are set up: nothing is added any more. */
  freeze(): void {
    for (const { list } of this.#many.values()) Object.freeze(list)
  }

  #listOf(id: string): { list: unknown[]; parts: Map<string, readonly unknown[]> } {
    const known = this.#many.get(id)
    if (known !== undefined) return known
    const own = this.#one.get(id)
    const first = own === undefined ? [] : Array.isArray(own) ? own : [own]
    const made = { list: [...first], parts: new Map([['', first]]) }
    this.#many.set(id, made)
    return made
  }
}
