import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { toasts } from '../web/frame/overlay.ts'
import { titleOf } from '../web/frame/title.ts'
import { matching, matchRank } from '../web/lib/match.ts'
import { placeAt } from '../web/lib/place.ts'
import { browserOf } from '../web/settings/browser.ts'
import { headerNames } from '../web/settings/header-names.ts'
import { NOTHING_YET, progressText, withLine } from '../web/settings/import.ts'
import { keywordOf } from '../web/settings/keyword.ts'
import { exactPattern, ruleText } from '../web/settings/rule-text.ts'
import { attempt, status } from '../web/state/busy.ts'
import { change, savePreferences, startPreferences } from '../web/state/preferences.ts'
import { settings } from '../web/state/store.ts'
import { openInbox, SETTINGS, serve } from './page-state.ts'

beforeEach(() => {
  vi.useFakeTimers()
  openInbox([])
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it.each([
  [{ kind: 'mailbox', mailbox: 'Inbox' }, 3, 'a@x', true, '(3) Inbox - a@x - mox'],
  [{ kind: 'mailbox', mailbox: 'Inbox' }, 0, 'a@x', true, '(0) Inbox - a@x - mox'],
  [{ kind: 'search', query: 'f:ann' }, undefined, 'a@x', true, 'a@x - mox'],
  [{ kind: 'outgoing' }, undefined, 'a@x', true, 'Outgoing - a@x - mox'],
  [{ kind: 'mailbox', mailbox: 'Inbox' }, 3, 'a@x', false, '(not connected) - a@x - mox'],
  [{ kind: 'mailbox', mailbox: 'Inbox' }, undefined, '', false, 'mox'],
] as const)('the title of %j is right', (target, unread, address, online, title) => {
  expect(titleOf(target, unread, address, online)).toBe(title)
})

const WINDOW = { width: 1_200, height: 900 }
const box = (left: number, top: number) => ({ left, top, right: left + 40, bottom: top + 20 })

it.each([
  ['below and to the right', box(100, 100), { left: 100, top: 124 }],
  ['above in the lowest third', box(100, 700), { left: 100, top: 496 }],
  ['to the left beyond two thirds', box(1_000, 100), { left: 740, top: 124 }],
  ['within the window', box(790, 590), { left: 790, top: 614 }],
  ['never outside of it', box(5, 5), { left: 8, top: 29 }],
])('what belongs to a button stands %s', (_, anchor, place) => {
  expect(placeAt(anchor, { width: 300, height: 200 }, WINDOW)).toEqual(place)
})

it('finds commands by parts of their names, the best first', () => {
  const names = ['Mark as unread', 'Unmute', 'Go to Unfiled', 'Open Inbox', 'Undo']
  expect(matching(names, 'un', n => n)).toEqual(['Unmute', 'Undo', 'Mark as unread', 'Go to Unfiled'])
  expect(matching(names, 'in op', n => n)).toEqual(['Open Inbox'])
  expect(matching(names, '', n => n)).toEqual(names)
  expect(matchRank('Undo', 'x')).toBeUndefined()
})

it.each([
  ['To Do', 'to-do'],
  ['Überfällig', 'uberfallig'],
  ['a(b)*"\\]%{', 'ab'],
  ['$junk', 'junk'],
  ['\\Seen', 'seen'],
  ['日本', ''],
  ['  ', ''],
  ['x'.repeat(200), 'x'.repeat(100)],
])('the label %j is the keyword %j', (name, keyword) => {
  expect(keywordOf(name)).toBe(keyword)
})

it('takes names of header fields line by line', () => {
  expect(headerNames('X-Mailer\n List-Id: \n\nno good\nX-Mailer\nü')).toEqual(['X-Mailer', 'List-Id'])
  expect(headerNames(Array.from({ length: 60 }, (_, n) => `X-${n}`).join('\n'))).toHaveLength(50)
})

it('says rules in words', () => {
  const rule = { recipient: 'a@example.org', mailbox: 'Lists', comment: '' }
  expect(exactPattern(' News+x@Example.org ')).toBe('^news\\+x@example\\.org$')
  expect(ruleText({ ...rule, msgFrom: '^news\\+x@example\\.org$' })).toBe(
    'Mail to a@example.org from news+x@example.org → Lists',
  )
  expect(ruleText({ ...rule, msgFrom: '.*@example' })).toBe('Mail to a@example.org from /.*@example/ → Lists')
  const list = { verifiedDomain: 'x.org', headers: [{ name: '^list-id$', value: '<l\\.x\\.org>$' }] }
  expect(ruleText({ ...rule, ...list })).toBe('Mail to a@example.org verified as x.org, with list-id <l.x.org> → Lists')
  const noted = { forward: true, listAllowDomain: 'x.org', acceptRejects: 'Refused' }
  expect(ruleText({ ...rule, ...list, ...noted })).toMatch(
    / → Lists \(forwarded by the sender; never spam when verified as x\.org; what would be refused → Refused\)$/,
  )
})

it.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140', 'Edge on Windows'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18) Version/18 Safari/604.1', 'Safari on iPhone'],
  ['curl/8', 'curl/8'],
  ['', 'Unknown'],
])('%s is %s', (userAgent, name) => {
  expect(browserOf(userAgent)).toBe(name)
})

