// Notes down what senders are to be told, in the very unit of work in which a recipient leaves the queue, or after an attempt
// that failed. The worker does the rest.
import type { Attempt, AttemptInput, Clock, Directory, Job, QueueControl, Retired, Storage } from '@mox/plugin-sdk'
import type { ReportedRecipient } from './model.ts'
import type { Options } from './options.ts'
import type { Pending } from './pending.ts'
import { mayTell, successAction, wantedAtEnd, wantsDelayed } from './wanted.ts'

export interface RecordDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly clock: Clock
  readonly queue: QueueControl
  readonly pending: Pending
  readonly options: Options
}

export const keyOf = (queueId: number): string => `q${queueId}`

/** For `when` of onRetire.tx: most recipients are delivered at once, and nobody wants to know. */
export function retirementMatters({ retired }: { readonly retired: Retired }): boolean {
  return wantedAtEnd(retired) !== undefined || mayHaveDelayed(retired)
}

function mayHaveDelayed({ results }: Retired): boolean {
  return results.some(({ outcome }) => outcome === 'temporary')
}

/** onRetire.tx. */
export async function recordRetired(deps: RecordDeps, retired: Retired): Promise<void> {
  const { storage, pending, clock, directory, options } = deps
  const key = keyOf(retired.id)
  if (mayHaveDelayed(retired)) await pending.forgetDelayed(key)
  const kind = wantedAtEnd(retired)
  if (kind === undefined) return
  const message = await storage.messages.get(retired.messageId)
  if (message === undefined || !mayTell(message, retired.notify, options)) return
  const attempt = retired.results.at(-1)
  const alias = kind === 'success' && (await directory.resolve(retired.recipient)).kind === 'alias'
  const recipient: ReportedRecipient = {
    ...reported(retired),
    action: kind === 'failed' ? 'failed' : successAction(attempt, alias),
    status: retired.status,
  }
  // The reverse-path of the recipient may be one of its own.
  await pending.add(kind, key, { ...message, reversePath: retired.reversePath }, recipient, clock.now())
}

/** For `when` of onAttempt. */
export function attemptMatters({ final, attempt }: AttemptInput): boolean {
  return !final && attempt.outcome === 'temporary'
}

/** onAttempt: the first attempt that failed so long after the first one. */
export async function recordDelayed(deps: RecordDeps, { queueId, attempt }: AttemptInput): Promise<void> {
  const { storage, pending, clock, queue, options } = deps
  const job = await storage.queue.get(queueId)
  if (job === undefined || job.hold || !wantsDelayed(job)) return
  const first = firstAttempt(job)
  const since = (attempt.endedAt ?? attempt.startedAt) - (first ?? attempt.startedAt)
  if (since < options.delayedAfterMinutes * 60_000) return
  const retryAt = queue.attemptsLeft(job)
  if (retryAt.length === 0 || (await pending.hasDelayed(keyOf(queueId)))) return
  const message = await storage.messages.get(job.messageId)
  if (message === undefined || !mayTell(message, job.notify, options)) return
  const recipient: ReportedRecipient = { ...reported(job), action: 'delayed', attempt: withoutTrace(attempt), retryAt }
  await storage.write(async () => {
    // It may have left the queue meanwhile.
    if ((await storage.queue.get(queueId)) === undefined) return
    await pending.add('delayed', keyOf(queueId), { ...message, reversePath: job.reversePath }, recipient, clock.now())
  })
}

function reported(job: Job | Retired): Omit<ReportedRecipient, 'action'> {
  const { id: queueId, recipient, orcpt, requireTls, attempts, results } = job
  const attempt = results.at(-1)
  const first = firstAttempt(job)
  return {
    ...{ queueId, recipient, attempts },
    ...(orcpt === undefined ? {} : { orcpt }),
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(attempt === undefined ? {} : { attempt: withoutTrace(attempt) }),
    ...(first === undefined ? {} : { firstAttempt: first }),
  }
}

function firstAttempt({ results }: Pick<Job, 'results'>): number | undefined {
  return results.find(({ number }) => number > 0)?.startedAt
}

function withoutTrace({ trace: _, ...attempt }: Attempt): Attempt {
  return attempt
}
