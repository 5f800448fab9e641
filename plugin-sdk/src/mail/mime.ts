// The MIME structure of a message as a tree of byte ranges: RFC 2045, 2046, 2183. One pass over the bytes whatever the
// nesting. Broken MIME gives the best structure there is and a list of problems; nothing throws, nothing is copied.
import { type Head, isToken, parseHeader } from './header.ts'
import { BOUNDARY_LENGTH, HEADER_BYTES, MIME_DEPTH, MIME_PARTS } from './limits.ts'
import { setLines } from './mime-lines.ts'
import { parseParameters } from './parameters.ts'
import { decodeWords } from './words.ts'

/**
 * `bad-content-type`: taken for text/plain; `no-boundary`: a multipart without one, not taken apart; `no-parts`: its
 * boundary never occurs; `unclosed`: its closing boundary is missing; `too-deep`: a multipart or message that is not
 * taken apart; `too-many-parts`: the rest of this multipart is left out; `bad-header`: see `head.problems`;
 * `bad-encoding`: an unknown transfer encoding, or one that a multipart may not have.
 */
export type MimeProblemKind =
  | 'bad-content-type'
  | 'no-boundary'
  | 'no-parts'
  | 'unclosed'
  | 'too-deep'
  | 'too-many-parts'
  | 'bad-header'
  | 'bad-encoding'

export interface Part {
  /**
   * Part number of IMAP (RFC 9051 §6.4.5.1), unique in the tree: '' for a multipart at the top, '1' for any other top,
   * '1.2'. In a message/rfc822 with number '2' the top is '2.TEXT' if it is a multipart, else '2.1'.
   */
  readonly path: string
  /** Offsets in the parsed bytes: header, body, end of the body (the line end before a boundary is not part of it). */
  readonly start: number
  readonly bodyStart: number
  readonly end: number
  /** Octets of the body as transferred: end - bodyStart. */
  readonly size: number
  /** Lines of the body as transferred; a last one without line end counts. */
  readonly lines: number
  /** Offsets of its fields count from `start`. */
  readonly head: Head
  /** "text/plain", in lower case. */
  readonly contentType: string
  readonly type: string
  readonly subtype: string
  readonly params: ReadonlyMap<string, string>
  /** In lower case; '' when not given. */
  readonly charset: string
  /** Content-Transfer-Encoding in lower case; '7bit' when not given. */
  readonly encoding: string
  /** "attachment", "inline", or '' when not given. */
  readonly disposition: string
  /** As given by the sender: pass it through `safeFilename` before showing it. */
  readonly filename: string | undefined
  /** Without brackets. */
  readonly contentId: string | undefined
  readonly description: string | undefined
  /** Parts of a multipart, in order. */
  readonly children: readonly Part[]
  /**
   * The enclosed message of a message/rfc822 or message/global that is not encoded; its offsets count from the same
   * start.
   */
  readonly message?: Part
  readonly problems: readonly MimeProblemKind[]
}

export interface MimeLimits {
  /** Default MIME_DEPTH. */
  readonly depth?: number
  /** Default MIME_PARTS. */
  readonly parts?: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
export interface PartDraft extends Writable<Omit<Part, 'children' | 'message' | 'problems'>> {
  children: PartDraft[]
  message?: PartDraft
  problems: MimeProblemKind[]
}

/** A multipart or message being read. */
interface Frame {
  readonly part: PartDraft
  /** Prefix of the numbers of the parts in it. */
  readonly prefix: string
  /** Null for a message, and for a multipart after its closing boundary. */
  boundary: string | null
}

/** Parses a whole message. Linear in its length. */
export function parseStructure(bytes: Buffer, limits: MimeLimits = {}): Part {
  return new StructureReader(bytes, limits).read()
}

class StructureReader {
  readonly #bytes: Buffer
  readonly #depth: number
  readonly #maxParts: number
  readonly #parts: PartDraft[] = []
  readonly #frames: Frame[] = []
  /** Open boundaries, each to the index of the innermost frame that has it. */
  readonly #open = new Map<string, number>()
  #leaf: PartDraft | undefined
  /** Everything before this is read. */
  #at = 0

  constructor(bytes: Buffer, limits: MimeLimits) {
    this.#bytes = bytes
    this.#depth = limits.depth ?? MIME_DEPTH
    this.#maxParts = limits.parts ?? MIME_PARTS
  }

