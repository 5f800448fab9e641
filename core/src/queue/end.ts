// Recipients taken out of the queue by decision: in units of bounded size, each with all that retiring means.
import type { Attempt, QueueFilter, QueueSelection } from '@mox/plugin-sdk'
import { MessageFacts } from '../receive/facts.ts'
import { retireInUnit } from '../retire/retire.ts'
import type { StageDeps } from '../stages.ts'
import { inBatches } from './select.ts'

/** Recipients per unit of work: handlers of plugins run for each. */
const BATCH = 100

export function endJobs(
  deps: StageDeps,
  selection: QueueSelection,
  status: 'failed' | 'cancelled',
  text: string,
): Promise<number> {
  return inBatches(deps, selection, BATCH, filter => endBatch(deps, filter, status, text))
}

async function endBatch(
  deps: StageDeps,
  filter: QueueFilter,
  status: 'failed' | 'cancelled',
  text: string,
): Promise<number> {
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
  deps.storage.notify('messages')
  return jobs.length
}
