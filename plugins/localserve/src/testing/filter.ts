// What a test looks for among messages and events. All that is given must hold.
import type { EventKind, MailEvent } from '@mox/plugin-sdk'
import type { MessageDetail, MessageSummary, RecipientState } from '../api-types.ts'

export interface MessageFilter {
  /** Part of a recipient's address, in any case. */
  readonly to?: string
  /** Part of the envelope sender, in any case. */
  readonly from?: string
  /** Part of the subject, in any case, or a pattern. */
  readonly subject?: string | RegExp
  /** Part of the text or the HTML, or a pattern. */
  readonly text?: string | RegExp
  /** `submission`: sent by a user of the server; `delivery`: came in as from another server. */
  readonly kind?: 'submission' | 'delivery'
  /** A recipient (one of `to`, where that is given) is in this state: "delivered", "failed". */
  readonly state?: RecipientState
  /** Only messages with a higher id. */
  readonly after?: number
  readonly where?: (message: MessageDetail) => boolean
}

export interface EventFilter {
  readonly kind?: EventKind
  /** Part of the recipient's address, in any case. */
  readonly recipient?: string
  readonly messageId?: number
  readonly queueId?: number
  readonly where?: (event: MailEvent) => boolean
}

/** What can be seen in the list; the rest needs the message itself. */
export function mayMatch(summary: MessageSummary, { subject, kind, state }: MessageFilter): boolean {
  if (subject instanceof RegExp && !has(summary.subject, subject)) return false
  if (kind !== undefined && summary.kind !== kind) return false
  return state === undefined || (summary.states[state] ?? 0) > 0
}

export function matches(message: MessageDetail, { to = '', text, state, where }: MessageFilter): boolean {
  if (text !== undefined && !has(message.text ?? '', text) && !has(message.html ?? '', text)) return false
  const meant = message.recipientDetails.filter(({ address }) => has(address, to))
  if (state !== undefined && !meant.some(recipient => recipient.state === state)) return false
  return where === undefined || where(message)
}

export function matchesEvent(event: MailEvent, { kind, recipient, messageId, queueId, where }: EventFilter): boolean {
  if (kind !== undefined && event.kind !== kind) return false
  if (recipient !== undefined && !has(event.recipient, recipient)) return false
  if (messageId !== undefined && event.messageId !== messageId) return false
  if (queueId !== undefined && event.queueId !== queueId) return false
  return where === undefined || where(event)
}

function has(value: string, wanted: string | RegExp): boolean {
  // A pattern with the flag g would go on where it ended the last time.
  if (wanted instanceof RegExp) return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, '')).test(value)
  return value.toLowerCase().includes(wanted.toLowerCase())
}
