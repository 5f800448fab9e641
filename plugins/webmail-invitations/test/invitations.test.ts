import { expect, it } from 'vitest'
import type { Invitation } from '../src/invitation.ts'
import { DEPTH, parseComponents } from '../src/lines.ts'
import { parseInvitation } from '../src/parse.ts'
import { repeatsText } from '../src/repeats.ts'
import { durationOf } from '../src/zones.ts'
import { readChosen } from '../web/settings.ts'
import { wrongWeekday } from '../web/weekdays.ts'
import { dayOf, weekOf, whenText } from '../web/when.ts'

const BERLIN = [
  ...['BEGIN:VTIMEZONE', 'TZID:W. Europe Standard Time'],
  ...['BEGIN:STANDARD', 'DTSTART:16010101T030000', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100'],
  ...['RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10', 'END:STANDARD'],
  ...['BEGIN:DAYLIGHT', 'DTSTART:16010101T020000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200'],
  ...['RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3', 'END:DAYLIGHT', 'END:VTIMEZONE'],
]

function calendar(lines: readonly string[], method = 'REQUEST'): string {
  const all = [
    'BEGIN:VCALENDAR',
    `METHOD:${method}`,
    ...BERLIN,
    'BEGIN:VEVENT',
    ...lines,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return all.join('\r\n')
}

it('reads what a reader wants to know', () => {
  const text = calendar([
    ...['UID:1', 'SUMMARY:Planning\\, the ', ' year', 'DTSTART:20261201T140000Z', 'DTEND:20261201T150000Z'],
    ...['LOCATION:Room 4\\nfirst floor', 'DESCRIPTION:Bring\\nplans\\;', 'RRULE:FREQ=WEEKLY;COUNT=4'],
    ...['ORGANIZER;CN="Ann: the boss":mailto:ann@example.org'],
    ...['ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:MAILTO:bob@example.org', 'ATTENDEE:mailto:eve@example.org'],
  ])
  expect(parseInvitation(text, '0.1')).toEqual({
    ...{ path: '0.1', method: 'request', summary: 'Planning, the year', location: 'Room 4, first floor' },
    ...{ description: 'Bring\nplans;', repeats: 'every week, 4 times', cancelled: false },
    start: { kind: 'time', at: Date.UTC(2026, 11, 1, 14) },
    end: { kind: 'time', at: Date.UTC(2026, 11, 1, 15) },
    organizer: { name: 'Ann: the boss', address: 'ann@example.org', answer: '' },
    attendees: [
      { name: 'Bob', address: 'bob@example.org', answer: 'accepted' },
      { name: '', address: 'eve@example.org', answer: '' },
    ],
    attendeeCount: 2,
  })
})

it.each([
  ['DTSTART:20261201T140000Z', { kind: 'time', at: Date.UTC(2026, 11, 1, 14) }],
  ['DTSTART;TZID=Europe/Berlin:20260701T140000', { kind: 'time', at: Date.UTC(2026, 6, 1, 12) }],
  [
    'DTSTART;TZID="/mozilla.org/20050126_1/Europe/Berlin":20261201T140000',
    { kind: 'time', at: Date.UTC(2026, 11, 1, 13) },
  ],
  ['DTSTART;TZID=W. Europe Standard Time:20260701T140000', { kind: 'time', at: Date.UTC(2026, 6, 1, 12) }],
  ['DTSTART;TZID=W. Europe Standard Time:20260115T140000', { kind: 'time', at: Date.UTC(2026, 0, 15, 13) }],
  ['DTSTART;TZID=W. Europe Standard Time:20261025T120000', { kind: 'time', at: Date.UTC(2026, 9, 25, 11) }],
  ['DTSTART;TZID=Nowhere:20261201T140000', { kind: 'clock', clock: '2026-12-01T14:00', zone: 'Nowhere' }],
  ['DTSTART:20261201T140000', { kind: 'clock', clock: '2026-12-01T14:00', zone: '' }],
  ['DTSTART;VALUE=DATE:20261201', { kind: 'day', day: '2026-12-01' }],
  ['DTSTART:20260230T140000Z', undefined],
  ['DTSTART:soon', undefined],
  ['SUMMARY:without a beginning', undefined],
])('%s begins when it says', (line, start) => {
  expect(parseInvitation(calendar([line]), '0')?.start).toEqual(start)
})

it.each([
  [['DTSTART:20261201T140000Z', 'DURATION:PT1H30M'], { kind: 'time', at: Date.UTC(2026, 11, 1, 15, 30) }],
  [['DTSTART;VALUE=DATE:20261201', 'DURATION:P2D'], { kind: 'day', day: '2026-12-03' }],
  [['DTSTART;VALUE=DATE:20261201'], { kind: 'day', day: '2026-12-02' }],
  [['DTSTART:20261201T140000', 'DURATION:PT1H'], { kind: 'clock', clock: '2026-12-01T15:00', zone: '' }],
  [['DTSTART:20261201T140000Z'], null],
])('%j ends when it says', (lines, end) => {
  expect(parseInvitation(calendar(lines), '0')?.end).toEqual(end)
})

it('knows what is cancelled, and takes the event itself rather than an exception of it', () => {
  expect(parseInvitation(calendar(['DTSTART:20261201'], 'CANCEL'), '0')?.cancelled).toBe(true)
  expect(parseInvitation(calendar(['DTSTART:20261201', 'STATUS:CANCELLED']), '0')?.cancelled).toBe(true)
  const two = calendar([
    ...['RECURRENCE-ID:20261208', 'DTSTART:20261209', 'SUMMARY:moved', 'END:VEVENT'],
    ...['BEGIN:VEVENT', 'DTSTART:20261201', 'SUMMARY:series'],
  ])
  expect(parseInvitation(two, '0')?.summary).toBe('series')
})

it.each([
  ['', undefined],
  ['BEGIN:VCALENDAR', undefined],
  ['BEGIN:VEVENT\nDTSTART:20261201\nEND:VEVENT', undefined],
  [`BEGIN:VCALENDAR\n${'BEGIN:X\n'.repeat(10_000)}`, undefined],
  ['\u0000:;="'.repeat(1_000), undefined],
  [`BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;${'A=";'.repeat(10_000)}:20261201`, undefined],
])('of nonsense there is no invitation', (text, found) => {
  expect(parseInvitation(text, '0')).toBe(found)
})

it('is bounded in depth and in what it tells', () => {
  let depth = 0
  for (let at = parseComponents('BEGIN:X\n'.repeat(50)); at[0] !== undefined; at = at[0].components) depth++
  expect(depth).toBe(DEPTH)
  const many = Array.from({ length: 300 }, (_, i) => `ATTENDEE:mailto:p${i}@example.org`)
  const found = parseInvitation(calendar(['DTSTART:20261201', ...many, `SUMMARY:${'x'.repeat(10_000)}\u202e`]), '0')
  expect([found?.attendees.length, found?.attendeeCount, found?.summary.length]).toEqual([20, 300, 500])
})

it.each([
  ['', ''],
  ['FREQ=WEEKLY;BYDAY=MO,WE', 'every week on Monday, Wednesday'],
  ['FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20271231T000000Z', 'every month on the last Friday, until 2027-12-31'],
  ['FREQ=MONTHLY;BYDAY=2TU', 'every month on the second Tuesday'],
  ['FREQ=DAILY;INTERVAL=3;COUNT=5', 'every 3 days, 5 times'],
  ['FREQ=SECONDLY', 'repeats'],
  ['nonsense', 'repeats'],
])('rule %j is %j', (rule, text) => {
  expect(repeatsText(rule)).toBe(text)
})

it.each([
  ['P1W', 604_800_000],
  ['PT15M', 900_000],
  ['P1DT2H', 93_600_000],
  ['-PT15M', undefined],
])('%s lasts %s ms', (text, ms) => {
  expect(durationOf(text)).toBe(ms)
})

const event = (start: Invitation['start'], end: Invitation['end'] = null) => ({ start, end })
const TOKYO = { timeZone: 'Asia/Tokyo', weekStart: 1 } as const

it('says times in the zone of the reader', () => {
  const late = { kind: 'time', at: Date.UTC(2026, 11, 1, 20) } as const
  expect(whenText(event(late), TOKYO, 'en-GB')).toMatch(/^Wednesday,? 2 December 2026 at 0?5:00 (?:GMT\+9|JST)$/)
  expect(dayOf(late, TOKYO)).toBe('2026-12-02')
  const days = event({ kind: 'day', day: '2026-12-01' }, { kind: 'day', day: '2026-12-02' })
  expect(whenText(days, TOKYO, 'en-GB')).toMatch(/^Tuesday,? 1 December 2026$/)
  const clock = event({ kind: 'clock', clock: '2026-12-01T14:00', zone: 'Nowhere' })
  expect(whenText(clock, TOKYO, 'en-GB')).toMatch(/14:00 \(time zone “Nowhere”\)$/)
  expect(weekOf('2026-12-01', TOKYO)[0]).toBe('2026-11-30')
  expect(weekOf('2026-12-01', { ...TOKYO, weekStart: 0 })[0]).toBe('2026-11-29')
  expect(weekOf('2026-11-28', { ...TOKYO, weekStart: 6 })).toHaveLength(7)
})

it('reads settings that may be anything', () => {
  expect(readChosen(undefined)).toEqual({ timeZone: '', weekStart: 1 })
  expect(readChosen({ timeZone: 'Mars/Base', weekStart: 9 })).toEqual({ timeZone: '', weekStart: 1 })
  expect(readChosen({ timeZone: 'Asia/Tokyo', weekStart: 0 })).toEqual({ timeZone: 'Asia/Tokyo', weekStart: 0 })
})

const NOW = Date.UTC(2026, 10, 24, 12)

it.each([
  ['Let us meet on Monday, 24 November 2026.', '“Monday, 24 November 2026” is a Tuesday.'],
  ['Let us meet on Tuesday, November 24th, 2026.', undefined],
  ['Friday the 1st of December', '“Friday the 1st of December” is a Tuesday in 2026.'],
  ['Tuesday 2026-11-24', undefined],
  ['Sunday, 2026-11-24', '“Sunday, 2026-11-24” is a Tuesday.'],
  ['> Monday, 24 November 2026', undefined],
  ['Monday, 31 February 2026', undefined],
  ['see you on Monday', undefined],
])('of %j the weekday is looked at', (text, wrong) => {
  expect(wrongWeekday(text, NOW)).toBe(wrong)
})
