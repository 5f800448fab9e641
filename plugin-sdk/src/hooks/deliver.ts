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

export interface QueueInput {
  readonly draft: QueueDraft
  /** The header section of the message as submitted. */
  readonly head: Head
  readonly messageId: number
}

export interface DeliverInput {
  readonly job: Job
  /** Number of the attempt about to start, from 1. */
  readonly attempt: number
}

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

export interface RetireInput {
  readonly retired: Retired
}

export type QueueVerdict = Pass | Patch<QueueDraft> | Hold | Refuse
export type DeliverVerdict = Pass | Route | Postpone | Hold | Fail
