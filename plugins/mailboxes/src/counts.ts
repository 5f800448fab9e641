// What one message adds to the counts of its mailbox. Every change subtracts the old contribution and adds the new one in
// the same unit of work; the consistency check recomputes them.
import type { FlagColumns, MailboxRow } from './schema.ts'

export type Counts = Pick<MailboxRow, 'total' | 'deleted' | 'unread' | 'unseen' | 'size'>
export type Counted = Pick<FlagColumns, 'seen' | 'deleted'> & { readonly size: number }

export function noCounts(): Counts {
  return { total: 0, deleted: 0, unread: 0, unseen: 0, size: 0 }
}

/** Adds (`sign` 1) or subtracts (-1) one message, or `times` equal ones with `size` bytes together. */
export function count(counts: Counts, message: Counted, sign: 1 | -1, times: number = 1): void {
  const n = sign * times
  if (message.deleted === 1) counts.deleted += n
  else counts.total += n
  if (message.seen === 0) {
    counts.unseen += n
    if (message.deleted === 0) counts.unread += n
  }
  counts.size += sign * message.size
}

export function sameCounts(a: Counts, b: Counts): boolean {
  return (
    a.total === b.total &&
    a.deleted === b.deleted &&
    a.unread === b.unread &&
    a.unseen === b.unseen &&
    a.size === b.size
  )
}
