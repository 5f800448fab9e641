// How the stages call hooks. The host implements it over the hook table; the stages' own tests use a fake.
import type { Facts, FactToken, HookInput, HookName, HookVerdict, TraceEntry } from '@mox/plugin-sdk'

/** Hooks by sort; `HOOKS` in table.ts is the data behind it. */
export type ReactHook = 'onReceive.done' | 'onAttempt' | 'onDSN.done' | 'onRetire.done'
export type WriteHook = 'onRetire.tx' | 'onAccount.remove'
export type ShapeHook = 'onReceive.head' | 'onQueue' | 'onDSN.compose' | 'onWebhook.compose' | 'onWebhook.send'
export type DecideHook = Exclude<HookName, ReactHook | WriteHook | ShapeHook>

/** The facts of one message: what handlers set, and the persisted part as plain data. */
export interface FactStore extends Facts {
  /** Persisted facts by id, for storing. */
  persisted(): Record<string, unknown>
  has(fact: FactToken<unknown>): boolean
}

/** What belongs to one message or session while hooks run on it. */
export interface HookScope {
  readonly facts: FactStore
  /** Handlers' verdicts are appended here. */
  readonly trace: TraceEntry[]
  /** Aborts when the peer is gone or the process stops. */
  readonly signal: AbortSignal
  /** Categories silenced so far by `exempt`; carried along through the receive hooks of one session. */
  readonly exempted: Set<string>
  /** The recipient the hook runs for, in the trace. */
  readonly recipient?: string
}

/**
 * The strongest verdict; `pass` when nobody had an opinion.
 * - `failed`: it stands for a handler that failed. A failed `postpone` has `until` 0, or the latest time that another handler
 *   asked for: the stage waits by its backoff, at least until then, and counts the failures in a row.
 * - `keywords`: of all `tag` verdicts, also where a stronger verdict accepts the message (onReceive.data).
 */
export type Decision<H extends HookName> = Exclude<HookVerdict<H>, undefined> & {
  readonly failed?: true
  readonly keywords?: readonly string[]
}

export interface Hooks {
  /** False when no handler is there: callers skip building inputs. */
  has(hook: HookName): boolean
  /** Rejects with a HookFailure only where the table says that a failure is retried. */
  decide<H extends DecideHook>(hook: H, input: HookInput<H>, scope: HookScope): Promise<Decision<H>>
  /** Applies patches in order, then tells the strongest other verdict. Rejects with a HookFailure where a failure is retried. */
  shape<H extends ShapeHook>(
    hook: H,
    input: HookInput<H>,
    scope: HookScope,
  ): Promise<{ draft: HookInput<H>['draft']; verdict: Decision<H> }>
  /**
   * Runs each handler in a savepoint of its own (made by `savepoint`); a failure undoes only that and is recorded in the trace.
   * Rejects with a HookFailure where a failure is retried.
   */
  write<H extends WriteHook>(
    hook: H,
    input: HookInput<H>,
    scope: HookScope,
    savepoint: (work: () => Promise<void>) => Promise<void>,
  ): Promise<void>
  /** Plugin instances that react to the hook, and to this event of it if one is given: one outbox row each. */
  subscribers<H extends ReactHook>(
    hook: H,
    event?: { readonly input: HookInput<H>; readonly facts: Facts },
  ): readonly string[]
  /** Runs one subscriber's handler once; throws when it fails. */
  react(
    hook: ReactHook,
    subscriber: string,
    input: unknown,
    scope: HookScope & { readonly eventId: string },
  ): Promise<void>
}
