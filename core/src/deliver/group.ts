// Recipients of one message at one domain that are due together: decides about each, writes down what was decided and
// the attempts about to start, and only then touches a transport. Throws what storage throws.
import type { Attempt, Job, JobGroup, StoredMessage } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { backoff } from '../queue/schedule.ts'
import { MessageFacts } from '../receive/facts.ts'
import { retireInUnit } from '../retire/retire.ts'
import type { StageDeps } from '../stages.ts'
import { type Decided, decide, NO_TRANSPORT } from './decide.ts'
import type { LocalTransport } from './local.ts'
import { Recording } from './record.ts'
import { type Failure, runTransport } from './run.ts'

/** One recipient with its registered attempt. */
export interface Begun {
  /** As claimed, with the attempt counted. */
  readonly job: Job
  readonly attempt: Attempt
}

/** What shares a transport and an envelope sender, and so one transaction. */
interface Batch {
  readonly transport: string
  readonly begun: [Begun, ...Begun[]]
}

const SENDER_DISABLED: Failure = { enhanced: '4.3.0', text: 'sender domain is disabled' }

/** True when all of it went to transports that end on this machine. */
export async function deliverGroup(
  deps: StageDeps,
  local: LocalTransport,
  group: JobGroup,
  signal: AbortSignal,
): Promise<boolean> {
  const message = await deps.storage.messages.get(group[0].messageId)
  if (message === undefined) {
    await holdWithoutMessage(deps, group)
    return false
  }
  const facts = MessageFacts.restored(message.facts)
  const decided: Decided[] = []
  for (const job of group) decided.push(await decide(deps, job, facts, signal))
  // Handlers that were cut off by the stop have decided nothing; the recipients are due again at the next start.
  signal.throwIfAborted()
  const batches = await deps.storage.write(() => register(deps, decided, facts))
  const here = await Promise.all(batches.map(batch => attempt(deps, local, batch, message, facts, signal)))
  return here.length > 0 && here.every(Boolean)
}

/** Never expected. Waiting for an operator neither loses nor repeats anything. */
async function holdWithoutMessage(deps: StageDeps, group: JobGroup): Promise<void> {
  deps.log.error({ messageId: group[0].messageId }, 'message of queued recipients is missing')
  const at = deps.clock.now()
  const text = 'on hold: the message is missing in storage'
  const entry: Attempt = { number: 0, startedAt: at, endedAt: at, outcome: 'temporary', code: 0, enhanced: '', text }
  await deps.storage.write(async () => {
    for (const { id } of group) await deps.storage.queue.note(id, entry, { hold: true })
  })
}

function batchKey(transport: string, job: Job): string {
  return `${transport}\n${job.reversePath === null ? '' : formatAddress(job.reversePath)}`
}

async function register(deps: StageDeps, decided: readonly Decided[], facts: MessageFacts): Promise<Batch[]> {
  const { queue } = deps.storage
  const startedAt = deps.clock.now()
  const batches = new Map<string, Batch>()
  const begins: { id: number; attempt: Attempt; due: number }[] = []
  // One for all: recipients that wait together are due together, and go in one transaction again.
  const variation = deps.random.number()
  for (const one of decided) {
    const { job } = one
    if (one.kind === 'fail') {
      await retireInUnit(deps, [{ job, status: one.status, results: [...job.results, one.entry] }], facts)
    } else if (one.kind === 'wait') {
      const fields = { due: one.due, hold: one.hold }
      if (one.entry === undefined) await queue.set({ ids: [job.id] }, fields)
      else await queue.note(job.id, one.entry, fields)
    } else {
      const { transport, trace } = one
      const number = job.attempts + 1
      const attempt: Attempt = {
        ...{ number, startedAt, outcome: 'running', code: 0, enhanced: '', text: '' },
        ...(transport === NO_TRANSPORT ? {} : { transport }),
        ...(trace.length === 0 ? {} : { trace }),
      }
      const due = startedAt + backoff(deps.config.retrySchedule, number, variation)
      begins.push({ id: job.id, attempt, due })
      const begun: Begun = { job: { ...job, due, attempts: number, lastAttempt: startedAt }, attempt }
      const batch = batches.get(batchKey(transport, job))
      if (batch === undefined) batches.set(batchKey(transport, job), { transport, begun: [begun] })
      else batch.begun.push(begun)
    }
  }
  if (begins.length > 0) await queue.begin(begins)
  deps.storage.notify('messages')
  return [...batches.values()]
}

async function attempt(
  deps: StageDeps,
  local: LocalTransport,
  { transport: name, begun }: Batch,
  message: StoredMessage,
  facts: MessageFacts,
  signal: AbortSignal,
): Promise<boolean> {
  const [first, ...rest] = begun
  const { prefix, contentId } = message
  const batch = {
    jobs: [first.job, ...rest.map(({ job }) => job)] as const,
    message: first.job,
    attempt: first.attempt.number,
    ...{ prefix, contentId },
    async *open() {
      yield prefix
      yield* deps.storage.content.open(contentId)
    },
  }
  const recording = new Recording(deps, begun, facts)
  const transport =
    name === local.name
      ? local.settling(results => recording.inUnit(results))
      : deps.transports.find(one => one.name === name)
  const unknown: Failure = { enhanced: '4.3.5', text: `there is no transport "${name}"` }
  const failure = name === NO_TRANSPORT ? SENDER_DISABLED : unknown
  const { results, cut } = await runTransport(deps, transport, batch, signal, failure)
  await recording.finish(results, cut, signal)
  return transport?.here === true
}
