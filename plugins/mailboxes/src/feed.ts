// The change feed: hands what a unit of work changed to everybody who watches the account, after the commit and in commit
// order. A watcher that throws is logged and does not keep others from their changes. Nothing here is stored: who needs
// changes of a time before it watched reads the log.
import type { Change, ChangeSession, Log } from '@mox/plugin-sdk'

/** Changes that a session keeps before it overflows. */
export const PENDING_CHANGES = 10_000

type Listener = (changes: readonly Change[]) => void

export class Feed {
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  watched(account: string): boolean {
    return this.#listeners.has(account)
  }

  publish(account: string, changes: readonly Change[]): void {
    for (const listener of [...(this.#listeners.get(account) ?? [])]) {
      try {
        listener(changes)
      } catch (err) {
        this.#log.error({ err, account }, 'watcher of a message store failed')
      }
    }
  }

  watch(account: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(account) ?? new Set()
    this.#listeners.set(account, listeners)
    // A function of its own, so that one listener may watch twice.
    const own: Listener = changes => listener(changes)
    listeners.add(own)
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(account) === listeners) this.#listeners.delete(account)
    }
  }

  session(account: string, wake: () => void): ChangeSession {
    const session = new Session(wake)
    session.stop = this.watch(account, changes => session.add(changes))
    return session
  }
}

class Session implements ChangeSession {
  #pending: Change[] = []
  #overflowed = false
  readonly #wake: () => void
  stop: (() => void) | undefined

  constructor(wake: () => void) {
    this.#wake = wake
  }

  get overflowed(): boolean {
    return this.#overflowed
  }

  add(changes: readonly Change[]): void {
    if (this.#overflowed) return
    if (this.#pending.length + changes.length > PENDING_CHANGES) this.#overflowed = true
    else this.#pending.push(...changes)
    this.#wake()
  }

  take(): Change[] {
    const pending = this.#pending
    this.#pending = []
    return pending
  }

  resync(): void {
    this.#pending = []
    this.#overflowed = false
  }

  close(): void {
    this.stop?.()
    this.resync()
  }
}
