// One call of a transport, bounded: it has a deadline, and its answers are checked, so that each recipient gets exactly
// one result whatever the transport does.
import { type DeliveryBatch, type DeliveryResult, type Log, MailError, type Transport } from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'

/** Milliseconds for one attempt; an SMTP session has 30 minutes of its own. */
export const ATTEMPT_DEADLINE_MS = 35 * 60_000
/** Milliseconds between the abort and giving up on the transport. */
export const ABORT_GRACE_MS = 30_000
/** Characters kept of a reply or an error. */
export const TEXT_LENGTH = 2_000

/** Why no recipient of a batch was tried. */
export interface Failure {
  readonly enhanced: string
  readonly text: string
}

/** Why an attempt was ended by us: its time was over, or the server stops. */
export type Cut = 'timeout' | 'canceled'

/** What became of each job, by queue id. */
export interface Ran {
  readonly results: ReadonlyMap<number, DeliveryResult>
  readonly cut: Cut | undefined
}

/** One result for each job. Never throws. `failure` is what happens without a transport. */
export async function runTransport(
  deps: StageDeps,
  transport: Transport | undefined,
  batch: DeliveryBatch,
  stop: AbortSignal,
  failure: Failure,
): Promise<Ran> {
  let cut: Cut | undefined
  const onCut = (why: Cut) => {
    cut = why
  }
  const outcome = transport === undefined ? failure : await call(deps, transport, batch, stop, onCut)
  const answers = new Map<number, DeliveryResult>()
  for (const result of Array.isArray(outcome) ? outcome : []) {
    if (!answers.has(result.id)) answers.set(result.id, { ...result, text: result.text.slice(0, TEXT_LENGTH) })
  }
  const missing = Array.isArray(outcome)
    ? { enhanced: '4.3.0', text: `transport "${transport?.name}" gave no result for this recipient` }
    : outcome
  const results = batch.jobs.map(
    ({ id }) => [id, answers.get(id) ?? { id, outcome: 'temporary', code: 0, ...missing }] as const,
  )
  return { results: new Map(results), cut }
}

async function call(
  deps: StageDeps,
  transport: Transport,
  batch: DeliveryBatch,
  stop: AbortSignal,
  onCut: (why: Cut) => void,
): Promise<DeliveryResult[] | Failure> {
  const abort = new AbortController()
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<Failure>()
  const timers: (() => void)[] = []
  const end = (why: Cut, text: string) => {
    if (abort.signal.aborted) return
    onCut(why)
    abort.abort(new Error(text))
    timers.push(deps.clock.after(ABORT_GRACE_MS, () => abandon({ enhanced: '4.4.7', text })))
  }
  const stopped = () => end('canceled', 'interrupted: the server is stopping')
  stop.addEventListener('abort', stopped)
  if (stop.aborted) stopped()
  timers.push(deps.clock.after(ATTEMPT_DEADLINE_MS, () => end('timeout', 'delivery attempt took too long')))
  const about = { transport: transport.name, messageId: batch.message.messageId }
  let child: Log | undefined
  const context = {
    signal: abort.signal,
    // Made when it is asked for: that costs more than many transports' other work.
    get log(): Log {
      child ??= deps.log.child(about)
      return child
    },
  }
  try {
    return await Promise.race([deliver(transport, batch, context), abandoned])
  } catch (error) {
    context.log.error({ err: error, queueIds: batch.jobs.map(({ id }) => id) }, 'transport failed')
    if (error instanceof MailError) return { enhanced: error.reply.enhanced ?? '4.3.0', text: error.reply.text }
    return { enhanced: '4.3.0', text: `transport "${transport.name}" failed` }
  } finally {
    stop.removeEventListener('abort', stopped)
    for (const cancel of timers) cancel()
  }
}

/** A transport that throws before it returns its promise fails like any other; an answer that is no list is a failure. */
async function deliver(...[transport, batch, context]: [Transport, ...Parameters<Transport['deliver']>]) {
  const results: unknown = await transport.deliver(batch, context)
  if (!Array.isArray(results)) throw new TypeError('transport gave no list of results')
  return results as DeliveryResult[]
}
