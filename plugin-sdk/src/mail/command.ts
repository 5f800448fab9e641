// MAIL and RCPT command lines: RFC 5321 §4.1.1.2, §4.1.1.3 and §4.1.2, with the parameter syntax of §4.1.1.11. Which
// parameters exist is the caller's affair; syntax, duplicates and the path are settled here. Nothing throws.
import { hasUnsafeCharacter, type Path, parsePath } from './address.ts'
import type { Refused } from './domain.ts'
import { COMMAND_PARAMETERS } from './limits.ts'

/** Keyword in upper case to its value; `true` for a keyword without `=`. */
export type CommandParameters = ReadonlyMap<string, string | true>

/**
 * What was wrong, for the choice of the reply: `syntax` 501 5.5.2, `path` 553 5.1.3 or 5.1.7, `parameters` 501 5.5.4.
 */
export type CommandFault = 'syntax' | 'path' | 'parameters'
export interface CommandRefused extends Refused {
  readonly fault: CommandFault
}
export type MailCommand =
  | { readonly ok: true; readonly path: Path | null; readonly params: CommandParameters }
  | CommandRefused
export type RcptCommand =
  | { readonly ok: true; readonly path: Path; readonly params: CommandParameters }
  | CommandRefused

/**
 * Parses "MAIL FROM:<path> KEY=VALUE …" without the CRLF; one space after the colon is tolerated. Decode the bytes of
 * the line as UTF-8 before. Non-ASCII text is taken when SMTPUTF8 is among the parameters.
 */
export function parseMailCommand(line: string): MailCommand {
  const parts = split(line, /^MAIL FROM: ?/i)
  if (!parts.ok) return parts
  const smtputf8 = parts.params.has('SMTPUTF8')
  const path = parsePath(parts.path, { smtputf8, kind: 'reverse' })
  if (!path.ok) return { ...path, fault: 'path' }
  return checkCharset(parts.params, smtputf8) ?? { ok: true, path: path.path, params: parts.params }
}

/** Parses "RCPT TO:<path> KEY=VALUE …" without the CRLF; `smtputf8` says whether MAIL had SMTPUTF8. */
export function parseRcptCommand(line: string, options: { readonly smtputf8: boolean }): RcptCommand {
  const parts = split(line, /^RCPT TO: ?/i)
  if (!parts.ok) return parts
  const path = parsePath(parts.path, { smtputf8: options.smtputf8, kind: 'forward' })
  if (!path.ok) return { ...path, fault: 'path' }
  return checkCharset(parts.params, options.smtputf8) ?? { ok: true, path: path.path, params: parts.params }
}

type Split = { readonly ok: true; readonly path: string; readonly params: Map<string, string | true> } | CommandRefused

function fault(kind: CommandFault, error: string): CommandRefused {
  return { ok: false, fault: kind, error }
}

/** Cuts a line into the path with its brackets and the parameters. Quoted strings in the path may contain ">". */
function split(line: string, verb: RegExp): Split {
  const start = verb.exec(line)?.[0].length
  if (start === undefined) return fault('syntax', 'syntax error in command')
  const rest = line.slice(start)
  const path = /^<(?:[^">]|"(?:[^"\\]|\\.)*")*>/.exec(rest)?.[0]
  if (path === undefined) return fault('path', 'address not in angle brackets')
  const params = parseParams(rest.slice(path.length))
  return params === null ? fault('parameters', 'syntax error in parameters') : { ok: true, path, params }
}

/** RFC 5321 §4.1.2 Mail-parameters, each after spaces; trailing spaces are tolerated (§4.1.1). Null when malformed. */
function parseParams(text: string): Map<string, string | true> | null {
  const params = new Map<string, string | true>()
  let at = 0
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x20) return null
    while (text.charCodeAt(at) === 0x20) at++
    if (at === text.length) break
    const space = text.indexOf(' ', at)
    const param = text.slice(at, space < 0 ? text.length : space)
    at += param.length
    const equals = param.indexOf('=')
    const key = (equals < 0 ? param : param.slice(0, equals)).toUpperCase()
    const value = equals < 0 ? true : param.slice(equals + 1)
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(key) || params.has(key) || params.size === COMMAND_PARAMETERS) return null
    if (value !== true && (value === '' || value.includes('=') || hasUnsafeCharacter(value))) return null
    params.set(key, value)
  }
  return params
}

/** RFC 6531 §3.3: only with SMTPUTF8 may a parameter's value have non-ASCII text. */
function checkCharset(params: CommandParameters, smtputf8: boolean): CommandRefused | undefined {
  if (smtputf8) return undefined
  for (const value of params.values()) {
    if (value !== true && /[^\x00-\x7f]/.test(value)) return fault('parameters', 'non-ASCII parameter without SMTPUTF8')
  }
  return undefined
}

/** RFC 3461 §4 xtext, decoded as UTF-8; null when malformed or when it hides a control character. */
export function decodeXtext(text: string): string | null {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return null
  if (!text.includes('+')) return text
  const bytes = Buffer.from(
    text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  const decoded = bytes.toString()
  return hasUnsafeCharacter(decoded) ? null : decoded
}

/** RFC 3461 §4: the UTF-8 octets of `text` as xtext. */
export function encodeXtext(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^!-*,-<>-~]/g, c => `+${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
