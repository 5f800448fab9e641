// The message that is shown: loaded when it is the only selected one, and the next one ahead of time.
import { effect, type Signal, signal, untracked } from '@preact/signals'
import type { OpenedMessage, ViewMode } from '../../src/api/model.ts'
import { ApiError, call } from '../lib/api.ts'
import { viewed } from '../list/auto-flags.ts'
import { rows } from '../list/state.ts'
import { showError } from '../state/busy.ts'
import { target } from '../state/navigate.ts'
import { hello, opened, selected } from '../state/store.ts'

/** Messages that are kept: the one that is shown, those around it, and some of before. */
const KEPT = 8
/** Milliseconds for which a message must be the selected one, while the selection runs through the list. */
const SETTLED = 120
/** Milliseconds after which the next message is loaded. */
const NEXT_AFTER = 400

/** Why the selected message is not shown; '' while it is, or is being loaded. */
export const problem: Signal<string> = signal('')
/** The attachment that is shown on its own, by its path. */
export const viewer: Signal<string | undefined> = signal(undefined)

const cache = new Map<number, Promise<OpenedMessage>>()
let wanted: number | undefined
let before: number | undefined
let changedAt = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Follows the selection. Call it once. */
export function startOpened(): void {
  effect(() => {
    const [id, ...more] = selected.value
    const shown = hello.value === undefined || target.value.kind === 'outgoing' || more.length > 0 ? undefined : id
    untracked(() => follow(shown))
  })
}

function follow(id: number | undefined): void {
  if (id === wanted) return
  const now = performance.now()
  const running = now - changedAt < SETTLED
  changedAt = now
  before = wanted
  wanted = id
  clearTimeout(timer)
  viewed.leave()
  opened.value = undefined
  problem.value = ''
  viewer.value = undefined
  if (id === undefined) return
  if (running && !cache.has(id)) timer = setTimeout(() => void show(id), SETTLED)
  else void show(id)
}

/** Tries again to show what could not be. */
export function retry(): void {
  if (wanted === undefined) return
  problem.value = ''
  void show(wanted)
}

async function show(id: number): Promise<void> {
  try {
    const message = await load(id)
    if (wanted !== id) return
    opened.value = message
    viewed.show(id)
    timer = setTimeout(() => loadNext(id), NEXT_AFTER)
  } catch (error) {
    if (wanted !== id) return
    const gone = error instanceof ApiError && error.code === 'notFound'
    problem.value = gone
      ? 'This message is not there any more.'
      : error instanceof Error
        ? error.message
        : String(error)
  }
}

function load(id: number): Promise<OpenedMessage> {
  const known = cache.get(id)
  if (known !== undefined) {
    // The least recently used is the first.
    cache.delete(id)
    cache.set(id, known)
    return known
  }
  const loading = call('message', { id })
  cache.set(id, loading)
  for (const old of cache.keys()) if (cache.size > KEPT) cache.delete(old)
  loading.catch(() => {
    if (cache.get(id) === loading) cache.delete(id)
  })
  return loading
}

/** The message after this one, in the direction in which the selection goes. */
function loadNext(id: number): void {
  const { list } = rows.value
  const at = rows.value.indexOf(id)
  if (at < 0) return
  const back = before !== undefined && rows.value.indexOf(before) > at
  const next = list[at + (back ? -1 : 1)]
  if (next !== undefined) load(next.id).catch(() => undefined)
}

/** Shows the open message in another way, and the sender's from now on. */
export function chooseMode(mode: ViewMode): void {
  const message = opened.value
  if (message === undefined) return
  opened.value = { ...message, viewMode: mode }
  // What was loaded ahead may be of the same sender.
  cache.clear()
  cache.set(message.id, Promise.resolve(opened.value))
  const [from] = message.from
  if (message.from.length !== 1 || from === undefined || from.address === '') return
  call('viewMode', { address: from.address, mode }).catch(showError)
}
