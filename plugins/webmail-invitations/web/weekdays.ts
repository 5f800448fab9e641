// A date in a text whose weekday is another one: "Monday, 24 November 2026", which is a Tuesday. Whoever is invited comes on one
// of the two days.

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november'],
  'december',
]
const DAY = `(${DAYS.join('|')})`
const MONTH = `(${MONTHS.join('|')})`
const NUMBER = '(\\d{1,2})(?:st|nd|rd|th)?'
const PATTERNS = [
  `\\b${DAY},? (?:the )?${NUMBER} (?:of )?${MONTH}(?:,? (\\d{4}))?\\b`,
  `\\b${DAY},? ${MONTH} ${NUMBER}(?:,? (\\d{4}))?\\b`,
  `\\b${DAY},? (\\d{4})-(\\d\\d)-(\\d\\d)\\b`,
].map(pattern => new RegExp(pattern, 'gi'))
/** Characters that are looked at. */
const LENGTH = 50_000

/** The first such date with what is wrong with it; undefined when all are right. Quoted lines are not looked at. */
export function wrongWeekday(text: string, now: number): string | undefined {
  const own = text
    .slice(0, LENGTH)
    .split('\n')
    .filter(line => !line.startsWith('>'))
    .join('\n')
  const found = PATTERNS.flatMap((pattern, kind) => [...own.matchAll(pattern)].map(match => ({ match, kind })))
  for (const { match, kind } of found) {
    const [written, weekday = '', a = '', b = '', c = ''] = match
    const [day, month, year] = kind === 0 ? [a, monthOf(b), c] : kind === 1 ? [b, monthOf(a), c] : [c, Number(b) - 1, a]
    const wanted = DAYS.indexOf(weekday.toLowerCase())
    const years = year === '' ? yearsAround(now) : [Number(year)]
    const weekdays = years.map(y => weekdayOf(y, month, Number(day)))
    const [first] = weekdays
    if (first === undefined || weekdays.includes(wanted)) continue
    const name = DAYS[first] ?? ''
    const when = year === '' ? ` in ${years[0]}` : ''
    return `“${written}” is a ${name.charAt(0).toUpperCase()}${name.slice(1)}${when}.`
  }
  return undefined
}

function monthOf(name: string): number {
  return MONTHS.indexOf(name.toLowerCase())
}

/** The year that it is, and those that a date without a year may be of as well. */
function yearsAround(now: number): number[] {
  const year = new Date(now).getFullYear()
  return [year, year + 1, year - 1]
}

/** undefined for a day that there is not. */
function weekdayOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(Date.UTC(year, month, day))
  return date.getUTCMonth() === month && date.getUTCDate() === day ? date.getUTCDay() : undefined
}
