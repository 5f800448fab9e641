// What can be done with the list, as commands: keys, palette and buttons run the same.
import type { Command } from '@mox/plugin-sdk/webmail'
import { registerCommand } from '../extend/registry.ts'
import { toast } from '../frame/overlay.ts'
import {
  archive,
  collapse,
  deletePermanently,
  flag,
  junk,
  label,
  markRead,
  markUnread,
  mute,
  notJunk,
  trash,
} from '../state/actions.ts'
import { itemsOf } from '../state/lookup.ts'
import { settings } from '../state/store.ts'
import { openLabels, openMoveTo } from './popovers.ts'
import type { Row } from './rows.ts'
import { destination, type Held, type Move, onMove, onSpace, selectAll, selectThread } from './selection.ts'
import {
  decideCollapsed,
  fitting,
  rows,
  selection,
  setSelection,
  targetRows,
  targets,
  threading,
  ticked,
} from './state.ts'

/** The row or button that a popover of a command belongs to: the focused row, or the whole list. */
function anchor(): HTMLElement {
  const row = selection.value.focus === undefined ? null : document.getElementById(`row-${selection.value.focus}`)
  return row ?? document.getElementById('message-list') ?? document.body
}

function go(move: Move, held: Held): void {
  const to = destination(rows.value, selection.value.focus, move, fitting.value)
  if (to !== undefined) setSelection(onMove(selection.value, rows.value, to, held))
}

/** Plain, extending, and focus only. Keys that a browser keeps for itself are left out. */
const MOVES: readonly (readonly [move: Move, title: string, keys: string, extend: string, focus: string])[] = [
  ['next', 'next message', 'j, ArrowDown', 'J, shift ArrowDown', 'ctrl ArrowDown'],
  ['previous', 'previous message', 'k, ArrowUp', 'K, shift ArrowUp', 'ctrl ArrowUp'],
  ['pageDown', 'one screen down', 'l, PageDown', 'L, shift PageDown', 'ctrl PageDown'],
  ['pageUp', 'one screen up', 'h, PageUp', 'H, shift PageUp', 'ctrl h, ctrl PageUp'],
  ['last', 'last message', '., End', '>, shift End', 'ctrl ., ctrl End'],
  ['first', 'first message', ',, Home', '<, shift Home', 'ctrl ,, ctrl Home'],
  ['nextThread', 'next thread', 'n', 'N', ''],
  ['thisThread', 'beginning of thread, previous thread', 'p', 'P', ''],
  ['nextUnread', 'next unread message', 'u', 'U', ''],
]

function moveCommands(): Command[] {
  return MOVES.flatMap(([move, title, plain, extend, focus]) => {
    const make = (id: string, name: string, key: string, held: Held): Command => ({
      id: `list.${id}`,
      title: name,
      context: 'list',
      key,
      run: () => go(move, held),
    })
    const upper = `${move[0]?.toUpperCase()}${move.slice(1)}`
    const commands = [
      make(move, `Go to ${title}`, plain, { toggle: false, shift: false }),
      make(`extend${upper}`, `Extend selection: ${title}`, extend, { toggle: false, shift: true }),
    ]
    if (focus !== '')
      commands.push(make(`focus${upper}`, `Move focus only: ${title}`, focus, { toggle: true, shift: false }))
    return commands
  })
}

/** Does something with what is selected; then nothing is ticked any more. */
function act(work: (ids: readonly number[]) => void | Promise<void>): () => void | Promise<void> {
  return () => {
    const ids = targets()
    if (ids.length === 0) {
      toast({ text: 'No message is selected' })
      return
    }
    ticked.value = undefined
    return work(ids)
  }
}

/** Rows that lead the threads of what is selected. */
function roots(): readonly Row[] {
  const ids = new Set(targetRows().map(id => rows.value.get(id)?.rootId))
  return [...ids].map(id => rows.value.get(id)).filter(row => row !== undefined)
}

/** False, and said, when there are no threads. */
function threadsShown(): boolean {
  if (threading.value !== 'off') return true
  toast({ text: 'Threads are not shown. Turn them on above the list.' })
  return false
}

/** Collapses or expands; without saying which: collapses all, unless all are. */
export function setCollapsed(of: readonly Row[], on?: boolean): void {
  const able = of.filter(row => row.size > 1)
  const to = on ?? able.some(row => !row.collapsed)
  const ids = able.filter(row => row.collapsed !== to).map(row => row.thread.threadId)
  if (ids.length === 0) return
  if (threading.value === 'unread') decideCollapsed(ids, to)
  else void collapse(ids, to)
}

