// When a draft is saved: soon after the last change, and while one types on, every now and then. One save at a time; what
// changed meanwhile is saved next. A save that fails is tried again after a while, and never forgets what was written.

export interface Timers {
  /** Calls back after so many milliseconds; returns how to stop. */
  after(ms: number, work: () => void): () => void
  now(): number
}

export type SaveState = 'saved' | 'changed' | 'saving' | 'failed'

/** Milliseconds after the last change, from the first unsaved change on, and after a failure. */
export const QUIET_MS = 3_000
export const LONGEST_MS = 20_000
export const RETRY_MS = 10_000

export class Autosave {
  readonly #timers: Timers
  readonly #save: () => Promise<void>
  readonly #shown: (state: SaveState) => void
  #changedSince: number | undefined
  #stop: (() => void) | undefined
  #saving: Promise<void> | undefined
  #ended = false

  constructor(timers: Timers, save: () => Promise<void>, shown: (state: SaveState) => void) {
    this.#timers = timers
    this.#save = save
    this.#shown = shown
  }

  get unsaved(): boolean {
    return this.#changedSince !== undefined || this.#saving !== undefined
  }

  changed(): void {
    const now = this.#timers.now()
    this.#changedSince ??= now
    if (this.#ended) return
    if (this.#saving === undefined) this.#shown('changed')
    this.#plan(Math.max(0, Math.min(QUIET_MS, this.#changedSince + LONGEST_MS - now)))
  }

  /** Saves what is unsaved now, after a save in progress. Rejects when that fails. */
  async flush(): Promise<void> {
    this.#stop?.()
    while (this.#saving !== undefined) await this.#saving.catch(() => undefined)
    if (this.#changedSince !== undefined) await this.#run()
  }

  /** No further saves: it was sent or thrown away. Waits for one in progress. */
  async end(): Promise<void> {
    this.#ended = true
    this.#stop?.()
    await this.#saving?.catch(() => undefined)
  }

  /** Goes on after `end`, with what changed meanwhile: sending failed. */
  resume(): void {
    this.#ended = false
    if (this.#changedSince !== undefined) this.changed()
  }

  #plan(ms: number): void {
    this.#stop?.()
    this.#stop = this.#timers.after(ms, () => {
      if (this.#saving === undefined) this.#run().catch(() => undefined)
    })
  }

  async #run(): Promise<void> {
    this.#stop?.()
    const since = this.#changedSince
    this.#changedSince = undefined
    this.#shown('saving')
    this.#saving = this.#save()
    try {
      await this.#saving
      this.#saving = undefined
      this.#shown(this.#changedSince === undefined ? 'saved' : 'changed')
      if (this.#changedSince !== undefined && !this.#ended) this.#plan(QUIET_MS)
    } catch (error) {
      this.#saving = undefined
      this.#changedSince = since ?? this.#timers.now()
      this.#shown('failed')
      if (!this.#ended) this.#plan(RETRY_MS)
      throw error
    }
  }
}
