// The list's own state: its rows, the selection, and what actions are about.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals'
import { focused, narrow, selected, settings, view } from '../state/store.ts'
import { Collapsing, Flattener, Rows, type Threading } from './rows.ts'
import { keep, messagesOf, onClick, type Selection, settle } from './selection.ts'

const flattener = new Flattener()
const collapsing = new Collapsing()
/** Counts what was decided in `collapsing`, so that rows follow it. */
const decisions = signal(0)

/** How threads are shown; off in a view without them. */
export const threading: ReadonlySignal<Threading> = computed(() =>
  view.value?.query.threads === true ? (settings.value?.threading ?? 'on') : 'off',
)

export const rows: ReadonlySignal<Rows> = computed(() => {
  const now = view.value
  if (now === undefined) return new Rows([])
  // What is open was decided of rows as they were; as they are now it is decided anew.
  const opening = now.kept ? -now.id : now.id
  const decided = `${opening} ${threading.value} ${decisions.value}`
  collapsing.begin(opening, threading.value)
  return flattener.rows(now.threads, thread => collapsing.collapsed(thread), decided)
})

/** Opens or closes threads for this view only. */
export function decideCollapsed(threadIds: readonly number[], collapsed: boolean): void {
  collapsing.decide(threadIds, collapsed)
  decisions.value++
}

const ends: Signal<Pick<Selection, 'anchor' | 'extent'>> = signal({ anchor: undefined, extent: undefined })
export const selection: ReadonlySignal<Selection> = computed(() => ({
  focus: focused.value,
  selected: selected.value,
  ...ends.value,
}))

/** All messages of the view, loaded or not, after the user asked for them. */
export interface Whole {
  readonly ids: readonly number[]
  /** False: there are more than one action takes. */
  readonly complete: boolean
}
export const whole: Signal<Whole | undefined> = signal(undefined)

/** Rows ticked by touch, where selecting one would open it; undefined when not ticking. */
export const ticked: Signal<readonly number[] | undefined> = signal(undefined)

/** Whole rows that fit on the screen, for moving by pages. */
export const fitting: Signal<number> = signal(20)

export function setSelection(next: Selection): void {
  batch(() => {
    whole.value = undefined
    focused.value = next.focus
    selected.value = next.selected
    ends.value = { anchor: next.anchor, extent: next.extent }
  })
}

export function clearSelection(): void {
  setSelection({ ...selection.value, selected: [], anchor: undefined, extent: undefined })
}

export function tick(id: number): void {
  const now = ticked.value ?? []
  const next = now.includes(id) ? now.filter(t => t !== id) : [...now, id]
  ticked.value = next.length === 0 ? undefined : next
}

/** A long press: ticks on a phone; where the message is beside the list it adds to the selection. */
export function press(id: number): void {
  if (narrow.value) tick(id)
  else setSelection(onClick(selection.value, rows.value, id, { toggle: true, shift: false }))
}

/** A window made wider: what was ticked is selected. */
function selectTicked(): void {
  const chosen = ticked.value ?? []
  ticked.value = undefined
  setSelection({ focus: chosen.at(-1), selected: chosen, anchor: undefined, extent: undefined })
}

/** Rows that an action is about: ticked ones, or selected ones, or the one with the focus. */
export function targetRows(): readonly number[] {
  if (ticked.value !== undefined) return ticked.value
  if (selected.value.length > 0) return selected.value
  return focused.value === undefined ? [] : [focused.value]
}

/** Messages that an action is about, with those that collapsed roots hide. */
export function targets(): readonly number[] {
  return whole.value?.ids ?? messagesOf(targetRows(), rows.value)
}

/** Keeps the selection right when rows come and go. Call it once; returns how to stop. */
export function followRows(): () => void {
  let before = new Rows([])
  let viewId: number | undefined
  let settled = false
  const stopTicking = effect(() => {
    if (!narrow.value && ticked.value !== undefined) untracked(selectTicked)
  })
  const stop = effect(() => {
    const now = rows.value
    const current = view.value
    untracked(() => {
      if (current?.id !== viewId) {
        viewId = current?.id
        settled = false
        whole.value = undefined
        ticked.value = undefined
      }
      const state = selection.value
      // Until a view is there, what was chosen before it, such as the message in the address, waits for its row.
      const next = settled ? settle(state, before, now) : current?.loading === false ? keep(state, now) : state
      if (current !== undefined && !current.loading) settled = true
      before = now
      if (next !== state) move(next)
      const left = ticked.value?.filter(id => now.standsFor(id) !== undefined)
      if (left !== undefined && left.length !== ticked.value?.length) ticked.value = left.length > 0 ? left : undefined
    })
  })
  return () => {
    stopTicking()
    stop()
  }
}

/** Like setSelection, but what was selected as a whole stays that. */
function move(next: Selection): void {
  const kept = whole.value
  const same = next.selected.length === selected.value.length
  setSelection(next)
  if (same) whole.value = kept
}
