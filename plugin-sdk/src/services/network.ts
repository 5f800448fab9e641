// Services that face the network: certificates, DNS answers, demands on deliveries, HTTP routes.
import type { SecureContext } from 'node:tls'
import type { Middleware } from 'koa'
import { defineService, type ServiceToken } from '../define/service.ts'

/** TLS contexts, kept up to date while the server runs: ask anew for each connection. */
export interface Certificates {
  /**
   * The context for a server name; for none or an unknown one, the default. `tickets: false` asks for one that hands out
   * no session tickets.
   */
  context(serverName: string | undefined, options?: { readonly tickets?: boolean }): SecureContext
  /** What is loaded, for `mox config show` and start-up lines. */
  describe(): readonly { readonly names: readonly string[]; readonly notAfter: number; readonly source: string }[]
}

/** Record types that can be asked for. */
export type DnsType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME' | 'PTR' | 'NS' | 'SOA' | 'TLSA' | 'SRV'

/**
 * - `found`: records of the asked type.
 * - `nodata`: the name exists, without records of the type.
 * - `nxdomain`: the name does not exist.
 */
export interface DnsAnswer<R = unknown> {
  readonly status: 'found' | 'nodata' | 'nxdomain'
  readonly records: readonly R[]
  /** The name that has the records: the asked one, or where its CNAMEs led. Lower case, no dot at the end. */
  readonly canonical: string
  /** Validated by a resolver that we trust (AD bit); for the whole chain of CNAMEs. */
  readonly authentic: boolean
  /** Seconds. */
  readonly ttl: number
}

/** A record of each type. */
export interface DnsRecords {
  readonly A: string
  readonly AAAA: string
  readonly MX: { readonly preference: number; readonly exchange: string }
  readonly TXT: string
  readonly CNAME: string
  readonly PTR: string
  readonly NS: string
  readonly SOA: { readonly mname: string; readonly serial: number; readonly minimum: number }
  readonly TLSA: {
    readonly usage: number
    readonly selector: number
    readonly matchingType: number
    readonly data: Buffer
  }
  readonly SRV: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
}

/** A resolver with a cache. */
export interface Dns {
  /**
   * Asks for absolute names (a dot at the end changes nothing; no search list). Follows CNAMEs, except when asked for CNAME
   * itself, which gives exactly one step. Names in records are lower case A-labels without a dot at the end; the root is ".".
   * Throws a DnsError when there is no usable answer, and the signal's reason when it aborts.
   */
  resolve<T extends DnsType>(name: string, type: T, signal?: AbortSignal): Promise<DnsAnswer<DnsRecords[T]>>
}

/**
 * - `timeout`: no server answered in time.
 * - `servfail`: servers said they could not; with `extended` they said why.
 * - `malformed`: answers that cannot be read, or a loop of CNAMEs.
 * - `refused`: servers do not answer us.
 */
export type DnsFailureCode = 'timeout' | 'servfail' | 'malformed' | 'refused'

/** No usable answer: temporary by nature. */
export class DnsError extends Error {
  override readonly name = 'DnsError'
  readonly code: DnsFailureCode
  /** Extended DNS Error (RFC 8914): info code and text. Codes 1, 2 and 5–12 are failures of DNSSEC validation. */
  readonly extended?: { readonly code: number; readonly text: string }
  constructor(code: DnsFailureCode, message: string, extended?: { readonly code: number; readonly text: string }) {
    super(message)
    this.code = code
    if (extended !== undefined) this.extended = extended
  }
}

/** A recipient domain that mail is about to go to. */
export interface DestinationDomain {
  /** Lower-case A-labels: the domain of the recipient, never where a CNAME led (RFC 8461 §3.2). */
  readonly domain: string
  readonly signal: AbortSignal
}

/** One of the domain's hosts, before a connection is made. */
export interface DestinationHost extends DestinationDomain {
  /** As the MX record says; without one, the domain or where its CNAMEs led. */
  readonly host: string
  /** Where the host's own CNAMEs led; `host` without any. */
  readonly canonical: string
  readonly port: number
  /** Whether the host comes from an MX record. */
  readonly mx: boolean
  /** All answers that led from the domain to the host were DNSSEC-validated. */
  readonly domainAuthentic: boolean
  /** All answers that led from the host to its addresses were DNSSEC-validated. */
  readonly hostAuthentic: boolean
}

/** What a recipient domain demands of every session that takes mail for it. */
export interface DomainPolicy {
  /** Why mail must not go to this host: text for the sender. Undefined: it may. */
  refuse(host: string): string | undefined
  /** No session without TLS and a certificate that WebPKI verifies for the host's name. */
  readonly pkix: boolean
}

/** What one host demands: no session without TLS. */
export interface HostPolicy {
  /** Equal for policies that accept the same certificates, so that sessions can be shared: "dane 3 1 1 2bb1…". */
  readonly id: string
  /** The name to ask for (SNI). Default: the host's. */
  readonly serverName?: string
  /**
   * Asked with the certificate chain as DER, leaf first: text when it is not acceptable. Counts as verification of the host
   * for REQUIRETLS. Absent: any certificate will do.
   */
  readonly accept?: (chain: readonly Buffer[]) => string | undefined
}

/**
 * A source of demands on deliveries to MX hosts, such as MTA-STS (domains) and DANE (hosts). Demands of several add up. A
 * throw delays the mail: the error's text becomes that of the attempt. Not asked for address literals, for relays, and for
 * messages that say "TLS-Required: No" (RFC 8689 §4.1).
 */
export interface DestinationPolicies {
  /** For logs and errors: "mta-sts". */
  readonly name: string
  /** Asked once in each attempt. Undefined: nothing is demanded. */
  domain?(query: DestinationDomain): Promise<DomainPolicy | undefined>
  /** Asked for each host that is tried, when its addresses are known. Undefined: nothing is demanded. */
  host?(query: DestinationHost): Promise<HostPolicy | undefined>
}

/** Which listeners serve it: the world, loopback and private networks, administrators, or the metrics port. */
export type Audience = 'public' | 'internal' | 'admin' | 'metrics'

/** One part of the URL space. The longest matching prefix gets the request; what it does not answer is 404. */
export interface HttpRoutes {
  /** "/" or "/name/". */
  readonly prefix: string
  readonly audience: Audience
  /** Shown on start and in `mox config show`. */
  readonly title: string
  readonly middleware: Middleware
  /** Bytes a request body may have; default 1 MiB. Larger is 413. */
  readonly maxBody?: number
  /** Replaces the default Content-Security-Policy for its responses. */
  readonly contentSecurityPolicy?: string
}

/** TLS for listeners. */
export const certificates: ServiceToken<Certificates, 'one'> = defineService<Certificates>('certificates@1')
/** Answers from the DNS, and whether they are authentic. */
export const dns: ServiceToken<Dns, 'one'> = defineService<Dns>('dns@1')
/** Demands on deliveries, such as MTA-STS and DANE: all of them hold. */
export const destinationPolicies: ServiceToken<DestinationPolicies, 'many'> = defineService<
  DestinationPolicies,
  'many'
>('destination-policies@1', 'many')
/** Parts of the URL space that plugins serve. */
export const routes: ServiceToken<HttpRoutes, 'many'> = defineService<HttpRoutes, 'many'>('routes@1', 'many')
