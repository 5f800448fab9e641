// The queue view's state and its talk with the server. The list is fetched again when the server says that something
// changed, as long as it is looked at. Recipients that have left are no longer selected.
import { batch, computed, effect, signal } from '@preact/signals'
import type {
  QueueChange,
  QueueChangeRequest,
  QueueChangeResult,
  QueueChoice,
  QueueCount,
  QueueList,
  QueueRow,
  QueueTransports,
} from '../src/api-types.ts'
import { fields, filtered, filters, listQuery } from './queue-filters.ts'
import { attempt, get, onChange, readSome, refresh, view } from './state.ts'

const PAGE = 50
/** Rows that are kept up to date; more are fetched once. */
const KEPT = 500
/** Ids in one request. */
const IDS = 1_000

export const rows = signal<readonly QueueRow[]>([])
export const nextRows = signal<string | undefined>(undefined)
export const queueLoaded = signal(false)
export const selected = signal<ReadonlySet<number>>(new Set())
/** Set when all that match are selected, shown or not: how many they were then. */
export const everything = signal<number | undefined>(undefined)
/** The row that keys are about. */
export const current = signal<number | undefined>(undefined)
/** What was done last, for everybody to hear. */
export const said = signal('')
/** Names of the transports that there are. */
export const transports = signal<readonly string[]>([])

/** Recipients that something is about to be done with. */
export interface Chosen {
  readonly choice: QueueChoice
  readonly count: number
  /** Those of them that are shown. */
  readonly shown: readonly QueueRow[]
}
export type Action = QueueChange['action']
/** What asks back: for a yes, or for what it should be. */
export type Question = Exclude<Action, 'retry' | 'hold' | 'release'>

/** An action that waits for an answer. */
export const asking = signal<{ readonly action: Question; readonly chosen: Chosen } | undefined>(undefined)
/** The message of a recipient, as it is sent; without a text while that is fetched. */
export const showing = signal<{ readonly row: QueueRow; readonly text?: string } | undefined>(undefined)

export const allSelected = computed(() => rows.value.length > 0 && rows.value.every(({ id }) => selected.value.has(id)))

let asked = 0

const address = (limit: number, after?: string): string => `api/queue?${listQuery(limit, after)}`

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
      selected.value = everything.value === undefined ? new Set([...selected.value].filter(id => here.has(id))) : here
      if (current.value !== undefined && !here.has(current.value)) current.value = undefined
    })
  })
}

export function moreRows(): Promise<void> {
  return attempt(async () => {
    if (nextRows.value === undefined) return
    const list = await get<QueueList>(address(PAGE, nextRows.value))
    const known = new Set(rows.value.map(({ id }) => id))
    batch(() => {
      rows.value = [...rows.value, ...list.rows.filter(({ id }) => !known.has(id))]
      nextRows.value = list.next
      if (everything.value !== undefined) selected.value = new Set(rows.value.map(({ id }) => id))
    })
  })
}

export function select(id: number, on: boolean): void {
  const next = new Set(selected.value)
  if (on) next.add(id)
  else next.delete(id)
  selected.value = next
  everything.value = undefined
}

export function selectAll(on: boolean): void {
  selected.value = new Set(on ? rows.value.map(({ id }) => id) : [])
  everything.value = undefined
}

/** All that match, also those that are not in the list yet. */
export function selectEverything(): Promise<void> {
  return attempt(async () => {
    const wanted = fields.value
    const { count } = await get<QueueCount>(`api/queue/count?${new URLSearchParams({ ...wanted })}`)
    if (wanted !== fields.value || count === 0) return
    selectAll(true)
    everything.value = count
  })
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
function chosen(): Chosen {
  const count = everything.value
  if (count !== undefined)
    return { choice: filtered.value ? { filter: fields.value } : { all: true }, count, shown: rows.value }
  return these(selected.value.size > 0 ? [...selected.value] : current.value === undefined ? [] : [current.value])
}

export function these(ids: readonly number[]): Chosen {
  return { choice: { ids }, count: ids.length, shown: rows.value.filter(({ id }) => ids.includes(id)) }
}

/** What cannot be taken back, and what needs to know more, asks first. */
export function act(action: Action, what: Chosen = chosen()): void {
  if (what.count === 0) return
  if (action === 'retry' || action === 'hold' || action === 'release') void attempt(() => change({ action }, what))
  else {
    if (action === 'transport') void loadTransports()
    asking.value = { action, chosen: what }
  }
}

/** `h` on a keyboard: releases when all of them are held. */
export function holdOrRelease(): void {
  const what = chosen()
  act(what.shown.every(({ state }) => state === 'held') ? 'release' : 'hold', what)
}

/** Shows the message of one recipient: the row that keys are about when none is named. */
export function show(id: number | undefined = current.value): void {
  const row = rows.value.find(one => one.id === id)
  if (row === undefined) return
  showing.value = { row }
  void attempt(async () => {
    const response = await fetch(`api/queue/${row.id}/message`)
    const text = response.ok ? await readSome(response) : (await response.text()).trim()
    if (showing.value?.row === row) showing.value = { row, text }
  })
}

const DONE: Record<Action, string> = {
  retry: 'will be tried now',
  hold: 'on hold',
  release: 'released',
  schedule: 'rescheduled',
  transport: 'got another transport',
  requiretls: 'got another demand on TLS',
  fail: 'failed',
  drop: 'dropped',
}

/** Rejects with a text for people; then some of many may have been changed. */
export async function change(what: QueueChange, { choice }: Chosen): Promise<void> {
  let count = 0
  for (const portion of portions(choice)) count += await post({ ...what, ...portion })
  batch(() => {
    said.value = `${count} ${count === 1 ? 'recipient' : 'recipients'} ${DONE[what.action]}`
    selectAll(false)
  })
  void refresh()
  void refreshQueue()
}

function portions(choice: QueueChoice): readonly QueueChoice[] {
  if (!('ids' in choice)) return [choice]
  const starts = Array.from({ length: Math.ceil(choice.ids.length / IDS) }, (_, i) => i * IDS)
  return starts.map(start => ({ ids: choice.ids.slice(start, start + IDS) }))
}

async function post(request: QueueChangeRequest): Promise<number> {
  const response = await fetch('admin/queue/change', {
    method: 'POST',
    headers: { 'X-Mox-Request': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  })
  if (response.ok) return ((await response.json()) as QueueChangeResult).count
  const text = (await response.text()).trim()
  throw new Error(response.status === 401 ? `${text} (user admin, password moxadmin)` : text)
}

export function loadTransports(): Promise<void> {
  return attempt(async () => {
    transports.value = (await get<QueueTransports>('api/queue/transports')).transports
  })
}

effect(() => {
  // Whatever changes the list fetches it again.
  filters.value
  if (view.value === 'queue') void refreshQueue()
})

effect(() => {
  // What matched before is not what matches now.
  fields.value
  everything.value = undefined
})

onChange(() => {
  if (view.peek() === 'queue') void refreshQueue()
})
