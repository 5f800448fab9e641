// One wait on the network: it ends with a result, a failure, the time limit or the caller's signal, whichever is first, and
// what was opened for it is closed then, once. What comes later is ignored.
import type { Clock } from '@mox/plugin-sdk'

export interface Wait {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** No answer in the time for one server. */
export class LateError extends Error {
  override readonly name = 'LateError'
}

/**
 * `open` starts the work and returns what closes it; it settles only later, never before it returns. Rejects with a
 * LateError after `timeoutMs`, and with the signal's reason when it aborts.
 */
export function within<T>(
  { clock, timeoutMs, signal }: Wait,
  open: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    let open_ = true
    const end = (settle: () => void): void => {
      if (!open_) return
      open_ = false
      cancel()
      signal.removeEventListener('abort', onAbort)
      close()
      settle()
    }
    const onAbort = (): void => end(() => reject(signal.reason))
    const cancel = clock.after(timeoutMs, () => end(() => reject(new LateError(`no answer in ${timeoutMs / 1000} s`))))
    signal.addEventListener('abort', onAbort, { once: true })
    const close = open(
      value => end(() => resolve(value)),
      error => end(() => reject(error)),
    )
  })
}
