// The tables of memoryStorage. Rows are never changed in place and a committed table is never changed at all, so that a
// snapshot is a reference.
import type { Job, Retired } from '../model/job.ts'
import type { OutboxRow, Page, StoredMessage } from '../services/repositories.ts'

export interface ContentRow {
  readonly hash: string
  readonly bytes: Buffer
  readonly references: number
}

/** Leased while `leaseUntil` is in the future. */
export interface Leased {
  readonly leaseUntil: number
}

/** One submission of an account with limits. */
export interface SentRow {
  readonly account: string
  readonly at: number
  readonly recipients: number
}

/** An address that an account wrote to. */
export interface MetRow {
  readonly account: string
  readonly address: string
  readonly firstAt: number
  readonly lastAt: number
}

export interface Tables {
  readonly content: Map<number, ContentRow>
  readonly messages: Map<number, StoredMessage>
  readonly queue: Map<number, Job & Leased>
  readonly history: Map<number, Retired>
  readonly outbox: Map<number, OutboxRow & Leased>
  readonly sent: Map<number, SentRow>
  readonly met: Map<number, MetRow>
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
    sent: new Map(),
    met: new Map(),
    lastId: 0,
  }
}

/** The rows after the page's last one in its order, at most its limit. `value` gives what they are sorted by, unless by id. */
export function page<R extends { readonly id: number }>(
  rows: Iterable<R>,
  sorted: (row: R) => number,
  options: Page,
): R[] {
  const value = options.byId ? () => 0 : sorted
  const sign = options.ascending ? 1 : -1
  const compare = (a: number, aId: number, b: number, bId: number) => sign * (a - b || aId - bId)
  const all = [...rows].sort((a, b) => compare(value(a), a.id, value(b), b.id))
  const { after } = options
  const from = options.byId ? 0 : (after?.value ?? 0)
  const rest = after === undefined ? all : all.filter(r => compare(value(r), r.id, from, after.id) > 0)
  return rest.slice(0, options.limit)
}
