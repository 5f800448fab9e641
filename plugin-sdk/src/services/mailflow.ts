// The services at both ends of the queue: receiver@1 (what a listener drives), submission@1 (how a plugin sends mail) and
// transports@1 (how a batch leaves).
import { defineService, type ServiceToken } from '../define/service.ts'
import type { Path } from '../mail/address.ts'
import type { Envelope, EnvelopeRecipient, MailParameters } from '../model/envelope.ts'
import type { AttemptStage, Job, MessageInfo, Outcome } from '../model/job.ts'
import type { SmtpReply } from '../model/reply.ts'
import type { SessionInfo, Submitted, TlsFacts } from '../model/session.ts'
import type { TraceEntry } from '../model/trace.ts'
import type { Log } from './base.ts'
import type { QueueFilter } from './repositories.ts'

/** Takes the bytes of one message, dots already unstuffed. */
export interface DataSink {
  /** Resolves when more may be written. Never throws: a message that is refused is read to its end and thrown away. */
  write(chunk: Buffer): Promise<void>
  /** Set as soon as the message can only be refused, so that the listener may cut an endless one short. */
  readonly refused: SmtpReply | undefined
  /** The last byte was written: decides, stores, and resolves after the commit with the reply to give. */
  finish(): Promise<SmtpReply>
  /** The peer is gone: nothing is stored. */
  abort(): Promise<void>
}

/** One session of any protocol that takes mail in. Methods answer with the SMTP reply to give and never throw. */
export interface ReceiveSession {
  readonly info: SessionInfo
  mail(reversePath: Path | null, parameters: MailParameters): Promise<SmtpReply>
  rcpt(recipient: EnvelopeRecipient): Promise<SmtpReply>
  /** Replies 503 in `refused` when there is no accepted recipient. `maxSize` in bytes. */
  data(options: { readonly maxSize: number }): DataSink
  /** Forgets the transaction, not the session. */
  reset(): void
  close(): void
}

/** The receive stage, as listeners drive it. */
export interface Receiver {
  /** Runs onReceive.connect; `reply` is set when the peer must be sent away. */
  open(
    info: SessionInfo,
    signal: AbortSignal,
  ): Promise<{ readonly session: ReceiveSession; readonly reply?: SmtpReply }>
  /**
   * Delivers a batch to recipients of ours as if it came in over SMTP: all receive hooks run, one result per job. Used by
   * transports that end on this machine.
   */
  replay(
    batch: DeliveryBatch,
    options: { readonly listener: string; readonly signal: AbortSignal },
  ): Promise<DeliveryResult[]>
}

/** A composed message for the queue. */
export interface SubmitMessage extends Submitted {
  /**
   * Who sends: limits, routes and webhooks of this account apply. '' for the server's own mail, such as DSNs and reports: the
   * author is postmaster of our host name or of a domain of ours, the reverse-path too, or null.
   */
  readonly account: string
  readonly loginAddress?: string
  readonly envelope: Envelope
  /** The complete message, CRLF line ends. */
  readonly content: Buffer | AsyncIterable<Buffer>
  /** The plugin that sends, for trace fields: "webapi". */
  readonly source: string
  readonly remoteIp?: string
}

/** A message that was queued. Both lists have an entry for each different recipient, in their order. */
export interface QueuedMessage {
  readonly messageId: number
  readonly queueIds: readonly number[]
  /** The unique id in the reverse-path of each; '' for none. */
  readonly fromIds: readonly string[]
}

/** The one way to send a composed message: checks, limits, hooks and queue as for mail that comes over SMTP. */
export interface Submission {
  /** Resolves after the commit. Throws a MailError when it is refused; then nothing was queued. */
  submit(message: SubmitMessage): Promise<QueuedMessage>
}

/** Recipients of one message that may share a transaction. */
export interface DeliveryBatch {
  readonly jobs: readonly [Job, ...Job[]]
  readonly message: MessageInfo
  /** Number of this attempt, from 1. */
  readonly attempt: number
  readonly prefix: Buffer
  readonly contentId: number
  /** Prefix and content, in chunks of at most 64 KiB. */
  open(): AsyncIterable<Buffer>
}

