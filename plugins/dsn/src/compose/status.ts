// The part of a DSN that programs read: message/delivery-status (RFC 3464 §2) or message/global-delivery-status (RFC 6533 §4).
import { isIPv6 } from 'node:net'
import type { Attempt, DsnAction } from '@mox/plugin-sdk'
import { formatDate } from '@mox/plugin-sdk/mail'
import type { ReportedMessage, ReportedRecipient } from '../model.ts'
import { field, originalRecipient, typedAddress } from './encode.ts'
import { decidedHere, replyLines, wentOut } from './reply.ts'

const CLASS: Readonly<Record<DsnAction, string>> = {
  failed: '5',
  delayed: '4',
  delivered: '2',
  relayed: '2',
  expanded: '2',
}

/** Blocks of fields, each ended by an empty line but the last. */
export function deliveryStatus(
  hostname: string,
  message: ReportedMessage,
  recipients: readonly ReportedRecipient[],
  utf8: boolean,
): string {
  return [messageFields(hostname, message, utf8), ...recipients.map(one => recipientFields(one, utf8))].join('\r\n')
}

/** RFC 3464 §2.2. */
function messageFields(hostname: string, message: ReportedMessage, utf8: boolean): string {
  const from =
    message.kind === 'delivery' && message.helo !== '' ? `dns; ${message.helo}${comment(message.remoteIp)}` : ''
  return (
    field('Original-Envelope-Id', message.envid, utf8) +
    field('Reporting-MTA', `dns; ${hostname}`, utf8) +
    field('Received-From-MTA', from, utf8) +
    field('Arrival-Date', formatDate(message.receivedAt), utf8) +
    field('Future-Release-Request', message.futureReleaseRequest, utf8)
  )
}

/** RFC 3464 §2.3. */
function recipientFields(one: ReportedRecipient, utf8: boolean): string {
  const { attempt, retryAt } = one
  const until = one.action === 'delayed' ? retryAt?.at(-1) : undefined
  return (
    field('Original-Recipient', originalRecipient(one.orcpt, utf8), utf8) +
    field('Final-Recipient', typedAddress(one.recipient, utf8), utf8) +
    field('Action', one.action, utf8) +
    field('Status', statusCode(one), utf8) +
    (attempt === undefined ? '' : attemptFields(attempt, utf8)) +
    field('Final-Log-ID', one.queueId === 0 ? undefined : String(one.queueId), utf8) +
    field('Will-Retry-Until', until === undefined ? undefined : formatDate(until), utf8)
  )
}

function attemptFields(attempt: Attempt, utf8: boolean): string {
  const lines = replyLines(attempt)
  // "smtp" is for what an SMTP server said (RFC 3464 §2.3.6).
  const type = decidedHere(attempt) ? 'x-mox' : 'smtp'
  return (
    field('Remote-MTA', remoteMta(attempt), utf8) +
    field('Diagnostic-Code', lines.length === 0 ? undefined : `${type}; ${lines.join(' ')}`, utf8) +
    field('Last-Attempt-Date', attempt.number === 0 ? undefined : formatDate(attempt.startedAt), utf8)
  )
}

/** RFC 3463: of the class that the action has, with the detail that the server gave. */
export function statusCode({ action, attempt }: ReportedRecipient): string {
  const major = CLASS[action]
  const detail = /^[245]\.(\d{1,3}\.\d{1,3})$/.exec(attempt?.enhanced ?? '')?.[1]
  if (detail !== undefined) return `${major}.${detail}`
  // RFC 3463 §3.5: the time for delivery is over.
  return action === 'failed' && attempt?.outcome === 'temporary' ? '5.4.7' : `${major}.0.0`
}

function remoteMta(attempt: Attempt): string | undefined {
  const { remoteHost = '', remoteIp = '' } = attempt
  if (!wentOut(attempt) || (remoteHost === '' && remoteIp === '')) return undefined
  if (remoteHost !== '') return `dns; ${remoteHost}${comment(remoteIp)}`
  return `dns; [${isIPv6(remoteIp) ? 'IPv6:' : ''}${remoteIp}]`
}

/** An IP address as a comment; anything else that would end or nest a comment is left out. */
function comment(ip: string): string {
  return /^[0-9a-fA-F:.]{2,45}$/.test(ip) ? ` (${ip})` : ''
}