  read(): Part {
    const root = this.#startPart(0, '', true, 'text/plain')
    let found = this.#nextDelimiter(this.#at)
    while (found !== null) {
      this.#closeAbove(found.frame, found.line)
      const frame = this.#frames[found.frame]
      if (frame === undefined) break
      this.#at = found.next
      if (found.closing) {
        this.#open.delete(frame.boundary ?? '')
        frame.boundary = null
        this.#reopenOuter()
      } else if (this.#parts.length >= this.#maxParts) {
        frame.part.problems.push('too-many-parts')
        break
      } else {
        const number = frame.part.children.length + 1
        const fallback = frame.part.subtype === 'digest' ? 'message/rfc822' : 'text/plain'
        frame.part.children.push(this.#startPart(found.next, `${frame.prefix}${number}`, false, fallback))
      }
      found = this.#nextDelimiter(this.#at)
    }
    this.#closeAbove(-1, this.#bytes.length)
    setLines(this.#bytes, this.#parts)
    return root
  }

  /** A boundary of an outer frame may have been hidden by an equal one that is now closed. */
  #reopenOuter(): void {
    for (const [index, frame] of this.#frames.entries()) {
      if (frame.boundary !== null) this.#open.set(frame.boundary, index)
    }
  }

  /** Ends everything that stands inside frame `index`; `end` is where the line of the delimiter starts, or the end. */
  #closeAbove(index: number, end: number): void {
    let stop = end
    if (index >= 0 && this.#bytes[stop - 1] === 0x0a) stop -= this.#bytes[stop - 2] === 0x0d ? 2 : 1
    if (this.#leaf !== undefined) this.#setEnd(this.#leaf, stop)
    this.#leaf = undefined
    while (this.#frames.length > index + 1) {
      const frame = this.#frames.pop()
      if (frame === undefined) break
      if (frame.boundary !== null) this.#open.delete(frame.boundary)
      if (frame.part.type === 'multipart' && frame.part.children.length === 0) frame.part.problems.push('no-parts')
      else if (frame.boundary !== null) frame.part.problems.push('unclosed')
      this.#setEnd(frame.part, stop)
    }
    this.#reopenOuter()
  }

  /**
   * A part whose header a delimiter cuts short starts behind the line end that belongs to the delimiter: it is empty.
   */
  #setEnd(part: PartDraft, end: number): void {
    part.start = Math.min(part.start, end)
    part.bodyStart = Math.min(part.bodyStart, end)
    part.end = end
    part.size = end - part.bodyStart
  }

  /** Reads the header of the part at `start`, and of the messages it encloses; opens what can be opened. */
  #startPart(start: number, outerNumber: string, top: boolean, fallback: string): PartDraft {
    const first = this.#readPart(start, outerNumber, fallback)
    let part = first
    let number = outerNumber
    let isTop = top
    for (;;) {
      if (isTop && part.type === 'multipart') part.path = number === '' ? '' : `${number}.TEXT`
      else if (isTop) part.path = number === '' ? '1' : `${number}.1`
      const prefix = part.path === '' ? '' : `${isTop && part.type === 'multipart' ? number : part.path}.`
      if (!this.#openFrame(part, prefix)) {
        this.#leaf = part
        return first
      }
      if (part.type === 'multipart') return first
      const inner = this.#readPart(part.bodyStart, part.path, 'text/plain')
      part.message = inner
      number = part.path
      part = inner
      isTop = true
    }
  }

  /** False for a part that is not taken apart. */
  #openFrame(part: PartDraft, prefix: string): boolean {
    const multipart = part.type === 'multipart'
    const encoded = part.encoding === 'base64' || part.encoding === 'quoted-printable'
    if (multipart && encoded) part.problems.push('bad-encoding')
    if (!multipart && (encoded || !/^message\/(?:rfc822|global|news)$/.test(part.contentType))) return false
    const boundary = Buffer.from(part.params.get('boundary') ?? '')
      .toString('latin1')
      .trimEnd()
    if (multipart && (boundary === '' || boundary.length > BOUNDARY_LENGTH)) {
      part.problems.push('no-boundary')
      return false
    }
    if (this.#frames.length >= this.#depth || (!multipart && this.#parts.length >= this.#maxParts)) {
      part.problems.push('too-deep')
      return false
    }
    this.#frames.push({ part, prefix, boundary: multipart ? boundary : null })
    if (multipart) this.#open.set(boundary, this.#frames.length - 1)
    return true
  }

