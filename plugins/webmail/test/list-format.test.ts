import { describe, expect, test } from 'vitest'
import type { Hello } from '../src/api/events.ts'
import type { Item, Mailbox } from '../src/api/model.ts'
import {
  age,
  correspondents,
  correspondentsTitle,
  identityTag,
  isOwn,
  labelTags,
  marks,
  otherMailboxes,
  type Places,
  rowTime,
  rowUnread,
  shortMailbox,
  shownName,
} from '../web/list/format.ts'
import { type Row, threadRows } from '../web/list/rows.ts'
import { makeItem, makeThread } from './list-items.ts'

const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR
const NOW = 10_000 * DAY

test.each<[ms: number, text: string, next: number | undefined]>([
  [0, '<1min', MIN],
  [59_000, '<1min', 1_000],
  [MIN, '1min', 0.5 * MIN],
  [1.6 * MIN, '2min', 0.9 * MIN],
  [114 * MIN, '114min', 0.5 * MIN],
  [119.6 * MIN, '120min', 0.4 * MIN],
  [2 * HOUR, '2h', 0.5 * HOUR],
  [47 * HOUR, '47h', 0.5 * HOUR],
  [48 * HOUR, '2d', 0.5 * DAY],
  [13 * DAY, '13d', 0.5 * DAY],
  [15 * DAY, '15d', undefined],
  [59 * DAY, '59d', undefined],
  [60 * DAY, '2mo', undefined],
  [729 * DAY, '24mo', undefined],
  [730 * DAY, '2y', undefined],
  [-30_000, '<1min', undefined],
  [-3 * HOUR, '-3h', undefined],
])('an age of %i ms is %s', (ms, text, next) => {
  expect(age(NOW - ms, NOW)).toEqual({ text, next })
})

test('the text changes when its age says so, and not before', () => {
  for (const ms of [0, 61_000, 90_500, HOUR + 7, 3 * HOUR + 1, 50 * HOUR]) {
    const { text, next = 0 } = age(NOW - ms, NOW)
    expect(age(NOW - ms, NOW + next - 1).text).toBe(text)
    expect(age(NOW - ms, NOW + next).text).not.toBe(text)
  }
})

const row = (...items: readonly Item[]): Row => threadRows(makeThread(...items), true)[0]!
const ann = { name: 'Ann', address: 'ann@example.org' }
const bob = { name: '', address: 'bob@example.org' }

test('flags, and mildly those of what is hidden', () => {
  const all = { answered: true, flagged: true, forwarded: true, junk: true, deleted: true, draft: true, phishing: true }
  const full = row(makeItem(1, { flags: { ...all, notjunk: false }, attachments: ['pdf'], threadMuted: true }))
  expect(
    marks(full)
      .map(m => m.char)
      .join(''),
  ).toBe('r!fjDdpam')
  const thread = row(
    makeItem(1, { flags: { flagged: true, notjunk: false } }),
    makeItem(2, { flags: { flagged: true, answered: true } }),
  )
  expect(marks(thread).map(m => m.char + (m.mild ? '~' : ''))).toEqual(['!', '?', 'r~'])
})

test('a collapsed root is unread when anything in it is, and as old as its newest', () => {
  const thread = row(makeItem(1), makeItem(2, { flags: { seen: false } }))
  expect([rowUnread(thread), rowUnread(row(makeItem(1)))]).toEqual([true, false])
  expect([rowTime(thread, 'newest'), rowTime(thread, 'oldest')]).toEqual([2_000, 1_000])
})

test.each<[name: string, suspicious: boolean, shown: string]>([
  ['Ann', false, 'Ann'],
  ['', false, 'x@example.org'],
  ['  ', false, 'x@example.org'],
  ['Ann', true, '<x@example.org>'],
  ['boss@bank.example', false, '<x@example.org>'],
  ['boss\uff20bank.example', false, '<x@example.org>'],
  ['Ann <', false, '<x@example.org>'],
  ['Ann >', false, '<x@example.org>'],
  ['Ann \u202egro', false, '<x@example.org>'],
])('the name %j is shown safely', (name, suspicious, shown) => {
  expect(shownName({ name, address: 'x@example.org' }, suspicious)).toBe(shown)
})

