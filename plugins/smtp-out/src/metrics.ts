// The counters of outgoing connections. Labels come from fixed sets and from the names of configured transports.
import type { Metrics } from '@mox/plugin-sdk'

export interface OutMetrics {
  /** One attempt to connect to one address. */
  connection(result: 'ok' | 'timeout' | 'canceled' | 'error'): void
  /** A message went over a connection that was there. */
  reused(): void
  /** The hosts of a domain were found. */
  destination(authentic: boolean): void
  plaintextFallback(): void
  /** A host was not used for a message with REQUIRETLS. */
  requireTlsUnsupported(reason: 'nopolicy' | 'norequiretls'): void
  relayError(transport: string): void
}

export function outMetrics(metrics: Metrics): OutMetrics {
  const connections = metrics.counter('mox_queue_connection_total', 'Outgoing connections by result.')
  const reused = metrics.counter('mox_queue_connection_reused_total', 'Messages sent over a connection that was open.')
  const found = metrics.counter(
    'mox_queue_destinations_total',
    'Times that the hosts of a recipient domain were found.',
  )
  const authentic = metrics.counter('mox_queue_destinations_authentic_total', 'The same, when DNSSEC protected them.')
  const fallback = metrics.counter('mox_queue_plaintext_fallback_total', 'Deliveries without TLS because TLS failed.')
  const unsupported = metrics.counter(
    'mox_queue_requiretls_unsupported_total',
    'Hosts not used for a message with REQUIRETLS, by reason.',
  )
  const relays = metrics.counter(
    'mox_queue_relay_errors_total',
    'Attempts that failed because of a relay, by transport.',
  )
  return {
    connection: result => connections.inc({ result }),
    reused: () => reused.inc(),
    destination: secure => {
      found.inc()
      if (secure) authentic.inc()
    },
    plaintextFallback: () => fallback.inc(),
    requireTlsUnsupported: reason => unsupported.inc({ reason }),
    relayError: transport => relays.inc({ transport }),
  }
}
