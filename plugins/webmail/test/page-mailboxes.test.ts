import { expect, it } from 'vitest'
import type { Mailbox } from '../src/api/model.ts'
import { draggedIds } from '../web/lib/dragged.ts'
import { isLeaf, sortMailboxes, treeKey, treeRows } from '../web/mailboxes/tree.ts'
import { mailbox } from './page-state.ts'

const named = (...names: string[]): Mailbox[] => names.map((name, n) => mailbox(n + 1, name, undefined, n + 1))
const rowsOf = (all: readonly Mailbox[], ...collapsed: number[]): string[] =>
  treeRows(all, new Set(collapsed)).map(
    r => `${'  '.repeat(r.level - 1)}${r.label} ${r.unread}${r.collapsed ? ' +' : ''}`,
  )

it('puts what is used for something first, by name or role, and parents before children', () => {
  const all = [
    ...named('work', 'Trash', 'inbox/later', 'Sent 2025', 'alpha/b', 'alpha', 'Junk', 'Alpha 10', 'Alpha 9', 'INBOX'),
    mailbox(20, 'Entwürfe', 'drafts'),
    mailbox(21, 'archives'),
  ]
  expect(sortMailboxes(all).map(m => m.name)).toEqual([
    ...['INBOX', 'inbox/later', 'Entwürfe', 'Sent 2025', 'archives', 'Trash', 'Junk'],
    ...['alpha', 'alpha/b', 'Alpha 9', 'Alpha 10', 'work'],
  ])
})

it('puts the mailbox of first-time senders behind Inbox', () => {
  const all = [...named('Archive', 'Screener/x', 'Inbox', 'b'), { ...mailbox(9, 'Screener'), introbox: true }]
  expect(sortMailboxes(all).map(m => m.name)).toEqual(['Inbox', 'Screener', 'Screener/x', 'Archive', 'b'])
})

it('shows of a name what the rows above do not say', () => {
  expect(rowsOf(named('Inbox', 'a/b/c', 'a', 'x/y'))).toEqual(['Inbox 1', 'a 3', '  b/c 2', 'x/y 4'])
})

it('sums up what a collapsed mailbox hides', () => {
  const all = named('Inbox', 'a', 'a/b', 'a/b/c', 'd')
  expect(rowsOf(all, 3)).toEqual(['Inbox 1', 'a 2', '  b 7 +', 'd 5'])
  expect(rowsOf(all, 2)).toEqual(['Inbox 1', 'a 9 +', 'd 5'])
  // What has nothing below is not collapsed.
  expect(rowsOf(all, 4, 5)).toEqual(['Inbox 1', 'a 2', '  b 3', '    c 4', 'd 5'])
})

it('tells where a row stands among those beside it', () => {
  const rows = treeRows(named('a', 'a/b', 'a/c', 'd'), new Set())
  expect(rows.map(r => [r.position, r.siblings, r.level, r.parent])).toEqual([
    [1, 2, 1, undefined],
    [1, 2, 2, 1],
    [2, 2, 2, 1],
    [2, 2, 1, undefined],
  ])
})

it.each([
  ['ArrowDown', 0, { focus: 2 }],
  ['ArrowDown', 3, undefined],
  ['ArrowUp', 0, undefined],
  ['ArrowUp', 3, { focus: 3 }],
  ['Home', 2, { focus: 1 }],
  ['End', 0, { focus: 4 }],
  ['ArrowRight', 0, { focus: 2 }],
  ['ArrowRight', 1, undefined],
  ['ArrowLeft', 0, { collapse: 1, on: true }],
  ['ArrowLeft', 2, { focus: 1 }],
  ['ArrowLeft', 3, undefined],
  ['x', 0, undefined],
  ['ArrowDown', 9, undefined],
])('%s on row %d does %j', (key, at, done) => {
  expect(treeKey(key, treeRows(named('a', 'a/b', 'a/c', 'd'), new Set()), at)).toEqual(done)
})

it('expands a collapsed row', () => {
  const rows = treeRows(named('a', 'a/b', 'd'), new Set([1]))
  expect(treeKey('ArrowRight', rows, 0)).toEqual({ collapse: 1, on: false })
  expect(treeKey('ArrowDown', rows, 0)).toEqual({ focus: 3 })
})

it('knows what has nothing below', () => {
  const all = named('a', 'a/b', 'ab')
  expect(all.map(m => isLeaf(m, all))).toEqual([false, true, true])
})

it.each([
  ['[[1,5],[2,6]]', [5, 6]],
  ['[]', []],
  ['[[1,"5"],[1,0],[1,-2],7,null,[1,8]]', [8]],
  ['{"a":1}', []],
  ['x', []],
  ['', []],
])('%s was dragged: %j', (data, ids) => {
  expect(draggedIds(data)).toEqual(ids)
})
