// Delivery from the queue to our own users: a session of this process, with all receive hooks, over content that is in
// the store already. May be repeated: copies are recognised by their queue id, so that a crash before the recipient left
// the queue does not deliver twice.
import type { DeliveryBatch, DeliveryResult, Job, SessionInfo, SmtpReply, TraceEntry } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import { accept } from './accept.ts'
import { openSession } from './receiver.ts'
import { isPositive, MAX_RECIPIENTS } from './replies.ts'
import type { Session } from './session.ts'
import { hashOf, measure } from './stored.ts'

/**
 * Writes the results of a whole batch down, inside the unit of work that files its copies: the recipients leave the queue with
 * the same commit. Not called when there is nothing to file.
 */
export type Settle = (results: readonly DeliveryResult[]) => Promise<void>

interface Options {
  readonly listener: string
  readonly signal: AbortSignal
  readonly settle?: Settle
}

const LOOPBACK = '127.0.0.1'

export async function replay(deps: StageDeps, batch: DeliveryBatch, options: Options): Promise<DeliveryResult[]> {
  // A null reverse-path has one recipient per transaction.
  const size = batch.jobs[0].reversePath === null ? 1 : MAX_RECIPIENTS
  const results: DeliveryResult[] = []
  for (let at = 0; at < batch.jobs.length; at += size) {
    results.push(...(await replayTransaction(deps, batch, batch.jobs.slice(at, at + size), options)))
  }
  return results
}

async function replayTransaction(
  deps: StageDeps,
  batch: DeliveryBatch,
  jobs: readonly Job[],
  { listener, signal, settle }: Options,
): Promise<DeliveryResult[]> {
  const result = (job: Job, { code, enhanced = '', text }: SmtpReply): DeliveryResult => ({
    ...{ id: job.id, code, enhanced, text, remoteHost: deps.system.hostname, remoteIp: LOOPBACK },
    outcome: code < 300 ? 'delivered' : code < 500 ? 'temporary' : 'permanent',
  })
  const { session, reply } = await openSession(deps, sessionInfo(deps, listener), signal, true)
  const sent = reply ?? (await sendMail(session, batch))
  if (!isPositive(sent)) return jobs.map(job => result(job, sent))
  const results: DeliveryResult[] = []
  for (const job of jobs) {
    const { recipient: path, notify, orcpt } = job
    const recipient = { path, ...(notify === undefined ? {} : { notify }), ...(orcpt === undefined ? {} : { orcpt }) }
    const answer = await session.admit(recipient, job)
    if (!isPositive(answer)) results.push(result(job, answer))
  }
  const transaction = session.take()
  session.close()
  if (transaction === undefined) return results

  const { content } = deps.storage
  const { accepted, scope } = transaction
  const all = (outcomes: readonly SmtpReply[], answer: SmtpReply): DeliveryResult[] => {
    const filed = accepted.flatMap(({ job }, index) => {
      const outcome = outcomes[index]
      if (job === undefined || outcome === undefined) return []
      return [result(job, isPositive(outcome) ? answer : outcome)]
    })
    return withTrace([...results, ...filed], jobs, scope.trace)
  }
  const { outcomes, reply: answer } = await accept(deps, transaction, {
    ingress: await measure(batch),
    earlier: batch.prefix,
    open: () => batch.open(),
    hash: () => hashOf(batch.open()),
    keep: async () => {
      await content.retain(batch.contentId)
      return batch.contentId
    },
    // What goes in several transactions is settled when all of them are done.
    ...(settle === undefined || jobs.length < batch.jobs.length
      ? {}
      : { filed: (outcomes, answer) => settle(all(outcomes, answer)) }),
  })
  return all(outcomes, answer)
}

/** Each result with what the receive hooks said about its recipient or about all. */
function withTrace(
  results: readonly DeliveryResult[],
  jobs: readonly Job[],
  entries: readonly TraceEntry[],
): DeliveryResult[] {
  if (entries.length === 0) return [...results]
  const addresses = new Map(jobs.map(({ id, recipient }) => [id, formatAddress(recipient)]))
  return results.map(one => ({
    ...one,
    trace: entries.filter(({ recipient }) => recipient === undefined || recipient === addresses.get(one.id)),
  }))
}

function sessionInfo(deps: StageDeps, listener: string): SessionInfo {
  const { hostname } = deps.system
  return {
    ...{ id: deps.random.id(), kind: 'delivery', listener, hostname, localIp: LOOPBACK, remoteIp: LOOPBACK },
    ...{ remotePort: 0, connectedAt: deps.clock.now(), helo: hostname, protocol: 'ESMTP' },
  }
}

function sendMail(session: Session, { jobs, message }: DeliveryBatch): Promise<SmtpReply> {
  const { ret, envid, smtputf8 } = message
  const parameters = { smtputf8, ...(ret === undefined ? {} : { ret }), ...(envid === undefined ? {} : { envid }) }
  return session.mail(jobs[0].reversePath, parameters)
}
