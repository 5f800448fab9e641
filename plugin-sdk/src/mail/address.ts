// Mail addresses by our own RFC 5321 and RFC 6531 grammar; no library's idea of an address is used anywhere. Parsers
// return a refusal with a fixed text, never throw, and never repair: what they cannot read in exactly one way is
// refused.

import { displayDomain, parseDomain, type Refused, refused } from './domain.ts'
import { LOCALPART_OCTETS, PATH_OCTETS } from './limits.ts'

/**
 * An address. Two paths are the same mailbox name when both fields are equal (the localpart's case is its domain's
 * affair).
 */
export interface Path {
  /** Decoded: without quotes and backslashes, NFC. */
  readonly localpart: string
  /** Lower-case A-labels, "[127.0.0.1]", "[IPv6:::1]", or '' for `<postmaster>` without a domain. */
  readonly domain: string
}

export type PathResult = { readonly ok: true; readonly path: Path } | Refused
export type ReversePathResult = { readonly ok: true; readonly path: Path | null } | Refused

const ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i
const UTF8_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\u{10ffff}-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\u{10ffff}-]+)*$/iu
// Controls, lone surrogates, spaces of any sort, what stands for a decoding error, and format characters that hide or
// reorder text, but for the two joiners that some scripts need.
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffd\ufffe\uffff]|(?! )\p{Zs}|(?![\u200c\u200d])\p{Cf}/u

/**
 * True when non-ASCII text has a character that we accept in no address or parameter; ASCII controls are found as
 * well.
 */
export function hasUnsafeCharacter(text: string): boolean {
  return UNSAFE.test(text)
}

export interface ParsePathOptions {
  /** Whether the transaction has SMTPUTF8: allows non-ASCII localparts and U-labels. */
  readonly smtputf8: boolean
  /** `reverse` (MAIL) may be `<>`, which gives null; `forward` (RCPT) may be `<postmaster>`. */
  readonly kind: 'reverse' | 'forward'
}

/**
 * RFC 5321 §4.1.2 Reverse-path and Forward-path, with brackets: the text between `FROM:` and the parameters. Decode the
 * bytes of the line as UTF-8 before: U+FFFD is refused. Source routes are checked and dropped (appendix C).
 */
export function parsePath(text: string, options: ParsePathOptions & { readonly kind: 'forward' }): PathResult
export function parsePath(text: string, options: ParsePathOptions): ReversePathResult
export function parsePath(text: string, options: ParsePathOptions): ReversePathResult {
  if (text.length < 2 || text.charCodeAt(0) !== 0x3c || text.charCodeAt(text.length - 1) !== 0x3e) {
    return refused('address not in angle brackets')
  }
  if (Buffer.byteLength(text) > PATH_OCTETS) return refused('path too long')
  let mailbox = text.slice(1, -1)
  if (mailbox === '') return options.kind === 'reverse' ? { ok: true, path: null } : refused('empty forward-path')
  if (mailbox.charCodeAt(0) === 0x40) {
    const rest = dropRoute(mailbox, options.smtputf8)
    if (rest === null) return refused('bad source route')
    mailbox = rest
  } else if (options.kind === 'forward' && /^postmaster$/i.test(mailbox)) {
    return { ok: true, path: { localpart: mailbox, domain: '' } }
  }
  return parseMailbox(mailbox, options.smtputf8)
}

/** RFC 5321 §4.1.2 A-d-l: the mailbox after "@a,@b:", or null. */
function dropRoute(text: string, smtputf8: boolean): string | null {
  let at = 0
  for (;;) {
    if (text.charCodeAt(at) !== 0x40) return null
    const literal = text.charCodeAt(at + 1) === 0x5b ? text.indexOf(']', at) : at
    const end = literal < 0 ? -1 : text.slice(literal).search(/[,:]/)
    if (end < 0 || !parseDomain(text.slice(at + 1, literal + end), { smtputf8 }).ok) return null
    at = literal + end + 1
    if (text.charCodeAt(at - 1) === 0x3a) return text.slice(at)
  }
}

/**
 * A plain "local@domain" as people type it in a config file, a command or an API call; Unicode allowed, no brackets.
 */
export function parseAddress(text: string): PathResult {
  return parseMailbox(text, true)
}

/** RFC 5321 §4.1.2 Mailbox, RFC 6531 §3.3. */
export function parseMailbox(text: string, smtputf8: boolean): PathResult {
  if (text.length > PATH_OCTETS) return refused('path too long')
  const quoted = text.charCodeAt(0) === 0x22
  const at = quoted ? endOfQuoted(text) : text.indexOf('@')
  if (quoted && at < 0) return refused('bad quoted localpart')
  if (at <= 0 || text.charCodeAt(at) !== 0x40) return refused('no localpart and @')
  const localpart = parseLocalpart(text.slice(0, at), smtputf8)
  if (!localpart.ok) return localpart
  const domain = parseDomain(text.slice(at + 1), { smtputf8 })
  if (!domain.ok) return domain
  const path: Path = { localpart: localpart.localpart, domain: domain.domain }
  if (Buffer.byteLength(formatPath(path)) > PATH_OCTETS) return refused('path too long')
  return { ok: true, path }
}

export type LocalpartResult = { readonly ok: true; readonly localpart: string } | Refused

/** RFC 5321 §4.1.2 Local-part: a dot-string or a quoted string, decoded. `""` is refused: it names nobody. */
export function parseLocalpart(text: string, smtputf8: boolean): LocalpartResult {
  let localpart = text
  if (text.charCodeAt(0) === 0x22) {
    if (text.length < 3 || endOfQuoted(text) !== text.length) return refused('bad quoted localpart')
    localpart = text.slice(1, -1).replace(/\\([\x20-\x7e])/g, '$1')
  } else if (!ATOM.test(text) && !UTF8_ATOM.test(text)) return refused('bad localpart')
  if (/[^\x20-\x7e]/.test(localpart)) {
    if (hasUnsafeCharacter(localpart)) return refused('bad character in localpart')
    if (!smtputf8) return { ok: false, error: 'non-ASCII localpart without SMTPUTF8', needsUtf8: true }
    localpart = localpart.normalize('NFC')
  }
  if (Buffer.byteLength(localpart) > LOCALPART_OCTETS) return refused('localpart too long')
  return { ok: true, localpart }
}

/**
 * The index after the closing quote of a Quoted-string at the start, or -1. A pair is a backslash and printable ASCII.
 */
function endOfQuoted(text: string): number {
  return /^"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"/.exec(text)?.[0].length ?? -1
}

/** "local@domain" as it goes on the wire and into header fields: the localpart quoted when it must be, A-labels. */
export function formatAddress(path: Path): string {
  const local = formatLocalpart(path.localpart)
  return path.domain === '' ? local : `${local}@${path.domain}`
}

/** The argument of MAIL FROM and RCPT TO: "<local@domain>", "<>" for null, "<postmaster>" without a domain. */
export function formatPath(path: Path | null): string {
  return path === null ? '<>' : `<${formatAddress(path)}>`
}

/** The address as people read it, U-labels shown where that is safe; '' for null. Not for the wire. */
export function pathToString(path: Path | null): string {
  if (path === null) return ''
  const local = formatLocalpart(path.localpart)
  return path.domain === '' ? local : `${local}@${displayDomain(path.domain)}`
}

function formatLocalpart(localpart: string): string {
  if (ATOM.test(localpart) || UTF8_ATOM.test(localpart)) return localpart
  return `"${localpart.replace(/["\\]/g, '\\$&')}"`
}
