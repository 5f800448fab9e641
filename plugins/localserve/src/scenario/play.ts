// A scenario being played: which step it is at, and what that means for the next recipient. All of it by the clock of the
// server. It begins with the first attempt to its domain.
import type { AttemptStage, DeliveryResult, SmtpReply } from '@mox/plugin-sdk'
import type { Scenario, Step } from './schema.ts'

const MINUTE_MS = 60_000

export interface Played {
  /** For the trace: "accept", "defer", "reject" or "break". */
  readonly verdict: string
  readonly reason: string
  /** Milliseconds before the answer. */
  readonly slowMs: number
  /** Undefined: taken. */
  readonly failure?: Omit<DeliveryResult, 'id'>
}

export class Play {
  readonly #steps: readonly Step[]
  readonly #name: string
  /** From 0; the number of steps when all are over. */
  #at = 0
  #since: number | undefined
  #count = 0
  /** When recipients were taken in the last minute. */
  #taken: number[] = []

  constructor(name: string, { steps }: Scenario) {
    this.#name = name
    this.#steps = steps
  }

  /** Number of the step from 1, undefined when all are over; and when it began, undefined before the first attempt. */
  position(now: number): { readonly step?: number; readonly since?: number } {
    this.#goOn(now)
    return {
      ...(this.#at < this.#steps.length ? { step: this.#at + 1 } : {}),
      ...(this.#since === undefined ? {} : { since: this.#since }),
    }
  }

  next(now: number): Played {
    this.#since ??= now
    this.#goOn(now)
    const step = this.#steps[this.#at]
    if (step === undefined)
      return { verdict: 'accept', reason: `scenario ${this.#name}: all steps are over`, slowMs: 0 }
    this.#count++
    const reason = `scenario ${this.#name}: step ${this.#at + 1} of ${this.#steps.length}`
    return { reason, slowMs: step.slow ?? 0, ...this.#answer(step, now) }
  }

  /** Leaves the steps that are over. */
  #goOn(now: number): void {
    for (
      let step = this.#steps[this.#at];
      step !== undefined && this.#since !== undefined;
      step = this.#steps[this.#at]
    ) {
      const end = step.for === undefined ? undefined : this.#since + step.for
      const over = end === undefined ? step.times !== undefined && this.#count >= step.times : now >= end
      if (!over) return
      this.#at++
      this.#count = 0
      this.#taken = []
      // A step by time begins when the one before ended, whether anybody came or not.
      this.#since = end ?? now
    }
  }

  #answer({ reply, accept, break: place }: Step, now: number): Pick<Played, 'verdict' | 'failure'> {
    if (reply !== undefined) return refusal(reply)
    if (place !== undefined) return { verdict: 'break', failure: broken(place) }
    if (accept === true || accept === undefined) return { verdict: 'accept' }
    this.#taken = this.#taken.filter(at => at > now - MINUTE_MS)
    if (this.#taken.length >= accept.perMinute) return refusal(accept.else)
    this.#taken.push(now)
    return { verdict: 'accept' }
  }
}

function refusal({ code, enhanced = '', text }: SmtpReply): Pick<Played, 'verdict' | 'failure'> {
  const temporary = code < 500
  return {
    verdict: temporary ? 'defer' : 'reject',
    failure: { outcome: temporary ? 'temporary' : 'permanent', stage: 'rcpt', code, enhanced, text, ...HERE },
  }
}

const HERE = { remoteHost: 'localhost', remoteIp: '127.0.0.1' }

const BROKEN: Readonly<Record<NonNullable<Step['break']>, string>> = {
  connect: 'the connection was refused',
  starttls: 'the connection was closed during STARTTLS',
  rcpt: 'the connection was closed after RCPT TO',
  data: 'the connection was closed during DATA',
  end: 'the connection was closed after the final dot: the message may have been taken',
}

function broken(stage: NonNullable<Step['break']> & AttemptStage): Omit<DeliveryResult, 'id'> {
  return { outcome: 'temporary', stage, code: 0, enhanced: '4.4.2', text: BROKEN[stage], ...HERE }
}
