// The panel above a message with an invitation. All text is put into elements as text.
import type { Invitation, Person } from '../src/invitation.ts'
import type { Chosen } from './settings.ts'
import { dayOf, weekOf, whenText } from './when.ts'

export interface Action {
  readonly title: string
  readonly primary?: boolean
  run(): void
}

const TITLES: ReadonlyMap<string, string> = new Map([
  ['request', 'Invitation'],
  ['reply', 'Answer to an invitation'],
  ['cancel', 'Cancelled'],
  ['counter', 'Another time is proposed'],
])

export function mountPanel(box: HTMLElement, invitation: Invitation, chosen: Chosen, actions: readonly Action[]): void {
  const { method, cancelled, summary, location, organizer, description, repeats } = invitation
  const title = cancelled ? 'Cancelled' : (TITLES.get(method) ?? 'Event')
  const heading = element('h3', `${title}: ${summary === '' ? '(no title)' : summary}`)
  if (cancelled) heading.style.textDecoration = 'line-through'
  const time = whenText(invitation, chosen)
  const rows: [string, string | HTMLElement][] = [
    ['When', repeats === '' ? time : `${time}, ${repeats}`],
    ['Where', location],
    ['Organiser', organizer === null ? '' : personText(organizer)],
    [method === 'reply' ? 'Answer' : 'Invited', peopleText(invitation)],
  ]
  const list = document.createElement('dl')
  Object.assign(list.style, {
    display: 'grid',
    gridTemplateColumns: 'max-content 1fr',
    gap: '2px 12px',
    margin: '6px 0',
  })
  for (const [name, value] of rows) {
    if (value === '') continue
    const term = element('dt', name)
    term.style.color = 'var(--text-milder)'
    const said = document.createElement('dd')
    said.style.overflowWrap = 'anywhere'
    said.append(name === 'Where' ? placeOf(location) : value)
    list.append(term, said)
  }
  // Beside the title, so that they are seen where the pane is low.
  const top = document.createElement('div')
  Object.assign(top.style, { display: 'flex', flexWrap: 'wrap', gap: '6px 16px', justifyContent: 'space-between' })
  const buttons = document.createElement('p')
  Object.assign(buttons.style, { display: 'flex', flexWrap: 'wrap', gap: '6px' })
  for (const action of actions) {
    const button = element('button', action.title)
    button.type = 'button'
    if (action.primary === true) button.className = 'primary'
    button.addEventListener('click', () => action.run())
    buttons.append(button)
  }
  top.append(heading, buttons)
  box.append(top, list, week(invitation, chosen))
  if (description !== '') box.append(more(description))
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

/** A link where it is the address of a meeting on the web, and nothing else. */
function placeOf(location: string): string | HTMLElement {
  if (!/^https:\/\/\S+$/.test(location) || !URL.canParse(location)) return location
  const link = element('a', location)
  Object.assign(link, { href: location, target: '_blank', rel: 'noopener noreferrer' })
  return link
}

function personText({ name, address }: Person): string {
  return name === '' || name === address ? address : `${name} <${address}>`
}

function peopleText({ attendees, attendeeCount }: Invitation): string {
  const said = attendees.map(person => {
    const answer = person.answer === '' || person.answer === 'needs-action' ? '' : ` (${person.answer})`
    return `${person.name === '' ? person.address : person.name}${answer}`
  })
  const others = attendeeCount - attendees.length
  return `${said.join(', ')}${others > 0 ? ` and ${others} others` : ''}`
}

/** The week in which it begins. */
function week({ start }: Invitation, chosen: Chosen): HTMLElement {
  const day = dayOf(start, chosen)
  const line = document.createElement('p')
  line.setAttribute('aria-hidden', 'true')
  Object.assign(line.style, { display: 'flex', gap: '3px', fontSize: '12px' })
  const name = new Intl.DateTimeFormat(undefined, { weekday: 'short', timeZone: 'UTC' })
  for (const other of weekOf(day, chosen)) {
    const cell = element('span', `${name.format(Date.parse(other))} ${Number(other.slice(8))}`)
    Object.assign(cell.style, { padding: '1px 6px', borderRadius: '4px', color: 'var(--text-mild)' })
    if (other === day)
      Object.assign(cell.style, { background: 'var(--accent)', color: 'var(--accent-text)', fontWeight: '600' })
    line.append(cell)
  }
  return line
}

function more(description: string): HTMLElement {
  const details = document.createElement('details')
  const text = element('p', description)
  Object.assign(text.style, { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', marginTop: '4px' })
  details.append(element('summary', 'Description'), text)
  details.style.marginTop = '6px'
  return details
}
