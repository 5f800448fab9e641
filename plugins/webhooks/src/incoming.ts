// The payload of a message that came in. What is known beside the content is written down in the unit of work of the event, with a
// reference to the content, so that nothing is lost when the message is moved, deleted or purged; the payload is made from it
// before the first call.
import type { Log, Mailboxes, MailEvent, Storage, StoredMessage } from '@mox/plugin-sdk'
import { formatAddress, isAutomated, messageView, pathToString, VIEW_OCTETS } from '@mox/plugin-sdk/mail'
import { formatTime, type IncomingMeta, incomingPayload, type Payload } from './payload.ts'

/** What the payload is made from, beside the content. */
export interface IncomingSource {
  /** Fields that stand before the content, base64. */
  readonly prefix: string
  /** What plugins made of the event: its fields stand above those of the message. */
  readonly fields: Payload
  readonly reversePath: string
}

export interface IncomingServices {
  readonly storage: Storage
  readonly mailboxes: Mailboxes | undefined
  readonly log: Log
}

export interface IncomingEvent {
  readonly message: StoredMessage
  readonly source: Omit<IncomingSource, 'fields'>
  /** The payload as far as it is known. */
  readonly payload: Payload
}

/** Undefined when the message is gone already. */
export async function describeIncoming(
  { storage, mailboxes }: IncomingServices,
  event: MailEvent,
): Promise<IncomingEvent | undefined> {
  const id = event.mailboxMessageId
  const message = await storage.messages.get(event.messageId)
  const copy = id === undefined ? undefined : await mailboxes?.message(id)
  if (message === undefined || mailboxes === undefined || copy === undefined) return undefined
  const boxes = await (await mailboxes.store(event.account)).mailboxes()
  const auth = validated(message.facts['auth'])
  const reversePath = message.reversePath === null ? '' : formatAddress(message.reversePath)
  const meta: IncomingMeta = {
    MsgID: copy.id,
    MailFrom: pathToString(message.reversePath),
    MailFromValidated: auth.mailFrom,
    MsgFromValidated: auth.msgFrom,
    RcptTo: event.recipient,
    DKIMVerifiedDomains: auth.dkimDomains,
    RemoteIP: message.remoteIp,
    Received: formatTime(copy.receivedAt),
    MailboxName: boxes.find(box => box.id === copy.mailboxId)?.name ?? '',
  }
  return {
    message,
    source: { prefix: message.prefix.toString('base64'), reversePath },
    payload: { Version: 0, EventID: event.eventId, Event: event.kind, Meta: meta },
  }
}

/** The whole payload as JSON. Reads at most VIEW_OCTETS of the content. */
export async function composeIncoming(storage: Storage, source: IncomingSource, contentId: number): Promise<string> {
  const content = await storage.content.read(contentId, VIEW_OCTETS)
  const view = messageView(Buffer.concat([Buffer.from(source.prefix, 'base64'), content]))
  const payload = incomingPayload(view, isAutomated(view.head, source.reversePath))
  const { Meta, ...fields } = source.fields
  return JSON.stringify({ ...payload, ...fields, Meta: { ...(Meta as object), ...(payload['Meta'] as object) } })
}

/** What the persisted fact "auth" says: { spf: { result }, dmarc: { result }, dkim: [{ result, domain }] }. Without it nothing is validated. */
function validated(fact: unknown): { mailFrom: boolean; msgFrom: boolean; dkimDomains: string[] } {
  const passed = (value: unknown): boolean => field(value, 'result') === 'pass'
  const dkim = field(fact, 'dkim')
  const domains = (Array.isArray(dkim) ? dkim : []).filter(passed).map(one => field(one, 'domain'))
  return {
    mailFrom: passed(field(fact, 'spf')),
    msgFrom: passed(field(fact, 'dmarc')),
    dkimDomains: [...new Set(domains.filter(domain => typeof domain === 'string'))],
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
