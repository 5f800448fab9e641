// Into the queue, inside the unit of work that stores the message: onQueue for each recipient, then the rows. A refusal
// undoes the whole submission. Also keeps recipients of ours that could not be served when others could.
import { type Attempt, MailError, type NewJob, type QueueDraft, type SmtpReply } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { backoff } from '../queue/schedule.ts'
import { retireInUnit } from '../retire/retire.ts'
import type { StageDeps } from '../stages.ts'
import type { Message } from './accept.ts'
import { isPositive } from './replies.ts'
import { forRecipient } from './scope.ts'
import type { Acceptance, Accepted } from './transaction.ts'

type Queued = Pick<Acceptance, 'queueIds' | 'fromIds'>

export async function enqueue(deps: StageDeps, message: Message, messageId: number): Promise<Queued> {
  const jobs: NewJob[] = []
  for (const accepted of message.transaction.accepted) {
    const given = draftOf(deps, message, accepted)
    const { draft, hold } = await shape(deps, message, given, messageId)
    const { orcpt } = accepted.recipient
    jobs.push({ ...newJob(draft, hold), ...(orcpt === undefined ? {} : { orcpt }) })
  }
  return { queueIds: await deps.storage.queue.add(messageId, jobs), fromIds: jobs.map(({ fromId = '' }) => fromId) }
}

function draftOf(deps: StageDeps, { transaction, head }: Message, { recipient }: Accepted): QueueDraft {
  const { info, parameters, reversePath } = transaction
  const { extra = {}, stream, requireTls: wanted } = info.submitted ?? {}
  const optional = wanted === false || tlsOptional(head.all('tls-required'))
  const requireTls = parameters.requireTls === true ? true : optional ? false : undefined
  return {
    account: info.account ?? '',
    ...(info.loginAddress === undefined ? {} : { loginAddress: info.loginAddress }),
    reversePath,
    recipient: recipient.path,
    due: Math.max(deps.clock.now(), parameters.holdUntil ?? 0),
    maxAttempts: 0,
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(recipient.notify === undefined ? {} : { notify: recipient.notify }),
    ...(stream === undefined ? {} : { stream }),
    extra,
  }
}

/** RFC 8689 §5: "TLS-Required: No", and nothing else said about it. */
function tlsOptional(fields: readonly { readonly value: string }[]): boolean {
  return fields.length > 0 && fields.every(({ value }) => value.toLowerCase() === 'no')
}

async function shape(
  deps: StageDeps,
  { transaction: { scope }, head }: Message,
  given: QueueDraft,
  messageId: number,
): Promise<{ draft: QueueDraft; hold: boolean }> {
  if (!deps.hooks.has('onQueue')) return { draft: given, hold: false }
  const about = forRecipient(scope, formatAddress(given.recipient))
  const { draft, verdict } = await deps.hooks.shape('onQueue', { draft: given, head, messageId }, about)
  if (verdict.kind === 'refuse') throw new MailError('onQueue', verdict.reply)
  return { draft, hold: verdict.kind === 'hold' }
}

function newJob(draft: QueueDraft, hold: boolean): NewJob {
  const { account: _, loginAddress: __, ...fields } = draft
  return { ...fields, recipientDomain: draft.recipient.domain, hold }
}

/**
 * Recipients of ours that could not be served while others were: the peer got a 250, so the message is ours. Who may be
 * served later waits in the queue; the others go to the history as failed, where onRetire.done can tell the sender.
 */
export async function keepUnserved(
  deps: StageDeps,
  message: Message,
  messageId: number,
  outcomes: readonly SmtpReply[],
): Promise<void> {
  const { queue } = deps.storage
  for (const [index, outcome] of outcomes.entries()) {
    const accepted = message.transaction.accepted[index]
    if (accepted === undefined || isPositive(outcome)) continue
    const draft = draftOf(deps, message, accepted)
    if (outcome.code < 500) {
      await queueUnserved(deps, messageId, draft, outcome)
      continue
    }
    const [id] = await queue.add(messageId, [newJob(draft, true)])
    const job = id === undefined ? undefined : await queue.get(id)
    if (job === undefined) throw new Error('refused recipient could not be recorded')
    await retireInUnit(
      deps,
      [{ job, status: 'failed', results: [refusedAttempt(deps, outcome)] }],
      message.transaction.scope.facts,
    )
  }
}

async function queueUnserved(deps: StageDeps, messageId: number, draft: QueueDraft, outcome: SmtpReply): Promise<void> {
  const { storage, clock, config, random } = deps
  const due = clock.now() + backoff(config.retrySchedule, 1, random.number())
  const [id = 0] = await storage.queue.add(messageId, [newJob({ ...draft, due }, false)])
  await storage.queue.note(id, { ...refusedAttempt(deps, outcome), number: 0 }, { due })
  storage.notify('queue')
}

function refusedAttempt(deps: StageDeps, { code, enhanced = '', text }: SmtpReply): Attempt {
  const at = deps.clock.now()
  return {
    ...{ number: 1, startedAt: at, endedAt: at, code, enhanced, text, transport: 'local' },
    outcome: code < 500 ? 'temporary' : 'permanent',
  }
}
