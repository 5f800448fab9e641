// Which rows are selected and which has the focus, as pure functions: every gesture and key makes a new state of an old one.
import type { Rows } from './rows.ts'

export interface Selection {
  readonly focus: number | undefined
  /** In the order in which they were selected. */
  readonly selected: readonly number[]
  /** The two ends of the most recent range: where it began, and where it was drawn to. */
  readonly anchor: number | undefined
  readonly extent: number | undefined
}

export const NOTHING: Selection = { focus: undefined, selected: [], anchor: undefined, extent: undefined }

/** Only this row. */
export function only(id: number): Selection {
  return { focus: id, selected: [id], anchor: id, extent: id }
}

/** Into the selection, or out of it. */
export function toggle(state: Selection, id: number): Selection {
  const selected = state.selected.includes(id) ? state.selected.filter(s => s !== id) : [...state.selected, id]
  return { focus: id, selected, anchor: id, extent: id }
}

/** Moves the focus and leaves the selection. */
export function focusOn(state: Selection, id: number): Selection {
  return { ...state, focus: id }
}

/** Ids from one row to another, in this direction. */
function between(rows: Rows, from: number, to: number): readonly number[] {
  const [a, b] = [rows.indexOf(from), rows.indexOf(to)]
  if (a < 0 || b < 0) return [to]
  const ids = rows.list.slice(Math.min(a, b), Math.max(a, b) + 1).map(row => row.id)
  return a <= b ? ids : ids.reverse()
}

function anchorOf(state: Selection, rows: Rows, otherwise: number): number {
  for (const id of [state.anchor, state.focus]) if (id !== undefined && rows.indexOf(id) >= 0) return id
  return otherwise
}

/** Replaces the selection by the range from where the last one began. */
export function range(state: Selection, rows: Rows, id: number): Selection {
  const anchor = anchorOf(state, rows, id)
  return { focus: id, selected: between(rows, anchor, id), anchor, extent: id }
}

/** Adds the range from where the last one began. */
export function addRange(state: Selection, rows: Rows, id: number): Selection {
  const anchor = anchorOf(state, rows, id)
  const there = new Set(state.selected)
  const added = between(rows, anchor, id).filter(i => !there.has(i))
  return { focus: id, selected: [...state.selected, ...added], anchor, extent: id }
}

/** Draws the last range to here instead of to where it went: it grows, or shrinks when going back. */
export function extend(state: Selection, rows: Rows, id: number): Selection {
  const anchor = anchorOf(state, rows, id)
  const before = new Set(
    anchor === state.anchor && state.extent !== undefined ? between(rows, anchor, state.extent) : [],
  )
  const now = between(rows, anchor, id)
  const inside = new Set(now)
  const kept = state.selected.filter(s => !before.has(s) && !inside.has(s))
  return { focus: id, selected: [...kept, ...now], anchor, extent: id }
}

/** What is held during a gesture or key. `toggle` is ctrl, or the command key on macOS. */
export interface Held {
  readonly toggle: boolean
  readonly shift: boolean
}

export function onClick(state: Selection, rows: Rows, id: number, held: Held): Selection {
  if (held.shift) return held.toggle ? addRange(state, rows, id) : range(state, rows, id)
  return held.toggle ? toggle(state, id) : only(id)
}

/** A move key: to this row and select it; with ctrl only to it; with shift the selection comes along. */
export function onMove(state: Selection, rows: Rows, id: number, held: Held): Selection {
  if (held.shift) return extend(state, rows, id)
  return held.toggle ? focusOn(state, id) : only(id)
}

export function onSpace(state: Selection, rows: Rows, held: Held): Selection {
  const { focus } = state
  if (focus === undefined || rows.indexOf(focus) < 0) return state
  if (held.shift) return extend(state, rows, focus)
  return held.toggle ? toggle(state, focus) : only(focus)
}

/** All rows of the thread of the focused one. */
export function selectThread(state: Selection, rows: Rows): Selection {
  const row = rows.get(state.focus)
  if (row === undefined) return state
  const at = rows.indexOf(row.rootId)
  const ids: number[] = []
  for (let i = Math.max(at, 0); rows.list[i]?.rootId === row.rootId; i++) ids.push(rows.list[i]!.id)
  return { focus: row.id, selected: ids, anchor: ids[0], extent: ids.at(-1) }
}

export function selectAll(state: Selection, rows: Rows): Selection {
  const ids = rows.list.map(row => row.id)
  return { focus: state.focus ?? ids[0], selected: ids, anchor: ids[0], extent: ids.at(-1) }
}

