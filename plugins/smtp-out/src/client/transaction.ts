// One mail transaction: MAIL, RCPT and DATA in one write where the server has PIPELINING (RFC 2920), one by one where not,
// then the message. Each recipient has its own verdict; whatever breaks, nobody is left without one.
import type { AttemptStage } from '@mox/plugin-sdk'
import type { ServerReply } from '@mox/plugin-sdk/mail'
import type { Content } from './content.ts'
import { Failure, refusal } from './failure.ts'
import type { ClientRecipient, FailureKind, Timeouts } from './types.ts'
import type { Wire } from './wire.ts'

export interface Planned {
  readonly recipient: ClientRecipient
  /** Its RCPT command. */
  readonly line: string
  /** What the server said when it had enough recipients for one transaction. */
  readonly enough?: Verdict
}

export interface Verdict {
  readonly kind: 'ok' | FailureKind
  readonly stage: AttemptStage
  readonly code: number
  readonly enhanced: string
  readonly text: string
  /** See RecipientAnswer. */
  readonly left?: true
}

export interface TransactionOptions {
  readonly wire: Wire
  readonly pipelining: boolean
  readonly timeouts: Timeouts
  /** The MAIL command. */
  readonly mail: string
  readonly planned: readonly Planned[]
  readonly content: Content
  /** A transaction was left open: RSET comes first. */
  readonly reset: boolean
}

export function verdictOf(failure: Failure, stage: AttemptStage): Verdict {
  return { kind: failure.kind, stage, code: failure.code, enhanced: failure.enhanced, text: failure.message }
}

export class Transaction {
  /** By recipient; complete when `run` has ended, but for those in `left`. */
  readonly verdicts = new Map<ClientRecipient, Verdict>()
  /** The server had enough after some recipients (RFC 5321 §4.5.3.1.10): these go into a transaction of their own. */
  readonly left: Planned[] = []
  /** MAIL was refused: nothing else will do for this message. */
  mailRefused: Verdict | undefined
  /** The server may think that a transaction goes on. */
  open = false
  readonly #options: TransactionOptions
  readonly #wire: Wire
  readonly #accepted: ClientRecipient[] = []
  #stage: AttemptStage = 'mail'

  constructor(options: TransactionOptions) {
    this.#options = options
    this.#wire = options.wire
  }

  get accepted(): number {
    return this.#accepted.length
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      await (this.#options.pipelining ? this.#pipelined() : this.#oneByOne())
    } catch (error) {
      const failure = error instanceof Failure ? error : this.#wire.fail('io', 'internal error', error)
      const verdict = verdictOf(failure, this.#stage)
      const left = new Set(this.left.map(({ recipient }) => recipient))
      for (const { recipient } of this.#options.planned)
        if (!this.verdicts.has(recipient) && !left.has(recipient)) this.verdicts.set(recipient, verdict)
    }
  }

  async #pipelined(): Promise<void> {
    const { mail, planned, reset } = this.#options
    this.#wire.command(...(reset ? ['RSET\r\n'] : []), mail, ...planned.map(({ line }) => line), 'DATA\r\n')
    if (reset) await this.#read('RSET')
    this.#mail(await this.#read('MAIL'))
    if (this.mailRefused !== undefined) return await this.#drain(planned.length)
    this.#stage = 'rcpt'
    for (const one of planned) this.#rcpt(one, await this.#read('RCPT'))
    this.#stage = 'data'
    await this.#data(await this.#read('DATA'))
  }

  async #oneByOne(): Promise<void> {
    const { mail, planned, reset } = this.#options
    if (reset) await this.#ask('RSET\r\n', 'RSET')
    this.#mail(await this.#ask(mail, 'MAIL'))
    if (this.mailRefused !== undefined) return
    this.#stage = 'rcpt'
    for (const one of planned) {
      const enough = this.left[0]?.enough
      if (enough === undefined) this.#rcpt(one, await this.#ask(one.line, 'RCPT'))
      else this.left.push({ ...one, enough })
    }
    if (this.#accepted.length === 0) return
    this.#stage = 'data'
    await this.#data(await this.#ask('DATA\r\n', 'DATA'))
  }

  #ask(line: string, what: string): Promise<ServerReply> {
    this.#wire.command(line)
    return this.#read(what)
  }