  #readPart(start: number, path: string, fallback: string): PartDraft {
    const bodyStart = this.#endOfHeader(start)
    const head = parseHeader(this.#bytes.subarray(start, bodyStart))
    const draft = describe(head, path, start, bodyStart, fallback)
    this.#parts.push(draft)
    this.#at = bodyStart
    return draft
  }

  /** After the empty line; or where the header is cut short by a delimiter, the limit or the end. */
  #endOfHeader(start: number): number {
    const bytes = this.#bytes
    for (let at = start; at < bytes.length; ) {
      if (bytes[at] === 0x0a) return at + 1
      if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) return at + 2
      if (at - start >= HEADER_BYTES || this.#delimiterAt(at) !== null) return at
      const lf = bytes.indexOf(0x0a, at)
      if (lf < 0) break
      at = lf + 1
    }
    return bytes.length
  }

  #nextDelimiter(from: number): Delimiter | null {
    if (this.#open.size === 0) return null
    // A body starts at the start of a line.
    let line = from
    for (;;) {
      const found = this.#delimiterAt(line)
      if (found !== null) return found
      const lf = this.#bytes.indexOf(LINE_OF_DASHES, line)
      if (lf < 0) return null
      line = lf + 1
    }
  }

  /** RFC 2046 §5.1.1: "--", an open boundary, "--" for the closing one, white space, line end. */
  #delimiterAt(line: number): Delimiter | null {
    const bytes = this.#bytes
    if (bytes[line] !== 0x2d || bytes[line + 1] !== 0x2d || this.#open.size === 0) return null
    const lf = bytes.indexOf(0x0a, line)
    const next = lf < 0 ? bytes.length : lf + 1
    if (next - line > DELIMITER_LINE) return null
    const text = bytes.toString('latin1', line + 2, next).trimEnd()
    const frame = this.#open.get(text)
    if (frame !== undefined) return { frame, closing: false, line, next }
    const closed = text.endsWith('--') ? this.#open.get(text.slice(0, -2)) : undefined
    return closed === undefined ? null : { frame: closed, closing: true, line, next }
  }
}

/** A line that ends the part before it: the frame it belongs to, its offset and that of the line after it. */
interface Delimiter {
  readonly frame: number
  readonly closing: boolean
  readonly line: number
  readonly next: number
}

const LINE_OF_DASHES = Buffer.from('\n--')
/** Longest delimiter line looked at, with the white space after it. */
const DELIMITER_LINE = BOUNDARY_LENGTH + 100

const ENCODINGS = new Set(['7bit', '8bit', 'binary', 'quoted-printable', 'base64'])

function describe(head: Head, path: string, start: number, bodyStart: number, fallback: string): PartDraft {
  const problems: MimeProblemKind[] = []
  const given = head.get('content-type')
  const { value, params } = parseParameters(given ?? fallback)
  const [type = '', subtype = '', ...rest] = value.split('/', 3)
  const good = rest.length === 0 && isToken(type) && isToken(subtype)
  if (!good) problems.push('bad-content-type')
  if (head.problems.length > 0) problems.push('bad-header')
  const encoding = (head.get('content-transfer-encoding') ?? '').replace(/[\s;(].*/s, '').toLowerCase() || '7bit'
  if (!ENCODINGS.has(encoding)) problems.push('bad-encoding')
  const disposition = parseParameters(head.get('content-disposition') ?? '')
  const filename = disposition.params.get('filename') ?? params.get('name')
  const contentId = head.get('content-id')
  const description = head.get('content-description')
  return {
    path,
    start,
    bodyStart,
    end: bodyStart,
    size: 0,
    lines: 0,
    head,
    contentType: good ? value : 'text/plain',
    type: good ? type : 'text',
    subtype: good ? subtype : 'plain',
    params,
    charset: (params.get('charset') ?? '').toLowerCase(),
    encoding,
    disposition: disposition.value,
    filename: filename === undefined ? undefined : decodeWords(filename),
    contentId: contentId === undefined ? undefined : contentId.replace(/^<|>$/g, ''),
    description: description === undefined ? undefined : decodeWords(description),
    children: [],
    problems,
  }
}
