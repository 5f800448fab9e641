// Hosts whose TLS did not work while plain text did, so that not every message pays for a failed handshake. Only for
// opportunistic TLS; forgotten soon, so that a host whose TLS was mended gets it again. Bounded.
import type { Clock } from '@mox/plugin-sdk'
import { BROKEN_TLS_HOSTS, BROKEN_TLS_MS } from '../limits.ts'

export class BrokenTls {
  readonly #clock: Clock
  /** Until when, by host and address; oldest first. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(host: string, ip: string): boolean {
    const key = `${host}\n${ip}`
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (until > this.#clock.now()) return true
    this.#until.delete(key)
    return false
  }

  add(host: string, ip: string): void {
    const key = `${host}\n${ip}`
    this.#until.delete(key)
    this.#until.set(key, this.#clock.now() + BROKEN_TLS_MS)
    const [oldest] = this.#until.keys()
    if (this.#until.size > BROKEN_TLS_HOSTS && oldest !== undefined) this.#until.delete(oldest)
  }
}
