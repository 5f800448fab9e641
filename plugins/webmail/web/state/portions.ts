import { MAX_IDS } from '../../src/api/calls.ts'

/** Messages of one call. */
export const PORTION: number = MAX_IDS

/** Pieces of at most `size`. */
export function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
