// The order of a hook's handlers: edges from facts and from after/before, then bands, then the order of plugins in the
// config; an operator's pin comes first of all. Unknown names, missing providers and cycles stop the start.
import { type HandlerSpec, type HookName, UsageError } from '@mox/plugin-sdk'
import { didYouMean } from '../config/nearest.ts'

export interface Placed {
  /** Plugin instance name. */
  readonly plugin: string
  readonly spec: HandlerSpec<HookName>
}

export interface Ordered extends Placed {
  /** Why it stands where it stands, for `mox plugin explain`. */
  readonly place: string
}

const BANDS = { early: 0, normal: 1, late: 2 } as const

/** `placed` in plugin order. `known`: every enabled instance. `pin`: the operator's order. */
export function orderHandlers(
  hook: HookName,
  placed: readonly Placed[],
  known: ReadonlySet<string>,
  pin: readonly string[],
): Ordered[] {
  const reasons = new Map<string, string[]>(placed.map(p => [p.plugin, []]))
  const earlier = new Map<string, Set<string>>(placed.map(p => [p.plugin, new Set()]))
  const edge = (first: string, then: string, reason: string): void => {
    if (first === then) return
    earlier.get(then)?.add(first)
    reasons.get(then)?.push(reason)
  }
  const here = (name: string): string[] =>
    placed.filter(p => p.plugin === name || p.plugin.startsWith(`${name}/`)).map(p => p.plugin)
  const resolve = (by: string, where: string, reference: string): string[] => {
    const name = reference.replace(/^\?/, '')
    if (!reference.startsWith('?') && ![...known].some(k => k === name || k.startsWith(`${name}/`)))
      throw new UsageError(
        `${by}: ${hook} ${where} names "${name}", which is not enabled${didYouMean(name, [...known])}; enable it, or write "?${name}" if it may be missing`,
      )
    return here(name)
  }
  for (const { plugin, spec } of placed) {
    for (const reference of spec.after ?? [])
      for (const other of resolve(plugin, '`after`', reference)) edge(other, plugin, `after ${other}`)
    for (const reference of spec.before ?? [])
      for (const other of resolve(plugin, '`before`', reference)) edge(plugin, other, `${plugin} wants to be before it`)
    for (const fact of spec.uses ?? [])
      for (const other of placed)
        if (other.spec.provides?.some(f => f.id === fact.id))
          edge(other.plugin, plugin, `uses the fact "${fact.id}" of ${other.plugin}`)
  }
  checkPin(hook, pin, placed, known)
  for (const [i, name] of pin.entries()) {
    const previous = pin[i - 1]
    if (previous !== undefined)
      for (const a of here(previous)) for (const b of here(name)) edge(a, b, `pinned after ${a} in hooks.order`)
  }
  const rank = (p: Placed): number => {
    const pinned = pin.findIndex(name => p.plugin === name || p.plugin.startsWith(`${name}/`))
    return pinned >= 0 ? pinned - pin.length : BANDS[p.spec.band ?? 'normal']
  }
  const left = [...placed]
  const done = new Set<string>()
  const result: Ordered[] = []
  while (left.length > 0) {
    const ready = left.filter(p => [...(earlier.get(p.plugin) ?? [])].every(e => done.has(e)))
    const next = ready.sort((a, b) => rank(a) - rank(b) || placed.indexOf(a) - placed.indexOf(b))[0]
    if (next === undefined)
      throw new UsageError(
        `${hook}: the order of ${left.map(p => p.plugin).join(', ')} is a circle: ${left.flatMap(p => (reasons.get(p.plugin) ?? []).map(r => `${p.plugin} (${r})`)).join('; ')}; remove one of them`,
      )
    left.splice(left.indexOf(next), 1)
    done.add(next.plugin)
    result.push({
      ...next,
      place:
        [
          ...(next.spec.band === undefined ? [] : [`band ${next.spec.band}`]),
          ...(reasons.get(next.plugin) ?? []),
          ...(pin.includes(next.plugin) ? ['pinned in hooks.order'] : []),
        ].join('; ') || 'order of plugins',
    })
  }
  return result
}

function checkPin(hook: HookName, pin: readonly string[], placed: readonly Placed[], known: ReadonlySet<string>): void {
  for (const name of pin) {
    if (placed.some(p => p.plugin === name || p.plugin.startsWith(`${name}/`))) continue
    const why = known.has(name) ? `has no handler for ${hook}` : `is not enabled${didYouMean(name, [...known])}`
    throw new UsageError(`hooks.order["${hook}"] names "${name}", which ${why}; remove or correct it`)
  }
}

/** Every fact that a handler uses must be provided by some enabled handler or plugin. */
export function checkFacts(
  all: readonly { readonly hook: HookName; readonly placed: readonly Placed[] }[],
  provided: ReadonlySet<string>,
): void {
  const facts = new Set(provided)
  for (const { placed } of all)
    for (const { spec } of placed) for (const fact of spec.provides ?? []) facts.add(fact.id)
  for (const { hook, placed } of all)
    for (const { plugin, spec } of placed)
      for (const fact of spec.uses ?? [])
        if (!facts.has(fact.id))
          throw new UsageError(
            `${plugin}: ${hook} uses the fact "${fact.id}", which no enabled plugin provides${didYouMean(fact.id, [...facts])}; enable a plugin that does`,
          )
}
