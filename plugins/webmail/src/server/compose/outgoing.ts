// The user's own mail in the queue: what waits and why, and taking it out or moving it.
import type { Clock, Job, QueueControl, Storage } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import type { Outgoing } from '../../api/model.ts'
import { CallError } from '../call.ts'
import { MAX_SCHEDULE_MS } from './services.ts'

export const MAX_OUTGOING = 1_000

export interface OutgoingServices {
  readonly clock: Clock
  readonly storage: Storage
  readonly queueControl: QueueControl
}

export async function listOutgoing(
  { clock, storage }: OutgoingServices,
  account: string,
  undoable: ReadonlyMap<number, string>,
): Promise<{ outgoing: Outgoing[]; complete: boolean }> {
  const jobs = await storage.queue.list({ account }, { limit: MAX_OUTGOING + 1, byId: true, ascending: false })
  const now = clock.now()
  return {
    outgoing: jobs.slice(0, MAX_OUTGOING).map(job => shown(job, now, undoable)),
    complete: jobs.length <= MAX_OUTGOING,
  }
}

function shown(job: Job, now: number, undoable: ReadonlyMap<number, string>): Outgoing {
  const last = job.results.at(-1)
  const failed = job.results.findLast(result => result.outcome !== 'running')
  return {
    ...{ queueId: job.id, messageId: job.messageId, subject: job.subject, size: job.size, queuedAt: job.receivedAt },
    to: pathToString(job.recipient),
    from: pathToString(job.reversePath),
    state:
      last?.outcome === 'running'
        ? 'trying'
        : job.hold
          ? 'hold'
          : job.attempts === 0 && job.due > now
            ? 'scheduled'
            : 'waiting',
    ...{ due: job.due, attempts: job.attempts },
    lastError: failed === undefined ? '' : failed.text.slice(0, 1_000),
    sent: undoable.get(job.messageId) ?? null,
  }
}

export async function cancelOutgoing(
  { queueControl }: OutgoingServices,
  account: string,
  ids: readonly number[],
): Promise<number> {
  return await queueControl.end({ account, ids }, 'cancelled', 'cancelled by the sender')
}

export async function rescheduleOutgoing(
  { clock, queueControl }: OutgoingServices,
  account: string,
  ids: readonly number[],
  due: number,
): Promise<number> {
  if (due - clock.now() > MAX_SCHEDULE_MS)
    throw new CallError('refused', 'a message can be scheduled at most 60 days ahead')
  return await queueControl.schedule({ account, ids }, due)
}

/** Tells when an account's mail in the queue may have changed; at most so often, in milliseconds. */
const INTERVAL_MS = 1_000

export class OutgoingFeed {
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  readonly #end: () => void
  #cancel: (() => void) | undefined

  constructor({ clock, storage }: Pick<OutgoingServices, 'clock' | 'storage'>) {
    this.#clock = clock
    this.#end = storage.subscribe('messages', () => {
      if (this.#listeners.size === 0) return
      this.#cancel ??= this.#clock.after(INTERVAL_MS, () => {
        this.#cancel = undefined
        for (const listener of this.#listeners) listener()
      })
    })
  }

  /** Returns how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#cancel?.()
    this.#end()
  }
}
