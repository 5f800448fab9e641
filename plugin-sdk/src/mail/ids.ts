// Message-IDs and base subjects, as threads need them. Bounded; nothing throws.
import { MESSAGE_ID_LENGTH, MESSAGE_IDS, SUBJECT_LENGTH } from './limits.ts'

/** A message-id in canonical form: lower case, without brackets or white space; null when there is none in `text`. */
export function canonicalMessageId(text: string): string | null {
  const open = text.indexOf('<')
  const close = open < 0 ? -1 : text.indexOf('>', open)
  const id = open < 0 ? text.trim() : close < 0 ? '' : text.slice(open + 1, close)
  if (id.length > MESSAGE_ID_LENGTH || (open < 0 && /[\s>]/.test(id))) return null
  const canonical = id.replace(/[\s\x00-\x1f\x7f]+/g, '').toLowerCase()
  return canonical === '' ? null : canonical
}

/**
 * The canonical message-ids of References or In-Reply-To in order, the last MESSAGE_IDS of them; of repeated ones the
 * last counts. Other text is skipped, but for ids without brackets where there is no bracket at all.
 */
export function parseMessageIds(value: string): string[] {
  const found = value.includes('<')
    ? Array.from(value.matchAll(/<([^<>]+)>/g), match => match[1] ?? '')
    : value.split(/[\s,]+/).filter(word => word.includes('@'))
  const ids = new Set<string>()
  for (let i = found.length - 1; i >= 0 && ids.size < MESSAGE_IDS; i--) {
    const id = canonicalMessageId(`<${found[i]}>`)
    if (id !== null) ids.add(id)
  }
  return [...ids].reverse()
}

export interface SubjectBase {
  /** Lower case, white space collapsed, without prefixes, list tags and "(fwd)". */
  readonly base: string
  /** There was a reply or forward mark. */
  readonly isReply: boolean
}

const REPLY_MARK = /(?:re|fwd?) ?(?:\[[^[\]]*\] ?)?: ?/y
const BLOB = /\[[^[\]]*\] ?/y

/** RFC 5256 §2.1 base subject of a subject with its encoded words decoded; only SUBJECT_LENGTH characters are read. */
export function subjectBase(subject: string): SubjectBase {
  const text = subject.slice(0, SUBJECT_LENGTH).toLowerCase().replace(/\s+/g, ' ').trim()
  let from = 0
  let to = text.length
  let isReply = false
  for (;;) {
    if (text.startsWith('(fwd)', to - 5) && to - 5 >= from) {
      isReply = true
      to -= 5
    } else if (text[to - 1] === ' ' && to > from) to--
    else if (text[from] === ' ' && from < to) from++
    else if (text.startsWith('[fwd:', from) && text[to - 1] === ']' && to - from >= 6) {
      isReply = true
      from += 5
      to--
    } else {
      const mark = match(REPLY_MARK, text, from, to)
      const blob = mark > 0 ? 0 : match(BLOB, text, from, to)
      if (mark > 0) isReply = true
      else if (blob === 0 || from + blob >= to) break
      from += mark + blob
    }
  }
  return { base: text.slice(from, to), isReply }
}

/** Length of the match at `from` that ends by `to`, or 0. */
function match(pattern: RegExp, text: string, from: number, to: number): number {
  pattern.lastIndex = from
  const length = pattern.exec(text)?.[0].length ?? 0
  return from + length > to ? 0 : length
}
