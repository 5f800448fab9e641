// DATA: message content on its way from the client to the receiver's sink. Memory is one chunk; an endless message is cut
// a little beyond the limit, a refused one is read to its end so that the client sees why.
import { type DataSink, reply } from '@mox/plugin-sdk'
import { DotReader } from './dots.ts'
import { SIZE_SLACK } from './limits.ts'
import type { Session } from './session.ts'

export class Message {
  readonly #sink: DataSink
  readonly #maxSize: number
  readonly #dots = new DotReader()
  #size = 0
  #over = false

  constructor(sink: DataSink, maxSize: number) {
    this.#sink = sink
    this.#maxSize = maxSize
  }

  /** Takes the next octets from the client; resolves with how many of them belong to the message. */
  async take(session: Session, chunk: Buffer): Promise<number> {
    const taken = chunk.length
    const { content, end } = this.#dots.push(chunk)
    session.timing.us(session.now)
    for (const piece of content) {
      this.#size += piece.length
      if (this.#size > this.#maxSize + SIZE_SLACK) {
        this.abort()
        session.context.metrics.error('oversize')
        session.farewell(reply(552, '5.3.4', 'message too large'))
        return taken
      }
      await this.#sink.write(piece)
    }
    if (end < 0) {
      session.timing.content(session.now, taken)
      return taken
    }
    session.timing.finishing(session.now)
    this.#over = true
    const answer = await this.#sink.finish()
    if (!session.closed) this.#answer(session, answer.code < 400, answer)
    return end
  }

  #answer(session: Session, accepted: boolean, answer: Parameters<Session['reply']>[0]): void {
    const { info, context } = session
    session.message = undefined
    session.reply(answer)
    context.metrics.message(info.kind, answer.code, accepted ? 'accepted' : (answer.enhanced ?? 'refused'))
    context.services.log.debug({ cid: info.id, size: this.#size, code: answer.code }, 'end of message')
    if (accepted) {
      session.accepted()
      session.counts.bad--
    } else if (answer.code >= 500 && info.account === undefined) session.slowDown(true)
    session.reset()
  }

  /** Nothing is to be stored. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#sink.abort().catch(() => {})
  }
}
