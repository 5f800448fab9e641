// Values of report fields as they really come: with and without a type in front, in brackets, with comments, with codes in the
// middle of prose. Nothing throws; what cannot be read is ''.
import { DIAGNOSTIC_LENGTH, NAME_LENGTH } from './types.ts'

export interface Typed {
  /** Lower case; '' without one. */
  readonly type: string
  readonly text: string
}

/** "rfc822; bob@example.net" (RFC 3464 §2.1.2); a type that is missing is not missed. */
export function typedValue(value: string): Typed {
  const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,59})\s*;(.*)$/s.exec(value)
  if (match === null) return { type: '', text: value.trim() }
  return { type: (match[1] ?? '').toLowerCase(), text: (match[2] ?? '').trim() }
}

/** The address of a recipient field, without brackets, comments and escapes (RFC 6533 §3). */
export function addressOf(value: string | undefined): string {
  const { text } = typedValue((value ?? '').slice(0, 4 * NAME_LENGTH))
  const plain = text.replace(/\\x\{([0-9a-f]{1,6})\}/gi, (whole, hex: string) => character(hex) ?? whole)
  const inner = /<([^<>]*)>/.exec(plain)?.[1] ?? plain.replace(/\s+\([^()]*\)\s*$/, '')
  const clean = oneLine(inner)
    .replace(/^['"]([^'"]*@[^'"]*)['"]$/, '$1')
    .replace(/^mailto:/i, '')
  return clean.slice(0, NAME_LENGTH)
}

function character(hex: string): string | undefined {
  const code = Number.parseInt(hex, 16)
  const good = code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  return good ? String.fromCodePoint(code) : undefined
}

/** The host of an MTA field, without the address that some write behind it. */
export function hostOf(value: string | undefined): string {
  const { text } = typedValue((value ?? '').slice(0, 4 * NAME_LENGTH))
  return oneLine(text.replace(/\([^()]*\)/g, ' '))
    .replace(/ \[[^[\]]*\]$/, '')
    .replace(/\.$/, '')
    .slice(0, NAME_LENGTH)
}

export function oneLine(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}

export function diagnosticText(text: string): string {
  return oneLine(text.slice(0, 4 * DIAGNOSTIC_LENGTH))
    .slice(0, DIAGNOSTIC_LENGTH)
    .toWellFormed()
}

/** "5.1.1" anywhere in the text, comments and other words around it; '' when there is none. */
export function statusOf(value: string): string {
  return /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/.exec(value)?.[1] ?? ''
}

/** The SMTP code that a diagnostic quotes: three digits before a space, a dash or the end, and no part of anything else. */
export function codeOf(diagnostic: string): number {
  const code =
    /(?<![\w.[:-]|[\w] #)([245]\d\d)(?=[ :-]|$)(?!\s*(?:bytes|kb|octets|seconds|minutes|hours|days)\b)/i.exec(
      diagnostic.replace(/^smtp;\s*/i, ''),
    )?.[1]
  return code === undefined ? 0 : Number(code)
}
