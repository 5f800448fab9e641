// What the benchmark asks of the load generator, and what it answers.

export interface LoadJob {
  readonly kind: 'submit'
  readonly port: number
  readonly connections: number
  /** Messages in all. */
  readonly messages: number
  /** Bytes of one message's body. */
  readonly size: number
  /** True: each connection sends many messages; false: one connection, with its login, per message. */
  readonly reuse: boolean
  /** MAIL, RCPT and DATA in one go (RFC 2920). */
  readonly pipelining: boolean
  readonly from: string
  /** `#` stands for a number below `domains`, another one for each message. */
  readonly to: string
  readonly domains?: number
  /** Left out: no login. */
  readonly user?: string
  readonly password?: string
}

export interface IdleJob {
  readonly kind: 'idle'
  readonly port: number
  readonly connections: number
}

export interface LoadResult {
  readonly messages: number
  readonly seconds: number
  /** Milliseconds from MAIL, or from connecting when connections are not used again, to the reply after the data. */
  readonly p50: number
  readonly p99: number
}
