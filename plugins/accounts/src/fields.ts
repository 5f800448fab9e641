// Rules for single values, the same for the config file and for commands. Each returns what is wrong and what to write
// instead, or undefined.
import { reply, type SmtpReply } from '@mox/plugin-sdk'
import { type Path, parseAddress, parseDomain } from '@mox/plugin-sdk/mail'

/** Characters of an account name. */
export const ACCOUNT_NAME_LENGTH = 64
/** Characters of what a user is told whose logins are refused. */
export const LOGIN_DISABLED_LENGTH = 256
/** Characters of a separator between localpart and suffix. */
export const SEPARATOR_LENGTH = 8
/** Separators of one domain. */
export const SEPARATORS = 8
/** Characters of a full name. */
export const FULL_NAME_LENGTH = 200
/** Characters of a mailbox name here; the message store has its own rules beside. */
export const MAILBOX_LENGTH = 200
/** Members of one alias. */
export const ALIAS_MEMBERS = 1000

const PRINTABLE = /^[\x20-\x7e]*$/

export function accountNameProblem(name: string): string | undefined {
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= ACCOUNT_NAME_LENGTH) return undefined
  return `${JSON.stringify(name)} is no account name; use 1 to ${ACCOUNT_NAME_LENGTH} of a-z, 0-9, ".", "_", "-", first a letter or digit`
}

export function separatorProblem(separator: string): string | undefined {
  if (/^[!#$%&'*+/=?^_`{|}~.-]+$/.test(separator) && separator.length <= SEPARATOR_LENGTH) return undefined
  return `${JSON.stringify(separator)} is no separator; use 1 to ${SEPARATOR_LENGTH} punctuation characters, such as "+"`
}

/** Shown by mail programs that know ASCII only. */
export function loginDisabledProblem(text: string): string | undefined {
  if (text.length > 0 && text.length < LOGIN_DISABLED_LENGTH && PRINTABLE.test(text)) return undefined
  return `what the user is told must be 1 to ${LOGIN_DISABLED_LENGTH - 1} printable ASCII characters`
}

export function plainTextProblem(text: string, limit: number): string | undefined {
  if (text.length <= limit && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) return undefined
  return `must be at most ${limit} characters on one line, without control characters`
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

export function parseDomainName(text: string): Parsed<string> {
  const parsed = parseDomain(text, { smtputf8: true })
  if (!parsed.ok) return bad(`${JSON.stringify(text)} is no domain (${parsed.error}); write one such as "example.org"`)
  if (parsed.domain.startsWith('[')) return bad(`${text} is an address literal; write a domain name`)
  return { ok: true, value: parsed.domain }
}

/** "alice@example.org", or "@example.org": localpart null. */
export function parseOwnAddress(text: string): Parsed<{ readonly localpart: string | null; readonly domain: string }> {
  if (text.startsWith('@')) {
    const domain = parseDomainName(text.slice(1))
    return domain.ok ? { ok: true, value: { localpart: null, domain: domain.value } } : domain
  }
  const parsed = parseMailbox(text)
  return parsed.ok ? { ok: true, value: parsed.value } : parsed
}

export function parseMailbox(text: string): Parsed<Path> {
  const parsed = parseAddress(text)
  if (!parsed.ok)
    return bad(`${JSON.stringify(text)} is no address (${parsed.error}); write one such as "alice@example.org"`)
  if (parsed.path.domain.startsWith('[')) return bad(`${text} has an address literal; write a domain name`)
  return { ok: true, value: parsed.path }
}

/** Codes that an address may be refused with. 421 would end the session, so 451 is sent instead. */
export const REFUSE_CODES: readonly number[] = [421, 451, 550]

/** RFC 3463 X.2.1: mailbox disabled, not accepting messages. */
export function refuseReply(code: number, text: string): SmtpReply {
  return code === 550 ? reply(550, '5.2.1', text) : reply(451, '4.2.1', text)
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem }
}
