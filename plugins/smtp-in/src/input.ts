// What a client sends, cut into command lines and message content; takes the place of smtp-server's parser. Replies are
// the same however the bytes were cut into packets. One thing is processed at a time, and the socket is not read on until
// it is done, so memory is bounded by one chunk in work and one waiting.
import { Writable } from 'node:stream'
import { READ_AHEAD } from './limits.ts'

export interface InputHandler {
  /** Resolves when input may be processed; undefined when it may at once. */
  ready(): Promise<void> | undefined
  /** One command line without its CRLF. */
  command(line: Buffer): Promise<void> | undefined
  /** A line that is too long, or has an LF without a CR. Nothing more is read. */
  broken(why: 'long' | 'newline'): void
  /** Longest line allowed, with its CRLF. */
  lineLimit(start: Buffer): number
  /** True when the next octets are message content. */
  readonly inData: boolean
  /** Message content; resolves with the number of octets taken, the rest being commands. */
  data(chunk: Buffer): Promise<number>
  /** All complete lines are processed; `partial` when the beginning of another one is there. */
  idle(partial: boolean): Promise<void> | undefined
  /** The client will send nothing more. */
  ended(): void
  /** A bug of ours: the session cannot go on. */
  failed(error: unknown): void
}

const LF = 0x0a
const CR = 0x0d

export class Input extends Writable {
  /** Set by smtp-server's connection when nothing more may be processed; input is then thrown away. */
  isClosed = false
  readonly #handler: InputHandler
  #partial: Buffer | undefined

  constructor(handler: InputHandler) {
    super({ highWaterMark: READ_AHEAD, decodeStrings: false, emitClose: false })
    this.#handler = handler
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, next: () => void): void {
    this.#process(chunk).then(next, error => {
      this.isClosed = true
      this.#handler.failed(error)
      next()
    })
  }

  override _final(done: () => void): void {
    if (!this.isClosed) this.#handler.ended()
    done()
  }

  async #process(chunk: Buffer): Promise<void> {
    const handler = this.#handler
    const ready = this.isClosed ? undefined : handler.ready()
    if (ready !== undefined) await ready
    const known = this.#partial?.length ?? 0
    const input = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk])
    this.#partial = undefined
    let at = 0
    let from = known
    while (!this.isClosed) {
      if (handler.inData) {
        if (at === input.length) break
        at += await handler.data(at === 0 ? input : input.subarray(at))
        from = at
        continue
      }
      const lf = input.indexOf(LF, from)
      const limit = handler.lineLimit(input.subarray(at, at + 5))
      if ((lf < 0 ? input.length : lf + 1) - at > limit - (lf < 0 ? 1 : 0)) return this.#stop('long')
      if (lf < 0) break
      if (input[lf - 1] !== CR || lf === at) return this.#stop('newline')
      const answer = handler.command(input.subarray(at, lf - 1))
      at = from = lf + 1
      if (answer !== undefined) await answer
    }
    if (this.isClosed) return
    if (at < input.length) this.#partial = Buffer.from(input.subarray(at))
    const sent = handler.idle(this.#partial !== undefined)
    if (sent !== undefined) await sent
  }

  #stop(why: 'long' | 'newline'): void {
    this.isClosed = true
    this.#handler.broken(why)
  }
}
