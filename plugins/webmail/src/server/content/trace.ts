// The way of a message as its owner may see it: what the hooks said, each attempt and its reply, the end. Who sent it sees all
// recipients; who received it only what was about the own address.
import type { Attempt, Job, MailboxMessage, Retired, Storage, StoredMessage, TraceEntry } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import type { TraceStep } from '../../api/model.ts'
import { TRACE_RECIPIENTS, TRACE_STEPS } from './limits.ts'

export interface Trace {
  readonly steps: TraceStep[]
  /** False when there is more than is shown, or nothing is known any more. */
  readonly complete: boolean
}

export type TraceStores = Pick<Storage, 'messages' | 'queue' | 'history'>

export async function traceOf(stores: TraceStores, message: MailboxMessage): Promise<Trace> {
  // Imported, or added by a program: it never was on the way here.
  if (message.messageId === 0) return { steps: [], complete: true }
  const record = await stores.messages.get(message.messageId)
  const page = { limit: TRACE_RECIPIENTS, byId: true, ascending: true }
  const jobs = await stores.queue.list({ messageId: message.messageId }, page)
  const retired = await stores.history.list({ messageId: message.messageId }, page)
  const sender = record?.account ?? jobs[0]?.account ?? retired[0]?.account ?? ''
  const own = sender === message.account ? undefined : message.rcptTo.toLowerCase()
  const mine = (recipient: string): boolean => own === undefined || recipient.toLowerCase() === own
  const steps: TraceStep[] = []
  if (record !== undefined && (sender === '' || own === undefined)) steps.push(...arrival(record, mine))
  for (const job of [...jobs, ...retired].sort((a, b) => a.id - b.id))
    if (mine(formatAddress(job.recipient))) steps.push(...journey(job))
  const most = jobs.length === TRACE_RECIPIENTS || retired.length === TRACE_RECIPIENTS
  const complete = !most && steps.length <= TRACE_STEPS && (record !== undefined || steps.length > 0)
  return { steps: steps.slice(0, TRACE_STEPS), complete }
}

function arrival(record: StoredMessage, mine: (recipient: string) => boolean): TraceStep[] {
  const { helo, remoteIp, protocol, kind, source } = record
  const from = helo === '' ? remoteIp : `${helo} (${remoteIp})`
  const text = kind === 'delivery' ? `from ${from} over ${protocol}` : `by ${source} over ${protocol}`
  const received = step({ at: record.receivedAt, stage: 'received', verdict: 'accepted', text })
  const hooks = record.trace.filter(({ recipient }) => recipient === undefined || mine(recipient))
  return [received, ...hooks.map(entry => hookStep(entry, entry.recipient ?? ''))]
}

function journey(job: Job | Retired): TraceStep[] {
  const recipient = formatAddress(job.recipient)
  const steps = job.results.flatMap(attempt => [
    ...(attempt.trace ?? []).map(entry => hookStep(entry, recipient)),
    attemptStep(attempt, recipient),
  ])
  if (!('status' in job)) {
    const verdict = job.hold ? 'hold' : 'waiting'
    const running = job.results.at(-1)?.outcome === 'running'
    return running ? steps : [...steps, step({ at: job.due, stage: 'queue', recipient, verdict, text: '' })]
  }
  const end = step({ at: job.lastActivity, stage: 'retired', recipient, verdict: job.status, text: '' })
  return [...steps, ...job.trace.map(entry => hookStep(entry, recipient)), end]
}

function attemptStep(attempt: Attempt, recipient: string): TraceStep {
  const reply = [attempt.code === 0 ? '' : String(attempt.code), attempt.enhanced, attempt.text]
  const where = attempt.remoteHost === undefined ? '' : `${attempt.remoteHost}: `
  return step({
    at: attempt.startedAt,
    stage: attempt.number === 0 ? 'decision' : `attempt ${attempt.number}`,
    recipient,
    plugin: attempt.transport ?? '',
    verdict: attempt.outcome,
    text: `${where}${reply.filter(text => text !== '').join(' ')}`,
    ms: attempt.endedAt === undefined ? null : attempt.endedAt - attempt.startedAt,
  })
}

function hookStep({ hook, plugin, verdict, reason = '', ms }: TraceEntry, recipient: string): TraceStep {
  return step({ at: null, stage: hook, recipient, plugin, verdict, text: reason, ms })
}

function step(known: Partial<TraceStep> & Pick<TraceStep, 'at' | 'stage' | 'verdict' | 'text'>): TraceStep {
  return { recipient: '', plugin: '', ms: null, ...known }
}
