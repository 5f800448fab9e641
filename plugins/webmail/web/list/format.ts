// What the cells of a row say.
import type { Hello } from '../../src/api/events.ts'
import type { Item, Mailbox, NameAddress } from '../../src/api/model.ts'
import { isUnread, type Row } from './rows.ts'

const MINUTE = 60_000
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 24 * 60 * MINUTE],
  ['mo', 30 * 24 * 60 * MINUTE],
  ['d', 24 * 60 * MINUTE],
  ['h', 60 * MINUTE],
  ['min', MINUTE],
]
/** Ages beyond this do not change while one looks, in milliseconds. */
const CHANGING: number = 14 * 24 * 60 * MINUTE

export interface Age {
  readonly text: string
  /** Milliseconds until the text changes; undefined when that is too far away to wait for. */
  readonly next: number | undefined
}

/** How long ago something was. A unit is used from two of it on; what lies in the future has a "-" before it. */
export function age(at: number, now: number): Age {
  const ms = now - at
  if (Math.abs(ms) < MINUTE) return { text: '<1min', next: ms < 0 ? undefined : MINUTE - ms }
  const old = Math.abs(ms)
  const found = UNITS.findIndex(([, size]) => old >= 2 * size)
  const index = found < 0 ? UNITS.length - 1 : found
  const [unit, size] = UNITS[index]!
  const count = Math.round(old / size)
  const text = `${ms < 0 ? '-' : ''}${count}${unit}`
  if (ms < 0 || old > CHANGING) return { text, next: undefined }
  const larger = UNITS[index - 1]?.[1] ?? Number.POSITIVE_INFINITY
  const change = Math.min(Math.ceil((count + 0.5) * size), 2 * larger)
  return { text, next: Math.max(1, change - old) }
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })
export const fullDate = (at: number): string => DATE.format(at)

/** The time that a row stands for: its message's, or of a collapsed thread that by which it is sorted. */
export function rowTime(row: Row, order: 'newest' | 'oldest'): number {
  const times = [row.item, ...row.hidden].map(i => i.receivedAt)
  return order === 'newest' ? Math.max(...times) : Math.min(...times)
}

const FLAGS: readonly (readonly [char: string, title: string, has: (item: Item) => boolean])[] = [
  ['r', 'Replied', i => i.flags.answered],
  ['!', 'Flagged', i => i.flags.flagged],
  ['f', 'Forwarded', i => i.flags.forwarded],
  ['j', 'Junk', i => i.flags.junk],
  ['D', 'Marked deleted', i => i.flags.deleted],
  ['d', 'Draft', i => i.flags.draft],
  ['p', 'Phishing', i => i.flags.phishing],
  ['?', 'Unclassified: neither junk nor not junk', i => !i.flags.junk && !i.flags.notjunk],
  ['a', 'Has attachments', i => i.attachments.length > 0],
  ['m', 'Thread is muted', i => i.threadMuted],
]

export interface Mark {
  readonly char: string
  readonly title: string
  /** Only of messages that a collapsed root hides. */
  readonly mild: boolean
}

export function marks({ item, hidden }: Row): readonly Mark[] {
  const own: Mark[] = []
  const below: Mark[] = []
  for (const [char, title, has] of FLAGS) {
    if (has(item)) own.push({ char, title, mild: false })
    else if (hidden.some(has)) below.push({ char, title: `${title} (in the thread)`, mild: true })
  }
  return [...own, ...below]
}

/** Whether a row is drawn as unread. */
export function rowUnread(row: Row): boolean {
  return isUnread(row.item) || row.hidden.some(isUnread)
}

export interface Correspondent {
  readonly text: string
  /** Who got it rather than who wrote it. */
  readonly recipient: boolean
}

/** Characters with which a name could look like an address, or turn round what follows. */
const LIKE_ADDRESS = /[<@>\u202a-\u202e\u2066-\u2069]/

/** What an address is shown as: its name alone only where that cannot be taken for another address. */
export function shownName({ name, address }: NameAddress, suspicious: boolean): string {
  const plain = name.trim()
  if (plain === '') return address
  return suspicious || LIKE_ADDRESS.test(plain.normalize('NFKC')) ? `<${address}>` : plain
}

export interface Places {
  readonly mailboxes: ReadonlyMap<number, Mailbox>
  /** '' without one. */
  readonly rejectsMailbox: string
}

const isSent = (item: Item, { mailboxes }: Places): boolean =>
  mailboxes.get(item.mailboxId)?.specialUse.includes('sent') ?? false

