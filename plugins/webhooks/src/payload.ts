// The JSON that receivers get, in the form that mox has had from its first version, with fields added that were missing there.
import type { MailEvent } from '@mox/plugin-sdk'
import type { MessageStructure, MessageView, NameAddress } from '@mox/plugin-sdk/mail'

export type Payload = Readonly<Record<string, unknown>>

/** Version of the payloads. */
const VERSION = 0

const time = (ms: number): string => new Date(ms).toISOString()

/** What became of a message that the account sent. `queued`: when the call was made, milliseconds since the epoch. */
export function outgoingPayload(event: MailEvent, queued: number): Payload {
  return {
    Version: VERSION,
    Event: event.kind,
    DSN: event.dsn,
    Suppressing: event.suppressing,
    QueueMsgID: event.queueId,
    FromID: event.fromId,
    MessageID: event.messageIdHeader,
    Subject: event.subject,
    WebhookQueued: time(queued),
    SMTPCode: event.code,
    SMTPEnhancedCode: event.enhanced,
    Error: event.error,
    Extra: event.extra,
    // Not in the first version.
    EventID: event.eventId,
    Sequence: event.sequence,
    Recipient: event.recipient,
    Stream: event.stream,
    Attempt: event.attempt,
    NextAttempt: event.nextAttempt === undefined ? null : time(event.nextAttempt),
    RemoteMTA: event.remoteMta,
  }
}

/** What is known of an incoming message beside its content. */
export interface IncomingMeta {
  readonly MsgID: number
  readonly MailFrom: string
  readonly MailFromValidated: boolean
  readonly MsgFromValidated: boolean
  readonly RcptTo: string
  readonly DKIMVerifiedDomains: readonly string[]
  readonly RemoteIP: string
  readonly Received: string
  readonly MailboxName: string
}

/** A message that came in. */
export function incomingPayload(view: MessageView, automated: boolean): Payload {
  return {
    Version: VERSION,
    From: addresses(view.from),
    To: addresses(view.to),
    CC: addresses(view.cc),
    BCC: addresses(view.bcc),
    ReplyTo: addresses(view.replyTo),
    Subject: view.subject,
    MessageID: view.messageId,
    InReplyTo: view.inReplyTo,
    References: view.references,
    Date: view.date === undefined ? null : time(view.date),
    Text: view.text,
    HTML: view.html,
    Structure: structure(view.structure),
    Meta: { Automated: automated },
  }
}

function addresses(list: readonly NameAddress[]): unknown[] {
  return list.map(({ name, address }) => ({ Name: name, Address: address }))
}

function structure(part: MessageStructure): unknown {
  // Names come from the message: no object with a prototype.
  const params: Record<string, string> = Object.create(null)
  for (const [name, value] of part.contentTypeParams) params[name] = value
  return {
    ContentType: part.contentType,
    ContentTypeParams: params,
    ContentID: part.contentId,
    ContentDisposition: part.contentDisposition,
    Filename: part.filename,
    DecodedSize: part.decodedSize,
    Parts: part.parts.map(structure),
  }
}

/** RFC 3339 for `Received`. */
export const formatTime = time
