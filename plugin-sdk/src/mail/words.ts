// Character sets and encoded words: RFC 2047. Lenient, for display: unknown charsets are read as ISO-8859-1, broken
// words stay as they are, nothing throws.
import { TextDecoder } from 'node:util'

const DECODERS = new Map<string, TextDecoder | null>()
const DECODERS_KEPT = 64

/** Null for a charset that the platform does not know. */
function decoderFor(charset: string): TextDecoder | null {
  const label = charset.slice(0, 60).trim().toLowerCase()
  let decoder = DECODERS.get(label)
  if (decoder === undefined) {
    try {
      decoder = new TextDecoder(label)
    } catch {
      decoder = null
    }
    if (DECODERS.size >= DECODERS_KEPT) DECODERS.clear()
    DECODERS.set(label, decoder)
  }
  return decoder
}

/** Decodes bytes of a named charset; unknown names are read as ISO-8859-1, invalid sequences become U+FFFD. */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const decoder = decoderFor(charset)
  return decoder === null
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    : decoder.decode(bytes)
}

/** charset, optional RFC 2231 §5 language, encoding, text. */
const WORD = /=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([bq])\?([^?\r\n]*)\?=/gi

/** Decodes the encoded words of an unfolded header value. Control characters in the result become spaces. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return replaceControls(value)
  let out = ''
  let at = 0
  let run: Buffer[] = []
  let runCharset = ''
  const flush = (): void => {
    if (run.length > 0) out += decodeCharset(Buffer.concat(run), runCharset)
    run = []
  }
  for (const match of value.matchAll(WORD)) {
    const between = value.slice(at, match.index)
    const charset = (match[1] ?? '').toLowerCase()
    // RFC 2047 §6.2: space between encoded words is not shown. A character may be cut in two by careless senders, so
    // words of one charset are joined before they are decoded.
    if (/[^ \t]/.test(between) || run.length === 0) {
      flush()
      out += between
    } else if (charset !== runCharset) flush()
    runCharset = charset
    run.push(match[2]?.toLowerCase() === 'b' ? Buffer.from(match[3] ?? '', 'base64') : decodeQ(match[3] ?? ''))
    at = match.index + match[0].length
  }
  flush()
  return replaceControls(out + value.slice(at))
}

function replaceControls(text: string): string {
  return /[\x00-\x1f\x7f-\x9f]/.test(text) ? text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ') : text
}

/** RFC 2047 §4.2. Non-ASCII text that should not be here is taken as UTF-8. */
function decodeQ(text: string): Buffer {
  const spaced = text.replaceAll('_', ' ')
  if (!spaced.includes('=')) return Buffer.from(spaced)
  return unescapeBytes(spaced, /=([0-9a-f]{2})/gi)
}

/** The UTF-8 octets of `text` with every match of `pattern` (whose first group is two hex digits) as one octet. */
export function unescapeBytes(text: string, pattern: RegExp): Buffer {
  const latin1 = Buffer.from(text).toString('latin1')
  return Buffer.from(
    latin1.replace(pattern, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** Octets of text in one encoded word: 60 characters of base64 and 12 around them are within 75. */
const WORD_OCTETS = 45

/**
 * An unstructured value or a phrase for a header field: from the first to the last word that is not plain ASCII as
 * UTF-8 encoded words of at most 75 characters (RFC 2047 §2), the rest as it is. Lone surrogates become U+FFFD.
 */
export function encodeWords(value: string): string {
  const words = value.split(' ')
  const needs = (word: string): boolean => /[^\x21-\x7e]/.test(word) || word.includes('=?')
  const first = words.findIndex(needs)
  if (first < 0 || !/[^\x20-\x7e]|=\?/.test(value)) return value
  const last = words.findLastIndex(needs)
  const encoded: string[] = []
  let chunk = ''
  let octets = 0
  for (const character of words.slice(first, last + 1).join(' ')) {
    const size = Buffer.byteLength(character)
    if (octets + size > WORD_OCTETS) {
      encoded.push(chunk)
      chunk = ''
      octets = 0
    }
    chunk += character
    octets += size
  }
  encoded.push(chunk)
  const text = encoded.map(part => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ')
  return [...words.slice(0, first), text, ...words.slice(last + 1)].join(' ')
}
