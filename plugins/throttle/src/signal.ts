// Whether a server asks us to be slower: 421, or a temporary refusal of policy (4.7.x), in its own words.
import type { Attempt } from '@mox/plugin-sdk'

/** Characters kept of what a server says. */
export const WORDS_LENGTH = 200

/** Where 4.7.x is about TLS, credentials or rules, and not about how much we send. */
const OTHER_STAGES: ReadonlySet<string> = new Set(['dns', 'policy', 'starttls', 'auth'])
/** Asks each sender once to come again, however slow it is. */
const GREYLISTING = /gr[ea]y-?\s?list/i

/** "450 4.7.1 too many messages"; undefined when the attempt says nothing about our pace. */
export function slowDownWords({ outcome, code, enhanced, text, stage }: Attempt): string | undefined {
  if (outcome !== 'temporary' || code < 400 || code > 499) return undefined
  if (stage !== undefined && OTHER_STAGES.has(stage)) return undefined
  if (code !== 421 && (!enhanced.startsWith('4.7.') || GREYLISTING.test(text))) return undefined
  const line = [code, enhanced, text].filter(part => part !== '').join(' ')
  return line
    .slice(0, WORDS_LENGTH)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}
