// What lists and search need to know of a message, taken from it once: a line of preview, kinds of attachments, and the
// words to find it by. Bounded whatever the message; nothing throws.
import { type AttachmentKind, attachmentKind, partRoles } from './attachments.ts'
import type { Head } from './header.ts'
import { htmlText } from './html-text.ts'
import {
  PREVIEW_LENGTH,
  SEARCH_FIELD_NAMES,
  SEARCH_HEADER_LENGTH,
  SEARCH_TEXT_LENGTH,
  VIEW_OCTETS,
  VIEW_PARTS,
} from './limits.ts'
import { type Part, parseStructure } from './mime.ts'
import { decodeText } from './mime-text.ts'
import { decodeWords } from './words.ts'

export interface MessageDigest {
  /** One line, at most PREVIEW_LENGTH characters. */
  readonly preview: string
  /** Kinds of its attachments, each once, sorted. */
  readonly attachments: readonly AttachmentKind[]
  /** File names of its attachments, as they come, joined by "\n". */
  readonly files: string
  /** Whether it has a plain text to read, and HTML. */
  readonly bodies: readonly ('text' | 'html')[]
  /** Names of its header fields in lower case, each once, joined by "\n". */
  readonly fields: string
  /** What people can find it by: header, file names, and texts of it and of messages in it. At most SEARCH_TEXT_LENGTH. */
  readonly text: string
}

/** Fields that are searched with the text. Others say nothing to people. */
const SEARCHED: readonly string[] = [
  ...['subject', 'from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'resent-from', 'resent-to', 'list-id'],
  ...['organization', 'keywords', 'comments', 'message-id', 'thread-topic'],
]
/** Octets as transferred for one character, at most: base64 of a character of four octets, with line ends. */
const OCTETS_PER_CHARACTER = 6

/** Looks at the first VIEW_OCTETS of a whole message. Linear in that. */
export function messageDigest(message: Buffer): MessageDigest {
  const bytes = message.length > VIEW_OCTETS ? message.subarray(0, VIEW_OCTETS) : message
  const root = parseStructure(bytes, { parts: VIEW_PARTS })
  const roles = partRoles(root)
  const kinds = new Set(roles.attachments.map(part => attachmentKind(part.contentType, part.filename)))
  const names = new Set(root.head.fields.map(field => field.lower))
  const collector = new TextCollector(bytes)
  collector.message(root)
  return {
    preview: firstPreview(bytes, roles.texts, roles.html),
    attachments: [...kinds].sort(),
    files: roles.attachments.flatMap(part => part.filename ?? []).join('\n'),
    bodies: [
      ...(roles.texts.length > 0 ? (['text'] as const) : []),
      ...(roles.html === undefined ? [] : (['html'] as const)),
    ],
    fields: [...names].slice(0, SEARCH_FIELD_NAMES).join('\n'),
    text: collector.text(),
  }
}

class TextCollector {
  readonly #bytes: Buffer
  readonly #found: string[] = []
  #left = SEARCH_TEXT_LENGTH

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  text(): string {
    return this.#found.join('\n')
  }

  message(root: Part): void {
    this.#header(root.head)
    const parts: Part[] = [root]
    const later: Part[] = []
    for (let part = parts.pop(); part !== undefined && this.#left > 0; part = parts.pop()) {
      if (part.filename !== undefined) this.#add(part.filename)
      if (part.message !== undefined) later.push(part.message)
      else if (part.type === 'text') this.#add(readText(this.#bytes, part, this.#left))
      for (let i = part.children.length - 1; i >= 0; i--) parts.push(part.children[i]!)
    }
    for (const message of later) if (this.#left > 0) this.message(message)
  }

  #header(head: Head): void {
    for (const name of SEARCHED)
      for (const { value } of head.all(name)) {
        if (this.#left <= 0) return
        this.#add(decodeWords(value.slice(0, SEARCH_HEADER_LENGTH)))
      }
  }

  #add(text: string): void {
    const taken = text.length > this.#left ? text.slice(0, this.#left).toWellFormed() : text
    this.#left -= taken.length + 1
    this.#found.push(taken)
  }
}

/** At most `limit` characters of a text part; of HTML what people read. */
function readText(bytes: Buffer, part: Part, limit: number): string {
  const html = part.subtype === 'html'
  // Markup takes room of its own.
  const octets = limit * OCTETS_PER_CHARACTER * (html ? 4 : 1)
  const text = decodeText(bytes, { ...part, end: Math.min(part.end, part.bodyStart + octets) })
  return (html ? htmlText(text) : text).slice(0, limit)
}

/** Characters of a text that a preview is made from. */
const PREVIEW_SOURCE = 20_000

function firstPreview(bytes: Buffer, texts: readonly Part[], html: Part | undefined): string {
  for (const part of [...texts, ...(html === undefined ? [] : [html])]) {
    const found = textPreview(readText(bytes, part, PREVIEW_SOURCE))
    if (found !== '') return found
  }
  return ''
}

/** One line of a text: quotes are "[...]", what cannot be seen is left out, as is what follows a signature mark. */
export function textPreview(text: string): string {
  const out: string[] = []
  let length = 0
  for (const raw of text.slice(0, PREVIEW_SOURCE).split(/\r\n|\r|\n/)) {
    if (/^-- ?$/.test(raw) && length > 0) break
    const line = raw
      .replace(/(?:[\p{Cc}\p{Cf}\p{Cs}]|\u034f)+/gu, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    const shown = line.startsWith('>') ? '[...]' : line
    if (shown === '' || (shown === '[...]' && out.at(-1) === shown)) continue
    out.push(shown)
    length += shown.length + 1
    if (length > PREVIEW_LENGTH) break
  }
  return [...out.join(' ')].slice(0, PREVIEW_LENGTH).join('')
}
