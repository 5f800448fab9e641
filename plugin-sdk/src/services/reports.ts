// report-parser@1: what machines say in mail about mail that we sent. Reports are written by many programs, few of them to
// the letter of the RFCs: the parser takes what can be understood and never throws for what a message says.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { DsnAction, DsnEvent } from '../hooks/notify.ts'

/** What a delivery report says about one recipient: RFC 3464 §2.3. */
export interface ReportedRecipient extends Omit<DsnEvent, 'action'> {
  readonly action: DsnAction
  /** "local@domain" without the type; '' when absent or unreadable. */
  readonly finalRecipient: string
  readonly originalRecipient: string
}

/**
 * - `delivery`: RFC 3464. One entry for each recipient that could be understood.
 * - `complaint`: RFC 5965, a recipient called the message spam.
 * - `none`: no report, or none that can be read.
 */
export type ParsedReport =
  | {
      readonly kind: 'delivery'
      /** RFC 3464 §2.2.1, '' when absent. */
      readonly envid: string
      /** Message-ID of the message it is about, with angle brackets, '' when it is not returned. */
      readonly messageIdHeader: string
      readonly recipients: readonly ReportedRecipient[]
    }
  | {
      readonly kind: 'complaint'
      /** RFC 5965 §3.1: "abuse", "fraud", "not-spam"…, in lower case. */
      readonly feedbackType: string
      readonly messageIdHeader: string
      /** Original-Rcpt-To, as far as they are given. */
      readonly recipients: readonly string[]
    }
  | { readonly kind: 'none' }

export interface ReportParser {
  /** Reads as much of the message as it needs, within its own limits of size and time. */
  parse(content: AsyncIterable<Buffer>): Promise<ParsedReport>
}

export const reportParser: ServiceToken<ReportParser, 'one'> = defineService<ReportParser>('report-parser@1')