describe('correspondents', () => {
  const box = (id: number, name: string, specialUse: Mailbox['specialUse']): [number, Mailbox] => [
    id,
    { id, name, specialUse, modseq: 1, keywords: [], total: 0, unread: 0, size: 0, subscribed: true, introbox: false },
  ]
  const places: Places = {
    mailboxes: new Map([box(1, 'Inbox', []), box(2, 'Sent', ['sent']), box(3, 'Rejects', [])]),
    rejectsMailbox: 'Rejects',
  }
  const names = (r: Row) => correspondents(r, places).map(c => (c.recipient ? `/${c.text}/` : c.text))

  test('each address once, over a collapsed thread', () => {
    const thread = row(
      makeItem(1, { from: [ann] }),
      makeItem(2, { from: [bob] }),
      makeItem(3, { from: [{ name: 'Ann B', address: 'ANN@example.org' }] }),
    )
    expect(names(thread)).toEqual(['Ann', 'bob@example.org'])
  })

  test('recipients of what was sent', () => {
    expect(names(row(makeItem(1, { mailboxId: 2, from: [ann], to: [bob], cc: [bob], bcc: [ann] })))).toEqual([
      'Ann',
      '/bob@example.org/',
      '/Ann/',
    ])
  })

  test('addresses in junk and in Rejects', () => {
    expect(names(row(makeItem(1, { from: [ann], flags: { junk: true } })))).toEqual(['<ann@example.org>'])
    expect(names(row(makeItem(1, { from: [ann], mailboxId: 3 })))).toEqual(['<ann@example.org>'])
  })

  test('the tooltip has all', () => {
    expect(correspondentsTitle(row(makeItem(1, { from: [ann], to: [bob], cc: [ann] })))).toBe(
      'from: Ann <ann@example.org>\naddressed: bob@example.org, Ann <ann@example.org>',
    )
    expect(correspondentsTitle(row(makeItem(1)))).toBe('from: (nobody)')
  })
})

describe('own addresses', () => {
  const hello: Pick<Hello, 'identities' | 'domains'> = {
    identities: [
      { name: '', address: 'me@example.org' },
      { name: '', address: '@any.example' },
      { name: '', address: 'Case@strict.example' },
    ],
    domains: [
      { name: 'example.org', separators: ['+', '-'], caseSensitive: false },
      { name: 'strict.example', separators: [], caseSensitive: true },
    ],
  }
  test.each<[string, boolean]>([
    ['me@example.org', true],
    ['ME@EXAMPLE.ORG', true],
    ['me+lists-x@example.org', true],
    ['me-x@example.org', true],
    ['+me@example.org', false],
    ['you@example.org', false],
    ['whoever@any.example', true],
    ['Case@strict.example', true],
    ['case@strict.example', false],
    ['nonsense', false],
  ])('%s: %s', (address, own) => {
    expect(isOwn(address, hello)).toBe(own)
  })

  test.each<[Partial<Item>, string]>([
    [{ from: [ann] }, ''],
    [{ to: [ann], cc: [ann] }, ''],
    [{ to: [bob], cc: [ann] }, 'cc'],
    [{ to: [bob], bcc: [ann] }, 'bcc'],
    [{ to: [bob] }, '-'],
  ])('tag of %j is %j', (change, tag) => {
    const { flags: _, ...rest } = change
    expect(identityTag(makeItem(1, rest), a => a === ann.address)).toBe(tag)
  })
})

test.each([
  ['Lists/short', 'Lists/short'],
  ['A/very/long/name/of/mailbox', 'A/.../mailbox'],
  ['Projects-of-mine/and/some/more-than-many', 'Projects/.../more-tha'],
  ['Projects-of-mine/more-than-many', 'Projects/more-tha'],
  ['a-name-of-many-characters-with-no-parts', 'a-name-of-many-characters-with-no-parts'],
])('mailbox %s is shown as %s', (name, shown) => {
  expect(shortMailbox(name)).toBe(shown)
})

test('labels and mailboxes, mildly those of what is hidden', () => {
  const thread = row(
    makeItem(1, { keywords: ['a'] }),
    makeItem(2, { keywords: ['a', 'b'], mailboxId: 2 }),
    makeItem(3, { mailboxId: 2 }),
  )
  expect(labelTags(thread)).toEqual([
    { text: 'a', mild: false },
    { text: 'b', mild: true },
  ])
  expect(otherMailboxes(thread, 1)).toEqual([{ mailboxId: 2, mild: true }])
  expect(otherMailboxes(thread, undefined)).toEqual([
    { mailboxId: 1, mild: false },
    { mailboxId: 2, mild: true },
  ])
})
