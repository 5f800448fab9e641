// Addresses that a stranger's DNS must not make us connect to: this machine, private networks, and what is no host at all.
// IPv4 networks count as well in the forms that IPv6 has for them.
import { BlockList, isIP, isIPv4 } from 'node:net'

/** RFC 6890 and RFC 6598: this host, private, shared, loopback, link-local, multicast, reserved. */
const NETWORKS_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** The same for IPv6, with site-local addresses and those of a local NAT64. */
const NETWORKS_V6 = ['::/127', '64:ff9b:1::/48', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8']

/** Forms of IPv4 addresses in IPv6: the deprecated compatible one (RFC 4291 §2.5.5.1) and NAT64 (RFC 6052). Node knows the mapped one. */
const EMBEDDED = ['::', '64:ff9b::']

export interface Network {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

/** "10.0.0.0/8", "::1/128", or an address alone; undefined when it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more !== undefined || address.includes('%')) return undefined
  const most = version === 4 ? 32 : 128
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most)) return undefined
  return { address, bits: bits === undefined ? most : Number(bits), family: version === 4 ? 'ipv4' : 'ipv6' }
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList()
  for (const { address, bits, family } of networks) list.addSubnet(address, bits, family)
  return list
}

const parsed = (texts: readonly string[]): Network[] => texts.flatMap(text => parseNetwork(text) ?? [])

const PRIVATE = listOf([
  ...parsed(NETWORKS_V4),
  ...parsed(NETWORKS_V6),
  ...parsed(NETWORKS_V4).flatMap(({ address, bits }) =>
    EMBEDDED.map(prefix => ({ address: prefix + address, bits: 96 + bits, family: 'ipv6' as const })),
  ),
])

/** Says why an address must not be connected to; undefined when it may. */
export type Guard = (ip: string) => string | undefined

/** `allowed` networks may be private; `own` addresses are ours, where mail that is not for us would loop. */
export function egressGuard(allowed: readonly Network[], own: readonly string[]): Guard {
  const open = listOf(allowed)
  const ours = listOf(parsed(own))
  return ip => {
    const family = isIPv4(ip) ? 'ipv4' : 'ipv6'
    if (ours.check(ip, family)) return 'is an address of this server'
    return PRIVATE.check(ip, family) && !open.check(ip, family) ? 'is private' : undefined
  }
}
