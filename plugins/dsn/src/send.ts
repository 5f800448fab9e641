// Writes one DSN and brings it to the sender: into a mailbox here, in one unit of work with the note that it is done, or into the
// queue for another server. Throws when it could not be done now.
import { createHash } from 'node:crypto'
import type {
  Clock,
  Directory,
  DsnComposeInput,
  DsnDraft,
  HookRunner,
  LocalDelivery,
  Log,
  Mailboxes,
  Metrics,
  Random,
  StagedContent,
  Storage,
  Submission,
  System,
  TraceEntry,
} from '@mox/plugin-sdk'
import {
  formatAddress,
  formatField,
  formatReturnPath,
  HEADER_BYTES,
  type Path,
  parseHeader,
} from '@mox/plugin-sdk/mail'
import { composeDsn, needsUtf8 } from './compose/message.ts'
import { RETURN_BYTES, returnedPart } from './compose/returned.ts'
import { draftFor } from './compose/text.ts'
import type { Pending, PendingDsn } from './pending.ts'
import { recordSent } from './sent.ts'

/** Failures of onDSN.compose after which our own text is sent as it is. */
export const COMPOSE_TRIES = 3
/** Recipients whose history keeps the trace of onDSN.compose. */
const TRACED = 100
const LOOPBACK = '127.0.0.1'

export interface SendDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly mailboxes: Mailboxes
  readonly submission: Submission
  readonly hooks: HookRunner
  readonly clock: Clock
  readonly random: Random
  readonly system: System
  readonly log: Log
  readonly metrics: Metrics
  readonly pending: Pending
}

/** Where a DSN goes: to an account here, to another server, or nowhere. */
type Target =
  | { readonly kind: 'local'; readonly account: string; readonly mailbox: string }
  | { readonly kind: 'remote' }
  | { readonly kind: 'nobody'; readonly reason: string }

interface Composed {
  readonly draft: DsnDraft
  readonly withheld?: string
  readonly trace: readonly TraceEntry[]
}

export async function sendDsn(deps: SendDeps, dsn: PendingDsn, signal: AbortSignal): Promise<void> {
  const { storage, log } = deps
  const to = dsn.message.reversePath
  const target: Target = to === null ? { kind: 'nobody', reason: 'null reverse-path' } : await targetOf(deps, dsn, to)
  const fields = { messageId: dsn.messageId, kind: dsn.kind, recipients: dsn.recipients.length, target: target.kind }
  if (to === null || target.kind === 'nobody') {
    const reason = target.kind === 'nobody' ? target.reason : ''
    await storage.write(() => finish(deps, dsn, [], `nobody was told, since ${reason}`))
    log.info({ ...fields, reason }, 'no DSN')
    return
  }
  const composed = await compose(deps, dsn, target, signal)
  signal.throwIfAborted()
  if (composed.withheld !== undefined) {
    await storage.write(() => finish(deps, dsn, composed.trace, `a plugin kept the DSN back: ${composed.withheld}`))
    log.info({ ...fields, reason: composed.withheld }, 'DSN withheld')
    count(deps, dsn, 'withheld')
    return
  }
  if (target.kind === 'local') await fileDsn(deps, dsn, composed, to, target)
  else await queueDsn(deps, dsn, composed, to)
  log.info(fields, 'DSN sent')
  count(deps, dsn, target.kind)
}

/** The account that sent the message gets it, whoever has its address now; mail from outside goes back to where it came from. */
async function targetOf(deps: SendDeps, { message, sender }: PendingDsn, to: Path): Promise<Target> {
  const found = await deps.directory.resolve(to)
  if (message.account !== '') {
    const mailbox = found.kind === 'account' && found.account === message.account ? found.mailbox : 'Inbox'
    return { kind: 'local', account: message.account, mailbox }
  }
  if (found.kind === 'account') return { kind: 'local', account: found.account, mailbox: found.mailbox }
  if (found.kind === 'remote') return { kind: 'remote' }
  return { kind: 'nobody', reason: `nobody here is ${sender}` }
}

