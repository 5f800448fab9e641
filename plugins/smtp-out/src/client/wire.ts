// The connection: commands go out in as few writes as possible, replies come back in order, every wait has a limit. The first
// failure stays; what the server said before it can still be read. A server that speaks unasked is found out here.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '@mox/plugin-sdk'
import { ReplyParser, type ServerReply } from '@mox/plugin-sdk/mail'
import { Failure } from './failure.ts'
import { startTls, tlsFailure } from './tls.ts'
import { handshakeProblem, isTlsError } from './tls-problem.ts'
import type { ClientTls, FailureKind } from './types.ts'

/** Service not available, closing (RFC 5321 §3.8): the last reply of a session, whenever it comes. */
const CLOSING = 421

export class Wire {
  socket: Socket | TLSSocket
  readonly host: string
  readonly #clock: Clock
  #parser = new ReplyParser()
  #replies: ServerReply[] = []
  /** Replies that were asked for and not read yet, come or not. */
  #expected = 0
  #unasked: ServerReply | undefined
  #closing = false
  #failure: Failure | undefined
  #drained = true
  /** TLS is on and nothing was read since. */
  #fresh = false
  #wake: (() => void) | undefined

  constructor(socket: Socket, host: string, clock: Clock) {
    this.socket = socket
    this.host = host
    this.#clock = clock
    socket.setNoDelay(true)
    this.#listen()
  }

  /** Whether another command makes sense. */
  get usable(): boolean {
    return this.#failure === undefined && this.#unasked === undefined && !this.#closing && !this.#interrupting
  }

  /** In the middle of a reply that nobody asked for. */
  get #interrupting(): boolean {
    return this.#expected === this.#replies.length && this.#parser.partial
  }

  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Whether replies have enhanced status codes from now on. */
  enhancedCodes(announced: boolean): void {
    this.#parser.enhancedCodes = announced
  }

  /** What the server said without being asked. */
  get unasked(): ServerReply | undefined {
    return this.#unasked
  }

  /** Expects one reply more: the greeting, or the reply after the final dot. */
  expect(): void {
    this.#expected++
  }

  /** Sends complete command lines in one write; each has one reply. Throws when the server spoke out of turn. */
  command(...lines: readonly string[]): void {
    const unasked = this.#unasked
    if (unasked?.code === CLOSING) throw new Failure('reply', unasked.text, unasked)
    if (unasked !== undefined) throw this.fail('protocol', `unasked reply from ${this.host}: ${unasked.text}`)
    if (this.#interrupting) throw this.fail('protocol', `unasked reply from ${this.host}`)
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closing) throw new Failure('io', `${this.host} has ended the session`)
    this.#expected += lines.length
    this.socket.write(lines.join(''))
  }

  /** The next reply. `what` it answers, for people; `limit` in milliseconds. Throws a Failure. */
  async read(what: string, limit: number): Promise<ServerReply> {
    if (this.#replies.length === 0)
      await this.#until(() => this.#replies.length > 0, limit, `${this.host} did not answer ${what}`)
    const reply = this.#replies.shift()
    if (reply === undefined) throw this.#failure ?? new Error('a wait ended without a reason')
    this.#expected--
    if (reply.code === CLOSING) this.#closing = true
    return reply
  }

  /** Writes content; false as soon as the server spoke before its turn. `limit` in milliseconds, for all of it to leave. */
  async write(chunk: Buffer, limit: number): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure
    this.#drained = this.socket.write(chunk)
    const done = (): boolean => this.#drained || this.#unasked !== undefined
    if (!done()) await this.#until(done, limit, `${this.host} did not take the message`)
    if (!done() && this.#failure !== undefined) throw this.#failure
    return this.#unasked === undefined
  }

  /** Ends the connection for a reason, unless it has ended already; gives the first reason. */
  fail(kind: FailureKind, text: string, cause?: unknown): Failure {
    return this.end(new Failure(kind, text, cause === undefined ? {} : { cause }))
  }

  end(failure: Failure): Failure {
    this.#failure ??= failure
    this.socket.destroy()
    this.#wake?.()
    return this.#failure
  }

  /** Says QUIT and closes, without waiting for anything. */
  bye(): void {
    if (this.usable) this.socket.write('QUIT\r\n')
    this.#failure ??= new Failure('io', 'the connection is closed')
    this.socket.destroySoon()
  }

  /** TLS from here on. Throws a Failure. */
  async secure(tls: ClientTls, limit: number): Promise<TLSSocket> {
    // RFC 3207 §6: what was sent along with the reply to STARTTLS came from anybody.
    if (this.#unasked !== undefined || this.#interrupting)
      throw this.fail('protocol', `${this.host} sent more before TLS began`)
    const raw = this.socket
    raw.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#onError)
    try {
      const secured = await startTls(raw, tls, this.host, expired => {
        // An end from outside (a signal) ends the wait as well.
        this.#wake = () => this.#failure !== undefined && raw.destroy()
        return this.#clock.after(limit, expired)
      })
      if (this.#failure !== undefined) throw this.#failure
      this.socket = secured
      this.#fresh = true
      this.#listen()
      return secured
    } catch (error) {
      throw this.end(error as Failure)
    } finally {
      this.#wake = undefined
    }
  }

  async #until(done: () => boolean, limit: number, what: string): Promise<void> {
    const cancel = this.#clock.after(limit, () => this.fail('io', `${what} within ${Math.ceil(limit / 1000)} seconds`))
    try {
      while (!done() && this.#failure === undefined)
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
    } finally {
      cancel()
      this.#wake = undefined
    }
  }

  #listen(): void {
    this.socket.on('data', this.#onData).on('drain', this.#onDrain)
    this.socket.on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#fresh = false
    for (const reply of this.#parser.push(chunk)) {
      if (this.#replies.length < this.#expected) this.#replies.push(reply)
      else this.#unasked ??= reply
    }
    if (this.#parser.problem !== undefined) this.fail('protocol', `${this.host}: ${this.#parser.problem}`)
    this.#wake?.()
  }

  readonly #onDrain = (): void => {
    this.#drained = true
    this.#wake?.()
  }

  readonly #onEnd = (): void => {
    this.fail('io', `${this.host} closed the connection`)
  }

  readonly #onError = (error: Error): void => {
    if (this.#fresh && isTlsError(error)) this.end(tlsFailure(this.host, handshakeProblem(error), error))
    else this.fail('io', `the connection to ${this.host} broke: ${error.message}`, error)
  }
}