it('reads how far an import is', () => {
  const lines = [
    ...['{"kind":"count","mailbox":"a","messages":100}', '{"kind":"count","mailbox":"b","messages":7}', ''],
    ...['{"kind":"count","mailbox":"a","messages":120}', '{"kind":"problem","text":"x: no message"}', '{"kind":"new"}'],
  ]
  const now = lines.reduce(withLine, NOTHING_YET)
  expect(now.problems).toEqual(['x: no message'])
  expect(progressText(now)).toBe('127 messages added…')
  const done = withLine(now, '{"kind":"done","added":120,"duplicates":7,"skipped":1}')
  expect(progressText(done)).toBe('Done: 120 messages added, 7 were there already, 1 left out')
  expect(() => withLine(now, '{"kind":"failed","text":"not an archive"}')).toThrow('not an archive')
})

it('shows an action that takes longer than a second, and why one failed', async () => {
  let finish = (): void => undefined
  const done = attempt('moving', () => new Promise<void>(resolve => (finish = resolve)))
  await vi.advanceTimersByTimeAsync(999)
  expect(status.value).toBe('')
  await vi.advanceTimersByTimeAsync(1)
  expect(status.value).toBe('moving')
  finish()
  expect(await done).toBe(true)
  expect(status.value).toBe('')
  expect(await attempt('moving', () => Promise.reject(new Error('no room')))).toBe(false)
  expect(toasts.value).toMatchObject([{ text: 'no room', kind: 'error' }])
})

it('saves settings together, a moment after the last change', async () => {
  startPreferences()
  const seen = serve({ settingsSave: () => ({}) })
  change({ theme: 'dark' })
  await vi.advanceTimersByTimeAsync(700)
  change({ sendDelay: 30 })
  expect(settings.value).toMatchObject({ theme: 'dark', sendDelay: 30 })
  await vi.advanceTimersByTimeAsync(700)
  expect(seen).toEqual([])
  // Another window changed something meanwhile: what is not saved here stays.
  settings.value = { ...SETTINGS, signature: 'Ann', theme: 'light' }
  expect(settings.value).toMatchObject({ signature: 'Ann', theme: 'dark', sendDelay: 30 })
  await vi.advanceTimersByTimeAsync(100)
  expect(seen).toMatchObject([{ params: { settings: { signature: 'Ann', theme: 'dark', sendDelay: 30 } } }])
  await savePreferences()
  expect(seen).toHaveLength(1)
})

it('shows settings that the server refused as the server has them', async () => {
  serve({ settingsSave: () => ({}) })
  change({ theme: 'light' })
  await savePreferences()
  serve({})
  change({ theme: 'dark' })
  await savePreferences(true)
  expect(settings.value?.theme).toBe('light')
  expect(toasts.value).toMatchObject([{ kind: 'error' }])
})
