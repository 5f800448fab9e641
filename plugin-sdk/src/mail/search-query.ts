// The language that people search mail in: words, "phrases", -negation and tags such as from:ann. Every text is a valid
// search; what cannot be understood is taken as words. Uses nothing of the platform, so that a browser reads it the same way.
import type { AttachmentKind } from './attachment-kind.ts'
import { SEARCH_CONDITIONS, SEARCH_QUERY_LENGTH } from './limits.ts'

export { SEARCH_CONDITIONS, SEARCH_QUERY_LENGTH }

/** A text that must, or with `not` must not, occur; without regard to case. */
export interface TextCondition {
  readonly text: string
  readonly not: boolean
}

/** `phrase`: exactly these words in this order; else the text is the beginning of a word. */
export interface WordCondition extends TextCondition {
  readonly phrase: boolean
}

/** `any`: has attachments of whatever kind; `none`: has none. */
export interface AttachmentCondition {
  readonly kind: AttachmentKind | 'any' | 'none'
  readonly not: boolean
}

/** What a message has to read: a plain text, HTML. */
export interface BodyCondition {
  readonly kind: 'text' | 'html'
  readonly not: boolean
}

/** All conditions hold for a message that matches. */
export interface MessageFilter {
  /** Words of header and texts. */
  readonly words?: readonly WordCondition[] | undefined
  /** Part of a name or address in From. */
  readonly from?: readonly TextCondition[] | undefined
  /** Part of a name or address in To, Cc or Bcc. */
  readonly to?: readonly TextCondition[] | undefined
  /** Part of the subject. */
  readonly subject?: readonly TextCondition[] | undefined
  /** Keywords, and flags as IMAP writes them: `\\seen`, `$forwarded`. */
  readonly labels?: readonly TextCondition[] | undefined
  readonly attachments?: readonly AttachmentCondition[] | undefined
  /** Part of the name of an attachment. */
  readonly files?: readonly TextCondition[] | undefined
  readonly bodies?: readonly BodyCondition[] | undefined
  /** A header field that is there, with a part of its value unless that is ''. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[] | undefined
  /** Received at or after, and before; milliseconds since the epoch. */
  readonly start?: number | undefined
  readonly end?: number | undefined
  /** The same for the time in the Date field. */
  readonly sentStart?: number | undefined
  readonly sentEnd?: number | undefined
  /** Bytes. */
  readonly minSize?: number | undefined
  readonly maxSize?: number | undefined
}

export interface SearchQuery {
  readonly filter: MessageFilter
  /** As typed; '' for all mailboxes; undefined for all but Trash, Junk and Rejects. */
  readonly mailbox: string | undefined
  /** Mailboxes below it too. */
  readonly below: boolean
}

export interface SearchOptions {
  /** Now in the time zone of who searches: what a time without a date belongs to. */
  readonly today: { readonly year: number; readonly month: number; readonly day: number }
  /** Milliseconds since the epoch of a local time; months and days count from 1 and may be beyond the end. */
  readonly time: (year: number, month: number, day: number, hour: number, minute: number) => number
}