/** Mutes or unmutes the threads of what is selected; without saying which: mutes all, unless all are. */
export async function setMuted(on?: boolean): Promise<void> {
  if (!threadsShown()) return
  const selected = roots()
  const to = on ?? selected.some(row => !row.item.threadMuted)
  const changing = selected.filter(row => row.item.threadMuted !== to)
  const open = changing.filter(row => row.size > 1 && !row.collapsed).map(row => row.thread.threadId)
  // Where threads open by themselves, the page keeps for itself which are closed.
  const byItself = to && threading.value === 'unread'
  if (byItself) decideCollapsed(open, true)
  await mute(
    changing.map(row => row.thread.threadId),
    to,
    byItself ? () => decideCollapsed(open, false) : undefined,
  )
}

function toggleFlagged(ids: readonly number[]): Promise<void> {
  return flag(ids, ![...itemsOf(ids).values()].every(item => item.flags.flagged))
}

/** Gives or takes the label that the user put on a digit. */
async function toggleLabel(key: string, ids: readonly number[]): Promise<void> {
  const chosen = settings.value?.labels.find(l => l.key === key)
  if (chosen === undefined) {
    toast({ text: `No label has the key ${key}. Labels get theirs in the settings.` })
    return
  }
  const all = [...itemsOf(ids).values()].every(item => item.keywords.includes(chosen.keyword))
  await label(ids, chosen.keyword, !all)
}

function actionCommands(): Command[] {
  const list = (id: string, title: string, key: string, run: Command['run']): Command => ({
    ...{ id: `list.${id}`, title, context: 'list', key, run },
  })
  const space = (held: Held) => () => setSelection(onSpace(selection.value, rows.value, held))
  return [
    list('select', 'Select the focused message', 'Space, Enter', space({ toggle: false, shift: false })),
    list('toggle', 'Add or remove the focused message', 'ctrl Space', space({ toggle: true, shift: false })),
    list('extendHere', 'Extend selection to the focused message', 'shift Space', space({ toggle: false, shift: true })),
    list('selectThread', 'Select the thread', 'S', () => setSelection(selectThread(selection.value, rows.value))),
    list('selectAll', 'Select all loaded messages', '*', () => setSelection(selectAll(selection.value, rows.value))),
    list('toggleCollapse', 'Collapse or expand the thread', 'C', () => {
      if (threadsShown()) setCollapsed(roots())
    }),
    list('collapse', 'Collapse the thread', 'ArrowLeft', () => {
      if (threadsShown()) setCollapsed(roots(), true)
    }),
    list('expand', 'Expand the thread', 'ArrowRight', () => {
      if (threadsShown()) setCollapsed(roots(), false)
    }),
    list('toggleMute', 'Mute or unmute the thread', 'X', () => setMuted()),
    list('mute', 'Mute the thread', '', () => setMuted(true)),
    list('unmute', 'Unmute the thread', '', () => setMuted(false)),
    list('archive', 'Archive', 'a', act(archive)),
    list('trash', 'Move to Trash', 'd, Delete', act(trash)),
    list('delete', 'Delete permanently', 'D', act(deletePermanently)),
    list('junk', 'Move to Junk', 'q', act(junk)),
    list('notJunk', 'Mark as not junk', 'Q', act(notJunk)),
    list('markRead', 'Mark as read', 'm', act(markRead)),
    list('markUnread', 'Mark as unread', 'M', act(markUnread)),
    list('flag', 'Flag or unflag', '!', act(toggleFlagged)),
    list('move', 'Move to…', '', () => openMoveTo(anchor())),
    list('labels', 'Labels…', '', () => openLabels(anchor())),
    list('narrow', 'Narrow the search', 'ctrl alt n', () => {
      const button = document.getElementById('narrow')
      if (button === null) toast({ text: 'Nothing is searched for' })
      else button.click()
    }),
    ...Array.from({ length: 9 }, (_, i) => `${i + 1}`).map(key =>
      list(
        `label${key}`,
        `Give or take the label of key ${key}`,
        key,
        act(ids => toggleLabel(key, ids)),
      ),
    ),
  ]
}

export function registerListCommands(): void {
  for (const command of [...moveCommands(), ...actionCommands()]) registerCommand(command)
}
