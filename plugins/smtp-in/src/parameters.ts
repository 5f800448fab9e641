// Parameters of MAIL and RCPT: each keyword of an extension that we announce, checked in full; every other one is refused
// with 555 (RFC 5321 §4.1.1.11). Pure functions; the texts of refusals are fixed.
import { type MailParameters, type Notify, type RcptParameters, reply, type SmtpReply } from '@mox/plugin-sdk'
import { type CommandParameters, decodeXtext } from '@mox/plugin-sdk/mail'
import { HOLD_SECONDS } from './limits.ts'

/** RFC 3461 §4.4: characters of a decoded ENVID. */
export const ENVID_LENGTH = 100
/** RFC 3461 §4.2: characters of ORCPT as given. */
export const ORCPT_LENGTH = 500

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reply: SmtpReply }
type Value = string | true
/** Adds to the draft, or says what is wrong. */
type Check<T, C> = (value: Value, draft: T, context: C) => SmtpReply | undefined

type Draft<T> = { -readonly [K in keyof T]: T[K] }

export interface MailContext {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly submission: boolean
  readonly tls: boolean
  /** Octets. */
  readonly maxSize: number
}

const bad = (text: string): SmtpReply => reply(501, '5.5.4', text)
const unknown: SmtpReply = reply(555, '5.3.3', 'parameter not known')

const MAIL_CHECKS = new Map<string, Check<Draft<MailParameters>, MailContext>>([
  ['SIZE', size],
  ['BODY', body],
  ['AUTH', auth],
  ['SMTPUTF8', (value, draft) => (value === true ? set(draft, 'smtputf8', true) : bad('SMTPUTF8 takes no value'))],
  ['REQUIRETLS', requireTls],
  ['HOLDFOR', holdFor],
  ['HOLDUNTIL', holdUntil],
  ['RET', ret],
  ['ENVID', envid],
])

const RCPT_CHECKS = new Map<string, Check<Draft<RcptParameters>, { readonly smtputf8: boolean }>>([
  ['NOTIFY', notify],
  ['ORCPT', orcpt],
])

/** The parameters of a MAIL command. */
export function mailParameters(params: CommandParameters, context: MailContext): Checked<MailParameters> {
  if (params.has('HOLDFOR') && params.has('HOLDUNTIL'))
    return { ok: false, reply: bad('HOLDFOR and HOLDUNTIL exclude each other') }
  return check(params, MAIL_CHECKS, context)
}

/** The parameters of a RCPT command. */
export function rcptParameters(
  params: CommandParameters,
  context: { readonly smtputf8: boolean },
): Checked<RcptParameters> {
  return check(params, RCPT_CHECKS, context)
}

function check<T extends object, C>(
  params: CommandParameters,
  checks: Map<string, Check<T, C>>,
  context: C,
): Checked<T> {
  const draft = {} as T
  for (const [key, value] of params) {
    const one = checks.get(key)
    const refusal = one === undefined ? unknown : one(value, draft, context)
    if (refusal !== undefined) return { ok: false, reply: refusal }
  }
  return { ok: true, value: draft }
}

function set<T, K extends keyof T>(draft: T, key: K, value: T[K]): undefined {
  draft[key] = value
}

/** RFC 1870 §6. */
function size(value: Value, draft: Draft<MailParameters>, context: MailContext): SmtpReply | undefined {
  if (value === true || !/^\d{1,20}$/.test(value)) return bad('SIZE must be a number of octets')
  if (Number(value) > context.maxSize) return reply(552, '5.3.4', 'message too large')
  return set(draft, 'size', Number(value))
}

/** RFC 6152 §2. */
function body(value: Value, draft: Draft<MailParameters>): SmtpReply | undefined {
  const kind = value === true ? '' : value.toUpperCase()
  if (kind !== '7BIT' && kind !== '8BITMIME') return bad('BODY must be 7BIT or 8BITMIME')
  return set(draft, 'body', kind)
}

/** RFC 4954 §5: who submitted it, as an earlier hop believes. Checked, then forgotten: we trust no hop with that. */
function auth(value: Value): SmtpReply | undefined {
  return value !== true && decodeXtext(value) ? undefined : bad('AUTH must be <> or an address in xtext')
}

