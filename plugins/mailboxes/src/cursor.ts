// Where a list goes on: by time of receipt and id, or by the key of the search index. A cursor that is none is the caller's
// mistake.
import { UsageError } from '@mox/plugin-sdk'
import type { Query } from './query.ts'

/** The message after which a list goes on. */
export interface Place {
  readonly received_at: number
  readonly id: number
}

export type Order = 'newest' | 'oldest'

export function placeCursor({ received_at, id }: Place): string {
  return `r${received_at}.${id}`
}

export function keyCursor(key: number): string {
  return `k${key}`
}

export function readPlace(cursor: string): Place {
  const found = /^r(-?\d{1,15})\.(\d{1,15})$/.exec(cursor)
  if (found === null) throw notOfList()
  return { received_at: Number(found[1]), id: Number(found[2]) }
}

export function readKey(cursor: string): number {
  const found = /^k(\d{1,16})$/.exec(cursor)
  if (found === null) throw notOfList()
  return Number(found[1])
}

function notOfList(): UsageError {
  return new UsageError('the cursor is not one of this list; start it from the beginning')
}

/** Only what comes after a place in the order; `inclusive`: that place too. */
export function afterPlace(query: Query, order: Order, place: Place, inclusive = false): void {
  const sign = order === 'newest' ? '<' : '>'
  query
    .where('received_at', `${sign}=`, place.received_at)
    .where((tie: Query) =>
      tie.where('received_at', sign, place.received_at).orWhere('id', inclusive ? `${sign}=` : sign, place.id),
    )
}

export function inOrder(query: Query, order: Order): void {
  const direction = order === 'newest' ? 'desc' : 'asc'
  query.orderBy('received_at', direction).orderBy('id', direction)
}
