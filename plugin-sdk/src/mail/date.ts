// Dates of header fields: RFC 5322 §3.3 written, §4.3 and common mistakes read. `parseDate` never throws.
import { DATE_LENGTH } from './limits.ts'

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
// RFC 5322 §4.3: minutes east of UTC. Other letters say nothing certain and count as UTC.
const ZONES = new Map([
  ['EDT', -240],
  ['EST', -300],
  ['CDT', -300],
  ['CST', -360],
  ['MDT', -360],
  ['MST', -420],
  ['PDT', -420],
  ['PST', -480],
])

/**
 * "Thu, 1 Jan 1970 00:00:00 +0000". `ms` is milliseconds since the epoch, rounded down to seconds; the zone is minutes
 * east of UTC. Throws RangeError outside the years 0 to 9999.
 */
export function formatDate(ms: number, offsetMinutes: number = 0): string {
  const at = new Date(ms + offsetMinutes * 60_000)
  const year = at.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new RangeError('date out of range')
  const zone = Math.abs(offsetMinutes)
  const day = `${DAYS[at.getUTCDay()]}, ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${String(year).padStart(4, '0')}`
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
  return `${day} ${time} ${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(zone / 60))}${two(zone % 60)}`
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n)
}

const TIME = '(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:\\.\\d+)?)?'
const ZONE = '(?:([+-])(\\d{2}):?(\\d{2})|([a-z]{1,5}))?'
/** "Mon, 1 Jan 2024 10:00:00 +0100", dashes and a missing day, seconds or zone allowed. */
const MAIL_DATE = new RegExp(`^(?:[a-z]{3,9}\\.?,? ?)?(\\d{1,2})[ -]([a-z]{3,9})[ -](\\d{2,4}),? ${TIME} ?${ZONE}`, 'i')
/** "Mon Jan  1 10:00:00 2024", as asctime writes it; a zone may stand before or after the year. */
const ASCTIME = new RegExp(`^[a-z]{3,9},? ([a-z]{3,9}) (\\d{1,2}),? ${TIME} (?:[A-Z]{1,5} )?(\\d{4}) ?${ZONE}`, 'i')

/** Milliseconds since the epoch, or null when `text` is no date. Comments and the day of the week are not looked at. */
export function parseDate(text: string): number | null {
  const clean = dropComments(text.slice(0, DATE_LENGTH)).replace(/\s+/g, ' ').trim()
  let m = MAIL_DATE.exec(clean)
  if (m !== null) return assemble(m[3], m[2], m[1], m.slice(4, 7), m.slice(7, 11))
  m = ASCTIME.exec(clean)
  return m === null ? null : assemble(m[6], m[1], m[2], m.slice(3, 6), m.slice(7, 11))
}

type Digits = readonly (string | undefined)[]

function assemble(year = '', month = '', day = '', time: Digits = [], zone: Digits = []): number | null {
  const monthIndex = MONTHS.findIndex(name => name.toLowerCase() === month.slice(0, 3).toLowerCase())
  const d = Number(day)
  const [h = 0, m = 0, s = 0] = time.map(text => Number(text ?? 0))
  const east = zoneMinutes(zone)
  if (monthIndex < 0 || h > 23 || m > 59 || s > 60 || east === null) return null
  // RFC 5322 §4.3: two digits mean 1950 to 2049, three count from 1900.
  const y = Number(year) + (year.length === 4 ? 0 : year.length === 2 && Number(year) < 50 ? 2000 : 1900)
  const at = new Date(0)
  at.setUTCFullYear(y, monthIndex, d)
  if (at.getUTCDate() !== d || at.getUTCMonth() !== monthIndex) return null
  return at.getTime() + ((h * 60 + m - east) * 60 + s) * 1000
}

function zoneMinutes([sign, hours, minutes, name]: Digits): number | null {
  if (sign === undefined) return ZONES.get((name ?? '').toUpperCase()) ?? 0
  if (Number(minutes) > 59) return null
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
}

function dropComments(text: string): string {
  if (!text.includes('(')) return text
  let depth = 0
  let out = ''
  for (const c of text) {
    if (c === '(') depth++
    if (depth === 0) out += c
    if (c === ')' && depth > 0) depth--
  }
  return out
}
