// What makes a returned object a verdict of a hook. Anything else that a handler returns counts as its failure, so the merge
// and the stages only ever see complete verdicts.

import { type Check, fieldProblem, integer, isObject, line, listOf, oneOf, REASON_LENGTH, time } from './fields.ts'
import type { HookEntry, VerdictKind } from './table.ts'

/** Characters of a reply's text: RFC 5321 §4.5.3.1.5 allows 512 octets for the line. */
export const REPLY_LENGTH = 400
/** Keywords of one `tag` verdict, and characters of one. */
export const KEYWORDS = 32
export const KEYWORD_LENGTH = 64
/** Rows of one report. */
export const REPORT_ROWS = 100_000
/** Bytes of a report to send, and its recipients. */
export const REPORT_BYTES: number = 25 * 1024 * 1024
export const REPORT_RECIPIENTS = 100

/** A verdict whose shape was checked. */
export interface AnyVerdict {
  readonly kind: string
  readonly reason?: string
  readonly failed?: true
  readonly [field: string]: unknown
}

export const PASS: AnyVerdict = Object.freeze({ kind: 'pass' })

type Fields = Readonly<Record<string, unknown>>
type VerdictCheck = (verdict: Fields) => string | undefined

/** Any text: what shows it escapes it. */
const reason: Check = value => {
  if (typeof value !== 'string') return 'is no text'
  return value.length > REASON_LENGTH ? `has more than ${REASON_LENGTH} characters` : undefined
}
const transport = line(100, 1)
const categories = listOf(oneOf(['auth', 'reputation', 'content', 'policy']), 1, 4)

/** RFC 3501 flag-keyword: an atom. */
const keywords = listOf(
  value =>
    typeof value === 'string' && value.length <= KEYWORD_LENGTH && /^[!#$&'+-[^-z|}~]+$/.test(value)
      ? undefined
      : `is no keyword: at most ${KEYWORD_LENGTH} letters, digits and marks`,
  1,
  KEYWORDS,
)

/** A reply of class 4 or 5, its enhanced code of the same class (RFC 3463 §2), its text fit for the wire. */
function reply(value: unknown, classes: readonly number[]): string | undefined {
  if (!isObject(value)) return 'has no reply'
  const { code, enhanced, text } = value
  const major = typeof code === 'number' && Number.isInteger(code) && code < 600 ? Math.floor(code / 100) : 0
  if (!classes.includes(major)) return `has a reply whose code is not ${classes.map(c => `${c}yz`).join(' or ')}`
  if (enhanced !== undefined && !(typeof enhanced === 'string' && /^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced)))
    return 'has a reply whose enhanced code is none'
  if (typeof enhanced === 'string' && enhanced[0] !== String(major))
    return 'has a reply whose code and enhanced code contradict'
  if (typeof text !== 'string' || text.length > REPLY_LENGTH || !/^[\x20-\x7e]+$/.test(text))
    return `has a reply whose text is not 1 to ${REPLY_LENGTH} printable ASCII characters`
  return undefined
}

const field =
  (name: string, check: Check, optional = false): VerdictCheck =>
  verdict => {
    const value = verdict[name]
    if (optional && value === undefined) return undefined
    const problem = check(value)
    return problem === undefined ? undefined : problem.startsWith('[') ? `${name}${problem}` : `${name} ${problem}`
  }
const all =
  (...checks: readonly VerdictCheck[]): VerdictCheck =>
  verdict => {
    for (const check of checks) {
      const problem = check(verdict)
      if (problem !== undefined) return problem
    }
    return undefined
  }
const why = field('reason', reason)
const maybeWhy = field('reason', reason, true)
const replying =
  (...classes: readonly number[]): VerdictCheck =>
  verdict =>
    reply(verdict['reply'], classes)

const event: Check = value => {
  if (!isObject(value)) return 'is no object'
  const problem = all(
    field('action', oneOf(['failed', 'delayed', 'delivered', 'relayed', 'expanded', 'complained', 'unrecognized'])),
    field('code', integer(0, 599)),
    field('enhanced', line(20)),
  )(value)
  if (problem !== undefined) return `.${problem}`
  return typeof value['text'] === 'string' && value['text'].length <= 10_000
    ? undefined
    : '.text is no text of at most 10000 characters'
}

const report: Check = value => {
  if (!isObject(value)) return 'is no object'
  const problem = all(
    field('recipients', listOf(line(320, 3), 1, REPORT_RECIPIENTS)),
    field('subject', line(900, 1)),
    field('filename', value =>
      typeof value === 'string' && /^[^/\\\u0000-\u001f\u007f]{1,255}$/.test(value) ? undefined : 'is no file name',
    ),
    field('contentType', line(200, 3)),
  )(value)
  if (problem !== undefined) return `.${problem}`
  return Buffer.isBuffer(value['body']) && value['body'].length <= REPORT_BYTES
    ? undefined
    : `.body is no Buffer of at most ${REPORT_BYTES} bytes`
}

const CHECKS: Readonly<Record<VerdictKind, VerdictCheck>> = {
  pass: () => undefined,
  exempt: all(field('categories', categories), why),
  tag: all(field('keywords', keywords), maybeWhy),
  quarantine: why,
  defer: all(replying(4), maybeWhy),
  reject: all(replying(5), maybeWhy),
  hold: why,
  refuse: all(replying(4, 5), maybeWhy),
  route: all(field('transport', transport), maybeWhy),
  postpone: all(field('until', time), why),
  fail: all(replying(5), field('status', oneOf(['failed', 'suppressed'])), maybeWhy),
  skip: why,
  withhold: why,
  match: all(field('queueId', integer(1, Number.MAX_SAFE_INTEGER)), field('event', event), maybeWhy),
  draft: all(field('draft', report), maybeWhy),
  accept: all(
    field('report', line(100, 1)),
    field(
      'rows',
      listOf(row => (isObject(row) ? undefined : 'is no object'), 0, REPORT_ROWS),
    ),
    maybeWhy,
  ),
}

/** What is wrong with a handler's return value other than undefined; undefined when it is a verdict or a patch of the hook. */
export function verdictProblem(entry: HookEntry, value: unknown): string | undefined {
  if (entry.sort === 'write' || entry.sort === 'react') return `a ${entry.sort} handler returns nothing`
  if (!isObject(value))
    return `${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`} is no verdict`
  const { kind } = value
  if (kind === 'patch' && entry.patch !== undefined) {
    const problem = fieldProblem(value['changes'], entry.patch)
    return problem === undefined ? maybeWhy(value) : `patch: changes${problem.startsWith('.') ? '' : ' '}${problem}`
  }
  const known = entry.ladder.find(name => name === kind)
  if (known === undefined) {
    const kinds = entry.patch === undefined ? entry.ladder : ['patch', ...entry.ladder]
    return `its kind is none of ${kinds.join(', ')}`
  }
  const problem = CHECKS[known](value)
  return problem === undefined ? undefined : `${known}: ${problem}`
}
