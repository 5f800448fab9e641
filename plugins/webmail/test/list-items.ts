// Items and threads for tests of the list.
import type { Item, ListedThread } from '../src/api/model.ts'
import { Rows, threadRows } from '../web/list/rows.ts'

type Change = Omit<Partial<Item>, 'flags'> & { readonly flags?: Partial<Item['flags']> }

const NO_FLAGS = {
  ...{ seen: true, answered: false, flagged: false, forwarded: false, junk: false },
  ...{ notjunk: true, deleted: false, draft: false, phishing: false, mdnSent: false },
}

/** A message that is read and plain, but for what is given. */
export function makeItem(id: number, { flags, ...change }: Change = {}): Item {
  return {
    ...{ id, mailboxId: 1, modseq: id, receivedAt: id * 1_000, sentAt: id * 1_000, size: 1_000, keywords: [] },
    ...{ threadId: id, threadParentId: 0, threadMissingLink: false, threadMuted: false, threadCollapsed: false },
    ...{ messageIdHeader: `<${id}@example.org>`, subject: `Subject ${id}`, from: [], to: [], cc: [], bcc: [] },
    ...{ preview: '', attachments: [], matches: true, badges: [] },
    ...change,
    flags: { ...NO_FLAGS, ...flags },
  }
}

/** A thread of messages; the first is the parent of those that name no other. */
export function makeThread(...messages: readonly Item[]): ListedThread {
  const root = messages[0]!.id
  return {
    threadId: root,
    total: messages.length,
    messages: messages.map(m => ({
      ...m,
      threadId: root,
      threadParentId: m.id === root || m.threadParentId !== 0 ? m.threadParentId : root,
    })),
  }
}

/** Rows of threads, given as `[1, 2, 3]` for an open one and `{ collapsed: [1, 2] }` for a closed one. */
export function makeRows(...threads: readonly (readonly number[] | { readonly collapsed: readonly number[] })[]): Rows {
  return new Rows(
    threads.flatMap(t => {
      const ids = 'collapsed' in t ? t.collapsed : t
      return threadRows(makeThread(...ids.map(id => makeItem(id))), 'collapsed' in t)
    }),
  )
}
