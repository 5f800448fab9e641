// Values with parameters: Content-Type and Content-Disposition, RFC 2045 §5.1, with the continuations and charsets of
// RFC 2231. Lenient: what cannot be read is skipped, the first of two equal names counts, nothing throws.
import { PARAMETER_SEGMENTS } from './limits.ts'
import { decodeCharset, unescapeBytes } from './words.ts'

export interface Parameterised {
  /**
   * What stands before the first semicolon, without comments, trimmed and in lower case: "text/plain", "attachment".
   */
  readonly value: string
  /** Names in lower case; values decoded. */
  readonly params: ReadonlyMap<string, string>
}

/** One `name*3*=text` of RFC 2231 §4.1. */
interface Segment {
  readonly text: string
  readonly encoded: boolean
}

/** Parses an unfolded header value; reads at most PARAMETER_SEGMENTS parameters or segments. */
export function parseParameters(value: string): Parameterised {
  const semicolon = value.indexOf(';')
  const main = semicolon < 0 ? value : value.slice(0, semicolon)
  const params = new Map<string, string>()
  const segments = new Map<string, Map<number, Segment>>()
  let at = semicolon < 0 ? value.length : semicolon
  for (let count = 0; at < value.length && count < PARAMETER_SEGMENTS; count++) {
    const { name, text, end } = readParameter(value, at + 1)
    at = end
    const match = /^([^*]+)(?:\*(\d{1,3}))?(\*?)$/.exec(name)
    const base = match?.[1]
    if (match === null || base === undefined) continue
    if (match[2] === undefined && match[3] === '') {
      if (!params.has(base)) params.set(base, text)
      continue
    }
    const list = segments.get(base) ?? new Map<number, Segment>()
    segments.set(base, list)
    const index = Number(match[2] ?? 0)
    if (!list.has(index)) list.set(index, { text, encoded: match[3] === '*' })
  }
  // The extended form says more than the plain one that old readers need: RFC 2231 §4, RFC 6266 §4.3.
  for (const [name, list] of segments) {
    if (list.has(0)) params.set(name, joinSegments(list))
  }
  return { value: main.replace(/\(.*/s, '').trim().toLowerCase(), params }
}

/** The parameter at `start`, and the index of the semicolon after it or the end. Without "=" the name is ''. */
function readParameter(value: string, start: number): { name: string; text: string; end: number } {
  const stop = value.indexOf(';', start)
  const limit = stop < 0 ? value.length : stop
  const equals = value.slice(start, limit).indexOf('=')
  if (equals < 0) return { name: '', text: '', end: limit }
  const name = value
    .slice(start, start + equals)
    .trim()
    .toLowerCase()
  let at = start + equals + 1
  while (value[at] === ' ' || value[at] === '\t') at++
  if (value[at] !== '"') {
    const bare = value.slice(at, limit).trim()
    // Names of files are often given unquoted, spaces and all; in other values a space or comment ends the token.
    return { name, text: /^(?:file)?name/.test(name) ? bare : bare.replace(/[\s(].*/s, ''), end: limit }
  }
  const close = endOfQuoted(value, at)
  const text = value.slice(at + 1, close).replace(/\\(.)/gs, '$1')
  const next = value.indexOf(';', close)
  return { name, text, end: next < 0 ? value.length : next }
}

/** The index of the quote that closes the one at `open`; the end of the text when none does. */
function endOfQuoted(value: string, open: number): number {
  for (let i = open + 1; i < value.length; i++) {
    if (value[i] === '\\') i++
    else if (value[i] === '"') return i
  }
  return value.length
}

/** RFC 2231 §4.1: the charset stands in front of the first encoded segment. */
function joinSegments(list: ReadonlyMap<number, Segment>): string {
  let charset = ''
  const bytes: Buffer[] = []
  for (let i = 0; ; i++) {
    const segment = list.get(i)
    if (segment === undefined) break
    let text = segment.text
    const prefix = i === 0 && segment.encoded ? /^([^']*)'[^']*'/.exec(text) : null
    if (prefix !== null) {
      charset = prefix[1] ?? ''
      text = text.slice(prefix[0].length)
    }
    bytes.push(segment.encoded ? unescapeBytes(text, /%([0-9a-f]{2})/gi) : Buffer.from(text))
  }
  return decodeCharset(Buffer.concat(bytes), charset === '' ? 'utf-8' : charset)
}
