// A message as programs want it: who wrote to whom, the texts that people read, and what else is in it. Lenient and bounded;
// nothing throws.
import { pathToString } from './address.ts'
import { parseAddressList } from './author.ts'
import { parseDate } from './date.ts'
import type { Head } from './header.ts'
import { parseMessageIds } from './ids.ts'
import {
  ADDRESS_LIST_ENTRIES,
  MESSAGE_ID_LENGTH,
  SUBJECT_LENGTH,
  VIEW_OCTETS,
  VIEW_PARTS,
  VIEW_TEXT_OCTETS,
} from './limits.ts'
import { type Part, parseStructure } from './mime.ts'
import { decodeText } from './mime-text.ts'
import { parseParameters } from './parameters.ts'
import { type MessageStructure, messageStructure } from './structure.ts'
import { decodeWords } from './words.ts'

export interface NameAddress {
  /** Display name, encoded words decoded; '' when there is none. */
  readonly name: string
  /** "local@domain" with a Unicode domain where that is safe to show; as written when it is no address we accept. */
  readonly address: string
}

export interface MessageView {
  readonly from: readonly NameAddress[]
  readonly to: readonly NameAddress[]
  readonly cc: readonly NameAddress[]
  readonly bcc: readonly NameAddress[]
  readonly replyTo: readonly NameAddress[]
  readonly subject: string
  /** With angle brackets; '' when absent. */
  readonly messageId: string
  readonly inReplyTo: string
  /** In lower case, with angle brackets. */
  readonly references: readonly string[]
  /** Milliseconds since the epoch; undefined when absent or unreadable. */
  readonly date: number | undefined
  /** The first texts that people read, line ends "\n", at most VIEW_TEXT_OCTETS each; '' when there is none. */
  readonly text: string
  readonly html: string
  readonly structure: MessageStructure
  /** Of the message itself; `automated` needs it. */
  readonly head: Head
}

/** Makes a view of a whole message; looks at the first VIEW_OCTETS. Linear in that. */
export function messageView(message: Buffer): MessageView {
  const bytes = message.length > VIEW_OCTETS ? message.subarray(0, VIEW_OCTETS) : message
  const root = parseStructure(bytes, { parts: VIEW_PARTS })
  const { head } = root
  const readable = readableParts(root)
  return {
    from: fieldAddresses(head, 'from'),
    to: fieldAddresses(head, 'to'),
    cc: fieldAddresses(head, 'cc'),
    bcc: fieldAddresses(head, 'bcc'),
    replyTo: fieldAddresses(head, 'reply-to'),
    subject: decodeWords((head.get('subject') ?? '').slice(0, SUBJECT_LENGTH)),
    messageId: firstMessageId(head.get('message-id')),
    inReplyTo: firstMessageId(head.get('in-reply-to')),
    references: parseMessageIds(head.get('references') ?? '').map(id => `<${id}>`),
    date: parseDate(head.get('date') ?? '') ?? undefined,
    text: readText(bytes, readable.text),
    html: readText(bytes, readable.html),
    structure: messageStructure(bytes, root),
    head,
  }
}

/**
 * Whether nobody wrote it by hand, so that nobody should answer it by program: from nobody, a mailing list, a reply of a
 * program (RFC 3834 §5), or a report. `reversePath` is '' for `<>`.
 */
export function isAutomated(head: Head, reversePath: string): boolean {
  const given = (name: string): boolean => (head.get(name) ?? '') !== ''
  const answered = (head.get('auto-submitted') ?? '').replace(/[\s;(].*/s, '').toLowerCase()
  return (
    reversePath === '' ||
    ['list-id', 'list-unsubscribe', 'list-unsubscribe-post', 'precedence'].some(given) ||
    (answered !== '' && answered !== 'no') ||
    parseParameters(head.get('content-type') ?? '').value === 'multipart/report'
  )
}

interface Readable {
  readonly text?: Part
  readonly html?: Part
}

/**
 * The parts that people read. Among alternatives the first text and the first HTML; of other parts that stand side by side
 * the first that has something to read. Attachments are never taken.
 */
export function readableParts(part: Part): Readable {
  if (part.type !== 'multipart') {
    if (part.disposition === 'attachment') return {}
    return part.contentType === 'text/plain' ? { text: part } : part.contentType === 'text/html' ? { html: part } : {}
  }
  let found: Readable = {}
  for (const child of part.children) {
    const inner = readableParts(child)
    if (inner.text === undefined && inner.html === undefined) continue
    if (part.subtype !== 'alternative') return inner
    found = { ...inner, ...found }
  }
  return found
}

/** Octets as transferred that are decoded: no encoding makes more than three octets of one. */
const TRANSFERRED_OCTETS = 4 * VIEW_TEXT_OCTETS

function readText(bytes: Buffer, part: Part | undefined): string {
  if (part === undefined) return ''
  const end = Math.min(part.end, part.bodyStart + TRANSFERRED_OCTETS)
  return cutText(decodeText(bytes, { ...part, end }).replace(/\r\n?/g, '\n'))
}

/** At most VIEW_TEXT_OCTETS of UTF-8, without half a character at the end. */
function cutText(text: string): string {
  if (text.length * 3 <= VIEW_TEXT_OCTETS) return text
  const encoded = Buffer.from(text)
  if (encoded.length <= VIEW_TEXT_OCTETS) return text
  let end = VIEW_TEXT_OCTETS
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end)
}

/** The addresses of all fields of that name, at most ADDRESS_LIST_ENTRIES. Groups give their members. */
export function fieldAddresses(head: Head, name: string): NameAddress[] {
  const found: NameAddress[] = []
  for (const field of head.all(name))
    for (const entry of parseAddressList(field.value)) {
      if (found.length === ADDRESS_LIST_ENTRIES) return found
      if (entry.address !== null) found.push({ name: entry.name, address: pathToString(entry.address) })
      else if (entry.name.includes('@')) found.push({ name: '', address: entry.name })
      else if (entry.name !== '') found.push({ name: entry.name, address: '' })
    }
  return found
}

/** The first message-id of a field, as written, with angle brackets; '' when there is none. */
export function firstMessageId(value: string | undefined): string {
  const text = (value ?? '').slice(0, MESSAGE_ID_LENGTH + 2).trim()
  const found = /<[^<>]+>/.exec(text)?.[0]
  return found ?? (text === '' || /[\s<>]/.test(text) ? '' : `<${text}>`)
}
