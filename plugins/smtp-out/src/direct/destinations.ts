// The hosts that take mail for a domain: RFC 5321 §5.1, RFC 7505. What is wrong with the domain for good is a refusal of
// ours, what DNS cannot say now is trouble.
import { isIP } from 'node:net'
import { type Dns, type DnsAnswer, DnsError, type DnsRecords, type Random } from '@mox/plugin-sdk'
import { isAddressLiteral, parseDomain } from '@mox/plugin-sdk/mail'
import { type Failure, local, textOf, trouble } from '../failure.ts'
import { HOSTS } from '../limits.ts'

type MxRecord = DnsRecords['MX']

export interface Destinations {
  /** Lower-case names, or one IP address for a literal; in the order to try. */
  readonly hosts: readonly [string, ...string[]]
  /** The hosts come from MX records. */
  readonly mx: boolean
  /** The recipient gave an address instead of a name. */
  readonly literal: boolean
  /** DNS said that the name of the domain does not exist. */
  readonly missing: boolean
  readonly authentic: boolean
}

export interface DestinationDeps {
  readonly dns: Dns
  readonly random: Random
  /** Our own names, lower case. */
  readonly ownNames: ReadonlySet<string>
}

/** `domain` is the ASCII domain or address literal of the recipients. */
export async function findDestinations(
  { dns, random, ownNames }: DestinationDeps,
  domain: string,
  signal: AbortSignal,
): Promise<Destinations | Failure> {
  if (isAddressLiteral(domain)) {
    const ip = domain.slice(1, -1).replace(/^IPv6:/i, '')
    if (isIP(ip) === 0)
      return local('dns', 501, '5.1.3', `${domain} is not an address literal that mail can be sent to`)
    return { hosts: [ip], mx: false, literal: true, missing: false, authentic: false }
  }
  if (!parseDomain(domain, { smtputf8: false }).ok)
    return local('dns', 553, '5.1.3', `"${domain}" is not a domain that mail can be sent to`)
  let answer: DnsAnswer<MxRecord>
  try {
    answer = await dns.resolve(domain, 'MX', signal)
  } catch (error) {
    return dnsTrouble(`the hosts of ${domain}`, error)
  }
  const { authentic, canonical, records, status } = answer
  if (status !== 'found') {
    if (ownNames.has(canonical)) return loop(domain)
    // RFC 5321 §5.1: the implicit MX.
    return { hosts: [canonical], mx: false, literal: false, missing: status === 'nxdomain', authentic }
  }
  const [first] = records
  if (records.length === 1 && first?.exchange === '.')
    return local('dns', 556, '5.1.10', `${domain} does not accept email (null MX)`)
  const valid = records.filter(({ exchange }) => isHostName(exchange))
  if (valid.length === 0) return local('dns', 550, '5.4.4', `${domain} has no valid host in its MX records`)
  const [host, ...others] = withoutLoop(inOrder(valid, random), ownNames)
  if (host === undefined) return loop(domain)
  return { hosts: [host, ...others.slice(0, HOSTS - 1)], mx: true, literal: false, missing: false, authentic }
}

/** The failure for a question that DNS has no answer to. `what` is what was to be found. */
export function dnsTrouble(what: string, error: unknown): Failure {
  const why = error instanceof DnsError ? `${error.code}: ${error.message}` : textOf(error)
  return trouble('dns', '4.4.3', `cannot find ${what} in DNS (${why})`)
}

function loop(domain: string): Failure {
  return local('dns', 554, '5.4.6', `mail for ${domain} loops back to this server, which does not take it`)
}

/** Names in use have underscores in them. An address in place of a name ends in a number and is not taken. */
function isHostName(name: string): boolean {
  return !isAddressLiteral(name) && parseDomain(name.replaceAll('_', 'a'), { smtputf8: false }).ok
}

/** By preference, equal ones shuffled; the first of records with the same host. */
function inOrder(records: readonly MxRecord[], random: Random): MxRecord[] {
  const known = new Set<string>()
  return records
    .map(record => ({ record, luck: random.number() }))
    .sort((a, b) => a.record.preference - b.record.preference || a.luck - b.luck)
    .map(({ record }) => record)
    .filter(({ exchange }) => !known.has(exchange) && known.add(exchange))
}

/** RFC 5321 §5.1: neither to ourselves nor to hosts that would send it to us. */
function withoutLoop(records: readonly MxRecord[], ownNames: ReadonlySet<string>): string[] {
  const own = records.find(({ exchange }) => ownNames.has(exchange))
  return records.filter(one => own === undefined || one.preference < own.preference).map(({ exchange }) => exchange)
}
