import { expect, test } from 'vitest'
import type { Mailbox } from '../src/api/model.ts'
import { commands } from '../web/extend/registry.ts'
import { conflicts, keysOf } from '../web/lib/dispatch.ts'
import { registerListCommands } from '../web/list/commands.ts'
import { knownLabels, labelProblem, labelState } from '../web/list/label-names.ts'
import { matchingMailboxes } from '../web/list/mailbox-choice.ts'
import { direction, swiped } from '../web/list/swipe.ts'
import { lastToken, replaceLast } from '../web/search/complete.ts'
import { makeItem } from './list-items.ts'

test.each([
  ['work', true],
  ['x-1!', true],
  ['a'.repeat(100), true],
  ['a'.repeat(101), false],
  ['', false],
  ['two words', false],
  ['straße', false],
  ['\\seen', false],
  ['$Junk', false],
  ['$other', true],
  ...[...'(){%*"\\]'].map(c => [`a${c}`, false] as [string, boolean]),
])('label %j can be one: %s', (text, able) => {
  expect(labelProblem(text) === '').toBe(able)
})

test('known labels: each once, by the name that the settings give', () => {
  const labels = [{ keyword: 'work', name: 'Zeal', color: 'blue', key: '' } as const]
  const known = knownLabels({ labels }, [{ keywords: ['b', 'work'] }], [{ keywords: ['a', 'b'] }])
  expect(known).toEqual([
    { keyword: 'a', name: 'a', color: 'grey' },
    { keyword: 'b', name: 'b', color: 'grey' },
    { keyword: 'work', name: 'Zeal', color: 'blue' },
  ])
})

test('a label that all, some or none have', () => {
  const items = [makeItem(1, { keywords: ['a', 'b'] }), makeItem(2, { keywords: ['a'] })]
  expect(['a', 'b', 'c'].map(k => labelState(items, k))).toEqual(['all', 'some', 'none'])
  expect(labelState([], 'a')).toBe('none')
})

test('mailboxes by words of their name, those that begin so first', () => {
  const all = ['Archive', 'Lists/dev', 'Developers', 'Old/development', 'Inbox'].map(
    (name, i) => ({ id: i + 1, name }) as Mailbox,
  )
  const names = (text: string, except?: number) => matchingMailboxes(all, text, except).map(m => m.name)
  expect(names('DEV')).toEqual(['Developers', 'Lists/dev', 'Old/development'])
  expect(names('old dev')).toEqual(['Old/development'])
  expect(names('', 5)).toEqual(['Archive', 'Developers', 'Lists/dev', 'Old/development'])
  expect(names('nothing')).toEqual([])
})

test('a touch becomes a swipe, or is left to scrolling', () => {
  expect(
    [
      { dx: 5, dy: 5 },
      { dx: 20, dy: 5 },
      { dx: -20, dy: 5 },
      { dx: 20, dy: 19 },
      { dx: 0, dy: 30 },
    ].map(direction),
  ).toEqual(['none', 'swipe', 'swipe', 'scroll', 'scroll'])
  expect([swiped(99, 300), swiped(100, 300), swiped(-100, 300), swiped(139, 900), swiped(-140, 900)]).toEqual([
    '',
    'archive',
    'trash',
    '',
    'trash',
  ])
})

test.each([
  ['ann', 'ann', 'X'],
  ['bob -an', 'an', 'bob -X'],
  ['"ann b', '', '"ann X'],
  ['"ann b" c', 'c', '"ann b" X'],
  ['', '', 'X'],
  ['ann ', '', 'ann X'],
])('of %j one is typing %j', (text, token, replaced) => {
  expect([lastToken(text), replaceLast(text, 'X')]).toEqual([token, replaced])
})

test('commands of the list: no key twice, and all that were promised', () => {
  registerListCommands()
  expect([...conflicts(commands.value, {})]).toEqual([])
  const byKey = new Map(commands.value.flatMap(c => keysOf(c, {}).map(key => [key, c.id] as const)))
  const keys = 'j k l h . , J K L H > < n N p P u U S C X d D a q Q m M'.split(' ')
  const names = [
    'ArrowDown',
    'ArrowUp',
    'PageDown',
    'PageUp',
    'End',
    'Home',
    'Space',
    'ArrowLeft',
    'ArrowRight',
    'Delete',
  ]
  const chords = [
    'shift ArrowDown',
    'shift PageUp',
    'shift End',
    'shift Home',
    'ctrl ArrowDown',
    'ctrl ArrowUp',
    'ctrl Space',
  ]
  expect([...keys, ...names, ...chords].filter(key => !byKey.has(key))).toEqual([])
  expect([byKey.get(','), byKey.get('.'), byKey.get('>'), byKey.get('ctrl ,')]).toEqual([
    'list.first',
    'list.last',
    'list.extendLast',
    'list.focusFirst',
  ])
})
