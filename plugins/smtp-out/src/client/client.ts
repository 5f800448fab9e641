// A session that is open: messages one after the other, each in as many transactions as the server's limits on recipients
// need. What a message asks for and the server has not is answered here, without a word to the server.
import { mailLine, rcptLine } from './commands.ts'
import { type Content, prepare } from './content.ts'
import { Failure, local } from './failure.ts'
import { TRANSACTIONS } from './limits.ts'
import type { Facts } from './tls.ts'
import { type Planned, Transaction, type Verdict, verdictOf } from './transaction.ts'
import type { Client, ClientMessage, ClientRecipient, Extensions, RecipientAnswer, Timeouts } from './types.ts'
import type { Wire } from './wire.ts'

/** For recipients that are left when no transaction can follow. */
const NO_MORE = local(452, '4.5.3', 'the server takes no more on this connection')

export class SmtpClient implements Client {
  readonly extensions: Extensions
  readonly tls: Facts | undefined
  readonly #wire: Wire
  readonly #timeouts: Timeouts
  #mails = 0
  /** A transaction was left open. */
  #open = false
  #busy = false

  constructor(wire: Wire, extensions: Extensions, tls: Facts | undefined, timeouts: Timeouts) {
    this.#wire = wire
    this.extensions = extensions
    this.tls = tls
    this.#timeouts = timeouts
  }

  get usable(): boolean {
    return this.#wire.usable && this.#mails < (this.extensions.limits.mailMax ?? Number.POSITIVE_INFINITY)
  }

  async send(message: ClientMessage, signal: AbortSignal): Promise<RecipientAnswer[]> {
    if (this.#busy) throw new Error('a client sends one message at a time')
    this.#busy = true
    const onAbort = (): void => void this.#wire.fail('io', 'given up on our side', signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await this.#send(message)
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#busy = false
    }
  }

  async quit(): Promise<void> {
    try {
      this.#wire.command('QUIT\r\n')
      await this.#wire.read('QUIT', this.#timeouts.quit)
    } catch {
      // Gone already.
    }
    this.destroy()
  }

  destroy(): void {
    this.#wire.fail('io', 'the connection is closed')
  }

  async #send(message: ClientMessage): Promise<RecipientAnswer[]> {
    const verdicts = new Map<ClientRecipient, Verdict>()
    const planned: Planned[] = []
    for (const recipient of message.recipients) {
      const line = rcptLine(recipient, this.extensions)
      if (line instanceof Failure) verdicts.set(recipient, verdictOf(line, 'rcpt'))
      else planned.push({ recipient, line })
    }
    await this.#transactions(message, planned, verdicts)
    return message.recipients.map(recipient => ({
      id: recipient.id,
      dsn: this.extensions.dsn,
      ...(verdicts.get(recipient) ?? verdictOf(local(451, '4.3.0', 'no answer'), 'mail')),
    }))
  }

  async #transactions(message: ClientMessage, planned: Planned[], verdicts: Map<ClientRecipient, Verdict>) {
    let content: Content | undefined
    const { mailMax, rcptMax } = this.extensions.limits
    let max = rcptMax ?? Number.POSITIVE_INFINITY
    let queue = planned
    for (let count = 0; queue.length > 0; count++) {
      const batch = queue.slice(0, max)
      const mail = mailLine(
        message,
        batch.map(({ recipient }) => recipient),
        this.extensions,
        this.tls !== undefined,
      )
      if (mail instanceof Failure) return settle(queue, verdicts, verdictOf(mail, 'mail'))
      if (this.#mails === mailMax) return settle(queue, verdicts, verdictOf(NO_MORE, 'mail'), { left: true })
      if (count === TRANSACTIONS) return settle(queue, verdicts, verdictOf(NO_MORE, 'mail'))
      try {
        content ??= await prepare(() => message.open())
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        return settle(queue, verdicts, verdictOf(error, 'data'))
      }
      this.#mails++
      const transaction = new Transaction({
        wire: this.#wire,
        pipelining: this.extensions.pipelining,
        timeouts: this.#timeouts,
        mail,
        planned: batch,
        content,
        reset: this.#open,
      })
      await transaction.run()
      this.#open = transaction.open
      for (const [recipient, verdict] of transaction.verdicts) verdicts.set(recipient, verdict)
      queue = [...transaction.left, ...queue.slice(batch.length)]
      if (transaction.mailRefused !== undefined) return settle(queue, verdicts, transaction.mailRefused)
      if (transaction.left.length > 0) max = Math.min(max, transaction.accepted)
    }
  }
}

/** Those that the server had too many of are told what it said. */
function settle(
  queue: readonly Planned[],
  verdicts: Map<ClientRecipient, Verdict>,
  verdict: Verdict,
  also: Pick<Verdict, 'left'> = {},
): void {
  for (const { recipient, enough } of queue) verdicts.set(recipient, { ...(enough ?? verdict), ...also })
}
