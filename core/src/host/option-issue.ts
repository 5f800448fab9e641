// What is wrong with one option, in words that say what it must be. Schemas have texts of their own for this, which name types
// of the schema library; a text that the plugin wrote is kept as it is. Pure; anything unknown keeps the schema's text.
import { escapeControl } from '../base/text.ts'

/** An issue of a Standard Schema, with the fields that zod adds. */
export interface OptionIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  readonly code?: string
  /** Options that the schema does not know. */
  readonly keys?: readonly string[]
  /** invalid_type: the type that it wants. */
  readonly expected?: unknown
  /** invalid_value: what may stand there. */
  readonly values?: readonly unknown[]
  readonly minimum?: number | bigint
  readonly maximum?: number | bigint
  /** false: the limit itself is not allowed. */
  readonly inclusive?: boolean
  /** too_small, too_big: what is counted. */
  readonly origin?: string
  /** invalid_union: the issues of each alternative. */
  readonly errors?: readonly (readonly OptionIssue[])[]
}

const OWN_TEXT = /^(?:Invalid (?:input|option)|Too (?:big|small))\b/
const TYPES: ReadonlyMap<unknown, string> = new Map([
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['string', 'a text in quotes'],
  ['boolean', 'true or false'],
  ['array', 'a list in [ ]'],
  ['object', 'an object in { }'],
  ['record', 'an object in { }'],
])
const UNITS: ReadonlyMap<unknown, readonly [one: string, many: string]> = new Map([
  ['string', ['character', 'characters']],
  ['array', ['entry', 'entries']],
])

/** The issues to show: where no alternative fits, those of the one that got further than the type. */
export function shownIssues(issue: OptionIssue): readonly OptionIssue[] {
  const inside = issue.errors?.find(one => one.length > 0 && one.every(({ path = [] }) => path.length > 0))
  if (inside === undefined || !OWN_TEXT.test(issue.message)) return [issue]
  return inside.flatMap(one => shownIssues({ ...one, path: [...(issue.path ?? []), ...(one.path ?? [])] }))
}

/** "must be a whole number". */
export function whatItMustBe(issue: OptionIssue): string {
  const text = escapeControl(issue.message)
  if (!OWN_TEXT.test(issue.message)) return text
  if (issue.errors !== undefined) {
    const alternatives = [...new Set(issue.errors.flatMap(one => one.slice(0, 1).map(whatItMustBe)))]
    return alternatives.length === 0 ? text : `must ${or(alternatives.map(one => one.replace(/^must /, '')))}`
  }
  if (issue.values !== undefined)
    return `must be ${or(issue.values.map(value => escapeControl(JSON.stringify(value))))}`
  if (issue.code === 'too_small') return limit('least', 'above', issue.minimum, issue) ?? text
  if (issue.code === 'too_big') return limit('most', 'below', issue.maximum, issue) ?? text
  const type = TYPES.get(issue.expected)
  return type === undefined ? text : `must be ${type}`
}

function limit(
  side: 'least' | 'most',
  beyond: 'above' | 'below',
  bound: number | bigint | undefined,
  { origin, inclusive }: OptionIssue,
): string | undefined {
  if (bound === undefined) return undefined
  const units = UNITS.get(origin)
  if (units !== undefined) return `must have at ${side} ${bound} ${Number(bound) === 1 ? units[0] : units[1]}`
  return inclusive === false ? `must be ${beyond} ${bound}` : `must be at ${side} ${bound}`
}

function or(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`
}