export const MOVES = [
  ...(['next', 'previous', 'pageDown', 'pageUp', 'last', 'first'] as const),
  ...(['nextThread', 'thisThread', 'nextUnread'] as const),
] as const
export type Move = (typeof MOVES)[number]

/** Where a move key leads from the focused row; undefined when it leads nowhere. `page`: rows that fit on the screen. */
export function destination(rows: Rows, focus: number | undefined, move: Move, page: number): number | undefined {
  const { list } = rows
  const at = rows.indexOf(focus)
  const last = list.length - 1
  if (last < 0) return undefined
  if (at < 0) return move === 'last' ? list[last]!.id : move === 'nextUnread' ? unreadAfter(rows, -1) : list[0]!.id
  const to = (i: number): number => list[Math.min(Math.max(i, 0), last)]!.id
  switch (move) {
    case 'next':
      return to(at + 1)
    case 'previous':
      return to(at - 1)
    case 'pageDown':
      return to(at + Math.max(1, page - 1))
    case 'pageUp':
      return to(at - Math.max(1, page - 1))
    case 'last':
      return to(last)
    case 'first':
      return to(0)
    case 'nextThread':
      return list.slice(at + 1).find(row => row.depth === 0)?.id
    case 'thisThread':
      // The root of this thread; at a root that of the one before.
      return list.slice(0, list[at]!.depth === 0 ? at : at + 1).findLast(row => row.depth === 0)?.id
    case 'nextUnread':
      return unreadAfter(rows, at)
  }
}

/** Down from a row, then from the top to it. A collapsed root is unread when something in it is. */
function unreadAfter({ list }: Rows, at: number): number | undefined {
  for (let step = 1; step <= list.length; step++) {
    const index = (at + step) % list.length
    const row = list[index]!
    if (index !== at && [row.item, ...row.hidden].some(i => !i.flags.seen)) return row.id
  }
  return undefined
}

/**
 * After rows came and went. What is hidden now is stood for by its root. A focus that vanished goes to the row before it that
 * is left, else to the one after; if rows were selected and none is left, that becomes the selection, so that deleting can
 * go on through the list.
 */
export function settle(state: Selection, before: Rows, after: Rows): Selection {
  const now = (id: number): number | undefined => after.standsFor(id) ?? savedAnew(id, before, after)
  const selected = [...new Set(state.selected.map(now).filter(id => id !== undefined))]
  const focus = state.focus === undefined ? undefined : (now(state.focus) ?? nearest(state.focus, before, after))
  const end = (id: number | undefined) => (id === undefined ? undefined : now(id))
  const next: Selection = { focus, selected, anchor: end(state.anchor), extent: end(state.extent) }
  if (state.selected.length > 0 && selected.length === 0) return focus === undefined ? NOTHING : only(focus)
  return same(state, next) ? state : next
}

/** A draft that was saved is another message with the same Message-ID. */
function savedAnew(id: number, before: Rows, after: Rows): number | undefined {
  const was = before.get(id)?.item
  if (was === undefined || !was.flags.draft || was.messageIdHeader === '') return undefined
  return after.list.find(({ item }) => item.flags.draft && item.messageIdHeader === was.messageIdHeader)?.id
}

function nearest(id: number, before: Rows, after: Rows): number | undefined {
  const at = before.indexOf(before.standsFor(id))
  if (at < 0) return undefined
  const left = (row: { readonly id: number }) => after.indexOf(row.id) >= 0
  return (before.list.slice(0, at).findLast(left) ?? before.list.slice(at + 1).find(left))?.id
}

function same(a: Selection, b: Selection): boolean {
  return (
    a.focus === b.focus &&
    a.anchor === b.anchor &&
    a.extent === b.extent &&
    a.selected.length === b.selected.length &&
    a.selected.every((id, i) => id === b.selected[i])
  )
}

/** In a view that was opened anew: what is still there. */
export function keep(state: Selection, rows: Rows): Selection {
  const there = (id: number | undefined) => (id === undefined ? undefined : rows.standsFor(id))
  const selected = [...new Set(state.selected.map(there).filter(id => id !== undefined))]
  return {
    focus: there(state.focus) ?? selected.at(-1),
    selected,
    anchor: there(state.anchor),
    extent: there(state.extent),
  }
}

/** The messages that an action on these rows is about: a collapsed root brings those it hides. */
export function messagesOf(selected: readonly number[], rows: Rows): readonly number[] {
  const ids = new Set<number>()
  for (const id of selected) {
    ids.add(id)
    for (const item of rows.get(id)?.hidden ?? []) ids.add(item.id)
  }
  return [...ids]
}
