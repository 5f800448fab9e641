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
  readonly to: string
  /** Left out: no login. */
  readonly user?: string
  readonly password?: string
}

/** Messages to the web API over keep-alive connections. */
export interface HttpJob {
  readonly kind: 'post'
  readonly port: number
  readonly connections: number
  readonly messages: number
  /** Bytes of one message's text. */
  readonly size: number
  /** Of the URL. */
  readonly path: string
  /** Value of the header. */
  readonly authorization: string
  readonly to: string
}

export interface IdleJob {
  readonly kind: 'idle'
  readonly port: number
  readonly connections: number
}

export interface LoadResult {
  readonly messages: number
  readonly seconds: number
  /** Milliseconds of a request; over SMTP from MAIL, or from connecting when connections are not used again, to the reply after the data. */
  readonly p50: number
  readonly p99: number
}
