// Takes the bytes of one message: through the ingress reader, then to the content store, with its back-pressure. A
// message that can only be refused is not stored any further; its bytes are read and dropped. Nothing here throws.
import type { ContentWriter, DataSink, SmtpReply } from '@mox/plugin-sdk'
import { IngressReader } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import { accept } from './accept.ts'
import { failureReply } from './failure.ts'
import { REPLIES, violationReply } from './replies.ts'
import { type Acceptance, refused, type Transaction } from './transaction.ts'

const TAKEN = Promise.resolve()

export class MessageSink implements DataSink {
  refused: SmtpReply | undefined
  readonly #deps: StageDeps
  readonly #transaction: Transaction
  readonly #reader: IngressReader
  readonly #done: ((acceptance: Acceptance) => void) | undefined
  #writer: ContentWriter | undefined

  constructor(
    deps: StageDeps,
    transaction: Transaction,
    maxSize: number,
    done: ((acceptance: Acceptance) => void) | undefined,
  ) {
    this.#deps = deps
    this.#transaction = transaction
    this.#reader = new IngressReader({ maxSize })
    this.#done = done
    try {
      this.#writer = deps.storage.content.writer()
    } catch (error) {
      this.#fail(error)
    }
  }

  write(chunk: Buffer): Promise<void> {
    if (this.#writer === undefined) return TAKEN
    this.#reader.push(chunk)
    const { violation } = this.#reader
    if (violation === undefined) return this.#writer.write(chunk).catch(error => this.#fail(error))
    this.refused = violationReply(violation)
    return this.abort()
  }

  async finish(): Promise<SmtpReply> {
    const acceptance = await this.#decide()
    this.#done?.(acceptance)
    return acceptance.reply
  }

  async #decide(): Promise<Acceptance> {
    const writer = this.#writer
    if (writer === undefined) return refused(this.#transaction, this.refused ?? REPLIES.closed)
    const { content } = this.#deps.storage
    try {
      const ingress = this.#reader.finish()
      const [violation] = ingress.violations
      if (violation !== undefined || ingress.hasNul) {
        return refused(this.#transaction, violation === undefined ? REPLIES.nul : violationReply(violation))
      }
      const hash = Buffer.from(ingress.hash, 'hex')
      const staged = await writer.finish(hash)
      return await accept(this.#deps, this.#transaction, {
        ingress,
        earlier: undefined,
        open: () => content.openStaged(staged),
        hash: async () => hash,
        keep: () => content.keep(staged),
      })
    } catch (error) {
      return refused(this.#transaction, this.#reply(error))
    } finally {
      // What was kept belongs to the content store now; the rest is forgotten.
      await this.abort()
    }
  }

  async abort(): Promise<void> {
    const writer = this.#writer
    this.#writer = undefined
    try {
      await writer?.abort()
    } catch (error) {
      this.#reply(error)
    }
  }

  #fail(error: unknown): void {
    this.refused = this.#reply(error)
    void this.abort()
  }

  #reply(error: unknown): SmtpReply {
    return failureReply(this.#deps, { session: this.#transaction.info.id, stage: 'data' }, error)
  }
}

/** Reads and drops; always answers the same. */
export function refusingSink(reply: SmtpReply): DataSink {
  return { refused: reply, write: () => TAKEN, finish: async () => reply, abort: () => TAKEN }
}
