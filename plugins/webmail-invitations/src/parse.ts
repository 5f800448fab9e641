// The invitation of a calendar (RFC 5545, RFC 5546): the first event, with what a reader wants to know of it.
import type { Invitation, Person } from './invitation.ts'
import { type Component, type Property, parseComponents, propertyOf, textOf } from './lines.ts'
import { repeatsText } from './repeats.ts'
import { durationOf, plus, whenOf } from './zones.ts'

const TITLE_LENGTH = 500
const DESCRIPTION_LENGTH = 2_000
/** Attendees that are told; of more only how many. */
const ATTENDEES = 20

/** undefined when there is no event with a beginning. */
export function parseInvitation(text: string, path: string): Invitation | undefined {
  const calendar = parseComponents(text).find(c => c.name === 'VCALENDAR')
  const events = calendar?.components.filter(c => c.name === 'VEVENT') ?? []
  // Changes of single occurrences stand beside the event itself.
  const event = events.find(e => propertyOf(e, 'RECURRENCE-ID') === undefined) ?? events[0]
  if (calendar === undefined || event === undefined) return undefined
  const dtstart = propertyOf(event, 'DTSTART')
  const start = dtstart === undefined ? undefined : whenOf(dtstart, calendar.components)
  if (start === undefined) return undefined
  const method = textOf(calendar, 'METHOD', 30).toLowerCase()
  const organizer = propertyOf(event, 'ORGANIZER')
  const attendees = event.properties.filter(p => p.name === 'ATTENDEE')
  return {
    ...{ path, method, start, end: endOf(event, start, calendar.components) },
    summary: textOf(event, 'SUMMARY', TITLE_LENGTH).replaceAll('\n', ' '),
    location: textOf(event, 'LOCATION', TITLE_LENGTH).replaceAll('\n', ', '),
    description: textOf(event, 'DESCRIPTION', DESCRIPTION_LENGTH),
    repeats: repeatsText(propertyOf(event, 'RRULE')?.value ?? ''),
    cancelled: method === 'cancel' || textOf(event, 'STATUS', 30).toUpperCase() === 'CANCELLED',
    organizer: organizer === undefined ? null : personOf(organizer),
    attendees: attendees.slice(0, ATTENDEES).map(personOf),
    attendeeCount: attendees.length,
  }
}

function endOf(event: Component, start: Invitation['start'], zones: readonly Component[]): Invitation['end'] {
  const dtend = propertyOf(event, 'DTEND')
  const end = dtend === undefined ? undefined : whenOf(dtend, zones)
  if (end !== undefined) return end
  const duration = durationOf(propertyOf(event, 'DURATION')?.value ?? '')
  if (duration !== undefined) return plus(start, duration)
  return start.kind === 'day' ? plus(start, 0) : null
}

function personOf({ value, params }: Property): Person {
  const address = value.trim().replace(/^mailto:/i, '')
  return {
    name: (params.get('CN') ?? '').slice(0, 200),
    address: address.slice(0, 320),
    answer: (params.get('PARTSTAT') ?? '').toLowerCase().slice(0, 30),
  }
}
