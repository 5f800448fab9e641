// One SMTP session: RFC 5321 §4.1 commands in their order, replies, budgets and deadlines. It asks the receiver about
// mail and the directory about users; it answers every command exactly once, whatever those do. A failure on our side is
// 451 4.3.0 and leaves the session usable; a breach of a limit ends it.
import { type ReceiveSession, reply, type SessionInfo, type SmtpReply } from '@mox/plugin-sdk'
import type { ListenerContext, Peer, Wire } from './context.ts'
import type { InputHandler } from './input.ts'
import {
  AUTH_OCTETS,
  BAD_TRANSACTIONS,
  COMMAND_OCTETS,
  DRIP_TIME,
  FAILED_LOGINS,
  HELD_REPLIES,
  MAX_ERRORS,
  MAX_JUNK,
  REFUSED_RECIPIENTS,
  SLOW_LOGINS,
} from './limits.ts'
import type { Login } from './login.ts'
import type { Message } from './message.ts'
import { Timing } from './timing.ts'
import { type Command, type Commands, UNKNOWN_COMMAND } from './verbs.ts'

/** A transaction that MAIL has begun. */
export interface Transaction {
  readonly smtputf8: boolean
  /** Accepted recipients. */
  recipients: number
}

export class Session implements InputHandler {
  readonly context: ListenerContext
  readonly wire: Wire
  readonly info: SessionInfo
  readonly timing: Timing
  /** Aborts when the connection ends. */
  readonly gone: AbortController = new AbortController()
  receive: ReceiveSession | undefined
  transaction: Transaction | undefined
  login: Login | undefined
  message: Message | undefined
  readonly counts = { commands: 0, errors: 0, junk: 0, refusedRecipients: 0, failedLogins: 0, good: 0, bad: 0 }
  readonly #commands: Commands
  #held = ''
  #lastCode = 0
  #lastEnhanced = ''
  #slow = false
  #draining = false
  #closed = false

  constructor(context: ListenerContext, wire: Wire, peer: Peer, commands: Commands) {
    this.context = context
    this.wire = wire
    this.#commands = commands
    const now = context.services.clock.now()
    this.timing = new Timing(context.limits.idleSeconds * 1000, now)
    this.info = {
      id: peer.id,
      kind: context.kind,
      listener: context.name,
      hostname: context.hostname,
      localIp: peer.localIp,
      remoteIp: peer.remoteIp,
      remotePort: peer.remotePort,
      connectedAt: now,
      helo: '',
      protocol: 'SMTP',
      ...(peer.tls === undefined ? {} : { tls: peer.tls }),
    }
  }

  get closed(): boolean {
    return this.#closed
  }

