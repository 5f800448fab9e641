// What a DSN says about a message and its recipients, as it is kept until the DSN is written: plain data that survives JSON,
// and all there is, since queue, history and message may be gone by then.
import type { Attempt, DsnAction, FinalStatus, MessageInfo, StoredMessage } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'

/**
 * One DSN is of one kind:
 * - `failed`: recipients that left the queue without delivery.
 * - `delayed`: recipients that are still tried.
 * - `success`: recipients that were delivered, relayed or expanded, for senders who asked (RFC 3461 §4.1).
 */
export type DsnKind = 'failed' | 'delayed' | 'success'

export interface ReportedMessage extends MessageInfo {
  readonly kind: StoredMessage['kind']
  /** Who handed it to us, for mail from outside. */
  readonly helo: string
  readonly remoteIp: string
}

export interface ReportedRecipient {
  /** 0 when it never was in the queue. */
  readonly queueId: number
  readonly recipient: Path
  readonly orcpt?: string
  readonly requireTls?: boolean
  readonly action: DsnAction
  /** Absent while it is in the queue. */
  readonly status?: FinalStatus
  /** The last attempt or decision, without its trace. */
  readonly attempt?: Attempt
  readonly attempts: number
  /** Start of the first attempt, milliseconds since the epoch. */
  readonly firstAttempt?: number
  /** When it is tried again, milliseconds since the epoch. */
  readonly retryAt?: readonly number[]
}

export function reportedMessage(message: StoredMessage): ReportedMessage {
  const { id: messageId, receivedAt, account, reversePath, messageIdHeader, subject, size, has8bit, smtputf8 } = message
  const { ret, envid, futureReleaseRequest, kind, helo, remoteIp } = message
  return {
    ...{ messageId, receivedAt, account, reversePath, messageIdHeader, subject, size, has8bit, smtputf8 },
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    ...(futureReleaseRequest === undefined ? {} : { futureReleaseRequest }),
    ...{ kind, helo, remoteIp },
  }
}
