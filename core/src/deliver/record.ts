// What an attempt did, written down in one unit: the result, the next due time or the way out of the queue, and the events
// for onAttempt. A delivery to our own users is written down in the unit that files it. A message that was delivered must not
// be delivered again because storage was away for a moment, so this is tried for some time.
import type { Attempt, DeliveryResult, Job, JobUpdate } from '@mox/plugin-sdk'
import { outboxRows } from '../notify/outbox.ts'
import { isLast } from '../queue/schedule.ts'
import type { MessageFacts } from '../receive/facts.ts'
import { type Retirement, retireInUnit } from '../retire/retire.ts'
import type { StageDeps } from '../stages.ts'
import type { Begun } from './group.ts'
import { observeAttempts } from './metrics.ts'
import type { Cut } from './run.ts'

/** Tries to write a result down: waits of 1, 2, 4 … 60 seconds between them, about five minutes in all. */
export const RECORD_TRIES = 10
/** Addresses remembered per host that we connected to. */
export const DIALED_IPS = 10

interface Finished {
  readonly job: Job
  readonly attempt: Attempt
  readonly results: readonly Attempt[]
  readonly result: DeliveryResult
  readonly final: boolean
}

/** The results of one batch, written down once: by the unit of work that filed its copies, or by one of their own. */
export class Recording {
  readonly #deps: StageDeps
  readonly #begun: readonly Begun[]
  readonly #facts: MessageFacts
  #recorded = false

  constructor(deps: StageDeps, begun: readonly Begun[], facts: MessageFacts) {
    this.#deps = deps
    this.#begun = begun
    this.#facts = facts
  }

  /** Inside a unit of work, which may still be undone: then `finish` writes what came of that. */
  async inUnit(results: readonly DeliveryResult[]): Promise<void> {
    const finished = this.#finished(new Map(results.map(result => [result.id, result])))
    await write(this.#deps, finished, this.#facts)
    this.#deps.storage.afterCommit(() => {
      this.#recorded = true
      this.#report(finished)
    })
  }

  /** Once the transport is done. */
  async finish(results: ReadonlyMap<number, DeliveryResult>, cut: Cut | undefined, signal: AbortSignal): Promise<void> {
    if (this.#recorded) return
    const { storage, log, clock } = this.#deps
    const finished = this.#finished(results)
    this.#report(finished, cut)
    for (let tries = 1; ; tries++) {
      try {
        await storage.write(() => write(this.#deps, finished, this.#facts))
        return
      } catch (error) {
        log.error({ err: error, queueIds: finished.map(({ job }) => job.id), tries }, 'result not stored')
        if (tries >= RECORD_TRIES || signal.aborted) throw error
        await clock.sleep(Math.min(1_000 * 2 ** (tries - 1), 60_000), signal)
      }
    }
  }

  #finished(results: ReadonlyMap<number, DeliveryResult>): Finished[] {
    const endedAt = this.#deps.clock.now()
    return this.#begun.map(one => finish(this.#deps, one, results.get(one.job.id), endedAt))
  }

  /** `cut`: how the attempt was ended from outside, if it was. */
  #report(finished: readonly Finished[], cut?: Cut): void {
    observeAttempts(
      this.#deps,
      finished.map(({ attempt }) => attempt),
      cut,
    )
    for (const {
      job,
      attempt: { number, outcome, code, enhanced, text, transport },
    } of finished) {
      const fields = { queueId: job.id, attempt: number, outcome, code, enhanced, text, transport }
      this.#deps.log.info(fields, 'delivery attempt')
    }
  }
}

function finish(
  deps: StageDeps,
  { job, attempt }: Begun,
  result: DeliveryResult | undefined,
  endedAt: number,
): Finished {
  if (result === undefined) throw new Error('an attempt has no result')
  const { outcome, code, enhanced, text, stage, remoteHost, remoteIp, tls, dsnPassedOn } = result
  const done: Attempt = {
    ...attempt,
    ...{ endedAt, outcome, code, enhanced, text },
    ...(stage === undefined ? {} : { stage }),
    ...(remoteHost === undefined ? {} : { remoteHost }),
    ...(remoteIp === undefined ? {} : { remoteIp }),
    ...(tls === undefined ? {} : { tls }),
    ...(dsnPassedOn === undefined ? {} : { dsnPassedOn }),
    ...(result.trace === undefined ? {} : { trace: [...(attempt.trace ?? []), ...result.trace] }),
  }
  const last = isLast(deps.config.retrySchedule, attempt.number, job.maxAttempts)
  const final = outcome !== 'temporary' || last
  return { job, attempt: done, results: [...job.results.map(interrupted), done], result, final }
}

/** A crash left an attempt running: what it did is not known. */
function interrupted(entry: Attempt): Attempt {
  return entry.outcome === 'running'
    ? { ...entry, outcome: 'temporary', enhanced: '4.3.2', text: 'interrupted: the server stopped during this attempt' }
    : entry
}

async function write(deps: StageDeps, finished: readonly Finished[], facts: MessageFacts): Promise<void> {
  const { queue } = deps.storage
  const updates: JobUpdate[] = []
  const retirements: Retirement[] = []
  for (const one of finished) {
    const { job, attempt, results, final } = one
    if (final) {
      // An operator may have cancelled it meanwhile: then it has been retired, and somebody may have been told.
      if ((await queue.get(job.id)) === undefined) continue
      const status = attempt.outcome === 'delivered' ? 'delivered' : 'failed'
      retirements.push({ job: { ...job, dialedIps: dialedIps(one) }, status, results })
    } else updates.push({ id: job.id, results, due: job.due, dialedIps: dialedIps(one) })
    const { id: queueId, messageId, account, recipient } = job
    const next = final ? {} : { nextAttempt: job.due }
    await outboxRows(deps, 'onAttempt', facts, { queueId, messageId, account, recipient, attempt, final, ...next })
  }
  deps.storage.notify('messages')
  if (updates.length > 0) await queue.finish(updates)
  if (retirements.length > 0) await retireInUnit(deps, retirements, facts)
}

function dialedIps({ job, result: { dialed } }: Finished): Job['dialedIps'] {
  if (dialed === undefined) return job.dialedIps
  const known = new Map(Object.entries(job.dialedIps))
  known.set(dialed.host, [...(known.get(dialed.host) ?? []), dialed.ip].slice(-DIALED_IPS))
  return Object.fromEntries(known)
}
