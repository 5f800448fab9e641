// onQueue, beforeDeliver, onAttempt, onRetire.*: one recipient on its way through the queue.
import type { Path } from '../mail/address.ts'
import type { Head } from '../mail/header.ts'
import type { Notify } from '../model/envelope.ts'
import type { Attempt, Job, Retired } from '../model/job.ts'
import type { Fail, Hold, Pass, Patch, Postpone, Refuse, Route } from './verdicts.ts'

/** What a handler of onQueue may change of a recipient that is about to be queued. */
export interface QueueDraft {
  readonly account: string
  readonly loginAddress?: string
  readonly reversePath: Path | null
  readonly recipient: Path
  /** Milliseconds since the epoch. */
  readonly due: number
  readonly maxAttempts: number
  readonly transport?: string
  readonly requireTls?: boolean
  readonly notify?: readonly Notify[]
  readonly fromId?: string
  /** Message stream of the submitter: "receipts"; with suppression, limits and statistics of its own. */
  readonly stream?: string
  readonly extra: Readonly<Record<string, string>>
}

/** A recipient that is about to be queued, inside the unit of work that adds it. */
export interface QueueInput {
  readonly draft: QueueDraft
  /** The header section of the message as it is stored, without our own trace fields. */
  readonly head: Head
  readonly messageId: number
}

/** A recipient that is due, before the attempt is registered. */
export interface DeliverInput {
  readonly job: Job
  /** Number of the attempt about to start, from 1. */
  readonly attempt: number
}

/** An attempt that ended, after its result is on stable storage. */
export interface AttemptInput {
  readonly queueId: number
  readonly messageId: number
  readonly account: string
  readonly recipient: Path
  readonly attempt: Attempt
  /** True when the recipient leaves the queue with this attempt. */
  readonly final: boolean
  /** When the next attempt is due; absent when final. */
  readonly nextAttempt?: number
}

/** A recipient that leaves the queue, with all that was tried. */
export interface RetireInput {
  readonly retired: Retired
}

/** Of onQueue: changes, and then the strongest of the rest, weakest first. */
export type QueueVerdict = Pass | Patch<QueueDraft> | Hold | Refuse
/** Of beforeDeliver, weakest first. */
export type DeliverVerdict = Pass | Route | Postpone | Hold | Fail
