// What happens to a message because it is looked at: half a second after it was loaded it counts as seen; after five seconds of
// being shown it is no junk, unless somebody said otherwise. Conditions are looked at when the time has come.
import type { FlagSet } from '../../src/api/model.ts'

/** Milliseconds after loading until a message counts as seen, and until it counts as not junk. */
export const SEEN_AFTER = 500
export const NOT_JUNK_AFTER = 5_000

export interface ViewedDeps {
  /**
   * Flags as they are now, and whether the mailbox is one whose mail waits for a decision: of rejected mail, or of first-time
   * senders. Undefined when the message is gone.
   */
  state(id: number): { readonly flags: FlagSet; readonly undecided: boolean } | undefined
  setFlag(id: number, flag: 'seen' | 'notjunk'): Promise<void>
  /** Calls back after milliseconds; returns how to stop that. */
  after(ms: number, run: () => void): () => void
}

/** One for the message pane: `show` when a message has loaded, `leave` when it is shown no more. */
export class Viewed {
  readonly #deps: ViewedDeps
  #shown: number | undefined
  #stops: (() => void)[] = []

  constructor(deps: ViewedDeps) {
    this.#deps = deps
  }

  show(id: number): void {
    if (this.#shown === id) return
    this.leave()
    this.#shown = id
    this.#stops = [
      this.#deps.after(SEEN_AFTER, () => {
        if (this.#deps.state(id)?.flags.seen === false) void this.#deps.setFlag(id, 'seen')
      }),
      this.#deps.after(NOT_JUNK_AFTER, () => {
        const state = this.#deps.state(id)
        if (state === undefined || state.undecided) return
        const { seen, junk, notjunk } = state.flags
        if (seen && !junk && !notjunk) void this.#deps.setFlag(id, 'notjunk')
      }),
    ]
  }

  leave(): void {
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#shown = undefined
  }
}
