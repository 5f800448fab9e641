// One attempt at one call: the payload, the header fields, what plugins add (onWebhook.send), the signature, the POST, and what
// its result means.
import type { Clock, HookRunner, Random, Storage, WebhookResult } from '@mox/plugin-sdk'
import type { Poster, PostResult } from '@mox/plugin-sdk/io'
import type { Calls, Outcome, TakenCall } from './calls.ts'
import { composeIncoming, type IncomingSource } from './incoming.ts'
import type { WebhookMetrics } from './metrics.ts'
import type { Endpoint } from './registry.ts'
import { signature } from './secret.ts'

export interface SendServices {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly hooks: HookRunner
  readonly calls: Calls
  readonly metrics: WebhookMetrics
  /** "mox/1.2.3 (webhook)" */
  readonly userAgent: string
  /** Seconds after attempt 1, 2, …. */
  readonly retrySchedule: readonly number[]
}

/** Waits vary by this share, so that what failed together is not repeated together. */
export const JITTER = 0.01

/** HTTP 410: the receiver is gone for good. */
export const GONE = 410

/** Milliseconds after attempt `attempt` (from 1) fails; undefined after the last. */
export function backoff(schedule: readonly number[], attempt: number, random: Random): number | undefined {
  const seconds = schedule[attempt - 1]
  return seconds === undefined ? undefined : Math.round(seconds * 1_000 * (1 + JITTER * (2 * random.number() - 1)))
}

/** What is posted, apart from who it is for. */
export interface Sending {
  readonly id: number
  readonly eventId: string
  /** From 1. */
  readonly attempt: number
  readonly payload: string
}

/** Undefined when a plugin skips it; rejects when a plugin fails. */
export async function post(
  { hooks, clock, metrics, userAgent }: Pick<SendServices, 'hooks' | 'clock' | 'metrics' | 'userAgent'>,
  endpoint: Endpoint,
  poster: Poster,
  { id, eventId, attempt, payload }: Sending,
  signal: AbortSignal,
): Promise<{ result: WebhookResult; posted: PostResult } | { skipped: string }> {
  let headers: Readonly<Record<string, string>> = {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': userAgent,
    ...(endpoint.authorization === '' ? {} : { Authorization: endpoint.authorization }),
  }
  if (hooks.has('onWebhook.send')) {
    const draft = { url: endpoint.url, headers, body: payload }
    const shaped = await hooks.shape('onWebhook.send', { draft, eventId, attempt }, { signal })
    if (shaped.verdict.kind === 'skip') return { skipped: `skipped by a plugin: ${shaped.verdict.reason}` }
    headers = shaped.draft.headers
  }
  const start = clock.now()
  const seconds = Math.floor(start / 1_000)
  const request = {
    url: endpoint.url,
    body: payload,
    headers: {
      ...headers,
      'X-Mox-Webhook-ID': String(id),
      'X-Mox-Webhook-Attempt': String(attempt),
      'webhook-id': eventId,
      'webhook-timestamp': String(seconds),
      ...(endpoint.keys.length === 0
        ? {}
        : { 'webhook-signature': signature(endpoint.keys, eventId, seconds, payload) }),
    },
  }
  const before = performance.now()
  const posted = await poster.post(request, signal)
  metrics.seconds.observe((performance.now() - before) / 1_000)
  metrics.results.inc({ code: posted.code === 0 ? (posted.failure ?? 'error') : String(posted.code) })
  const { code, error, response } = posted
  const result = {
    start,
    durationMs: clock.now() - start,
    url: endpoint.url,
    success: error === '',
    code,
    error,
    response,
  }
  return { result, posted }
}

/** Rejects only when the call cannot be read. */
export async function send(
  services: SendServices,
  endpoint: Endpoint,
  poster: Poster,
  call: TakenCall,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, calls } = services
  const attempt = call.attempts + 1
  const row = await calls.payload(call.id)
  if (row === undefined) return { kind: 'unsent' }
  const failed = (posted: Pick<PostResult, 'code' | 'retryAfter'>, result: WebhookResult): Outcome => {
    if (posted.code === GONE) return { kind: 'ended', success: false, note: 'the endpoint is gone (HTTP 410)', result }
    const wait = backoff(services.retrySchedule, attempt, services.random)
    if (wait === undefined) return { kind: 'ended', success: false, note: `failed ${attempt} times`, result }
    return { kind: 'retry', due: clock.now() + Math.max(wait, posted.retryAfter ?? 0), result }
  }
  try {
    const made = row.source === null || row.content_id === null
    const payload = made ? row.payload : await compose(services, call.id, row)
    const sending = { id: call.id, eventId: call.event_id, attempt, payload }
    const sent = await post(services, endpoint, poster, sending, signal)
    if ('skipped' in sent) return { kind: 'ended', success: false, note: sent.skipped }
    if (sent.result.success) return { kind: 'ended', success: true, note: '', result: sent.result }
    return failed(sent.posted, sent.result)
  } catch (error) {
    // The payload could not be made, or a handler of onWebhook.send failed: a failed attempt.
    const text = error instanceof Error ? error.message : String(error)
    services.metrics.results.inc({ code: 'unmade' })
    const result = {
      start: clock.now(),
      durationMs: 0,
      url: endpoint.url,
      success: false,
      code: 0,
      error: text,
      response: '',
    }
    return failed({ code: 0 }, result)
  }
}

async function compose(
  { storage, calls }: SendServices,
  id: number,
  { source, content_id: contentId }: { source: string | null; content_id: number | null },
): Promise<string> {
  const payload = await composeIncoming(storage, JSON.parse(source ?? '') as IncomingSource, contentId ?? 0)
  await storage.write(() => calls.composed(id, payload, contentId))
  return payload
}
