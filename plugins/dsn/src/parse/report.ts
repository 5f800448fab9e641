// Understands a message that may be a report: a DSN, a bounce in prose, a complaint, an automatic answer. Lenient in
// everything but size; nothing throws. What it cannot understand is `none`.
import { decodeBody, decodeText, type Head, type Part, parseHeader, parseStructure } from '@mox/plugin-sdk/mail'
import { parseBounceText } from './bounce-text.ts'
import { parseDeliveryStatus } from './delivery-status.ts'
import { parseFeedback } from './feedback.ts'
import { MESSAGE_ID_LENGTH, type ParsedRecipient, type ParsedReport, type ReportKind } from './types.ts'

/** Bytes read of a report: it comes with the message that it is about, of which only the header section matters. */
export const REPORT_BYTES: number = 1024 * 1024
/** Parts of a report, and levels of nesting. */
const LIMITS = { parts: 200, depth: 20 }

const NOTHING: ParsedReport = {
  ...{ kind: 'none', reportingMta: '', arrivalDate: null, envelopeId: '', messageId: '', recipients: [] },
}

/** `bytes`: the whole message, or the first REPORT_BYTES of it. */
export function parseReport(bytes: Buffer): ParsedReport {
  const whole = bytes.subarray(0, REPORT_BYTES)
  const root = parseStructure(whole, LIMITS)
  const parts = leaves(root)
  const returned = returnedHead(whole, parts)
  const messageId = idOf(returned)
  const statusPart = parts.find(part => isStatus(whole, part))
  const status = statusPart && parseDeliveryStatus(decodeBody(whole, statusPart))
  if (status !== undefined && status.recipients.length > 0)
    return { ...status, messageId, kind: kindOf(status.recipients) }
  const feedback = parts.find(part => part.contentType === 'message/feedback-report')
  const complaint = feedback && parseFeedback(decodeBody(whole, feedback), returned)
  if (complaint !== undefined) return { ...complaint, messageId, kind: 'complaint' }
  const text = parts.find(part => part.type === 'text' && part.subtype !== 'rfc822-headers')
  const bounce = text && parseBounceText(root.head, readable(whole, text))
  if (bounce) {
    const { recipients } = bounce
    return { ...NOTHING, recipients, messageId: messageId || idOf(bounce.returned), kind: kindOf(recipients) }
  }
  return isAutomatic(root.head) ? { ...NOTHING, messageId, kind: 'auto-reply' } : NOTHING
}

/** The service: the rest of a longer message is not read. */
export async function readFrom(content: AsyncIterable<Buffer>): Promise<ParsedReport> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of content) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= REPORT_BYTES) break
  }
  return parseReport(Buffer.concat(chunks))
}

/** Without what is inside an enclosed message. */
function leaves(root: Part): Part[] {
  const found: Part[] = []
  const waiting = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.children.length === 0) found.push(part)
    else waiting.push(...part.children.toReversed())
  }
  return found
}

function isStatus(bytes: Buffer, part: Part): boolean {
  if (/^message\/(?:global-)?delivery-status$/.test(part.contentType)) return true
  // Gateways that know no other type than text.
  return (
    part.path !== '1' && part.type === 'text' && /^\s*Reporting-MTA *:/i.test(decodeText(bytes, part).slice(0, 200))
  )
}

function returnedHead(bytes: Buffer, parts: readonly Part[]): Head | undefined {
  for (const part of parts) {
    if (part.message !== undefined) return part.message.head
    if (/^(?:message\/(?:rfc822|global|global-headers|rfc822-headers)|text\/rfc822-headers)$/.test(part.contentType))
      return parseHeader(decodeBody(bytes, part))
  }
  return undefined
}

/** With brackets. */
function idOf(head: Head | undefined): string {
  const id = /<[^<>\s]+>/.exec(head?.get('message-id') ?? '')?.[0] ?? ''
  return id.length <= MESSAGE_ID_LENGTH ? id : ''
}

/** What is worst for the sender counts. */
function kindOf(recipients: readonly ParsedRecipient[]): ReportKind {
  const actions = new Set(recipients.map(({ action }) => action))
  if (actions.has('failed')) return 'bounce'
  if (actions.has('delayed')) return 'delay'
  return actions.has('unrecognized') && actions.size === 1 ? 'none' : 'success'
}

/** HTML without its tags: only prose is looked for. */
function readable(bytes: Buffer, part: Part): string {
  const text = decodeText(bytes, part)
  if (part.subtype !== 'html') return text
  return text
    .replace(/<(?:br|\/p|\/div|\/tr|\/h\d|\/li)[^<>]*>/gi, '\n')
    .replace(/<[^<>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&')
}

/** RFC 3834 §5, and what was used before it. */
function isAutomatic(head: Head): boolean {
  const submitted = (head.get('auto-submitted') ?? 'no').toLowerCase()
  if (!/^no\b/.test(submitted)) return true
  if (head.count('x-autoreply') + head.count('x-autorespond') > 0) return true
  return /^auto[_-]reply\b/i.test(head.get('precedence') ?? '')
}
