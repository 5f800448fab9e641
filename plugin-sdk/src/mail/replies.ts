// Replies of a server, for clients of SMTP (RFC 5321 §4.2) and LMTP (RFC 2033): bytes go in, cut anywhere, complete replies
// come out. Bounded whatever the server sends. What is no reply ends the reading with `problem`; nothing throws.
import { REPLY_LINE_OCTETS, REPLY_LINES, REPLY_OCTETS } from './limits.ts'

/** What a server said. */
export interface ServerReply {
  /** 200–599. */
  readonly code: number
  /** RFC 3463 `class.subject.detail`; '' when there was none or it was not to be looked for. */
  readonly enhanced: string
  /** The lines without their codes, joined by "\n"; control characters and what is no UTF-8 replaced. */
  readonly text: string
}

const LF = 0x0a
const CR = 0x0d
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s
const ENHANCED = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/
// Controls, line and paragraph separators, and what turns the direction of text.
const UNFIT = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/**
 * All lines of a reply must have the same code. Lines end in CRLF; a bare LF from a server is harmless and taken as well, a
 * bare CR is a control character like others.
 */
export class ReplyParser {
  /** Whether the server announced enhanced status codes (RFC 2034); applies to the lines that come from now on. */
  enhancedCodes = false
  /** Why what came is no SMTP: a fixed text without any of the input. Set once; nothing is read after it. */
  problem: string | undefined
  #rest: Buffer | undefined
  #code = 0
  #enhanced = ''
  #lines: string[] = []
  #octets = 0

  /** True in the middle of a reply. */
  get partial(): boolean {
    return this.#rest !== undefined || this.#lines.length > 0
  }

  /** Takes what came; gives the replies that are complete now. */
  push(chunk: Buffer): ServerReply[] {
    const replies: ServerReply[] = []
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    let start = 0
    while (this.problem === undefined && start < bytes.length) {
      const end = bytes.indexOf(LF, start)
      if ((end < 0 ? bytes.length : end + 1) - start > REPLY_LINE_OCTETS) {
        this.problem = 'a line of the reply is too long'
        break
      }
      if (end < 0) {
        // A copy: the chunk may be a piece of a large pool.
        this.#rest = Buffer.from(bytes.subarray(start))
        break
      }
      const line = bytes.toString('utf8', start, end > start && bytes[end - 1] === CR ? end - 1 : end)
      this.#octets += end + 1 - start
      start = end + 1
      const reply = this.#line(line)
      if (reply !== undefined) replies.push(reply)
    }
    return replies
  }

  #line(line: string): ServerReply | undefined {
    const match = LINE.exec(line)
    const code = Number(match?.[1] ?? 0)
    if (match === null) this.problem = 'not a reply'
    else if (this.#lines.length > 0 && code !== this.#code) this.problem = 'lines of one reply with different codes'
    else if (this.#lines.length === REPLY_LINES) this.problem = 'too many lines in a reply'
    else if (this.#octets > REPLY_OCTETS) this.problem = 'the reply is too long'
    if (match === null || this.problem !== undefined) return undefined
    this.#code = code
    this.#lines.push(this.#text(match[3] ?? ''))
    if (match[2] === '-') return undefined
    const reply = { code, enhanced: this.#enhanced, text: this.#lines.join('\n') }
    this.#lines = []
    this.#octets = 0
    this.#enhanced = ''
    return reply
  }

  /**
   * The text of a line without the enhanced code. A code of another class than the reply's stays where it is, and so does
   * one that differs from that of the first line: RFC 2034 §4 allows neither.
   */
  #text(text: string): string {
    const clean = text.replace(UNFIT, c => (c === '\t' ? ' ' : '?')).trimEnd()
    if (!this.enhancedCodes) return clean
    const match = ENHANCED.exec(clean)
    if (match === null || Number(match[1]) !== Math.floor(this.#code / 100)) return clean
    const code = `${match[1]}.${Number(match[2])}.${Number(match[3])}`
    if (this.#lines.length === 0) this.#enhanced = code
    return code === this.#enhanced ? clean.slice(match[0].length) : clean
  }
}
