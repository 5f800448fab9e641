// The transport of localserve: whatever the destination, the message comes back to this server, after the failures that
// the scenario of its domain and magic localparts ask for. Each recipient has its own outcome.
import type {
  Clock,
  ClockControl,
  DeliveryBatch,
  DeliveryResult,
  Job,
  Receiver,
  SmtpReply,
  TraceEntry,
  Transport,
} from '@mox/plugin-sdk'
import { formatAddress, pathToString } from '@mox/plugin-sdk/mail'
import type { Greylist } from './greylist.ts'
import type { LaterReports } from './later.ts'
import { magicOf, stageOf } from './magic.ts'
import type { Scenarios } from './scenario/scenarios.ts'

/** The transport's name in routes and attempts. */
export const TRANSPORT = 'localserve'
/** The listener's name in sessions that the queue opens. */
export const LISTENER = 'localserve'

export interface TransportDeps {
  readonly receiver: Receiver
  readonly clock: Clock
  readonly control: ClockControl
  readonly greylist: Greylist
  readonly scenarios: Scenarios
  readonly later: LaterReports
}

/** What happens to one recipient instead of a delivery, and what its trace says either way. */
interface Simulated {
  readonly failure?: Omit<DeliveryResult, 'id'>
  readonly trace: readonly TraceEntry[]
}

export function makeTransport(deps: TransportDeps): Transport {
  return {
    name: TRANSPORT,
    here: true,
    deliver: async (batch, { signal }) => {
      const results: DeliveryResult[] = []
      const traces = new Map<number, readonly TraceEntry[]>()
      const deliverable: Job[] = []
      for (const job of batch.jobs) {
        const { failure, trace } = await simulate(deps, job, signal)
        if (failure === undefined) deliverable.push(job)
        else results.push({ id: job.id, ...failure, trace })
        traces.set(job.id, trace)
      }
      const [first, ...rest] = deliverable
      if (first === undefined) return results
      const replayed: DeliveryBatch = { ...batch, jobs: [first, ...rest] }
      for (const result of await deps.receiver.replay(replayed, { listener: LISTENER, signal })) {
        const job = deliverable.find(({ id }) => id === result.id)
        if (job !== undefined && result.outcome === 'delivered') await comeBackLater(deps, job, batch)
        const trace = [...(traces.get(result.id) ?? []), ...(result.trace ?? [])]
        results.push(trace.length === 0 ? result : { ...result, trace })
      }
      return results
    },
  }
}

async function simulate(deps: TransportDeps, job: Job, signal: AbortSignal): Promise<Simulated> {
  const scenario = deps.scenarios.ask(job.recipientDomain)
  const trace: TraceEntry[] = []
  if (scenario !== undefined) {
    const { verdict, reason } = scenario
    trace.push({
      ...{ hook: 'transport', plugin: 'localserve', verdict, reason, ms: 0 },
      recipient: formatAddress(job.recipient),
    })
    const late = await wait(deps, job, scenario.slowMs, signal)
    const failure = late ?? scenario.failure
    if (failure !== undefined) return { failure, trace }
  }
  const magic = stageOf(job.recipient.localpart) === 'mailfrom' ? undefined : magicOf(job.recipient.localpart)
  if (magic === undefined) return { trace }
  const late = await wait(deps, job, magic.slowMs, signal)
  if (late !== undefined) return { failure: magic.refusal === undefined ? late : refused(magic.refusal), trace }
  if (magic.tlsFailure) return { failure: TLS_FAILURE, trace }
  const sender = pathToString(job.reversePath)
  const recipient = pathToString(job.recipient)
  const grey = magic.greylistMs > 0 ? deps.greylist.ask(sender, recipient, magic.greylistMs) : undefined
  const reply = grey ?? magic.refusal
  return reply === undefined ? { trace } : { failure: refused(reply), trace }
}

const HERE = { remoteHost: 'localhost', remoteIp: '127.0.0.1' }
const TLS_FAILURE: Omit<DeliveryResult, 'id'> = {
  ...{ outcome: 'temporary', code: 0, enhanced: '4.7.5', stage: 'starttls', ...HERE },
  text: 'STARTTLS failed: the certificate of the server has expired (simulated by the recipient address)',
}
const NO_ANSWER: Omit<DeliveryResult, 'id'> = {
  ...{ outcome: 'temporary', code: 0, enhanced: '4.4.2', stage: 'end', ...HERE },
  text: 'no answer within the time of an attempt',
}

/** As the answer to RCPT TO: what it says is about the recipient. */
export function refused({ code, enhanced = '', text }: SmtpReply): Omit<DeliveryResult, 'id'> {
  return { outcome: code < 500 ? 'temporary' : 'permanent', code, enhanced, text, stage: 'rcpt', ...HERE }
}

/** A failure when the attempt was ended during the wait. */
async function wait(
  { control }: TransportDeps,
  job: Job,
  ms: number,
  signal: AbortSignal,
): Promise<Omit<DeliveryResult, 'id'> | undefined> {
  if (ms === 0) return undefined
  return await control.wait(ms, job.id, signal).then(
    () => undefined,
    () => NO_ANSWER,
  )
}

async function comeBackLater({ later }: TransportDeps, job: Job, batch: DeliveryBatch): Promise<void> {
  if (stageOf(job.recipient.localpart) === 'mailfrom') return
  for (const one of magicOf(job.recipient.localpart)?.later ?? []) await later.add(one, job, batch)
}