async function compose(deps: SendDeps, dsn: PendingDsn, target: Target, signal: AbortSignal): Promise<Composed> {
  const recipients = dsn.recipients.map(({ recipient }) => recipient)
  const draft = draftFor(dsn.kind, dsn.message, recipients)
  if (!deps.hooks.has('onDSN.compose')) return { draft, trace: [] }
  const input: DsnComposeInput = {
    draft,
    action: recipients[0]?.action ?? 'failed',
    messageId: dsn.messageId,
    account: target.kind === 'local' ? target.account : '',
    recipients: recipients.map(({ queueId, recipient, action, attempt }) => ({
      ...{ queueId, address: formatAddress(recipient), action },
      ...(attempt === undefined ? {} : { attempt }),
    })),
  }
  const facts = (await deps.storage.messages.get(dsn.messageId))?.facts ?? {}
  try {
    const { draft: shaped, verdict, trace } = await deps.hooks.shape('onDSN.compose', input, { signal, facts })
    return { draft: shaped, trace, ...(verdict.kind === 'withhold' ? { withheld: verdict.reason } : {}) }
  } catch (error) {
    if (signal.aborted || dsn.tries < COMPOSE_TRIES - 1) throw error
    deps.log.warn({ err: error, messageId: dsn.messageId }, 'DSN is sent with the plain text: a handler keeps failing')
    return { draft, trace: [] }
  }
}

interface Written {
  readonly bytes: Buffer
  readonly utf8: boolean
}

async function write(
  deps: SendDeps,
  dsn: PendingDsn,
  { draft }: Composed,
  to: Path,
  options: { readonly local: boolean; readonly messageId: string },
): Promise<Written> {
  const { message, prefix, contentId } = dsn
  const { local, messageId } = options
  const recipients = dsn.recipients.map(({ recipient }) => recipient)
  const full = local && returnsAll(dsn)
  const content = await deps.storage.content.read(contentId, full ? RETURN_BYTES : HEADER_BYTES)
  const utf8 = needsUtf8(message, to, local)
  const bytes = composeDsn({
    ...{ hostname: deps.system.hostname, now: deps.clock.now(), messageId, boundary: `dsn-${deps.random.id()}` },
    ...{ to, message, recipients, draft, utf8 },
    returned: returnedPart({ prefix, content, full, utf8, eightBit: local }),
  })
  return { bytes, utf8 }
}

/** RFC 3461 §4.3: RET=FULL is about failures. RFC 8689 §5: of a message under REQUIRETLS nothing but its header section. */
export function returnsAll({
  kind,
  message,
  recipients,
}: Pick<PendingDsn, 'kind' | 'message' | 'recipients'>): boolean {
  if (kind !== 'failed' || message.ret !== 'FULL' || message.size > RETURN_BYTES) return false
  return recipients.every(({ recipient }) => recipient.requireTls !== true)
}

/** One unit of work: the DSN is in the mailbox and the rows are gone, or neither. */
async function fileDsn(
  deps: SendDeps,
  dsn: PendingDsn,
  composed: Composed,
  to: Path,
  { account, mailbox }: { readonly account: string; readonly mailbox: string },
): Promise<void> {
  const { storage, log } = deps
  const messageId = `${deps.random.id()}@${deps.system.hostname}`
  const { bytes } = await write(deps, dsn, composed, to, { local: true, messageId })
  const writer = storage.content.writer()
  try {
    await writer.write(bytes)
    const staged = await writer.finish(createHash('sha256').update(bytes).digest())
    await storage.write(async () => {
      const contentId = await storage.content.keep(staged)
      const delivery = localDelivery(deps, dsn, to, bytes, staged, contentId)
      const outcome = await deps.mailboxes.deliver({ ...delivery, account, mailbox })
      if (!outcome.ok) {
        log.warn({ account, reply: outcome.reply }, 'DSN goes to postmaster: the sender cannot take it')
        await fileForPostmaster(deps, delivery, outcome.reply.text)
      }
      const place = outcome.ok ? `to account ${account}` : `to postmaster, since account ${account} could not take it`
      await finish(deps, dsn, composed.trace, `DSN <${messageId}> ${place}`)
      await storage.content.release(contentId)
      storage.notify('messages')
    })
  } finally {
    await writer.abort()
  }
}

