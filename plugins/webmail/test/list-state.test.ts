import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ListedThread, Settings } from '../src/api/model.ts'
import { setCollapsed } from '../web/list/commands.ts'
import { only } from '../web/list/selection.ts'
import {
  clearSelection,
  followRows,
  press,
  rows,
  setSelection,
  targets,
  threading,
  tick,
  ticked,
  whole,
} from '../web/list/state.ts'
import { focused, narrow, selected, settings, type View, view } from '../web/state/store.ts'
import { makeItem, makeThread } from './list-items.ts'

let stop = (): void => undefined
beforeAll(() => {
  stop = followRows()
})
afterAll(() => stop())

const one = (id: number): ListedThread => makeThread(makeItem(id))
let viewId = 0

function show(threads: readonly ListedThread[], change: Partial<View> = {}): void {
  const query = { scope: 'usual', order: 'newest', threads: true } as const
  const base = { search: '', next: null, loading: false, complete: true, total: null, error: '', kept: false }
  view.value = { id: viewId, query, ...base, threads, ...change }
}

beforeEach(() => {
  viewId++
  narrow.value = false
  settings.value = { threading: 'unread' } as Settings
  view.value = undefined
  focused.value = undefined
  selected.value = []
})

test('the selection follows rows that vanish', () => {
  show([one(1), one(2), one(3)])
  setSelection(only(2))
  show([one(1), one(3)])
  expect([focused.value, selected.value]).toEqual([1, [1]])
  show([])
  expect([focused.value, selected.value]).toEqual([undefined, []])
})

test('what was chosen before a view is there waits for it', () => {
  selected.value = [3]
  focused.value = 3
  show([], { loading: true })
  show([one(1)], { loading: true })
  expect(selected.value).toEqual([3])
  show([one(1), one(3)])
  expect([focused.value, selected.value]).toEqual([3, [3]])
})

test('what a new view does not have is not selected in it', () => {
  show([one(1), one(2)])
  setSelection(only(2))
  viewId++
  show([], { loading: true })
  show([one(7)])
  expect([focused.value, selected.value]).toEqual([undefined, []])
})

test('collapsing selects the root, and actions mean the whole thread', () => {
  const thread = makeThread(makeItem(2, { flags: { seen: false } }), makeItem(3), makeItem(4))
  show([one(1), thread])
  expect(rows.value.list.map(r => r.id)).toEqual([1, 2, 3, 4])
  setSelection(only(3))
  setCollapsed([rows.value.get(2)!], true)
  expect(rows.value.list.map(r => r.id)).toEqual([1, 2])
  expect([selected.value, targets()]).toEqual([[2], [2, 3, 4]])
  setCollapsed([rows.value.get(2)!])
  expect([selected.value, targets()]).toEqual([[2], [2]])
})

test('without threads in the view they are off, whatever the settings say', () => {
  show([one(1)])
  expect(threading.value).toBe('unread')
  show([one(1)], { query: { scope: 'usual', order: 'newest', threads: false } })
  expect(threading.value).toBe('off')
})

test('actions are about the focused row when none is selected', () => {
  show([one(1), one(2)])
  setSelection(only(2))
  clearSelection()
  expect(targets()).toEqual([2])
})

test('all of a view, until the selection changes', () => {
  show([one(1), one(2)], { next: 'x' })
  setSelection({ focus: 1, selected: [1, 2], anchor: 1, extent: 2 })
  whole.value = { ids: [1, 2, 3, 4], complete: true }
  expect(targets()).toEqual([1, 2, 3, 4])
  show([one(9), one(1), one(2)], { next: 'x' })
  expect(targets()).toEqual([1, 2, 3, 4])
  setSelection(only(1))
  expect(targets()).toEqual([1])
})

test('a long press beside the message selects; what was ticked is selected when there is room again', () => {
  show([one(1), one(2), one(3)])
  setSelection(only(1))
  press(2)
  expect([ticked.value, targets()]).toEqual([undefined, [1, 2]])
  narrow.value = true
  press(3)
  press(2)
  expect(ticked.value).toEqual([3, 2])
  narrow.value = false
  expect([ticked.value, selected.value, targets()]).toEqual([undefined, [3, 2], [3, 2]])
})

test('ticked rows stand before selected ones, and vanish with their rows', () => {
  narrow.value = true
  show([one(1), one(2), one(3)])
  setSelection(only(1))
  tick(2)
  tick(3)
  expect(targets()).toEqual([2, 3])
  show([one(1), one(3)])
  expect(ticked.value).toEqual([3])
  tick(3)
  expect([ticked.value, targets()]).toEqual([undefined, [1]])
})
