// One AUTH exchange: RFC 4954 §4 around the directory's SASL mechanisms. Base64 is read strictly; what goes wrong between
// us and the client is a refusal, what the directory decides is a result.
import { type LoginResult, reply, type SaslExchange, type SmtpReply } from '@mox/plugin-sdk'

export type LoginStep =
  /** Text for a 334 reply. */
  | { readonly kind: 'challenge'; readonly text: string }
  | { readonly kind: 'result'; readonly result: LoginResult }
  /** The exchange is over without a result. */
  | { readonly kind: 'refused'; readonly reply: SmtpReply }

/** RFC 4648 §4 with padding and without anything else; null when malformed. */
export function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

const MALFORMED: SmtpReply = reply(501, '5.5.2', 'malformed base64')

export class Login {
  readonly #exchange: SaslExchange
  /** The outcome, while the client still has to answer the server's last message. */
  #outcome: LoginResult | undefined

  constructor(exchange: SaslExchange) {
    this.#exchange = exchange
  }

  /** `initial`: the command's second argument; "=" is an empty response. */
  async begin(initial: string | undefined): Promise<LoginStep> {
    if (initial === undefined) return this.#step(null)
    const response = initial === '=' ? Buffer.alloc(0) : decodeBase64(initial)
    return response === null || initial === '' ? this.#malformed() : this.#step(response)
  }

  /** One continuation line. */
  async respond(line: string): Promise<LoginStep> {
    if (line === '*') {
      this.#exchange.abort()
      return { kind: 'refused', reply: reply(501, '5.7.0', 'authentication aborted') }
    }
    const response = decodeBase64(line)
    if (response === null) return this.#malformed()
    if (this.#outcome === undefined) return this.#step(response)
    if (response.length > 0) return { kind: 'refused', reply: reply(501, '5.5.2', 'expected an empty response') }
    return { kind: 'result', result: this.#outcome }
  }

  /** The client is gone. */
  abort(): void {
    this.#exchange.abort()
  }

  #malformed(): LoginStep {
    this.#exchange.abort()
    return { kind: 'refused', reply: MALFORMED }
  }

  async #step(response: Buffer | null): Promise<LoginStep> {
    const step = await this.#exchange.step(response)
    if (step.kind === 'challenge') return { kind: 'challenge', text: step.data.toString('base64') }
    if (step.data === undefined || !step.result.ok) return { kind: 'result', result: step.result }
    this.#outcome = step.result
    return { kind: 'challenge', text: step.data.toString('base64') }
  }
}
