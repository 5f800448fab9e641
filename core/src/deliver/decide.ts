// What happens to one due recipient: beforeDeliver, then the choice of a transport. Reads only; `group.ts` writes what was
// decided. A failing policy postpones and never lets a message through or loses it.
import type { Attempt, DeliverVerdict, Job, TraceEntry } from '@mox/plugin-sdk'
import { formatAddress, isAddressLiteral } from '@mox/plugin-sdk/mail'
import { backoff } from '../queue/schedule.ts'
import { MessageFacts } from '../receive/facts.ts'
import { forRecipient, newScope } from '../receive/scope.ts'
import type { StageDeps } from '../stages.ts'
import { LOCAL } from './local.ts'

/** The transport for what is not ours and has no route. */
export const DIRECT = 'direct'
/** In place of a transport: an attempt that fails because the domain of the envelope sender is disabled. */
export const NO_TRANSPORT = ''
/** So many failures of a policy in a row put a recipient on hold. */
export const POLICY_FAILURES = 5
/** Milliseconds: a postponement into the past does not make a loop. */
const SHORTEST_POSTPONE_MS = 1_000
/** Entries of a recipient's log after which a repeated postponement only moves the due time. */
export const LONGEST_LOG = 200

export type Decided =
  /** An attempt through this transport. */
  | { readonly kind: 'send'; readonly job: Job; readonly transport: string; readonly trace: readonly TraceEntry[] }
  /** Stays in the queue; `entry` is undefined when the log says the same already. */
  | { readonly kind: 'wait'; readonly job: Job; readonly entry?: Attempt; readonly due: number; readonly hold: boolean }
  /** Leaves the queue without an attempt. */
  | { readonly kind: 'fail'; readonly job: Job; readonly entry: Attempt; readonly status: 'failed' | 'suppressed' }

/** Never throws: a recipient that cannot be decided about waits, and the others go on. */
export async function decide(deps: StageDeps, job: Job, facts: MessageFacts, signal: AbortSignal): Promise<Decided> {
  try {
    return await ask(deps, job, facts, signal)
  } catch (error) {
    deps.log.error({ err: error, queueId: job.id }, 'delivery could not be prepared')
    const now = deps.clock.now()
    const due = now + backoff(deps.config.retrySchedule, job.attempts + 1, deps.random.number())
    return wait(job, decision(now, 'temporary', '4.3.0', 'delivery could not be prepared', []), due, false)
  }
}

async function ask(deps: StageDeps, job: Job, facts: MessageFacts, signal: AbortSignal): Promise<Decided> {
  const sender = job.reversePath?.domain
  const domain = sender === undefined ? undefined : await deps.directory.domain(sender)
  if (domain?.disabled) return { kind: 'send', job, transport: NO_TRANSPORT, trace: [] }
  if (!deps.hooks.has('beforeDeliver')) {
    return { kind: 'send', job, transport: await chooseTransport(deps, job, undefined), trace: [] }
  }
  const scope = forRecipient(newScope(signal, new MessageFacts(facts)), formatAddress(job.recipient))
  const verdict = await deps.hooks.decide('beforeDeliver', { job, attempt: job.attempts + 1 }, scope)
  return apply(deps, job, verdict, scope.trace)
}

async function apply(
  deps: StageDeps,
  job: Job,
  verdict: DeliverVerdict,
  trace: readonly TraceEntry[],
): Promise<Decided> {
  const now = deps.clock.now()
  const entry = (outcome: Attempt['outcome'], enhanced: string, text: string) =>
    decision(now, outcome, enhanced, text, trace)
  switch (verdict.kind) {
    case 'pass':
    case 'route': {
      const routed = verdict.kind === 'route' ? verdict.transport : undefined
      return { kind: 'send', job, transport: await chooseTransport(deps, job, routed), trace }
    }
    case 'hold':
      return {
        kind: 'wait',
        job,
        entry: entry('temporary', '', `on hold: ${verdict.reason}`),
        due: job.due,
        hold: true,
      }
    case 'fail': {
      const { enhanced = '', text } = verdict.reply
      return { kind: 'fail', job, entry: entry('permanent', enhanced, text), status: verdict.status }
    }
    case 'postpone': {
      // A failed handler has no time to say; another handler's postponement has.
      const failed = verdict.until > now ? undefined : trace.find(one => one.failed)
      if (failed === undefined) {
        const due = later(verdict.until, now + SHORTEST_POSTPONE_MS)
        return wait(job, entry('temporary', '', `postponed: ${verdict.reason}`), due, false)
      }
      const count = policyFailures(job) + 1
      const due = now + backoff(deps.config.retrySchedule, count, deps.random.number())
      const failure = entry('temporary', '4.3.0', `delivery policy failed: ${failed.plugin}`)
      return { kind: 'wait', job, entry: failure, due, hold: count % POLICY_FAILURES === 0 }
    }
  }
}

function decision(
  at: number,
  outcome: Attempt['outcome'],
  enhanced: string,
  text: string,
  trace: readonly TraceEntry[],
): Attempt {
  return { number: 0, startedAt: at, endedAt: at, outcome, code: 0, enhanced, text, trace }
}

/** A repeated entry is not written again: throttles postpone many times. */
function wait(job: Job, entry: Attempt, due: number, hold: boolean): Decided {
  const known = job.results.at(-1)
  const repeated = job.results.length >= LONGEST_LOG || (known?.number === 0 && known.text === entry.text)
  return { kind: 'wait', job, ...(repeated ? {} : { entry }), due, hold }
}

/** The later time; one that is no number does not count. */
function later(asked: number, least: number): number {
  return Number.isFinite(asked) ? Math.max(asked, least) : least
}

/** How many times in a row, up to now, a policy failed for this recipient. */
function policyFailures(job: Job): number {
  let count = 0
  for (const entry of job.results.toReversed()) {
    if (entry.number !== 0 || !entry.trace?.some(one => one.failed)) break
    count++
  }
  return count
}

/** The operator's choice, the route of a policy, our own domains, the rest. */
async function chooseTransport(deps: StageDeps, job: Job, routed: string | undefined): Promise<string> {
  const named = job.transport ?? routed
  if (named !== undefined && named !== '') return named
  if (isAddressLiteral(job.recipientDomain)) return DIRECT
  const { kind } = await deps.directory.resolve(job.recipient)
  return kind === 'remote' ? DIRECT : LOCAL
}
