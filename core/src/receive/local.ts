// Copies for our own users: aliases expand to their members, and every copy has its own Delivered-To, Return-Path and
// Received. A recipient is served when one of its copies is filed.
import type { AccountResolution, Resolution, SmtpReply } from '@mox/plugin-sdk'
import { type Path, parseHeader } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import type { Message } from './accept.ts'
import { deliveryFields, receivedField, type TraceInput } from './prefix.ts'
import { REPLIES } from './replies.ts'
import type { Accepted } from './transaction.ts'

/** One accepted recipient: whose copies to make, or why there are none. */
type Plan = { readonly members: readonly AccountResolution[] } | { readonly refused: SmtpReply }

/** A mailbox owner among explicit recipients and alias members: addresses without their separator suffix. */
const identity = (member: AccountResolution) => `${member.account}\n${member.address}`

/** Reads only: who gets a copy. */
export async function planLocal(deps: StageDeps, { transaction, author }: Message): Promise<readonly Plan[]> {
  const resolutions = transaction.accepted.map(({ resolution }) => resolution)
  // Explicit recipients and members of earlier aliases: nobody gets a second copy through an alias.
  const served = new Set(resolutions.filter(r => r.kind === 'account').map(identity))
  const needAuthor = resolutions.some(r => r.kind === 'alias')
  const sender = needAuthor && author !== null ? await deps.directory.resolve(author) : undefined
  return resolutions.map(resolution => {
    if (resolution.kind === 'account') return { members: [resolution] }
    if (resolution.kind !== 'alias') return { refused: REPLIES.unknown }
    if (!mayPost(resolution, sender)) return { refused: REPLIES.notAllowedToPost }
    const sending = sender?.kind === 'account' ? identity(sender) : undefined
    const members = resolution.members.filter(member => {
      if (identity(member) === sending || served.has(identity(member))) return false
      served.add(identity(member))
      return true
    })
    return { members }
  })
}

type Alias = Extract<Resolution, { kind: 'alias' }>

/** Anybody where the alias is public; else its members, and whoever writes as the alias where that is allowed. */
function mayPost(alias: Alias, sender: Resolution | undefined): boolean {
  if (alias.postPublic) return true
  if (sender?.kind === 'alias') return alias.allowMsgFrom && sender.address === alias.address
  return sender?.kind === 'account' && alias.members.some(member => identity(member) === identity(sender))
}

interface Stored {
  readonly trace: TraceInput
  readonly messageId: number
  readonly contentId: number
  readonly at: number
}

/** Inside the unit of work. `copies`: ids of those that were not there before. */
export async function deliverLocally(
  deps: StageDeps,
  message: Message,
  plans: readonly Plan[],
  stored: Stored,
): Promise<{ outcomes: SmtpReply[]; copies: number[] }> {
  const outcomes: SmtpReply[] = []
  const copies: number[] = []
  for (const [index, plan] of plans.entries()) {
    const accepted = message.transaction.accepted[index]
    if (accepted === undefined) continue
    if ('refused' in plan) {
      outcomes.push(plan.refused)
      continue
    }
    let firstRefusal: SmtpReply | undefined
    let filed = plan.members.length === 0
    for (const member of plan.members) {
      const outcome = await deliverCopy(deps, message, accepted, member, index, stored)
      if (outcome.ok) {
        filed = true
        if (!outcome.duplicate) copies.push(outcome.id)
      } else firstRefusal ??= outcome.reply
    }
    outcomes.push(filed ? REPLIES.recipientOk : (firstRefusal ?? REPLIES.unknown))
  }
  return { outcomes, copies }
}

async function deliverCopy(
  deps: StageDeps,
  message: Message,
  { recipient: { path }, resolution, job }: Accepted,
  member: AccountResolution,
  index: number,
  stored: Stored,
) {
  const { transaction, body, filing } = message
  const { info, reversePath } = transaction
  if (deps.mailboxes === undefined) return { ok: false as const, reply: REPLIES.noMailboxes }
  const fields = copyPrefix(stored.trace, path, reversePath)
  const own = job === undefined ? `m${stored.messageId}.${index}` : `q${job.id}`
  return deps.mailboxes.deliver({
    account: member.account,
    mailbox: member.mailbox,
    key: resolution.kind === 'alias' ? `${own}/${member.address}` : own,
    messageId: job?.messageId ?? stored.messageId,
    contentId: stored.contentId,
    prefix: body.earlier === undefined ? fields : Buffer.concat([fields, body.earlier]),
    size: fields.length + body.ingress.size,
    head: parseHeader(Buffer.concat([fields, body.ingress.headBytes])),
    receivedAt: stored.at,
    reversePath,
    recipient: path,
    remoteIp: info.remoteIp,
    helo: info.helo,
    ...(info.tls === undefined ? {} : { tls: info.tls }),
    keywords: filing.keywords,
    junk: filing.junk,
  })
}

/** The first line of the copy is Delivered-To: nothing a sender wrote can stand above it. */
function copyPrefix(trace: TraceInput, recipient: Path, reversePath: Path | null): Buffer {
  return Buffer.from(deliveryFields(recipient, reversePath) + receivedField(trace, recipient))
}
