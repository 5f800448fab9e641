// A time limit as an AbortSignal, by the clock service. release() must be called when the work is done, whatever came of it.
import type { Clock } from '@mox/plugin-sdk'

export interface Deadline {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Aborts at the deadline and with the parent, with the parent's reason. */
  readonly signal: AbortSignal
  release(): void
}

/** `what` is in the error when the time is over: "the connection". */
export function deadline(clock: Clock, ms: number, parent: AbortSignal, what: string): Deadline {
  const abort = new AbortController()
  const follow = (): void => abort.abort(parent.reason)
  const cancel = clock.after(ms, () => abort.abort(new Error(`${what} took longer than ${Math.round(ms / 1_000)} s`)))
  parent.addEventListener('abort', follow, { once: true })
  if (parent.aborted) follow()
  return {
    at: clock.now() + ms,
    signal: abort.signal,
    release: () => {
      cancel()
      parent.removeEventListener('abort', follow)
    },
  }
}