/** RFC 8689 §4.1: only within TLS, where it is announced. */
function requireTls(value: Value, draft: Draft<MailParameters>, context: MailContext): SmtpReply | undefined {
  if (value !== true) return bad('REQUIRETLS takes no value')
  if (!context.tls) return reply(523, '5.7.10', 'REQUIRETLS needs a TLS connection')
  return set(draft, 'requireTls', true)
}

/** RFC 4865 §5. */
function holdFor(value: Value, draft: Draft<MailParameters>, context: MailContext): SmtpReply | undefined {
  if (!context.submission) return unknown
  if (value === true || !/^\d{1,9}$/.test(value)) return bad('HOLDFOR must be a number of seconds')
  draft.futureReleaseRequest = `for;${value}`
  return hold(context.now + Number(value) * 1000, draft, context)
}

function holdUntil(value: Value, draft: Draft<MailParameters>, context: MailContext): SmtpReply | undefined {
  if (!context.submission) return unknown
  const given = value === true ? '' : value.toUpperCase()
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(given) ? Date.parse(given) : Number.NaN
  // Date.parse takes the 31st of February for a day in March.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== given.slice(0, 19))
    return bad('HOLDUNTIL must be a time like 2030-01-31T12:00:00Z')
  draft.futureReleaseRequest = `until;${given}`
  return hold(at, draft, context)
}

function hold(at: number, draft: Draft<MailParameters>, context: MailContext): SmtpReply | undefined {
  if (at < context.now) return reply(554, '5.5.4', 'the time to hold the message until is in the past')
  if (at > context.now + HOLD_SECONDS * 1000) return reply(554, '5.5.4', 'messages are held for at most 60 days')
  return set(draft, 'holdUntil', at)
}

/** RFC 3461 §4.3. */
function ret(value: Value, draft: Draft<MailParameters>): SmtpReply | undefined {
  const kind = value === true ? '' : value.toUpperCase()
  if (kind !== 'FULL' && kind !== 'HDRS') return bad('RET must be FULL or HDRS')
  return set(draft, 'ret', kind)
}

/** RFC 3461 §4.4. */
function envid(value: Value, draft: Draft<MailParameters>): SmtpReply | undefined {
  const decoded = value === true ? null : decodeXtext(value)
  if (decoded === null || decoded === '' || decoded.length > ENVID_LENGTH || /[^\x20-\x7e]/.test(decoded))
    return bad('ENVID must be up to 100 printable characters in xtext')
  return set(draft, 'envid', decoded)
}

const NOTIFY = new Map<string, Notify>([
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['DELAY', 'delay'],
])

/** RFC 3461 §4.1: NEVER stands alone. */
function notify(value: Value, draft: Draft<RcptParameters>): SmtpReply | undefined {
  const given = value === true ? '' : value.toUpperCase()
  if (given === 'NEVER') return set(draft, 'notify', [])
  const wanted = new Set<Notify>()
  for (const word of given.split(',')) {
    const known = NOTIFY.get(word)
    if (known === undefined) return bad('NOTIFY must be NEVER or of SUCCESS,FAILURE,DELAY')
    wanted.add(known)
  }
  return set(draft, 'notify', [...wanted])
}

/** RFC 3461 §4.2, RFC 6533 §3: "type;address", the address in xtext, or for type utf-8 with SMTPUTF8 as it is. */
function orcpt(
  value: Value,
  draft: Draft<RcptParameters>,
  context: { readonly smtputf8: boolean },
): SmtpReply | undefined {
  const [, type = '', address = ''] = value === true ? [] : (/^([a-z0-9-]{1,40});(.+)$/i.exec(value) ?? [])
  const raw = context.smtputf8 && type.toLowerCase() === 'utf-8' && /[^\x00-\x7f]/.test(address)
  const decoded = raw ? address : decodeXtext(address)
  if (value === true || value.length > ORCPT_LENGTH || type === '' || decoded === null || decoded === '')
    return bad('ORCPT must be an address type, a semicolon and an address in xtext')
  return set(draft, 'orcpt', `${type};${decoded}`)
}
