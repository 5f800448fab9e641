// The stream of this page: its state is that of web/state/store.ts, and it is tried again when the user comes back.
import { type Signal, signal } from '@preact/signals'
import type { ViewQuery } from '../../src/api/model.ts'
import { connected, hello, mailboxes, selected, settings, view } from '../state/store.ts'
import { csrfToken } from './accounts.ts'
import { call, errorOf, requireLogin, send } from './api.ts'
import { readKept, startKeeping } from './kept.ts'
import { type OpenOptions, StreamClient } from './stream-client.ts'
import { shareConnections } from './windows.ts'

/** Counts events that the user's mail in the queue changed. */
export const outgoingChanges: Signal<number> = signal(0)

/** The stream rests, as other windows are used: see windows.ts. */
export const paused: Signal<boolean> = signal(false)

/** The token of the stream that was opened last. */
let token = ''

const client = new StreamClient(
  { hello, connected, mailboxes, settings, view },
  {
    open(request, abort) {
      token = csrfToken()
      const headers = { 'Content-Type': 'application/json' }
      return send('events', { method: 'POST', body: JSON.stringify(request), headers }, abort)
    },
    call,
    async login(response, reason) {
      const error = response === undefined ? undefined : await errorOf(response)
      if (error !== undefined && error.code !== 'noAuth' && error.code !== 'badAuth') return false
      try {
        await requireLogin(error === undefined ? reason : error.code === 'badAuth' ? error.message : '', token)
        return true
      } catch {
        return false
      }
    },
    selected: () => (selected.value.length === 1 ? selected.value[0] : undefined),
    onOutgoing() {
      outgoingChanges.value++
    },
    after(ms, work) {
      const timer = setTimeout(work, ms)
      return () => clearTimeout(timer)
    },
  },
)

/** Shows what was kept of the last time, and keeps what is shown from now on. */
export async function restoreStream(): Promise<void> {
  const kept = await readKept()
  if (kept !== undefined) client.restore(kept)
  startKeeping(kept !== undefined)
}

let used = (): void => undefined

/** Connects, and from then on whenever the user comes back to a page whose connection broke. Call it once. */
export function startStream(): void {
  const again = (): void => {
    if (paused.value || !client.stopped) reconnect()
  }
  const online = (): void => {
    if (!client.stopped) client.start()
  }
  used = shareConnections(
    () => !client.stopped,
    () => {
      paused.value = true
      client.stop()
    },
  )
  window.addEventListener('focus', again)
  window.addEventListener('online', online)
  window.addEventListener('pageshow', again)
  window.addEventListener('offline', () => client.broken())
  reconnect()
}

/** What the Reconnect button does. */
export function reconnect(): void {
  paused.value = false
  used()
  client.start()
}

/** Ends the stream and forgets what was loaded: the user logged out. reconnect() starts over. */
export function resetStream(): void {
  client.reset()
}

/** Shows a mailbox or a search; the rows come as the server sends them. */
export function openView(query: ViewQuery, options: OpenOptions = {}): void {
  client.openView(query, options)
}

/** Loads more rows, unless that is under way or everything is loaded; tries again what failed. */
export function loadMore(limit?: number): void {
  client.loadMore(limit)
}

/** Stops loading; the rows that came stay. */
export function cancelLoading(): void {
  client.cancelLoading()
}

/** Loads the rows anew: an answer was lost, so that it is not known what was done. */
export function recheckView(): void {
  client.recheck()
}
