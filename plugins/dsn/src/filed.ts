// Mail from outside that is filed at once never is in the queue: a sender who asked for NOTIFY=SUCCESS is told after it was filed.
import {
  type Clock,
  type Directory,
  defineFact,
  type FactToken,
  type Mailboxes,
  type ReceiveData,
  type ReceiveDone,
  type Storage,
} from '@mox/plugin-sdk'
import { formatAddress, parseAddress } from '@mox/plugin-sdk/mail'
import type { ReportedRecipient } from './model.ts'
import type { Options } from './options.ts'
import type { Pending } from './pending.ts'
import { mayTell, successAction } from './wanted.ts'

export interface SuccessWanted {
  /** "local@domain" */
  readonly address: string
  readonly orcpt?: string
}

/** Recipients whose sender wants to know that the message arrived. */
export const successWanted: FactToken<readonly SuccessWanted[]> = defineFact('dsn-success', { persist: true })

/** Recipients remembered of one message: a fact has at most 64 KiB. */
export const REMEMBERED = 50
/** A session of the queue with ourselves has no port; what became of its recipients is told when they leave the queue. */
const NO_PORT = 0

/** onReceive.data. Empty for nearly every message. */
export function wantsSuccess({ session, envelope }: Pick<ReceiveData, 'session' | 'envelope'>): SuccessWanted[] {
  if (session.kind !== 'delivery' || session.remotePort === NO_PORT || envelope.reversePath === null) return []
  return envelope.recipients
    .filter(({ notify }) => notify?.includes('success') === true)
    .slice(0, REMEMBERED)
    .map(({ path, orcpt }) => ({ address: formatAddress(path), ...(orcpt === undefined ? {} : { orcpt }) }))
}

export interface FiledDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly mailboxes: Mailboxes
  readonly clock: Clock
  readonly pending: Pending
  readonly options: Options
}

/** onReceive.done: those of them that have a copy. */
export async function recordFiled(
  { storage, directory, mailboxes, clock, pending, options }: FiledDeps,
  { messageId }: Pick<ReceiveDone, 'messageId'>,
  wanted: readonly SuccessWanted[],
): Promise<void> {
  const message = await storage.messages.get(messageId)
  if (message === undefined || !mayTell(message, ['success'], options)) return
  const filed = new Set((await mailboxes.copies(messageId)).map(({ rcptTo }) => rcptTo))
  for (const { address, orcpt } of wanted) {
    const parsed = parseAddress(address)
    if (!parsed.ok || !filed.has(address)) continue
    const alias = (await directory.resolve(parsed.path)).kind === 'alias'
    const recipient: ReportedRecipient = {
      ...{ queueId: 0, recipient: parsed.path, action: successAction(undefined, alias), attempts: 0 },
      ...(orcpt === undefined ? {} : { orcpt }),
    }
    await storage.write(() => pending.add('success', `m${messageId}/${address}`, message, recipient, clock.now()))
  }
}
