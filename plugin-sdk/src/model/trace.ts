// What every handler said and how long it took; kept with the message so that anyone can ask why.

export interface TraceEntry {
  /** "onReceive.rcpt" */
  readonly hook: string
  /** "suppression", or "webhooks/billing" for a named instance. */
  readonly plugin: string
  /** The verdict's kind, "patch", or "failed". */
  readonly verdict: string
  /** The handler's reason, or the error's message when it failed. */
  readonly reason?: string
  /** The recipient it was about, where there is one. */
  readonly recipient?: string
  /** Milliseconds, rounded to 0.001. */
  readonly ms: number
  /** True when the handler threw, timed out or returned something else than a verdict. */
  readonly failed?: true
}
