// Text from servers, senders and handlers made fit for a message: one line without control characters for a field, lines
// of bounded length for a body. Nothing that is put in here can end a field, a part or the message.
import { formatAddress, formatField, LINE_OCTETS, type Path } from '@mox/plugin-sdk/mail'

/** Characters of one field's value. */
export const VALUE_LENGTH = 8_000
/** Characters of a word that is not broken: four octets each are within a line. */
const WORD_LENGTH = 200

/** C0, C1, DEL, line and paragraph separators, characters that turn the direction of text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** One line of text as people may read it. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(UNSAFE, ' ').replace(/ {2,}/g, ' ').trim()
}

/** RFC 6533 §3: a character as ASCII. */
const escaped = (c: string): string => `\\x{${(c.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`

/** One line; without `utf8` every other than an ASCII character is escaped. */
export function fieldValue(text: string, utf8: boolean): string {
  const line = oneLine(text.slice(0, VALUE_LENGTH))
  const plain = utf8 ? line : line.replace(/[^\x20-\x7e]/gu, escaped)
  return plain
    .split(' ')
    .flatMap(word => word.match(LONG_WORD) ?? [])
    .join(' ')
}
const LONG_WORD = new RegExp(`.{1,${WORD_LENGTH}}`, 'gsu')

/** "Name: value" folded, with its CRLF; nothing for an empty value. */
export function field(name: string, value: string | undefined, utf8: boolean): string {
  const clean = value === undefined ? '' : fieldValue(value, utf8)
  return clean === '' ? '' : formatField(name, clean)
}

/** "rfc822; bob@example.net", or the forms of RFC 6533 §3 for an address that is not ASCII. */
export function typedAddress(path: Path, utf8: boolean): string {
  const address = formatAddress(path)
  return isAscii(address) ? `rfc822; ${address}` : `utf-8; ${escapeAddress(address, utf8)}`
}

/** RFC 6533 §3: utf-8-addr-unitext with `utf8`, else utf-8-addr-xtext. */
function escapeAddress(address: string, utf8: boolean): string {
  return address.replace(utf8 ? /[\x00-\x20\\+=\x7f]/g : /[^\x21-\x7e]|[\\+=]/gu, escaped)
}

/** ORCPT as the sender gave it, decoded from xtext: "type;address" (RFC 3461 §4.2). Undefined when it cannot be read. */
export function originalRecipient(orcpt: string | undefined, utf8: boolean): string | undefined {
  const match = /^([A-Za-z0-9.-]{1,60});(.+)$/s.exec(orcpt ?? '')
  if (match === null) return undefined
  const [, type = '', address = ''] = match
  if (isAscii(address)) return `${type}; ${address}`
  return `utf-8; ${escapeAddress(address, utf8)}`
}

export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text)
}

/** How the bytes of a part travel. */
export interface Encoded {
  readonly encoding: '7bit' | '8bit' | 'quoted-printable' | 'base64'
  readonly body: Buffer
}

/** CRLF line ends; no control characters but tab. */
export function textBody(text: string, utf8: boolean): Encoded & { readonly charset: string } {
  const lines = text
    .toWellFormed()
    .split(/\r\n|\r|\n/)
    .map(line => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').trimEnd())
  const body = Buffer.from(`${lines.join('\r\n').trimEnd()}\r\n`)
  const charset = isAscii(text) ? 'us-ascii' : 'utf-8'
  const raw = transparent(body, utf8)
  if (raw !== undefined) return { ...raw, charset }
  return { encoding: 'quoted-printable', body: quotedPrintable(body), charset }
}

/** The bytes as they are, where lines are short enough and 8-bit octets allowed; else undefined. */
export function transparent(body: Buffer, eightBit: boolean): Encoded | undefined {
  let ascii = true
  for (const octet of body) {
    if (octet === 0) return undefined
    if (octet > 0x7f) ascii = false
  }
  if (!ascii && !eightBit) return undefined
  for (let at = 0; at < body.length; ) {
    const lf = body.indexOf(0x0a, at)
    const end = lf < 0 ? body.length : lf + 1
    if (end - at > LINE_OCTETS + 2) return undefined
    at = end
  }
  return { encoding: ascii ? '7bit' : '8bit', body }
}

/** RFC 2045 §6.8. */
export function base64(body: Buffer): Encoded {
  const lines = body.toString('base64').match(/.{1,76}/g) ?? []
  return { encoding: 'base64', body: Buffer.from(lines.map(line => `${line}\r\n`).join('')) }
}

/** RFC 2045 §6.7, for text that ends in CRLF. */
function quotedPrintable(body: Buffer): Buffer {
  const out: string[] = []
  for (const line of body.toString('latin1').split('\r\n')) {
    let column = 0
    for (const [index, c] of [...line].entries()) {
      const code = c.charCodeAt(0)
      const last = index === line.length - 1
      const safe = (code > 0x20 && code < 0x7f && c !== '=') || ((c === ' ' || c === '\t') && !last)
      const written = safe ? c : `=${code.toString(16).toUpperCase().padStart(2, '0')}`
      // 76 with the "=" of a soft line break.
      if (column + written.length > 75) {
        out.push('=\r\n')
        column = 0
      }
      out.push(written)
      column += written.length
    }
    out.push('\r\n')
  }
  out.pop()
  return Buffer.from(out.join(''), 'latin1')
}
