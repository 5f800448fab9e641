// What the page and the server exchange, as JSON. Times are milliseconds since the epoch.
import type { Attempt, MailEvent, TraceEntry } from '@mox/plugin-sdk'

/**
 * Where a recipient stands.
 * - `waiting`: in the queue, not tried yet or to be tried again.
 * - `trying`: an attempt is in progress.
 * - `held`: in the queue, not tried until released.
 * - `delivered`, `failed`, `suppressed`, `cancelled`: left the queue.
 * - `stored`: came in from outside and was put into a mailbox at once.
 */
export type RecipientState =
  | 'waiting'
  | 'trying'
  | 'held'
  | 'delivered'
  | 'failed'
  | 'suppressed'
  | 'cancelled'
  | 'stored'

export interface MessageSummary {
  readonly id: number
  /** `submission`: sent by a user of ours; `delivery`: came in as from another server. */
  readonly kind: 'delivery' | 'submission'
  readonly receivedAt: number
  /** "local@domain"; '' for the null reverse-path. */
  readonly from: string
  readonly recipients: readonly string[]
  readonly subject: string
  /** Bytes. */
  readonly size: number
  /** How many recipients are in each state. */
  readonly states: Readonly<Partial<Record<RecipientState, number>>>
}

export interface RecipientDetail {
  readonly address: string
  readonly state: RecipientState
  /** Queue id; absent for mail that never was in the queue. */
  readonly queueId?: number
  /** Next attempt, while in the queue. */
  readonly due?: number
  readonly attempts: readonly Attempt[]
  /** Verdicts after the last attempt. */
  readonly trace: readonly TraceEntry[]
}

export interface PartDetail {
  readonly path: string
  readonly depth: number
  readonly contentType: string
  readonly encoding: string
  readonly charset: string
  readonly filename?: string
  /** Bytes as transferred. */
  readonly size: number
  readonly problems: readonly string[]
  readonly attachment: boolean
}

export interface MessageDetail extends MessageSummary {
  readonly account: string
  readonly source: string
  readonly remoteIp: string
  readonly helo: string
  readonly protocol: string
  readonly header: readonly { readonly name: string; readonly value: string }[]
  readonly text?: string
  readonly hasHtml: boolean
  /** As the sender wrote it: show it in a sandbox only. */
  readonly html?: string
  readonly parts: readonly PartDetail[]
  readonly problems: readonly string[]
  /** True when the message is too large to be taken apart here. */
  readonly truncated: boolean
  /** Verdicts while it came in and was queued. */
  readonly trace: readonly TraceEntry[]
  readonly recipientDetails: readonly RecipientDetail[]
  /** Mailboxes that have a copy. */
  readonly copies: readonly { readonly account: string; readonly mailbox: string; readonly uid: number }[]
}

export interface MessageList {
  readonly messages: readonly MessageSummary[]
  /** Pass as `before` for the next page; absent on the last. */
  readonly next?: number
}

export interface Status {
  readonly paused: boolean
  readonly running: number
  readonly queued: number
  /** Where the mail program for people is, such as "/webmail/". */
  readonly home?: string
}

/** One recipient that waits. */
export interface QueueRow {
  /** Queue id. */
  readonly id: number
  readonly messageId: number
  readonly queuedAt: number
  readonly account: string
  /** '' for the null reverse-path. */
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly state: 'waiting' | 'trying' | 'held'
  readonly due: number
  readonly attempts: number
  /** What the last attempt or decision said; '' before the first. */
  readonly last: string
  readonly lastOutcome?: Attempt['outcome']
  /** An operator's choice. */
  readonly transport?: string
  /** True: only over verified TLS; false: also without TLS. */
  readonly requireTls?: boolean
}

export interface QueueList {
  readonly rows: readonly QueueRow[]
  /** Pass as `after` for the rows that follow; absent when there are none. */
  readonly next?: string
}

/**
 * - `retry`: due now, released if it was on hold. `hold`, `release`: no attempts until released.
 * - `fail`: out of the queue as failed, the sender is told. `drop`: out of the queue, nobody is told.
 */
export type QueueAction = 'retry' | 'hold' | 'release' | 'fail' | 'drop'

/** When the next attempt is to be: a time, or a duration such as "1h30m" from now or from when it would be. */
export type QueueWhen = { readonly at: number } | { readonly in: string } | { readonly later: string }

/**
 * - `schedule`: another time for the next attempt.
 * - `transport`: deliver through this one whatever the routes say; '' for the routes again.
 * - `requiretls`: only over verified TLS, also without TLS, or (null) as the recipient's domain says.
 */
export type QueueChange =
  | { readonly action: QueueAction }
  | { readonly action: 'schedule'; readonly when: QueueWhen }
  | { readonly action: 'transport'; readonly transport: string }
  | { readonly action: 'requiretls'; readonly required: boolean | null }

/** What recipients are chosen by, all as text; the same in the address of a list. All that is given must hold. */
export interface QueueFilterFields {
  /** Queue ids, separated by commas. */
  readonly ids?: string
  /** Id of the message. */
  readonly message?: string
  /** Parts of the address; "@example.com" for a domain. */
  readonly to?: string
  readonly from?: string
  readonly account?: string
  /** The Message-ID field. */
  readonly messageIdHeader?: string
  /** The sender's envelope id. */
  readonly envid?: string
  /** "<-24h" for more than a day ago, ">1h" for more than an hour ahead, "<now". */
  readonly submitted?: string
  readonly nextattempt?: string
  /** The operator's choice; '' for those without. */
  readonly transport?: string
  readonly hold?: 'true' | 'false'
}

/** Queue ids, at most 1,000; or all that match; or every recipient in the queue. */
export type QueueChoice =
  | { readonly ids: readonly number[] }
  | { readonly filter: QueueFilterFields }
  | { readonly all: true }

export type QueueChangeRequest = QueueChange & QueueChoice

export interface QueueCount {
  readonly count: number
}

export interface QueueTransports {
  /** Names, sorted. */
  readonly transports: readonly string[]
}

export interface QueueChangeResult {
  /** Recipients changed; those that had left by then are not counted. */
  readonly count: number
}

/** What there is beside the queue: plugins that may be on or off. */
export interface BenchStatus {
  readonly clock: ClockStatus
  readonly services: { readonly events: boolean; readonly suppressions: boolean; readonly webhooks: boolean }
}

export interface EventList {
  /** Oldest first. */
  readonly events: readonly MailEvent[]
  /** Pass as `after` for what comes next. */
  readonly last: number
}

/** What a command of another plugin lists. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

export interface SubmitResult {
  readonly messageId: number
  readonly queueIds: readonly number[]
}

export interface ClockStatus {
  /** The server's time. */
  readonly now: number
  /** Milliseconds ahead of the real time. */
  readonly offset: number
  /** It is being moved on. */
  readonly advancing: boolean
}

export interface ScenarioStatus {
  readonly scenarios: readonly {
    readonly domain: string
    /** Set by a test, read from a file, or from the config. */
    readonly source: 'test' | 'file' | 'config'
    readonly steps: number
    /** Number of the step that it is at, from 1; absent when all are over. */
    readonly step?: number
    /** When that step began; absent before the first attempt. */
    readonly since?: number
  }[]
  /** Files that are wrong. */
  readonly problems: readonly { readonly file: string; readonly problem: string }[]
}
