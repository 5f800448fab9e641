// The header section as an ordered list of fields, RFC 5322 §2.2 and RFC 6532. Parsing only finds the fields: values
// are decoded when asked for. Malformed lines are skipped and listed in `problems`; nothing throws but `formatField`.
import { isUtf8 } from 'node:buffer'
import { FOLD_COLUMN, HEADER_BYTES, HEADER_LINES, LINE_OCTETS } from './limits.ts'

export interface HeaderField {
  /** As written. */
  readonly name: string
  readonly lower: string
  /** Offsets in the parsed bytes, from the name to the line end inclusive. */
  readonly start: number
  readonly end: number
  /** The field's bytes with its line end. A view, not a copy. */
  readonly raw: Buffer
  /** Unfolded and trimmed; UTF-8 when it is valid UTF-8, else ISO-8859-1. Encoded words are left as they are. */
  readonly value: string
  /** Written as "Name : value" (obsolete syntax, RFC 5322 §4.5). */
  readonly spaceBeforeColon: boolean
}

/**
 * `no-colon`: a line that is no field; `bad-name`: a name that is no token; `space-before-colon`;
 * `stray-continuation`: the section starts with a continuation line; `bare-newline`; `nul`; `truncated`: beyond
 * HEADER_BYTES or HEADER_LINES, the rest is not read.
 */
export type HeaderProblemKind =
  | 'no-colon'
  | 'bad-name'
  | 'space-before-colon'
  | 'stray-continuation'
  | 'bare-newline'
  | 'nul'
  | 'truncated'

export interface HeaderProblem {
  readonly kind: HeaderProblemKind
  /** Of the line, in the parsed bytes. */
  readonly offset: number
}

export interface Head {
  readonly fields: readonly HeaderField[]
  /** At most 100. */
  readonly problems: readonly HeaderProblem[]
  /** Octets parsed, with the empty line that ended the section. */
  readonly length: number
  /** An empty line ended the section. */
  readonly complete: boolean
  /** A malformed line could pass for a From field in another program. */
  readonly hasFromLikeProblem: boolean
  /** Value of the first field of that name (any case), or undefined. */
  get(name: string): string | undefined
  /** All fields of that name (any case), in order. */
  all(name: string): readonly HeaderField[]
  /** How many fields have that name (any case). */
  count(name: string): number
}

/** Parses a header section; stops after the first empty line or at the end of `bytes`, which must stay unchanged. */
export function parseHeader(bytes: Buffer): Head {
  return new ParsedHead(bytes)
}

const FIELD_NAME = /^[!-9;-~]+$/
/** "From" after nothing but characters that some program may drop. */
const FROM_LIKE = /^[^a-z0-9]*from(?![a-z0-9])/i
const PROBLEMS = 100

class ParsedHead implements Head {
  readonly fields: ParsedField[] = []
  readonly problems: HeaderProblem[] = []
  length = 0
  complete = false
  hasFromLikeProblem = false

  constructor(bytes: Buffer) {
    const text = bytes.toString('latin1', 0, Math.min(bytes.length, HEADER_BYTES))
    let field: ParsedField | undefined
    let colon = -1
    let line = 0
    for (let start = 0; start < text.length; line++) {
      const lf = text.indexOf('\n', start)
      const end = lf < 0 ? text.length : lf + 1
      const first = text.charCodeAt(start)
      if (first === 0x0a || (first === 0x0d && lf === start + 1)) {
        this.length = end
        this.complete = true
        break
      }
      if (line === HEADER_LINES || (lf < 0 && text.length < bytes.length)) break
      this.length = end
      if (first === 0x20 || first === 0x09) {
        if (field === undefined) this.#malformed('stray-continuation', text, start, end)
        else field.end = end
      } else {
        // Kept from line to line, so that lines without a colon do not make the search start again and again.
        if (colon < start) {
          colon = text.indexOf(':', start)
          if (colon < 0) colon = text.length
        }
        field = this.#field(bytes, text, start, end, colon)
      }
      start = end
    }
    if (!this.complete && this.length < bytes.length) this.#problem('truncated', this.length)
    const bare = /\r(?!\n)|(?<!\r)\n/.exec(text)
    if (bare !== null && bare.index < this.length) this.#problem('bare-newline', bare.index)
    const nul = text.indexOf('\0')
    if (nul >= 0 && nul < this.length) this.#problem('nul', nul)
  }

