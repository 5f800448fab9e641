// Deliveries that were let go and have not ended. Recipients of one message that share a transaction are one. A grant that
// nobody ends, since another policy held the recipient after all, ends by itself.
import type { Job } from '@mox/plugin-sdk'
import type { Pace } from './pace.ts'

/** Milliseconds after which a grant counts no more. A delivery that takes longer is bounded by the queue's own limits. */
export const GRANT_MS = 600_000

interface Grant {
  readonly key: string
  readonly at: number
  readonly paces: readonly Pace[]
  readonly waiting: Set<number>
}

export class Grants {
  /** In the order in which they were made. */
  readonly #byKey = new Map<string, Grant>()
  readonly #byJob = new Map<number, Grant>()

  /** Adds a recipient to a delivery that was let go; false when there is none. */
  join(job: Job): boolean {
    const grant = this.#byKey.get(keyOf(job))
    if (grant === undefined) return false
    grant.waiting.add(job.id)
    this.#byJob.set(job.id, grant)
    return true
  }

  add(job: Job, paces: readonly Pace[], now: number): void {
    const grant: Grant = { key: keyOf(job), at: now, paces, waiting: new Set([job.id]) }
    this.#byKey.set(grant.key, grant)
    this.#byJob.set(job.id, grant)
    for (const pace of paces) pace.start(now)
  }

  /** A recipient's attempt has ended; `duration` in milliseconds. */
  end(queueId: number, duration: number | undefined): void {
    const grant = this.#byJob.get(queueId)
    if (grant === undefined) return
    this.#byJob.delete(queueId)
    grant.waiting.delete(queueId)
    if (grant.waiting.size === 0) this.#close(grant, duration)
  }

  /** Ends what is too old; the recipients of those grants. */
  expire(now: number): number[] {
    const ids: number[] = []
    for (const grant of this.#byKey.values()) {
      if (now - grant.at < GRANT_MS) break
      for (const id of grant.waiting) {
        this.#byJob.delete(id)
        ids.push(id)
      }
      this.#close(grant, undefined)
    }
    return ids
  }

  #close(grant: Grant, duration: number | undefined): void {
    this.#byKey.delete(grant.key)
    for (const pace of grant.paces) pace.end(duration)
  }
}

/** What shares a transaction: the queue groups by message, domain and envelope sender. */
function keyOf({ messageId, recipientDomain, reversePath }: Job): string {
  return JSON.stringify([messageId, recipientDomain, reversePath?.localpart, reversePath?.domain])
}
