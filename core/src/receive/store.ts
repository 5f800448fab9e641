// The one unit of work behind a 250: content, message, copies for local recipients, queue, facts, trace and outbox. It is
// committed when `store` resolves, or nothing of it ever happened.
import { MailError, reply, type StoredMessage } from '@mox/plugin-sdk'
import { decodeWords, formatAddress } from '@mox/plugin-sdk/mail'
import { outboxRows } from '../notify/outbox.ts'
import type { StageDeps } from '../stages.ts'
import type { Message } from './accept.ts'
import { enqueue, keepUnserved } from './enqueue.ts'
import { deliverLocally, planLocal } from './local.ts'
import { missingFields, receivedField, type TraceInput } from './prefix.ts'
import { combine, isPositive, REPLIES } from './replies.ts'
import { type MessageScope, TRACE_ENTRIES } from './scope.ts'
import { admitSubmission, senderLimits } from './sender-limits.ts'
import type { Acceptance } from './transaction.ts'

/** Characters of a subject kept with the message. */
export const SUBJECT_LENGTH = 998

/** Undoes the unit of work: nobody got a new copy. Not a failure. */
class NothingNew extends Error {
  readonly outcomes: Acceptance['outcomes']
  constructor(outcomes: Acceptance['outcomes']) {
    super('nothing new to store')
    this.outcomes = outcomes
  }
}

export async function store(deps: StageDeps, message: Message): Promise<Acceptance> {
  const { transaction, body, head } = message
  const { info, parameters, scope } = transaction
  const at = deps.clock.now()
  const trace: TraceInput = {
    ...{ info, at, id: deps.random.id() },
    smtputf8: parameters.smtputf8 ?? false,
    requireTls: parameters.requireTls ?? false,
  }
  const submission = info.kind === 'submission'
  const only = transaction.accepted.length === 1 ? transaction.accepted[0] : undefined
  const added = submission ? missingFields(head, at, `<${deps.random.id()}@${info.hostname}>`) : ''
  const fields = Buffer.from(receivedField(trace, only?.recipient.path) + added)
  const prefix = body.earlier === undefined ? fields : Buffer.concat([fields, body.earlier])
  const row = storedMessage(message, at, prefix, fields.length, added)
  const accepted = reply(250, '2.6.0', `accepted as ${trace.id}`)
  const plan = submission ? undefined : await planLocal(deps, message)
  const limits = submission ? await senderLimits(deps, row.account) : undefined
  try {
    const stored = await deps.storage.write(async () => {
      if (limits !== undefined) await admitSubmission(deps, limits, row)
      const contentId = await body.keep()
      const messageId = await deps.storage.messages.add({ ...row, contentId })
      let queued: Pick<Acceptance, 'queueIds' | 'fromIds'> = { queueIds: [], fromIds: [] }
      let copies: number[] = []
      let outcomes: Acceptance['outcomes']
      if (plan === undefined) {
        queued = await enqueue(deps, message, messageId)
        if (deps.hooks.has('onQueue')) await deps.storage.messages.update(messageId, kept(scope))
        outcomes = transaction.accepted.map(() => REPLIES.recipientOk)
      } else {
        const delivered = await deliverLocally(deps, message, plan, { trace, messageId, contentId, at })
        outcomes = delivered.outcomes
        copies = delivered.copies
        if (copies.length === 0) throw new NothingNew(outcomes)
        if (!transaction.replay) await keepUnserved(deps, message, messageId, outcomes)
        await body.filed?.(outcomes, accepted)
      }
      await outboxRows(deps, 'onReceive.done', scope.facts, {
        ...{ messageId, kind: info.kind, account: row.account, size: row.size, recipients: row.recipients },
        from: row.reversePath === null ? '' : formatAddress(row.reversePath),
        ...(submission ? {} : { copies }),
      })
      if (queued.queueIds.length > 0) deps.storage.notify('queue')
      deps.storage.notify('messages')
      return { messageId, ...queued, outcomes }
    })
    deps.log.info(
      {
        session: info.id,
        messageId: stored.messageId,
        id: trace.id,
        size: row.size,
        recipients: row.recipients.length,
      },
      'message accepted',
    )
    return { ...stored, reply: accepted }
  } catch (error) {
    if (!(error instanceof NothingNew)) throw error
    const { outcomes } = error
    const done = outcomes.some(isPositive)
    return {
      ...{ outcomes, messageId: 0, queueIds: [], fromIds: [] },
      reply: done ? reply(250, '2.6.0', 'accepted before') : combine(outcomes),
    }
  }
}

function storedMessage(
  { transaction, body, head }: Message,
  receivedAt: number,
  prefix: Buffer,
  newBytes: number,
  added: string,
): Omit<StoredMessage, 'id' | 'contentId'> {
  const { info, parameters, reversePath, scope, accepted } = transaction
  const { ret, envid, futureReleaseRequest } = parameters
  const { ingress } = body
  return {
    receivedAt,
    account: info.kind === 'submission' ? accountOf(info.account) : '',
    reversePath,
    messageIdHeader: head.get('message-id') ?? /^Message-ID:\s+(.*)\r\n/m.exec(added)?.[1] ?? '',
    subject: decodeWords((head.get('subject') ?? '').slice(0, SUBJECT_LENGTH)),
    size: newBytes + ingress.size,
    has8bit: ingress.has8bit,
    smtputf8: ingress.headHas8bit || hasUtf8Address(transaction.envelope()),
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    ...(futureReleaseRequest === undefined ? {} : { futureReleaseRequest }),
    kind: info.kind,
    source: info.listener,
    prefix,
    remoteIp: info.remoteIp,
    helo: info.helo,
    protocol: info.protocol,
    recipients: accepted.map(({ recipient }) => formatAddress(recipient.path)),
    ...kept(scope),
  }
}

/** What handlers left for later hooks and for whoever asks why. */
function kept({ facts, trace }: MessageScope): Pick<StoredMessage, 'facts' | 'trace'> {
  return { facts: facts.persisted(), trace: trace.slice(0, TRACE_ENTRIES) }
}

function accountOf(account: string | undefined): string {
  if (account === undefined) throw new MailError('receive', REPLIES.needAuth)
  return account
}

/** RFC 6531 §3.4: whether the addresses need SMTPUTF8, whatever the client said. Domains are A-labels already. */
function hasUtf8Address(envelope: ReturnType<Message['transaction']['envelope']>): boolean {
  const paths = [envelope.reversePath, ...envelope.recipients.map(({ path }) => path)]
  return paths.some(path => path !== null && /[^\x00-\x7f]/.test(path.localpart))
}
