// One mail transaction (RFC 5321 §3.3): what MAIL and RCPT established, up to the end of DATA.
import type {
  Envelope,
  EnvelopeRecipient,
  Job,
  MailParameters,
  Resolution,
  SessionInfo,
  SmtpReply,
} from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import type { MessageScope } from './scope.ts'

/** A forward-path that was accepted, and what it means here. */
export interface Accepted {
  readonly recipient: EnvelopeRecipient
  readonly resolution: Resolution
  /** The queued recipient that is being replayed. */
  readonly job?: Job
}

export class Transaction {
  readonly info: SessionInfo
  readonly scope: MessageScope
  readonly reversePath: Path | null
  readonly parameters: MailParameters
  readonly accepted: Accepted[] = []
  /** The queue delivers to our own users: failures go back to it. */
  readonly replay: boolean
  readonly #addresses = new Set<string>()

  constructor(
    info: SessionInfo,
    scope: MessageScope,
    reversePath: Path | null,
    parameters: MailParameters,
    replay: boolean,
  ) {
    this.info = info
    this.scope = scope
    this.reversePath = reversePath
    this.parameters = parameters
    this.replay = replay
  }

  envelope(): Envelope {
    return {
      ...this.parameters,
      reversePath: this.reversePath,
      recipients: this.accepted.map(({ recipient }) => recipient),
    }
  }

  /** The same forward-path twice in a transaction is one recipient. */
  includes(path: Path): boolean {
    return this.#addresses.has(formatAddress(path))
  }

  add(accepted: Accepted): void {
    this.#addresses.add(formatAddress(accepted.recipient.path))
    this.accepted.push(accepted)
  }
}

/** What became of a message. */
export interface Acceptance {
  readonly reply: SmtpReply
  /** 0 when nothing was stored. */
  readonly messageId: number
  readonly queueIds: readonly number[]
  /** One for each of those; '' for none. */
  readonly fromIds: readonly string[]
  /** One per accepted recipient, in order; what each would have been told alone. */
  readonly outcomes: readonly SmtpReply[]
}

/** The whole message is refused: every recipient shares the reply. */
export function refused(transaction: Transaction, reply: SmtpReply): Acceptance {
  return { reply, messageId: 0, queueIds: [], fromIds: [], outcomes: transaction.accepted.map(() => reply) }
}
