// The order of a hook's handlers: facts first of all, then the operator's pin, after/before, bands, and the order of plugins in
// the config. Unknown names, missing providers and circles stop the start.
import { didYouMean, type HandlerSpec, type HookName, UsageError } from '@mox/plugin-sdk'
import { isMeant } from './instances.ts'

/** One handler with whose it is. */
export interface Placed {
  readonly plugin: string
  readonly spec: HandlerSpec<HookName>
  /** Ids of facts that it may set: its own and its plugin's. */
  readonly provides: ReadonlySet<string>
}

export interface Ordered extends Placed {
  /** Why it stands where it stands: "after suppression; band late". */
  readonly place: string
}

interface Edge {
  readonly first: string
  readonly later: string
  /** Who says so: one of the two, or PIN. */
  readonly by: string
  /** What it says: "comes after suppression". */
  readonly text: string
}

const PIN = 'hooks.order'
const BANDS = { early: 0, normal: 1, late: 2 } as const

/** `placed` in config order. `enabled`: every instance. `pin`: the operator's order for this hook. */
export function orderHandlers(
  hook: HookName,
  placed: readonly Placed[],
  enabled: readonly string[],
  pin: readonly string[],
): readonly Ordered[] {
  const pinned = pinnedHandlers(hook, placed, enabled, pin)
  const facts = placed.flatMap(user => factEdges(user, placed))
  const named = placed.flatMap(one => namedEdges(hook, one, placed, enabled))
  const sequence = pinned.flatMap((later, i) => {
    const first = pinned[i - 1]
    return first === undefined ? [] : [{ first, later, by: PIN, text: `puts ${later} after ${first}` }]
  })
  // About pinned handlers the operator's word counts, not the authors'; facts count always.
  const wanted = named.filter(({ later }) => !pinned.includes(later))
  const edges = [...facts, ...sequence, ...wanted]
  const rank = ({ plugin, spec }: Placed): number => (pinned.includes(plugin) ? -1 : BANDS[spec.band ?? 'normal'])
  return sort(hook, placed, edges, rank).map(one => ({ ...one, place: placeOf(one, edges, pinned) }))
}

/** Each time the first in rank, then in config order, of those that nothing holds back. */
function sort(
  hook: HookName,
  placed: readonly Placed[],
  edges: readonly Edge[],
  rank: (one: Placed) => number,
): readonly Placed[] {
  const left = placed.toSorted((a, b) => rank(a) - rank(b))
  const sorted: Placed[] = []
  while (left.length > 0) {
    const held = new Set(edges.filter(({ first }) => left.some(one => one.plugin === first)).map(({ later }) => later))
    const index = left.findIndex(one => !held.has(one.plugin))
    if (index < 0)
      throw new UsageError(`${hook}: handlers wait for each other: ${circle(left, edges)}; take one of these back`)
    sorted.push(...left.splice(index, 1))
  }
  return sorted
}

/** The reasons along one circle: every handler in `left` waits for another one in it. */
function circle(left: readonly Placed[], edges: readonly Edge[]): string {
  const waits = (plugin: string): Edge | undefined =>
    edges.find(({ first, later }) => later === plugin && left.some(one => one.plugin === first))
  const way: Edge[] = []
  let next = waits(left[0]?.plugin ?? '')
  while (next !== undefined && !way.includes(next)) {
    way.push(next)
    next = waits(next.first)
  }
  return way
    .slice(next === undefined ? 0 : way.indexOf(next))
    .map(({ by, text }) => `${by} ${text}`)
    .join(', ')
}

function factEdges(user: Placed, placed: readonly Placed[]): Edge[] {
  return (user.spec.uses ?? []).flatMap(fact =>
    placed
      .filter(one => one !== user && one.spec.provides?.some(({ id }) => id === fact.id))
      .map(one => ({
        ...{ first: one.plugin, later: user.plugin, by: user.plugin },
        text: `uses the fact "${fact.id}" of ${one.plugin}`,
      })),
  )
}

function namedEdges(
  hook: HookName,
  { plugin, spec }: Placed,
  placed: readonly Placed[],
  enabled: readonly string[],
): Edge[] {
  const meant = (where: string, reference: string): string[] => {
    const name = reference.replace(/^\?/, '')
    if (!reference.startsWith('?') && !enabled.some(other => isMeant(name, other)))
      throw new UsageError(
        `${plugin}: ${hook} comes ${where} "${name}", which is not enabled${didYouMean(name, enabled) || `; enable it, or write "?${name}" if it may be missing`}`,
      )
    return placed.filter(other => other.plugin !== plugin && isMeant(name, other.plugin)).map(other => other.plugin)
  }
  const after = (spec.after ?? []).flatMap(name => meant('after', name))
  const before = (spec.before ?? []).flatMap(name => meant('before', name))
  return [
    ...after.map(first => ({ first, later: plugin, by: plugin, text: `comes after ${first}` })),
    ...before.map(later => ({ first: plugin, later, by: plugin, text: `comes before ${later}` })),
  ]
}

function pinnedHandlers(
  hook: HookName,
  placed: readonly Placed[],
  enabled: readonly string[],
  pin: readonly string[],
): string[] {
  const found = pin.flatMap(name => {
    const meant = placed.filter(one => isMeant(name, one.plugin)).map(one => one.plugin)
    if (meant.length > 0) return meant
    const why = enabled.some(other => isMeant(name, other))
      ? `has no handler of ${hook}; there are ${placed.map(one => one.plugin).join(', ') || 'none'}`
      : `is not enabled${didYouMean(name, enabled)}`
    throw new UsageError(`hooks.order: ${hook} names "${name}", which ${why}`)
  })
  return [...new Set(found)]
}

function placeOf({ plugin, spec }: Placed, edges: readonly Edge[], pinned: readonly string[]): string {
  const said = edges.filter(({ later, by }) => by === plugin || (later === plugin && by !== PIN))
  const reasons = [
    ...(pinned.includes(plugin) ? [`pinned in ${PIN}`] : []),
    ...said.map(({ by, text }) => (by === plugin ? text : `${by} ${text}`)),
    ...(spec.band === undefined ? [] : [`band ${spec.band}`]),
  ]
  return reasons.join('; ') || 'order of plugins'
}

/** Every fact that a handler uses must be set by some handler of some hook: a persisted one may come from an earlier hook. */
export function checkFacts(hooks: ReadonlyMap<HookName, readonly Placed[]>): void {
  const provided = new Set([...hooks.values()].flatMap(placed => placed.flatMap(one => [...one.provides])))
  for (const [hook, placed] of hooks)
    for (const { plugin, spec } of placed)
      for (const { id } of spec.uses ?? [])
        if (!provided.has(id))
          throw new UsageError(
            `${plugin}: ${hook} uses the fact "${id}", which no enabled plugin provides${didYouMean(id, provided) || '; enable one that does'}`,
          )
}
