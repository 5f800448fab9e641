import { describe, expect, test } from 'vitest'
import type { ListedThread } from '../src/api/model.ts'
import { Rows, threadRows } from '../web/list/rows.ts'
import {
  destination,
  extend,
  keep,
  MOVES,
  type Move,
  messagesOf,
  NOTHING,
  onClick,
  only,
  onMove,
  onSpace,
  type Selection,
  selectAll,
  selectThread,
  settle,
} from '../web/list/selection.ts'
import { makeItem, makeRows, makeThread } from './list-items.ts'

const rows = makeRows([1], [2], [3], [4], [5], [6])
const NONE = { toggle: false, shift: false }
const CTRL = { toggle: true, shift: false }
const SHIFT = { toggle: false, shift: true }
const BOTH = { toggle: true, shift: true }
type Gesture = (s: Selection) => Selection
const click =
  (id: number, held = NONE): Gesture =>
  s =>
    onClick(s, rows, id, held)
const space =
  (held = NONE): Gesture =>
  s =>
    onSpace(s, rows, held)
const move =
  (m: Move, held = NONE): Gesture =>
  s =>
    onMove(s, rows, destination(rows, s.focus, m, 3) ?? 0, held)

test.each<[string, readonly Gesture[], focus: number | undefined, selected: readonly number[]]>([
  ['a click selects one', [click(2), click(4)], 4, [4]],
  ['ctrl adds', [click(2), click(4, CTRL)], 4, [2, 4]],
  ['ctrl takes away', [click(2), click(4, CTRL), click(2, CTRL)], 2, [4]],
  ['ctrl takes the only one away', [click(2), click(2, CTRL)], 2, []],
  ['shift selects a range', [click(2), click(4, SHIFT)], 4, [2, 3, 4]],
  ['shift selects upwards', [click(4), click(2, SHIFT)], 2, [4, 3, 2]],
  ['shift again is from the same beginning', [click(3), click(5, SHIFT), click(1, SHIFT)], 1, [3, 2, 1]],
  ['shift replaces', [click(1), click(3, CTRL), click(4, SHIFT)], 4, [3, 4]],
  ['shift without a beginning', [click(3, SHIFT)], 3, [3]],
  ['ctrl shift adds a range', [click(1), click(3, CTRL), click(4, BOTH)], 4, [1, 3, 4]],
  ['ctrl shift adds nothing twice', [click(1), click(3, BOTH), click(2, BOTH)], 2, [1, 2, 3]],
  ['a move selects', [click(2), move('next')], 3, [3]],
  ['ctrl and a move', [click(2), move('next', CTRL), move('next', CTRL)], 4, [2]],
  ['space after it', [click(2), move('next', CTRL), move('next', CTRL), space()], 4, [4]],
  ['ctrl space after it', [click(2), move('next', CTRL), move('next', CTRL), space(CTRL)], 4, [2, 4]],
  ['shift space after it', [click(2), move('next', CTRL), move('next', CTRL), space(SHIFT)], 4, [2, 3, 4]],
  ['ctrl space takes away', [click(2), space(CTRL)], 2, []],
  ['space without focus', [space()], undefined, []],
  ['shift and moves grow', [click(2), move('next', SHIFT), move('next', SHIFT)], 4, [2, 3, 4]],
  ['and shrink', [click(2), move('next', SHIFT), move('next', SHIFT), move('previous', SHIFT)], 3, [2, 3]],
  [
    'and go to the other side',
    [click(3), move('next', SHIFT), move('previous', SHIFT), move('previous', SHIFT)],
    2,
    [3, 2],
  ],
  [
    'what was selected before stays',
    [click(1), click(4, CTRL), move('next', SHIFT), move('previous', SHIFT)],
    4,
    [1, 4],
  ],
  ['a page', [click(1), move('pageDown')], 3, [3]],
  ['a page with shift', [click(1), move('pageDown', SHIFT)], 3, [1, 2, 3]],
  ['end and home', [click(2), move('last'), move('first')], 1, [1]],
  ['end with shift', [click(4), move('last', SHIFT)], 6, [4, 5, 6]],
  ['at the end', [click(6), move('next')], 6, [6]],
  ['without focus', [move('next')], 1, [1]],
  ['all', [click(2), s => selectAll(s, rows)], 2, [1, 2, 3, 4, 5, 6]],
])('%s', (_, gestures, focus, selected) => {
  const state = gestures.reduce((s, gesture) => gesture(s), NOTHING)
  expect([state.focus, state.selected]).toEqual([focus, selected])
})

