// What was sent, and where each recipient stands: list, one message, cancel, reschedule. Only the caller's own messages.
import type { Attempt, Clock, Job, QueueControl, Retired, Storage, StoredMessage } from '@mox/plugin-sdk'
import { formatAddress, pathToString } from '@mox/plugin-sdk/mail'
import { MAX_FUTURE_RELEASE, MAX_RECIPIENTS } from '../limits.ts'
import type { Records } from '../records.ts'
import { ApiError } from '../send/error.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { Problem } from './problem.ts'
import * as schemas from './schemas.ts'

export interface MessageParts {
  readonly storage: Storage
  readonly records: Records
  readonly queueControl: QueueControl
  readonly clock: Clock
}

const DEFAULT_PAGE = 100

export function messageEndpoints({ storage, records, queueControl, clock }: MessageParts): readonly Endpoint[] {
  const find = async (account: string, text: string | undefined): Promise<StoredMessage> => {
    const id = /^[1-9]\d{0,14}$/.test(text ?? '') ? Number(text) : undefined
    const message = id === undefined ? undefined : await storage.messages.get(id)
    if (message === undefined || message.kind !== 'submission' || message.account !== account)
      throw new Problem('notFound', 'there is no such message of this account')
    return message
  }
  return [
    endpoint('GET /messages', 'listMessages', {
      summary: 'Messages sent over HTTP, newest first.',
      permission: 'messages:read',
      query: schemas.messagesQuery,
      response: schemas.messagesResponse,
      run: async ({ caller, query }) => {
        const { limit = DEFAULT_PAGE, before, since, until, messageId, ...rest } = query
        const rows = await records.list(
          defined({
            ...{ account: caller.account, headerId: messageId, ...rest },
            ...{
              since: since === undefined ? undefined : Date.parse(since),
              until: until === undefined ? undefined : Date.parse(until),
            },
          }),
          { limit: limit + 1, ...(before === undefined ? {} : { before }) },
        )
        const shown = rows.slice(0, limit)
        const messages = shown.map(row => ({
          ...{
            id: Number(row.message_id),
            messageId: row.header_id,
            sentAt: iso(Number(row.sent_at)),
            from: row.sender,
          },
          ...{ to: row.recipients.split(' '), subject: row.subject, stream: row.stream, recipients: row.count },
        }))
        return { body: { messages, next: rows.length > limit ? (messages.at(-1)?.id ?? null) : null } }
      },
    }),
    endpoint('GET /messages/:id', 'getMessage', {
      summary: 'One message with the state and the attempts of each recipient.',
      permission: 'messages:read',
      response: schemas.messageResponse,
      run: async ({ caller, params }) => {
        const message = await find(caller.account, params['id'])
        const filter = { messageId: message.id, account: caller.account }
        const page = { limit: MAX_RECIPIENTS }
        const queued = await storage.queue.list(filter, page)
        const retired = await storage.history.list(filter, page)
        const now = clock.now()
        const all = [...queued, ...retired].sort((a, b) => a.id - b.id)
        const recipients = all.map(job => showRecipient(job, now))
        return {
          body: {
            ...{ id: message.id, messageId: message.messageIdHeader, sentAt: iso(message.receivedAt) },
            from: message.reversePath === null ? '' : formatAddress(message.reversePath),
            ...{ subject: message.subject, size: message.size, stream: all[0]?.stream ?? '' },
            ...{ extra: all[0]?.extra ?? {}, recipients },
          },
        }
      },
    }),
    endpoint('POST /messages/:id/cancel', 'cancelMessage', {
      summary: 'Take recipients that were not delivered to out of the queue.',
      permission: 'messages:write',
      body: schemas.cancelRequest,
      response: schemas.countResponse,
      run: async ({ caller, params, body }) => {
        const message = await find(caller.account, params['id'])
        const filter = { messageId: message.id, account: caller.account, ...ids(body.queueIds) }
        return { body: { recipients: await queueControl.end(filter, 'cancelled', 'cancelled by the sender') } }
      },
    }),
    endpoint('POST /messages/:id/reschedule', 'rescheduleMessage', {
      summary: 'Set when the next attempt is due.',
      permission: 'messages:write',
      body: schemas.rescheduleRequest,
      response: schemas.countResponse,
      run: async ({ caller, params, body }) => {
        const message = await find(caller.account, params['id'])
        const at = Date.parse(body.at)
        if (at - clock.now() > MAX_FUTURE_RELEASE)
          throw new ApiError('user', 'a message can be scheduled at most 60 days ahead', { path: ['at'] })
        const filter = { messageId: message.id, account: caller.account, ...ids(body.queueIds) }
        const due = Math.max(at, clock.now())
        const recipients = await storage.write(async () => await storage.queue.set(filter, { due }))
        queueControl.kick()
        return { body: { recipients } }
      },
    }),
  ]
}

function showRecipient(job: Job | Retired, now: number) {
  const retired = 'status' in job ? job : undefined
  const due = 'due' in job ? job.due : undefined
  const held = 'hold' in job && job.hold
  return {
    ...{ queueId: job.id, address: pathToString(job.recipient), fromId: job.fromId ?? '' },
    status: retired?.status ?? (held ? 'held' : job.attempts === 0 && (due ?? 0) > now ? 'scheduled' : 'queued'),
    nextAttempt: due === undefined || held ? null : iso(due),
    lastActivity:
      retired !== undefined ? iso(retired.lastActivity) : job.lastAttempt === undefined ? null : iso(job.lastAttempt),
    attempts: job.results.map(showAttempt),
  }
}

function showAttempt({ number, startedAt, endedAt, outcome, code, enhanced, text, remoteHost }: Attempt) {
  return {
    ...{ number, startedAt: iso(startedAt), endedAt: endedAt === undefined ? null : iso(endedAt), outcome },
    ...{ code, enhanced, text, remoteHost: remoteHost ?? '' },
  }
}

function ids(list: readonly number[] | undefined): { ids?: readonly number[] } {
  return list === undefined ? {} : { ids: list }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** Without the properties that are undefined. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never
}
