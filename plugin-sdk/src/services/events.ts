// events@1: what became of each message, as an ordered log per account that can be read from any point. Webhooks post it,
// the webapi lists it, statistics count it. An event is written in the unit of work that it belongs to, so none is missing.
import { defineService, type ServiceToken } from '../define/service.ts'

/**
 * What happened to an outgoing recipient:
 * - `delivered`: the next hop or the mailbox took it; or a DSN said so later.
 * - `delayed`: an attempt failed and another will follow; or a DSN said so.
 * - `failed`: refused for good, or the schedule ended; or a DSN said so.
 * - `suppressed`: not sent, since a suppression list has the recipient.
 * - `canceled`: dropped by an operator or the sender.
 * - `relayed`, `expanded`: what a DSN said.
 * - `complained`: the recipient called it spam (RFC 5965).
 * - `unsubscribed`: the recipient used one-click unsubscription (RFC 8058).
 * - `unrecognized`: a message came to the sender's unique address that could not be understood.
 *
 * And `incoming`: a message was delivered to a mailbox of the account.
 */
export type EventKind =
  | 'delivered'
  | 'delayed'
  | 'failed'
  | 'suppressed'
  | 'canceled'
  | 'relayed'
  | 'expanded'
  | 'complained'
  | 'unsubscribed'
  | 'unrecognized'
  | 'incoming'

export interface NewEvent {
  readonly account: string
  readonly kind: EventKind
  /** Queue id of the recipient; 0 for `incoming`. */
  readonly queueId: number
  /** Id in the message repository. */
  readonly messageId: number
  /** Id of the stored copy, for `incoming`. */
  readonly mailboxMessageId?: number
  /** Message-ID field with angle brackets, '' when absent. */
  readonly messageIdHeader: string
  readonly subject: string
  /** "local@domain", Unicode. */
  readonly recipient: string
  readonly fromId: string
  readonly stream: string
  readonly extra: Readonly<Record<string, string>>
  /** Caused by a report that came in. */
  readonly dsn: boolean
  /** It put the recipient on a suppression list. */
  readonly suppressing: boolean
  /** SMTP code, 0 without one. */
  readonly code: number
  /** RFC 3463, '' when unknown. */
  readonly enhanced: string
  /** What went wrong, '' when nothing did. */
  readonly error: string
  /** Delivery attempts so far. */
  readonly attempt: number
  /** Host that answered, '' when none did. */
  readonly remoteMta: string
  /** The next attempt of a `delayed` one, milliseconds since the epoch. */
  readonly nextAttempt?: number
  /** Stable id of the cause where it may be reported twice: a second event with the same one is not added. */
  readonly dedupe?: string
}

export interface MailEvent extends Omit<NewEvent, 'dedupe'> {
  /** Grows with each event of the installation: the cursor of the log. */
  readonly id: number
  /** Stable and unguessable. */
  readonly eventId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Counts the events of one recipient from 1. */
  readonly sequence: number
}

export interface EventFilter {
  readonly account?: string
  readonly kinds?: readonly EventKind[]
  readonly queueId?: number
  readonly messageId?: number
  readonly stream?: string
  /** Milliseconds since the epoch, inclusive and exclusive. */
  readonly since?: number
  readonly until?: number
}

export interface Events {
  /** Joins the surrounding unit of work, or is one. Undefined when `dedupe` is known already. */
  add(event: NewEvent): Promise<MailEvent | undefined>
  get(eventId: string): Promise<MailEvent | undefined>
  /** By id; ascending from `after`, or with `descending` from `before` backwards. At most 1,000. */
  list(
    filter: EventFilter,
    page: { readonly limit: number; readonly after?: number; readonly before?: number; readonly descending?: boolean },
  ): Promise<MailEvent[]>
  /** `listener` runs inside the unit of work that adds an event; what it throws undoes that unit. Call it in setup. */
  onAdd(listener: (event: MailEvent) => Promise<void>): void
  /** Calls back after commits that added events of the account; returns how to stop. */
  watch(account: string, listener: () => void): () => void
  /** Events by stream, UTC day and kind. */
  statistics(
    account: string,
    options: { readonly since: number; readonly until: number; readonly stream?: string },
  ): Promise<{ readonly day: string; readonly stream: string; readonly kind: EventKind; readonly count: number }[]>
}

export const events: ServiceToken<Events, 'one'> = defineService<Events>('events@1')
