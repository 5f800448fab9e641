// What pages and changes make of a view.
import { deepStrictEqual } from 'node:assert'
import { test } from 'vitest'
import type { Changes, PageEvent } from '../src/api/events.ts'
import type { Item, ViewQuery } from '../src/api/model.ts'
import { applyChanges, applyPage, type LiveView, newView } from '../web/lib/view-state.ts'

const INBOX = 1
const SENT = 2

function item(id: number, threadId: number, fields: Partial<Item> = {}): Item {
  const flags = { seen: false, answered: false, flagged: false, forwarded: false, junk: false }
  return {
    ...{ id, mailboxId: INBOX, modseq: 1, receivedAt: id * 10, sentAt: null, size: 1, keywords: [], threadId },
    flags: { ...flags, notjunk: false, deleted: false, draft: false, phishing: false, mdnSent: false },
    ...{ threadParentId: 0, threadMissingLink: false, threadMuted: false, threadCollapsed: false },
    ...{ messageIdHeader: '', subject: '', from: [], to: [], cc: [], bcc: [], preview: '', attachments: [] },
    ...{ matches: true, badges: [], ...fields },
  }
}

function view(threads: boolean, order: ViewQuery['order'], rows: readonly (readonly Item[])[]): LiveView {
  const query: ViewQuery = { scope: { mailbox: INBOX }, order, threads }
  return applyPage(newView(1, query, ''), page(rows))
}

function page(rows: readonly (readonly Item[])[], first = true): PageEvent {
  const threads = rows.map(messages => ({
    ...{ threadId: messages[0]!.threadId, total: messages.length, messages: [...messages] },
  }))
  return { view: 1, first, threads, next: null, done: true, complete: true, total: null }
}

function changes(fields: Partial<Changes>): Changes {
  return { view: 1, items: [], removed: [], threads: [], mailboxes: [], removedMailboxes: [], ...fields }
}

/** "thread:message,message" for each row; "~" for what does not match. */
function shown({ threads }: LiveView): string[] {
  return threads.map(t => `${t.threadId}:${t.messages.map(m => `${m.matches ? '' : '~'}${m.id}`).join(',')}/${t.total}`)
}

const added = (...items: Item[]): Pick<Changes, 'items'> => ({ items: items.map(i => ({ item: i, added: true })) })
const changed = (...items: Item[]): Pick<Changes, 'items'> => ({ items: items.map(i => ({ item: i, added: false })) })

test('new messages come where they belong', () => {
  const flat = view(false, 'newest', [[item(9, 9)], [item(5, 5)]])
  deepStrictEqual(shown(applyChanges(flat, changes(added(item(7, 5), item(12, 12))))), [
    '12:12/1',
    '9:9/1',
    '5:7/1',
    '5:5/1',
  ])
  const oldest = view(false, 'oldest', [[item(5, 5)], [item(9, 9)]])
  deepStrictEqual(shown(applyChanges(oldest, changes(added(item(7, 7))))), ['5:5/1', '7:7/1', '9:9/1'])
})

test('an answer does not move its thread, and a page that has it again neither', () => {
  const threads = view(true, 'newest', [[item(9, 9)], [item(5, 5)], [item(3, 3)]])
  const answered = applyChanges(threads, changes(added(item(12, 3))))
  deepStrictEqual(shown(answered), ['9:9/1', '5:5/1', '3:3,12/2'])
  deepStrictEqual(shown(applyChanges(answered, changes(added(item(4, 4))))), ['9:9/1', '5:5/1', '4:4/1', '3:3,12/2'])
  deepStrictEqual(shown(applyPage(answered, page([[item(3, 3), item(12, 3)], [item(2, 2)]], false))), [
    ...['9:9/1', '5:5/1', '3:3,12/2', '2:2/1'],
  ])
  deepStrictEqual(shown(applyPage(answered, page([[item(2, 2)]]))), ['2:2/1'])
})

test('a thread goes with its last message that matches, and comes back whole', () => {
  const context = item(4, 3, { mailboxId: SENT, matches: false })
  const threads = view(true, 'newest', [[item(9, 9)], [item(3, 3), context]])
  const gone = applyChanges(threads, changes({ removed: [3] }))
  deepStrictEqual(shown(gone), ['9:9/1'])
  deepStrictEqual(shown(applyChanges(gone, changes(changed(context)))), ['9:9/1'])
  deepStrictEqual(shown(applyChanges(gone, changes(added(context, item(12, 3))))), ['3:~4,12/2', '9:9/1'])
})

test('a change of flags never takes a row away, another mailbox does', () => {
  const threads = view(true, 'newest', [[item(9, 9)], [item(3, 3)]])
  const read = changed(item(3, 3, { matches: false, modseq: 2 }))
  deepStrictEqual(shown(applyChanges(threads, changes(read))), ['9:9/1', '3:3/1'])
  const moved = changed(item(3, 3, { matches: false, mailboxId: SENT }))
  deepStrictEqual(shown(applyChanges(threads, changes(moved))), ['9:9/1'])
})

test('threads are muted and collapsed', () => {
  const threads = view(true, 'newest', [[item(9, 9)], [item(3, 3)]])
  const muted = applyChanges(threads, changes({ threads: [{ threadId: 3, muted: true, collapsed: true }] }))
  deepStrictEqual(
    muted.threads.map(t => t.messages.map(m => [m.threadMuted, m.threadCollapsed])),
    [[[false, false]], [[true, true]]],
  )
})
