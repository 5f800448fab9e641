import { describe, expect, test } from 'vitest'
import { Collapsing, Flattener, threadRows } from '../web/list/rows.ts'
import { drawn, OVERSCAN, pageSize, reveal, wantsMore } from '../web/list/window.ts'
import { makeItem, makeRows, makeThread } from './list-items.ts'

const shape = (rows: ReturnType<typeof threadRows>) => rows.map(r => [r.id, r.depth, r.relation, r.place])

describe('a thread', () => {
  test('stands below its root, answers below what they answer', () => {
    const thread = makeThread(
      makeItem(1),
      makeItem(2),
      makeItem(3, { threadParentId: 2 }),
      makeItem(4),
      makeItem(5, { threadParentId: 2, messageIdHeader: '<2@example.org>' }),
      makeItem(6, { threadMissingLink: true }),
    )
    expect(shape(threadRows(thread, false))).toEqual([
      [1, 0, 'root', 'first'],
      [2, 1, 'reply', 'middle'],
      [3, 2, 'reply', 'middle'],
      [5, 2, 'duplicate', 'middle'],
      [4, 1, 'reply', 'middle'],
      [6, 1, 'missing', 'last'],
    ])
  })

  test('has one root: others without a parent follow it', () => {
    const thread = makeThread(makeItem(1, { threadParentId: 90 }), makeItem(2, { threadParentId: 91 }))
    expect(shape(threadRows(thread, false))).toEqual([
      [1, 0, 'root', 'first'],
      [2, 1, 'missing', 'last'],
    ])
  })

  test('loses nothing when parents go in a circle', () => {
    const thread = makeThread(
      ...[makeItem(1, { threadParentId: 2 }), makeItem(2, { threadParentId: 1 }), makeItem(3, { threadParentId: 3 })],
    )
    const ids = threadRows(thread, false).map(r => r.id)
    expect(ids.toSorted()).toEqual([1, 2, 3])
  })

  test('collapsed is its root, which knows what it hides', () => {
    const [root, ...rest] = threadRows(makeThread(makeItem(1), makeItem(2), makeItem(3)), true)
    expect(rest).toEqual([])
    expect(root).toMatchObject({ id: 1, size: 3, collapsed: true, place: 'alone' })
    expect(root?.hidden.map(i => i.id)).toEqual([2, 3])
  })

  test('of one message has nothing to collapse', () => {
    expect(threadRows(makeThread(makeItem(1)), true)).toMatchObject([{ size: 1, collapsed: false, hidden: [] }])
  })
})

test('rows are found by id, hidden messages by their root', () => {
  const rows = makeRows([1], { collapsed: [2, 3] }, [4])
  expect([rows.indexOf(4), rows.indexOf(3), rows.indexOf(undefined), rows.get(2)?.size]).toEqual([2, -1, -1, 2])
  expect([rows.standsFor(1), rows.standsFor(3), rows.standsFor(9)]).toEqual([1, 2, undefined])
})

test('rows of a thread that stays are the same objects', () => {
  const flattener = new Flattener()
  const [a, b] = [makeThread(makeItem(1)), makeThread(makeItem(2), makeItem(3))]
  const first = flattener.rows([a, b], () => false, '')
  const second = flattener.rows([makeThread(makeItem(4)), a, b], t => t === b, 'b')
  expect(second.get(1)).toBe(first.get(1))
  expect(second.get(2)).not.toBe(first.get(2))
  expect(flattener.rows([b], () => false, '').get(3)).toBe(first.get(3))
})

