// A recurrence rule (RFC 5545 §3.3.10) in words. Rules that people make are told; of others only that there is one.

const UNITS: ReadonlyMap<string, string> = new Map([
  ['DAILY', 'day'],
  ['WEEKLY', 'week'],
  ['MONTHLY', 'month'],
  ['YEARLY', 'year'],
])
const DAYS: ReadonlyMap<string, string> = new Map([
  ['MO', 'Monday'],
  ['TU', 'Tuesday'],
  ['WE', 'Wednesday'],
  ['TH', 'Thursday'],
  ['FR', 'Friday'],
  ['SA', 'Saturday'],
  ['SU', 'Sunday'],
])
const NTH = ['', 'first', 'second', 'third', 'fourth', 'fifth']

/** '' for no rule. */
export function repeatsText(rule: string): string {
  if (rule.trim() === '') return ''
  const parts = new Map(
    rule
      .toUpperCase()
      .slice(0, 500)
      .split(';')
      .map(part => part.trim().split('=', 2) as [string, string]),
  )
  const unit = UNITS.get(parts.get('FREQ') ?? '')
  if (unit === undefined) return 'repeats'
  const interval = Number(parts.get('INTERVAL') ?? 1)
  const every = interval > 1 && interval < 1_000 ? `every ${interval} ${unit}s` : `every ${unit}`
  const days = (parts.get('BYDAY') ?? '').split(',').filter(d => d !== '')
  const named = days.map(dayText)
  const on = named.length === 0 || named.includes('') ? '' : ` on ${named.join(', ')}`
  const count = Number(parts.get('COUNT') ?? 0)
  const until = /^(\d{4})(\d\d)(\d\d)/.exec(parts.get('UNTIL') ?? '')
  const end = count > 0 ? `, ${count} times` : until === null ? '' : `, until ${until.slice(1).join('-')}`
  return `${every}${on}${end}`
}

function dayText(text: string): string {
  const [, n = '', day = ''] = /^([+-]?\d?)(MO|TU|WE|TH|FR|SA|SU)$/.exec(text) ?? []
  const name = DAYS.get(day) ?? ''
  if (n === '' || name === '') return name
  if (n === '-1') return `the last ${name}`
  const nth = NTH[Number(n)] ?? ''
  return nth === '' ? '' : `the ${nth} ${name}`
}
