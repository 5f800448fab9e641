import { expect, it } from 'vitest'
import { formatPlace, type Place, parseRoute } from '../web/lib/route.ts'
import { readLocal } from '../web/state/local.ts'

const inbox = { kind: 'mailbox', mailbox: 'Inbox' } as const

it.each<[string, Place]>([
  ['#Inbox', { target: inbox }],
  ['#Inbox,12', { target: inbox, message: 12 }],
  ['#Lists/a%2Cb%3A%20c,12', { target: { kind: 'mailbox', mailbox: 'Lists/a,b: c' }, message: 12 }],
  ['#Inbox,12,compose:3%2C4', { target: inbox, message: 12, draft: '3,4' }],
  ['#search%20f%3Aann%20%22a%2Cb%22,7', { target: { kind: 'search', query: 'f:ann "a,b"' }, message: 7 }],
  ['#outgoing:', { target: { kind: 'outgoing' } }],
])('%s is an address', (hash, place) => {
  expect(parseRoute(hash)).toEqual(place)
  expect(formatPlace(place)).toBe(hash)
})

it.each([
  ['', { target: inbox }],
  ['#,,', { target: inbox }],
  ['#Inbox,-1', { target: inbox }],
  ['#Inbox,compose:', { target: inbox }],
  ['#%E0%A4%A', { target: { kind: 'mailbox', mailbox: '%E0%A4%A' } }],
  ['#search x', { target: { kind: 'search', query: 'x' } }],
  ['#compose mailto:a@example.org?subject=1%2C2', { mailto: 'mailto:a@example.org?subject=1%2C2' }],
  ['#compose%20mailto%3Aa%40example.org%3Fsubject%3D1%252C2', { mailto: 'mailto:a@example.org?subject=1%2C2' }],
])('%s from elsewhere is read as %j', (hash, route) => {
  expect(parseRoute(hash)).toEqual(route)
})

it('reads each stored size for itself', () => {
  const usual = readLocal(null)
  expect(usual.mailboxesWidth).toBe(230)
  expect(readLocal('{"mailboxesWidth":300,"leftWidthPct":"wide","topHeightPct":99,"x":1}')).toEqual({
    ...usual,
    mailboxesWidth: 300,
  })
  for (const wrong of ['', 'null', '[]', '7', '{']) expect(readLocal(wrong)).toEqual(usual)
})
