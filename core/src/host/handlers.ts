// From what plugins return to what hooks call: each handler with its limits, its place and what its failure counts as. A wrong
// time limit, category or onError stops the start.
import {
  didYouMean,
  type HandlerFunction,
  type HandlerSpec,
  type HookName,
  type Log,
  type MoxConfig,
  UsageError,
} from '@mox/plugin-sdk'
import type { Tap } from '../hooks/guard.ts'
import { entryOf, type FailureOutcome, HOOKS, type HookEntry } from '../hooks/table.ts'
import { isMeant } from './instances.ts'
import type { Part } from './lifecycle.ts'
import { checkFacts, type Ordered, orderHandlers, type Placed } from './order.ts'

/** A handler as hooks call it and `mox plugin explain` shows it. */
export interface Handler extends Tap {
  readonly place: string
  readonly spec: HandlerSpec<HookName>
  /** Who says what its failure counts as. */
  readonly onErrorBy: 'hook' | 'plugin' | 'config'
}

const NAMES: readonly HookName[] = [...HOOKS.values()].map(({ name }) => name)
const BANDS: readonly (string | undefined)[] = [undefined, 'early', 'normal', 'late']
const CATEGORIES: readonly (string | undefined)[] = [undefined, 'auth', 'reputation', 'content', 'policy']

/** The handlers of every hook, in the order in which they are called. `parts` in config order. */
export function collectHandlers(
  parts: readonly Part[],
  config: MoxConfig['hooks'],
  log: Log,
): ReadonlyMap<HookName, readonly Handler[]> {
  const enabled = parts.map(({ name }) => name)
  checkOverrides(config, enabled)
  const placed = new Map(NAMES.map(hook => [hook, parts.flatMap(part => place(part, hook))]))
  checkFacts(placed)
  const handlers = [...placed].map(([hook, list]): [HookName, readonly Handler[]] => {
    const ordered = orderHandlers(hook, list, enabled, config?.order?.[hook] ?? [])
    return [hook, ordered.map(one => handlerOf(entryOf(hook), one, config?.onError, log))]
  })
  return new Map(handlers)
}

function place({ name, plugin, setup }: Part, hook: HookName): Placed[] {
  const given = setup[hook] as HandlerFunction<HookName> | HandlerSpec<HookName> | undefined
  if (given === undefined) return []
  const spec: HandlerSpec<HookName> = typeof given === 'function' ? { handler: given } : given
  const wrong = (what: string): UsageError => new UsageError(`${name}: ${hook}: ${what}`)
  if (typeof spec?.handler !== 'function') throw wrong('has no handler; write { handler: input => … }')
  if (!BANDS.includes(spec.band)) throw wrong(`band is ${JSON.stringify(spec.band)}; write "early", "normal" or "late"`)
  if (!CATEGORIES.includes(spec.category))
    throw wrong(`category is ${JSON.stringify(spec.category)}; write one of ${CATEGORIES.slice(1).join(', ')}`)
  const { limitMs, sort } = entryOf(hook)
  if (spec.when !== undefined && sort !== 'write' && sort !== 'react')
    throw wrong(`has \`when\`, which is for write and react handlers; this is a ${sort} hook: return nothing instead`)
  if (spec.when !== undefined && typeof spec.when !== 'function') throw wrong('`when` is no function')
  const { timeoutMs = limitMs } = spec
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= limitMs))
    throw wrong(`timeoutMs is ${String(timeoutMs)}; this hook gives at most ${limitMs}`)
  const facts = [...(spec.provides ?? []), ...(plugin.spec.facts ?? [])]
  return [{ plugin: name, spec, provides: new Set(facts.map(({ id }) => id)) }]
}

function handlerOf(entry: HookEntry, one: Ordered, overrides: Overrides, log: Log): Handler {
  const { plugin, spec, place, provides } = one
  const override = overrideFor(plugin, entry.name, overrides)
  const onError = override ?? spec.onError ?? entry.failure
  const allowed: readonly string[] = [entry.failure, ...entry.otherFailures]
  if (!allowed.includes(onError)) {
    const where =
      override === undefined ? `${plugin}: ${entry.name}: onError` : `hooks.onError: ${plugin}: ${entry.name}`
    throw new UsageError(
      `${where} is ${JSON.stringify(onError)}; write ${allowed.map(name => `"${name}"`).join(' or ')}`,
    )
  }
  return {
    ...{ entry, plugin, place, spec, provides },
    handler: spec.handler as (input: object) => unknown,
    limitMs: spec.timeoutMs ?? entry.limitMs,
    onError: onError as FailureOutcome,
    onErrorBy: override !== undefined ? 'config' : spec.onError !== undefined ? 'plugin' : 'hook',
    ...(spec.category === undefined ? {} : { category: spec.category }),
    ...(spec.when === undefined ? {} : { when: spec.when as (input: object) => boolean }),
    mandatory: spec.mandatory ?? false,
    log: log.child({ plugin, hook: entry.name }),
  }
}

type Overrides = NonNullable<MoxConfig['hooks']>['onError']

/** What is said of the instance counts before what is said of all instances. */
function overrideFor(plugin: string, hook: HookName, overrides: Overrides): string | undefined {
  const meant = Object.entries(overrides ?? {}).filter(([name]) => isMeant(name, plugin))
  return meant.sort(([a], [b]) => b.length - a.length).find(([, hooks]) => hooks[hook] !== undefined)?.[1][hook]
}

/** What the operator overrides must exist. */
function checkOverrides(config: MoxConfig['hooks'], enabled: readonly string[]): void {
  const checkHook = (where: string, hook: string): void => {
    if (!HOOKS.has(hook)) throw new UsageError(`${where}: there is no hook "${hook}"${didYouMean(hook, HOOKS.keys())}`)
  }
  for (const hook of Object.keys(config?.order ?? {})) checkHook('hooks.order', hook)
  for (const [name, hooks] of Object.entries(config?.onError ?? {})) {
    if (HOOKS.has(name))
      throw new UsageError(
        `hooks.onError: "${name}" is a hook; the plugin comes first: { "my-policy": { "${name}": … } }`,
      )
    if (!enabled.some(plugin => isMeant(name, plugin)))
      throw new UsageError(`hooks.onError: "${name}" is not enabled${didYouMean(name, enabled)}`)
    for (const hook of Object.keys(hooks)) checkHook(`hooks.onError: ${name}`, hook)
  }
}
