// Hooks as plain functions, without plugins: what the stages need of the host.
import type { HookInput, HookVerdict, TraceEntry } from '@mox/plugin-sdk'
import { pass } from '@mox/plugin-sdk'
import type { DecideHook, HookScope, Hooks, ReactHook, ShapeHook, WriteHook } from '../../src/hooks/types.ts'

type Answer<T> = T | undefined | Promise<T | undefined>

export type FakeHandlers = {
  [H in DecideHook]?: (input: HookInput<H>, scope: HookScope) => Answer<HookVerdict<H>>
} & {
  [H in ShapeHook]?: (
    input: HookInput<H>,
    scope: HookScope,
  ) => Answer<{ draft?: Partial<HookInput<H>['draft']>; verdict?: HookVerdict<H> }>
} & {
  [H in WriteHook]?: (input: HookInput<H>, scope: HookScope) => Promise<void>
} & {
  /** Subscriber name → handler. */
  [H in ReactHook]?: Record<string, (input: HookInput<H>, scope: HookScope & { eventId: string }) => Promise<void>>
}

/** Every decision is traced as plugin "test"; a thrown error fails a decide hook's caller, as the host never does. */
export function fakeHooks(handlers: FakeHandlers): Hooks {
  const table = handlers as Record<string, ((input: unknown, scope: HookScope) => unknown) | undefined>
  const entry = (hook: string, verdict: string, scope: HookScope): TraceEntry => ({
    ...{ hook, plugin: 'test', verdict, ms: 0 },
    ...(scope.recipient === undefined ? {} : { recipient: scope.recipient }),
  })
  const fake = {
    has: (hook: string) => table[hook] !== undefined,
    decide: async (hook: string, input: unknown, scope: HookScope) => {
      const verdict = ((await table[hook]?.(input, scope)) ?? pass()) as { kind: string }
      scope.trace.push(entry(hook, verdict.kind, scope))
      return verdict
    },
    shape: async (hook: string, input: { draft: object }, scope: HookScope) => {
      const made = ((await table[hook]?.(input, scope)) ?? {}) as { draft?: object; verdict?: { kind: string } }
      const verdict = made.verdict ?? pass()
      scope.trace.push(entry(hook, verdict.kind, scope))
      return { draft: { ...input.draft, ...made.draft }, verdict }
    },
    write: async (
      hook: string,
      input: unknown,
      scope: HookScope,
      savepoint: (w: () => Promise<void>) => Promise<void>,
    ) => {
      try {
        await savepoint(async () => {
          await table[hook]?.(input, scope)
        })
      } catch {
        scope.trace.push({ ...entry(hook, 'failed', scope), failed: true })
      }
    },
    subscribers: (hook: string) => Object.keys(table[hook] ?? {}),
    react: async (hook: string, subscriber: string, input: unknown, scope: HookScope) => {
      const subscribers = (table[hook] ?? {}) as Record<string, (input: unknown, scope: HookScope) => Promise<void>>
      await subscribers[subscriber]?.(input, scope)
    },
  }
  return fake as unknown as Hooks
}
