// What is in a MIME part: bytes with the transfer encoding undone, text with the charset undone, which parts people
// read and which are attachments. Lenient; nothing throws.
import { isUtf8 } from 'node:buffer'
import { FILENAME_LENGTH } from './limits.ts'
import type { Part } from './mime.ts'
import { decodeCharset } from './words.ts'

/** The body with its transfer encoding undone. A view of `bytes` for 7bit, 8bit, binary and unknown encodings. */
export function decodeBody(bytes: Buffer, part: Part): Buffer {
  const body = bytes.subarray(part.bodyStart, part.end)
  if (part.encoding === 'base64') return decodeBase64(body)
  return part.encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body
}

/** Pieces of base64 with padding of their own, one after the other in one body. */
const BASE64_PIECES = 1_000

/** RFC 2045 §6.8; other characters are skipped, and text may go on after padding, as joined bodies have it. */
function decodeBase64(body: Buffer): Buffer {
  const text = body.toString('latin1')
  const pieces: Buffer[] = []
  for (let at = 0; at < text.length && pieces.length < BASE64_PIECES; ) {
    const padding = text.indexOf('=', at)
    const end = padding < 0 ? text.length : padding
    if (end > at) pieces.push(Buffer.from(text.slice(at, end), 'base64'))
    at = end + 1
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
}

/** RFC 2045 §6.7; malformed escapes stay as they are, white space at line ends goes. */
function decodeQuotedPrintable(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length)
  let to = 0
  /** White space written before this is encoded and stays. */
  let keep = 0
  for (let at = 0; at < body.length; ) {
    const c = body[at] ?? 0
    if (c === 0x3d) {
      const high = hexDigit(body[at + 1])
      const low = hexDigit(body[at + 2])
      const soft = high >= 0 && low >= 0 ? -1 : softBreak(body, at + 1)
      if (high >= 0 && low >= 0) {
        out[to++] = high * 16 + low
        keep = to
        at += 3
        continue
      }
      if (soft >= 0) {
        keep = to
        at = soft
        continue
      }
    } else if (c === 0x0a) {
      const cr = to > keep && out[to - 1] === 0x0d
      if (cr) to--
      while (to > keep && (out[to - 1] === 0x20 || out[to - 1] === 0x09)) to--
      if (cr) out[to++] = 0x0d
    }
    out[to++] = c
    at++
  }
  return out.subarray(0, to)
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const letter = c | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** The offset after a soft line break whose "=" is before `at`, or -1. The end of the body is one too. */
function softBreak(body: Buffer, at: number): number {
  let i = at
  while (body[i] === 0x20 || body[i] === 0x09) i++
  if (i === body.length || body[i] === 0x0a) return Math.min(i + 1, body.length)
  return body[i] === 0x0d && body[i + 1] === 0x0a ? i + 2 : -1
}

/** The body as text by its charset; without one, UTF-8 when valid, else ISO-8859-1. */
export function decodeText(bytes: Buffer, part: Part): string {
  const body = decodeBody(bytes, part)
  if (part.charset !== '' && part.charset !== 'us-ascii') return decodeCharset(body, part.charset)
  return decodeCharset(body, isUtf8(body) ? 'utf-8' : 'iso-8859-1')
}

export interface TextParts {
  readonly text?: Part
  readonly html?: Part
  /** Every other leaf part and enclosed message, in order. */
  readonly attachments: readonly Part[]
}

/** Picks the first readable text/plain and text/html, and lists the rest (RFC 2046 §5.1). */
export function textParts(part: Part): TextParts {
  const found: { text?: Part; html?: Part; attachments: Part[] } = { attachments: [] }
  const waiting: Part[] = [part]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.children.length > 0) {
      for (let i = next.children.length - 1; i >= 0; i--) waiting.push(next.children[i]!)
    } else if (next.disposition === 'attachment') found.attachments.push(next)
    else if (next.contentType === 'text/plain' && found.text === undefined) found.text = next
    else if (next.contentType === 'text/html' && found.html === undefined) found.html = next
    else found.attachments.push(next)
  }
  return found
}

/**
 * A file name fit for display: no path, no control, direction or other invisible characters, at most FILENAME_LENGTH
 * characters with the end of the name kept; "unnamed" when nothing is left. Never a name for the file system.
 */
export function safeFilename(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  const clean = base
    .slice(-65_536)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]+/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  if (/^\.*$/.test(clean)) return 'unnamed'
  const characters = [...clean]
  if (characters.length <= FILENAME_LENGTH) return clean
  return `${characters.slice(0, FILENAME_LENGTH - 21).join('')}…${characters.slice(-20).join('')}`
}
