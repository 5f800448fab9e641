// Our own fields in front of a message: RFC 5321 §4.4 trace fields, and for submissions what the client left out.
// The id in Received is opaque to the outside; the log ties it to the message.
import type { SessionInfo } from '@mox/plugin-sdk'
import {
  formatAddress,
  formatDate,
  formatField,
  formatReceived,
  formatReturnPath,
  type Head,
  type Path,
  receivedProtocol,
} from '@mox/plugin-sdk/mail'

export interface TraceInput {
  readonly info: SessionInfo
  /** Opaque. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly smtputf8: boolean
  readonly requireTls: boolean
}

/** RFC 3848 `with`; HTTP and the like have no registered keyword and are left out. */
function protocol({ info, smtputf8 }: TraceInput): { protocol?: string } {
  if (info.protocol !== 'SMTP' && info.protocol !== 'ESMTP') return {}
  const extended = info.protocol === 'ESMTP'
  const tls = info.tls !== undefined
  return { protocol: receivedProtocol({ extended, smtputf8, tls, authenticated: info.account !== undefined }) }
}

/**
 * Received. Delivery names the peer; submission hides the client behind our own name. `recipient` is left out when the
 * same bytes go to several recipients (RFC 5321 §7.2).
 */
export function receivedField(input: TraceInput, recipient: Path | undefined): string {
  const { info, id, at } = input
  const delivery = info.kind === 'delivery'
  return formatReceived({
    helo: delivery ? info.helo : info.hostname,
    ...(delivery ? { remoteIp: info.remoteIp } : {}),
    by: info.hostname,
    ...(delivery ? { localIp: info.localIp } : {}),
    ...protocol(input),
    id,
    ...(info.tls === undefined ? {} : { tls: info.tls }),
    ...(input.requireTls ? { requireTls: true } : {}),
    ...(recipient === undefined ? {} : { recipient }),
    at,
  })
}

/** What stands in front of one recipient's copy, before Received. */
export function deliveryFields(recipient: Path, reversePath: Path | null): string {
  return formatField('Delivered-To', formatAddress(recipient)) + formatReturnPath(reversePath)
}

/** RFC 6409 §8.1, §8.2: Date and Message-ID, where the message has none. */
export function missingFields(head: Head, at: number, messageId: string): string {
  const date = head.count('date') > 0 ? '' : formatField('Date', formatDate(at))
  return head.count('message-id') > 0 ? date : date + formatField('Message-ID', messageId)
}
