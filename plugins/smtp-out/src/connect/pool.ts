// Connections without work, kept for the next message to the same place. Newest first, so that a quiet time lets most of them
// go. Never fails: a connection that cannot be kept is closed politely.
import type { Clock } from '@mox/plugin-sdk'
import type { Client } from '../client/types.ts'
import { IDLE_MS, IDLE_PER_DESTINATION, IDLE_TOTAL } from '../limits.ts'

/** A session and how much of it is used up. */
export interface Pooled {
  readonly client: Client
  /** Transactions so far. */
  readonly transactions: number
}

interface Idle extends Pooled {
  readonly key: string
  cancel: () => void
}

export class Pool {
  readonly #clock: Clock
  readonly #byKey = new Map<string, Idle[]>()
  /** Oldest first. */
  readonly #all = new Set<Idle>()
  readonly #leaving = new Set<Promise<void>>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Connections that wait. */
  get size(): number {
    return this.#all.size
  }

  /** The one that was used last, no longer kept. */
  take(key: string): Pooled | undefined {
    for (let idle = this.#byKey.get(key)?.at(-1); idle !== undefined; idle = this.#byKey.get(key)?.at(-1)) {
      this.#remove(idle)
      if (idle.client.usable) return idle
      idle.client.destroy()
    }
    return undefined
  }

  /** Keeps a usable connection that `key` describes completely. */
  give(key: string, { client, transactions }: Pooled): void {
    const waiting = this.#byKey.get(key) ?? []
    if (this.#closed || waiting.length >= IDLE_PER_DESTINATION) {
      this.retire(client)
      return
    }
    const idle: Idle = { key, client, transactions, cancel: () => {} }
    idle.cancel = this.#clock.after(IDLE_MS, () => this.#expel(idle))
    waiting.push(idle)
    this.#byKey.set(key, waiting)
    this.#all.add(idle)
    const [oldest] = this.#all
    if (this.#all.size > IDLE_TOTAL && oldest !== undefined) this.#expel(oldest)
  }

  /** Says goodbye in the background. */
  retire(client: Client): void {
    if (!client.usable) {
      client.destroy()
      return
    }
    const leaving = client.quit().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  /** Closes all; what is given later is closed as well. */
  async close(): Promise<void> {
    this.#closed = true
    for (const idle of [...this.#all]) this.#expel(idle)
    await Promise.all(this.#leaving)
  }

  #expel(idle: Idle): void {
    this.#remove(idle)
    this.retire(idle.client)
  }

  #remove(idle: Idle): void {
    idle.cancel()
    this.#all.delete(idle)
    const rest = this.#byKey.get(idle.key)?.filter(other => other !== idle) ?? []
    if (rest.length > 0) this.#byKey.set(idle.key, rest)
    else this.#byKey.delete(idle.key)
  }
}