/** What became of one recipient in one attempt. */
export interface DeliveryResult {
  readonly id: number
  readonly outcome: Outcome
  /** SMTP code, 0 without a reply. */
  readonly code: number
  readonly enhanced: string
  readonly text: string
  readonly stage?: AttemptStage
  readonly remoteHost?: string
  readonly remoteIp?: string
  readonly tls?: TlsFacts
  /** The next hop announced DSN and was given the recipient's NOTIFY and ORCPT. */
  readonly dsnPassedOn?: true
  /** What the receive hooks said, when the delivery ended on this machine; kept with the attempt. */
  readonly trace?: readonly TraceEntry[]
  /** Address that was connected to: steers the choice of address family on the next attempt. */
  readonly dialed?: { readonly host: string; readonly ip: string }
}

/** A way out of the queue. */
export interface Transport {
  /** What routes and operators call it: "local", "direct". */
  readonly name: string
  /** Ends on this machine: the limit of deliveries per domain, which spares other servers, does not apply. */
  readonly here?: true
  /** Delivers; one result per job, in any order. A throw counts as a temporary failure of all. Must end soon after `signal` aborts. */
  deliver(batch: DeliveryBatch, context: { readonly signal: AbortSignal; readonly log: Log }): Promise<DeliveryResult[]>
}

/** Queued recipients that an operation is about. */
export interface QueueSelection extends QueueFilter {
  /** At most this many, those queued first. Default: all. */
  readonly max?: number
}

/**
 * Core's scheduler, as commands, pages and APIs see it. Operations work in units of bounded size, so that mail goes on
 * beside; each returns how many recipients it changed, and lets what is due be tried at once.
 */
export interface QueueControl {
  /** Looks for due recipients now. */
  kick(): void
  pause(): void
  resume(): void
  status(): { readonly paused: boolean; readonly running: number; readonly domains: number }
  /** Makes no attempts until released; an attempt in progress goes on. */
  hold(selection: QueueSelection): Promise<number>
  /** Releases what is on hold; the due time is as before, so what is overdue is tried at once. */
  release(selection: QueueSelection): Promise<number>
  /** Sets the next attempt, in milliseconds since the epoch; the count of attempts, and so the waits after it, stay. */
  schedule(selection: QueueSelection, due: number): Promise<number>
  /** Moves the next attempt by so many milliseconds, which may be negative. */
  postpone(selection: QueueSelection, ms: number): Promise<number>
  /** Names of the transports that there are, sorted. */
  transports(): readonly string[]
  /** Chooses a transport by name; '' leaves it to the routes again. Throws a UsageError for a name that nothing provides. */
  setTransport(selection: QueueSelection, name: string): Promise<number>
  /** True: only over verified TLS (REQUIRETLS); false: also without TLS; undefined: as the recipient's domain says. */
  setRequireTls(selection: QueueSelection, required: boolean | undefined): Promise<number>
  /**
   * When the attempts to come are due, milliseconds since the epoch: the next one as stored, those after it as the schedule
   * says. Empty after the last one.
   */
  attemptsLeft(job: Pick<Job, 'attempts' | 'maxAttempts' | 'due'>): readonly number[]
  /**
   * Takes recipients out of the queue by an operator's or the sender's decision: `failed` ones count as failed, so that the
   * sender is told; `cancelled` ones leave quietly. Returns how many there were.
   */
  end(selection: QueueSelection, status: 'failed' | 'cancelled', text: string): Promise<number>
  /** The whole message of a queued recipient, or of a retired one as long as it is kept; undefined when there is none. */
  dump(id: number): Promise<AsyncIterable<Buffer> | undefined>
}

/** For listeners. */
export const receiver: ServiceToken<Receiver, 'one'> = defineService<Receiver>('receiver@1')
/** For plugins that send mail. */
export const submission: ServiceToken<Submission, 'one'> = defineService<Submission>('submission@1')
/** Ways out; many plugins may offer some. */
export const transports: ServiceToken<Transport, 'many'> = defineService<Transport, 'many'>('transports@1', 'many')
/** What operators do with the queue. */
export const queueControl: ServiceToken<QueueControl, 'one'> = defineService<QueueControl>('queue-control@1')
