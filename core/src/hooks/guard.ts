// Every call of a handler goes through here: it always ends, exactly once, by its deadline, and whatever a handler does
// becomes a checked verdict or its declared failure. A handler that returns without a promise costs no timer.
import type { Category, Clock, Facts, HandlerContext, Log, Random, TraceEntry } from '@mox/plugin-sdk'
import { escapeControl, shorten } from '../base/text.ts'
import { type FailureCause, failureVerdict, HookFailure } from './failure.ts'
import { HandlerFacts } from './handler-facts.ts'
import { type RunningHandler, runAs } from './running.ts'
import type { FailureOutcome, HookEntry } from './table.ts'
import type { HookScope } from './types.ts'
import { type AnyVerdict, PASS, verdictProblem } from './verdicts.ts'

/** Characters of a reason in the trace. */
export const TRACE_REASON_LENGTH = 200

export interface GuardServices {
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds of a clock that only goes forward, for the trace. */
  readonly stopwatch: () => number
}

/** One handler, ready to be called. */
export interface Tap {
  readonly entry: HookEntry
  /** The instance's name. */
  readonly plugin: string
  readonly handler: (input: object) => unknown
  readonly limitMs: number
  readonly onError: FailureOutcome
  readonly category?: Category
  readonly mandatory: boolean
  /** Write and react handlers: whether an event is their business. */
  readonly when?: (input: object) => boolean
  /** Ids of facts that it may set. */
  readonly provides: ReadonlySet<string>
  readonly log: Log
}

/** `failure` is set when the handler failed; `verdict` is then what that counts as, undefined for `retry` and `undo`. */
export type Settle = (verdict: AnyVerdict | undefined, failure: HookFailure | undefined) => void

/**
 * Calls the handler, and `settle` exactly once: before this returns when the handler returned no promise. `limitMs` is at
 * most the handler's own limit. Never throws.
 */
export function callHandler(
  services: GuardServices,
  tap: Tap,
  input: object,
  scope: HookScope,
  limitMs: number,
  settle: Settle,
): void {
  new Call(services, tap, scope, settle).start(input, limitMs)
}

class Call implements RunningHandler {
  state: 'running' | 'ended' | 'late' = 'running'
  readonly #services: GuardServices
  readonly #tap: Tap
  readonly #scope: HookScope
  readonly #settle: Settle
  readonly #started: number
  #controller: AbortController | undefined
  #cancel: (() => void) | undefined
  #onAbort: (() => void) | undefined

  constructor(services: GuardServices, tap: Tap, scope: HookScope, settle: Settle) {
    this.#services = services
    this.#tap = tap
    this.#scope = scope
    this.#settle = settle
    this.#started = services.stopwatch()
  }

  get entry(): HookEntry {
    return this.#tap.entry
  }

  get plugin(): string {
    return this.#tap.plugin
  }

