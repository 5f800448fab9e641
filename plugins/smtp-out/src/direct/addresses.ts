// The addresses of a host and the order to try them in. Families take turns between attempts, because block lists and
// broken networks often know one of them; an address that was tried once is tried again, because greylisting remembers it.
import { isIPv4 } from 'node:net'
import type { Dns, DnsAnswer } from '@mox/plugin-sdk'
import { type Failure, local, trouble } from '../failure.ts'
import { ADDRESSES } from '../limits.ts'
import { dnsTrouble } from './destinations.ts'
import type { Guard } from './networks.ts'

export interface Families {
  readonly ipv4: boolean
  readonly ipv6: boolean
}

export interface HostAddresses {
  /** At most ADDRESSES, in the order to try. */
  readonly addresses: readonly string[]
  /** Both families are there. */
  readonly dualStack: boolean
  readonly canonical: string
  readonly authentic: boolean
}

export interface AddressQuery {
  /** A name or an IP address. */
  readonly host: string
  readonly families: Families
  readonly guard: Guard
  /** Addresses of this host that were connected to before, oldest first. */
  readonly dialed: readonly string[]
  /** The failure when neither family has such a name; default: that the host has no address. */
  readonly unknown?: Failure
}

export async function findAddresses(
  dns: Dns,
  { host, families, guard, dialed, unknown }: AddressQuery,
  signal: AbortSignal,
): Promise<HostAddresses | Failure> {
  let answers: readonly DnsAnswer<string>[]
  try {
    answers = await lookUp(dns, host, families, signal)
  } catch (error) {
    return dnsTrouble(`the addresses of ${host}`, error)
  }
  const found = [...new Set(answers.flatMap(({ records }) => records))]
  if (found.length === 0) {
    const missing = answers.every(({ status }) => status === 'nxdomain')
    return missing && unknown !== undefined ? unknown : trouble('dns', '4.4.4', `${host} has no address`)
  }
  const addresses = found.filter(ip => guard(ip) === undefined)
  const [first = ''] = found
  if (addresses.length === 0)
    return local('policy', 554, '5.4.4', `the address ${first} of ${host} ${guard(first)}; mail is not sent there`)
  const canonical = answers.find(({ status }) => status === 'found')?.canonical ?? host
  return {
    addresses: orderAddresses(addresses, dialed).slice(0, ADDRESSES),
    dualStack: addresses.some(isIPv4) && !addresses.every(isIPv4),
    canonical,
    authentic: answers.every(answer => answer.authentic),
  }
}

/** IPv4 first, as most servers have a good name there. One family's trouble does not matter when the other is known. */
async function lookUp(
  dns: Dns,
  host: string,
  { ipv4, ipv6 }: Families,
  signal: AbortSignal,
): Promise<readonly DnsAnswer<string>[]> {
  const isAddress = isIPv4(host) || host.includes(':')
  if (isAddress) {
    const wanted = isIPv4(host) ? ipv4 : ipv6
    return [
      { status: wanted ? 'found' : 'nodata', records: wanted ? [host] : [], canonical: host, authentic: false, ttl: 0 },
    ]
  }
  const settled = await Promise.allSettled([
    ...(ipv4 ? [dns.resolve(host, 'A', signal)] : []),
    ...(ipv6 ? [dns.resolve(host, 'AAAA', signal)] : []),
  ])
  const answers = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find(one => one.status === 'rejected')
  if (failed !== undefined && !answers.some(({ status }) => status === 'found')) throw failed.reason
  return answers
}

/**
 * The family that was not used most recently comes first. Within the one that was, its address comes first if it was used
 * exactly once. Otherwise as given.
 */
export function orderAddresses(addresses: readonly string[], dialed: readonly string[]): string[] {
  const last = dialed.at(-1)
  if (last === undefined) return [...addresses]
  const recent = isIPv4(last)
  const inFamily = dialed.filter(ip => isIPv4(ip) === recent)
  const again = inFamily.length === 1 ? last : undefined
  const rank = (ip: string): number => (isIPv4(ip) !== recent ? 0 : ip === again ? 1 : 2)
  return [...addresses].sort((a, b) => rank(a) - rank(b))
}
