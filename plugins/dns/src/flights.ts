// Equal questions at the same time are asked once. Each caller can leave on its own; when the last one has left, the work is
// aborted and forgotten, so that whoever comes next starts anew.

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  callers: number
}

export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** Rejects with the signal's reason when it aborts. */
  async join(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#begin(key, work)
    flight.callers++
    try {
      return await unlessAborted(flight.result, signal)
    } finally {
      if (--flight.callers === 0) {
        this.#forget(key, flight)
        flight.controller.abort()
      }
    }
  }

  /** All callers are told `reason`. */
  abort(reason: Error): void {
    for (const { controller } of this.#flights.values()) controller.abort(reason)
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const flight: Flight<T> = { result: work(controller.signal), controller, callers: 0 }
    this.#flights.set(key, flight)
    const done = (): void => this.#forget(key, flight)
    flight.result.then(done, done)
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
