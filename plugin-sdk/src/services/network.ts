// Services that face the network: certificates, DNS answers, HTTP routes.
import type { SecureContext } from 'node:tls'
import type { Middleware } from 'koa'
import { defineService, type ServiceToken } from '../define/service.ts'

export interface Certificates {
  /**
   * The context for a server name; for none or an unknown one, the default. `tickets: false` asks for one that hands out
   * no session tickets.
   */
  context(serverName: string | undefined, options?: { readonly tickets?: boolean }): SecureContext
  /** What is loaded, for `mox config show` and start-up lines. */
  describe(): readonly { readonly names: readonly string[]; readonly notAfter: number; readonly source: string }[]
}

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

export const certificates: ServiceToken<Certificates, 'one'> = defineService<Certificates>('certificates@1')
export const dns: ServiceToken<Dns, 'one'> = defineService<Dns>('dns@1')
export const routes: ServiceToken<HttpRoutes, 'many'> = defineService<HttpRoutes, 'many'>('routes@1', 'many')
