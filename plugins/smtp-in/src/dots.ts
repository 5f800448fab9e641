// The end of a message and its dots: RFC 5321 §4.1.1.4 and §4.5.2. A line ends in CRLF and in nothing else, so only
// CRLF.CRLF ends a message and only a dot after CRLF is taken away; a bare CR or LF goes through as it is, for the receive
// stage to refuse. Linear in the input whatever it is: bulk search while dots are rare, byte by byte where they are dense.

const DOT = 0x2e
const CR = 0x0d
const LF = 0x0a
const LINE_DOT: Buffer = Buffer.from('\r\n.')
const HELD_CR: Buffer = Buffer.from('\r')
/** After a dot, this many octets are looked at one by one before searching in bulk again. */
const NEAR = 128

/**
 * Where the next octet stands: at the start of a line, after a dot there, after CR after such a dot, within a line, after
 * a CR within a line.
 */
const START = 0
const AFTER_DOT = 1
const AFTER_DOT_CR = 2
const WITHIN = 3
const AFTER_CR = 4

export interface DotResult {
  /** Content in this chunk without stuffed dots: at most a held CR and one piece of the chunk. */
  readonly content: readonly Buffer[]
  /** Offset in the chunk after the end of the message, -1 when it has not come. */
  readonly end: number
}

export class DotReader {
  #state: number = START

  /** Takes the next chunk, cut anywhere. The chunk is changed in place: the content lies at its beginning. */
  push(chunk: Buffer): DotResult {
    const held = this.#state === AFTER_DOT_CR && chunk.length > 0 && chunk[0] !== LF ? [HELD_CR] : []
    let state = this.#state
    let read = 0
    let written = 0
    let near = NEAR
    while (read < chunk.length) {
      if (near === 0 && state === WITHIN) {
        const found = chunk.indexOf(LINE_DOT, read)
        const until = found < 0 ? chunk.length : found + 2
        state = found < 0 ? stateAfter(chunk, until) : START
        if (written !== read) chunk.copyWithin(written, read, until)
        written += until - read
        read = until
        near = NEAR
        continue
      }
      const octet = chunk[read++]!
      if (near > 0) near--
      if (state === START && octet === DOT) {
        state = AFTER_DOT
        near = NEAR
        continue
      }
      if (state === AFTER_DOT && octet === CR) {
        state = AFTER_DOT_CR
        continue
      }
      if (state === AFTER_DOT_CR) {
        if (octet === LF) {
          this.#state = START
          return { content: pieces(held, chunk, written), end: read }
        }
        // The CR was held back; within one chunk there is room for it where the dot was.
        if (read > 1) chunk[written++] = CR
        state = AFTER_CR
      }
      chunk[written++] = octet
      state = octet === CR ? AFTER_CR : octet === LF && state === AFTER_CR ? START : WITHIN
    }
    this.#state = state
    return { content: pieces(held, chunk, written), end: -1 }
  }
}

function pieces(held: readonly Buffer[], chunk: Buffer, written: number): readonly Buffer[] {
  return written === 0 ? held : [...held, written === chunk.length ? chunk : chunk.subarray(0, written)]
}

/** The state after a bulk search that found no dot: only the last two octets matter. */
function stateAfter(chunk: Buffer, end: number): number {
  if (chunk[end - 1] === CR) return AFTER_CR
  return chunk[end - 1] === LF && chunk[end - 2] === CR ? START : WITHIN
}
