// One session that takes mail in: RFC 5321 §4.1.4 order of commands, the structural rules, then the hooks. No method
// throws; whatever fails becomes a reply.
import type {
  DataSink,
  EnvelopeRecipient,
  Job,
  MailParameters,
  ReceiveSession,
  SessionInfo,
  SmtpReply,
} from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import { admitRecipient, admitSender } from './admit.ts'
import { failureReply } from './failure.ts'
import { REPLIES } from './replies.ts'
import { forRecipient, type MessageScope, transactionScope } from './scope.ts'
import { MessageSink, refusingSink } from './sink.ts'
import { type Acceptance, Transaction } from './transaction.ts'

/** The reply of a verdict that refuses. */
function refusal(verdict: { readonly kind: string; readonly reply?: SmtpReply }): SmtpReply | undefined {
  return verdict.kind === 'defer' || verdict.kind === 'reject' ? verdict.reply : undefined
}

export class Session implements ReceiveSession {
  readonly info: SessionInfo
  readonly #deps: StageDeps
  readonly #scope: MessageScope
  readonly #replay: boolean
  #transaction: Transaction | undefined
  #closed = false

  constructor(deps: StageDeps, info: SessionInfo, scope: MessageScope, replay: boolean) {
    this.#deps = deps
    this.info = info
    this.#scope = scope
    this.#replay = replay
  }

  /** Runs onReceive.connect: the reply with which the peer is sent away, if any. */
  async connect(): Promise<SmtpReply | undefined> {
    if (!this.#deps.hooks.has('onReceive.connect')) return undefined
    try {
      return refusal(await this.#deps.hooks.decide('onReceive.connect', { session: this.info }, this.#scope))
    } catch (error) {
      return this.#failed('connect', error)
    }
  }

  async mail(reversePath: Path | null, parameters: MailParameters): Promise<SmtpReply> {
    if (this.#closed) return REPLIES.closed
    if (this.#transaction !== undefined) return REPLIES.nestedMail
    const { hooks } = this.#deps
    try {
      const denied = await admitSender(this.#deps, this.info, reversePath)
      if (denied !== undefined) return denied
      const scope = transactionScope(this.#scope)
      if (hooks.has('onReceive.mail')) {
        const input = { session: this.info, reversePath, parameters }
        const refused = refusal(await hooks.decide('onReceive.mail', input, scope))
        if (refused !== undefined) return refused
      }
      this.#transaction = new Transaction(this.info, scope, reversePath, parameters, this.#replay)
      return REPLIES.senderOk
    } catch (error) {
      return this.#failed('mail', error)
    }
  }

  async rcpt(given: EnvelopeRecipient): Promise<SmtpReply> {
    return this.admit(given)
  }

  /** RCPT; `job` is the queued recipient that is replayed. */
  async admit(given: EnvelopeRecipient, job?: Job): Promise<SmtpReply> {
    const transaction = this.#transaction
    if (this.#closed) return REPLIES.closed
    if (transaction === undefined) return REPLIES.needMail
    const { hooks } = this.#deps
    try {
      if (job === undefined && transaction.includes(given.path)) return REPLIES.recipientOk
      const admission = await admitRecipient(this.#deps, transaction, given)
      if (!admission.ok) return admission.reply
      const { recipient, resolution } = admission
      if (hooks.has('onReceive.rcpt')) {
        const input = { session: this.info, envelope: transaction.envelope(), recipient }
        const scope = forRecipient(transaction.scope, formatAddress(recipient.path))
        const refused = refusal(await hooks.decide('onReceive.rcpt', input, scope))
        if (refused !== undefined) return refused
      }
      transaction.add({ recipient, resolution, ...(job === undefined ? {} : { job }) })
      return REPLIES.recipientOk
    } catch (error) {
      return this.#failed('rcpt', error)
    }
  }

  data(options: { readonly maxSize: number }): DataSink {
    return this.sink(options) ?? refusingSink(this.#notReady())
  }

  /** The sink of the transaction in progress, which ends with it; undefined when it is not time for data. */
  sink(options: { readonly maxSize: number }, done?: (acceptance: Acceptance) => void): MessageSink | undefined {
    const transaction = this.take()
    return transaction && new MessageSink(this.#deps, transaction, options.maxSize, done)
  }

  /** The transaction, if it has recipients; the session is then ready for the next one. */
  take(): Transaction | undefined {
    const transaction = this.#transaction
    if (this.#closed || transaction === undefined || transaction.accepted.length === 0) return undefined
    this.#transaction = undefined
    return transaction
  }

  #notReady(): SmtpReply {
    if (this.#closed) return REPLIES.closed
    return this.#transaction === undefined ? REPLIES.needMail : REPLIES.needRcpt
  }

  reset(): void {
    this.#transaction = undefined
  }

  close(): void {
    this.#closed = true
    this.#transaction = undefined
  }

  #failed(stage: string, error: unknown): SmtpReply {
    return failureReply(this.#deps, { session: this.info.id, stage }, error)
  }
}
