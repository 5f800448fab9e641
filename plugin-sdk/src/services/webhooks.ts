// webhooks@1: endpoints of accounts, the calls that wait for them, and the calls that are over. Pages, the webapi and commands
// stand on it.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { EventKind } from './events.ts'
import type { Page } from './repositories.ts'

/** Where events of an account go. */
export interface WebhookEndpoint {
  readonly account: string
  /** Unique in the account. "outgoing" and "incoming" are the two that each account may have in the config. */
  readonly name: string
  readonly url: string
  readonly events: readonly EventKind[]
  /** Calls under way at a time; 1 keeps the order. */
  readonly concurrency: number
  /** An Authorization field is sent. */
  readonly authorized: boolean
  /** Calls are signed. */
  readonly signed: boolean
  readonly source: 'config' | 'database'
  /** Set when the endpoint answered 410: nothing is sent until it is enabled again. */
  readonly disabled?: { readonly since: number; readonly reason: string }
  /** Calls that wait. */
  readonly waiting: number
}

export interface NewWebhookEndpoint {
  readonly account: string
  readonly name: string
  readonly url: string
  /** Default: all kinds. */
  readonly events?: readonly EventKind[]
  readonly authorization?: string
  readonly concurrency?: number
}

/** One POST. */
export interface WebhookResult {
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly durationMs: number
  readonly url: string
  readonly success: boolean
  /** HTTP status, 0 without a response. */
  readonly code: number
  /** Why it failed; '' when it did not. */
  readonly error: string
  /** The start of the response's body, control characters replaced. */
  readonly response: string
}

/** One event for one endpoint. */
export interface WebhookCall {
  readonly id: number
  /** The event's stable id. */
  readonly eventId: string
  readonly account: string
  /** Name of the endpoint. */
  readonly endpoint: string
  readonly event: EventKind
  /** 0 for incoming messages. */
  readonly queueId: number
  readonly messageIdHeader: string
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly submitted: number
  readonly attempts: number
  readonly results: readonly WebhookResult[]
  /** When the next attempt is due; absent when it is over. */
  readonly due?: number
  /** When it was over, absent while it waits. */
  readonly ended?: { readonly at: number; readonly success: boolean; readonly note: string }
}

export interface WebhookCallDetail extends WebhookCall {
  /** The JSON that is posted; '' while that of an incoming message has not been made. */
  readonly payload: string
}

/** Milliseconds since the epoch; `from` inclusive, `until` exclusive. */
export interface TimeRange {
  readonly from?: number
  readonly until?: number
}

export interface WebhookFilter {
  readonly ids?: readonly number[]
  readonly account?: string
  readonly endpoint?: string
  readonly event?: EventKind
  readonly submitted?: TimeRange
  /** Of calls that wait: the next attempt. Of calls that are over: the end. */
  readonly time?: TimeRange
  /** Only for calls that are over. */
  readonly success?: boolean
}

/** What to send again. Calls that wait already are not doubled. */
export type WebhookReplay =
  /** One event, to every endpoint of its account that wants it. */
  | { readonly eventId: string; readonly endpoint?: string }
  /** All events of a time. */
  | { readonly account?: string; readonly endpoint?: string; readonly from: number; readonly until: number }
  /** What ended without success since a time. */
  | { readonly account?: string; readonly endpoint?: string; readonly failedSince: number }

export interface WebhookTest {
  readonly account: string
  readonly endpoint: string
  /** Default: a sample of this kind, or `delivered`. */
  readonly event?: EventKind
  readonly payload?: Readonly<Record<string, unknown>>
}

export interface Webhooks {
  endpoints(account?: string): Promise<WebhookEndpoint[]>
  /** Adds one to the database. Returns the secret that its calls are signed with. Throws a UsageError. */
  addEndpoint(endpoint: NewWebhookEndpoint): Promise<{ readonly secret: string }>
  /** A new secret beside the last one, which stays good until the next rotation. Only for endpoints of the database. */
  rotateSecret(account: string, name: string): Promise<{ readonly secret: string }>
  /** Only for endpoints of the database; its waiting calls end. False when there is none. */
  removeEndpoint(account: string, name: string): Promise<boolean>
  /** After a 410. False when it was not disabled. */
  enableEndpoint(account: string, name: string): Promise<boolean>
  /** Calls that wait, next attempt first; descending with `ascending: false`. At most 1,000. */
  list(filter: WebhookFilter, page: Page): Promise<WebhookCall[]>
  /** Calls that are over, last ended first unless ascending. At most 1,000. */
  retired(filter: WebhookFilter, page: Page): Promise<WebhookCall[]>
  /** Waiting or over. */
  get(id: number): Promise<WebhookCallDetail | undefined>
  /** Ends calls that wait; returns how many. */
  cancel(filter: WebhookFilter): Promise<number>
  /** Sets the next attempt, or moves it by milliseconds; returns how many. */
  reschedule(filter: WebhookFilter, when: { readonly at: number } | { readonly by: number }): Promise<number>
  /** Returns how many calls were made. */
  replay(what: WebhookReplay): Promise<number>
  /** Posts at once and keeps nothing. Throws a UsageError for an unknown endpoint. */
  test(what: WebhookTest): Promise<WebhookResult>
}

export const webhooks: ServiceToken<Webhooks, 'one'> = defineService<Webhooks>('webhooks@1')