describe('threads', () => {
  const threads = makeRows([1], [2, 3, 4], { collapsed: [5, 6, 7] }, [8])

  test.each<[Move, from: number, to: number | undefined]>([
    ['next', 4, 5],
    ['next', 5, 8],
    ['previous', 8, 5],
    ['nextThread', 1, 2],
    ['nextThread', 3, 5],
    ['nextThread', 8, undefined],
    ['thisThread', 4, 2],
    ['thisThread', 2, 1],
    ['thisThread', 8, 5],
    ['thisThread', 1, undefined],
    ['nextUnread', 1, undefined],
  ])('%s from %i is %s', (move, from, to) => {
    expect(destination(threads, from, move, 3)).toBe(to)
  })

  test('an empty list has no destination', () => {
    expect(MOVES.map(m => destination(makeRows(), undefined, m, 3))).toEqual(MOVES.map(() => undefined))
  })

  test('a range takes rows, and for actions a collapsed root what it hides', () => {
    const state = onClick(only(4), threads, 8, SHIFT)
    expect(state.selected).toEqual([4, 5, 8])
    expect(messagesOf(state.selected, threads)).toEqual([4, 5, 6, 7, 8])
  })

  test('S selects the thread', () => {
    expect(selectThread(only(3), threads)).toMatchObject({ focus: 3, selected: [2, 3, 4] })
    expect(selectThread(only(5), threads)).toMatchObject({ focus: 5, selected: [5] })
    expect(selectThread(NOTHING, threads)).toBe(NOTHING)
  })

  test('the next unread is looked for downwards, then from the top, also within collapsed threads', () => {
    const unread = (rows: Rows, ...ids: number[]): Rows => {
      for (const row of rows.list)
        for (const item of [row.item, ...row.hidden])
          if (ids.includes(item.id)) (item.flags as { seen: boolean }).seen = false
      return rows
    }
    const some = unread(makeRows([1], [2, 3], { collapsed: [4, 5] }, [6]), 2, 5)
    expect([1, 2, 4, 6].map(id => destination(some, id, 'nextUnread', 3))).toEqual([2, 4, 2, 2])
    expect(destination(some, undefined, 'nextUnread', 3)).toBe(2)
  })
})

test.each<[string, Selection, before: Rows, after: Rows, focus: number | undefined, selected: readonly number[]]>([
  ['nothing happened', only(2), rows, rows, 2, [2]],
  ['the selected row vanished', only(3), rows, makeRows([1], [2], [4]), 2, [2]],
  ['the first vanished', only(1), rows, makeRows([2], [3]), 2, [2]],
  ['the last vanished', only(6), rows, makeRows([1], [5]), 5, [5]],
  ['all vanished', only(1), rows, makeRows(), undefined, []],
  ['one of two vanished', onClick(only(2), rows, 4, CTRL), rows, makeRows([1], [2], [3]), 3, [2]],
  ['all selected vanished', onClick(only(2), rows, 4, SHIFT), rows, makeRows([1], [5], [6]), 1, [1]],
  ['only the focus vanished', { ...NOTHING, focus: 3 }, rows, makeRows([1], [2]), 2, []],
  ['a thread was collapsed', only(3), makeRows([1], [2, 3, 4]), makeRows([1], { collapsed: [2, 3, 4] }), 2, [2]],
  [
    'several of it were selected',
    extend(only(3), makeRows([2, 3, 4]), 4),
    makeRows([2, 3, 4]),
    makeRows({ collapsed: [2, 3, 4] }),
    2,
    [2],
  ],
  [
    'the root of a collapsed thread vanished',
    only(2),
    makeRows([1], { collapsed: [2, 3] }),
    makeRows([1], [3]),
    1,
    [1],
  ],
])('settling: %s', (_, state, before, after, focus, selected) => {
  const next = settle(state, before, after)
  expect([next.focus, next.selected]).toEqual([focus, selected])
})

test('nothing changes when nothing vanished, so that nobody is told', () => {
  const state = only(2)
  expect(settle(state, rows, makeRows([1], [2], [3]))).toBe(state)
})

test('a view opened anew keeps what it has', () => {
  expect(keep(onClick(only(2), rows, 4, SHIFT), makeRows([4], [9]))).toMatchObject({ focus: 4, selected: [4] })
  expect(keep(only(2), makeRows([9]))).toMatchObject({ focus: undefined, selected: [] })
})

test('the selection stays on a draft that is saved, which makes a new message of it', () => {
  const draft = (id: number, messageIdHeader: string, is = true) =>
    makeThread(makeItem(id, { flags: { draft: is }, messageIdHeader }))
  const shown = (...threads: ListedThread[]) => new Rows(threads.flatMap(thread => threadRows(thread, false)))
  const before = shown(draft(1, 'a'), draft(2, 'b'), draft(3, ''))
  expect(settle(only(2), before, shown(draft(4, 'b'), draft(1, 'a'), draft(3, '')))).toEqual(only(4))
  // What was sent is no draft any more, and nothing is known of those without a Message-ID.
  expect(settle(only(2), before, shown(draft(4, 'b', false), draft(1, 'a'), draft(3, '')))).toEqual(only(1))
  expect(settle(only(3), before, shown(draft(4, ''), draft(1, 'a')))).toEqual(only(1))
})
