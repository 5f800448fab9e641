// The windows in which messages are written: side by side at the bottom, the newest on the right; one at a time on a phone.
import { effect, type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Draft, OpenedMessage } from '../../src/api/model.ts'
import { toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { busy, showError } from '../state/busy.ts'
import { draftInAddress } from '../state/navigate.ts'
import { narrow } from '../state/store.ts'
import { begin, type ComposeRequest, type Start } from './begin.ts'
import { ComposeSession, type Kept, sameDraft, unsavedDrafts } from './session.ts'
import { ComposeWindow, type Opened } from './window.tsx'

/** Windows at the same time. */
const MAX_WINDOWS = 4

const windows: Signal<readonly Opened[]> = signal([])

export function Windows(): JSX.Element | null {
  if (windows.value.length === 0) return null
  const shown = narrow.value ? windows.value.slice(-1) : windows.value
  return (
    <div class="compose-windows">
      {shown.map(opened => (
        <ComposeWindow key={opened.session.id} opened={opened} />
      ))}
    </div>
  )
}

/** Opens a window with what the request begins with. */
export async function open(request: ComposeRequest): Promise<void> {
  const { message } = request
  const already = windows.value.find(
    w => request.kind === 'edit' && message !== undefined && w.session.saved.value?.messageId === message.id,
  )
  if (already !== undefined) {
    already.session.minimised.value = false
    return
  }
  if (windows.value.length >= MAX_WINDOWS) throw new Error(`${MAX_WINDOWS} messages are being written; close one first`)
  show(await busy('opening', () => begin(request)), request)
}

function show(start: Start, request: ComposeRequest): void {
  const session = new ComposeSession(start.draft, start.saved)
  const { message } = request
  for (const other of windows.value) if (windows.value.length > 1) other.session.minimised.value = true
  add(session, start, message)
  if (request.kind === 'forwardAttached' && message !== undefined) session.attachMessage(message.id).catch(showError)
}

function add(session: ComposeSession, start: Pick<Start, 'cursor' | 'focus'>, original?: OpenedMessage): void {
  const { cursor, focus } = start
  const opened = { session, cursor, focus, close, again: (draft: Draft) => again(draft), takeBack: takeSentBack }
  windows.value = [...windows.value, original === undefined ? opened : { ...opened, original }]
}

/** A window with a draft that the server does not have. */
function again(draft: Draft, id?: string): void {
  const session = new ComposeSession(draft, undefined, id)
  add(session, { cursor: 0, focus: 'text' })
  session.change({})
}

/** What was sent a moment ago, or waits for its time, becomes a draft again and is opened. */
export async function takeSentBack(sent: string): Promise<void> {
  await call('sendUndo', { sent })
  await openDraft(sent)
}

function close(session: ComposeSession): void {
  windows.value = windows.value.filter(w => w.session !== session)
}

/** Opens a draft again: after sending it was taken back, and from the page's address. */
export async function openDraft(id: string): Promise<void> {
  if (windows.value.some(w => w.session.saved.value?.id === id)) return
  const saved = await call('draftGet', { id })
  show({ draft: saved.draft, saved, cursor: 0, focus: 'text' }, { kind: 'edit' })
}

/** Opens the draft of the page's address and what an earlier page could not save. */
export async function resume(draft: string | undefined): Promise<void> {
  for (const unsaved of unsavedDrafts()) await restore(unsaved)
  // One that was sent or removed meanwhile is not missed.
  if (draft !== undefined) await openDraft(draft).catch(() => undefined)
}

/** The page may have had time to save when it was left: nobody knows but the server. */
async function restore({ id, revision, draft }: Kept): Promise<void> {
  const saved = await call('draftGet', { id }).catch(() => undefined)
  if (saved !== undefined && (sameDraft(saved.draft, draft) || saved.revision === Math.max(1, revision))) {
    show({ draft: saved.draft, saved, cursor: 0, focus: 'text' }, { kind: 'edit' })
    if (!sameDraft(saved.draft, draft)) windows.value.at(-1)?.session.change(draft)
    return
  }
  // Saved by another window since, sent, or never there: this text goes on as a draft of its own.
  again(draft, saved === undefined && revision === 0 ? id : undefined)
  toast({ text: 'A message that was not saved is open again' })
}

export async function saveAll(keepalive: boolean): Promise<void> {
  const all = windows.value.map(({ session }) => (keepalive ? session.saveOnLeaving() : session.flush()))
  await Promise.allSettled(all)
}

export function unsaved(): boolean {
  return windows.value.some(
    ({ session }) => session.isOwn && (session.unsaved || session.uploads.value.some(u => u.error === '')),
  )
}

// The draft that was opened last is in the page's address.
effect(() => {
  const last = windows.value.at(-1)?.session.saved.value?.id
  if (last !== undefined || windows.value.length === 0) draftInAddress.value = last
})

/** The window with the focus. */
function current(): Opened | undefined {
  const id = document.activeElement?.closest('[data-compose]')?.getAttribute('data-compose')
  return windows.value.find(w => String(w.session.id) === id) ?? windows.value.at(-1)
}

/** Presses a button of the window with the focus. */
export function press(action: string): void {
  const id = current()?.session.id
  document.querySelector<HTMLElement>(`[data-compose="${id}"] [data-action="${action}"]`)?.click()
}
