// Times of iCalendar (RFC 5545 §3.3.4, §3.3.5, §3.6.5) as moments. Zones are those of the IANA database by name; a zone with
// another name, such as those of Windows, is what its VTIMEZONE says.
import type { When } from './invitation.ts'
import { type Component, type Property, propertyOf } from './lines.ts'

const DATE = /^(\d{4})(\d\d)(\d\d)$/
const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?(Z?)$/
const HOUR = 3_600_000
const DAY: number = 24 * HOUR

/** undefined for what is no time. */
export function whenOf({ value, params }: Property, zones: readonly Component[]): When | undefined {
  const text = value.trim().toUpperCase()
  const date = DATE.exec(text)
  if (date !== null) {
    const at = utc(date)
    return at === undefined ? undefined : { kind: 'day', day: isoDay(at) }
  }
  const time = TIME.exec(text)
  const local = time === null ? undefined : utc(time)
  if (local === undefined) return undefined
  if (time?.[7] === 'Z') return { kind: 'time', at: local }
  const zone = (params.get('TZID') ?? '').slice(0, 100)
  const at = zone === '' ? undefined : (inNamedZone(local, zone) ?? inDescribedZone(local, zone, zones))
  return at === undefined
    ? { kind: 'clock', clock: new Date(local).toISOString().slice(0, 16), zone }
    : { kind: 'time', at }
}

/** P1DT2H30M, PT45M, P2W: in milliseconds; undefined for what is none. */
export function durationOf(text: string): number | undefined {
  const found = /^P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/.exec(text.trim())
  if (found === null) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map(n => Number(n ?? 0))
  return (weeks * 7 + days) * DAY + hours * HOUR + minutes * 60_000 + seconds * 1_000
}

export function plus(when: When, ms: number): When {
  if (when.kind === 'time') return { kind: 'time', at: when.at + ms }
  if (when.kind === 'day') return { kind: 'day', day: isoDay(Date.parse(when.day) + Math.max(ms, DAY)) }
  return { ...when, clock: new Date(Date.parse(`${when.clock}Z`) + ms).toISOString().slice(0, 16) }
}

function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** As if it were UTC; undefined for a day or time that there is not. */
function utc([, year, month, day, hour = '0', minute = '0', second = '0']: RegExpExecArray): number | undefined {
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [
    ...[number, number, number, number, number, number],
  ]
  if (y < 1600 || mo < 1 || mo > 12 || h > 23 || mi > 59 || s > 60) return undefined
  const at = Date.UTC(y, mo - 1, d, h, mi, s)
  return d >= 1 && new Date(Date.UTC(y, mo - 1, d)).getUTCDate() === d ? at : undefined
}

/** undefined when there is no zone of that name. */
function inNamedZone(local: number, zone: string): number | undefined {
  // A prefix names the database in some programs: "/mozilla.org/20050126_1/Europe/Berlin".
  const name = /(?:^|\/)([A-Z][\w+-]+(?:\/[A-Z][\w+-]+){1,2})$/.exec(zone)?.[1] ?? zone
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
  } catch {
    return undefined
  }
  const offset = (at: number): number => {
    const parts = new Map(format.formatToParts(at).map(p => [p.type, Number(p.value)]))
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - at
  }
  // The second step is right where the first fell on the other side of a change of clocks.
  const first = local - offset(local)
  return local - offset(first)
}

/** By the change of clocks that was the last before it. */
function inDescribedZone(local: number, zone: string, zones: readonly Component[]): number | undefined {
  const described = zones.find(z => z.name === 'VTIMEZONE' && propertyOf(z, 'TZID')?.value.trim() === zone)
  const year = new Date(local).getUTCFullYear()
  let best: { readonly onset: number; readonly offset: number } | undefined
  for (const part of described?.components.slice(0, 50) ?? []) {
    const offset = offsetOf(propertyOf(part, 'TZOFFSETTO')?.value ?? '')
    if (offset === undefined) continue
    for (const onset of [onsetIn(part, year - 1), onsetIn(part, year)])
      if (onset !== undefined && onset <= local && (best === undefined || onset > best.onset)) best = { onset, offset }
  }
  return best === undefined ? undefined : local - best.offset
}

/** +0100, -0330: in milliseconds. */
function offsetOf(text: string): number | undefined {
  const found = /^([+-])(\d\d)(\d\d)(?:\d\d)?$/.exec(text.trim())
  if (found === null) return undefined
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * HOUR + Number(found[3]) * 60_000)
}

const DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/** When clocks changed in a year, by the only kind of rule that zones have: a weekday of a month, each year. */
function onsetIn(part: Component, year: number): number | undefined {
  const start = TIME.exec(propertyOf(part, 'DTSTART')?.value.trim() ?? '')
  const first = start === null ? undefined : utc(start)
  if (first === undefined) return undefined
  const rule = propertyOf(part, 'RRULE')?.value.toUpperCase() ?? ''
  const byDay = /(?:^|;)BYDAY=(-?[1-5])(SU|MO|TU|WE|TH|FR|SA)(?:;|$)/.exec(rule)
  const month = Number(/(?:^|;)BYMONTH=(\d{1,2})(?:;|$)/.exec(rule)?.[1] ?? 0)
  if (byDay === null || month < 1 || month > 12 || new Date(first).getUTCFullYear() > year) return first
  const n = Number(byDay[1])
  const weekday = DAYS.indexOf(byDay[2] ?? '')
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const firstWeekday = new Date(Date.UTC(year, month - 1, 1)).getUTCDay()
  const firstSuch = 1 + ((weekday - firstWeekday + 7) % 7)
  const last = firstSuch + 7 * Math.floor((days - firstSuch) / 7)
  const day = n > 0 ? Math.min(firstSuch + 7 * (n - 1), last) : last + 7 * (n + 1)
  return Date.UTC(year, month - 1, day) + (((first % DAY) + DAY) % DAY)
}
