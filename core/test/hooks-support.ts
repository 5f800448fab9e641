// Hooks over handlers that a test writes down, without plugins: a virtual clock, a log that keeps its lines, one scope.
import type { HookName } from '@mox/plugin-sdk'
import { type CollectingLog, collectingLog, VirtualClock } from '@mox/plugin-sdk/testkit'
import type { Tap } from '../src/hooks/guard.ts'
import { createHooks } from '../src/hooks/hooks.ts'
import { entryOf, HOOKS } from '../src/hooks/table.ts'
import type { HookScope, Hooks } from '../src/hooks/types.ts'
import { newScope } from '../src/receive/scope.ts'

export interface Bench {
  readonly hooks: Hooks
  readonly clock: VirtualClock
  readonly log: CollectingLog
  readonly scope: HookScope
  readonly gone: AbortController
}

export type Handler = (input: never) => unknown

/** Plugin name → handler; more of a tap where a test needs it. */
export function bench(
  hook: HookName,
  handlers: Readonly<Record<string, Handler | (Omit<Partial<Tap>, 'handler'> & { handler: Handler })>>,
): Bench {
  const clock = new VirtualClock()
  const log = collectingLog()
  const entry = entryOf(hook)
  const taps = Object.entries(handlers).map(([plugin, given]): Tap => {
    const more = typeof given === 'function' ? { handler: given } : given
    return {
      ...{ entry, plugin, limitMs: entry.limitMs, onError: entry.failure, mandatory: false, provides: new Set(), log },
      ...(more as { handler: Tap['handler'] }),
    }
  })
  const random = { bytes: (n: number) => Buffer.alloc(n), number: () => 0, id: () => 'aaaaaaaaaaaaaaaaaaaaaaaaaa' }
  const hooks = createHooks({ clock, random, stopwatch: () => clock.now() }, new Map([[hook, taps]]))
  const gone = new AbortController()
  return { hooks, clock, log, gone, scope: newScope(gone.signal) }
}

export const ID = 'aaaaaaaaaaaa'

const DRAFTS: Readonly<Record<string, object>> = {
  'onReceive.head': { head: Buffer.from('From: <a@b.example>\r\n\r\n') },
  onQueue: { account: 'alice', due: 1, maxAttempts: 0, extra: {} },
  'onDSN.compose': { subject: 's', text: 't', language: 'en' },
  'onWebhook.compose': { eventId: 'e', event: 'delivered', account: 'alice', payload: {} },
  'onWebhook.send': { url: 'https://hooks.example/', headers: {}, body: '{}' },
}

/** Calls the hook whatever its sort is: a verdict, "done", or the rejection's message. */
export async function call({ hooks, scope }: Bench, hook: HookName): Promise<unknown> {
  const caller = hooks as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>
  const draft = DRAFTS[hook]
  try {
    switch (HOOKS.get(hook)?.sort) {
      case 'decide':
        return await caller['decide']?.(hook, {}, scope)
      case 'shape': {
        const shaped = (await caller['shape']?.(hook, { draft }, scope)) as { draft: object; verdict: unknown }
        return JSON.stringify(shaped.draft) === JSON.stringify(draft) ? shaped.verdict : shaped.draft
      }
      case 'write':
        await caller['write']?.(hook, {}, scope, (work: () => Promise<void>) => work())
        return 'done'
      default: {
        const [subscriber = ''] = hooks.subscribers(hook as 'onAttempt')
        await hooks.react(hook as 'onAttempt', subscriber, {}, { ...scope, eventId: 'e' })
        return 'done'
      }
    }
  } catch (error) {
    return `rejects: ${(error as Error).message}`
  }
}
