// The ingress reader: every byte of a message that comes in from outside passes here before anything else looks at it.
// It counts, measures and hashes while the content streams by, keeps the header section and nothing else, and reports
// what goes beyond a limit as data. It never throws; the caller refuses the message when there is a violation.
import { isAscii } from 'node:buffer'
import { createHash, type Hash, hash } from 'node:crypto'
import { CONTINUATION_LINES, HEADER_BYTES, HEADER_LINES } from './limits.ts'

/** What a message may not do. `bare-newline`: a CR or LF that is not part of a CRLF. */
export type LimitName = 'bare-newline' | 'headerBytes' | 'headerLines' | 'continuationLines' | 'size'

export interface Violation {
  readonly limit: LimitName
  /** A fixed text without any of the input, fit for a reply. */
  readonly text: string
}

const VIOLATIONS: readonly Violation[] = [
  { limit: 'bare-newline', text: 'bare CR or LF in message: lines must end in CRLF' },
  { limit: 'headerBytes', text: 'message header too large' },
  { limit: 'headerLines', text: 'too many lines in message header' },
  { limit: 'continuationLines', text: 'too many continuation lines in a header field' },
  { limit: 'size', text: 'message too large' },
]

export interface IngressResult {
  /** Octets of the content. */
  readonly size: number
  /** SHA-256 of the content, lower-case hex. */
  readonly hash: string
  /** Lines of the content; a last one without line end counts. */
  readonly lines: number
  /** Octets of the longest line without its line end. */
  readonly longestLine: number
  /** There are octets above 127: needs 8BITMIME. */
  readonly has8bit: boolean
  /** The header section has octets above 127: needs SMTPUTF8 (RFC 6532). */
  readonly headHas8bit: boolean
  readonly hasNul: boolean
  /** A copy of the header section with the empty line that ends it, at most HEADER_BYTES. */
  readonly headBytes: Buffer
  /** Offset of the body: octets of the header section with its empty line. */
  readonly headLength: number
  /** The empty line between header section and body was seen. */
  readonly headComplete: boolean
  /** Each limit once, in a fixed order; empty for a good message. */
  readonly violations: readonly Violation[]
}

export interface IngressOptions {
  /** Largest content accepted, in octets. */
  readonly maxSize: number
}

const CR = 13
/** Octets looked at in one go: bounds the temporary string. */
const WINDOW = 256 * 1024

export class IngressReader {
  /** The first violation found so far: the caller may stop reading early. */
  violation: Violation | undefined
  /** Octets so far. */
  size = 0

  readonly #maxSize: number
  readonly #found = new Set<LimitName>()
  #first: Buffer | undefined
  #hash: Hash | undefined
  #lines = 0
  #longest = 0
  #has8bit = false
  #hasNul = false
  /** CRs that no LF has followed yet; more than a last one means a bare CR. */
  #openCrs = 0
  #last = -1
  /** Octets of the current line seen in earlier windows, and its first octet. */
  #lineLength = 0
  #lineFirst = -1
  #inHead = true
  #head: Buffer = Buffer.allocUnsafe(2048)
  #headLength = 0
  #headComplete = false
  #headLines = 0
  #continuations = 0

  constructor(options: IngressOptions) {
    this.#maxSize = options.maxSize
  }

  /**
   * Takes the next chunk of dot-unstuffed content, cut anywhere. The first chunk must stay unchanged until `finish`.
   */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#first === undefined) this.#first = chunk
    else {
      this.#hash ??= createHash('sha256').update(this.#first)
      this.#hash.update(chunk)
    }
    this.size += chunk.length
    if (this.size > this.#maxSize) this.#violate('size')
    this.#has8bit ||= !isAscii(chunk)
    this.#hasNul ||= chunk.includes(0)
    for (let at = 0; at < chunk.length; at += WINDOW) this.#scan(chunk, at, Math.min(at + WINDOW, chunk.length))
  }

