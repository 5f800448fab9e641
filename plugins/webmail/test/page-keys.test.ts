import type { Command } from '@mox/plugin-sdk/webmail'
import { expect, it } from 'vitest'
import { commandOf, conflicts, type KeyState, keysOf } from '../web/lib/dispatch.ts'
import { keyName, keyNames, keyText } from '../web/lib/keys.ts'

const none = { ctrlKey: false, altKey: false, metaKey: false, shiftKey: false }

it.each([
  [{ key: 'a' }, 'a'],
  [{ key: 'A', shiftKey: true }, 'A'],
  [{ key: '?', shiftKey: true }, '?'],
  [{ key: 'ArrowDown', shiftKey: true }, 'shift ArrowDown'],
  [{ key: 'Enter', ctrlKey: true }, 'ctrl Enter'],
  [{ key: 'Enter', ctrlKey: true, shiftKey: true }, 'ctrl shift Enter'],
  [{ key: 'J', altKey: true, shiftKey: true }, 'alt J'],
  [{ key: ' ', ctrlKey: true }, 'ctrl Space'],
  [{ key: 'k', metaKey: true }, 'meta k'],
  [{ key: 'Shift', shiftKey: true }, ''],
  [{ key: 'Dead' }, ''],
])('%o is called %s', (press, name) => {
  expect(keyName({ ...none, ...press }, false)).toBe(name)
})

it('takes the command key of a Mac for the control key, and no characters of the option key for chords', () => {
  expect(keyName({ ...none, key: 'k', metaKey: true }, true)).toBe('ctrl k')
  expect(keyName({ ...none, key: '@', altKey: true }, true)).toBe('@')
  expect(keyName({ ...none, key: 'ArrowUp', altKey: true }, true)).toBe('alt ArrowUp')
})

it.each([
  ['', []],
  ['a', ['a']],
  ['j, ArrowDown', ['j', 'ArrowDown']],
  [',', [',']],
  ['Home, ,', ['Home', ',']],
  [', , Home', [',', 'Home']],
])('%j names %j', (keys, names) => {
  expect(keyNames(keys)).toEqual(names)
})

it('writes keys for people', () => {
  expect(keyText('ctrl shift Enter', false)).toBe('Ctrl Shift Enter')
  expect(keyText('ctrl k', true)).toBe('⌘ k')
  expect(keyText('ArrowDown', false)).toBe('↓')
})

const command = (id: string, context: Command['context'], key?: string): Command => ({
  id,
  title: id,
  context,
  ...(key === undefined ? {} : { key }),
  run: () => undefined,
})
const all = [
  command('global.compose', 'global', 'c'),
  command('global.palette', 'global', 'ctrl k'),
  command('global.undo', 'global', 'ctrl z'),
  command('list.next', 'list', 'j, ArrowDown'),
  command('list.select', 'list', 'Space'),
  command('message.reply', 'message', 'r'),
  command('compose.send', 'compose', 'ctrl Enter'),
  command('compose.bcc', 'compose', 'ctrl Backspace'),
]
const reading: KeyState = { place: 'page', contexts: ['global', 'list', 'message'], singleKeys: true, chosen: {} }
const writing: KeyState = { ...reading, place: 'field', contexts: ['compose', 'global'] }

it.each([
  ['c', reading, 'global.compose'],
  ['ArrowDown', reading, 'list.next'],
  ['r', reading, 'message.reply'],
  ['ctrl Enter', reading, undefined],
  ['c', { ...reading, place: 'field' }, undefined],
  ['ctrl k', { ...reading, place: 'field' }, 'global.palette'],
  ['ctrl z', { ...reading, place: 'field' }, undefined],
  ['ctrl z', reading, 'global.undo'],
  ['Space', { ...reading, place: 'control' }, undefined],
  ['j', { ...reading, place: 'control' }, 'list.next'],
  ['ctrl Enter', writing, 'compose.send'],
  ['ctrl Backspace', writing, 'compose.bcc'],
  ['c', writing, undefined],
  ['j', { ...reading, singleKeys: false }, undefined],
  ['ArrowDown', { ...reading, singleKeys: false }, 'list.next'],
  ['ctrl k', { ...reading, singleKeys: false }, 'global.palette'],
  ['c', { ...reading, chosen: { 'global.compose': 'w' } }, undefined],
  ['w', { ...reading, chosen: { 'global.compose': 'w' } }, 'global.compose'],
  ['c', { ...reading, chosen: { 'global.compose': '' } }, undefined],
] as const)('%s in %o runs %s', (name, state, id) => {
  expect(commandOf(name, all, state as KeyState)?.id).toBe(id)
})

it('finds commands that want the same key, but not where only one can be asked', () => {
  expect(conflicts(all, {}).size).toBe(0)
  const chosen = { 'message.reply': 'j', 'compose.send': 'r' }
  const found = conflicts(all, chosen)
  expect([...found.keys()].sort()).toEqual(['list.next', 'message.reply'])
  expect(found.get('list.next')?.map(c => c.id)).toEqual(['message.reply'])
  // Everywhere means in both.
  expect([...conflicts(all, { 'compose.send': 'c' }).keys()].sort()).toEqual(['compose.send', 'global.compose'])
  expect(keysOf(all[3]!, { 'list.next': 'n, ArrowDown' })).toEqual(['n', 'ArrowDown'])
})
