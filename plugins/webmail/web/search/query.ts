// From what was typed to what the server is asked, and back. Dates are those of the reader's own clock and time zone.
import {
  type MessageFilter,
  parseSearch,
  type SearchQuery,
  type TextCondition,
  type WordCondition,
} from '@mox/plugin-sdk/search'
import type { ViewQuery } from '../../src/api/model.ts'

/** A search as typed. Months and days are of the local calendar, at local midnight. */
export function parse(text: string, now: Date = new Date()): SearchQuery {
  return parseSearch(text, {
    today: { year: now.getFullYear(), month: now.getMonth() + 1, day: now.getDate() },
    time: (year, month, day, hour, minute) => new Date(year, month - 1, day, hour, minute).getTime(),
  })
}

export const REFINES = ['', 'unread', 'read', 'attachments', 'flagged'] as const
/** One of REFINES, or "label:" and a keyword. */
export type Refine = (typeof REFINES)[number] | `label:${string}`

export function isRefine(text: unknown): text is Refine {
  return typeof text === 'string' && ((REFINES as readonly string[]).includes(text) || /^label:.{1,100}$/.test(text))
}

/** A filter narrowed by what the list's header has chosen. Attachments chosen there stand instead of those searched for. */
export function refined(filter: MessageFilter, refine: Refine): MessageFilter {
  const label = (text: string, not: boolean): MessageFilter => ({
    ...filter,
    labels: [...(filter.labels ?? []), { text, not }],
  })
  switch (refine) {
    case '':
      return filter
    case 'unread':
      return label('\\seen', true)
    case 'read':
      return label('\\seen', false)
    case 'flagged':
      return label('\\flagged', false)
    case 'attachments':
      return { ...filter, attachments: [{ kind: 'any', not: false }] }
    default:
      return label(refine.slice('label:'.length), false)
  }
}

export interface Shown {
  readonly order: 'newest' | 'oldest'
  readonly threads: boolean
  readonly refine: Refine
}

/** The view of a search. */
export function searchView(search: SearchQuery, shown: Shown): ViewQuery {
  return {
    scope:
      search.mailbox === undefined
        ? 'usual'
        : search.mailbox === ''
          ? 'all'
          : { mailbox: search.mailbox, ...(search.below ? { below: true } : {}) },
    filter: jsonFilter(refined(search.filter, shown.refine)),
    order: shown.order,
    threads: shown.threads,
  }
}

/** The view of a mailbox. */
export function mailboxView(mailbox: number | string, shown: Shown): ViewQuery {
  return {
    scope: { mailbox },
    ...(shown.refine === '' ? {} : { filter: jsonFilter(refined({}, shown.refine)) }),
    order: shown.order,
    threads: shown.threads,
  }
}

function jsonFilter(filter: MessageFilter): NonNullable<ViewQuery['filter']> {
  const present = Object.entries(filter).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as NonNullable<ViewQuery['filter']>
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

/** A value after a tag, where a colon or a minus means nothing. */
const value = (text: string): string => (/["\s]/.test(text) ? quoted(text) : text)

/** A word, in quotes where it would be read as something else without. */
function word({ text, not, phrase }: WordCondition): string {
  const minus = not ? '-' : ''
  if (phrase) return `${minus}${quoted(text)}`
  const { filter, mailbox, below } = parse(`${minus}${text}`)
  const [only] = filter.words ?? []
  const same = Object.keys(filter).length === 1 && filter.words?.length === 1 && mailbox === undefined && !below
  return same && only?.text === text && only.not === not && !only.phrase ? `${minus}${text}` : `${minus}${quoted(text)}`
}

/** Conditions as one types them into a field of the form: `ann -"bob jones"`. */
export function formatTexts(list: readonly (TextCondition & { readonly phrase?: boolean })[] = []): string {
  return list
    .map(({ text, not, phrase }) => {
      const plain = phrase !== true && text !== '' && !/^[-"]|\s/.test(text)
      return `${not ? '-' : ''}${plain ? text : quoted(text)}`
    })
    .join(' ')
}

/** Words and quoted phrases with a "-" before what must not be; nothing in them is a tag. */
export function readTexts(text: string): readonly (TextCondition & { readonly phrase: boolean })[] {
  const found: { text: string; not: boolean; phrase: boolean }[] = []
  for (const [, minus, inQuotes, bare] of text.matchAll(/(-?)(?:"((?:[^"]|"")*)(?:"|$)|(\S+))/g)) {
    const one = inQuotes?.replaceAll('""', '"') ?? bare ?? ''
    if (one.trim() !== '') found.push({ text: one, not: minus === '-', phrase: inQuotes !== undefined })
  }
  return found
}

const pad = (n: number): string => String(n).padStart(2, '0')
export const dateText = (d: Date): string => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
export const timeText = (d: Date): string => `${pad(d.getHours())}:${pad(d.getMinutes())}`

/** "2023-07-01" or "2023-07-01T10:30". The end of a day is written as that day. */
export function formatTime(ms: number, end: boolean): string {
  const at = new Date(ms)
  if (at.getHours() !== 0 || at.getMinutes() !== 0) return `${dateText(at)}T${timeText(at)}`
  return dateText(end ? new Date(at.getFullYear(), at.getMonth(), at.getDate() - 1) : at)
}

/** "10mb": in the largest unit in which it is whole, or exact to three digits. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [
    ['gb', 1024 ** 3],
    ['mb', 1024 ** 2],
    ['kb', 1024],
  ] as const) {
    const count = Number((bytes / size).toFixed(3))
    if (bytes >= size && Math.round(count * size) === bytes) return `${count}${unit}`
  }
  return `${bytes}b`
}

/** A search in its canonical form: always in this order, quoted only where that is needed. Reading it gives the same search. */
export function format({ filter, mailbox, below }: SearchQuery): string {
  const tagged = (tag: string, list: readonly TextCondition[] = []) =>
    list.map(t => `${t.not ? '-' : ''}${tag}:${value(t.text)}`)
  return [
    ...(mailbox === undefined ? [] : [mailbox === '' ? 'mb:' : `mb:${value(mailbox)}`]),
    ...(below ? ['submb:'] : []),
    ...(filter.words ?? []).map(word),
    ...tagged('f', filter.from),
    ...tagged('t', filter.to),
    ...tagged('s', filter.subject),
    ...(filter.start === undefined ? [] : [`start:${formatTime(filter.start, false)}`]),
    ...(filter.end === undefined ? [] : [`end:${formatTime(filter.end, true)}`]),
    ...(filter.sentStart === undefined ? [] : [`sentstart:${formatTime(filter.sentStart, false)}`]),
    ...(filter.sentEnd === undefined ? [] : [`sentend:${formatTime(filter.sentEnd, true)}`]),
    ...(filter.attachments ?? []).map(a => `${a.not ? '-' : ''}a:${a.kind}`),
    ...tagged('file', filter.files),
    ...(filter.bodies ?? []).map(b => `${b.not ? '-' : ''}has:${b.kind}`),
    ...tagged('l', filter.labels),
    ...(filter.headers ?? []).map(h => `h:${h.name}${h.value === '' ? '' : `:${value(h.value)}`}`),
    ...(filter.minSize === undefined ? [] : [`minsize:${formatSize(filter.minSize)}`]),
    ...(filter.maxSize === undefined ? [] : [`maxsize:${formatSize(filter.maxSize)}`]),
  ].join(' ')
}

/** Whether a search says more than where to look. */
export function isExtended({ filter }: SearchQuery): boolean {
  return Object.keys(filter).length > 0
}
