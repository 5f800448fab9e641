// Whether a refusal says something about the recipient, or about us, the message, or the day. Only the first may put anybody
// on the list: a 550 to MAIL FROM, or because our address is on a block list, says nothing about the recipient.
import type { Attempt } from '@mox/plugin-sdk'

/**
 * - `none`: says nothing about the recipient.
 * - `repeated`: the recipient cannot be reached now; several in a row count.
 * - `immediate`: the recipient does not exist or takes no mail.
 */
export type Judgement = 'none' | 'repeated' | 'immediate'

export type Refusal = Pick<Attempt, 'code' | 'enhanced' | 'text' | 'stage'>

/** RFC 5321 §4.2.3 and RFC 7504: permanent, whatever the enhanced code. */
const IMMEDIATE_CODES: ReadonlySet<number> = new Set([521, 550, 551, 553, 556])
/** RFC 3463 §3.2, §3.3: no such mailbox, no such system, bad syntax, moved, disabled. */
const IMMEDIATE_DETAILS: ReadonlySet<string> = new Set(['1.1', '1.2', '1.3', '1.6', '2.1'])
/** RFC 3463 §3.2: about the sender's address, although the subject is 1. */
const SENDER_DETAILS: ReadonlySet<string> = new Set(['1.7', '1.8'])
/** Said without an enhanced code by servers that refuse us and not the recipient. */
const ABOUT_US =
  /block ?list|black ?list|blocked|spamhaus|spamcop|barracuda|\brbl\b|dnsbl|reputation|\bspf\b|\bdkim\b|\bdmarc\b|\bptr\b|reverse dns|relay/i

export function judge(refusal: Refusal): Judgement {
  const { code, enhanced } = refusal
  if (code < 400 || !aboutRecipient(refusal)) return 'none'
  const permanent = code >= 500
  return permanent && (IMMEDIATE_CODES.has(code) || IMMEDIATE_DETAILS.has(enhanced.slice(2))) ? 'immediate' : 'repeated'
}

function aboutRecipient({ code, enhanced, text, stage }: Refusal): boolean {
  const detail = enhanced.slice(2)
  const [subject = ''] = detail.split('.')
  if (stage !== undefined && stage !== 'rcpt' && stage !== 'data' && stage !== 'end') return false
  if (SENDER_DETAILS.has(detail)) return false
  if (subject === '1' || detail === '2.1') return true
  if (stage !== 'rcpt') return false
  switch (subject) {
    case '':
    case '0':
      return !ABOUT_US.test(text)
    case '2':
      return true
    case '4':
      // "5.4.1 recipient address rejected" is how a large provider says that there is no such mailbox.
      return code >= 500
    default:
      // System, protocol, content and policy.
      return false
  }
}
