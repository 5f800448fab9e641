// The demands of all destination policies on one delivery, in one place. Nothing is asked when the message says that TLS does
// not matter (RFC 8689 §4.1) or the recipient gave an address. A policy that fails delays the mail.
import type { DestinationHost, DestinationPolicies, DomainPolicy, HostPolicy } from '@mox/plugin-sdk'
import { type Failure, textOf, trouble } from '../failure.ts'

/** What must be true of a session with a host. */
export interface Demands {
  /** No session without TLS. */
  readonly tls: boolean
  /** WebPKI must verify the certificate. */
  readonly pkix: boolean
  /** Something verifies the host: what REQUIRETLS asks for. */
  readonly verified: boolean
  /** Equal for equal demands. */
  readonly id: string
  readonly serverName?: string
  readonly accept?: (chain: readonly Buffer[]) => string | undefined
}

export interface DeliveryPolicies {
  refuse(host: string): Failure | undefined
  demands(host: Omit<DestinationHost, 'domain'>): Promise<Demands | Failure>
}

const NO_DEMANDS: Demands = { tls: false, pkix: false, verified: false, id: '' }
const NO_POLICIES: DeliveryPolicies = { refuse: () => undefined, demands: async () => NO_DEMANDS }

export interface PolicyQuery {
  readonly domain: string
  readonly literal: boolean
  readonly requireTls: boolean | undefined
  readonly signal: AbortSignal
}

export async function policiesFor(
  sources: readonly DestinationPolicies[],
  { domain, literal, requireTls, signal }: PolicyQuery,
): Promise<DeliveryPolicies | Failure> {
  if (literal || requireTls === false || sources.length === 0) return NO_POLICIES
  const found: { readonly name: string; readonly policy: DomainPolicy }[] = []
  for (const source of sources) {
    try {
      const policy = await source.domain?.({ domain, signal })
      if (policy !== undefined) found.push({ name: source.name, policy })
    } catch (error) {
      return unknown(source, domain, error)
    }
  }
  const pkix = found.some(({ policy }) => policy.pkix)
  return {
    refuse: host => {
      for (const { name, policy } of found) {
        const why = policy.refuse(host)
        if (why !== undefined) return trouble('policy', '4.7.5', `mail is not sent to ${host}: ${why} (${name})`)
      }
      return undefined
    },
    demands: async query => {
      const hosts: HostPolicy[] = []
      for (const source of sources) {
        try {
          const policy = await source.host?.({ ...query, domain })
          if (policy !== undefined) hosts.push(policy)
        } catch (error) {
          return unknown(source, query.host, error)
        }
      }
      return combine(pkix, hosts)
    },
  }
}

function unknown({ name }: DestinationPolicies, of: string, error: unknown): Failure {
  return trouble('policy', '4.7.5', `the ${name} policy of ${of} is not known: ${textOf(error)}`)
}

function combine(pkix: boolean, hosts: readonly HostPolicy[]): Demands {
  if (!pkix && hosts.length === 0) return NO_DEMANDS
  const checks = hosts.flatMap(({ accept }) => (accept === undefined ? [] : [accept]))
  const serverName = hosts.find(host => host.serverName !== undefined)?.serverName
  return {
    tls: true,
    pkix,
    verified: pkix || checks.length > 0,
    id: JSON.stringify(hosts.map(({ id }) => id)),
    ...(serverName === undefined ? {} : { serverName }),
    ...(checks.length === 0 ? {} : { accept: chain => firstProblem(checks, chain) }),
  }
}

function firstProblem(
  checks: readonly ((chain: readonly Buffer[]) => string | undefined)[],
  chain: readonly Buffer[],
): string | undefined {
  for (const check of checks) {
    const problem = check(chain)
    if (problem !== undefined) return problem
  }
  return undefined
}
