// Times of an invitation in words, in the reader's zone. Pure.
import type { Invitation, When } from '../src/invitation.ts'
import type { Chosen } from './settings.ts'

const DAY = 24 * 60 * 60 * 1_000

/** `locale`: undefined for the browser's. */
export function whenText(
  { start, end }: Pick<Invitation, 'start' | 'end'>,
  { timeZone }: Chosen,
  locale?: string,
): string {
  const format = (options: Intl.DateTimeFormatOptions, utc: boolean): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale, {
      ...options,
      ...(utc ? { timeZone: 'UTC' } : timeZone === '' ? {} : { timeZone }),
    })
  if (start.kind === 'day') {
    const day = format({ dateStyle: 'full' }, true)
    // The end is the day after.
    const last = end?.kind === 'day' ? Date.parse(end.day) - DAY : Date.parse(start.day)
    return last > Date.parse(start.day)
      ? day.formatRange(Date.parse(start.day), last)
      : day.format(Date.parse(start.day))
  }
  const utc = start.kind === 'clock'
  const from = momentOf(start)
  const to = end?.kind === start.kind ? momentOf(end) : from
  // formatRange takes no dateStyle together with a name of the zone.
  const full = format(
    {
      ...{ weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' },
      ...(utc ? {} : { timeZoneName: 'short' }),
    },
    utc,
  )
  const text = to > from ? full.formatRange(from, to) : full.format(from)
  if (start.kind !== 'clock') return text
  return `${text} (${start.zone === '' ? 'time of the place' : `time zone “${start.zone}”`})`
}

function momentOf(when: When): number {
  return when.kind === 'time' ? when.at : Date.parse(when.kind === 'day' ? when.day : `${when.clock}Z`)
}

/** The day on which it begins, as "2026-12-01", for the reader. */
export function dayOf(start: When, { timeZone }: Chosen): string {
  if (start.kind !== 'time') return start.kind === 'day' ? start.day : start.clock.slice(0, 10)
  const zone = timeZone === '' ? {} : { timeZone }
  // The date of this locale is written as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { year: 'numeric', month: '2-digit', day: '2-digit', ...zone }).format(
    start.at,
  )
}

/** The seven days of the week of a day, each as "2026-12-01". */
export function weekOf(day: string, { weekStart }: Chosen): readonly string[] {
  const at = Date.parse(day)
  const before = (new Date(at).getUTCDay() - weekStart + 7) % 7
  return Array.from({ length: 7 }, (_, i) => new Date(at + (i - before) * DAY).toISOString().slice(0, 10))
}
