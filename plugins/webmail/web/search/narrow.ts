// Narrowing a search by what the server counted of it: its text with one condition more.
import { format, parse } from './query.ts'

export interface Period {
  readonly label: string
  /** Milliseconds, local midnights. */
  readonly start: number
  readonly end: number
  readonly count: number
}

/** Months, or years when there are more months than one wants to read. */
const MONTHS = 12
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' })

export function periods(months: readonly { readonly month: string; readonly count: number }[]): Period[] {
  const byYear = months.length > MONTHS
  const found = new Map<string, Period>()
  for (const { month: text, count } of months) {
    const [year = 0, month = 1] = text.split('-').map(Number)
    const [start, end] = byYear
      ? [new Date(year, 0, 1), new Date(year + 1, 0, 1)]
      : [new Date(year, month - 1, 1), new Date(year, month, 1)]
    const label = byYear ? String(year) : MONTH.format(start)
    const sum = (found.get(label)?.count ?? 0) + count
    found.set(label, { label, start: start.getTime(), end: end.getTime(), count: sum })
  }
  return [...found.values()]
}

export type Narrowing = { readonly from: string } | { readonly mailbox: string } | Pick<Period, 'start' | 'end'>

export function narrowed(query: string, by: Narrowing): string {
  const search = parse(query)
  const { filter } = search
  if ('mailbox' in by) return format({ ...search, mailbox: by.mailbox, below: false })
  if ('from' in by)
    return format({ ...search, filter: { ...filter, from: [...(filter.from ?? []), { text: by.from, not: false }] } })
  const start = Math.max(by.start, filter.start ?? by.start)
  const end = Math.min(by.end, filter.end ?? by.end)
  return format({ ...search, filter: { ...filter, start, end } })
}
