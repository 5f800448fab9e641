// What the user does to messages, from wherever: list, message, tree, keys. The page changes at once; when the server refuses,
// it changes back and the user is told. Everything can be taken back for some time.
//
// Actions never throw: they say to the user what went wrong. Ids are of messages as they are to be changed: whoever calls
// includes the hidden messages of a collapsed thread.

import { MAX_IDS, type Undo } from '../../src/api/calls.ts'
import type { FLAGS, Item, Mailbox } from '../../src/api/model.ts'
import { confirmAction } from '../frame/ask.tsx'
import { toast } from '../frame/overlay.ts'
import { ApiError, call } from '../lib/api.ts'
import { recheckView } from '../lib/stream.ts'
import { busy, showError } from './busy.ts'
import { deleteLater } from './deletes.ts'
import { hasRole, inScope, itemsOf, mailboxWithRole, type Role } from './lookup.ts'
import { chunks, PORTION } from './portions.ts'
import { changeRows, type Former, restoreRows } from './rows.ts'
import { mailboxes, openMailbox, settings, view } from './store.ts'

type Flag = (typeof FLAGS)[number]

export interface FlagsChange {
  readonly set?: Flag[]
  readonly clear?: Flag[]
  readonly addKeywords?: string[]
  readonly removeKeywords?: string[]
}

/** A message was moved by the user's hand between mailboxes without a role: the place to suggest a rule. */
export type SingleMove = (id: number, from: number, to: number) => void
let singleMove: SingleMove = () => undefined

export function onSingleMove(listener: SingleMove): void {
  singleMove = listener
}

/** "1 message", "12 messages". */
export function countOf(n: number, what = 'message'): string {
  return `${n.toLocaleString()} ${what}${n === 1 ? '' : 's'}`
}

/** Moves messages, leaving out those of Sent that came along with their thread. */
export async function move(ids: readonly number[], mailboxId: number): Promise<void> {
  const to = mailboxes.value.get(mailboxId)
  if (to === undefined) return
  const found = await known(ids)
  const movable = movableTo(found, mailboxId)
  await moveAll(movable, to, false)
  const [only] = movable
  if (movable.length !== 1 || only === undefined) return
  const from = found.get(only)?.mailboxId
  if (from !== undefined && to.specialUse.length === 0 && mailboxes.value.get(from)?.specialUse.length === 0)
    singleMove(only, from, mailboxId)
}

export function archive(ids: readonly number[]): Promise<void> {
  return moveToRole(ids, 'archive')
}

export function junk(ids: readonly number[]): Promise<void> {
  return moveToRole(ids, 'junk')
}

/** Moves to Trash; what is in Trash already is deleted for good after a question. */
export async function trash(ids: readonly number[]): Promise<void> {
  const found = await known(ids)
  if (found.size > 0 && [...found.values()].every(m => hasRole(m.mailboxId, 'trash'))) await deletePermanently(ids)
  else await moveToRole(ids, 'trash')
}

export async function deletePermanently(ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const text = `${countOf(ids.length)} will be removed for good, from all your devices.`
  if (await confirmAction({ title: 'Delete permanently?', text, verb: 'Delete', danger: true })) deleteLater(ids)
}

/** Not junk: for the filter to learn from. It does not move. */
export function notJunk(ids: readonly number[]): Promise<void> {
  return changeFlags(ids, { set: ['notjunk'], clear: ['junk'] }, 'marked as not junk')
}

/** `quiet`: by itself, such as after looking at a message, so that there is nothing to tell. */
export function markRead(ids: readonly number[], quiet = false): Promise<void> {
  return changeFlags(ids, { set: ['seen'] }, quiet ? '' : 'marked as read')
}

/** Unread and unclassified, so that classification starts over. */
export function markUnread(ids: readonly number[]): Promise<void> {
  return changeFlags(ids, { clear: ['seen', 'junk', 'notjunk'] }, 'marked as unread')
}

export function flag(ids: readonly number[], on: boolean): Promise<void> {
  return changeFlags(ids, on ? { set: ['flagged'] } : { clear: ['flagged'] }, on ? 'flagged' : 'unflagged')
}

/** Adds or removes a label, which is a keyword of IMAP. */
export function label(ids: readonly number[], keyword: string, on: boolean): Promise<void> {
  const change = on ? { addKeywords: [keyword] } : { removeKeywords: [keyword] }
  const name = settings.value?.labels.find(l => l.keyword === keyword)?.name || keyword
  return changeFlags(ids, change, on ? `labelled “${name}”` : `without label “${name}”`)
}