  /** A reply that does not end the session. */
  async #read(what: string): Promise<ServerReply> {
    const reply = await this.#wire.read(what, this.#options.timeouts.command)
    if (reply.code === 421) throw refusal(reply, what)
    return reply
  }

  #mail(reply: ServerReply): void {
    if (reply.code < 300) this.open = true
    else {
      this.mailRefused = this.#refused(reply, 'MAIL')
      for (const { recipient } of this.#options.planned) this.verdicts.set(recipient, this.mailRefused)
    }
  }

  #rcpt(one: Planned, reply: ServerReply): void {
    if (reply.code < 300) {
      this.#accepted.push(one.recipient)
      return
    }
    const verdict = this.#refused(reply, 'RCPT')
    // A full mailbox is no sign of too many recipients.
    const enough = (reply.code === 452 || reply.code === 552) && !/^[45]\.2\.2$/.test(reply.enhanced)
    if (enough && this.#accepted.length > 0) this.left.push({ ...one, enough: verdict })
    else this.verdicts.set(one.recipient, verdict)
  }

  /** MAIL was refused; RCPT and DATA are on their way. */
  async #drain(recipients: number): Promise<void> {
    for (let i = 0; i < recipients; i++) await this.#read('RCPT')
    if ((await this.#read('DATA')).code === 354) await this.#nothing()
  }

  async #data(reply: ServerReply): Promise<void> {
    if (reply.code !== 354) {
      if (reply.code < 400) throw this.#protocol(reply, 'DATA')
      this.#settle(this.#refused(reply, 'DATA'))
    } else if (this.#accepted.length === 0) await this.#nothing()
    else await this.#content()
  }

  /** A server that wants a message for nobody gets an empty one: RFC 2920 §3.1. */
  async #nothing(): Promise<void> {
    this.#wire.command('.\r\n')
    await this.#wire.read('the empty message', this.#options.timeouts.end)
    this.open = false
  }

  async #content(): Promise<void> {
    const { content, timeouts } = this.#options
    try {
      for await (const chunk of content.chunks())
        if (!(await this.#wire.write(chunk, timeouts.write))) return this.#interrupted()
    } catch (error) {
      // Half a message must not look like a whole one.
      this.#wire.fail('io', 'the message could not be sent to its end', error)
      throw error
    }
    this.#stage = 'end'
    this.#wire.expect()
    const reply = await this.#wire.read('the message', timeouts.end).catch(error => {
      throw uncertain(error)
    })
    this.open = false
    if (reply.code < 300)
      this.#settle({ kind: 'ok', stage: 'end', code: reply.code, enhanced: reply.enhanced, text: reply.text })
    else if (reply.code < 400) throw uncertain(this.#protocol(reply, 'the message'))
    else this.#settle(this.#refused(reply, 'the message'))
  }

  /** The server answered before the final dot: the rest of the message must not follow, so the connection ends. */
  #interrupted(): void {
    const reply = this.#wire.unasked!
    if (reply.code < 400) throw this.#protocol(reply, 'half a message')
    this.#settle(this.#refused(reply, 'half a message'))
    this.#wire.fail('io', 'the server did not take the whole message')
  }

  #settle(verdict: Verdict): void {
    for (const recipient of this.#accepted) this.verdicts.set(recipient, verdict)
  }

  #refused(reply: ServerReply, what: string): Verdict {
    if (reply.code < 400) throw this.#protocol(reply, what)
    return verdictOf(refusal(reply, what), this.#stage)
  }

  #protocol(reply: ServerReply, what: string): Failure {
    return this.#wire.end(refusal(reply, what))
  }
}

/** RFC 1047: the whole message went out. */
function uncertain(error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  return new Failure(error.kind, `${error.message}; the message may have been delivered`, {
    code: error.code,
    enhanced: error.enhanced,
    cause: error,
  })
}