describe('collapsing', () => {
  const read = makeThread(makeItem(1), makeItem(2))
  const unread = makeThread(makeItem(1), makeItem(2, { flags: { seen: false } }))
  const closed = makeThread(makeItem(1, { threadCollapsed: true }), makeItem(2))

  test('off never, on as the server says', () => {
    const collapsing = new Collapsing()
    collapsing.begin(1, 'off')
    expect([read, unread, closed].map(t => collapsing.collapsed(t))).toEqual([false, false, false])
    collapsing.begin(1, 'on')
    expect([read, unread, closed].map(t => collapsing.collapsed(t))).toEqual([false, false, true])
  })

  test('unread: what has something unread is open, stays so when read, and can be toggled', () => {
    const collapsing = new Collapsing()
    collapsing.begin(1, 'unread')
    expect(collapsing.collapsed(unread)).toBe(false)
    expect(collapsing.collapsed(read)).toBe(false)
    collapsing.begin(2, 'unread')
    expect(collapsing.collapsed(read)).toBe(true)
    expect(collapsing.collapsed(unread)).toBe(true)
    collapsing.decide([1], false)
    expect(collapsing.collapsed(read)).toBe(false)
  })

  test('a thread of one is never', () => {
    const collapsing = new Collapsing()
    collapsing.begin(1, 'unread')
    expect(collapsing.collapsed(makeThread(makeItem(9)))).toBe(false)
  })
})

describe('the window', () => {
  test.each<[string, number, number, number, first: number, end: number]>([
    ['top', 0, 300, 100_000, 0, 10 + 4 + OVERSCAN],
    ['a little', 100, 300, 100_000, 0, 10 + 4 + OVERSCAN],
    ['middle', 30_000, 300, 100_000, 1_000 - OVERSCAN, 1_000 + 10 + 4 + OVERSCAN],
    ['end', 2_999_700, 300, 100_000, 99_988 - OVERSCAN, 100_000],
    ['short list', 0, 300, 5, 0, 5],
    ['none', 0, 300, 0, 0, 0],
    ['bounce', -50, 300, 5, 0, 5],
    ['beyond', 90_000, 300, 5, 4, 5],
  ])('%s', (_, top, height, count, first, end) => {
    expect(drawn(top, height, 30, count)).toEqual({ first, end })
  })

  test('every row that can be seen is drawn, wherever it is scrolled to', () => {
    for (let top = 0; top < 30_000; top += 7) {
      const { first, end } = drawn(top, 310, 30, 2_000)
      expect(first * 30).toBeLessThanOrEqual(top)
      expect(end * 30).toBeGreaterThanOrEqual(top + 310)
    }
  })

  test('more is wanted within three screens of the end', () => {
    expect(wantsMore(0, 300, 30, 41)).toBe(false)
    expect(wantsMore(0, 300, 30, 40)).toBe(true)
    expect(wantsMore(31, 300, 30, 41)).toBe(true)
  })

  test('pages are of three screens, between 50 and 500', () => {
    expect([pageSize(300, 30), pageSize(900, 30), pageSize(90_000, 30)]).toEqual([50, 90, 500])
  })

  test('a row is scrolled to only as far as needed', () => {
    expect([reveal(5, 0, 300, 30), reveal(12, 0, 300, 30), reveal(2, 100, 300, 30)]).toEqual([0, 90, 60])
  })
})

test('rows that are loaded come behind the others, whose places stay known', () => {
  const flattener = new Flattener()
  const threads = Array.from({ length: 6 }, (_, i) => makeThread(makeItem(10 + i)))
  let asked = 0
  const collapsed = (): boolean => {
    asked++
    return false
  }
  const first = flattener.rows(threads.slice(0, 3), collapsed, 'x')
  expect(first.indexOf(12)).toBe(2)
  const second = flattener.rows(threads.slice(0, 5), collapsed, 'x')
  expect(asked).toBe(5)
  expect(second.list.map(row => row.id)).toEqual([10, 11, 12, 13, 14])
  expect([10, 12, 14, 15].map(id => second.indexOf(id))).toEqual([0, 2, 4, -1])
  // The earlier rows are what they were.
  expect([first.length, first.indexOf(14), first.get(14)]).toEqual([3, -1, undefined])
  expect(flattener.rows(threads.slice(0, 5), collapsed, 'x')).toBe(second)
  // Another decision, another order, fewer: all of it anew.
  expect(flattener.rows(threads, collapsed, 'y').length).toBe(6)
  expect(asked).toBe(11)
  const turned = flattener.rows([...threads].reverse(), collapsed, 'y')
  expect([turned.indexOf(15), turned.indexOf(10)]).toEqual([0, 5])
  expect(flattener.rows(threads.slice(1, 3), collapsed, 'y').list.map(row => row.id)).toEqual([11, 12])
})
