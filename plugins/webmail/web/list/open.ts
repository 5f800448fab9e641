// How a mailbox or a search becomes the view of the list, with what the list's header has chosen.
import { batch, effect, type Signal, signal, untracked } from '@preact/signals'
import type { Settings } from '../../src/api/model.ts'
import { openView } from '../lib/stream.ts'
import { isRefine, mailboxView, parse, type Refine, type Shown, searchView } from '../search/query.ts'
import { rememberSearch } from '../search/recent.ts'
import { setOpener, target } from '../state/navigate.ts'
import { change } from '../state/preferences.ts'
import { focused, selected, settings, view } from '../state/store.ts'

const KEY = 'webmail-refine'

/** What of a mailbox or search is shown; remembered in this browser. */
export const refine: Signal<Refine> = signal('')
/** Rows of a first page; the list says how many three screens have. */
export const pageRows: Signal<number> = signal(50)

export type Mode = Settings['threading']
export const mode = (): Mode => settings.value?.threading ?? 'on'
export const order = (): Settings['order'] => settings.value?.order ?? 'newest'

const shown = (): Shown => ({ order: order(), threads: mode() !== 'off', refine: refine.value })

function open(until?: number): void {
  const now = target.value
  const limit = pageRows.value
  if (now.kind === 'mailbox') openView(mailboxView(now.mailbox, shown()), { until, limit })
  if (now.kind !== 'search') return
  const search = parse(now.query)
  // A search for attachments is not to be overruled by what was chosen before it.
  if (refine.value === 'attachments' && search.filter.attachments !== undefined) refine.value = ''
  openView(searchView(search, shown()), { until, limit, search: now.query })
  rememberSearch(now.query)
}

function deselect(): void {
  batch(() => {
    selected.value = []
    focused.value = undefined
  })
}

/** Opens what is open anew, without a selected message. */
function restart(): void {
  deselect()
  open()
}

/** Narrows to one kind of messages; what is chosen already, or '', shows all again. */
export function setRefine(next: Refine): void {
  refine.value = refine.value === next ? '' : next
  restart()
}

export function toggleOrder(): void {
  batch(() => {
    deselect()
    change({ order: order() === 'newest' ? 'oldest' : 'newest' })
  })
}

export function setMode(threading: Mode): void {
  change({ threading })
}

/** Call it once, before navigation starts. */
export function startOpening(): void {
  const stored = localStorage.getItem(KEY)
  if (isRefine(stored)) refine.value = stored
  effect(() => localStorage.setItem(KEY, refine.value))
  setOpener((_, until) => open(until))
  // Whoever changed it: here, in the settings, another window; and what was opened before the settings were known.
  effect(() => {
    const { order, threads } = shown()
    if (settings.value === undefined) return
    untracked(() => {
      const query = view.value?.query
      if (query === undefined || (query.order === order && query.threads === threads)) return
      open(selected.value.length === 1 ? selected.value[0] : undefined)
    })
  })
}
