// Bounces in prose: what Exim, qmail, sendmail, Exchange, Gmail, Yahoo and others wrote, or still write, without a part for
// programs. Read by their common shape: an opening, an address, what went wrong with it, a copy of the message.
import { type Head, parseHeader } from '@mox/plugin-sdk/mail'
import { categoryOf } from './category.ts'
import { type ParsedRecipient, RECIPIENTS } from './types.ts'
import { addressOf, codeOf, diagnosticText, statusOf } from './values.ts'

/** Characters read of the text. */
export const TEXT_LENGTH = 65_536
/** Lines of text that belong to one address. */
const LINES = 40

/** Only who says one of these is taken for a mail server. */
const OPENINGS: readonly RegExp[] = [
  /message was created automatically by mail delivery software/i,
  /this is the qmail-send program|this is the .{1,60} program at|this is the mail (?:system|delivery)/i,
  /the following address(?:es)? (?:failed|had (?:permanent|transient))/i,
  /delivery to the following recipients? (?:failed|has been delayed)/i,
  /error has occurred while attempting to deliver a message/i,
  /(?:unable|not able|could not|couldn't) (?:to )?(?:be )?deliver(?:ed)? (?:your |the |this )?message/i,
  /your message (?:could not be|couldn't be|wasn't|was not|has not been|did not reach)/i,
  /following recipients? (?:cannot|could not|couldn't) be reached/i,
  /(?:message|mail) (?:that you sent )?(?:could not|cannot|has not) be(?:en)? delivered/i,
  /undeliverable (?:mail|message)/i,
]
const DELAY =
  /(?:has been|is|was|been) delayed|not yet been delivered|delivery (?:attempts )?will continue|will (?:continue to )?(?:try|be retried|retry)|transient non-fatal|could not send message for past|warning message only/i
const SENDERS = /^(?:mailer-daemon|postmaster|mail-daemon|mdaemon)\b|<(?:mailer-daemon|postmaster|mail-daemon)@/i
const SUBJECT =
  /undeliver|returned mail|failure notice|delivery (?:status|failure|has failed|notification)|mail delivery failed|could not be delivered|delivery delayed|warning: could not send/i
/** What follows is the message, or its header section. */
const COPY =
  /^(?:-{2,} *(?:this is a copy|below this line|original message|message header|the body of the message|returned message|unsent message|the header)|message headers? follows?|no action is required|original message (?:headers?|follows)|below is a copy of the original|.{0,20}headers? of the (?:original )?message)/i
const ADDRESS_THEN = /^ {0,3}<([^<>\s]+@[^<>\s]+)>(?:\s*\(expanded from [^()]{1,300}\))?:\s*(.*)$/
/** OpenSMTPD: "bob@example.net: 550 5.1.1 no such user". */
const ADDRESS_CODE = /^ {0,3}([^\s<>'"(),;:]+@[^\s<>'"(),;:]+):\s+([45]\d\d[ -].*)$/
const ADDRESS_ALONE = /^\s*(?:[*-]\s+)?<?['"]?([^\s<>'"(),;:]+@[^\s<>'"(),;:]+)['"]?>?(?:\s+on .{1,60})?\s*$/
const TRANSCRIPT = /^\s*-+ *transcript of session follows/i

export interface TextBounce {
  readonly recipients: readonly ParsedRecipient[]
  /** Header section of the message that it is about, where the text has it. */
  readonly returned?: Head
}

/** Null when it is no bounce. */
export function parseBounceText(head: Head, text: string): TextBounce | null {
  const lines = text.slice(0, TEXT_LENGTH).split(/\r\n|\r|\n/)
  const start = lines.slice(0, 200).join('\n')
  const failed = failedRecipients(head)
  const subject = head.get('subject') ?? ''
  const known = OPENINGS.some(opening => opening.test(start))
  const server = SENDERS.test(head.get('from') ?? '') && SUBJECT.test(subject)
  if (!known && !server && failed.length === 0) return null
  const copy = lines.findIndex(line => COPY.test(line.trim()))
  const told = copy < 0 ? lines : lines.slice(0, copy)
  const delayed = DELAY.test(told.join('\n')) || /\bdelay|^warning\b/i.test(subject)
  const found = entries(told)
  const named = found.length > 0 ? found : failed.map(address => ({ address, said: '' }))
  if (named.length === 0) return null
  const recipients = named.map(({ address, said }) => recipientOf(address, said, delayed))
  return { recipients, ...(copy < 0 ? {} : { returned: copied(lines.slice(copy + 1)) }) }
}

/** The field that Exim and Gmail add. */
function failedRecipients(head: Head): string[] {
  const value = head.get('x-failed-recipients') ?? ''
  return value
    .split(',')
    .map(addressOf)
    .filter(address => address.includes('@'))
    .slice(0, RECIPIENTS)
}

interface Entry {
  readonly address: string
  said: string
}

function entries(lines: readonly string[]): Entry[] {
  const found = new Map<string, Entry>()
  const transcript = lines.findIndex(line => TRANSCRIPT.test(line))
  let entry: Entry | undefined
  let count = 0
  for (const line of transcript < 0 ? lines : lines.slice(0, transcript)) {
    const match = ADDRESS_THEN.exec(line) ?? ADDRESS_CODE.exec(line) ?? ADDRESS_ALONE.exec(line)
    const address = addressOf(match?.[1])
    if (match !== null && address !== '' && found.size < RECIPIENTS) {
      entry = found.get(address.toLowerCase()) ?? { address, said: '' }
      found.set(address.toLowerCase(), entry)
      entry.said += ` ${match[2] ?? ''}`
      count = 0
    } else if (entry !== undefined && ++count <= LINES) entry.said += ` ${line}`
  }
  for (const one of found.values()) {
    if (codeOf(one.said) === 0 && transcript >= 0)
      one.said += ` ${fromTranscript(lines.slice(transcript), one.address)}`
  }
  return [...found.values()]
}

/** sendmail: "550 5.1.1 <bob@example.net>... User unknown", or else what the server said last. */
function fromTranscript(lines: readonly string[], address: string): string {
  const final = lines.find(line => /^[45]\d\d /.test(line) && line.toLowerCase().includes(address.toLowerCase()))
  return final ?? lines.findLast(line => /^<<< [45]\d\d/.test(line))?.slice(4) ?? ''
}

function recipientOf(address: string, said: string, delayed: boolean): ParsedRecipient {
  const diagnostic = diagnosticText(said)
  const status = statusOf(diagnostic)
  return {
    finalRecipient: address,
    originalRecipient: '',
    action: delayed ? 'delayed' : 'failed',
    status,
    code: codeOf(diagnostic),
    diagnostic,
    remoteMta:
      /\b(?:host|while talking to|from remote server|server for the recipient domain \S+ by)\s+([a-z0-9][a-z0-9.-]*\.[a-z]{2,})/i.exec(
        diagnostic,
      )?.[1] ?? '',
    category: categoryOf(status, diagnostic),
  }
}

function copied(lines: readonly string[]): Head {
  const first = lines.findIndex(line => line.trim() !== '')
  return parseHeader(Buffer.from(lines.slice(Math.max(first, 0)).join('\r\n')))
}
