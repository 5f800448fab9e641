// Who may be written to: the structural rules of MAIL and RCPT, before any policy. Delivery never relays; submission may
// send to anybody but to addresses of ours that nobody has.
import type { Clock, Directory, EnvelopeRecipient, Resolution, SessionInfo, SmtpReply } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import { MAX_RECIPIENTS, REPLIES, UNKNOWN_DELAY_MS } from './replies.ts'
import type { Transaction } from './transaction.ts'

/** Undefined when the reverse-path is allowed. */
export async function admitSender(
  deps: AdmitDeps,
  info: SessionInfo,
  reversePath: Path | null,
): Promise<SmtpReply | undefined> {
  if (info.kind === 'delivery') return undefined
  if (info.account === undefined) return REPLIES.needAuth
  return reversePath === null ? undefined : admitIdentity(deps, info.account, reversePath, REPLIES.notYourSender)
}

export interface AdmitDeps {
  readonly directory: Directory
  readonly system: { readonly hostname: string }
}

/** The account of mail that the server itself writes: DSNs, reports. No login leads to it. */
export const SYSTEM_ACCOUNT = ''

/** Whether an account may call itself by an address: as reverse-path, as author. */
export async function admitIdentity(
  { directory, system }: AdmitDeps,
  account: string,
  path: Path,
  refusal: SmtpReply,
): Promise<SmtpReply | undefined> {
  const domain = await directory.domain(path.domain)
  if (account === SYSTEM_ACCOUNT) {
    const ours = domain !== undefined || path.domain === system.hostname
    return ours && /^postmaster$/i.test(path.localpart) ? undefined : refusal
  }
  if (domain?.disabled) return REPLIES.senderDisabled
  return (await directory.maySendAs(account, path)) ? undefined : refusal
}

export type Admission =
  | { readonly ok: true; readonly recipient: EnvelopeRecipient; readonly resolution: Resolution }
  | { readonly ok: false; readonly reply: SmtpReply }

/** RFC 5321 §4.5.1: `<postmaster>` without a domain is the postmaster of this host. */
function withDomain(recipient: EnvelopeRecipient, hostname: string): EnvelopeRecipient {
  return recipient.path.domain === ''
    ? { ...recipient, path: { localpart: 'postmaster', domain: hostname } }
    : recipient
}

export async function admitRecipient(
  deps: AdmitDeps & { readonly clock: Clock },
  transaction: Transaction,
  given: EnvelopeRecipient,
): Promise<Admission> {
  const { accepted, info, reversePath } = transaction
  if (accepted.length >= MAX_RECIPIENTS) return { ok: false, reply: REPLIES.tooManyRecipients }
  const recipient = withDomain(given, deps.system.hostname)
  const delivery = info.kind === 'delivery'
  // A DSN goes to one address; more of them are backscatter.
  if (delivery && reversePath === null && accepted.length > 0) return { ok: false, reply: REPLIES.onlyOneForNull }
  const resolution = await deps.directory.resolve(recipient.path)
  const refusal = delivery ? refuseDelivery(resolution) : refuseSubmission(resolution)
  if (refusal === undefined && delivery && !transaction.replay) {
    const mixed = refuseMixed(transaction, resolution)
    if (mixed === REPLIES.unknown) await deps.clock.sleep(UNKNOWN_DELAY_MS, transaction.scope.signal)
    if (mixed !== undefined) return { ok: false, reply: mixed }
  }
  return refusal === undefined ? { ok: true, recipient, resolution } : { ok: false, reply: refusal }
}

/**
 * A message is never accepted for an address that nobody has: DATA has one reply for all recipients. So an unknown one is
 * refused beside others, as slowly as at the end of DATA, and a first one that is unknown stays alone.
 */
function refuseMixed({ accepted }: Transaction, resolution: Resolution): SmtpReply | undefined {
  const [first] = accepted
  if (first === undefined) return undefined
  if (first.resolution.kind === 'unknown') return REPLIES.oneAtATime
  return resolution.kind === 'unknown' ? REPLIES.unknown : undefined
}

/** A lone unknown localpart is accepted until the end of DATA, so that RCPT tells nobody who is here. */
function refuseDelivery(resolution: Resolution): SmtpReply | undefined {
  if (resolution.kind === 'remote') return REPLIES.noRelay
  if (resolution.kind === 'disabled') return REPLIES.domainDisabled
  if (resolution.kind !== 'account' || resolution.refuse === undefined) return undefined
  // RFC 5321 §3.8: 421 would announce that the session ends.
  return resolution.refuse.code === 421 ? { ...resolution.refuse, code: 451 } : resolution.refuse
}

function refuseSubmission(resolution: Resolution): SmtpReply | undefined {
  if (resolution.kind === 'unknown') return REPLIES.unknown
  return resolution.kind === 'disabled' ? REPLIES.domainDisabled : undefined
}
