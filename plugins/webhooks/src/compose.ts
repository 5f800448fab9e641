// From an event to calls: one for each endpoint that wants it, in the unit of work of the event, after plugins had their say
// (onWebhook.compose). What they skip makes no call.
import type { Clock, HookRunner, MailEvent, Retired, Storage, WebhookEvent } from '@mox/plugin-sdk'
import type { Calls, NewCall } from './calls.ts'
import { describeIncoming, type IncomingEvent, type IncomingServices, type IncomingSource } from './incoming.ts'
import { outgoingPayload } from './payload.ts'
import type { Endpoint, Registry } from './registry.ts'

export interface ComposeServices extends IncomingServices {
  readonly clock: Clock
  readonly hooks: HookRunner
  readonly registry: Registry
  readonly calls: Calls
}

/** Channel on which lanes are woken. */
export const LANES = 'webhooks.lanes'

/** Handlers run inside the transaction and wait for nothing: there is nothing to abort. */
const NEVER = new AbortController().signal

/** The listener of events@1. */
export async function eventAdded(services: ComposeServices, event: MailEvent): Promise<void> {
  const endpoints = services.registry.matching(event.account, event.kind)
  if (endpoints.length > 0) await addCalls(services, event, endpoints)
}

/** Inside a unit of work. Returns how many calls there are. */
export async function addCalls(
  services: ComposeServices,
  event: MailEvent,
  endpoints: readonly Endpoint[],
): Promise<number> {
  const { storage, calls, clock } = services
  const now = clock.now()
  const incoming = event.kind === 'incoming' ? await describeIncoming(services, event) : undefined
  if (event.kind === 'incoming' && incoming === undefined) {
    services.log.warn({ eventId: event.eventId }, 'no webhook for an incoming message that is gone')
    return 0
  }
  const payload = incoming?.payload ?? outgoingPayload(event, now)
  const draft = await shape(services, event, {
    eventId: event.eventId,
    event: event.kind,
    account: event.account,
    payload,
  })
  if (draft === undefined) return 0
  for (const { account, name, lane } of endpoints) {
    const call: NewCall = {
      ...{ lane, account, endpoint: name, event_id: event.eventId, event: event.kind, queue_id: event.queueId },
      ...{ from_id: event.fromId, message_id_header: event.messageIdHeader, subject: event.subject },
      ...{ submitted: now, attempts: 0, due: now, lease: 0, results: '[]' },
      ...{ ended_at: null, success: 0, note: '', keep_until: 0 },
      ...(incoming === undefined
        ? { payload: JSON.stringify(draft.payload), source: null, content_id: null }
        : await laterPayload(storage, incoming, draft)),
    }
    await calls.add(call)
    storage.notify(LANES, lane)
  }
  return endpoints.length
}

/** The content is kept until the payload has been made from it. */
async function laterPayload(
  storage: Storage,
  { message, source }: IncomingEvent,
  draft: WebhookEvent,
): Promise<Pick<NewCall, 'payload' | 'source' | 'content_id'>> {
  await storage.content.retain(message.contentId)
  const all: IncomingSource = { ...source, fields: draft.payload }
  return { payload: '', source: JSON.stringify(all), content_id: message.contentId }
}

/** Undefined when a plugin skips it. */
async function shape(
  { hooks, storage }: ComposeServices,
  event: MailEvent,
  draft: WebhookEvent,
): Promise<WebhookEvent | undefined> {
  if (!hooks.has('onWebhook.compose')) return draft
  const retired: Retired | undefined = event.queueId > 0 ? await storage.history.get(event.queueId) : undefined
  const facts = (await storage.messages.get(event.messageId))?.facts ?? {}
  const shaped = await hooks.shape(
    'onWebhook.compose',
    { draft, ...(retired === undefined ? {} : { retired }) },
    { signal: NEVER, facts, recipient: event.recipient },
  )
  if (shaped.verdict.kind === 'skip') return undefined
  const named = shaped.draft.event === draft.event ? {} : { Event: shaped.draft.event }
  return { ...shaped.draft, payload: { ...shaped.draft.payload, ...named } }
}
