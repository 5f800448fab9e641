// The queue view's state and its talk with the server. The list is fetched again when the server says that something
// changed, as long as it is looked at. Recipients that have left are no longer selected.
import { batch, computed, effect, signal } from '@preact/signals'
import type { QueueAction, QueueChangeRequest, QueueChangeResult, QueueList, QueueRow } from '../src/api-types.ts'
import { attempt, get, onChange, refresh, view } from './state.ts'

const PAGE = 50
/** Rows that are kept up to date; more are fetched once. */
const KEPT = 500

export interface Filters {
  readonly to: string
  readonly from: string
  readonly state: 'all' | 'waiting' | 'held'
  readonly sort: 'nextattempt' | 'queued'
}

export const NO_FILTERS: Filters = { to: '', from: '', state: 'all', sort: 'nextattempt' }

export const filters = signal<Filters>(NO_FILTERS)
export const rows = signal<readonly QueueRow[]>([])
export const nextRows = signal<string | undefined>(undefined)
export const queueLoaded = signal(false)
export const selected = signal<ReadonlySet<number>>(new Set())
/** The row that keys are about. */
export const current = signal<number | undefined>(undefined)
/** What was done last, for everybody to hear. */
export const said = signal('')
/** A change that waits for a yes. */
export const asking = signal<{ readonly action: 'fail' | 'drop'; readonly ids: readonly number[] } | undefined>(
  undefined,
)

export const allSelected = computed(() => rows.value.length > 0 && rows.value.every(({ id }) => selected.value.has(id)))
export const filtered = computed(() => filters.value.to + filters.value.from !== '' || filters.value.state !== 'all')

let asked = 0

function address(limit: number, after?: string): string {
  const { to, from, state, sort } = filters.value
  const query = new URLSearchParams({ limit: String(limit), sort })
  if (to !== '') query.set('to', to)
  if (from !== '') query.set('from', from)
  if (state !== 'all') query.set('hold', String(state === 'held'))
  if (after !== undefined) query.set('after', after)
  return `api/queue?${query}`
}

export function refreshQueue(): Promise<void> {
  const number = ++asked
  return attempt(async () => {
    const list = await get<QueueList>(address(Math.min(Math.max(PAGE, rows.peek().length), KEPT)))
    // A later request has overtaken this one.
    if (number !== asked) return
    batch(() => {
      rows.value = list.rows
      nextRows.value = list.next
      queueLoaded.value = true
      const here = new Set(list.rows.map(({ id }) => id))
      selected.value = new Set([...selected.value].filter(id => here.has(id)))
      if (current.value !== undefined && !here.has(current.value)) current.value = undefined
    })
  })
}

export function moreRows(): Promise<void> {
  return attempt(async () => {
    if (nextRows.value === undefined) return
    const list = await get<QueueList>(address(PAGE, nextRows.value))
    const known = new Set(rows.value.map(({ id }) => id))
    rows.value = [...rows.value, ...list.rows.filter(({ id }) => !known.has(id))]
    nextRows.value = list.next
  })
}

export function select(id: number, on: boolean): void {
  const next = new Set(selected.value)
  if (on) next.add(id)
  else next.delete(id)
  selected.value = next
}

export function selectAll(on: boolean): void {
  selected.value = new Set(on ? rows.value.map(({ id }) => id) : [])
}

/** Moves the row that keys are about, and the focus with it. */
export function step(by: number): void {
  const all = rows.value
  const at = all.findIndex(({ id }) => id === current.value)
  const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]
  if (row === undefined) return
  current.value = row.id
  document.getElementById(`select-${row.id}`)?.focus()
  document.getElementById(`queued-${row.id}`)?.scrollIntoView({ block: 'nearest' })
  if (at >= all.length - 5 && by > 0) void moreRows()
}

/** The selected recipients, else the one that keys are about. */
function chosen(): readonly number[] {
  if (selected.value.size > 0) return [...selected.value]
  return current.value === undefined ? [] : [current.value]
}

/** What cannot be taken back is asked about first. */
export function act(action: QueueAction, ids: readonly number[] = chosen()): void {
  if (ids.length === 0) return
  if (action === 'fail' || action === 'drop') asking.value = { action, ids }
  else void change(action, ids)
}

/** `h` on a keyboard: releases when all of them are held. */
export function holdOrRelease(): void {
  const ids = new Set(chosen())
  const held = rows.value.filter(({ id }) => ids.has(id)).every(({ state }) => state === 'held')
  act(held ? 'release' : 'hold')
}

const DONE: Record<QueueAction, string> = {
  retry: 'will be tried now',
  hold: 'on hold',
  release: 'released',
  fail: 'failed',
  drop: 'dropped',
}

export function change(action: QueueAction, ids: readonly number[]): Promise<void> {
  asking.value = undefined
  return attempt(async () => {
    const response = await fetch('admin/queue/change', {
      method: 'POST',
      headers: { 'X-Mox-Request': '1', 'Content-Type': 'application/json' },
      body: JSON.stringify({ action, ids } satisfies QueueChangeRequest),
    })
    if (!response.ok) throw new Error(`${(await response.text()).trim()} (user admin, password moxadmin)`)
    const { count } = (await response.json()) as QueueChangeResult
    said.value = `${count} ${count === 1 ? 'recipient' : 'recipients'} ${DONE[action]}`
    selected.value = new Set()
    await Promise.all([refresh(), refreshQueue()])
  })
}

effect(() => {
  // Whatever changes the list fetches it again.
  filters.value
  if (view.value === 'queue') void refreshQueue()
})

onChange(() => {
  if (view.peek() === 'queue') void refreshQueue()
})
