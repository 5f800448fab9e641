// What handlers may change in a draft, field by field: a patch with an unknown field or a wrong value counts as a failure of
// its handler, so nothing malformed reaches the queue, a DSN or a request. A check returns what is wrong, or undefined.
import { HEADER_BYTES, parseHeader } from '@mox/plugin-sdk/mail'
import { jsonProblem } from './json.ts'

export type Check = (value: unknown) => string | undefined
export type FieldChecks = ReadonlyMap<string, Check>

/** Characters of a reason. */
export const REASON_LENGTH = 1_000
/** Characters of a name: a transport, an account, a fromid. */
export const NAME_LENGTH = 320
/** Characters of a subject: RFC 5322 §2.1.1 lines have at most 998. */
export const SUBJECT_LENGTH = 900
/** Characters of the text of a DSN. */
export const DSN_TEXT_LENGTH = 65_536
/** Pairs in a recipient's extra data, and characters of all of them. */
export const EXTRA_PAIRS = 1_000
export const EXTRA_LENGTH = 65_536
/** Characters of a webhook's payload as JSON. */
export const PAYLOAD_LENGTH = 1_048_576
/** Header fields of a webhook request, and characters of one value. */
export const REQUEST_FIELDS = 100
export const REQUEST_FIELD_LENGTH = 8_192

const CONTROL = /[\u0000-\u001f\u007f]/

/** One line of text without control characters. */
export function line(limit: number, least = 0): Check {
  return value => {
    if (typeof value !== 'string') return 'is no text'
    if (value.length < least) return 'is empty'
    if (value.length > limit) return `has more than ${limit} characters`
    return CONTROL.test(value) ? 'has control characters' : undefined
  }
}

export function integer(least: number, most: number): Check {
  return value =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `is no whole number from ${least} to ${most}`
}

export function oneOf(words: readonly string[]): Check {
  return value => (typeof value === 'string' && words.includes(value) ? undefined : `is none of ${words.join(', ')}`)
}

export function listOf(check: Check, least: number, most: number): Check {
  return value => {
    if (!Array.isArray(value)) return 'is no array'
    if (value.length < least) return 'is empty'
    if (value.length > most) return `has more than ${most} entries`
    for (const [i, item] of value.entries()) {
      const problem = check(item)
      if (problem !== undefined) return `[${i}] ${problem}`
    }
    return undefined
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every field that is there must be known and right. */
export function fieldProblem(changes: unknown, checks: FieldChecks): string | undefined {
  if (!isObject(changes)) return 'is no object'
  for (const [name, value] of Object.entries(changes)) {
    const check = checks.get(name)
    if (check === undefined) return `.${name} cannot be changed`
    const problem = check(value)
    if (problem !== undefined) return `.${name} ${problem}`
  }
  return undefined
}

/** Milliseconds since the epoch. */
export const time: Check = value =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? undefined : 'is no time'
export const boolean: Check = value => (typeof value === 'boolean' ? undefined : 'is neither true nor false')
const name = line(NAME_LENGTH, 1)

const path: Check = value => {
  if (!isObject(value)) return 'is no address'
  const localpart = line(NAME_LENGTH)(value['localpart'])
  if (localpart !== undefined) return `.localpart ${localpart}`
  const domain = line(NAME_LENGTH, 1)(value['domain'])
  return domain === undefined ? undefined : `.domain ${domain}`
}

const pairs: Check = value => {
  if (!isObject(value)) return 'is no object'
  const entries = Object.entries(value)
  if (entries.length > EXTRA_PAIRS) return `has more than ${EXTRA_PAIRS} entries`
  let length = 0
  for (const [key, text] of entries) {
    if (typeof text !== 'string') return `.${key} is no text`
    length += key.length + text.length
  }
  return length > EXTRA_LENGTH ? `has more than ${EXTRA_LENGTH} characters` : undefined
}

const payload: Check = value => {
  if (!isObject(value)) return 'is no object'
  return jsonProblem(value, PAYLOAD_LENGTH)
}

/** RFC 9110 §5.1: a name is a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/
const requestField = line(REQUEST_FIELD_LENGTH)

const requestFields: Check = value => {
  if (!isObject(value)) return 'is no object'
  const entries = Object.entries(value)
  if (entries.length > REQUEST_FIELDS) return `has more than ${REQUEST_FIELDS} entries`
  for (const [key, text] of entries) {
    if (!TOKEN.test(key)) return 'has a name that is no token'
    const problem = requestField(text)
    if (problem !== undefined) return `.${key} ${problem}`
  }
  return undefined
}

/** Whole lines, and no empty one but at the end. */
const headerSection: Check = value => {
  if (!Buffer.isBuffer(value)) return 'is no Buffer'
  if (value.length > HEADER_BYTES) return `has more than ${HEADER_BYTES} bytes`
  if (value.subarray(-2).toString('latin1') !== '\r\n') return 'does not end in CRLF'
  const { length, problems } = parseHeader(value)
  if (length < value.length) return 'has an empty line before its end, or too many lines'
  return problems.some(({ kind }) => kind === 'bare-newline' || kind === 'nul')
    ? 'has a NUL or a bare newline'
    : undefined
}

export const HEAD_FIELDS: FieldChecks = new Map<string, Check>([['head', headerSection]])

export const QUEUE_FIELDS: FieldChecks = new Map<string, Check>([
  ['account', line(NAME_LENGTH)],
  ['loginAddress', name],
  ['reversePath', value => (value === null ? undefined : path(value))],
  ['recipient', path],
  ['due', time],
  ['maxAttempts', integer(0, 1_000)],
  ['transport', name],
  ['requireTls', boolean],
  ['notify', listOf(oneOf(['success', 'failure', 'delay']), 0, 3)],
  ['fromId', name],
  ['stream', name],
  ['extra', pairs],
])

export const DSN_FIELDS: FieldChecks = new Map<string, Check>([
  ['subject', line(SUBJECT_LENGTH, 1)],
  [
    'text',
    value => {
      if (typeof value !== 'string') return 'is no text'
      return value.length > DSN_TEXT_LENGTH ? `has more than ${DSN_TEXT_LENGTH} characters` : undefined
    },
  ],
  [
    'language',
    value => (typeof value === 'string' && /^[A-Za-z0-9-]{1,35}$/.test(value) ? undefined : 'is no language tag'),
  ],
])

/** The event's id and account are what makes it that event. */
export const WEBHOOK_EVENT_FIELDS: FieldChecks = new Map<string, Check>([
  ['event', line(100, 1)],
  ['payload', payload],
])

/** Where a request goes and what it says is fixed; handlers add header fields. */
export const WEBHOOK_REQUEST_FIELDS: FieldChecks = new Map<string, Check>([['headers', requestFields]])
