// The tables of memoryStorage. Rows are never changed in place and a committed table is never changed at all, so that a
// snapshot is a reference.
import type { Job, Retired } from '../model/job.ts'
import type { OutboxRow, StoredMessage } from '../services/repositories.ts'

export interface ContentRow {
  readonly hash: string
  readonly bytes: Buffer
  readonly references: number
}

/** Leased while `leaseUntil` is in the future. */
export interface Leased {
  readonly leaseUntil: number
}

export interface Tables {
  readonly content: Map<number, ContentRow>
  readonly messages: Map<number, StoredMessage>
  readonly queue: Map<number, Job & Leased>
  readonly history: Map<number, Retired>
  readonly outbox: Map<number, OutboxRow & Leased>
  readonly lastId: number
}

export type TableName = Exclude<keyof Tables, 'lastId'>

/** One committed state. */
export type MemorySnapshot = Tables

export function emptyTables(): Tables {
  return {
    content: new Map(),
    messages: new Map(),
    queue: new Map(),
    history: new Map(),
    outbox: new Map(),
    lastId: 0,
  }
}

/** The rows after the page's last one in its order, at most its limit. `value` gives what they are sorted by. */
export function page<R extends { readonly id: number }>(
  rows: Iterable<R>,
  value: (row: R) => number,
  options: { readonly limit: number; readonly ascending?: boolean; readonly after?: { value: number; id: number } },
): R[] {
  const sign = options.ascending ? 1 : -1
  const compare = (a: number, aId: number, b: number, bId: number) => sign * (a - b || aId - bId)
  const sorted = [...rows].sort((a, b) => compare(value(a), a.id, value(b), b.id))
  const { after } = options
  const rest = after === undefined ? sorted : sorted.filter(r => compare(value(r), r.id, after.value, after.id) > 0)
  return rest.slice(0, options.limit)
}
