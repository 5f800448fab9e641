// Limits by client address: three classes, IPv4 /32, /26, /21 and IPv6 /64, /48, /32, with one, three and nine times the
// limit. Memory is bounded: a refused client adds no entry, and so each /21 or /32 has at most nine times the limit.
import { isIPv4, isIPv6, SocketAddress } from 'node:net'

/** Classes and their share of the limit. */
export const CLASS_FACTORS: readonly number[] = [1, 3, 9]
const WINDOW = 60_000

/** The address without the prefix that a dual-stack socket gives IPv4 clients. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  return mapped !== undefined && isIPv4(mapped) ? mapped : address
}

/** Whether the address belongs to this machine. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** Map keys of the address's classes, narrowest first. */
export function networkKeys(address: string): readonly string[] {
  if (isIPv4(address)) {
    const n = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return [`a${n}`, `b${Math.floor(n / 2 ** 6)}`, `c${Math.floor(n / 2 ** 11)}`]
  }
  const groups = ipv6Groups(address)
  return [4, 3, 2].map((count, i) => 'ABC'.charAt(i) + groups.slice(0, count).join(':'))
}

function ipv6Groups(address: string): string[] {
  const bare = address.replace(/%.*$/, '')
  const canonical = isIPv6(bare) ? new SocketAddress({ family: 'ipv6', address: bare }).address : '::'
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right]
}

/** Counts by class; `take` counts only what it allows. */
class Counts {
  readonly #counts = new Map<string, number>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  take(keys: readonly string[]): boolean {
    if (keys.some((key, i) => (this.#counts.get(key) ?? 0) >= this.#limit * (CLASS_FACTORS[i] ?? 1))) return false
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    return true
  }

  give(keys: readonly string[]): void {
    for (const key of keys) {
      const count = (this.#counts.get(key) ?? 1) - 1
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }

  clear(): void {
    this.#counts.clear()
  }
}

/** What a new connection is told. */
export type Admission = 'ok' | 'rate' | 'open'

/** New connections per minute and open connections, for all listeners together. */
export class ConnectionLimits {
  readonly #rate: Counts | undefined
  readonly #open: Counts | undefined
  #windowStart = 0

  /** Per address; false: no limit. */
  constructor(limits: { readonly connectionsPerMinute: number | false; readonly openConnections: number | false }) {
    if (limits.connectionsPerMinute !== false) this.#rate = new Counts(limits.connectionsPerMinute)
    if (limits.openConnections !== false) this.#open = new Counts(limits.openConnections)
  }

  /** Counts a new connection; on `ok` the caller must call `release` when it ends. `now` in milliseconds. */
  admit(address: string, now: number): Admission {
    if (this.#rate === undefined && this.#open === undefined) return 'ok'
    if (now - this.#windowStart >= WINDOW || now < this.#windowStart) {
      this.#rate?.clear()
      this.#windowStart = now
    }
    const keys = networkKeys(address)
    if (this.#rate?.take(keys) === false) return 'rate'
    return this.#open?.take(keys) === false ? 'open' : 'ok'
  }

  release(address: string): void {
    this.#open?.give(networkKeys(address))
  }
}
