// Loaded certificates and the choice among them by server name (RFC 6066 §3). Replaced as a whole when a file changes, so
// that a handshake never sees half a reload.
import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'

/** One certificate with its key, as read. */
export interface Loaded {
  readonly source: string
  readonly certificate: string
  readonly key: string
}

export interface Described {
  readonly names: readonly string[]
  /** Milliseconds since the epoch. */
  readonly notAfter: number
  readonly source: string
}

export interface CertificateSet {
  /** `tickets: false`: a context that hands out no session tickets. */
  context(serverName: string | undefined, options?: { readonly tickets?: boolean }): SecureContext
  describe(): readonly Described[]
}

/** Throws when a certificate or key does not parse, or the two do not belong together. */
export function certificateSet(loaded: readonly [Loaded, ...Loaded[]]): CertificateSet {
  const described = loaded.map(describe)
  const byName = new Map<string, Loaded[]>()
  for (const [i, item] of loaded.entries())
    for (const name of described[i]!.names) byName.set(name, [...(byName.get(name) ?? []), item])
  // An RSA and an ECDSA certificate for one name share a context; OpenSSL picks by the client hello.
  const contexts = new Map([...byName].map(([name, items]) => [name, contextsOf(items)]))
  const fallback = contexts.get(described[0]!.names[0] ?? '') ?? contextsOf([loaded[0]])
  return {
    context: (serverName, { tickets = true } = {}) => {
      const name = serverName?.toLowerCase().replace(/\.$/, '') ?? ''
      const found = contexts.get(name) ?? contexts.get(`*.${name.slice(name.indexOf('.') + 1)}`) ?? fallback
      return tickets ? found.tickets : found.noTickets
    },
    describe: () => described,
  }
}

interface Contexts {
  readonly tickets: SecureContext
  readonly noTickets: SecureContext
}

function contextsOf(items: readonly Loaded[]): Contexts {
  const options = { minVersion: 'TLSv1.2', key: items.map(i => i.key), cert: items.map(i => i.certificate) } as const
  return {
    tickets: createSecureContext(options),
    noTickets: createSecureContext({ ...options, secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}

function describe(item: Loaded): Described {
  const certificate = new X509Certificate(item.certificate)
  const names = [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(m =>
    m[1]!.toLowerCase(),
  )
  return { names, notAfter: Date.parse(certificate.validTo), source: item.source }
}
