// Verdicts: what decide handlers return. Each is a plain object with a `kind`; the functions below make them.
// `undefined` is the same as pass().

import type { SmtpReply } from '../model/reply.ts'
import type { Category } from './handler.ts'

/** No opinion: the mail flow goes on. */
export interface Pass {
  readonly kind: 'pass'
}
/** Handlers of these categories that come later are skipped, unless they are mandatory. */
export interface Exempt {
  readonly kind: 'exempt'
  readonly categories: readonly Category[]
  readonly reason: string
}
/** Refused for now (4yz): the peer may try again. */
export interface Defer {
  readonly kind: 'defer'
  readonly reply: SmtpReply
  readonly reason?: string
}
/** Refused for good (5yz). */
export interface Reject {
  readonly kind: 'reject'
  readonly reply: SmtpReply
  readonly reason?: string
}
/** Accepted with keywords set on the stored message; several handlers' keywords add up. */
export interface Tag {
  readonly kind: 'tag'
  readonly keywords: readonly string[]
  readonly reason?: string
}
/** Accepted, but filed in the Junk mailbox. */
export interface Quarantine {
  readonly kind: 'quarantine'
  readonly reason: string
}
/** Stays in the queue, not tried until released. */
export interface Hold {
  readonly kind: 'hold'
  readonly reason: string
}
/** Not taken into the queue; the whole submission is refused with this reply. */
export interface Refuse {
  readonly kind: 'refuse'
  readonly reply: SmtpReply
  readonly reason?: string
}
/** Deliver through the named transport. */
export interface Route {
  readonly kind: 'route'
  readonly transport: string
  readonly reason?: string
}
/** Not before `until` (milliseconds since the epoch); does not count as an attempt. */
export interface Postpone {
  readonly kind: 'postpone'
  readonly until: number
  readonly reason: string
}
/** Leaves the queue now; `status` tells the history why. */
export interface Fail {
  readonly kind: 'fail'
  readonly reply: SmtpReply
  readonly reason?: string
  readonly status: 'failed' | 'suppressed'
}
/** Changes to a draft. */
export interface Patch<T> {
  readonly kind: 'patch'
  readonly changes: Partial<T>
  readonly reason?: string
}
/** Do not send this one. */
export interface Skip {
  readonly kind: 'skip'
  readonly reason: string
}
/** No DSN for this. */
export interface Withhold {
  readonly kind: 'withhold'
  readonly reason: string
}
/** This incoming report is about that queued or retired recipient. */
export interface Match<E> {
  readonly kind: 'match'
  readonly queueId: number
  readonly event: E
  readonly reason?: string
}
/** A report to send. */
export interface Draft<T> {
  readonly kind: 'draft'
  readonly draft: T
  readonly reason?: string
}
/** An incoming report, understood. */
export interface Accept<T> {
  readonly kind: 'accept'
  readonly report: string
  readonly rows: readonly T[]
  readonly reason?: string
}

/** No opinion; the same as returning nothing. */
export const pass = (): Pass => ({ kind: 'pass' })
/** Later handlers of these categories are skipped: `exempt({ categories: ['reputation'], reason: 'our own relay' })`. */
export const exempt = (v: { categories: readonly Category[]; reason: string }): Exempt => ({ kind: 'exempt', ...v })
/**
 * Refused for now. `code` is a 4yz code, default 451; `enhanced` (RFC 3463) default "4.3.0". `text` is for the peer, `reason`
 * for the trace.
 */
export const defer = (text: string, v: { code?: number; enhanced?: string; reason?: string } = {}): Defer => ({
  kind: 'defer',
  reply: { code: v.code ?? 451, enhanced: v.enhanced ?? '4.3.0', text },
  ...(v.reason === undefined ? {} : { reason: v.reason }),
})
/**
 * Refused for good. `code` is a 5yz code, default 550; `enhanced` (RFC 3463) default "5.7.1". `text` is for the peer, `reason`
 * for the trace.
 */
export const reject = (text: string, v: { code?: number; enhanced?: string; reason?: string } = {}): Reject => ({
  kind: 'reject',
  reply: { code: v.code ?? 550, enhanced: v.enhanced ?? '5.7.1', text },
  ...(v.reason === undefined ? {} : { reason: v.reason }),
})
/** Accepted, with these keywords on the stored message. */
export const tag = (keywords: readonly string[], reason?: string): Tag => ({
  kind: 'tag',
  keywords,
  ...(reason === undefined ? {} : { reason }),
})
/** Accepted, and filed in Junk. */
export const quarantine = (reason: string): Quarantine => ({ kind: 'quarantine', reason })
/** Queued, but not tried until somebody releases it; `reason` is shown to the operator. */
export const hold = (reason: string): Hold => ({ kind: 'hold', reason })
/** The whole submission is refused. `code` is 4yz or 5yz, default 550; `enhanced` (RFC 3463) default "5.7.1". */
export const refuse = (text: string, v: { code?: number; enhanced?: string; reason?: string } = {}): Refuse => ({
  kind: 'refuse',
  reply: { code: v.code ?? 550, enhanced: v.enhanced ?? '5.7.1', text },
  ...(v.reason === undefined ? {} : { reason: v.reason }),
})
/** Through this transport, by its name; without one of that name the attempt fails for now. */
export const route = (transport: string, reason?: string): Route => ({
  kind: 'route',
  transport,
  ...(reason === undefined ? {} : { reason }),
})
/** Not before `until`, milliseconds since the epoch. Counts as no attempt. */
export const postpone = (until: number, reason: string): Postpone => ({ kind: 'postpone', until, reason })
/**
 * Leaves the queue now, undelivered. The reply is for the history and the sender: `code` default 550, `enhanced` (RFC 3463)
 * default "5.7.1". `status` default "failed".
 */
export const fail = (
  text: string,
  v: { code?: number; enhanced?: string; reason?: string; status?: 'failed' | 'suppressed' } = {},
): Fail => ({
  kind: 'fail',
  reply: { code: v.code ?? 550, enhanced: v.enhanced ?? '5.7.1', text },
  status: v.status ?? 'failed',
  ...(v.reason === undefined ? {} : { reason: v.reason }),
})
/** Changes of a draft: what is not named stays. */
export const patch = <T>(changes: Partial<T>, reason?: string): Patch<T> => ({
  kind: 'patch',
  changes,
  ...(reason === undefined ? {} : { reason }),
})
/** This event or request is not sent; `reason` is for the trace. */
export const skip = (reason: string): Skip => ({ kind: 'skip', reason })
/** No DSN is sent; `reason` is for the trace. */
export const withhold = (reason: string): Withhold => ({ kind: 'withhold', reason })
/** The incoming report is about the recipient with this queue id, queued or retired, and says `event`. */
export const match = <E>(queueId: number, event: E, reason?: string): Match<E> => ({
  kind: 'match',
  queueId,
  event,
  ...(reason === undefined ? {} : { reason }),
})
/** The report to send for this period. */
export const draft = <T>(value: T, reason?: string): Draft<T> => ({
  kind: 'draft',
  draft: value,
  ...(reason === undefined ? {} : { reason }),
})
/** The incoming message was a report of kind `report`; `rows` are what it says. */
export const accept = <T>(report: string, rows: readonly T[], reason?: string): Accept<T> => ({
  kind: 'accept',
  report,
  rows,
  ...(reason === undefined ? {} : { reason }),
})
