// Flags and keywords of messages. Ten flags are columns; every other word is a keyword: lower case, sorted, an IMAP atom
// (RFC 9051 §2.3.2, RFC 5788). Bad words are returned, not thrown, so that delivery can go on without them.
import type { Flags } from '@mox/plugin-sdk'
import type { FlagColumns } from './schema.ts'

/** Keywords of one message. */
export const MESSAGE_KEYWORDS = 100
/** Different keywords in one mailbox, ever. */
export const MAILBOX_KEYWORDS = 1_000
/** Characters of a keyword. */
export const KEYWORD_LENGTH = 100

const COLUMNS: readonly (readonly [keyof Flags, keyof FlagColumns])[] = [
  ['seen', 'seen'],
  ['answered', 'answered'],
  ['flagged', 'flagged'],
  ['forwarded', 'forwarded'],
  ['junk', 'junk'],
  ['notjunk', 'notjunk'],
  ['deleted', 'deleted'],
  ['draft', 'draft'],
  ['phishing', 'phishing'],
  ['mdnSent', 'mdn_sent'],
]

/** What clients call the flags that are columns (RFC 9051 §2.3.2, RFC 5550 §2.8, RFC 3503). */
const FLAG_WORDS: ReadonlyMap<string, keyof Flags> = new Map<string, keyof Flags>([
  ['\\seen', 'seen'],
  ['\\answered', 'answered'],
  ['\\flagged', 'flagged'],
  ['\\deleted', 'deleted'],
  ['\\draft', 'draft'],
  ['$forwarded', 'forwarded'],
  ['$junk', 'junk'],
  ['$notjunk', 'notjunk'],
  ['$nonjunk', 'notjunk'],
  ['$phishing', 'phishing'],
  ['$mdnsent', 'mdnSent'],
])

export function flagsOf(row: FlagColumns): Flags {
  return {
    seen: row.seen === 1,
    answered: row.answered === 1,
    flagged: row.flagged === 1,
    forwarded: row.forwarded === 1,
    junk: row.junk === 1,
    notjunk: row.notjunk === 1,
    deleted: row.deleted === 1,
    draft: row.draft === 1,
    phishing: row.phishing === 1,
    mdnSent: row.mdn_sent === 1,
  }
}

/** The columns for the given flags; flags left out give no column. */
export function flagColumns(flags: Partial<Flags>): Partial<FlagColumns> {
  const columns: Partial<FlagColumns> = {}
  for (const [flag, column] of COLUMNS) {
    const value = flags[flag]
    if (value !== undefined) columns[column] = value ? 1 : 0
  }
  return columns
}

export const NO_FLAGS: Readonly<FlagColumns> = {
  seen: 0,
  answered: 0,
  flagged: 0,
  forwarded: 0,
  junk: 0,
  notjunk: 0,
  deleted: 0,
  draft: 0,
  phishing: 0,
  mdn_sent: 0,
}

/** IMAP atom in lower case; backslash is for system flags only. */
export function isKeyword(word: string): boolean {
  return word.length <= KEYWORD_LENGTH && /^[\x21-\x7e]+$/.test(word) && !/[(){%*"\\\]A-Z]/.test(word)
}

export interface Words {
  /** Words that are flags. */
  readonly flags: readonly (keyof Flags)[]
  /** Lower case, sorted, without repeats. */
  readonly keywords: readonly string[]
  /** As given. */
  readonly bad: readonly string[]
}

/** Sorts words of any case into flags, keywords and what is neither. */
export function parseWords(words: readonly string[]): Words {
  const flags = new Set<keyof Flags>()
  const keywords = new Set<string>()
  const bad: string[] = []
  for (const word of words) {
    const lower = word.toLowerCase()
    const flag = FLAG_WORDS.get(lower)
    if (flag !== undefined) flags.add(flag)
    else if (isKeyword(lower)) keywords.add(lower)
    else bad.push(word)
  }
  return { flags: [...flags], keywords: [...keywords].sort(), bad }
}

/** A list as its column has it: " a b ", so that " a " finds a word; '' when empty. */
export function joinWords(words: readonly string[]): string {
  return words.length === 0 ? '' : ` ${words.join(' ')} `
}

export function splitWords(column: string): string[] {
  return column === '' ? [] : column.slice(1, -1).split(' ')
}

/** Both lists together, sorted; the column of `a` itself when `b` adds nothing. */
export function mergeWords(a: string, b: string): string {
  if (b === '' || a === b) return a
  return joinWords([...new Set([...splitWords(a), ...splitWords(b)])].sort())
}
