import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import type { Target } from '../web/lib/route.ts'
import * as navigate from '../web/state/navigate.ts'
import { focused, mailboxes, narrow, selected } from '../web/state/store.ts'
import { INBOX, LISTS, openInbox } from './page-state.ts'

/** A window's history: entries with their states. */
const entries: { hash: string; state: unknown }[] = []
let opened: [Target, number | undefined][] = []
let pop = (): void => undefined

function stubWindow(hash: string): void {
  const location = { hash }
  entries.splice(0, entries.length, { hash, state: null })
  const set = (state: unknown, to: string): void => {
    location.hash = to
    entries[entries.length - 1] = { hash: to, state }
  }
  vi.stubGlobal('location', location)
  vi.stubGlobal('history', {
    get state() {
      return entries.at(-1)?.state
    },
    pushState: (state: unknown, _: string, to: string) => {
      entries.push({ hash: '', state: null })
      set(state, to)
    },
    replaceState: (state: unknown, _: string, to: string) => set(state, to),
    back: () => {
      entries.pop()
      location.hash = entries.at(-1)?.hash ?? ''
      pop()
    },
  })
}
vi.stubGlobal('addEventListener', (_: string, listener: () => void) => {
  pop = listener
})

beforeEach(() => {
  stubWindow('#Inbox')
  openInbox([])
  narrow.value = false
  opened = []
  navigate.setOpener((...open) => opened.push(open))
})
afterAll(() => vi.unstubAllGlobals())

const hashes = (): string[] => entries.map(e => e.hash)

// Navigation is started once, as in a page; what follows happens in it, in order.
it('opens what the address says, and keeps an entry for each place', () => {
  stubWindow('#Lists,7')
  navigate.startNavigation()
  expect(opened).toEqual([[{ kind: 'mailbox', mailbox: 'Lists' }, 7]])
  expect(selected.value).toEqual([7])
  navigate.openMailbox('Inbox')
  expect(navigate.target.value).toEqual({ kind: 'mailbox', mailbox: 'Inbox' })
  navigate.openSearch('f:ann')
  expect(hashes()).toEqual(['#Lists,7', '#Inbox', '#search%20f%3Aann'])
  history.back()
  expect(navigate.target.value).toEqual({ kind: 'mailbox', mailbox: 'Inbox' })
  expect(opened.at(-1)).toEqual([{ kind: 'mailbox', mailbox: 'Inbox' }, undefined])
})

it('has messages in the address, with an entry of their own on a phone', () => {
  navigate.openMailbox('Inbox')
  selected.value = [3]
  expect(hashes()).toEqual(['#Inbox,3'])
  selected.value = []
  narrow.value = true
  selected.value = [4]
  expect(hashes()).toEqual(['#Inbox', '#Inbox,4'])
  expect(navigate.pane.value).toBe('message')
  selected.value = [5]
  expect(hashes()).toEqual(['#Inbox', '#Inbox,5'])
  navigate.backToList()
  expect(selected.value).toEqual([])
  expect(focused.value).toBe(undefined)
  expect(navigate.pane.value).toBe('list')
  expect(hashes()).toEqual(['#Inbox'])
})

it('follows a mailbox that is renamed, and leaves one that is removed', () => {
  navigate.openMailbox('Inbox')
  navigate.openMailbox('Lists')
  const before = mailboxes.value
  mailboxes.value = new Map([...before, [LISTS, { ...before.get(LISTS)!, name: 'Letters' }]])
  expect(navigate.target.value).toEqual({ kind: 'mailbox', mailbox: 'Letters' })
  expect(hashes()).toEqual(['#Inbox', '#Letters'])
  mailboxes.value = new Map([...before].filter(([id]) => id !== LISTS))
  expect(navigate.target.value).toEqual({ kind: 'mailbox', mailbox: 'Inbox' })
  expect(opened.at(-1)?.[0]).toEqual({ kind: 'mailbox', mailbox: mailboxes.value.get(INBOX)?.name })
})
