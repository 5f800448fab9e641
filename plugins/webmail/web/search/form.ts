// The search form as plain values: what its fields hold for a search, and the search that fields make.
import type {
  AttachmentCondition,
  BodyCondition,
  MessageFilter,
  SearchQuery,
  TextCondition,
} from '@mox/plugin-sdk/search'
import { dateText, format, formatSize, formatTexts, parse, readTexts, timeText } from './query.ts'

export const ATTACHMENT_CHOICES = [
  ...(['none', 'any', 'image', 'pdf', 'archive', 'spreadsheet', 'document', 'presentation', 'calendar'] as const),
] as const

/** Flags of the form's buttons: the label as the language writes it, and its name for people. */
export const FLAG_LABELS: readonly (readonly [label: string, name: string])[] = [
  ['\\seen', 'Read'],
  ['\\answered', 'Replied'],
  ['\\flagged', 'Flagged'],
  ['\\deleted', 'Deleted'],
  ['\\draft', 'Draft'],
  ['$forwarded', 'Forwarded'],
  ['$junk', 'Junk'],
  ['$notjunk', 'Not junk'],
  ['$phishing', 'Phishing'],
  ['$mdnsent', 'MDN sent'],
]

export type Tristate = 'must' | 'not' | ''

export interface DateFields {
  /** "2023-07-01" or ''; "10:30" or ''. */
  readonly startDate: string
  readonly startTime: string
  readonly endDate: string
  readonly endTime: string
}

export interface SearchForm {
  /** undefined: all but Trash, Junk and Rejects; '': all. */
  readonly mailbox: string | undefined
  readonly below: boolean
  readonly words: string
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly received: DateFields
  /** By the Date field. */
  readonly sent: DateFields
  readonly attachments: AttachmentCondition['kind'] | ''
  /** Names of attachments, as typed. */
  readonly files: string
  readonly bodies: ReadonlyMap<BodyCondition['kind'], Tristate>
  readonly flags: ReadonlyMap<string, Tristate>
  /** Other labels, as typed. */
  readonly labels: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** "10mb" or ''. */
  readonly minSize: string
  readonly maxSize: string
  /** Conditions on attachments that the choices cannot show: those beyond the first, and negated ones. */
  readonly otherAttachments: readonly AttachmentCondition[]
}

/** The fields for what stands in the bar. */
export function formOf(text: string, now: Date = new Date()): SearchForm {
  const { filter, mailbox, below } = parse(text, now)
  const flags = new Map<string, Tristate>()
  const labels: TextCondition[] = []
  for (const label of filter.labels ?? []) {
    const known = FLAG_LABELS.some(([flag]) => flag === label.text)
    if (known && !flags.has(label.text)) flags.set(label.text, label.not ? 'not' : 'must')
    else labels.push(label)
  }
  const choice = filter.attachments?.find(a => !a.not)
  return {
    mailbox,
    below,
    words: formatTexts(filter.words),
    from: formatTexts(filter.from),
    to: formatTexts(filter.to),
    subject: formatTexts(filter.subject),
    received: dateFields(filter.start, filter.end),
    sent: dateFields(filter.sentStart, filter.sentEnd),
    attachments: choice?.kind ?? '',
    files: formatTexts(filter.files),
    bodies: new Map(filter.bodies?.map(({ kind, not }) => [kind, not ? 'not' : 'must'])),
    flags,
    labels: formatTexts(labels),
    headers: filter.headers ?? [],
    minSize: filter.minSize === undefined ? '' : formatSize(filter.minSize),
    maxSize: filter.maxSize === undefined ? '' : formatSize(filter.maxSize),
    otherAttachments: (filter.attachments ?? []).filter(a => a !== choice),
  }
}

const NO_DATES: DateFields = { startDate: '', startTime: '', endDate: '', endTime: '' }

function dateFields(start: number | undefined, end: number | undefined): DateFields {
  const fields = { ...NO_DATES }
  const time = (d: Date) => (d.getHours() === 0 && d.getMinutes() === 0 ? '' : timeText(d))
  if (start !== undefined) {
    const at = new Date(start)
    Object.assign(fields, { startDate: dateText(at), startTime: time(at) })
  }
  if (end !== undefined) {
    const at = new Date(end)
    const day = time(at) === '' ? new Date(at.getFullYear(), at.getMonth(), at.getDate() - 1) : at
    Object.assign(fields, { endDate: dateText(day), endTime: time(at) })
  }
  return fields
}

/** What the bar says for the fields. A size or date that is not complete yet is left out. */
export function textOf(form: SearchForm, now: Date = new Date()): string {
  const texts = (text: string): readonly TextCondition[] => readTexts(text).map(({ text, not }) => ({ text, not }))
  const labels = [
    ...[...form.flags].flatMap(([text, state]) => (state === '' ? [] : [{ text, not: state === 'not' }])),
    ...texts(form.labels),
  ]
  const { start, end, sentStart, sentEnd, minSize, maxSize } = parse(
    [
      bounds('', form.received),
      bounds('sent', form.sent),
      form.minSize === '' ? '' : `minsize:${withUnit(form.minSize)}`,
      form.maxSize === '' ? '' : `maxsize:${withUnit(form.maxSize)}`,
    ].join(' '),
    now,
  ).filter
  const filter: MessageFilter = {
    words: readTexts(form.words),
    from: texts(form.from),
    to: texts(form.to),
    subject: texts(form.subject),
    labels,
    attachments: [
      ...(form.attachments === '' ? [] : [{ kind: form.attachments, not: false }]),
      ...form.otherAttachments,
    ],
    files: texts(form.files),
    bodies: [...form.bodies].flatMap(([kind, state]) => (state === '' ? [] : [{ kind, not: state === 'not' }])),
    headers: form.headers.filter(h => /^[!-9;-~]+$/.test(h.name)),
    ...{ start, end, sentStart, sentEnd, minSize, maxSize },
  }
  const query: SearchQuery = { filter, mailbox: form.mailbox, below: form.below }
  return format(query)
}

function bounds(tag: '' | 'sent', { startDate, startTime, endDate, endTime }: DateFields): string {
  return `${bound(`${tag}start`, startDate, startTime)} ${bound(`${tag}end`, endDate, endTime)}`
}

function bound(tag: string, date: string, time: string): string {
  if (date === '' && time === '') return ''
  return `${tag}:${date}${date !== '' && time !== '' ? 'T' : ''}${time}`
}

/** A bare number is of megabytes; a space before the unit is no matter. */
function withUnit(text: string): string {
  const plain = text.replaceAll(/\s/g, '')
  return /^[\d.]+$/.test(plain) ? `${plain}mb` : plain
}

/** The next state of a three-state button. */
export function nextState(state: Tristate): Tristate {
  return state === '' ? 'must' : state === 'must' ? 'not' : ''
}

/** The form with mail of the last so many days only. */
export function lastDays(form: SearchForm, days: number, now: Date = new Date()): SearchForm {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days)
  return { ...form, received: { ...NO_DATES, startDate: dateText(from) } }
}
