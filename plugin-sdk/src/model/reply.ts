// SMTP replies and the one error class that carries them. An error knows its reply, whether it is temporary and which
// part raised it; the reply's text gives nothing internal away, the cause stays in the log.

/** One SMTP reply. `code` is 200–599, `enhanced` is RFC 3463 `class.subject.detail`, `text` is one line without CR or LF. */
export interface SmtpReply {
  readonly code: number
  readonly enhanced?: string
  readonly text: string
}

/** Makes a reply; `reply(451, '4.3.0', 'try again later')`. */
export function reply(code: number, enhanced: string, text: string): SmtpReply {
  return { code, enhanced, text }
}

/** "451 4.3.0 try again later", as it goes on the wire without the line end. */
export function formatReply(r: SmtpReply): string {
  return r.enhanced === undefined ? `${r.code} ${r.text}` : `${r.code} ${r.enhanced} ${r.text}`
}

/** A failure that a remote side may be told about. */
export class MailError extends Error {
  override readonly name = 'MailError'
  readonly reply: SmtpReply
  /** Which part raised it, for logs: "receive", "queue", a plugin's name. */
  readonly part: string

  constructor(part: string, r: SmtpReply, cause?: unknown) {
    super(formatReply(r), cause === undefined ? undefined : { cause })
    this.part = part
    this.reply = r
  }

  /** True when trying again later may succeed (4yz replies). */
  get temporary(): boolean {
    return this.reply.code < 500
  }
}

/** A mistake of the person who runs mox: bad configuration, bad arguments. The message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
