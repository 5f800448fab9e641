// What a failed handler counts as: the verdict that the hook, the handler or the operator declared. Peers are told nothing
// but an id, which is in the log with the cause.
import type { FailureOutcome, HookEntry } from './table.ts'
import type { AnyVerdict } from './verdicts.ts'

/**
 * - `threw`: an exception or a rejection.
 * - `late`: no answer before the deadline.
 * - `returned`: something that is no verdict of the hook.
 * - `aborted`: the peer is gone or the process stops.
 */
export type FailureCause = 'threw' | 'late' | 'returned' | 'aborted'

/** Thrown by hooks whose failures are retried; `cause` is what the handler threw. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure'
  readonly hook: string
  readonly plugin: string
  readonly how: FailureCause

  constructor(hook: string, plugin: string, how: FailureCause, text: string, cause?: unknown) {
    super(`${hook} of ${plugin} ${text}`, cause === undefined ? undefined : { cause })
    this.hook = hook
    this.plugin = plugin
    this.how = how
  }
}

/** Undefined for outcomes that are no verdict. */
export function failureVerdict(
  entry: HookEntry,
  outcome: FailureOutcome,
  plugin: string,
  id: string,
): AnyVerdict | undefined {
  const failed = { reason: `${plugin} failed (${id})`, failed: true } as const
  const temporary = `local error, try again later (${id})`
  switch (outcome) {
    case 'pass':
      return { kind: 'pass', failed: true }
    case 'defer':
      return { kind: 'defer', reply: { code: entry.deferCode ?? 451, enhanced: '4.3.0', text: temporary }, ...failed }
    case 'refuse':
      return { kind: 'refuse', reply: { code: 451, enhanced: '4.3.0', text: temporary }, ...failed }
    case 'reject':
      return { kind: 'reject', reply: { code: 554, enhanced: '5.3.0', text: `local error (${id})` }, ...failed }
    case 'fail':
      return {
        kind: 'fail',
        status: 'failed',
        reply: { code: 554, enhanced: '5.3.0', text: `local error (${id})` },
        ...failed,
      }
    case 'postpone':
      return { kind: 'postpone', until: 0, ...failed }
    case 'quarantine':
    case 'hold':
    case 'skip':
    case 'withhold':
      return { kind: outcome, ...failed }
    default:
      return undefined
  }
}
