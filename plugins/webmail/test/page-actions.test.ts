import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { popups, toasts } from '../web/frame/overlay.ts'
import { undoLast } from '../web/frame/overlays.tsx'
import * as actions from '../web/state/actions.ts'
import { DELETE_DELAY, flushDeletes } from '../web/state/deletes.ts'
import { inScope, itemOf } from '../web/state/lookup.ts'
import { changeRows, restoreRows } from '../web/state/rows.ts'
import { mailboxes, settings, view } from '../web/state/store.ts'
import { ARCHIVE, BELOW, INBOX, item, LISTS, openInbox, SENT, serve, shownIds, TRASH, thread } from './page-state.ts'

const undoOf = ({ ids }: { ids: number[] }) => ({
  undo: { moved: ids.map(id => ({ id, mailboxId: INBOX })), flags: [] },
})
const flagsUndo = ({ ids }: { ids: number[] }) => ({
  undo: { moved: [], flags: [{ ids, set: [], clear: ['seen'], addKeywords: [], removeKeywords: [] }] },
})

beforeEach(() => {
  vi.useFakeTimers()
  openInbox([thread(item(3), item(4, SENT, 3), item(5, INBOX, 3)), thread(item(2)), thread(item(1))])
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('moves at once and offers to take it back', async () => {
  const seen = serve({ messagesMove: undoOf, undo: () => ({}) })
  const done = actions.archive([2])
  expect(shownIds()).toEqual([3, 4, 5, 2, 1])
  await vi.waitFor(() => expect(shownIds()).toEqual([3, 4, 5, 1]))
  await done
  expect(seen[0]).toMatchObject({ name: 'messagesMove', params: { ids: [2], mailboxId: ARCHIVE, markSeen: true } })
  expect(toasts.value[0]?.text).toBe('1 message moved to Archive')
  await toasts.value[0]!.undo!()
  expect(seen[1]).toMatchObject({ name: 'undo', params: { moved: [{ id: 2, mailboxId: INBOX }], flags: [] } })
})

it('changes back what the server refused, where it was', async () => {
  serve({})
  await actions.move([2], LISTS)
  expect(shownIds()).toEqual([3, 4, 5, 2, 1])
  expect(itemOf(2)?.mailboxId).toBe(INBOX)
  expect(toasts.value.map(t => [t.kind, t.text])).toEqual([['error', 'no messagesMove today']])
})

it('leaves own answers in Sent, and rows whose last match left disappear', async () => {
  const context = { ...item(4, SENT, 3), matches: false }
  view.value = {
    ...view.value!,
    threads: [thread(item(3), context, item(5, INBOX, 3)), ...view.value!.threads.slice(1)],
  }
  const seen = serve({ messagesMove: undoOf })
  await actions.archive([3, 4])
  expect(shownIds()).toEqual([3, 4, 5, 2, 1])
  expect(itemOf(3)).toMatchObject({ mailboxId: ARCHIVE, matches: false })
  await actions.archive([4, 5, 3])
  expect(seen.map(s => s.params)).toMatchObject([{ ids: [3] }, { ids: [5] }])
  expect(shownIds()).toEqual([2, 1])
})

it('moves the only message even from Sent, and from Sent when it is open', () => {
  const sent = item(4, SENT)
  expect(actions.movableTo(new Map([[4, sent]]), ARCHIVE)).toEqual([4])
  const two = new Map([
    [4, sent],
    [1, item(1)],
  ])
  expect(actions.movableTo(two, ARCHIVE)).toEqual([1])
  expect(actions.movableTo(two, INBOX)).toEqual([])
  view.value = { ...view.value!, query: { ...view.value!.query, scope: { mailbox: SENT } } }
  expect(actions.movableTo(two, ARCHIVE)).toEqual([4, 1])
})

it('asks the server about messages that are not loaded', async () => {
  const seen = serve({
    items: ({ ids }: { ids: number[] }) => ({ items: ids.map(id => item(id, SENT)) }),
    messagesMove: undoOf,
  })
  await actions.move([1, 77], LISTS)
  expect(seen.map(s => s.name)).toEqual(['items', 'messagesMove'])
  expect(seen[1]?.params).toMatchObject({ ids: [1] })
})

it('tells of the move of a single message between mailboxes without a role', async () => {
  serve({ messagesMove: undoOf })
  const moves: number[][] = []
  actions.onSingleMove((...move) => moves.push(move))
  await actions.move([1], LISTS)
  await actions.move([2, 5], LISTS)
  await actions.move([3], ARCHIVE)
  expect(moves).toEqual([[1, INBOX, LISTS]])
})

it('offers to make a mailbox for a role that none has', async () => {
  mailboxes.value = new Map([...mailboxes.value].filter(([id]) => id !== ARCHIVE))
  const seen = serve({})
  const done = actions.archive([1])
  await vi.waitFor(() => expect(popups.value).toHaveLength(1))
  expect(popups.value[0]?.title).toBe('Archive is missing')
  popups.value[0]!.onClose!()
  await done
  expect(seen).toEqual([])
})

it('sets a flag and clears its opposite, only where it changes something', async () => {
  const seen = serve({ messagesFlags: flagsUndo })
  await actions.changeFlags([1], { set: ['junk'] }, '')
  expect(itemOf(1)?.flags).toMatchObject({ junk: true, notjunk: false })
  await actions.notJunk([1])
  expect(itemOf(1)?.flags).toMatchObject({ junk: false, notjunk: true })
  expect(seen[1]?.params).toEqual({ ids: [1], set: ['notjunk'], clear: ['junk'] })
  await actions.notJunk([1])
  expect(seen).toHaveLength(2)
  await actions.markRead([1, 2])
  expect(toasts.value.at(-1)?.text).toBe('2 messages marked as read')
  await actions.markUnread([1])
  expect(itemOf(1)?.flags).toMatchObject({ seen: false, junk: false, notjunk: false })
})

it('says nothing of what happens by itself', async () => {
  serve({ messagesFlags: flagsUndo })
  await actions.markRead([1], true)
  expect(toasts.value).toEqual([])
})

it('adds and removes labels, and calls them by their names', async () => {
  settings.value = { ...settings.value!, labels: [{ keyword: 'todo', name: 'To do', color: 'red', key: '1' }] }
  serve({ messagesFlags: flagsUndo })
  await actions.label([1, 2], 'todo', true)
  expect(itemOf(2)?.keywords).toEqual(['todo'])
  expect(toasts.value[0]?.text).toBe('2 messages labelled “To do”')
  await actions.label([2], 'todo', false)
  expect(itemOf(2)?.keywords).toEqual([])
})

it('mutes a thread, which collapses it, and takes both back when refused', async () => {
  const seen = serve({ threadsMute: () => ({}) })
  await actions.mute([3], true)
  expect(itemOf(5)).toMatchObject({ threadMuted: true, threadCollapsed: true })
  expect(seen[0]?.params).toEqual({ threadIds: [3], muted: true })
  serve({})
  await actions.mute([2], true)
  expect(itemOf(2)).toMatchObject({ threadMuted: false, threadCollapsed: false })
})

it('opens threads again when muting is taken back, and only those that were open', async () => {
  const seen = serve({ threadsMute: () => ({}), threadsCollapse: () => ({}) })
  await actions.collapse([2], true)
  const undone = vi.fn()
  await actions.mute([3, 2], true, undone)
  await toasts.value.at(-1)!.undo!()
  expect(undone).toHaveBeenCalledOnce()
  expect(seen.slice(2)).toMatchObject([
    { name: 'threadsMute', params: { threadIds: [3, 2], muted: false } },
    { name: 'threadsCollapse', params: { threadIds: [3], collapsed: false } },
  ])
})

it('offers no undo where nothing was changed', async () => {
  serve({ messagesFlags: () => ({ undo: { moved: [], flags: [] } }) })
  await actions.markRead([2])
  expect(toasts.value).toEqual([{ text: '1 message marked as read' }])
})

it('says so when there is nothing to move', async () => {
  const seen = serve({})
  await actions.move([2], INBOX)
  expect(seen).toEqual([])
  expect(toasts.value.map(t => t.text)).toEqual(['Nothing to move to Inbox'])
})

it('takes back what is just being done', async () => {
  vi.useRealTimers()
  let answer = (): void => undefined
  const seen = serve({
    messagesFlags: async (params: { ids: number[] }) => {
      await new Promise<void>(resolve => {
        answer = resolve
      })
      return flagsUndo(params)
    },
    undo: () => ({}),
  })
  const done = actions.markRead([2])
  const undone = undoLast()
  await vi.waitFor(() => expect(seen).toHaveLength(1))
  answer()
  await done
  expect(await undone).toBe(true)
  await vi.waitFor(() => expect(seen.map(s => s.name)).toEqual(['messagesFlags', 'undo']))
})

it('keeps collapsing for itself where threads open by themselves', async () => {
  const seen = serve({ threadsCollapse: () => ({}) })
  await actions.collapse([3], true)
  settings.value = { ...settings.value!, threading: 'unread' }
  await actions.collapse([3], false)
  expect(seen).toHaveLength(1)
  expect(itemOf(3)?.threadCollapsed).toBe(false)
})

it('marks a mailbox and those below it as read', async () => {
  const seen = serve({ mailboxesMarkRead: flagsUndo })
  await actions.markMailboxRead(mailboxes.value.get(LISTS)!)
  expect(seen[0]?.params).toEqual({ ids: [LISTS, BELOW] })
  await actions.markMailboxRead(mailboxes.value.get(INBOX)!)
  expect(toasts.value.at(-1)?.text).toBe('Nothing is unread in Inbox')
  expect(seen).toHaveLength(1)
})

it('asks before more is marked as read than can be taken back', async () => {
  const lists = { ...mailboxes.value.get(LISTS)!, unread: 20_000 }
  mailboxes.value = new Map([...mailboxes.value, [LISTS, lists]])
  const seen = serve({ mailboxesMarkRead: () => ({ undo: { moved: [], flags: [] } }) })
  const no = actions.markMailboxRead(lists)
  answer(false)
  await no
  expect(seen).toEqual([])
  const yes = actions.markMailboxRead(lists)
  answer(true)
  await yes
  expect(toasts.value).toEqual([{ text: 'Lists marked as read' }])
})

/** Presses the button of the open question. */
function answer(yes: boolean): void {
  const popup = popups.value.at(-1)!
  const close = (): void => {
    popups.value = []
    popup.onClose!()
  }
  const tree = popup.render(close) as {
    props: { children: { props: { children: { props: { onClick(): void } }[] } }[] }
  }
  tree.props.children[1]!.props.children[yes ? 1 : 0]!.props.onClick()
}

it('deletes for good only after a question and the time for taking it back', async () => {
  const seen = serve({ messagesDelete: () => ({}) })
  const no = actions.deletePermanently([2])
  answer(false)
  await no
  expect(shownIds()).toContain(2)
  const yes = actions.deletePermanently([2])
  answer(true)
  await yes
  expect(shownIds()).toEqual([3, 4, 5, 1])
  await vi.advanceTimersByTimeAsync(DELETE_DELAY - 1)
  expect(seen).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(seen).toMatchObject([{ name: 'messagesDelete', params: { ids: [2] } }])
})

it('offers to take a deletion back for as long as it can be, and says when it is too late', async () => {
  serve({ messagesDelete: () => ({}) })
  const yes = actions.deletePermanently([2])
  answer(true)
  await yes
  // The pointer on it keeps a toast, but not this one beyond its time.
  const offer = toasts.value[0]!
  await vi.advanceTimersByTimeAsync(DELETE_DELAY)
  expect(toasts.value).toEqual([])
  expect(() => offer.undo!()).toThrow('too late')
})

it('hides what is to be deleted in whatever the server sends, until it is taken back', async () => {
  const seen = serve({ messagesDelete: () => ({}) })
  const yes = actions.deletePermanently([2, 5])
  answer(true)
  await yes
  view.value = {
    ...view.value!,
    id: 2,
    threads: [thread(item(9)), thread(item(3), item(5, INBOX, 3)), thread(item(2))],
  }
  expect(shownIds()).toEqual([9, 3])
  await toasts.value[0]!.undo!()
  expect(shownIds()).toEqual([9, 3, 5, 2])
  await vi.advanceTimersByTimeAsync(DELETE_DELAY)
  expect(seen).toEqual([])
})

it('deletes at once when the page goes away', async () => {
  const seen = serve({ messagesDelete: () => ({}) })
  const yes = actions.deletePermanently([2])
  answer(true)
  await yes
  await flushDeletes()
  expect(seen).toMatchObject([{ name: 'messagesDelete', keepalive: true }])
  await vi.advanceTimersByTimeAsync(DELETE_DELAY)
  expect(seen).toHaveLength(1)
})

it('asks before what is in Trash is trashed', async () => {
  openInbox([thread({ ...item(8, TRASH), matches: true })])
  const seen = serve({})
  const done = actions.trash([8])
  await vi.waitFor(() => expect(popups.value.at(-1)?.title).toBe('Delete permanently?'))
  answer(false)
  await done
  expect(seen).toEqual([])
})

it('takes rows back in their place, but not over what the server said since', () => {
  const before = view.value!
  const { view: after, former } = changeRows(before, new Set([2, 3]), () => undefined)
  expect(after.threads.flatMap(t => t.messages.map(m => m.id))).toEqual([4, 5, 1])
  const newer = { ...item(5, INBOX, 3), modseq: 9 }
  const changed = { ...after, threads: [thread(item(10)), thread(item(4, SENT, 3), newer), thread(item(1))] }
  const back = restoreRows(changed, former)
  expect(back.threads.flatMap(t => t.messages.map(m => m.id))).toEqual([10, 3, 4, 5, 2, 1])
  expect(back.threads[1]?.messages[2]).toBe(newer)
  expect(restoreRows({ ...changed, id: 7 }, former).threads).toBe(changed.threads)
})

it('takes messages without threading as rows of their own', () => {
  const flat = { ...view.value!, query: { ...view.value!.query, threads: false } }
  const rows = { ...flat, threads: [thread(item(5, INBOX, 3)), thread(item(3))] }
  const { view: after, former } = changeRows(rows, new Set([3]), () => undefined)
  expect(after.threads).toHaveLength(1)
  expect(restoreRows(after, former).threads.map(t => t.messages[0]?.id)).toEqual([5, 3])
})

it.each([
  ['all', TRASH, true],
  ['usual', TRASH, false],
  ['usual', INBOX, true],
  [{ mailbox: LISTS }, LISTS, true],
  [{ mailbox: LISTS }, BELOW, false],
  [{ mailbox: LISTS, below: true }, BELOW, true],
  [{ mailbox: 'Lists', below: true }, BELOW, true],
  [{ mailbox: 'Lists' }, LISTS, true],
] as const)('%j shows mailbox %d: %s', (scope, id, expected) => {
  expect(inScope({ ...view.value!, query: { ...view.value!.query, scope } }, id)).toBe(expected)
})
