// report-parser@1: what machines say in mail about mail that we sent. Reports are written by many programs, few of them to
// the letter of the RFCs: the parser takes what can be understood and never throws for what a message says.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { DsnAction } from '../hooks/notify.ts'

/**
 * - `bounce`: a recipient failed. `delay`: one is still tried. `success`: delivered, relayed or expanded.
 * - `complaint`: a recipient called the message spam (RFC 5965).
 * - `auto-reply`: an answer that no person wrote, about nothing that we track.
 * - `none`: no report.
 */
export type ReportKind = 'bounce' | 'delay' | 'success' | 'complaint' | 'auto-reply' | 'none'

/** What it was about, in one word: `recipient` no such user, `domain` no such or no reachable domain, `disabled`, `full`, `size`,
 * `expired`, `network`, `content`, `policy`, `protocol`, or `other`. */
export type ReportCategory =
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

export interface ReportedRecipient {
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
  readonly category: ReportCategory
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
  readonly recipients: readonly ReportedRecipient[]
}

export interface ReportParser {
  /** Reads as much of the message as it needs, within limits of its own. Rejects only when `content` does. */
  parse(content: AsyncIterable<Buffer>): Promise<ParsedReport>
}

export const reportParser: ServiceToken<ReportParser, 'one'> = defineService<ReportParser>('report-parser@1')
