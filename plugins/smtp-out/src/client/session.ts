// From a connected socket to a session: greeting, EHLO or HELO, TLS, login (RFC 5321 §3.1 and §3.2, RFC 3207, RFC 4954). All
// that goes wrong is a ClientError that knows how far it came, and the socket is gone.
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AttemptStage } from '@mox/plugin-sdk'
import type { ServerReply } from '@mox/plugin-sdk/mail'
import { SmtpClient } from './client.ts'
import { greetingLine } from './commands.ts'
import { NO_EXTENSIONS, parseExtensions } from './extensions.ts'
import { answerOf, Failure, local, refusal } from './failure.ts'
import { logIn } from './login.ts'
import { channelBinding, type Facts, factsOf, objection } from './tls.ts'
import { type Client, ClientError, type ClientOptions, type Connect, type Extensions } from './types.ts'
import { Wire } from './wire.ts'

export const connect: Connect = async options => await new Session(options).open()

/** Replies to EHLO of servers that know HELO only: RFC 5321 §3.2 and what there is. */
const NO_EHLO: readonly number[] = [500, 501, 502, 503, 504]

class Session {
  readonly #options: ClientOptions
  readonly #wire: Wire
  #stage: AttemptStage = 'greeting'
  #facts: Facts | undefined
  #secured: TLSSocket | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.#wire = new Wire(options.socket, options.host, options.clock)
  }

  async open(): Promise<Client> {
    const { signal, log, host, timeouts } = this.#options
    const onAbort = (): void => void this.#wire.fail('io', 'given up on our side', signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const extensions = await this.#begin()
      const failure = this.#wire.failure
      if (failure !== undefined) throw failure
      log.debug({ host, tls: this.#facts?.version ?? 'none' }, 'session open')
      return new SmtpClient(this.#wire, extensions, this.#facts, timeouts)
    } catch (error) {
      throw this.#given(error)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #begin(): Promise<Extensions> {
    const { tls, timeouts, credentials, socket } = this.#options
    this.#wire.expect()
    if (tls.mode === 'implicit') await this.#secure()
    this.#stage = 'greeting'
    const greeting = await this.#wire.read('the connection', timeouts.greeting)
    if (greeting.code !== 220) throw refusal(greeting, 'the connection')
    let extensions = await this.#hello()
    if (tls.mode === 'required' || (tls.mode === 'opportunistic' && extensions.starttls)) {
      await this.#startTls(extensions)
      extensions = await this.#hello()
    }
    if (credentials === undefined) return extensions
    this.#stage = 'auth'
    await logIn(
      this.#wire,
      credentials,
      {
        announced: extensions.auth,
        binding: this.#secured === undefined ? undefined : channelBinding(this.#secured),
        secret: this.#secured !== undefined || isLoopback(socket.remoteAddress ?? ''),
      },
      timeouts.command,
    )
    return extensions
  }

  async #hello(): Promise<Extensions> {
    this.#stage = 'ehlo'
    const { ehlo } = this.#options
    const reply = await this.#ask(greetingLine('EHLO', ehlo), 'EHLO')
    if (reply.code === 250) {
      const extensions = parseExtensions(reply.text)
      this.#wire.enhancedCodes(extensions.enhancedStatusCodes)
      return extensions
    }
    // Who had STARTTLS has EHLO.
    if (!NO_EHLO.includes(reply.code) || this.#secured !== undefined) throw refusal(reply, 'EHLO')
    const second = await this.#ask(greetingLine('HELO', ehlo), 'HELO')
    if (second.code !== 250) throw refusal(second, 'HELO')
    return NO_EXTENSIONS
  }

  async #startTls(extensions: Extensions): Promise<void> {
    this.#stage = 'starttls'
    const { host } = this.#options
    const reply = await this.#ask('STARTTLS\r\n', 'STARTTLS')
    if (reply.code === 220) return await this.#secure()
    if (reply.code < 400 || reply.code === 421) throw refusal(reply, 'STARTTLS')
    const reason = extensions.starttls ? `smtp-starttls-reply-code-${reply.code}` : ''
    const text = extensions.starttls ? 'STARTTLS was refused' : 'STARTTLS is not offered'
    throw new Failure('tls', `no TLS with ${host}: ${text}: ${reply.text}`, {
      code: reply.code,
      enhanced: reply.enhanced,
      problem: { type: 'starttls-not-supported', reason, text },
    })
  }

  async #secure(): Promise<void> {
    this.#stage = 'starttls'
    const { tls, host, timeouts } = this.#options
    this.#secured = await this.#wire.secure(tls, timeouts.tls)
    this.#facts = factsOf(this.#secured, tls.serverName)
    const refused = objection(this.#secured, tls, this.#facts, host)
    if (refused !== undefined) throw this.#wire.end(refused)
  }

  async #ask(line: string, what: string): Promise<ServerReply> {
    this.#wire.command(line)
    return await this.#wire.read(what, this.#options.timeouts.command)
  }

  #given(error: unknown): ClientError {
    const failure = error instanceof Failure ? error : local(451, '4.3.0', 'internal error')
    // Polite to a server that is there and only said no.
    if (failure.kind === 'reply' || failure.kind === 'local') this.#wire.bye()
    else this.#wire.end(failure)
    const stage = failure.kind === 'tls' ? 'starttls' : this.#stage
    const cause = error instanceof Failure ? (error.cause ?? error) : error
    return new ClientError(failure.kind, answerOf(failure, stage), this.#facts, cause, failure.problem)
  }
}

function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && /^(?:127\.|::1$|::ffff:127\.)/.test(address)
}
