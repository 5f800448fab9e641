// Tells open pages and waiting tests that something changed: a message, the queue, or the log of events.
import type { Clock, Directory, Events, Storage } from '@mox/plugin-sdk'

/** They are told at most this often, in milliseconds. */
const INTERVAL_MS = 100

export interface ChangesDeps {
  readonly clock: Clock
  readonly storage: Storage
  readonly directory: Directory
  readonly events: Events | undefined
}

export class Changes {
  readonly #deps: ChangesDeps
  readonly #listeners = new Set<() => void>()
  readonly #ends: (() => void)[] = []
  #cancel: (() => void) | undefined

  constructor(deps: ChangesDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { storage, directory, events } = this.#deps
    const changed = (): void => this.#changed()
    this.#ends.push(storage.subscribe('messages', changed))
    if (events === undefined) return
    for (const { name } of await directory.accounts()) this.#ends.push(events.watch(name, changed))
  }

  /** Returns how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#cancel?.()
    for (const end of this.#ends.splice(0)) end()
  }

  #changed(): void {
    this.#cancel ??= this.#deps.clock.after(INTERVAL_MS, () => {
      this.#cancel = undefined
      for (const listener of this.#listeners) listener()
    })
  }
}
