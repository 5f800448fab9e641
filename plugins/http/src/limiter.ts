// Counts events per client address and its networks in a window of one minute: IPv4 /32, /26, /21 and IPv6 /64, /48, /32,
// with one, three and nine times the limit. Memory is bounded: the table starts anew each window.
import { isIPv6 } from 'node:net'

const WINDOW = 60_000
/** Addresses remembered in one window; beyond that all new ones share an entry. */
export const MAX_TRACKED = 100_000

export class Limiter {
  readonly #limit: number
  readonly #counts = new Map<string, number>()
  #windowStart = 0

  /** `limit`: events per minute for one address. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Entries in memory. */
  get size(): number {
    return this.#counts.size
  }

  /** Counts one event; false when a limit is exceeded. `now` in milliseconds. */
  take(ip: string, now: number): boolean {
    this.#roll(now)
    let allowed = true
    for (const [i, key] of networks(ip).entries()) {
      const known = this.#counts.has(key) || this.#counts.size < MAX_TRACKED ? key : 'others'
      const count = (this.#counts.get(known) ?? 0) + 1
      this.#counts.set(known, count)
      if (count > this.#limit * 3 ** i) allowed = false
    }
    return allowed
  }

  /** Whether one event more would be refused; counts nothing. */
  exceeded(ip: string, now: number): boolean {
    this.#roll(now)
    return networks(ip).some((key, i) => (this.#counts.get(key) ?? 0) >= this.#limit * 3 ** i)
  }

  #roll(now: number): void {
    if (now - this.#windowStart < WINDOW && now >= this.#windowStart) return
    this.#counts.clear()
    this.#windowStart = now
  }
}

/** The address's three networks, narrowest first, as map keys. */
export function networks(ip: string): [string, string, string] {
  const v4 = ip.startsWith('::ffff:') ? ip.slice(7) : ip
  if (!isIPv6(v4)) {
    const n = v4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return [`4/32/${n}`, `4/26/${Math.floor(n / 2 ** 6)}`, `4/21/${Math.floor(n / 2 ** 11)}`]
  }
  const groups = expand(v4)
  return [
    `6/64/${groups.slice(0, 4).join(':')}`,
    `6/48/${groups.slice(0, 3).join(':')}`,
    `6/32/${groups.slice(0, 2).join(':')}`,
  ]
}

function expand(ip: string): string[] {
  const [head = '', tail] = ip.replace(/%.*$/, '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].map(g => g.replace(/^0+(?=.)/, '').toLowerCase())
}
