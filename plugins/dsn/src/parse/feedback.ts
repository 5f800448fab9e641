// Complaints: message/feedback-report, RFC 5965 §3. Reports of other types than abuse, fraud and virus are no complaints.
import { type Head, parseDate, parseHeader } from '@mox/plugin-sdk/mail'
import { type ParsedRecipient, type ParsedReport, RECIPIENTS } from './types.ts'
import { addressOf, hostOf, oneLine } from './values.ts'

const COMPLAINTS = ['abuse', 'fraud', 'virus', 'other', 'miscategorized', 'opt-out', 'opt-out-list']

/** Undefined for what is no complaint. */
export function parseFeedback(
  bytes: Buffer,
  returned: Head | undefined,
): Pick<ParsedReport, 'reportingMta' | 'arrivalDate' | 'envelopeId' | 'recipients'> | undefined {
  const head = parseHeader(bytes)
  const type = oneLine(head.get('feedback-type') ?? '').toLowerCase()
  if (!COMPLAINTS.includes(type)) return undefined
  const named = head.all('original-rcpt-to').map(({ value }) => addressOf(value))
  const to = addressOf(returned?.get('to'))
  const addresses = (named.length > 0 ? named : [to.includes(',') ? '' : to]).slice(0, RECIPIENTS)
  return {
    reportingMta: hostOf(head.get('reporting-mta')),
    arrivalDate: parseDate(head.get('arrival-date') ?? head.get('received-date') ?? ''),
    envelopeId: oneLine(head.get('original-envelope-id') ?? '').slice(0, 200),
    recipients: addresses.map(
      (finalRecipient): ParsedRecipient => ({
        ...{ finalRecipient, originalRecipient: '', action: 'complained', status: '', code: 0 },
        ...{ diagnostic: `complaint: ${type}`, remoteMta: '', category: 'policy' },
      }),
    ),
  }
}
