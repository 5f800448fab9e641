// What a failure was about, from its enhanced status code (RFC 3463 §3), or else from the words of common servers.
import type { Category } from './types.ts'

const DETAILS: ReadonlyMap<string, Category> = new Map([
  ['1.1', 'recipient'],
  ['1.2', 'domain'],
  ['1.3', 'recipient'],
  ['1.6', 'recipient'],
  ['2.1', 'disabled'],
  ['2.2', 'full'],
  ['2.3', 'size'],
  ['3.1', 'full'],
  ['3.4', 'size'],
  ['4.1', 'network'],
  ['4.4', 'domain'],
  ['4.6', 'network'],
  ['4.7', 'expired'],
])
const SUBJECTS: ReadonlyMap<string, Category> = new Map([
  ['3', 'network'],
  ['4', 'network'],
  ['5', 'protocol'],
  ['6', 'content'],
  ['7', 'policy'],
])
/** x.7.0 and x.7.1 are given for anything; the words know better where they say that there is no such mailbox. */
const VAGUE: ReadonlySet<string> = new Set(['7.0', '7.1'])
const WORDS: readonly (readonly [RegExp, Category])[] = [
  [/\b(?:over ?quota|quota exceeded|mailbox (?:is )?full|exceeded .{0,20}quota|storage)\b/i, 'full'],
  [
    /\b(?:user unknown|unknown user|no such (?:user|recipient|mailbox|address)|does(?: not|n't) exist|no mailbox here|recipient ?not ?found)\b/i,
    'recipient',
  ],
  [
    /\b(?:unknown recipient|recipient not found|doesn't have a .{1,40} account|invalid recipient|not our customer)\b/i,
    'recipient',
  ],
  [
    /\b(?:host (?:or domain name )?(?:not found|unknown)|unrouteable|domain .{0,40}not found|couldn't find any host)\b/i,
    'domain',
  ],
  [/\b(?:disabled|inactive|suspended|deactivated)\b/i, 'disabled'],
  [/\b(?:too (?:large|big)|size limit|exceeds .{0,30}size)\b/i, 'size'],
  [/\b(?:retry timeout exceeded|retry time|expired|too long|gave up)\b/i, 'expired'],
  [/\b(?:timed? ?out|connection refused|unreachable|lost connection)\b/i, 'network'],
  [/\b(?:spam|blocked|blacklist|block ?list|policy|denied|rejected)\b/i, 'policy'],
]

export function categoryOf(status: string, text: string): Category {
  const [, subject = '', detail = ''] = status.split('.')
  const known = DETAILS.get(`${subject}.${detail}`) ?? SUBJECTS.get(subject)
  if (known !== undefined && !VAGUE.has(`${subject}.${detail}`)) return known
  const told = WORDS.find(([words]) => words.test(text))?.[1] ?? 'other'
  return known === undefined || told === 'recipient' ? told : known
}
