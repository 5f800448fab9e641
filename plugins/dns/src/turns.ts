// Lets only so many pieces of work run at a time; the others wait in the order in which they came, until their signal aborts.

export class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(atATime: number) {
    this.#free = atATime
  }

  /** Rejects with the signal's reason when it aborts before the work's turn. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#free++
      else next()
    }
  }

  /** Resolves with the turn handed over by the one that ends. */
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        this.#waiting.delete(go)
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const go = (): void => leave(resolve)
      const onAbort = (): void => leave(() => reject(signal.reason))
      this.#waiting.add(go)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
