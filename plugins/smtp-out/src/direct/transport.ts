// Delivery to the hosts of the recipients' domain. Each recipient gets its own fate: a final answer stays, the others go on to
// the next host with who else is left; the last answer counts.
import type { DeliveryBatch, DeliveryResult, DestinationPolicies, Job, Log, Random, Transport } from '@mox/plugin-sdk'
import { deadline } from '../deadline.ts'
import { type Failure, textOf, trouble } from '../failure.ts'
import { DESTINATIONS_MS } from '../limits.ts'
import { byRequireTls, type Jobs, messageFor } from '../message.ts'
import { dialedAt, type Fate, fateOf, type Judged, type Place, resultOf } from '../outcome.ts'
import { type Destinations, findDestinations } from './destinations.ts'
import { deliverToHost, type HostAnswers, type HostDeps } from './host.ts'
import { type DeliveryPolicies, policiesFor } from './policies.ts'

export interface DirectDeps extends HostDeps {
  readonly random: Random
  readonly policies: readonly DestinationPolicies[]
  readonly ownNames: ReadonlySet<string>
}

interface Context {
  readonly signal: AbortSignal
  readonly log: Log
}

/** A recipient without a final answer yet. */
interface Waiting {
  readonly job: Job
  last: { readonly answer: Judged; readonly fate: Fate; readonly place: Place } | undefined
  /** The last connection that was made. */
  dialed: Pick<DeliveryResult, 'dialed'>
  /** No host so far will ever do. */
  hopeless: boolean
}

export function directTransport(deps: DirectDeps): Transport {
  return {
    name: deps.name,
    deliver: async (batch, context) => {
      const results: DeliveryResult[] = []
      for (const jobs of byRequireTls(batch.jobs)) results.push(...(await deliver(deps, batch, jobs, context)))
      return results
    },
  }
}

async function deliver(
  deps: DirectDeps,
  batch: DeliveryBatch,
  jobs: Jobs,
  context: Context,
): Promise<DeliveryResult[]> {
  const found = await destinationsOf(deps, jobs, context)
  if ('kind' in found) return jobs.map(({ id }) => resultOf(id, found, atTheEnd(fateOf(found, false), true), {}))
  const { destinations, policies } = found
  const waiting = new Map(jobs.map(job => [job.id, unsettled(job)]))
  const results: DeliveryResult[] = []
  for (const host of destinations.hosts) {
    const [first, ...rest] = [...waiting.values()].map(({ job }) => job)
    if (first === undefined || context.signal.aborted) break
    const left: Jobs = [first, ...rest]
    const refused = policies.refuse(host)
    const answers =
      refused === undefined
        ? await deliverToHost(deps, {
            ...{ host, destinations, policies, domain: first.recipientDomain, message: messageFor(batch, left) },
            ...{ dialed: dialedBefore(first, host), attempt: batch.attempt, ...context },
          })
        : { place: { remoteHost: host }, dualStack: false, own: new Map(), all: refused }
    for (const job of left) settle(job, answers, batch.attempt, waiting, results)
    context.log.debug({ host, recipients: left.length, left: waiting.size }, 'host was tried')
  }
  const { aborted, reason } = context.signal
  for (const { job, last, dialed, hopeless } of waiting.values()) {
    const { answer, fate, place } = last ?? interrupted(reason)
    results.push({ ...dialed, ...resultOf(job.id, answer, atTheEnd(fate, hopeless && !aborted), place) })
  }
  return results
}

async function destinationsOf(
  deps: DirectDeps,
  [{ recipientDomain: domain, requireTls }]: Jobs,
  context: Context,
): Promise<{ readonly destinations: Destinations; readonly policies: DeliveryPolicies } | Failure> {
  const limit = deadline(deps.clock, DESTINATIONS_MS, context.signal, 'DNS')
  try {
    const destinations = await findDestinations(deps, domain, limit.signal)
    if ('kind' in destinations) return destinations
    deps.metrics.destination(destinations.authentic)
    const { literal } = destinations
    const policies = await policiesFor(deps.policies, { domain, literal, requireTls, signal: limit.signal })
    return 'kind' in policies ? policies : { destinations, policies }
  } finally {
    limit.release()
  }
}

/** Notes what one host said about one recipient. */
function settle(
  job: Job,
  { place, dualStack, own, all }: HostAnswers,
  attempt: number,
  waiting: Map<number, Waiting>,
  results: DeliveryResult[],
): void {
  const answer = own.get(job.id) ?? all
  const fate = fateOf(answer, attempt === 1 && dualStack)
  const one = waiting.get(job.id)
  if (one !== undefined && (fate === 'retry' || fate === 'unsuitable')) {
    one.last = { answer, fate, place }
    one.dialed = { ...one.dialed, ...dialedAt(place) }
    one.hopeless &&= fate === 'unsuitable'
    return
  }
  waiting.delete(job.id)
  results.push(resultOf(job.id, answer, fate, place))
}

function unsettled(job: Job): Waiting {
  return { job, last: undefined, dialed: {}, hopeless: true }
}

/** When there is no other host. */
function atTheEnd(fate: Fate, hopeless: boolean): Fate {
  if (fate !== 'unsuitable') return fate
  return hopeless ? 'permanent' : 'retry'
}

function dialedBefore({ dialedIps }: Job, host: string): readonly string[] {
  return Object.hasOwn(dialedIps, host) ? (dialedIps[host] ?? []) : []
}

function interrupted(reason: unknown): NonNullable<Waiting['last']> {
  return { answer: trouble('connect', '4.3.2', `interrupted: ${textOf(reason)}`), fate: 'retry', place: {} }
}