/** Changes flags and keywords; a flag that is set clears its opposite. `done` is what to tell; '' to tell nothing. */
export async function changeFlags(ids: readonly number[], change: FlagsChange, done: string): Promise<void> {
  const exact = withOpposites(change)
  const found = itemsOf(ids)
  const changing = ids.filter(id => {
    const item = found.get(id)
    return item === undefined || changesItem(item, exact)
  })
  if (changing.length === 0) return
  const former = optimistic(changing, item => changedItem(item, exact))
  await perform(
    'changing messages',
    former,
    changing,
    portion => call('messagesFlags', { ids: portion, ...exact }),
    done === '' ? '' : `${countOf(changing.length)} ${done}`,
  )
}

/** Mutes or unmutes threads that are not so yet. `undone`: for the caller, when it was taken back. */
export async function mute(threadIds: readonly number[], on: boolean, undone?: () => void): Promise<void> {
  if (threadIds.length === 0) return
  const wanted = new Set(threadIds)
  const expanded = (view.value?.threads ?? [])
    .filter(t => wanted.has(t.threadId) && t.messages.every(m => !m.threadCollapsed))
    .map(t => t.threadId)
  const former = optimisticThreads(threadIds, m => ({
    ...m,
    threadMuted: on,
    // A muted thread is collapsed too.
    threadCollapsed: on || m.threadCollapsed,
  }))
  if (!(await attemptThreads(threadIds, former, part => call('threadsMute', { threadIds: part, muted: on })))) return
  const undo = async (): Promise<void> => {
    await mute(threadIds, !on)
    if (on)
      for (const part of chunks(expanded, PORTION)) await call('threadsCollapse', { threadIds: part, collapsed: false })
    undone?.()
  }
  toast({ text: `${countOf(threadIds.length, 'thread')} ${on ? 'muted' : 'unmuted'}`, undo })
}

/** Collapses or expands. Kept on the server only where threads do not open by themselves. */
export async function collapse(threadIds: readonly number[], on: boolean): Promise<void> {
  if (threadIds.length === 0) return
  const former = optimisticThreads(threadIds, m => ({ ...m, threadCollapsed: on }))
  if (settings.value?.threading !== 'on') return
  await attemptThreads(threadIds, former, part => call('threadsCollapse', { threadIds: part, collapsed: on }))
}

/** Marks all of a mailbox, and of those below it, as read. */
export async function markMailboxRead(mailbox: Mailbox): Promise<void> {
  const below = [...mailboxes.value.values()].filter(m => m === mailbox || m.name.startsWith(`${mailbox.name}/`))
  const ids = below.filter(m => m.unread > 0).map(m => m.id)
  if (ids.length === 0) {
    toast({ text: `Nothing is unread in ${mailbox.name}` })
    return
  }
  const unread = below.reduce((sum, m) => sum + m.unread, 0)
  if (unread > MAX_IDS) {
    const text = `${countOf(unread)} will be marked as read. So many cannot be taken back.`
    if (!(await confirmAction({ title: `Mark ${mailbox.name} as read?`, text, verb: 'Mark as read' }))) return
  }
  const inThem = new Set(ids)
  const loaded = (view.value?.threads ?? []).flatMap(t => t.messages).filter(m => inThem.has(m.mailboxId))
  const former = optimistic(
    loaded.map(m => m.id),
    item => changedItem(item, { set: ['seen'] }),
  )
  const mark = (portion: number[]) => call('mailboxesMarkRead', { ids: portion })
  await perform('marking as read', former, ids, mark, `${mailbox.name} marked as read`)
}

async function moveToRole(ids: readonly number[], role: Role): Promise<void> {
  const to = mailboxWithRole(role) ?? (await offerRole(role))
  if (to === undefined) return
  await moveAll(movableTo(await known(ids), to.id), to, true)
}

/** Offers to make the mailbox that a role needs. */
async function offerRole(role: Role): Promise<Mailbox | undefined> {
  const name = role.charAt(0).toUpperCase() + role.slice(1)
  const existing = [...mailboxes.value.values()].find(m => m.name === name)
  const text = `No mailbox is used as ${name} yet.`
  const verb = existing === undefined ? `Create “${name}”` : `Use “${name}”`
  if (!(await confirmAction({ title: `${name} is missing`, text, verb }))) return undefined
  try {
    const mailbox = existing ?? (await call('mailboxCreate', { name }))
    await call('mailboxRole', { id: mailbox.id, role })
    return mailbox
  } catch (error) {
    showError(error)
    return undefined
  }
}

async function moveAll(ids: readonly number[], to: Mailbox, markSeen: boolean): Promise<void> {
  if (ids.length === 0) {
    toast({ text: `Nothing to move to ${to.name}` })
    return
  }
  const now = view.value
  const former = optimistic(ids, item => ({
    ...item,
    mailboxId: to.id,
    flags: markSeen ? { ...item.flags, seen: true } : item.flags,
    matches: item.matches && now !== undefined && inScope(now, to.id),
  }))
  await perform(
    'moving messages',
    former,
    ids,
    portion => call('messagesMove', { ids: portion, mailboxId: to.id, markSeen }),
    `${countOf(ids.length)} moved to ${to.name}`,
  )
}

