// hooks@1: hooks of the moments that plugins own. Who composes a DSN, posts a webhook or sends a report runs the handlers
// of all plugins through it, with the same guard, deadlines, ladders and trace as core's own hooks.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { HookInput, HookVerdict } from '../hooks/handler.ts'
import type { TraceEntry } from '../model/trace.ts'

export type OwnedShape = 'onDSN.compose' | 'onWebhook.compose' | 'onWebhook.send'
export type OwnedDecide = 'onDSN.match' | 'onReport.due' | 'onReport.received'
export type OwnedReact = 'onDSN.done'
export type OwnedWrite = 'onAccount.remove'

export interface HookRun {
  /** Aborts the handlers that run. */
  readonly signal: AbortSignal
  /** Persisted facts of the message it is about, by id. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** The recipient it is about, for the trace. */
  readonly recipient?: string
}

/** A call rejects where the hook table says that a failing handler means "try again later". */
export interface HookRunner {
  /** False when no handler is there. */
  has(hook: OwnedShape | OwnedDecide | OwnedReact): boolean
  /** The strongest verdict; `pass` when nobody had an opinion. */
  decide<H extends OwnedDecide>(
    hook: H,
    input: HookInput<H>,
    run: HookRun,
  ): Promise<{ readonly verdict: Exclude<HookVerdict<H>, undefined>; readonly trace: readonly TraceEntry[] }>
  /** The draft with all changes, and the strongest verdict beside them. */
  shape<H extends OwnedShape>(
    hook: H,
    input: HookInput<H>,
    run: HookRun,
  ): Promise<{
    readonly draft: HookInput<H>['draft']
    readonly verdict: Exclude<HookVerdict<H>, undefined>
    readonly trace: readonly TraceEntry[]
  }>
  /** Inside a unit of work, each handler in a savepoint. */
  write<H extends OwnedWrite>(hook: H, input: HookInput<H>, run: HookRun): Promise<void>
  /** Inside a unit of work: after its commit every subscriber gets the event, at least once. */
  emit<H extends OwnedReact>(hook: H, input: HookInput<H>, facts?: HookRun['facts']): Promise<void>
}

export const hooks: ServiceToken<HookRunner, 'one'> = defineService<HookRunner>('hooks@1')
