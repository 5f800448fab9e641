// What a handler may return, checked: a plain object whose kind is on the hook's ladder and whose fields make sense. And how
// two verdicts of the same strength become one, so that the result does not depend on the order of handlers.
import type { HookRow } from './table.ts'

export interface AnyVerdict {
  readonly kind: string
  readonly reason?: string
  readonly [field: string]: unknown
}

/** Keywords of one tag verdict, and characters of a reason that are kept. */
const MAX_KEYWORDS = 100
export const MAX_REASON = 500

const isText = (v: unknown): boolean => typeof v === 'string' && v !== '' && v.length <= 2000
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

function isReply(v: unknown, classes: string): boolean {
  if (!isObject(v)) return false
  const code = v['code']
  const enhanced = v['enhanced']
  return (
    Number.isInteger(code) &&
    classes.includes(String(code)[0] ?? '') &&
    String(code).length === 3 &&
    isText(v['text']) &&
    !/[\r\n\0]/.test(String(v['text'])) &&
    (enhanced === undefined || (typeof enhanced === 'string' && /^[245]\.\d{1,3}\.\d{1,3}$/.test(enhanced)))
  )
}

const FIELDS: Readonly<Record<string, (v: AnyVerdict) => boolean>> = {
  pass: () => true,
  exempt: v => Array.isArray(v['categories']) && v['categories'].every(isText) && isText(v.reason),
  defer: v => isReply(v['reply'], '4'),
  reject: v => isReply(v['reply'], '5'),
  refuse: v => isReply(v['reply'], '45'),
  fail: v => isReply(v['reply'], '45') && (v['status'] === 'failed' || v['status'] === 'suppressed'),
  tag: v =>
    Array.isArray(v['keywords']) &&
    v['keywords'].length <= MAX_KEYWORDS &&
    v['keywords'].every(k => typeof k === 'string' && /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]{1,100}$/.test(k)),
  quarantine: v => isText(v.reason),
  hold: v => isText(v.reason),
  skip: v => isText(v.reason),
  withhold: v => isText(v.reason),
  route: v => isText(v['transport']),
  postpone: v => Number.isFinite(v['until']) && isText(v.reason),
  patch: v => isObject(v['changes']),
  match: v => Number.isSafeInteger(v['queueId']) && isObject(v['event']),
  draft: v => isObject(v['draft']),
  accept: v => isText(v['report']) && Array.isArray(v['rows']),
}

/** What is wrong with a handler's answer; undefined when it is a verdict of this hook. */
export function badAnswer(row: HookRow, answer: unknown): string | undefined {
  if (row.ladder.length === 0)
    return answer === undefined ? undefined : `returned ${show(answer)}; this hook takes no answer`
  if (!isObject(answer) || typeof answer['kind'] !== 'string')
    return `returned ${show(answer)}; return nothing or one of ${row.ladder.join(', ')}`
  if (!row.ladder.includes(answer['kind']))
    return `returned the verdict "${answer['kind'].slice(0, 50)}"; ${row.name} takes ${row.ladder.join(', ')}`
  return FIELDS[answer['kind']]?.(answer as AnyVerdict) === true
    ? undefined
    : `returned a malformed "${answer['kind']}" verdict`
}

function show(value: unknown): string {
  if (value === null) return 'null'
  return isObject(value) ? 'an object without a kind' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

/** The stronger of two; of equal kinds, one that does not depend on which came first. `by`: plugin names. */
export function stronger(row: HookRow, a: Judged, b: Judged): Judged {
  const difference = row.ladder.indexOf(a.verdict.kind) - row.ladder.indexOf(b.verdict.kind)
  if (difference !== 0) return difference > 0 ? a : b
  if (a.verdict.kind === 'tag') {
    const keywords = [
      ...new Set([...(a.verdict['keywords'] as string[]), ...(b.verdict['keywords'] as string[])]),
    ].sort()
    const [first, second] = a.by < b.by ? [a, b] : [b, a]
    return {
      by: first.by,
      verdict: { ...first.verdict, keywords, ...reasons(first.verdict.reason, second.verdict.reason) },
    }
  }
  if (a.verdict.kind === 'postpone' && a.verdict['until'] !== b.verdict['until'])
    return Number(a.verdict['until']) > Number(b.verdict['until']) ? a : b
  return a.by <= b.by ? a : b
}

const reasons = (a?: string, b?: string): { reason?: string } =>
  a === undefined && b === undefined ? {} : { reason: [a, b].filter(Boolean).join('; ').slice(0, MAX_REASON) }

export interface Judged {
  readonly verdict: AnyVerdict
  /** The plugin instance that said it. */
  readonly by: string
}