  #problem(kind: HeaderProblemKind, offset: number): void {
    if (this.problems.length < PROBLEMS) this.problems.push({ kind, offset })
  }

  #malformed(kind: HeaderProblemKind, text: string, start: number, end: number): void {
    this.#problem(kind, start)
    this.hasFromLikeProblem ||= FROM_LIKE.test(text.slice(start, Math.min(end, start + 100)))
  }

  /**
   * Adds the field that starts at `start`; a line that is none is noted, and its continuation lines are dropped with
   * it.
   */
  #field(bytes: Buffer, text: string, start: number, end: number, colon: number): ParsedField {
    const written = colon < end ? text.slice(start, colon) : ''
    const name = written.trimEnd()
    const field = new ParsedField(bytes, text, name, start, end, colon + 1, name.length < written.length)
    if (colon >= end) this.#malformed('no-colon', text, start, end)
    else if (!FIELD_NAME.test(name)) this.#malformed('bad-name', text, start, end)
    else {
      if (field.spaceBeforeColon) this.#problem('space-before-colon', start)
      this.fields.push(field)
    }
    return field
  }

  get(name: string): string | undefined {
    const lower = name.toLowerCase()
    return this.fields.find(field => field.lower === lower)?.value
  }

  all(name: string): readonly HeaderField[] {
    const lower = name.toLowerCase()
    return this.fields.filter(field => field.lower === lower)
  }

  count(name: string): number {
    return this.all(name).length
  }
}

class ParsedField implements HeaderField {
  readonly name: string
  readonly lower: string
  readonly start: number
  end: number
  readonly spaceBeforeColon: boolean
  readonly #bytes: Buffer
  readonly #text: string
  readonly #valueStart: number
  #value: string | undefined

  constructor(
    bytes: Buffer,
    text: string,
    name: string,
    start: number,
    end: number,
    valueStart: number,
    space: boolean,
  ) {
    this.#bytes = bytes
    this.#text = text
    this.name = name
    this.lower = name.toLowerCase()
    this.start = start
    this.end = end
    this.#valueStart = valueStart
    this.spaceBeforeColon = space
  }

  get raw(): Buffer {
    return this.#bytes.subarray(this.start, this.end)
  }

  get value(): string {
    this.#value ??= unfold(this.#decoded())
    return this.#value
  }

  #decoded(): string {
    const text = this.#text.slice(this.#valueStart, this.end)
    if (!/[\x80-\xff]/.test(text)) return text
    const bytes = this.#bytes.subarray(this.#valueStart, this.end)
    return isUtf8(bytes) ? bytes.toString() : text
  }
}

/** RFC 5322 §2.2.3. A bare CR, LF or NUL becomes a space, so that a value is always one line. */
function unfold(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  const value = text.slice(from, to)
  return /[\r\n\0]/.test(value) ? value.replace(/\r\n(?=[ \t])/g, '').replace(/[\r\n\0]/g, ' ') : value
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}

/** RFC 5322 §2.2: printable ASCII without colon, at least one character. */
export function isFieldName(name: string): boolean {
  return FIELD_NAME.test(name)
}

/** RFC 2045 §5.1 token, as for media types and parameter names. */
export function isToken(text: string): boolean {
  return /^[!#-'*+.0-9A-Z^-~-]+$/.test(text)
}

/**
 * "Name: value" folded at white space to 78 columns where it can be, with its CRLF. Throws TypeError for a name that
 * is no field name, a value with a control character other than tab, and a line that cannot be folded to 998 octets.
 */
export function formatField(name: string, value: string): string {
  if (!isFieldName(name)) throw new TypeError('not a header field name')
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw new TypeError(`control character in header field ${name}`)
  const unfolded = unfold(value)
  let line = `${name}:`
  if (unfolded !== '' && line.length + 1 + unfolded.length <= FOLD_COLUMN) return `${line} ${unfolded}\r\n`
  let out = ''
  for (const word of ` ${unfolded}`.match(/[ \t]+[^ \t]+/g) ?? []) {
    if (line.length + word.length > FOLD_COLUMN && line !== '') {
      out += `${line}\r\n`
      line = ''
    }
    line += word
    if (Buffer.byteLength(line) > LINE_OCTETS) throw new TypeError(`header field ${name} has a word that is too long`)
  }
  return `${out}${line}\r\n`
}
