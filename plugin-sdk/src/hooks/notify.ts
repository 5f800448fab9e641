// onDSN.*, onWebhook.*, onReport.*: what is told to the outside about a message, and what the outside tells us.
import type { Head } from '../mail/header.ts'
import type { Attempt, Retired } from '../model/job.ts'
import type { Accept, Draft, Match, Pass, Patch, Skip, Withhold } from './verdicts.ts'

/** RFC 3464 §2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** The human-readable part of a DSN about one message and one or more of its recipients. */
export interface DsnDraft {
  readonly subject: string
  readonly text: string
  readonly language: string
}

/** A DSN that is about to be sent, with what people will read in it. */
export interface DsnComposeInput {
  readonly draft: DsnDraft
  /** Of the first recipient; only kinds of success are mixed in one DSN. */
  readonly action: DsnAction
  /** Id of the message that the DSN is about. */
  readonly messageId: number
  /** The account that gets it; '' when it goes to another server. */
  readonly account: string
  /** `queueId` is 0 for mail from outside that was filed at once. */
  readonly recipients: readonly {
    readonly queueId: number
    readonly address: string
    readonly action: DsnAction
    readonly attempt?: Attempt
  }[]
}

/** What a report says of one recipient. */
export interface DsnEvent {
  readonly action: DsnAction | 'complained' | 'unrecognized'
  /** SMTP code, 0 when the report has none. */
  readonly code: number
  readonly enhanced: string
  readonly text: string
  /** Host that the report names, if any. */
  readonly remoteMta?: string
}

/** A message that came in for one of our addresses; is it a report about something we sent? */
export interface DsnMatchInput {
  readonly messageId: number
  readonly recipient: string
  readonly account: string
  readonly head: Head
  content(): AsyncIterable<Buffer>
}

/** A report that came in was matched to a recipient of ours; after the history was updated. */
export interface DsnDone {
  /** In the queue or the history. */
  readonly queueId: number
  readonly account: string
  readonly event: DsnEvent
  /** Id of the report in the message repository. */
  readonly reportId: number
  /** What it was matched by: "fromid", "envid", "message-id". */
  readonly matchedBy: string
}

/** An event that is to be posted. */
export interface WebhookEvent {
  /** Stable: the same when the event is sent again. */
  readonly eventId: string
  readonly event: string
  readonly account: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** An event before it is stored for posting, inside the transaction that it belongs to. */
export interface WebhookComposeInput {
  readonly draft: WebhookEvent
  readonly retired?: Retired
}

/** An HTTP request before it is posted. */
export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One try to post an event; `attempt` counts from 1. */
export interface WebhookSendInput {
  readonly draft: WebhookRequest
  readonly eventId: string
  readonly attempt: number
}

/** A report to send, as one attachment. */
export interface ReportDraft {
  readonly recipients: readonly string[]
  readonly subject: string
  readonly filename: string
  readonly contentType: string
  readonly body: Buffer
}

/** A reporting period that ended. */
export interface ReportDueInput {
  readonly report: string
  readonly domain: string
  readonly since: number
  readonly until: number
}

export type ReportReceivedInput = DsnMatchInput
export type DsnComposeVerdict = Pass | Patch<DsnDraft> | Withhold
export type DsnMatchVerdict = Pass | Match<DsnEvent>
export type WebhookComposeVerdict = Pass | Patch<WebhookEvent> | Skip
export type WebhookSendVerdict = Pass | Patch<WebhookRequest> | Skip
export type ReportDueVerdict = Pass | Draft<ReportDraft>
export type ReportReceivedVerdict = Pass | Accept<Readonly<Record<string, unknown>>>
