// What a report says once it is understood, whoever wrote it and in whatever form.
import type { DsnAction } from '@mox/plugin-sdk'

/**
 * - `bounce`: a recipient failed. `delay`: one is still tried. `success`: delivered, relayed or expanded.
 * - `complaint`: a recipient called the message spam (RFC 5965).
 * - `auto-reply`: an answer that no person wrote, about nothing that we track.
 * - `none`: no report.
 */
export type ReportKind = 'bounce' | 'delay' | 'success' | 'complaint' | 'auto-reply' | 'none'

/** What it was about, in one word: `recipient` no such user, `domain` no such or no reachable domain, `disabled`, `full`, `size`,
 * `expired`, `network`, `content`, `policy`, `protocol`, or `other`. */
export type Category =
  | 'recipient'
  | 'domain'
  | 'disabled'
  | 'full'
  | 'size'
  | 'expired'
  | 'network'
  | 'content'
  | 'policy'
  | 'protocol'
  | 'other'

export interface ParsedRecipient {
  /** "local@domain" as written; '' when the report does not say. */
  readonly finalRecipient: string
  readonly originalRecipient: string
  readonly action: DsnAction | 'complained' | 'unrecognized'
  /** RFC 3463, '' when unknown. */
  readonly status: string
  /** SMTP code that the report quotes, 0 when there is none. */
  readonly code: number
  /** What the server said, or what the reporter thought. */
  readonly diagnostic: string
  readonly remoteMta: string
  readonly category: Category
}

export interface ParsedReport {
  readonly kind: ReportKind
  readonly reportingMta: string
  /** When the message came to the reporter, milliseconds since the epoch; null when unknown. */
  readonly arrivalDate: number | null
  /** What we gave as ENVID (RFC 3461 §4.4). */
  readonly envelopeId: string
  /** Message-ID of the message that it is about, with brackets; '' when it does not say. */
  readonly messageId: string
  /** At most RECIPIENTS. */
  readonly recipients: readonly ParsedRecipient[]
}

/** Recipients read from one report. */
export const RECIPIENTS = 1_000
/** Characters of a Message-ID: RFC 5322 §2.1.1 lines have at most 998. */
export const MESSAGE_ID_LENGTH = 998
/** Characters of an address or a host. */
export const NAME_LENGTH = 512
/** Characters of a diagnostic. */
export const DIAGNOSTIC_LENGTH = 2_000
