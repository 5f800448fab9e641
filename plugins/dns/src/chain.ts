// Follows the CNAMEs of an answer to the records, or to the name that has none. Owners that are not on the chain are ignored,
// so an answer tells nothing about names that were not asked for. Loops and long chains throw a DnsError.
import { type DnsAnswer, DnsError, type DnsType } from '@mox/plugin-sdk'
import { type Message, RCODE, type Resource, TTL_LIMIT } from './message.ts'
import { isWithin } from './names.ts'

/** CNAMEs of one chain. */
export const CNAME_LIMIT = 16
/** Seconds that "no" is kept at most (RFC 2308 §5 asks for a bound): a quarter of an hour. */
export const NEGATIVE_TTL_LIMIT = 900

/** Where the CNAMEs have led so far, over several answers. */
export class Chain {
  readonly #asked: string
  readonly #seen: Set<string>
  #name: string
  #ttl = TTL_LIMIT

  constructor(asked: string) {
    this.#asked = asked
    this.#name = asked
    this.#seen = new Set([asked])
  }

  get name(): string {
    return this.#name
  }

  /** Seconds, the least of all records so far. */
  ttl(...more: readonly number[]): number {
    return Math.min(this.#ttl, ...more)
  }

  follow({ ttl, data }: Resource): void {
    const target = data as string | undefined
    if (target === undefined) throw new DnsError('malformed', `${this.#name} is an alias for an invalid name`)
    if (this.#seen.has(target)) throw new DnsError('malformed', `${this.#asked}: its aliases (CNAME) are a loop`)
    if (this.#seen.size > CNAME_LIMIT)
      throw new DnsError('malformed', `${this.#asked}: more than ${CNAME_LIMIT} aliases (CNAME)`)
    this.#seen.add(target)
    this.#name = target
    this.#ttl = this.ttl(ttl)
  }
}

/** `further`: the answer ends with a CNAME whose target the chain now names; ask for that. */
export type Step = Omit<DnsAnswer, 'authentic'> | 'further'

/** What the answer to a question for the chain's name says; moves the chain on. */
export function step(message: Message, type: DnsType, chain: Chain): Step {
  const { answers, rcode, soa } = message
  const asked = chain.name
  const at = (wanted: DnsType): readonly Resource[] => answers.filter(a => a.type === wanted && a.name === chain.name)
  if (type !== 'CNAME')
    for (;;) {
      const [alias] = at('CNAME')
      if (alias === undefined || at(type).length > 0) break
      chain.follow(alias)
    }
  const canonical = chain.name
  // RFC 6604 §3: the code is about the last name.
  const found = rcode === RCODE.noError ? at(type) : []
  if (found.length > 0) {
    const records = found.map(({ data }) => data).filter(data => data !== undefined)
    if (records.length === 0) throw new DnsError('malformed', `${type} ${canonical}: no record is valid`)
    const ttl = chain.ttl(...found.map(({ ttl }) => ttl))
    return { status: 'found', records: type === 'CNAME' ? records.slice(0, 1) : records, canonical, ttl }
  }
  const no = soa !== undefined && isWithin(canonical, soa.zone) ? soa : undefined
  if (rcode === RCODE.noError && no === undefined && canonical !== asked) return 'further'
  // RFC 2308 §5: without a SOA record it is not kept.
  const ttl = no === undefined ? 0 : chain.ttl(no.ttl, NEGATIVE_TTL_LIMIT)
  return { status: rcode === RCODE.nxDomain ? 'nxdomain' : 'nodata', records: [], canonical, ttl }
}
