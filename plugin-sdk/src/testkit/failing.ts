// Handlers that fail in every way a handler can, to see what that does to the mail.
import type { HandlerContext } from '../hooks/handler.ts'

/**
 * - `throw`: throws at once. `reject`: its promise rejects.
 * - `hang`: answers only when its signal aborts, with a rejection. `deaf`: never, whatever happens.
 * - `null`, `text`, `unknown`: returns null, a string, a verdict that no hook knows.
 */
export type HandlerFailure = 'throw' | 'reject' | 'hang' | 'deaf' | 'null' | 'text' | 'unknown'

export const HANDLER_FAILURES: readonly HandlerFailure[] = [
  'throw',
  'reject',
  'hang',
  'deaf',
  'null',
  'text',
  'unknown',
]

/** The handler, but its first `times` calls (default: all) fail instead. */
export function failing<I extends HandlerContext, A>(
  handler: (input: I) => A,
  how: HandlerFailure,
  times: number = Number.POSITIVE_INFINITY,
): (input: I) => A {
  let left = times
  return input => (left-- > 0 ? (failNow(how, input.signal) as A) : handler(input))
}

function failNow(how: HandlerFailure, signal: AbortSignal): unknown {
  switch (how) {
    case 'throw':
      throw new Error('thrown on purpose')
    case 'reject':
      return Promise.reject(new Error('rejected on purpose'))
    case 'hang':
      return new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason)
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    case 'deaf':
      return new Promise(() => {})
    case 'null':
      return null
    case 'text':
      return 'yes'
    case 'unknown':
      return { kind: 'approve' }
  }
}
