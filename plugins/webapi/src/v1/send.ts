// POST /messages: one message, at most once for an Idempotency-Key.
import type { Events, Storage, Suppressions } from '@mox/plugin-sdk'
import type { z } from 'zod'
import type { ApiMetrics } from '../metrics.ts'
import { ApiError } from '../send/error.ts'
import type { Sender } from '../send/sender.ts'
import type { Authenticated } from '../web/auth.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { type Idempotency, type IdempotencyKey, idempotencyKey } from './idempotency.ts'
import { notEnabled, problemOf } from './problem.ts'
import { type SendRequest, toRequest, translate } from './request.ts'
import * as schemas from './schemas.ts'
import { simulate } from './simulate.ts'

export type SendResponse = z.output<typeof schemas.sendResponse>

export interface SendParts {
  readonly sender: Sender
  readonly storage: Storage
  readonly events: Events | undefined
  readonly suppressions: Suppressions | undefined
  readonly idempotency: Idempotency
  readonly newMessageId: () => string
  readonly metrics: ApiMetrics
}

export interface Outcome {
  readonly response: SendResponse
  /** The answer of an earlier request with the same key. */
  readonly replayed: boolean
}

export function sendEndpoint(parts: SendParts): Endpoint {
  return endpoint('POST /messages', 'sendMessage', {
    summary: 'Send one message. Answers after it is on stable storage.',
    permission: 'send',
    body: schemas.sendRequest,
    status: 202,
    response: schemas.sendResponse,
    idempotent: true,
    run: async ({ caller, body, ctx, fingerprint }) => {
      const key = idempotencyKey(ctx.get('Idempotency-Key'))
      const { response, replayed } = await sendOnce(
        parts,
        caller,
        body,
        key && { account: caller.account, key, fingerprint: fingerprint() },
      )
      return { body: response, ...(replayed ? { headers: { 'Idempotency-Replayed': 'true' } } : {}) }
    },
  })
}

export async function sendOnce(
  parts: SendParts,
  caller: Authenticated,
  request: SendRequest,
  key: IdempotencyKey | '' | undefined,
): Promise<Outcome> {
  const { idempotency } = parts
  const messageId = request.messageId ?? parts.newMessageId()
  if (key === undefined || key === '')
    return { response: await sendCounted(parts, caller, request, messageId), replayed: false }
  const known = await idempotency.begin(key, messageId)
  if (known !== undefined) return { response: known, replayed: true }
  let response: SendResponse
  try {
    response = await sendCounted(parts, caller, request, messageId)
  } catch (error) {
    // A refusal queued nothing. After anything else the queue tells.
    if (problemOf(error) === undefined) await idempotency.settle(key)
    else await idempotency.forget(key)
    throw error
  }
  await idempotency.finish(key, response)
  return { response, replayed: false }
}

async function sendCounted(
  parts: SendParts,
  caller: Authenticated,
  request: SendRequest,
  messageId: string,
): Promise<SendResponse> {
  try {
    const response = await sendNow(parts, caller, request, messageId)
    parts.metrics.submission(caller.test ? 'test' : 'ok')
    return response
  } catch (error) {
    parts.metrics.submission(problemOf(error)?.code ?? 'server')
    throw error
  }
}

async function sendNow(
  parts: SendParts,
  caller: Authenticated,
  request: SendRequest,
  messageId: string,
): Promise<SendResponse> {
  const given = toRequest(request)
  if (given.unsubscribe && parts.suppressions === undefined)
    throw notEnabled('suppression lists, which unsubscribe needs,', 'suppression()')
  const sent = await parts.sender.send(caller, given, messageId).catch((error: unknown) => {
    throw error instanceof ApiError ? translate(error, request) : error
  })
  if (caller.test) await simulate(parts, caller.account, given.stream, Object.fromEntries(given.extra), sent)
  const recipients = sent.recipients.map(({ address, queueId, fromId, suppressed }) => ({
    address,
    queueId,
    fromId,
    suppressed,
  }))
  return { id: sent.id, messageId: sent.messageId, recipients, warnings: [...sent.warnings], test: caller.test }
}
