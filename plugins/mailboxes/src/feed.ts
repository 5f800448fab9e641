// The change feed: hands what a unit of work changed to everybody who watches the account, after the commit and in commit
// order. A watcher that throws is logged and does not keep others from their changes. Nothing here is stored: who needs
// changes of a time before it watched reads the log. It also knows who can still show what was expunged: sessions that were not told
// of it yet, and those who keep everything.
import type { Change, ChangeSession, Log } from '@mox/plugin-sdk'

/** Changes that a session keeps before it overflows. */
export const PENDING_CHANGES = 10_000

type Listener = (changes: readonly Change[]) => void
/** Takes what to call when it cannot show any more what was expunged. */
type Holder = (release: () => void) => void

export class Feed {
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #holders = new Map<string, Set<Holder>>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
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
    // A function of its own, so that one listener may watch twice.
    return addTo(this.#listeners, account, changes => listener(changes))
  }

  session(account: string, wake: () => void): ChangeSession {
    const session = new Session(wake)
    const ends = [
      this.watch(account, changes => session.add(changes)),
      addTo(this.#holders, account, release => session.hold(release)),
    ]
    session.stop = () => {
      for (const end of ends) end()
    }
    return session
  }

  /** Nothing of the account is erased until the function that is returned is called. */
  keep(account: string): () => void {
    const releases: (() => void)[] = []
    const end = addTo(this.#holders, account, release => releases.push(release))
    return () => {
      end()
      for (const release of releases.splice(0)) release()
    }
  }

  /** Does the work when nobody can show any more what the unit of work expunged that is published next; at once when there is nobody. */
  whenTold(account: string, work: () => void): void {
    const holders = [...(this.#holders.get(account) ?? [])]
    let left = holders.length
    if (left === 0) work()
    for (const hold of holders)
      hold(() => {
        if (--left === 0) work()
      })
  }
}

/** Returns how to take it away again. */
function addTo<T>(sets: Map<string, Set<T>>, key: string, member: T): () => void {
  const set = sets.get(key) ?? new Set()
  sets.set(key, set.add(member))
  return () => {
    set.delete(member)
    if (set.size === 0 && sets.get(key) === set) sets.delete(key)
  }
}

class Session implements ChangeSession {
  #pending: Change[] = []
  #overflowed = false
  /** Wait for changes that were not taken yet, and for the reader to be told of those that were. */
  #untaken: (() => void)[] = []
  #untold: (() => void)[] = []
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
    if (this.#pending.length + changes.length > PENDING_CHANGES) {
      this.#overflowed = true
      this.#releaseAll()
    } else this.#pending.push(...changes)
    this.#wake()
  }

  hold(release: () => void): void {
    if (this.#overflowed) release()
    else this.#untaken.push(release)
  }

  take(): Change[] {
    const pending = this.#pending
    this.#pending = []
    this.#untold.push(...this.#untaken.splice(0))
    return pending
  }

  told(): void {
    for (const release of this.#untold.splice(0)) release()
  }

  resync(): void {
    this.#pending = []
    this.#overflowed = false
    this.#releaseAll()
  }

  close(): void {
    this.stop?.()
    this.resync()
  }

  #releaseAll(): void {
    this.#untold.push(...this.#untaken.splice(0))
    this.told()
  }
}
