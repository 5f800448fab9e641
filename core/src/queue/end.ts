// Recipients taken out of the queue by decision: in units of bounded size, each with all that retiring means.
import type { Attempt, Job, QueueFilter } from '@mox/plugin-sdk'
import { MessageFacts } from '../receive/facts.ts'
import { retireInUnit } from '../retire/retire.ts'
import type { StageDeps } from '../stages.ts'

/** Recipients per unit of work. */
const BATCH = 100

export async function endJobs(
  deps: StageDeps,
  filter: QueueFilter,
  status: 'failed' | 'cancelled',
  text: string,
): Promise<number> {
  let ended = 0
  for (;;) {
    const jobs = await deps.storage.write(() => endBatch(deps, filter, status, text))
    ended += jobs.length
    if (jobs.length < BATCH) return ended
  }
}

async function endBatch(
  deps: StageDeps,
  filter: QueueFilter,
  status: 'failed' | 'cancelled',
  text: string,
): Promise<Job[]> {
  const now = deps.clock.now()
  const jobs = await deps.storage.queue.list(filter, { limit: BATCH })
  const entry: Attempt = {
    ...{ number: 0, startedAt: now, endedAt: now, outcome: 'permanent', code: 0, enhanced: '', text },
  }
  for (const job of jobs) {
    const message = await deps.storage.messages.get(job.messageId)
    const facts = MessageFacts.restored(message?.facts ?? {})
    await retireInUnit(deps, [{ job, status, results: [...job.results, entry] }], facts)
  }
  return jobs
}
