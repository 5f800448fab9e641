// What core stores, as interfaces: messages, the queue, the history and the outbox. A storage backend implements them; core
// writes no SQL. All changing methods must run inside a unit of work.
import type { Path } from '../mail/address.ts'
import type { Notify } from '../model/envelope.ts'
import type { Attempt, FinalStatus, Job, MessageInfo, Retired } from '../model/job.ts'
import type { TraceEntry } from '../model/trace.ts'

/** A received message as stored: what is the same for all its recipients. */
export interface StoredMessage extends Omit<MessageInfo, 'messageId'> {
  readonly id: number
  readonly kind: 'delivery' | 'submission'
  /** Listener name, or the plugin it came from. */
  readonly source: string
  /** Trace fields of ours that stand before the content. */
  readonly prefix: Buffer
  readonly contentId: number
  readonly remoteIp: string
  readonly helo: string
  readonly protocol: string
  /** Forward-paths as text, as the envelope had them; at most 1,000. */
  readonly recipients: readonly string[]
  /** Values of persisted facts by fact id. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Verdicts of the receive and queue hooks. */
  readonly trace: readonly TraceEntry[]
}

export interface MessageRepository {
  /** Takes over one content reference. Returns the new id. */
  add(message: Omit<StoredMessage, 'id'>): Promise<number>
  get(id: number): Promise<StoredMessage | undefined>
  /** Replaces what the queue hooks, which need the id, added. */
  update(id: number, fields: Partial<Pick<StoredMessage, 'facts' | 'trace'>>): Promise<void>
  /** Newest first, older than `before` if given. */
  list(options: { limit: number; before?: number }): Promise<StoredMessage[]>
  /** Removes messages received before `until` that no queued or retired recipient refers to, and their content references; returns how many. */
  purge(until: number, limit: number): Promise<number>
}

/** One recipient to queue. */
export interface NewJob {
  readonly recipient: Path
  readonly recipientDomain: string
  readonly reversePath: Path | null
  readonly due: number
  readonly hold: boolean
  readonly maxAttempts: number
  readonly transport?: string
  readonly requireTls?: boolean
  readonly notify?: readonly Notify[]
  readonly orcpt?: string
  readonly fromId?: string
  readonly stream?: string
  readonly extra: Readonly<Record<string, string>>
}

/** What queued and retired recipients are chosen by. All that is given must hold; bounds of times are not included. */
interface RecipientFilter {
  readonly ids?: readonly number[]
  readonly messageId?: number
  readonly account?: string
  /** The Message-ID field as stored, angle brackets included. */
  readonly messageIdHeader?: string
  /** The sender's envelope id (RFC 3461 §4.4). */
  readonly envid?: string
  /** Substring of the reverse-path, as "localpart@domain" with the domain in U-labels or in A-labels. */
  readonly from?: string
  /** Substring of the forward-path, in the same way: "@example.com" is a domain and those that begin like it. */
  readonly to?: string
  readonly receivedBefore?: number
  readonly receivedAfter?: number
  /** The operator's choice; '' for recipients without one. */
  readonly transport?: string
}

export interface QueueFilter extends RecipientFilter {
  readonly hold?: boolean
  readonly dueBefore?: number
  readonly dueAfter?: number
}

export interface HistoryFilter extends RecipientFilter {
  readonly status?: FinalStatus
  /** True: delivered; false: every other way to leave the queue. */
  readonly delivered?: boolean
  readonly activeBefore?: number
  readonly activeAfter?: number
}

/** Keyset pagination: the sort value and id of the last row seen. */
export interface Page {
  /** At most this many rows; at most 10,000. */
  readonly limit: number
  readonly ascending?: boolean
  readonly after?: { readonly value: number; readonly id: number }
  /**
   * In the order in which they were queued, which is that of their ids, instead of by due time or last activity; the value
   * of `after` does not count then.
   */
  readonly byId?: boolean
}

/** What an operator may change of a queued recipient. */
export interface JobChange {
  /** The next attempt, milliseconds since the epoch, or so much later (earlier when negative) than it would have been. */
  readonly due?: number | { readonly add: number }
  readonly hold?: boolean
  /** Null: as routes decide. */
  readonly transport?: string | null
  /** Null: as the policy of the recipient's domain says. */
  readonly requireTls?: boolean | null
  readonly maxAttempts?: number
}

export interface ClaimJobs {
  readonly now: number
  readonly leaseMs: number
  /** At most this many groups. */
  readonly limit: number
  /** Recipient domains that have no free place, and those with some: how many groups may still start. */
  readonly places: (domain: string) => number
}

/** The recipients of one message at one domain that may share a transaction: same attempts, transport and TLS requirement. */
export type JobGroup = readonly [Job, ...Job[]]

/** What a finished attempt leaves in the queue. */
export interface JobUpdate {
  readonly id: number
  readonly results: readonly Attempt[]
  readonly due: number
  readonly dialedIps: Readonly<Record<string, readonly string[]>>
}

