// The submitter's own data in the header section: "X-Mox-Extra-Order: 7" for one key, "X-Mox-Extra: {…}" for several with their
// case. What cannot be taken as it is meant is refused; nothing is cut or dropped.
import type { Head, HeaderField } from '@mox/plugin-sdk/mail'
import { parseTexts } from './json.ts'

/** Keys of one message. */
export const KEYS = 32
/** Octets of a key, in UTF-8. */
export const KEY_BYTES = 64
/** Octets of a value. */
export const VALUE_BYTES = 1_024
/** Octets of all keys and values. */
export const TOTAL_BYTES = 8_192

const OBJECT = 'x-mox-extra'
const PREFIX = 'X-Mox-Extra-'
/** Of names in lower case, and their beginnings. */
const LOWER = /^x-mox-extra(?:-|$)/
/** RFC 9110 §5.6.2: only such names are put into canonical form. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export type Extra = Readonly<Record<string, string>>
export type Pairs = ReadonlyMap<string, string>
export type Fields = { readonly ok: true; readonly pairs: Pairs } | { readonly ok: false; readonly problem: string }
export type ExtraResult =
  | { readonly ok: true; readonly extra: Extra }
  | { readonly ok: false; readonly problem: string }

/** What the header section says. `bytes`: what `head` was parsed from. */
export function readFields(head: Head, bytes: Buffer): Fields {
  const problem = nameProblem(head, bytes)
  if (problem !== undefined) return { ok: false, problem }
  const found = new Map<string, string>()
  for (const field of head.fields) {
    const pairs = pairsOf(field)
    if (typeof pairs === 'string') return { ok: false, problem: pairs }
    for (const [key, value] of pairs) {
      if (found.has(key)) return { ok: false, problem: `the key "${shown(key)}" of extra data is there twice` }
      found.set(key, value)
      // Before anything else is done with a long list.
      if (found.size > KEYS) return { ok: false, problem: `extra data has more than ${KEYS} keys` }
    }
  }
  return { ok: true, pairs: found }
}

/** The header section without the fields that carry extra data, whatever the case of their names; the rest is as it was. */
export function withoutFields(head: Head, bytes: Buffer): Buffer {
  const kept: Buffer[] = []
  let from = 0
  for (const { lower, start, end } of head.fields) {
    if (!LOWER.test(lower)) continue
    kept.push(bytes.subarray(from, start))
    from = end
  }
  return from === 0 ? bytes : Buffer.concat([...kept, bytes.subarray(from)])
}

/** `given` is what the submitting plugin says; it wins where a key is in both. Without fields it is passed on as it is. */
export function mergeExtra(pairs: Pairs, given: Extra): ExtraResult {
  if (pairs.size === 0) return { ok: true, extra: given }
  const all = new Map([...pairs, ...Object.entries(given)])
  const problem = limitProblem(all)
  return problem === undefined ? { ok: true, extra: Object.fromEntries(all) } : { ok: false, problem }
}

/** A line that was meant to be such a field and is none would be lost, and could not be taken out. */
function nameProblem({ problems }: Head, bytes: Buffer): string | undefined {
  const meant = ({ offset }: { readonly offset: number }): boolean =>
    LOWER.test(bytes.toString('latin1', offset, offset + PREFIX.length).toLowerCase())
  return problems.some(one => (one.kind === 'no-colon' || one.kind === 'bad-name') && meant(one))
    ? `a field ${PREFIX}KEY has a name that is none; write other keys as X-Mox-Extra: {"key":"value"}`
    : undefined
}

/** Pairs of one field; none when it is about something else; a text for what is wrong. */
function pairsOf({ name, lower, value }: HeaderField): readonly (readonly [string, string])[] | string {
  if (lower === OBJECT) return parseTexts(value) ?? 'the field X-Mox-Extra must be a JSON object whose values are texts'
  // A name that is no token stays as it is written, its prefix included.
  const written = TOKEN.test(name) ? canonical(name) : name
  if (!written.startsWith(PREFIX)) return []
  const key = written.slice(PREFIX.length)
  return key === '' ? `the field ${PREFIX} has no key; write ${PREFIX}Order: 7` : [[key, value]]
}

/** "x-mox-extra-oRDER-id" → "X-Mox-Extra-Order-Id". */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, start => start.toUpperCase())
}

function limitProblem(extra: ReadonlyMap<string, string>): string | undefined {
  if (extra.size > KEYS) return `extra data has more than ${KEYS} keys`
  let total = 0
  for (const [key, value] of extra) {
    const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)]
    if (keyBytes === 0) return 'a key of extra data is empty'
    if (keyBytes > KEY_BYTES) return `the key "${shown(key)}" of extra data has more than ${KEY_BYTES} octets`
    if (valueBytes > VALUE_BYTES)
      return `the value of "${shown(key)}" in extra data has more than ${VALUE_BYTES} octets`
    total += keyBytes + valueBytes
  }
  return total > TOTAL_BYTES ? `extra data has more than ${TOTAL_BYTES} octets in all` : undefined
}

/** Fit for an SMTP reply: printable ASCII, not long. */
function shown(key: string): string {
  return key.slice(0, KEY_BYTES).replace(/[^\x20-\x7e]|"/g, '?')
}
