// One connection to an LMTP server: commands out, replies in, a limit for every wait. What goes wrong is an LmtpError, after
// which the connection is of no use.
import { connect, type Socket } from 'node:net'
import type { Clock } from '@mox/plugin-sdk'
import { ReplyParser, type ServerReply } from '@mox/plugin-sdk/mail'

export class LmtpError extends Error {
  override readonly name = 'LmtpError'
}

export type Address = { readonly path: string } | { readonly host: string; readonly port: number }

/** Milliseconds. */
export const LIMITS = { connect: 10_000, command: 60_000, write: 60_000, end: 600_000 } as const

export class Connection {
  readonly parser: ReplyParser = new ReplyParser()
  readonly #socket: Socket
  readonly #clock: Clock
  #replies: ServerReply[] = []
  /** Replies that were asked for and not read yet; the greeting is one. */
  #expected = 1
  #error: LmtpError | undefined
  #ready = false
  #wake: (() => void) | undefined

  constructor(address: Address, clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#socket = connect({ ...address, noDelay: true })
    this.#socket.on('connect', () => this.#drained()).on('drain', () => this.#drained())
    this.#socket.on('data', (chunk: Buffer) => {
      this.#replies.push(...this.parser.push(chunk))
      if (this.#replies.length > this.#expected) this.#fail('the LMTP server speaks without being asked')
      if (this.parser.problem !== undefined) this.#fail(`the server does not speak LMTP: ${this.parser.problem}`)
      this.#wake?.()
    })
    this.#socket.on('error', error => this.#fail(`no connection to the LMTP server: ${error.message}`))
    this.#socket.on('close', () => this.#fail('the LMTP server closed the connection'))
    const onAbort = (): void => this.#fail('given up on our side')
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#socket.on('close', () => signal.removeEventListener('abort', onAbort))
  }

  async connected(): Promise<void> {
    await this.#until(() => this.#ready, LIMITS.connect, 'connecting to the LMTP server')
  }

  /** Sends complete lines, each of which has a reply. */
  command(...lines: readonly string[]): void {
    if (this.#error !== undefined) throw this.#error
    this.#expected += lines.length
    this.#socket.write(`${lines.join('\r\n')}\r\n`)
  }

  /** Expects so many replies to what is written next. */
  expect(replies: number): void {
    this.#expected += replies
  }

  async reply(what: string, limit: number = LIMITS.command): Promise<ServerReply> {
    await this.#until(() => this.#replies.length > 0, limit, what)
    this.#expected--
    return this.#replies.shift()!
  }

  /** Resolves when more may be written. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    this.#ready = this.#socket.write(chunk)
    await this.#until(() => this.#ready, LIMITS.write, 'sending the message')
  }

  /** Says goodbye where that still goes, and waits for nothing. */
  close(): void {
    if (this.#error === undefined) this.#socket.write('QUIT\r\n')
    this.#error ??= new LmtpError('the connection is closed')
    this.#socket.destroySoon()
  }

  /** Without a word: what was sent so far must not be taken for a message. */
  destroy(): void {
    this.#fail('the connection is closed')
  }

  async #until(done: () => boolean, limit: number, what: string): Promise<void> {
    if (done()) return
    const cancel = this.#clock.after(limit, () => this.#fail(`${what} took more than ${limit / 1000} seconds`))
    try {
      while (!done()) {
        if (this.#error !== undefined) throw this.#error
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      cancel()
      this.#wake = undefined
    }
  }

  #drained(): void {
    this.#ready = true
    this.#wake?.()
  }

  #fail(text: string): void {
    this.#error ??= new LmtpError(text)
    this.#socket.destroy()
    this.#wake?.()
  }
}