  start(input: object, limitMs: number): void {
    if (this.#scope.signal.aborted) this.#fail('aborted', 'was not asked: the peer is gone or the process stops')
    else if (limitMs <= 0) this.#fail('late', 'was not asked: earlier handlers took all the time')
    else this.#call(input, limitMs)
  }

  #call(input: object, limitMs: number): void {
    const { handler, log, provides } = this.#tap
    const facts = new HandlerFacts(this, provides, this.#scope.facts)
    let returned: unknown
    let later: boolean
    try {
      returned = runAs(this, handler, new HandlerInput(input, facts, log, this))
      later = isThenable(returned)
    } catch (error) {
      this.#fail('threw', `threw ${describe(error)}`, error)
      return
    }
    if (later) this.#wait(returned, limitMs)
    else this.#answer(returned)
  }

  #wait(returned: unknown, limitMs: number): void {
    this.#onAbort = () => this.#expire('aborted', 'was aborted: the peer is gone or the process stops')
    this.#scope.signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#cancel = this.#services.clock.after(limitMs, () =>
      this.#expire('late', `gave no answer within ${limitMs} ms`),
    )
    // Adopting the thenable by hand: a `then` that throws, or answers twice, does no harm.
    new Promise(resolve => resolve(returned)).then(
      value => (this.state === 'late' ? this.#tooLate() : this.#answer(value)),
      error => (this.state === 'late' ? this.#tooLate(error) : this.#fail('threw', `threw ${describe(error)}`, error)),
    )
  }

  /** Made when it is asked for: most handlers never look at it. */
  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.state === 'late' || this.#scope.signal.aborted) this.#controller.abort(this.#scope.signal.reason)
    }
    return this.#controller.signal
  }

  #answer(value: unknown): void {
    let problem: string | undefined
    try {
      problem = value === undefined ? undefined : verdictProblem(this.#tap.entry, value)
    } catch {
      problem = 'it cannot be read'
    }
    if (problem === undefined) this.#end((value as AnyVerdict | undefined) ?? PASS, undefined)
    else this.#fail('returned', `returned something else than a verdict: ${problem}`)
  }

  /** The deadline, or the end of the session. */
  #expire(how: FailureCause, text: string): void {
    this.state = 'late'
    this.#fail(how, text)
    this.#controller?.abort(new DOMException(text, how === 'late' ? 'TimeoutError' : 'AbortError'))
  }

  #fail(how: FailureCause, text: string, cause?: unknown): void {
    const { entry, plugin, onError, log } = this.#tap
    const failure = new HookFailure(entry.name, plugin, how, text, cause)
    const id = this.#services.random.id().slice(0, 12)
    const fields = { id, countsAs: onError, err: cause ?? failure }
    if (how === 'aborted') log.debug(fields, 'handler was not needed any more')
    else log.error(fields, 'handler failed')
    this.#end(failureVerdict(entry, onError, plugin, id), failure)
  }

  #end(verdict: AnyVerdict | undefined, failure: HookFailure | undefined): void {
    if (this.state === 'running') this.state = 'ended'
    this.#cancel?.()
    if (this.#onAbort !== undefined) this.#scope.signal.removeEventListener('abort', this.#onAbort)
    this.#scope.trace.push(
      traceEntry(this.#tap, this.#scope, verdict, failure, this.#services.stopwatch() - this.#started),
    )
    this.#settle(verdict, failure)
  }

  #tooLate(error?: unknown): void {
    this.#tap.log.warn(error === undefined ? {} : { err: error }, 'handler answered after its deadline')
  }
}

/** What its `when` says; a throw counts as true, so that no event is lost for it. */
export function matters(tap: Tap, input: object, facts: Facts): boolean {
  if (tap.when === undefined) return true
  try {
    return Boolean(tap.when({ ...input, facts }))
  } catch (error) {
    tap.log.error({ err: error }, '`when` of the handler failed')
    return true
  }
}

/** A getter on a prototype: one on each object would cost more than all the rest of a call. */
class HandlerInput implements HandlerContext {
  readonly facts: HandlerFacts
  readonly log: Log
  readonly #call: Call

  constructor(input: object, facts: HandlerFacts, log: Log, call: Call) {
    Object.assign(this, input)
    this.facts = facts
    this.log = log
    this.#call = call
  }

  get signal(): AbortSignal {
    return this.#call.signal()
  }
}

/** Also used for handlers that were skipped. */
export function traceEntry(
  tap: Tap,
  scope: HookScope,
  verdict: AnyVerdict | undefined,
  failure: HookFailure | undefined,
  ms: number,
): TraceEntry {
  const reason = failure === undefined ? verdict?.reason : failure.message
  const entry: { -readonly [K in keyof TraceEntry]: TraceEntry[K] } = {
    hook: tap.entry.name,
    plugin: tap.plugin,
    verdict: verdict?.kind ?? 'failed',
    ms: Math.round(ms * 1000) / 1000,
  }
  if (reason !== undefined) entry.reason = shorten(escapeControl(reason), TRACE_REASON_LENGTH)
  if (scope.recipient !== undefined) entry.recipient = scope.recipient
  if (failure !== undefined) entry.failed = true
  return entry
}

function isThenable(value: unknown): boolean {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something that cannot be shown'
  }
}