export interface QueueRepository {
  add(messageId: number, jobs: readonly NewJob[]): Promise<number[]>
  /** Due recipients that are not held and not leased, oldest due first, grouped; leased until now + leaseMs. */
  claim(options: ClaimJobs): Promise<JobGroup[]>
  /** Registers an attempt before any network activity: attempts + 1, the running entry, the next due time. */
  begin(jobs: readonly { readonly id: number; readonly attempt: Attempt; readonly due: number }[]): Promise<void>
  /** Moves the end of the leases of these jobs to `until`, while their attempt goes on. */
  renew(ids: readonly number[], until: number): Promise<void>
  /** Records what became of a registered attempt and ends the lease. */
  finish(updates: readonly JobUpdate[]): Promise<void>
  /** Sets the given fields of jobs and ends their leases. Returns how many there were. */
  set(filter: QueueFilter, change: JobChange): Promise<number>
  /** Appends an entry without an attempt: an operator's or a policy's decision; ends the lease. */
  note(id: number, entry: Attempt, fields: Partial<Pick<Job, 'due' | 'hold'>>): Promise<void>
  /** Ends every lease: at start, since a lease of a process that is gone protects nothing. */
  releaseAll(): Promise<void>
  /** Removes from the queue, adds to the history. `keepUntil` ≤ now: only removes. */
  retire(jobs: readonly Retired[]): Promise<void>
  get(id: number): Promise<Job | undefined>
  /** Exact. */
  findByFromId(fromId: string): Promise<Job | undefined>
  list(filter: QueueFilter, page: Page): Promise<Job[]>
  /** Ids alone, ascending, greater than `after`: for changes of many in units of bounded size. `limit` is at most 10,000. */
  find(filter: QueueFilter, options: { readonly after: number; readonly limit: number }): Promise<number[]>
  count(filter: QueueFilter): Promise<number>
  /**
   * Queued recipients of an account, held ones included, and the sum of their messages' sizes in bytes. At most `limit`
   * are looked at. Quick enough for every submission of an account with such limits.
   */
  usage(account: string, limit: number): Promise<{ readonly count: number; readonly bytes: number }>
  /** The earliest due time of a job that is neither held nor leased; undefined when there is none. */
  nextDue(): Promise<number | undefined>
  /** Prefix and content of a queued recipient's message. */
  source(messageId: number): Promise<{ readonly prefix: Buffer; readonly contentId: number } | undefined>
}

export interface HistoryRepository {
  get(id: number): Promise<Retired | undefined>
  /** Exact. */
  findByFromId(fromId: string): Promise<Retired | undefined>
  /** By last activity, newest first unless ascending. */
  list(filter: HistoryFilter, page: Page): Promise<Retired[]>
  update(id: number, fields: Partial<Pick<Retired, 'status' | 'lastActivity' | 'results' | 'trace'>>): Promise<void>
  /** Removes entries with keepUntil < now, at most `limit`; returns how many. */
  purge(now: number, limit: number): Promise<number>
  /** Removes entries of an account, at most `limit`; returns how many. */
  removeOf(account: string, limit: number): Promise<number>
}

/** What accounts sent, for those that have limits. Times are milliseconds since the epoch. */
export interface SentRepository {
  /** One submission to so many recipients. */
  add(account: string, at: number, recipients: number): Promise<void>
  /** Recipients of submissions after `since`. */
  count(account: string, since: number): Promise<number>
  /** Remembers to whom an account writes; an address that it knows already stays known. Addresses are "localpart@domain". */
  meet(account: string, at: number, addresses: readonly string[]): Promise<void>
  /** Addresses that the account wrote to for the first time after `since`. */
  met(account: string, since: number): Promise<number>
  /**
   * Removes submissions up to `sentUntil` and addresses not written to after `metUntil`, at most `limit` (at most 10,000) of
   * each; returns how many.
   */
  purge(until: { readonly sentUntil: number; readonly metUntil: number }, limit: number): Promise<number>
}

/** One react handler's copy of one event. */
export interface OutboxRow {
  readonly id: number
  /** Stable across repeats. */
  readonly eventId: string
  readonly hook: string
  /** Plugin instance name. */
  readonly subscriber: string
  /** The hook's input as JSON, and the persisted facts. */
  readonly payload: unknown
  readonly createdAt: number
  readonly due: number
  readonly attempts: number
  readonly lastError?: string
  /** Given up; shown until an operator retries or removes it. */
  readonly dead: boolean
}

export interface OutboxRepository {
  add(rows: readonly Omit<OutboxRow, 'id' | 'attempts' | 'dead' | 'lastError'>[]): Promise<void>
  /** Due rows that are neither dead nor leased, oldest due first, but none of the subscribers in `except`; leased until now + leaseMs. */
  claim(options: { now: number; leaseMs: number; limit: number; except?: readonly string[] }): Promise<OutboxRow[]>
  done(ids: readonly number[]): Promise<void>
  failed(id: number, error: string, retry: { readonly due: number } | 'dead'): Promise<void>
  list(options: { dead?: boolean; limit: number }): Promise<OutboxRow[]>
  /** Makes dead rows due again; returns how many. */
  revive(ids: readonly number[] | 'all', now: number): Promise<number>
  nextDue(): Promise<number | undefined>
  releaseAll(): Promise<void>
}
