// The header section of a composed message, in a fixed order, by our own formatter. No Bcc: who is in it stays in the
// envelope.
import { formatAddress } from '../mail/address.ts'
import { formatDate } from '../mail/date.ts'
import { formatField } from '../mail/header.ts'
import { encodeWords } from '../mail/words.ts'
import { type ComposeDraft, ComposeError, type Mailbox } from './message.ts'

/**
 * All fields but those of the content, which come after them. `userAgent`: what the program calls itself when the draft's fields
 * do not say. Throws a ComposeError for a word that is too long for a line.
 */
export function headerSection(draft: ComposeDraft, userAgent: string): string {
  const { smtputf8, references } = draft
  const text = (value: string): string => (smtputf8 ? value : encodeWords(value))
  const list = (boxes: readonly Mailbox[]): string => boxes.map(box => formatMailbox(box, smtputf8)).join(', ')
  const fields: (readonly [string, string])[] = [['From', formatMailbox(draft.from, smtputf8)]]
  if (draft.replyTo.length > 0) fields.push(['Reply-To', list(draft.replyTo)])
  if (draft.to.length > 0) fields.push(['To', list(draft.to)])
  if (draft.cc.length > 0) fields.push(['Cc', list(draft.cc)])
  fields.push(['Subject', text(draft.subject)], ['Date', formatDate(draft.date)], ['Message-Id', draft.messageId])
  const last = references.at(-1)
  if (last !== undefined) fields.push(['References', references.join(' ')], ['In-Reply-To', last])
  fields.push(['MIME-Version', '1.0'])
  for (const [name, value] of draft.headers) fields.push([name, text(value)])
  if (!draft.headers.some(([name]) => /^(?:user-agent|x-mailer)$/i.test(name))) fields.push(['User-Agent', userAgent])
  return fields.map(([name, value]) => field(name, value)).join('')
}

/** A line that cannot be folded to 998 octets is the caller's mistake. */
function field(name: string, value: string): string {
  try {
    return formatField(name, value)
  } catch (cause) {
    throw new ComposeError(`the header field ${name} has a word that is too long`, { cause })
  }
}

const ATOMS = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*$/

/** RFC 5322 §3.4 mailbox: the name as atoms, quoted string or encoded words. */
export function formatMailbox({ name, path }: Mailbox, smtputf8: boolean): string {
  const address = formatAddress(path)
  if (name === '') return address.startsWith('"') || address.length > 60 ? `<${address}>` : address
  return `${phrase(name, smtputf8)} <${address}>`
}

function phrase(name: string, smtputf8: boolean): string {
  if (ATOMS.test(name) && !name.includes('=?') && name.trim() === name) return name
  if (/^[\x20-\x7e]*$/.test(name) || smtputf8) return `"${name.replace(/["\\]/g, '\\$&')}"`
  return encodedPhrase(name)
}

/** Octets of text in one encoded word (RFC 2047 §2 allows 75 characters in all). */
const WORD_OCTETS = 45

/** RFC 2047 §5 rule 3: in a phrase every special character is encoded too, so the whole name is. */
function encodedPhrase(name: string): string {
  const words: string[] = []
  let chunk = ''
  for (const character of name) {
    if (Buffer.byteLength(chunk + character) > WORD_OCTETS) {
      words.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  return [...words, chunk].map(word => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ')
}
