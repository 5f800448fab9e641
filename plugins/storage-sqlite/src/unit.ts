// One unit of work while it runs, or a nested one inside it. Nested units run one after another, since savepoints are a stack:
// what runs beside one would be undone with it.

type After = (committed: boolean) => void

export class Unit {
  /** 0 for an outer unit. */
  readonly depth: number
  open = true
  /** A nested unit that is running. */
  nested: Unit | undefined
  #after: After[] = []
  /** The nested unit that was begun last; most units have none. */
  #last: Promise<unknown> | undefined

  constructor(depth = 0) {
    this.depth = depth
  }

  /** Runs `work` once the nested units before it have ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = (this.#last ?? Promise.resolve()).then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Takes nothing new; the promise, if there is one, waits for nested units that nobody waited for. */
  close(): Promise<unknown> | undefined {
    this.open = false
    return this.#last
  }

  after(work: After): void {
    this.#after.push(work)
  }

  /** A nested unit that succeeded: the outer one's fate is its own. */
  handOver(to: Unit): void {
    to.#after.push(...this.#after)
    this.#after = []
  }

  /** Tells those who asked; a failure of one is given to `failed`. */
  end(committed: boolean, failed: (error: unknown) => void): void {
    const after = this.#after
    this.#after = []
    for (const work of after) {
      try {
        work(committed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