/** Who the messages of a row are from, and to whom those are that we sent. */
export function correspondents(row: Row, places: Places): readonly Correspondent[] {
  const names: Correspondent[] = []
  const seen = { from: new Set<string>(), to: new Set<string>() }
  const add = (list: readonly NameAddress[], kind: 'from' | 'to', suspicious: boolean) => {
    for (const one of list) {
      const address = one.address.toLowerCase()
      if (seen[kind].has(address)) continue
      seen[kind].add(address)
      names.push({ text: shownName(one, suspicious), recipient: kind === 'to' })
    }
  }
  const items = [row.item, ...row.hidden]
  for (const item of items) {
    const mailbox = places.mailboxes.get(item.mailboxId)?.name
    const suspicious = item.flags.junk || (places.rejectsMailbox !== '' && mailbox === places.rejectsMailbox)
    add(item.from, 'from', suspicious)
  }
  for (const item of items)
    if (isSent(item, places)) for (const list of [item.to, item.cc, item.bcc]) add(list, 'to', item.flags.junk)
  return names
}

const full = ({ name, address }: NameAddress): string => (name === '' ? address : `${name} <${address}>`)

/** All of the addresses, for the tooltip. */
export function correspondentsTitle({ item }: Row): string {
  const to = [...item.to, ...item.cc, ...item.bcc].map(full)
  const from = `from: ${item.from.map(full).join(', ') || '(nobody)'}`
  return to.length === 0 ? from : `${from}\naddressed: ${to.join(', ')}`
}

/** Whether an address is one of the user's own, with its separators and its domain's view of upper case. */
export function isOwn(address: string, hello: Pick<Hello, 'identities' | 'domains'>): boolean {
  const parts = split(address)
  const rule = hello.domains.find(d => d.name.toLowerCase() === parts.domain)
  const canonical = (localpart: string): string => {
    const cut = Math.min(
      ...(rule?.separators ?? []).map(s => localpart.indexOf(s, 1)).filter(i => i > 0),
      localpart.length,
    )
    const base = localpart.slice(0, cut)
    return rule?.caseSensitive === true ? base : base.toLowerCase()
  }
  return hello.identities.some(identity => {
    const own = split(identity.address)
    if (own.domain !== parts.domain) return false
    return own.localpart === '' || canonical(own.localpart) === canonical(parts.localpart)
  })
}

function split(address: string): { readonly localpart: string; readonly domain: string } {
  const at = address.lastIndexOf('@')
  return { localpart: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1).toLowerCase() }
}

/** How the user is addressed where that is not directly: `cc`, `bcc`, `-` for not at all, as by a list; '' otherwise. */
export function identityTag(item: Item, own: (address: string) => boolean): '' | 'cc' | 'bcc' | '-' {
  const has = (list: readonly NameAddress[]) => list.some(a => own(a.address))
  if (has(item.from) || has(item.to)) return ''
  return has(item.cc) ? 'cc' : has(item.bcc) ? 'bcc' : '-'
}

/** A mailbox name in 25 characters or a few more: its first and its last part. */
export function shortMailbox(name: string): string {
  if (name.length <= 25 || !name.includes('/')) return name
  const parts = name.split('/')
  let [first = '', last = ''] = [parts[0], parts.at(-1)]
  if (first.length + last.length > 16) [first, last] = [first, last].map(p => p.slice(0, 8)) as [string, string]
  return parts.length === 2 ? `${first}/${last}` : `${first}/.../${last}`
}

export interface Tag {
  readonly text: string
  /** Only of messages that a collapsed root hides. */
  readonly mild: boolean
}

/** Labels of a row, then, mild, those that only hidden messages have. */
export function labelTags({ item, hidden }: Row): readonly Tag[] {
  const below = new Set(hidden.flatMap(h => h.keywords))
  return [
    ...item.keywords.map(text => ({ text, mild: false })),
    ...[...below].filter(k => !item.keywords.includes(k)).map(text => ({ text, mild: true })),
  ]
}

export interface Place {
  readonly mailboxId: number
  readonly mild: boolean
}

/** Mailboxes of a row other than the one that is open; in a search over several, those of every message. */
export function otherMailboxes({ item, hidden }: Row, open: number | undefined): readonly Place[] {
  const below = new Set(hidden.map(h => h.mailboxId))
  return [
    ...(item.mailboxId === open ? [] : [{ mailboxId: item.mailboxId, mild: false }]),
    ...[...below].filter(id => id !== open && id !== item.mailboxId).map(mailboxId => ({ mailboxId, mild: true })),
  ]
}