  get now(): number {
    return this.context.services.clock.now()
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Greets, or sends the client away; never rejects. Input is read once it has resolved. */
  async open(early: () => boolean): Promise<void> {
    const { services, earlyTalkerMs, watchdog, kind } = this.context
    watchdog.add(this)
    try {
      if (kind === 'submission' && services.directory.limited(this.info.remoteIp))
        return this.farewell(reply(421, '4.7.0', 'too many failed logins'))
      if (earlyTalkerMs > 0) {
        await services.clock.sleep(earlyTalkerMs, this.gone.signal)
        if (early()) return this.farewell(reply(421, '4.7.0', 'wait for the greeting before you talk'))
      }
      const { session, reply: refusal } = await services.receiver.open(this.info, this.gone.signal)
      this.receive = session
      if (this.#closed) return session.close()
      if (refusal !== undefined && refusal.code >= 400) return this.farewell(refusal)
      this.#held = `220 ${this.info.hostname} ESMTP mox\r\n`
      this.idle(false)
    } catch (error) {
      if (!this.#closed) this.failed(error)
    }
  }

  // Input ------------------------------------------------------------------------------------------------------------

  get inData(): boolean {
    return this.message !== undefined
  }

  ready(): Promise<void> | undefined {
    if (!this.#slow) return undefined
    this.timing.us(this.now)
    return this.context.services.clock.sleep(1000, this.gone.signal).catch(() => {})
  }

  lineLimit(start: Buffer): number {
    if (this.login !== undefined) return AUTH_OCTETS
    return this.info.kind === 'submission' && /^auth /i.test(start.toString('latin1')) ? AUTH_OCTETS : COMMAND_OCTETS
  }

  broken(why: 'long' | 'newline'): void {
    this.context.metrics.error(why === 'long' ? 'longline' : 'barenewline')
    this.farewell(why === 'long' ? reply(500, '5.5.0', 'line too long') : reply(500, '5.5.2', 'lines must end in CRLF'))
  }

  command(line: Buffer): Promise<void> | undefined {
    const started = this.now
    const text = line.toString()
    const command = this.login === undefined ? this.#find(text) : this.#commands.response
    this.context.services.log.trace(
      { cid: this.info.id, line: this.login === undefined ? withoutSecrets(text) : '***' },
      'client',
    )
    this.counts.commands++
    let answer: Promise<void> | undefined
    try {
      answer = this.#overBudget() ? undefined : command.run(this, text)
    } catch (error) {
      this.#internal(error)
    }
    if (answer === undefined) return this.#answered(command, started)
    this.timing.us(started)
    return answer.catch(error => this.#internal(error)).then(() => this.#answered(command, started))
  }

  #find(text: string): Command {
    if (/[\x00-\x1f\x7f]/.test(text)) return this.#commands.control
    const space = text.indexOf(' ')
    return this.#commands.verbs.get((space < 0 ? text : text.slice(0, space)).toUpperCase()) ?? UNKNOWN_COMMAND
  }

  #answered(command: Command, started: number): Promise<void> | undefined {
    const seconds = (this.now - started) / 1000
    this.context.metrics.command(this.info.kind, command.name, this.#lastCode, this.#lastEnhanced, seconds)
    return this.#held.length > HELD_REPLIES ? this.flush() : undefined
  }

  data(chunk: Buffer): Promise<number> {
    return this.message!.take(this, chunk)
  }

  idle(partial: boolean): Promise<void> | undefined {
    if (this.#closed) return undefined
    if (this.#draining && this.#isIdle()) return void this.farewell(SHUTTING_DOWN)
    const sent = this.flush()
    if (sent !== undefined) return sent.then(() => this.#wait(partial))
    this.#wait(partial)
    return undefined
  }

  #wait(partial: boolean): void {
    if (this.timing.waiting === 'handshake') return
    if (this.message !== undefined) this.timing.content(this.now, 0)
    else this.timing.command(this.now, partial)
  }

  ended(): void {
    this.close()
  }

  failed(error: unknown): void {
    this.#log(error)
    this.farewell(reply(421, '4.3.0', 'error on our side'))
  }

  // Output -----------------------------------------------------------------------------------------------------------

  /** The answer to a command; errors carry the session's id. */
  reply(r: SmtpReply): void {
    this.#lastCode = r.code
    this.#lastEnhanced = r.enhanced ?? ''
    const enhanced = r.enhanced === undefined ? '' : `${r.enhanced} `
    this.line(`${r.code} ${enhanced}${printable(r.text)}${r.code < 400 ? '' : ` (${this.info.id})`}`)
  }

  /** A refusal that counts against the session's budget. */
  refuse(code: number, enhanced: string, text: string): void {
    this.counts.errors++
    this.reply(reply(code, enhanced, text))
  }

  /** One line of a reply, without CRLF. */
  line(text: string): void {
    if (this.#closed) return
    this.context.services.log.trace({ cid: this.info.id, line: text }, 'server')
    this.#held += `${text}\r\n`
  }

  /** Several lines of a reply. */
  lines(code: number, texts: readonly string[]): void {
    this.#lastCode = code
    this.#lastEnhanced = ''
    for (const [i, text] of texts.entries()) this.line(`${code}${i < texts.length - 1 ? '-' : ' '}${text}`)
  }

  /** Sends what is held back. */
  flush(): Promise<void> | undefined {
    if (this.#held === '' || this.#closed) return undefined
    const text = this.#held
    this.#held = ''
    if (this.#slow) return this.#drip(text)
    const sent = this.wire.write(text)
    if (sent !== undefined) this.timing.output(this.now)
    return sent
  }

  /** One octet a second, then the rest. */
  async #drip(text: string): Promise<void> {
    const { clock } = this.context.services
    const until = clock.now() + DRIP_TIME
    this.timing.us(clock.now())
    let at = 0
    while (at < text.length && clock.now() < until && !this.#closed && this.#slow) {
      await this.wire.write(text.charAt(at++))
      await clock.sleep(1000, this.gone.signal).catch(() => {})
    }
    if (!this.#closed) await this.wire.write(text.slice(at))
  }

  // Life cycle -------------------------------------------------------------------------------------------------------

  /** A last reply, then the end. */
  farewell(r: SmtpReply): void {
    if (this.#closed) return
    this.reply(r)
    this.close()
  }

  close(): void {
    if (this.#closed) return
    const rest = this.#held
    this.#closed = true
    if (rest !== '') void this.wire.write(rest)
    this.wire.close()
  }

  /** RFC 3207 §4.2: forgets everything the client said before TLS. */
  secured(tls: NonNullable<SessionInfo['tls']>): void {
    this.reset()
    this.info.tls = tls
    this.info.helo = ''
    this.info.protocol = 'SMTP'
    this.timing.command(this.now, false)
  }

  /** The connection has ended. */
  gonePeer(): void {
    this.#closed = true
    this.context.watchdog.delete(this)
    this.gone.abort(PEER_GONE)
    this.#quietly(() => this.login?.abort())
    this.#quietly(() => this.message?.abort())
    this.#quietly(() => this.receive?.close())
  }

  /** Stops at the next moment when no transaction is open. */
  drain(): void {
    this.#draining = true
    if (this.timing.waiting === 'handshake') this.wire.destroy()
    else if (this.timing.waiting === 'command' && this.#isIdle()) this.farewell(SHUTTING_DOWN)
  }

  /** Ends a session that had its time. */
  cut(): void {
    this.farewell(SHUTTING_DOWN)
  }

  tick(now: number): void {
    if (this.#closed || !this.timing.expired(now)) return
    const { waiting } = this.timing
    this.context.metrics.error('timeout')
    if (waiting === 'output' || waiting === 'handshake') this.wire.destroy()
    else if (waiting === 'us') this.farewell(reply(421, '4.3.0', 'we took too long, try again later'))
    else this.farewell(reply(421, '4.4.2', 'you took too long'))
  }

  #isIdle(): boolean {
    return this.transaction === undefined && this.login === undefined && this.message === undefined
  }

  // Counters ---------------------------------------------------------------------------------------------------------

  /** Ends the transaction, if there is one. */
  reset(): void {
    if (this.transaction === undefined) return
    this.transaction = undefined
    this.timing.transaction(undefined)
    this.#quietly(() => this.receive?.reset())
  }

  /** A message was accepted. */
  accepted(): void {
    this.counts.good++
    this.counts.errors = this.counts.junk = this.counts.refusedRecipients = 0
  }

  /** RFC 5321 §7.8: a client that has shown bad will is served slowly. */
  slowDown(slow: boolean): void {
    this.#slow = slow && this.context.limits.slowMode
  }

  /** Counts a failed login; resolves after the pause that it costs. */
  async loginFailed(): Promise<void> {
    const extra = ++this.counts.failedLogins - SLOW_LOGINS
    if (extra >= 0) this.slowDown(true)
    if (extra > 0 && this.context.limits.slowMode)
      await this.context.services.clock.sleep(extra * 1000, this.gone.signal).catch(() => {})
  }

  get tooManyBadTransactions(): boolean {
    return this.counts.good === 0 && this.counts.bad > BAD_TRANSACTIONS
  }

  /** Sends the client away when a budget is used up. */
  #overBudget(): boolean {
    const { errors, junk, refusedRecipients, failedLogins } = this.counts
    const why = errors >= MAX_ERRORS ? 'errors' : junk >= MAX_JUNK ? 'commands without mail' : undefined
    const other = refusedRecipients >= REFUSED_RECIPIENTS ? 'refused recipients' : undefined
    const logins = failedLogins >= FAILED_LOGINS && this.info.account === undefined ? 'failed logins' : undefined
    const reason = why ?? other ?? logins
    if (reason === undefined) return false
    this.context.metrics.error('budget')
    this.farewell(reply(421, '4.7.0', `too many ${reason}`))
    return true
  }

  #internal(error: unknown): void {
    this.#log(error)
    if (this.transaction === undefined) this.#quietly(() => this.receive?.reset())
    this.reply(reply(451, '4.3.0', 'error on our side, try again later'))
  }

  /** For what runs outside of a command: an exception there would end the process. */
  #quietly(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#log(error)
    }
  }

  #log(error: unknown): void {
    this.context.metrics.error('internal')
    this.context.services.log.error({ cid: this.info.id, err: error }, 'SMTP session: unexpected error')
  }
}

/** One for all: an error of its own for each connection costs more than the rest of its end. */
const PEER_GONE: Error = new Error('the connection has ended')
const SHUTTING_DOWN: SmtpReply = reply(421, '4.3.2', 'shutting down')

/** A command line as it may be logged. */
function withoutSecrets(line: string): string {
  return /^\s*auth/i.test(line) ? line.replace(/^(\s*\S+\s+\S+\s).*$/s, '$1***') : line
}

/** No control character and nothing else than ASCII leaves in a reply; RFC 5321 §4.5.3.1.5 limits its length. */
function printable(text: string): string {
  const cut = text.length > 400 ? text.slice(0, 400) : text
  return /[^\x20-\x7e]/.test(cut) ? cut.replace(/[^\x20-\x7e]/g, '?') : cut
}