/**
 * The messages that a move concerns: one's own answers in Sent stay where they are unless they are meant, that is, when it is
 * the only message or Sent is open. Those that are there already have nowhere to go.
 */
export function movableTo(found: ReadonlyMap<number, Item>, mailboxId: number): number[] {
  const open = openMailbox.value
  const sentMeant = found.size === 1 || (open?.specialUse.includes('sent') ?? false)
  return [...found.values()]
    .filter(m => m.mailboxId !== mailboxId && (sentMeant || !hasRole(m.mailboxId, 'sent')))
    .map(m => m.id)
}

/** The messages with these ids: of the loaded rows, and of the server where they are not loaded. */
async function known(ids: readonly number[]): Promise<ReadonlyMap<number, Item>> {
  const found = new Map(itemsOf(ids))
  const missing = ids.filter(id => !found.has(id))
  try {
    for (const portion of chunks(missing, 1_000))
      for (const item of (await busy('loading messages', () => call('items', { ids: portion }))).items)
        found.set(item.id, item)
  } catch (error) {
    showError(error)
    return new Map()
  }
  return found
}

const OPPOSITES: readonly (readonly [Flag, Flag])[] = [
  ['junk', 'notjunk'],
  ['notjunk', 'junk'],
]

function withOpposites(change: FlagsChange): FlagsChange {
  const opposite = OPPOSITES.flatMap(([one, other]) => (change.set?.includes(one) === true ? [other] : []))
  if (opposite.length === 0) return change
  return { ...change, clear: [...new Set([...(change.clear ?? []), ...opposite])] }
}

export function changesItem(item: Item, { set, clear, addKeywords, removeKeywords }: FlagsChange): boolean {
  return (
    (set ?? []).some(f => !item.flags[f]) ||
    (clear ?? []).some(f => item.flags[f]) ||
    (addKeywords ?? []).some(k => !item.keywords.includes(k)) ||
    (removeKeywords ?? []).some(k => item.keywords.includes(k))
  )
}

export function changedItem(item: Item, { set, clear, addKeywords, removeKeywords }: FlagsChange): Item {
  const flags = { ...item.flags }
  for (const f of set ?? []) flags[f] = true
  for (const f of clear ?? []) flags[f] = false
  const kept = item.keywords.filter(k => removeKeywords?.includes(k) !== true)
  return { ...item, flags, keywords: [...new Set([...kept, ...(addKeywords ?? [])])] }
}

function optimistic(ids: readonly number[], change: (item: Item) => Item): Former | undefined {
  if (view.value === undefined) return undefined
  const { view: next, former } = changeRows(view.value, new Set(ids), change)
  view.value = next
  return former
}

function optimisticThreads(threadIds: readonly number[], change: (item: Item) => Item): Former | undefined {
  const wanted = new Set(threadIds)
  const messages = (view.value?.threads ?? []).filter(t => wanted.has(t.threadId)).flatMap(t => t.messages)
  return optimistic(
    messages.map(m => m.id),
    change,
  )
}

/** Changes rows back and says why. */
function rollback(former: Former | undefined, error: unknown): void {
  if (former !== undefined && view.value !== undefined) view.value = restoreRows(view.value, former)
  showError(error)
  // The server may have done it all the same: only the answer is known to be lost.
  if (error instanceof ApiError && error.code === 'connection') recheckView()
}

/** Has the server do it in portions; tells what was done and how to take it back, or changes back what was not done. */
async function perform(
  what: string,
  former: Former | undefined,
  ids: readonly number[],
  work: (portion: number[]) => Promise<{ undo: Undo }>,
  done: string,
): Promise<void> {
  const undos: Undo[] = []
  try {
    await busy(what, async () => {
      for (const portion of chunks(ids, PORTION)) {
        const { undo } = await work(portion)
        if (undo.moved.length + undo.flags.length > 0) undos.push(undo)
      }
    })
  } catch (error) {
    rollback(former, error)
    // What earlier portions did is undone as a whole action.
    await takeBack(undos).catch(showError)
    return
  }
  if (done !== '') toast({ text: done, ...(undos.length > 0 && { undo: () => takeBack(undos) }) })
}

async function attemptThreads(
  threadIds: readonly number[],
  former: Former | undefined,
  work: (portion: number[]) => Promise<unknown>,
): Promise<boolean> {
  try {
    await busy('changing threads', async () => {
      for (const portion of chunks(threadIds, PORTION)) await work(portion)
    })
    return true
  } catch (error) {
    rollback(former, error)
    return false
  }
}

/** Takes changes back, the last first. */
async function takeBack(undos: readonly Undo[]): Promise<void> {
  for (const undo of [...undos].reverse()) await busy('undoing', () => call('undo', undo))
}
