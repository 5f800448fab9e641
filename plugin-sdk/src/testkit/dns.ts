// DNS from rows of a zone, with failures on demand: SERVFAIL, timeouts, refusals, and answers that never come.
import {
  type Dns,
  type DnsAnswer,
  DnsError,
  type DnsFailureCode,
  type DnsRecords,
  type DnsType,
} from '../services/network.ts'

/** Name, type, record; absent fields come from the zone's defaults. A name without a dot at the end is the same as with one. */
export type DnsRow = {
  [T in DnsType]: readonly [name: string, type: T, record: DnsRecords[T], options?: DnsRowOptions]
}[DnsType]

export interface DnsRowOptions {
  /** Default: that of the zone. */
  readonly authentic?: boolean
  /** Seconds. Default 300. */
  readonly ttl?: number
}

/** `hang`: no answer until the caller aborts. */
export type DnsFailure = DnsFailureCode | 'hang'

export interface FakeDns extends Dns {
  /** What was asked, in order: "MX example.org". */
  readonly queries: readonly string[]
  add(...rows: readonly DnsRow[]): void
  /** The next `times` (default: all) questions for the name, and for this type if given, fail. */
  fail(name: string, failure: DnsFailure, options?: { readonly type?: DnsType; readonly times?: number }): void
  /** Takes back what fail() set for the name. */
  heal(name: string): void
}

/** RFC 1034 §3.6.2 sets no limit; resolvers stop after a few. */
const CNAME_LIMIT = 16
const TTL = 300

interface Found {
  readonly record: unknown
  readonly authentic: boolean
  readonly ttl: number
}

/** `authentic` (default false) is for all rows that do not say it themselves, and for negative answers. */
export function fakeDns(rows: readonly DnsRow[] = [], zone: { readonly authentic?: boolean } = {}): FakeDns {
  const authentic = zone.authentic ?? false
  const names = new Map<string, Map<DnsType, Found[]>>()
  const failures = new Map<string, { failure: DnsFailure; type: DnsType | undefined; times: number }>()
  const queries: string[] = []

  const add = (...more: readonly DnsRow[]): void => {
    for (const [name, type, record, options] of more) {
      const types = names.get(canonical(name)) ?? new Map<DnsType, Found[]>()
      names.set(canonical(name), types)
      const found = { record, authentic: options?.authentic ?? authentic, ttl: options?.ttl ?? TTL }
      types.set(type, [...(types.get(type) ?? []), found])
    }
  }
  add(...rows)

  async function failIfTold(name: string, type: DnsType, signal: AbortSignal | undefined): Promise<void> {
    const told = failures.get(name)
    if (told === undefined || (told.type !== undefined && told.type !== type)) return
    if (--told.times === 0) failures.delete(name)
    if (told.failure !== 'hang') throw new DnsError(told.failure, `${type} ${name}: ${told.failure}`)
    await new Promise((_, reject) => {
      if (signal?.aborted) reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }

  function answer(
    status: DnsAnswer['status'],
    canonical: string,
    found: readonly Found[],
    chain: readonly Found[],
  ): DnsAnswer<unknown> {
    const all = [...chain, ...found]
    return {
      status,
      canonical,
      records: found.map(({ record }) => record),
      authentic: all.length === 0 ? authentic : all.every(one => one.authentic),
      ttl: Math.min(TTL, ...all.map(({ ttl }) => ttl)),
    }
  }

  async function resolve(asked: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer<unknown>> {
    signal?.throwIfAborted()
    let name = canonical(asked)
    queries.push(`${type} ${name}`)
    const chain: Found[] = []
    for (let hops = 0; hops <= CNAME_LIMIT; hops++) {
      await failIfTold(name, type, signal)
      const types = names.get(name)
      const found = types?.get(type)
      if (found !== undefined) return answer('found', name, found, chain)
      const alias = type === 'CNAME' ? undefined : types?.get('CNAME')?.[0]
      if (alias === undefined) {
        const exists = types !== undefined || [...names.keys()].some(other => other.endsWith(`.${name}`))
        return answer(exists ? 'nodata' : 'nxdomain', name, [], chain)
      }
      chain.push(alias)
      name = canonical(String(alias.record))
    }
    throw new DnsError('malformed', `${type} ${asked}: more than ${CNAME_LIMIT} aliases`)
  }

  return {
    resolve: resolve as Dns['resolve'],
    queries,
    add,
    fail: (name, failure, { type, times = Number.POSITIVE_INFINITY } = {}) =>
      failures.set(canonical(name), { failure, type, times }),
    heal: name => failures.delete(canonical(name)),
  }
}

function canonical(name: string): string {
  return name.replace(/\.$/, '').toLowerCase()
}
