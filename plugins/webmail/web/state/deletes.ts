// Deleting for good, which cannot be taken back once it is done: so it is done only when the time for taking it back is over,
// or the page goes away. Until then the messages are hidden from every view.
import { effect, signal } from '@preact/signals'
import { dismiss, type Toast, toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { showError } from './busy.ts'
import { chunks } from './portions.ts'
import { changeRows, type Former, restoreRows } from './rows.ts'
import { view } from './store.ts'

/** Milliseconds in which deleting can be taken back. */
export const DELETE_DELAY = 10_000
/** Messages of one request that outlives the page, whose body may have 64 KiB. */
const KEEPALIVE_IDS = 4_000

interface Deletion {
  readonly ids: ReadonlySet<number>
  readonly timer: ReturnType<typeof setTimeout>
  /** Offers to take it back for as long as that can be done. */
  readonly offer: Toast
  /** The server has been asked. */
  sent: boolean
  /** Rows that it hid, for the view that is open. */
  hidden: Former[]
}

const waiting = signal<readonly Deletion[]>([])

effect(() => {
  let now = view.value
  for (const deletion of waiting.value) {
    if (now === undefined) return
    const { view: next, former } = changeRows(now, deletion.ids, () => undefined)
    if (former.rows.length === 0) continue
    deletion.hidden = [...deletion.hidden.filter(f => f.viewId === now?.id), former]
    now = next
  }
  if (now !== view.value) view.value = now
})

/** Hides messages now and deletes them when the time for taking it back is over. */
export function deleteLater(ids: readonly number[]): void {
  const deletion: Deletion = {
    ids: new Set(ids),
    timer: setTimeout(() => void finish(deletion), DELETE_DELAY),
    offer: {
      text: `${ids.length.toLocaleString()} message${ids.length === 1 ? '' : 's'} deleted`,
      duration: DELETE_DELAY,
      undo: () => {
        if (deletion.sent) throw new Error('It is too late: the messages are deleted')
        clearTimeout(deletion.timer)
        restore(deletion)
      },
    },
    ...{ sent: false, hidden: [] },
  }
  waiting.value = [...waiting.value, deletion]
  toast(deletion.offer)
}

/** Deletes what waits, now: the page goes away or the user logs out. */
export function flushDeletes(): Promise<unknown> {
  return Promise.all(waiting.value.map(deletion => finish(deletion)))
}

async function finish(deletion: Deletion): Promise<void> {
  clearTimeout(deletion.timer)
  deletion.sent = true
  dismiss(deletion.offer)
  try {
    // All are sent at once: nothing goes on after the page has gone.
    const portions = [...chunks([...deletion.ids], KEEPALIVE_IDS)]
    await Promise.all(portions.map(ids => call('messagesDelete', { ids }, undefined, true)))
    waiting.value = waiting.value.filter(d => d !== deletion)
  } catch (error) {
    restore(deletion)
    showError(error)
  }
}

function restore(deletion: Deletion): void {
  waiting.value = waiting.value.filter(d => d !== deletion)
  for (const former of [...deletion.hidden].reverse())
    if (view.value !== undefined) view.value = restoreRows(view.value, former)
}
