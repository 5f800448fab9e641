// How much an account may send: recipients a day, recipients a day that it never wrote to before, and what it may have in
// the queue. Counted in the unit of work that stores the message, for every way of sending; an account without limits is
// neither counted nor looked up.
import { type AccountInfo, MailError, reply, type SmtpReply, type StoredMessage } from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'

/** Milliseconds of a day that slides. */
export const SENT_WINDOW_MS: number = 24 * 3_600_000
/** Recipients looked at when only their bytes are limited. */
const ALL = 2 ** 31 - 1

export type SenderLimits = Pick<
  AccountInfo,
  'maxOutgoingPerDay' | 'maxFirstTimeRecipientsPerDay' | 'maxQueued' | 'maxQueuedBytes'
>

/** Undefined for an account without limits. */
export async function senderLimits(deps: StageDeps, account: string): Promise<SenderLimits | undefined> {
  const found = await deps.directory.account(account)
  if (found === undefined) return undefined
  const { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, maxQueuedBytes } = found
  const limits = { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, maxQueuedBytes }
  return Object.values(limits).some(limit => limit > 0) ? limits : undefined
}

type Submitted = Pick<StoredMessage, 'account' | 'receivedAt' | 'recipients' | 'size'>

/** Inside the unit of work, which a refusal undoes. Throws a MailError that names the limit. */
export async function admitSubmission(deps: StageDeps, limits: SenderLimits, message: Submitted): Promise<void> {
  await checkQueued(deps, limits, message)
  if (limits.maxOutgoingPerDay > 0 || limits.maxFirstTimeRecipientsPerDay > 0) await countSent(deps, limits, message)
}

async function checkQueued(
  deps: StageDeps,
  { maxQueued, maxQueuedBytes }: SenderLimits,
  { account, recipients, size }: Submitted,
): Promise<void> {
  if (maxQueued === 0 && maxQueuedBytes === 0) return
  const queued = await deps.storage.queue.usage(account, maxQueued > 0 ? maxQueued : ALL)
  if (maxQueued > 0 && queued.count + recipients.length > maxQueued)
    refuse(452, '4.3.1', `at most ${maxQueued} recipients of this account may be queued: try again later`)
  if (maxQueuedBytes > 0 && queued.bytes + recipients.length * size > maxQueuedBytes)
    refuse(452, '4.3.1', `at most ${maxQueuedBytes} bytes of this account may be queued: try again later`)
}

/** One look at the day; a second one, at first-time recipients, only when these may be too many. */
async function countSent(
  { storage: { sent } }: StageDeps,
  { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay: maxFirstTime }: SenderLimits,
  { account, receivedAt, recipients }: Submitted,
): Promise<void> {
  const since = receivedAt - SENT_WINDOW_MS
  const total = (await sent.count(account, since)) + recipients.length
  if (maxOutgoingPerDay > 0 && total > maxOutgoingPerDay)
    refuse(451, '4.7.1', `limit of ${maxOutgoingPerDay} recipients a day is reached: try again later`)
  await sent.add(account, receivedAt, recipients.length)
  if (maxFirstTime === 0) return
  await sent.meet(account, receivedAt, recipients)
  if (total >= maxFirstTime && (await sent.met(account, since)) > maxFirstTime)
    refuse(451, '4.7.1', `limit of ${maxFirstTime} first-time recipients a day is reached: try again later`)
}

function refuse(...parts: [code: SmtpReply['code'], enhanced: string, text: string]): never {
  throw new MailError('limits', reply(...parts))
}