  #violate(limit: LimitName): void {
    this.#found.add(limit)
    this.violation ??= VIOLATIONS.find(v => v.limit === limit)
  }

  /** One window. Searching in a string costs a third of searching in a Buffer when there are many lines. */
  #scan(chunk: Buffer, from: number, to: number): void {
    const text = chunk.toString('latin1', from, to)
    let headTo = this.#inHead ? text.length : 0
    let start = 0
    for (let lf = text.indexOf('\n'); lf >= 0; lf = text.indexOf('\n', start)) {
      const crlf = (lf > 0 ? text.charCodeAt(lf - 1) : this.#last) === CR
      if (crlf) this.#openCrs--
      else this.#violate('bare-newline')
      const length = this.#lineLength + lf - start - (crlf ? 1 : 0)
      if (length > this.#longest) this.#longest = length
      this.#lines++
      if (this.#inHead) {
        this.#firstOf(text, start)
        if (this.#headLength + lf + 1 > HEADER_BYTES || this.#headLine(length)) headTo = this.#endHead(lf + 1)
      }
      this.#lineLength = 0
      this.#lineFirst = -1
      start = lf + 1
    }
    this.#lineLength += text.length - start
    if (start < text.length) this.#firstOf(text, start)
    for (let cr = text.indexOf('\r'); cr >= 0; cr = text.indexOf('\r', cr + 1)) this.#openCrs++
    this.#last = text.charCodeAt(text.length - 1)
    if (this.#openCrs > (this.#last === CR ? 1 : 0)) this.#violate('bare-newline')
    if (this.#inHead && this.#headLength + text.length > HEADER_BYTES) headTo = this.#endHead(text.length)
    this.#keepHead(chunk.subarray(from, from + headTo))
  }

  #firstOf(text: string, start: number): void {
    if (this.#lineFirst < 0) this.#lineFirst = text.charCodeAt(start)
  }

  /** Counts one line of the header section; true when it is the empty line that ends it. */
  #headLine(length: number): boolean {
    if (length === 0) {
      this.#headComplete = true
      return true
    }
    if (++this.#headLines > HEADER_LINES) this.#violate('headerLines')
    const continuation = this.#lineFirst === 0x20 || this.#lineFirst === 0x09
    this.#continuations = continuation ? this.#continuations + 1 : 0
    if (this.#continuations > CONTINUATION_LINES) this.#violate('continuationLines')
    return false
  }

  /** Ends the header section `length` octets into this window; gives how many of them belong to it. */
  #endHead(length: number): number {
    this.#inHead = false
    if (this.#headLength + length <= HEADER_BYTES) return length
    this.#headComplete = false
    this.#violate('headerBytes')
    return HEADER_BYTES - this.#headLength
  }

  #keepHead(bytes: Buffer): void {
    if (bytes.length === 0) return
    const needed = this.#headLength + bytes.length
    if (needed > this.#head.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#head.length * 2))
      this.#head.copy(larger, 0, 0, this.#headLength)
      this.#head = larger
    }
    bytes.copy(this.#head, this.#headLength)
    this.#headLength = needed
  }

  /** Ends the message. Call once, after the last `push`. */
  finish(): IngressResult {
    if (this.#openCrs > 0) this.#violate('bare-newline')
    if (this.#lineLength > 0) {
      this.#lines++
      this.#longest = Math.max(this.#longest, this.#lineLength)
      if (this.#inHead) this.#headLine(this.#lineLength)
    }
    const headBytes = this.#head.subarray(0, this.#headLength)
    return {
      size: this.size,
      hash: this.#hash?.digest('hex') ?? hash('sha256', this.#first ?? '', 'hex'),
      lines: this.#lines,
      longestLine: this.#longest,
      has8bit: this.#has8bit,
      headHas8bit: this.#has8bit && !isAscii(headBytes),
      hasNul: this.#hasNul,
      headBytes,
      headLength: this.#headLength,
      headComplete: this.#headComplete,
      violations: VIOLATIONS.filter(v => this.#found.has(v.limit)),
    }
  }
}