/** h:Name:"some words" */
const HEADER = /(-?)(h|header):(?=([!#-9;-~]+:)")\3"((?:[^"]|"")*)(?:"|$)/iy
const TOKEN = /(-?)(?:([a-z]+):)?(?:"((?:[^"]|"")*)(?:"|$)|(\S*))/giy
const KINDS: ReadonlyMap<string, AttachmentCondition['kind']> = new Map<string, AttachmentCondition['kind']>([
  ...(['none', 'any', 'image', 'pdf', 'archive', 'spreadsheet', 'document', 'presentation', 'calendar'] as const).map(
    kind => [kind, kind] as const,
  ),
  ['zip', 'archive'],
])
const BODIES: readonly BodyCondition['kind'][] = ['text', 'html']
const LONG: ReadonlyMap<string, string> = new Map([
  ...['mb', 'f', 't', 's', 'l', 'a', 'h'].map((short, i): [string, string] => [
    short,
    ['mailbox', 'from', 'to', 'subject', 'label', 'attachments', 'header'][i] ?? '',
  ]),
])

/** Reads a search as typed; looks at SEARCH_QUERY_LENGTH characters and takes SEARCH_CONDITIONS conditions. */
export function parseSearch(text: string, options: SearchOptions): SearchQuery {
  const reader = new QueryReader(options)
  const source = text.slice(0, SEARCH_QUERY_LENGTH)
  for (let at = 0; at < source.length; ) {
    if (/\s/.test(source[at] ?? '')) {
      at++
      continue
    }
    HEADER.lastIndex = at
    TOKEN.lastIndex = at
    const header = HEADER.exec(source)
    const found = header ?? TOKEN.exec(source)
    if (found === null || found[0] === '') break
    at += found[0].length
    const [, minus = '', tag] = found
    const [quoted, bare = ''] = header === null ? [found[3], found[4]] : [found[4], found[3]]
    const unquoted = quoted?.replaceAll('""', '"')
    const value = header === null ? (unquoted ?? bare) : `${bare}${unquoted ?? ''}`
    if (tag !== undefined && reader.tag(tag.toLowerCase(), value, minus === '-')) continue
    reader.word(tag === undefined ? value : `${tag}:${value}`, minus === '-', quoted !== undefined)
  }
  return { filter: reader.filter(), mailbox: reader.mailbox, below: reader.below }
}

type TextField = 'from' | 'to' | 'subject' | 'labels' | 'files'
const TIMES = { start: 'start', end: 'end', sentstart: 'sentStart', sentend: 'sentEnd' } as const
type Writable<T> = { -readonly [K in keyof T]: T[K] }

class QueryReader {
  readonly #options: SearchOptions
  readonly #words: WordCondition[] = []
  readonly #texts = new Map<TextField, TextCondition[]>()
  readonly #attachments: AttachmentCondition[] = []
  readonly #bodies: BodyCondition[] = []
  readonly #headers: { name: string; value: string }[] = []
  readonly #bounds: Writable<Pick<MessageFilter, (typeof TIMES)[keyof typeof TIMES] | 'minSize' | 'maxSize'>> = {}
  #count = 0
  mailbox: string | undefined
  below = false

  constructor(options: SearchOptions) {
    this.#options = options
  }

  filter(): MessageFilter {
    return {
      ...(this.#words.length > 0 ? { words: this.#words } : {}),
      ...Object.fromEntries(this.#texts),
      ...(this.#attachments.length > 0 ? { attachments: this.#attachments } : {}),
      ...(this.#bodies.length > 0 ? { bodies: this.#bodies } : {}),
      ...(this.#headers.length > 0 ? { headers: this.#headers } : {}),
      ...this.#bounds,
    }
  }

  word(text: string, not: boolean, phrase: boolean): void {
    if (text.trim() !== '' && this.#room()) this.#words.push({ text, not, phrase })
  }

  /** False for what is no tag with a value that fits it. */
  tag(given: string, value: string, not: boolean): boolean {
    const name = LONG.get(given) ?? given
    switch (name) {
      case 'from':
      case 'to':
      case 'subject':
        return value !== '' && this.#text(name, value, not)
      case 'label':
        return value !== '' && this.#text('labels', value.toLowerCase(), not)
      case 'file':
        return value !== '' && this.#text('files', value, not)
      case 'attachments':
        return this.#attachment(KINDS.get(value.toLowerCase()), not)
      case 'has': {
        // As it is typed elsewhere.
        if (/^attachments?$/i.test(value)) return this.#attachment('any', not)
        const kind = BODIES.find(body => body === value.toLowerCase())
        if (kind !== undefined && this.#room()) this.#bodies.push({ kind, not })
        return kind !== undefined
      }
    }
    return !not && this.#plain(name, value)
  }

  /** Tags that cannot be negated. */
  #plain(name: string, value: string): boolean {
    switch (name) {
      case 'mailbox':
        this.mailbox = value
        return true
      case 'submb':
        this.below = true
        return true
      case 'header':
        return this.#header(value)
      case 'start':
      case 'end':
      case 'sentstart':
      case 'sentend': {
        const time = readTime(value, name.endsWith('end'), this.#options)
        if (time === null) return false
        this.#bounds[TIMES[name]] = time
        return true
      }
      case 'minsize':
      case 'maxsize': {
        const size = readSize(value)
        if (size === null) return false
        this.#bounds[name === 'minsize' ? 'minSize' : 'maxSize'] = size
        return true
      }
    }
    return false
  }

  #attachment(kind: AttachmentCondition['kind'] | undefined, not: boolean): boolean {
    if (kind !== undefined && this.#room()) this.#attachments.push({ kind, not })
    return kind !== undefined
  }

  #text(name: TextField, text: string, not: boolean): boolean {
    const list = this.#texts.get(name) ?? []
    this.#texts.set(name, list)
    if (this.#room()) list.push({ text, not })
    return true
  }

  #header(text: string): boolean {
    const colon = text.indexOf(':')
    const name = (colon < 0 ? text : text.slice(0, colon)).toLowerCase()
    if (!/^[!-9;-~]+$/.test(name)) return false
    if (this.#room()) this.#headers.push({ name, value: colon < 0 ? '' : text.slice(colon + 1).trim() })
    return true
  }

  #room(): boolean {
    return this.#count++ < SEARCH_CONDITIONS
  }
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
])

/** "10mb": a number with its unit, in powers of 1024. */
function readSize(text: string): number | null {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(b|kb?|mb?|gb?)$/i.exec(text)
  return found === null ? null : Math.round(Number(found[1]) * (UNITS.get((found[2] ?? 'b')[0]!.toLowerCase()) ?? 1))
}

/** "2023-7-1", "10:30" (today), "2023-7-1T10:30". The end of a day without a time is the midnight after it. */
function readTime(text: string, end: boolean, { today, time }: SearchOptions): number | null {
  const found = /^(?:(\d{4})-(\d{1,2})-(\d{1,2}))?(T?)(?:(\d{1,2}):(\d{2}))?$/i.exec(text)
  if (found === null) return null
  const [, year, month, day, separator, hour, minute] = found
  if (
    (year === undefined && (hour === undefined || separator !== '')) ||
    (year !== undefined && hour !== undefined) !== (separator !== '')
  )
    return null
  const date = year === undefined ? today : { year: Number(year), month: Number(month), day: Number(day) }
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return null
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59) return null
  if (hour === undefined) return time(date.year, date.month, date.day + (end ? 1 : 0), 0, 0)
  return time(date.year, date.month, date.day, Number(hour), Number(minute))
}
