// Flags of the wire: words with "\" or "$" for the flags that every mailbox has, any other word is a keyword.
import type { FlagChange, Flags, MailboxMessage } from '@mox/plugin-sdk'
import { ApiError } from '../send/error.ts'

/** Flags and keywords of one request, and characters of a keyword. */
export const MAX_FLAGS = 100
export const MAX_KEYWORD = 100

const WORDS: readonly (readonly [word: string, flag: keyof Flags])[] = [
  ['\\answered', 'answered'],
  ['\\flagged', 'flagged'],
  ['\\deleted', 'deleted'],
  ['\\seen', 'seen'],
  ['\\draft', 'draft'],
  ['$junk', 'junk'],
  ['$notjunk', 'notjunk'],
  ['$forwarded', 'forwarded'],
  ['$phishing', 'phishing'],
  ['$mdnsent', 'mdnSent'],
]

/** Printable ASCII without space and the characters that IMAP gives a meaning. */
const KEYWORD = /^[!#$&'+,\-./0-9:;<=>?@[^_`a-z|~]+$/

export function flagChange(given: readonly string[], add: boolean): FlagChange {
  const path = ['Flags']
  if (given.length > MAX_FLAGS) throw new ApiError('user', `at most ${MAX_FLAGS} flags`, { path })
  const set: Partial<Record<keyof Flags, boolean>> = {}
  const keywords: string[] = []
  for (const word of given.map(text => text.toLowerCase())) {
    const flag = WORDS.find(([known]) => known === word)?.[1]
    if (flag !== undefined) set[flag] = add
    else if (KEYWORD.test(word) && word.length <= MAX_KEYWORD) keywords.push(word)
    else throw new ApiError('user', `${JSON.stringify(word.slice(0, MAX_KEYWORD))} is no flag and no keyword`, { path })
  }
  return { set, ...(add ? { addKeywords: keywords } : { removeKeywords: keywords }) }
}

/** Flags in lower case, then keywords. */
export function flagWords({ flags, keywords }: MailboxMessage): string[] {
  return [...WORDS.filter(([, flag]) => flags[flag]).map(([word]) => word), ...keywords]
}
