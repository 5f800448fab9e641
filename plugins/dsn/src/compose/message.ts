// A whole DSN: multipart/report (RFC 6522) of a text for people, fields for programs, and what it is about. The bytes are
// complete and final; lines have at most 998 octets whatever servers and senders said.
import type { DsnDraft } from '@mox/plugin-sdk'
import { encodeWords, formatAddress, formatDate, formatField, type Path } from '@mox/plugin-sdk/mail'
import type { ReportedMessage, ReportedRecipient } from '../model.ts'
import { type Encoded, fieldValue, isAscii, textBody } from './encode.ts'
import type { ReturnedPart } from './returned.ts'
import { deliveryStatus } from './status.ts'

export interface DsnParts {
  readonly hostname: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Without brackets. */
  readonly messageId: string
  /** In no part: random. */
  readonly boundary: string
  readonly to: Path
  readonly message: ReportedMessage
  readonly recipients: readonly ReportedRecipient[]
  readonly draft: DsnDraft
  readonly returned: ReturnedPart
  /** RFC 6533: the reader can take UTF-8 in fields. */
  readonly utf8: boolean
}

/** Characters of a Message-ID that is repeated in References. */
const REFERENCE_LENGTH = 800

export function composeDsn(parts: DsnParts): Buffer {
  const { draft, utf8, returned, boundary } = parts
  const text = textBody(draft.text, utf8)
  const status = Buffer.from(deliveryStatus(parts.hostname, parts.message, parts.recipients, utf8))
  const statusType = utf8 ? 'message/global-delivery-status' : 'message/delivery-status'
  const encoding = isAscii(status.toString('latin1')) ? '7bit' : '8bit'
  return Buffer.concat([
    Buffer.from(header(parts)),
    part(boundary, `text/plain; charset=${text.charset}`, text, `Content-Language: ${draft.language}\r\n`),
    part(boundary, statusType, { encoding, body: status }),
    part(boundary, returned.contentType, returned),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
}

/** Whether the DSN has to be one of RFC 6533, and can be: `local` mailboxes take it, other servers if only it reaches them. */
export function needsUtf8(message: ReportedMessage, to: Path, local: boolean): boolean {
  return message.smtputf8 && (local || !isAscii(to.localpart))
}

function header(parts: DsnParts): string {
  const { hostname, draft, boundary, utf8 } = parts
  const subject = fieldValue(draft.subject, true)
  const about = reference(parts.message.messageIdHeader)
  return (
    formatField('From', `Mail delivery <postmaster@${hostname}>`) +
    formatField('To', formatAddress(parts.to)) +
    formatField('Subject', utf8 ? subject : encodeWords(subject)) +
    formatField('Date', formatDate(parts.now)) +
    formatField('Message-ID', `<${parts.messageId}>`) +
    (about === undefined ? '' : formatField('In-Reply-To', about) + formatField('References', about)) +
    formatField('Auto-Submitted', 'auto-replied') +
    formatField('MIME-Version', '1.0') +
    formatField('Content-Type', `multipart/report; report-type=delivery-status; boundary="${boundary}"`) +
    '\r\n'
  )
}

/** The Message-ID, if it is one that cannot be mistaken for anything else. */
function reference(messageIdHeader: string): string | undefined {
  const id = /^<[\x21-\x3b\x3d\x3f-\x7e]+>$/.exec(messageIdHeader)?.[0]
  return id !== undefined && id.length <= REFERENCE_LENGTH ? id : undefined
}

function part(boundary: string, contentType: string, { encoding, body }: Encoded, more = ''): Buffer {
  const fields = `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\n${more}`
  return Buffer.concat([Buffer.from(`\r\n--${boundary}\r\n${fields}\r\n`), body])
}
