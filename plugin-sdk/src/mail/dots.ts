// Sending the content of a message: dots at the start of lines are doubled (RFC 5321 §4.5.2), and what must never go on the
// wire is found. A message with a fault must not be ended: the caller drops the connection, so that no server takes half of
// it. Linear in the input whatever it is.
import { LINE_OCTETS } from './limits.ts'

const DOT = 46
const EMPTY: Buffer = Buffer.alloc(0)
/** Octets looked at in one go: bounds the temporary string. */
const WINDOW = 256 * 1024

/** What a message may not have. `line`: a line of more than LINE_OCTETS octets. */
export type ContentFault = 'bare-newline' | 'nul' | 'line'

/** For people: "the message has …". */
export const CONTENT_FAULTS: Readonly<Record<ContentFault, string>> = {
  'bare-newline': 'a CR or LF that is not part of a CRLF',
  nul: 'a NUL octet',
  line: `a line of more than ${LINE_OCTETS} octets`,
}

export class DotStuffer {
  /** The first fault found. Once it is set, nothing more comes out. */
  fault: ContentFault | undefined
  /** Octets that went in. */
  size = 0
  /** Octets of the current line seen so far. */
  #length = 0
  #afterCr = false

  /** Takes the next chunk, cut anywhere; gives what is to be sent for it, which may be the chunk itself. */
  push(chunk: Buffer): Buffer {
    if (this.fault !== undefined) return EMPTY
    this.size += chunk.length
    if (chunk.includes(0)) this.fault = 'nul'
    const dots: number[] = []
    for (let at = 0; at < chunk.length && this.fault === undefined; at += WINDOW)
      this.fault = this.#scan(chunk, at, Math.min(at + WINDOW, chunk.length), dots)
    if (this.fault !== undefined) return EMPTY
    return dots.length === 0 ? chunk : stuffed(chunk, dots)
  }

  /** What ends the message: CRLF where its last line has none, a dot, and CRLF. Undefined when there is a fault. */
  end(): Buffer | undefined {
    if (this.#afterCr) this.fault ??= 'bare-newline'
    if (this.fault !== undefined) return undefined
    return Buffer.from(this.#length > 0 ? '\r\n.\r\n' : '.\r\n')
  }

  /** One window: collects the offsets of dots that start a line. Searching in a string is faster than in a Buffer. */
  #scan(chunk: Buffer, from: number, to: number, dots: number[]): ContentFault | undefined {
    const text = chunk.toString('latin1', from, to)
    let start = 0
    if (this.#afterCr) {
      if (text.charCodeAt(0) !== 10) return 'bare-newline'
      this.#afterCr = false
      this.#length = 0
      start = 1
    }
    while (start < text.length) {
      if (this.#length === 0 && text.charCodeAt(start) === DOT) dots.push(from + start)
      const lf = text.indexOf('\n', start)
      const end = lf < 0 ? text.length : lf - 1
      // The one CR that a line may have is its last octet.
      const cr = text.indexOf('\r', start)
      if (lf >= 0 ? cr < 0 || cr !== end : cr >= 0 && cr !== text.length - 1) return 'bare-newline'
      this.#afterCr = lf < 0 && cr >= 0
      this.#length += (this.#afterCr ? cr : end) - start
      if (this.#length > LINE_OCTETS) return 'line'
      if (lf < 0) break
      this.#length = 0
      start = lf + 1
    }
    return undefined
  }
}

function stuffed(chunk: Buffer, dots: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + dots.length)
  let read = 0
  let written = 0
  for (const dot of dots) {
    // Up to and with the dot; the copy goes on with it once more.
    chunk.copy(out, written, read, dot + 1)
    written += dot + 1 - read
    read = dot
  }
  chunk.copy(out, written, read)
  return out
}
