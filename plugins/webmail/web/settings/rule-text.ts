// Rules in words, as far as their patterns are those of an exact text.
import type { z } from 'zod'
import type { rule } from '../../src/api/calls.ts'

/** The pattern that fits this text alone, in lower case as addresses are compared. */
export function exactPattern(text: string): string {
  return `^${text
    .trim()
    .toLowerCase()
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
}

/** "ann@example.org" of "^ann@example\.org$"; other patterns stay as they are, between slashes. */
function patternText(pattern: string): string {
  const inner = pattern.replace(/^\^/, '').replace(/\$$/, '')
  const plain = inner.replaceAll(/\\([^A-Za-z0-9])/g, '$1')
  return exactPattern(plain).slice(1, -1) === inner.toLowerCase() ? plain : `/${pattern}/`
}

export function ruleText(r: z.infer<typeof rule>): string {
  const conditions = [
    r.msgFrom === undefined ? [] : `from ${patternText(r.msgFrom)}`,
    r.mailFrom === undefined ? [] : `sent by ${patternText(r.mailFrom)}`,
    r.verifiedDomain === undefined ? [] : `verified as ${r.verifiedDomain}`,
    (r.headers ?? []).map(h => `with ${patternText(h.name)} ${patternText(h.value)}`),
  ].flat()
  const which = conditions.length === 0 ? '' : ` ${conditions.join(', ')}`
  const notes = [
    r.forward === true ? 'forwarded by the sender' : [],
    r.listAllowDomain === undefined ? [] : `never spam when verified as ${r.listAllowDomain}`,
    r.acceptRejects === undefined ? [] : `what would be refused → ${r.acceptRejects}`,
  ].flat()
  const noted = notes.length === 0 ? '' : ` (${notes.join('; ')})`
  return `Mail to ${r.recipient}${which} → ${r.mailbox}${noted}`
}
