// The SMTP client as the transports see it: one session on one connection, any number of transactions. It knows nothing of
// queues, DNS or policies: what it is given it does, and what it saw it tells.
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { AttemptStage, Clock, Log, Notify, TlsFacts } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'

/**
 * - `implicit`: TLS from the first byte.
 * - `required`: STARTTLS, also when it is not announced.
 * - `opportunistic`: STARTTLS where it is announced.
 * - `none`: never.
 */
export type TlsMode = 'implicit' | 'required' | 'opportunistic' | 'none'

export interface ClientTls {
  readonly mode: TlsMode
  /** The name asked for (SNI) and checked against WebPKI. */
  readonly serverName: string
  /** A certificate that WebPKI does not verify ends the session. Otherwise it is only reported. */
  readonly verify: boolean
  /** Trust anchors and the like; default: those of the system. */
  readonly context?: SecureContext
  /**
   * Asked with the certificate chain as DER, leaf first, when the handshake is done, whatever `verify` found: text when it
   * is not acceptable. A place for DANE. Only names link the chain, no signature was checked, and an anchor of `context` may
   * have been added at its end.
   */
  readonly accept?: (chain: readonly Buffer[]) => string | undefined
}

export interface Credentials {
  readonly username: string
  readonly password: string
  /** SASL mechanisms that may be used, strongest first, upper case. PLAIN and LOGIN need TLS or a server on this machine. */
  readonly mechanisms: readonly string[]
}

/** Milliseconds (RFC 5321 §4.5.3.2 has the longest that a client may have to wait; ours are shorter where that is safe). */
export interface Timeouts {
  readonly greeting: number
  readonly tls: number
  /** Any command but those below. */
  readonly command: number
  /** Writing one chunk of the message. */
  readonly write: number
  /** The reply after the final dot. */
  readonly end: number
  readonly quit: number
}

export interface ClientOptions {
  /** Connected already; the client owns it from now on. */
  readonly socket: Socket
  /** For error texts. */
  readonly host: string
  /** Our own name in EHLO. */
  readonly ehlo: string
  readonly tls: ClientTls
  readonly credentials?: Credentials
  readonly timeouts: Timeouts
  readonly clock: Clock
  readonly log: Log
  /** Ends the attempt to get a session. One that was had is ended with `destroy`. */
  readonly signal: AbortSignal
}

/** What EHLO announced; after HELO nothing is. */
export interface Extensions {
  readonly starttls: boolean
  readonly enhancedStatusCodes: boolean
  readonly eightBitMime: boolean
  readonly pipelining: boolean
  readonly requireTls: boolean
  readonly smtputf8: boolean
  readonly dsn: boolean
  /** Octets; undefined when not announced, 0 for no limit. */
  readonly size?: number
  /** Upper case. */
  readonly auth: readonly string[]
  /** RFC 9422. */
  readonly limits: { readonly rcptMax?: number; readonly mailMax?: number; readonly rcptDomainMax?: number }
}

export interface ClientRecipient {
  readonly id: number
  readonly path: Path
  readonly notify?: readonly Notify[]
  /** Decoded; goes on the wire as xtext. */
  readonly orcpt?: string
}

export interface ClientMessage {
  readonly reversePath: Path | null
  readonly recipients: readonly [ClientRecipient, ...ClientRecipient[]]
  /** Octets. */
  readonly size: number
  readonly has8bit: boolean
  readonly smtputf8: boolean
  /** Sent as REQUIRETLS (RFC 8689). */
  readonly requireTls: boolean
  readonly ret?: 'FULL' | 'HDRS'
  readonly envid?: string
  /** May be called more than once: a large message is looked at before it is sent, and sent once for each transaction. */
  open(): AsyncIterable<Buffer>
}

/**
 * What a server said, or what happened instead of a reply.
 * - `reply`: `code`, `enhanced` and `text` are the server's.
 * - `local`: we decided by what the server announced; `code` and `enhanced` are what we would answer.
 * - `io`: the connection broke or a time limit passed.
 * - `tls`: STARTTLS was refused (`code` is that of the reply), the handshake failed, or the certificate was not acceptable.
 * - `protocol`: the server said something that is no SMTP; the connection cannot be used any more.
 */
export type FailureKind = 'reply' | 'local' | 'io' | 'tls' | 'protocol'

export interface Answer {
  readonly stage: AttemptStage
  /** 0 without a reply. */
  readonly code: number
  /** '' when unknown. */
  readonly enhanced: string
  /** Lines of a multi-line reply joined by "\n". */
  readonly text: string
}

export interface RecipientAnswer extends Answer {
  readonly id: number
  readonly kind: 'ok' | FailureKind
  /** NOTIFY and ORCPT were passed on to a server that announced DSN. */
  readonly dsn: boolean
  /** The server takes no more transactions on this connection (RFC 9422 MAILMAX); on another one it may take this recipient. */
  readonly left?: true
}

/** Why there is no TLS, or none to be trusted, as TLS reports tell it. */
export interface TlsProblem {
  /** A result type of RFC 8460 §4.3. */
  readonly type: string
  /** A failure-reason-code (RFC 8460 §4.4) such as "tls-remote-alert-40-handshake-failure"; '' when the type says it all. */
  readonly reason: string
  /** For people. */
  readonly text: string
}

/** The session cannot be had: no greeting, no EHLO, no TLS, no login. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly kind: FailureKind
  readonly answer: Answer
  /** Facts of the TLS connection if one was made. */
  readonly tls: TlsFacts | undefined
  /** Set when `kind` is `tls`. */
  readonly problem: TlsProblem | undefined
  constructor(kind: FailureKind, answer: Answer, tls?: TlsFacts, cause?: unknown, problem?: TlsProblem) {
    super(answer.text, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.answer = answer
    this.tls = tls
    this.problem = problem
  }
}

export interface Client {
  readonly extensions: Extensions
  readonly tls: TlsFacts | undefined
  /** False once the connection broke, the server said 421 or nonsense, or a transaction was aborted. */
  readonly usable: boolean
  /**
   * One message: as many transactions on this connection as the server's limits on recipients need. One answer for each
   * recipient, in any order; never throws. One message at a time.
   */
  send(message: ClientMessage, signal: AbortSignal): Promise<RecipientAnswer[]>
  /** QUIT, waiting briefly for the reply. Never throws. */
  quit(): Promise<void>
  /** At once. */
  destroy(): void
}

/** Greeting, EHLO or HELO, TLS, login. Throws a ClientError. */
export type Connect = (options: ClientOptions) => Promise<Client>
