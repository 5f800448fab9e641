// State of the page for tests in Node: mailboxes, a view with threads, and a server that answers as told.
import { vi } from 'vitest'
import type { CallName } from '../src/api/calls.ts'
import type { Hello } from '../src/api/events.ts'
import type { Item, ListedThread, Mailbox, Settings } from '../src/api/model.ts'
import * as overlay from '../web/frame/overlay.ts'
import * as store from '../web/state/store.ts'

export const SETTINGS: Settings = {
  signature: '',
  quoting: 'auto',
  showAddressSecurity: false,
  preferHtml: false,
  shortcutHints: true,
  showHeaders: [],
  theme: 'auto',
  layout: 'auto',
  threading: 'on',
  order: 'newest',
  sendDelay: 10,
  richText: false,
  keys: {},
  singleKeys: true,
  collapsed: [],
  identities: [],
  templates: [],
  searches: [],
  labels: [],
  extensions: {},
}

export function mailbox(id: number, name: string, role?: Mailbox['specialUse'][number], unread = 0): Mailbox {
  const specialUse = role === undefined ? [] : [role]
  return {
    id,
    name,
    modseq: 1,
    specialUse,
    keywords: [],
    total: 10,
    unread,
    size: 1_000,
    subscribed: true,
    introbox: false,
  }
}

export const INBOX = 1
export const ARCHIVE = 2
export const SENT = 3
export const TRASH = 4
export const JUNK = 5
export const LISTS = 6
export const BELOW = 7

export function item(id: number, mailboxId: number = INBOX, threadId: number = id): Item {
  const no = { seen: false, answered: false, flagged: false, forwarded: false, junk: false }
  return {
    ...{ id, mailboxId, modseq: 1, receivedAt: id * 1_000, sentAt: null, size: 100, keywords: [] },
    flags: { ...no, notjunk: false, deleted: false, draft: false, phishing: false, mdnSent: false },
    ...{ threadId, threadParentId: 0, threadMissingLink: false, threadMuted: false, threadCollapsed: false },
    ...{ messageIdHeader: `<${id}@example.org>`, subject: `subject ${id}`, from: [], to: [], cc: [], bcc: [] },
    ...{ preview: '', attachments: [], matches: true, badges: [] },
  }
}

export function thread(...messages: Item[]): ListedThread {
  return { threadId: messages[0]!.threadId, total: messages.length, messages }
}

/** Inbox is open, with these rows. */
export function openInbox(threads: readonly ListedThread[]): void {
  const all = [
    mailbox(INBOX, 'Inbox'),
    mailbox(ARCHIVE, 'Archive', 'archive'),
    mailbox(SENT, 'Sent', 'sent'),
    mailbox(TRASH, 'Trash', 'trash'),
    mailbox(JUNK, 'Junk', 'junk'),
    mailbox(LISTS, 'Lists', undefined, 2),
    mailbox(BELOW, 'Lists/node', undefined, 3),
  ]
  store.mailboxes.value = new Map(all.map(m => [m.id, m]))
  store.settings.value = SETTINGS
  store.hello.value = { rejectsMailbox: 'Rejects' } as Hello
  store.selected.value = []
  store.view.value = {
    id: 1,
    query: { scope: { mailbox: INBOX }, order: 'newest', threads: true },
    search: '',
    threads,
    next: null,
    loading: false,
    complete: true,
    total: null,
    error: '',
    kept: false,
  }
  overlay.toasts.value = []
  overlay.popups.value = []
}

export function shownIds(): number[] {
  return store.view.value!.threads.flatMap(t => t.messages.map(m => m.id))
}

export type Answer = (params: never) => unknown

/** Answers calls; what is not there fails as refused. Returns the calls that came. */
export function serve(
  answers: Partial<Record<CallName, Answer>>,
): { name: string; params: unknown; keepalive: boolean }[] {
  const seen: { name: string; params: unknown; keepalive: boolean }[] = []
  const nothing = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined }
  vi.stubGlobal('localStorage', nothing)
  vi.stubGlobal('sessionStorage', nothing)
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const name = path.slice('api/'.length) as CallName
    const params = JSON.parse(String(init.body)) as never
    seen.push({ name, params, keepalive: init.keepalive === true })
    const answer = answers[name]
    if (answer === undefined)
      return Response.json({ error: { code: 'refused', message: `no ${name} today` } }, { status: 422 })
    return Response.json(await answer(params))
  })
  return seen
}
