// What `mox plugin list` and `mox plugin explain` show: plugins with what they need and give, hooks with their handlers in order.
import type { HookName } from '@mox/plugin-sdk'
import { HOOKS, type HookSort } from '../hooks/table.ts'
import type { Handler } from './handlers.ts'
import type { Part } from './lifecycle.ts'

export interface HostExplanation {
  /** In config order. */
  readonly plugins: readonly PluginExplanation[]
  /** All hooks, in the order in which a message meets them. */
  readonly hooks: readonly HookExplanation[]
}

export interface PluginExplanation {
  readonly name: string
  /** Service ids; " (optional)" after those that may be missing. */
  readonly needs: readonly string[]
  readonly provides: readonly string[]
  readonly hooks: readonly HookName[]
  /** As its schema read them. */
  readonly options: unknown
}

export interface HookExplanation {
  readonly hook: HookName
  readonly sort: HookSort
  /** Verdicts, weakest first. */
  readonly ladder: readonly string[]
  /** In the order in which they are called. */
  readonly handlers: readonly HandlerExplanation[]
}

export interface HandlerExplanation {
  readonly plugin: string
  /** Why it stands where it stands: "comes after suppression; band late". */
  readonly place: string
  readonly timeoutMs: number
  readonly onError: string
  /** Who says so. */
  readonly onErrorBy: 'hook' | 'plugin' | 'config'
  readonly category?: string
  readonly mandatory: boolean
  /** Ids of facts. */
  readonly provides: readonly string[]
  readonly uses: readonly string[]
}

export function explainHost(
  parts: readonly Part[],
  options: ReadonlyMap<string, unknown>,
  handlers: ReadonlyMap<HookName, readonly Handler[]>,
): HostExplanation {
  return {
    plugins: parts.map(({ name, plugin, setup }) => ({
      name,
      needs: Object.values(plugin.spec.needs ?? {}).map(({ id, optional }) => (optional ? `${id} (optional)` : id)),
      provides: Object.values(plugin.spec.provides ?? {}).map(({ id }) => id),
      hooks: [...handlers.keys()].filter(hook => setup[hook] !== undefined),
      options: options.get(name),
    })),
    hooks: [...HOOKS.values()].map(({ name, sort, ladder }) => ({
      ...{ hook: name, sort, ladder },
      handlers: (handlers.get(name) ?? []).map(explainHandler),
    })),
  }
}

function explainHandler({
  plugin,
  place,
  limitMs,
  onError,
  onErrorBy,
  category,
  mandatory,
  provides,
  spec,
}: Handler): HandlerExplanation {
  return {
    ...{ plugin, place, timeoutMs: limitMs, onError, onErrorBy, mandatory },
    ...(category === undefined ? {} : { category }),
    provides: [...provides],
    uses: (spec.uses ?? []).map(({ id }) => id),
  }
}
