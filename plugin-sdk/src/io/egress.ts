// Which addresses a request to a URL of somebody else may go to: the public internet, and networks that the operator allows.
// The check is made on the address that is connected to, so a name that changes its answer between check and use gains nothing.
import { lookup as systemLookup } from 'node:dns/promises'
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net'

/** Not for the public (IANA special-purpose registries). */
const PRIVATE_V4: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]
/** Of IPv6 only global unicast is public, without what carries other addresses in it or is for documents. */
const GLOBAL_V6 = '2000::/3'
const PRIVATE_V6: readonly string[] = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** "10.0.0.0/8", "fd00::/8", or one address; undefined for anything else. */
export function parseNetwork(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined
  const most = version === 4 ? 32 : 128
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined
  const prefix = length === undefined ? most : Number(length)
  return prefix > most ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

function networks(texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const parsed = parseNetwork(text)
    if (parsed === undefined) throw new TypeError(`${text} is no network`)
    list.addSubnet(parsed.address, parsed.prefix, parsed.family)
  }
  return list
}

const privateV4 = networks(PRIVATE_V4)
const globalV6 = networks([GLOBAL_V6])
const privateV6 = networks(PRIVATE_V6)

export interface Address {
  readonly address: string
  readonly family: number
}

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>

const resolveBySystem: Resolve = hostname => systemLookup(hostname, { all: true })

/** An address that nothing may be sent to. */
export class EgressError extends Error {
  override readonly name = 'EgressError'
}

export class Egress {
  readonly #allowed: BlockList
  readonly #resolve: Resolve
  readonly #hint: string

  /**
   * `allowed`: networks that may be posted to although they are not public. `hint`: what the operator can do, after
   * "10.0.0.1 is not a public address".
   */
  constructor(
    allowed: readonly string[],
    { resolve = resolveBySystem, hint = '' }: { readonly resolve?: Resolve; readonly hint?: string } = {},
  ) {
    this.#allowed = networks(allowed)
    this.#hint = hint
    this.#resolve = resolve
  }

  permits(address: string): boolean {
    if (isIPv4(address)) return this.#allowed.check(address, 'ipv4') || !privateV4.check(address, 'ipv4')
    if (isIP(address) !== 6 || address.includes('%')) return false
    // "::ffff:127.0.0.1" reaches 127.0.0.1.
    const mapped = mappedV4(address)
    if (mapped !== undefined) return this.permits(mapped)
    if (this.#allowed.check(address, 'ipv6')) return true
    return globalV6.check(address, 'ipv6') && !privateV6.check(address, 'ipv6')
  }

  /** Throws an EgressError for a URL whose host is a forbidden address. A name is judged when it is connected to. */
  checkHost(hostname: string): void {
    const literal = hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !this.permits(literal)) throw this.#forbidden(literal)
  }

  /** All addresses of a name that may be connected to. */
  async lookup(hostname: string): Promise<readonly Address[]> {
    const found = await this.#resolve(hostname)
    const permitted = found.filter(({ address }) => this.permits(address))
    if (permitted.length === 0) throw this.#forbidden(found[0]?.address ?? hostname)
    return permitted
  }

  /** `lookup` of node:http and node:net. */
  readonly socketLookup: LookupFunction = (hostname, { all }, callback) => {
    this.lookup(hostname).then(
      found => {
        const [first] = found
        if (all) callback(null, [...found])
        else callback(null, first?.address ?? '', first?.family)
      },
      error => callback(error, ''),
    )
  }

  #forbidden(address: string): EgressError {
    return new EgressError(`${address} is not a public address${this.#hint}`)
  }
}

/** The IPv4 address in an IPv4-mapped one, in whatever form it is written. */
function mappedV4(address: string): string | undefined {
  // The URL parser writes every IPv6 address in one way: "::ffff:7f00:1".
  const host = URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`).hostname : ''
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host)
  if (match === null) return undefined
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)]
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}
