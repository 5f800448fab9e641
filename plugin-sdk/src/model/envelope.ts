// The envelope of a message: RFC 5321 §2.3.1 with the parameters of the extensions we speak.
import type { Path } from '../mail/address.ts'

/** Parameters of MAIL FROM that matter after the session. */
export interface MailParameters {
  /** Declared size in bytes (RFC 1870). */
  readonly size?: number
  readonly body?: '7BIT' | '8BITMIME'
  readonly smtputf8?: boolean
  /** RFC 8689: refuse to send on without verified TLS. */
  readonly requireTls?: boolean
  /** RFC 3461 §4.3: how much of the message a DSN returns. */
  readonly ret?: 'FULL' | 'HDRS'
  /** RFC 3461 §4.4, decoded from xtext; at most 100 characters. */
  readonly envid?: string
  /** RFC 4865: not before this time, milliseconds since the epoch. */
  readonly holdUntil?: number
  /** "for;<seconds>" or "until;<utc time>", as DSNs echo it. */
  readonly futureReleaseRequest?: string
}

/** RFC 3461 §4.1: when the sender wants a DSN. An empty set means NOTIFY=NEVER; undefined means not given. */
export type Notify = 'success' | 'failure' | 'delay'

/** Parameters of RCPT TO. */
export interface RcptParameters {
  readonly notify?: readonly Notify[]
  /** "rfc822;user@example.org", decoded from xtext. */
  readonly orcpt?: string
}

/** One accepted RCPT TO. */
export interface EnvelopeRecipient extends RcptParameters {
  readonly path: Path
}

export interface Envelope extends MailParameters {
  /** Null for `<>`. */
  readonly reversePath: Path | null
  readonly recipients: readonly EnvelopeRecipient[]
}
