// The page's state and its talk with the server. The list and the open message are fetched again when the server says that
// something changed; a failed request shows in `problem` and is tried again with the next change.
import { computed, effect, signal } from '@preact/signals'
import type { MessageDetail, MessageList, MessageSummary, Status } from '../src/api-types.ts'

export type Tab = 'text' | 'html' | 'headers' | 'parts' | 'source' | 'trace'
export type View = 'messages' | 'queue' | 'bench'
export type Theme = 'auto' | 'light' | 'dark'

const PAGE = 50
/** Characters of source shown in the page; all of it is one click away. */
export const SOURCE_LIMIT = 200_000

export const messages = signal<readonly MessageSummary[]>([])
export const next = signal<number | undefined>(undefined)
export const loaded = signal(false)
export const selected = signal<number | undefined>(undefined)
export const detail = signal<MessageDetail | undefined>(undefined)
export const source = signal<{ id: number; text: string } | undefined>(undefined)
export const tab = signal<Tab>('trace')
export const filter = signal('')
export const view = signal<View>('messages')
export const status = signal<Status | undefined>(undefined)
export const live = signal(false)
export const problem = signal('')
export const help = signal(false)
/** Milliseconds that the server's clock is ahead of the real time. */
export const ahead = signal(0)
/** The server's time. */
export const now = signal(Date.now())
export const theme = signal<Theme>(storedTheme())

export const shown = computed(() => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return messages.value
  return messages.value.filter(m => {
    const text = `${m.subject}\n${m.from}\n${m.recipients.join('\n')}`.toLowerCase()
    return words.every(w => text.includes(w))
  })
})

function storedTheme(): Theme {
  const value = localStorage.getItem('theme')
  return value === 'light' || value === 'dark' ? value : 'auto'
}

export async function get<T>(path: string): Promise<T> {
  const response = await fetch(path)
  if (!response.ok) throw new Error((await response.text()).trim() || `${response.status} ${response.statusText}`)
  return (await response.json()) as T
}

export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work()
    problem.value = ''
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error)
  }
}

/** Fetches the newest page and keeps the older ones that were loaded before. */
export function refresh(): Promise<void> {
  return attempt(async () => {
    const [list, state] = await Promise.all([get<MessageList>(`api/messages?limit=${PAGE}`), get<Status>('api/status')])
    const oldest = list.messages.at(-1)?.id ?? 0
    const older = list.next === undefined ? [] : messages.value.filter(m => m.id < oldest)
    if (older.length === 0) next.value = list.next
    messages.value = [...list.messages, ...older]
    status.value = state
    loaded.value = true
    if (selected.value !== undefined) await loadDetail(selected.value)
  })
}

export function loadMore(): Promise<void> {
  return attempt(async () => {
    if (next.value === undefined) return
    const list = await get<MessageList>(`api/messages?limit=${PAGE}&before=${next.value}`)
    messages.value = [...messages.value, ...list.messages]
    next.value = list.next
  })
}

async function loadDetail(id: number): Promise<void> {
  const got = await get<MessageDetail>(`api/messages/${id}`)
  if (selected.value !== id) return
  const first = detail.value?.id !== id
  detail.value = got
  if (first && !available(tab.value, got)) tab.value = 'text'
}

/** Whether the message has something to show under the tab; one that is still loading may have. */
export function available(which: Tab, message: MessageDetail | undefined): boolean {
  return which === 'html' && message !== undefined ? message.hasHtml : true
}

export function open(id: number): void {
  if (selected.value !== id) {
    selected.value = id
    if (detail.value?.id !== id) detail.value = undefined
  }
  location.hash = `#${id}`
  void attempt(() => loadDetail(id))
}

export function close(): void {
  selected.value = undefined
  detail.value = undefined
  history.replaceState(null, '', location.pathname)
}

/** Opens the message `step` rows further down; the first or last when none is open. */
export function move(step: number): void {
  const rows = shown.value
  const at = rows.findIndex(m => m.id === selected.value)
  const row = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)]
  if (row === undefined) return
  open(row.id)
  document.querySelector(`[data-id="${row.id}"]`)?.scrollIntoView({ block: 'nearest' })
  if (at >= rows.length - 5 && step > 0) void loadMore()
}

export function control(action: 'pause' | 'resume' | 'kick'): Promise<void> {
  return attempt(async () => {
    const response = await fetch(`admin/queue/${action}`, { method: 'POST', headers: { 'X-Mox-Request': '1' } })
    if (!response.ok) throw new Error(`${(await response.text()).trim()} (user admin, password moxadmin)`)
    await refresh()
  })
}

effect(() => {
  const message = detail.value
  if (tab.value !== 'source' || message === undefined || source.peek()?.id === message.id) return
  void attempt(async () => {
    const response = await fetch(`api/messages/${message.id}/source`)
    source.value = { id: message.id, text: await readSome(response) }
  })
})

/** The first SOURCE_LIMIT characters. */
export async function readSome(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (reader !== undefined && text.length < SOURCE_LIMIT) {
    const { done, value } = await reader.read()
    if (done) return text
    text += value
  }
  await reader?.cancel()
  return text.slice(0, SOURCE_LIMIT)
}

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
  if (theme.value === 'auto') localStorage.removeItem('theme')
  else localStorage.setItem('theme', theme.value)
})

const listeners = new Set<() => void>()

/** Calls back when the server says that something changed. */
export function onChange(listener: () => void): void {
  listeners.add(listener)
}

/** Starts the stream of changes and reads the address of the page. */
export function start(): void {
  const events = new EventSource('api/events')
  events.addEventListener('open', () => {
    live.value = true
    void refresh()
  })
  events.addEventListener('error', () => {
    live.value = false
  })
  events.addEventListener('change', () => {
    void refresh()
    for (const listener of listeners) listener()
  })
  setInterval(() => {
    now.value = Date.now() + ahead.value
  }, 1000)
  const fromHash = (): void => {
    view.value = location.hash === '#queue' ? 'queue' : location.hash === '#bench' ? 'bench' : 'messages'
    if (view.value !== 'messages') return
    const id = Number(location.hash.slice(1))
    if (Number.isSafeInteger(id) && id > 0) open(id)
    else if (selected.value !== undefined) close()
  }
  addEventListener('hashchange', fromHash)
  if (location.hash.length > 1) fromHash()
}
