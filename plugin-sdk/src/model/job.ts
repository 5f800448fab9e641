// The life of one recipient of one message after it was accepted: queued (Job), tried (Attempt), retired (Retired).
import type { Path } from '../mail/address.ts'
import type { Notify } from './envelope.ts'
import type { TlsFacts } from './session.ts'
import type { TraceEntry } from './trace.ts'

/**
 * Where an attempt got its reply or ended:
 * - `dns`: finding the hosts and their addresses.
 * - `policy`: a rule of ours or of the recipient's domain, before or instead of a connection.
 * - `connect`: the TCP connection, or the proxy on the way.
 * - `greeting`, `ehlo`, `starttls`, `auth`: the session, before this message.
 * - `mail`: MAIL FROM, and what we checked against the announced extensions.
 * - `rcpt`: RCPT TO: the reply is about this recipient alone.
 * - `data`: DATA, and sending the message.
 * - `end`: the reply after the final dot. Without a reply the message may have been taken (RFC 1047).
 */
export type AttemptStage =
  | 'dns'
  | 'policy'
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'end'

/** One try to deliver to one recipient. The entry exists before any network activity, with `endedAt` undefined. */
export interface Attempt {
  /** Counts from 1; 0 for an operator's or a policy's decision without a delivery attempt. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt?: number
  /** `running` until the result is known: a crash leaves it behind. */
  readonly outcome: 'running' | Outcome
  /** SMTP code, 0 when there was no SMTP reply. */
  readonly code: number
  /** RFC 3463 `class.subject.detail`, '' when unknown. */
  readonly enhanced: string
  /** The reply's text or our own error, one line per array element of a multi-line reply joined by "\n". */
  readonly text: string
  /** Absent for a delivery on this machine and for a decision. */
  readonly stage?: AttemptStage
  readonly transport?: string
  readonly remoteHost?: string
  readonly remoteIp?: string
  readonly tls?: TlsFacts
  /** The next hop announced DSN and took over the duty to report success (RFC 3461 §5.2.1). */
  readonly dsnPassedOn?: true
  /** Id of the message that came in later and said this: a report about the recipient. */
  readonly reportId?: number
  /** What that report was matched by: "fromid", "envid", "message-id". */
  readonly matchedBy?: string
  /** Verdicts of `beforeDeliver` for this attempt. */
  readonly trace?: readonly TraceEntry[]
}

/**
 * - `delivered`: the next hop took responsibility (2yz).
 * - `temporary`: may succeed later; tried again until the schedule ends.
 * - `permanent`: will never succeed.
 */
export type Outcome = 'delivered' | 'temporary' | 'permanent'

/**
 * Why a recipient left the queue.
 * - `delivered`: the next hop or the mailbox took it.
 * - `failed`: refused, or the schedule ended.
 * - `suppressed`: a policy of ours knew that sending is useless or unwanted.
 * - `cancelled`: dropped by an operator or the sender, nobody is told.
 */
export type FinalStatus = 'delivered' | 'failed' | 'suppressed' | 'cancelled'

/** What is the same for all recipients of one submission. */
export interface MessageInfo {
  /** Id of the message row; shared by its recipients. */
  readonly messageId: number
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** The account that submitted it; '' for mail from outside. */
  readonly account: string
  readonly reversePath: Path | null
  /** Message-ID field with angle brackets, '' when absent. */
  readonly messageIdHeader: string
  readonly subject: string
  /** Bytes: prefix and content. */
  readonly size: number
  readonly has8bit: boolean
  readonly smtputf8: boolean
  readonly ret?: 'FULL' | 'HDRS'
  readonly envid?: string
  readonly futureReleaseRequest?: string
}

/** One recipient in the queue. */
export interface Job extends MessageInfo {
  /** Queue id; kept when retired. */
  readonly id: number
  readonly recipient: Path
  /** ASCII domain or address literal: the concurrency key. */
  readonly recipientDomain: string
  /** When the next attempt is due, milliseconds since the epoch. */
  readonly due: number
  /** Never tried while true. */
  readonly hold: boolean
  /** Attempts started so far. */
  readonly attempts: number
  /** At most this many attempts; 0: as the schedule says. */
  readonly maxAttempts: number
  readonly lastAttempt?: number
  readonly results: readonly Attempt[]
  /** Set by an operator; undefined: decided at each attempt. */
  readonly transport?: string
  /** True: REQUIRETLS; false: "TLS-Required: No"; undefined: the recipient domain's policy. */
  readonly requireTls?: boolean
  readonly notify?: readonly Notify[]
  readonly orcpt?: string
  /** Unique id inside the reverse-path that ties a bounce to this recipient. */
  readonly fromId?: string
  /** Message stream of the submitter. */
  readonly stream?: string
  /** The submitter's own key/value data. */
  readonly extra: Readonly<Record<string, string>>
  /** Addresses connected to before, oldest first, by host: steers the choice of address family. */
  readonly dialedIps: Readonly<Record<string, readonly string[]>>
}

/** One recipient that left the queue. */
export interface Retired extends Omit<Job, 'due' | 'hold'> {
  readonly status: FinalStatus
  /** Milliseconds since the epoch; moved by a late DSN. */
  readonly lastActivity: number
  /** Removed from the history after this time. */
  readonly keepUntil: number
  /** Verdicts and failures of `onRetire.tx`. */
  readonly trace: readonly TraceEntry[]
}
