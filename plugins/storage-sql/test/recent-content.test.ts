// What is kept is bounded by the memory that it holds, the oldest goes first.
import { expect, test } from 'vitest'
import { RECENT_BYTES, RecentContent } from '../src/recent-content.ts'

const PART = RECENT_BYTES / 4

test('at the limit all of it is kept, beyond it the oldest goes', () => {
  const recent = new RecentContent()
  for (const id of [1, 2, 3, 4]) recent.add(id, Buffer.alloc(PART, id))
  expect([1, 2, 3, 4].map(id => recent.get(id)?.[0])).toEqual([1, 2, 3, 4])
  recent.add(5, Buffer.alloc(1))
  expect([1, 2, 5].map(id => recent.get(id)?.length)).toEqual([undefined, PART, 1])
})

test('a view counts with all that it keeps, and what is deleted no more', () => {
  const recent = new RecentContent()
  recent.add(1, Buffer.alloc(3 * PART).subarray(0, 10))
  recent.delete(1)
  recent.delete(1)
  recent.add(2, Buffer.alloc(4 * PART).subarray(5, 6))
  expect(recent.get(2)).toHaveLength(1)
  recent.add(3, Buffer.alloc(1).subarray(0, 0))
  expect(recent.get(2)).toBeUndefined()
  expect(recent.get(1)).toBeUndefined()
})

test('what is larger than all that is kept is not kept', () => {
  const recent = new RecentContent()
  recent.add(1, Buffer.alloc(RECENT_BYTES + 1))
  expect(recent.get(1)).toBeUndefined()
})
