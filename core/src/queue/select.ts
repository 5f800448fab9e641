// Work on many recipients, in units of bounded size: ids are found first, where the search may take its time, and each unit
// then looks again, since recipients may have left or changed meanwhile.
import { type QueueFilter, type QueueSelection, UsageError } from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'

/** Ids found at a time. */
export const FOUND = 10_000

/** Runs `work` in a unit for each `size` recipients of what is selected; returns the sum of what it returns. */
export async function inBatches(
  { storage }: StageDeps,
  { max = Number.POSITIVE_INFINITY, ...filter }: QueueSelection,
  size: number,
  work: (filter: QueueFilter) => Promise<number>,
): Promise<number> {
  if (max < 1 || (max !== Number.POSITIVE_INFINITY && !Number.isSafeInteger(max)))
    throw new UsageError(`at most ${max} recipients: give a whole number from 1`)
  let done = 0
  let after = 0
  for (;;) {
    const limit = Math.min(FOUND, max - done)
    const found = await storage.queue.find(filter, { after, limit })
    for (let at = 0; at < found.length; at += size) {
      const ids = found.slice(at, at + size)
      done += await storage.write(() => work({ ...filter, ids }))
    }
    after = found.at(-1) ?? after
    if (found.length < limit || done >= max) return done
  }
}