function localDelivery(
  deps: SendDeps,
  dsn: PendingDsn,
  to: Path,
  bytes: Buffer,
  { size }: StagedContent,
  contentId: number,
): Omit<LocalDelivery, 'account' | 'mailbox'> {
  const prefix = Buffer.from(formatField('Delivered-To', formatAddress(to)) + formatReturnPath(null))
  return {
    ...{
      key: `dsn/${dsn.kind}/${dsn.recipients[0]?.key}`,
      messageId: 0,
      contentId,
      prefix,
      size: prefix.length + size,
    },
    head: parseHeader(Buffer.concat([prefix, bytes.subarray(0, HEADER_BYTES)])),
    ...{
      receivedAt: deps.clock.now(),
      reversePath: null,
      recipient: to,
      remoteIp: LOOPBACK,
      helo: deps.system.hostname,
    },
    ...{ keywords: [], junk: false },
  }
}

async function fileForPostmaster(
  deps: SendDeps,
  delivery: Omit<LocalDelivery, 'account' | 'mailbox'>,
  why: string,
): Promise<void> {
  const found = await deps.directory.resolve({ localpart: 'postmaster', domain: deps.system.hostname })
  if (found.kind !== 'account') throw new Error(`a DSN has no place: ${why}; and nobody is postmaster here`)
  const { account, mailbox } = found
  const outcome = await deps.mailboxes.deliver({ ...delivery, account, mailbox })
  if (!outcome.ok) throw new Error(`a DSN has no place: ${why}; and for postmaster: ${outcome.reply.text}`)
}

/**
 * The queue asks receive hooks, which may wait for the network: that does not belong into a unit of work with the rows. So the
 * Message-ID is chosen and stored first, and after a crash the queue is asked whether it has it.
 */
async function queueDsn(deps: SendDeps, dsn: PendingDsn, composed: Composed, to: Path): Promise<void> {
  const { storage, pending, submission } = deps
  const messageId = dsn.reportId ?? `${deps.random.id()}@${deps.system.hostname}`
  if (dsn.reportId === undefined) await storage.write(() => pending.update(dsn, { report_id: messageId }))
  if (dsn.reportId === undefined || !(await isQueued(storage, messageId))) {
    const { bytes, utf8 } = await write(deps, dsn, composed, to, { local: false, messageId })
    const requireTls = dsn.recipients.some(({ recipient }) => recipient.requireTls === true)
    await submission.submit({
      ...{ account: '', source: 'dsn', content: bytes },
      // RFC 3461 §5.2: a DSN never causes one.
      envelope: { reversePath: null, recipients: [{ path: to, notify: [] }], smtputf8: utf8, requireTls },
    })
  }
  await storage.write(() => finish(deps, dsn, composed.trace, `DSN <${messageId}> queued for ${formatAddress(to)}`))
}

async function isQueued(storage: Storage, messageId: string): Promise<boolean> {
  const filter = { account: '', messageIdHeader: `<${messageId}>` }
  const page = { limit: 1 }
  return (await storage.queue.list(filter, page)).length + (await storage.history.list(filter, page)).length > 0
}

/** `how` is what became of it, for the story of the message. */
export async function finish(
  { pending, storage, clock }: Pick<SendDeps, 'pending' | 'storage' | 'clock'>,
  dsn: PendingDsn,
  trace: readonly TraceEntry[],
  how: string,
): Promise<void> {
  await pending.finish(dsn)
  await recordSent(storage, dsn, clock.now(), how)
  await pending.addTrace(dsn, trace, TRACED)
}

/** Declared in setup too, so that the reference has it. */
export function sentCounter(metrics: Metrics): ReturnType<Metrics['counter']> {
  return metrics.counter('mox_dsn_sent_total', 'Delivery status notifications by kind and where they went.')
}

function count({ metrics }: SendDeps, { kind }: PendingDsn, target: string): void {
  sentCounter(metrics).inc({ kind, target })
}
