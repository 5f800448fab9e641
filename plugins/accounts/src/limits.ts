// Failed logins by client address, in three classes: IPv4 /32, /26, /21 and IPv6 /64, /48, /32, with one, three and nine
// times the limit, per minute and per day. An attempt is counted before it is judged and given back when it was right, so
// that guessing in parallel gains nothing. Memory is bounded: the entry that was made first goes when there are too many.
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import type { Clock } from '@mox/plugin-sdk'

/** Classes and their share of the limit. */
export const CLASS_FACTORS: readonly number[] = [1, 3, 9]
/** Addresses or networks of one class that are counted in one window. */
export const COUNTED = 50_000
const MINUTE = 60_000
const DAY = 86_400_000

/** Keys of an address's classes, narrowest first. */
export function networkKeys(address: string): readonly string[] {
  const v4 = /^::ffff:([0-9.]+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(v4)) {
    const n = v4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return [32, 26, 21].map(bits => `4/${Math.floor(n / 2 ** (32 - bits))}`)
  }
  const bare = address.replace(/%.*$/, '')
  const groups = isIPv6(bare) ? groupsOf(new SocketAddress({ family: 'ipv6', address: bare }).address) : []
  return [4, 3, 2].map(count => `6/${groups.slice(0, count).join(':')}`)
}

/** The eight groups of a canonical address. */
function groupsOf(address: string): string[] {
  const [left = [], right = []] = address.split('::').map(half => (half === '' ? [] : half.split(':')))
  return [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
}

/** One fixed window; all counts start anew with the next. */
class Window {
  readonly #length: number
  readonly #limit: number
  #number = -1
  #counts: Map<string, number>[] = []

  constructor(length: number, limit: number) {
    this.#length = length
    this.#limit = limit
  }

  exceeded(keys: readonly string[], now: number): boolean {
    this.#turn(now)
    return keys.some((key, i) => (this.#counts[i]?.get(key) ?? 0) >= this.#limit * CLASS_FACTORS[i]!)
  }

  take(keys: readonly string[], now: number): () => void {
    this.#turn(now)
    const counts = this.#counts
    for (const [i, key] of keys.entries()) add(counts[i]!, key)
    return () => {
      for (const [i, key] of keys.entries()) subtract(counts[i]!, key)
    }
  }

  #turn(now: number): void {
    const number = Math.floor(now / this.#length)
    if (number === this.#number) return
    this.#number = number
    this.#counts = CLASS_FACTORS.map(() => new Map())
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
  if (counts.size <= COUNTED) return
  for (const first of counts.keys()) {
    counts.delete(first)
    break
  }
}

function subtract(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}

export interface LimitOptions {
  readonly perMinute: number
  readonly perDay: number
}

export class LoginLimits {
  readonly #clock: Clock
  readonly #windows: readonly Window[]

  /** `false`: no limit. */
  constructor(options: LimitOptions | false, clock: Clock) {
    this.#clock = clock
    this.#windows = options === false ? [] : [new Window(MINUTE, options.perMinute), new Window(DAY, options.perDay)]
  }

  limited(remoteIp: string): boolean {
    if (this.#windows.length === 0) return false
    const keys = networkKeys(remoteIp)
    const now = this.#clock.now()
    return this.#windows.some(window => window.exceeded(keys, now))
  }

  /** Counts one attempt; the function that it returns takes it back, once. */
  take(remoteIp: string): () => void {
    const keys = networkKeys(remoteIp)
    const now = this.#clock.now()
    let back: (() => void)[] = this.#windows.map(window => window.take(keys, now))
    return () => {
      for (const one of back) one()
      back = []
    }
  }
}
