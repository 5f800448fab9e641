// The messages that come back after a delivery: a delivery status notification (RFC 3464) and a spam report (RFC 5965), written
// as servers of others write them, about a message that they took. Lines are short; addresses outside of ASCII make it an
// internationalized one (RFC 6533).
import type { Job } from '@mox/plugin-sdk'
import { formatAddress, formatDate, formatField, isAddressLiteral, type Path } from '@mox/plugin-sdk/mail'
import type { Later } from './magic.ts'

/** Bytes of the returned header section; what is beyond is left out, whole lines at a time. */
export const RETURNED_BYTES = 32_768

export interface ReportAbout {
  readonly job: Job
  readonly to: Path
  /** The header section of the message as it was delivered. */
  readonly header: Buffer
  /** When the message was delivered, and when it comes back; milliseconds since the epoch. */
  readonly deliveredAt: number
  readonly at: number
  /** Random, for the boundary and the Message-ID. */
  readonly id: string
}

export interface Report {
  /** The name of the server that sends it. */
  readonly host: string
  readonly smtputf8: boolean
  readonly content: Buffer
}

export function composeReport(kind: Later['kind'], about: ReportAbout): Report {
  const { job, to, header, id } = about
  const host = hostOf(job.recipientDomain)
  const parts = kind === 'bounce' ? bounce(host, about) : complaint(host, about)
  const smtputf8 = !isAscii(`${formatAddress(job.recipient)}${formatAddress(to)}${parts.map(p => p.body).join('')}`)
  const boundary = `=_${id}`
  const returned = cut(header)
  const encoding = smtputf8 ? '8bit' : '7bit'
  const content = Buffer.concat([
    Buffer.from(
      formatField(
        'From',
        kind === 'bounce' ? `Mail Delivery System <MAILER-DAEMON@${host}>` : `Feedback <feedback@${host}>`,
      ) +
        formatField('To', formatAddress(to)) +
        formatField(
          'Subject',
          kind === 'bounce' ? 'Undeliverable: your message was returned' : 'Complaint about a message from you',
        ) +
        formatField('Date', formatDate(about.at)) +
        formatField('Message-ID', `<${id}@${host}>`) +
        (kind === 'bounce' ? formatField('Auto-Submitted', 'auto-replied') : '') +
        formatField('MIME-Version', '1.0') +
        `Content-Type: multipart/report; report-type=${kind === 'bounce' ? 'delivery-status' : 'feedback-report'};\r\n boundary="${boundary}"\r\n\r\n`,
    ),
    ...parts.map(({ type, body }) =>
      Buffer.from(
        `--${boundary}\r\nContent-Type: ${type(smtputf8)}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`,
      ),
    ),
    Buffer.from(`--${boundary}\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`),
    returned,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return { host, smtputf8: smtputf8 || !isAscii(returned.toString('latin1')), content }
}

interface ReportPart {
  readonly type: (utf8: boolean) => string
  readonly body: string
}

const text = (utf8: boolean): string => `text/plain; charset=${utf8 ? 'utf-8' : 'us-ascii'}`

function bounce(host: string, { job, deliveredAt, at }: ReportAbout): readonly ReportPart[] {
  const recipient = formatAddress(job.recipient)
  const type = isAscii(recipient) ? 'rfc822' : 'utf-8'
  const reply = '550 5.1.1 The mailbox does not exist'
  return [
    {
      type: text,
      body: `The server ${host} took your message for\r\n\r\n  ${recipient}\r\n\r\nand could not deliver it afterwards:\r\n\r\n  ${reply}\r\n`,
    },
    {
      type: utf8 => (utf8 ? 'message/global-delivery-status' : 'message/delivery-status'),
      body:
        formatField('Reporting-MTA', `dns; ${host}`) +
        (job.envid === undefined ? '' : formatField('Original-Envelope-Id', oneLine(job.envid))) +
        formatField('Arrival-Date', formatDate(deliveredAt)) +
        '\r\n' +
        (job.orcpt === undefined ? '' : formatField('Original-Recipient', oneLine(job.orcpt))) +
        formatField('Final-Recipient', `${type}; ${recipient}`) +
        formatField('Action', 'failed') +
        formatField('Status', '5.1.1') +
        formatField('Remote-MTA', `dns; mailstore.${host}`) +
        formatField('Diagnostic-Code', `smtp; ${reply}`) +
        formatField('Last-Attempt-Date', formatDate(at)),
    },
  ]
}

function complaint(host: string, { job, to, deliveredAt }: ReportAbout): readonly ReportPart[] {
  return [
    { type: text, body: `A user of ${host} marked a message from you as spam.\r\n` },
    {
      type: () => 'message/feedback-report',
      body:
        formatField('Feedback-Type', 'abuse') +
        formatField('User-Agent', 'localserve/1') +
        formatField('Version', '1') +
        formatField('Original-Mail-From', `<${formatAddress(to)}>`) +
        formatField('Original-Rcpt-To', `<${formatAddress(job.recipient)}>`) +
        formatField('Arrival-Date', formatDate(deliveredAt)) +
        formatField('Reporting-MTA', `dns; ${host}`) +
        formatField('Reported-Domain', to.domain),
    },
  ]
}

/** What a server of this domain would be called; address literals have none. */
function hostOf(domain: string): string {
  return isAddressLiteral(domain) ? 'mx.invalid' : `mx.${domain}`
}

function cut(header: Buffer): Buffer {
  if (header.length <= RETURNED_BYTES) return header
  return header.subarray(0, header.lastIndexOf('\r\n', RETURNED_BYTES - 2) + 2)
}

/** Parameters of the envelope may have any character. */
const oneLine = (value: string): string => value.replace(/\p{Cc}/gu, ' ')

const isAscii = (value: string): boolean => /^[\x00-\x7f]*$/.test(value)
