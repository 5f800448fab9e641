// One SASL exchange (RFC 4422) around a mechanism written as a generator: it yields challenges, gets the client's responses,
// and returns the outcome. Whatever happens inside, step() gives an answer, and an exchange has exactly one result.
import type { LoginContext, LoginResult, SaslExchange, SaslStep } from '@mox/plugin-sdk'
import type { Authenticator, Outcome } from '../authenticator.ts'

/** Bytes of one message of a client. */
export const MESSAGE_LIMIT = 4096

/** What the mechanism decided: an outcome that is still to be counted, or a result that is; and the server's last message. */
export interface Finished {
  readonly outcome: Outcome | LoginResult
  readonly data?: Buffer
}

/** `initial`: the initial response, if the client sent one. */
export type Mechanism = (initial: Buffer | null) => AsyncGenerator<Buffer, Finished, Buffer>

/** The client did not keep to the mechanism's grammar. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

export class Exchange implements SaslExchange {
  readonly #authenticator: Authenticator
  readonly #context: LoginContext
  readonly #name: string
  readonly #mechanism: Mechanism
  #dialogue: AsyncGenerator<Buffer, Finished, Buffer> | undefined
  #state: 'waiting' | 'busy' | 'done' = 'waiting'

  constructor(authenticator: Authenticator, context: LoginContext, name: string, mechanism: Mechanism) {
    this.#authenticator = authenticator
    this.#context = context
    this.#name = name
    this.#mechanism = mechanism
  }

  async step(response: Buffer | null): Promise<SaslStep> {
    if (this.#state !== 'waiting') return { kind: 'done', result: this.#finish({ result: 'badprotocol' }) }
    this.#state = 'busy'
    try {
      const step = await this.#advance(response)
      if (this.#isOver()) return { kind: 'done', result: this.#finish({ result: 'aborted' }) }
      if (step.done !== true) {
        this.#state = 'waiting'
        return { kind: 'challenge', data: step.value }
      }
      this.#state = 'done'
      const { outcome, data } = step.value
      const result = 'ok' in outcome ? outcome : this.#finish(outcome)
      return { kind: 'done', result, ...(result.ok && data !== undefined ? { data } : {}) }
    } catch (error) {
      this.#state = 'done'
      if (error instanceof ProtocolError) return { kind: 'done', result: this.#finish({ result: 'badprotocol' }) }
      return { kind: 'done', result: this.#authenticator.failed(error, this.#context, this.#name) }
    }
  }

  abort(): void {
    if (this.#state === 'waiting') this.#finish({ result: 'aborted' })
    this.#state = 'done'
  }

  async #advance(response: Buffer | null): Promise<IteratorResult<Buffer, Finished>> {
    if ((response?.length ?? 0) > MESSAGE_LIMIT) throw new ProtocolError('message too long')
    if (this.#dialogue !== undefined) {
      if (response === null) throw new ProtocolError('response missing')
      return await this.#dialogue.next(response)
    }
    this.#dialogue = this.#mechanism(response)
    return await this.#dialogue.next(Buffer.alloc(0))
  }

  /** Given up by the client meanwhile. */
  #isOver(): boolean {
    return this.#state === 'done'
  }

  #finish(outcome: Outcome): LoginResult {
    return this.#authenticator.finish(outcome, this.#context, this.#name)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 text without NUL. */
export function textOf(bytes: Buffer): string {
  try {
    const text = UTF8.decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Told below.
  }
  throw new ProtocolError('not UTF-8')
}
