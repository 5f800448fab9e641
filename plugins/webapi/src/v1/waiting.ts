// Requests that stay open: counted, in all and by account, and ended together when the server stops.
import { MAX_STREAMS_OPEN, MAX_STREAMS_OPEN_ACCOUNT } from '../limits.ts'
import { Problem } from './problem.ts'

/** Seconds to wait for a place. */
const RETRY = 10

export interface Place {
  /** Aborts when the server stops. */
  readonly signal: AbortSignal
  [Symbol.dispose](): void
}

export class Waiting {
  readonly #places = new Set<{ readonly account: string; readonly abort: AbortController }>()
  #closed = false

  /** Throws tooManyRequests. */
  take(account: string): Place {
    const own = [...this.#places].filter(place => place.account === account).length
    if (this.#closed || this.#places.size >= MAX_STREAMS_OPEN || own >= MAX_STREAMS_OPEN_ACCOUNT)
      throw new Problem('tooManyRequests', 'too many requests are waiting for events', { retryAfter: RETRY })
    const place = { account, abort: new AbortController() }
    this.#places.add(place)
    return { signal: place.abort.signal, [Symbol.dispose]: () => void this.#places.delete(place) }
  }

  get size(): number {
    return this.#places.size
  }

  /** Ends all, and takes none any more. */
  close(): void {
    this.#closed = true
    for (const { abort } of this.#places) abort.abort()
  }
}
