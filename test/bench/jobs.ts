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

/** Milliseconds. */
export interface Timing {
  readonly median: number
  readonly worst: number
}

export interface TableJob {
  readonly step: 'fill' | 'measure'
  /** The database; must be there. */
  readonly dir: string
  readonly recipients: number
}

export interface TableFigures {
  /** What was done, how long it took, and how long its median may be; null where much must be read. */
  readonly timings: readonly (readonly [name: string, timing: Timing, most: number | null])[]
  /** Milliseconds of event-loop delay during lists and counts. */
  readonly loopP99: number
  /** Bytes of the process after all lists. */
  readonly rss: number
}

export interface QueueFigures extends TableFigures {
  /** Recipients put on hold per second, in units of 500. */
  readonly changedPerSecond: number
}

export interface MailboxJob {
  readonly step: 'fill' | 'measure'
  /** The database; must be there. */
  readonly dir: string
  readonly messages: number
}

export interface MailboxFigures {
  readonly timings: QueueFigures['timings']
  /** Milliseconds of event-loop delay. */
  readonly loopP99: number
  /** Bytes of the process after all pages. */
  readonly rss: number
}

export interface WebmailFigures extends MailboxFigures {
  /** Bytes of one open stream with a view. */
  readonly perStream: number
}
