// The forms in which addresses are compared. The base form leaves out what the recipient's domain is known to ignore; the
// exact form only the case. Both are looked up, so an entry counts as written whatever the rules were when it was made.
import { formatAddress, type Path, parseAddress, parseDomain } from '@mox/plugin-sdk/mail'
import type { Rule } from './providers.ts'

export type Rules = ReadonlyMap<string, Rule>

/** An address of the list: one mailbox, or "@domain" for all of a domain. */
export interface Listed {
  /** As it is shown. */
  readonly address: string
  readonly base: string
  /** Every form that an entry for it may have; the base first. */
  readonly forms: readonly string[]
}

export type ListedResult =
  | { readonly ok: true; readonly listed: Listed }
  | { readonly ok: false; readonly problem: string }

/** "local@domain" or "@domain", as people write it. */
export function parseListed(text: string, rules: Rules): ListedResult {
  if (text.startsWith('@')) {
    const parsed = parseDomain(text.slice(1), { smtputf8: true })
    if (!parsed.ok) return bad(text, parsed.error)
    const address = `@${parsed.domain}`
    return { ok: true, listed: { address, base: address, forms: [address] } }
  }
  const parsed = parseAddress(text)
  return parsed.ok ? { ok: true, listed: listedOf(parsed.path, rules) } : bad(text, parsed.error)
}

function bad(text: string, error: string): ListedResult {
  const shown = JSON.stringify(text.slice(0, 100))
  return {
    ok: false,
    problem: `${shown} is no address (${error}); write one such as "bob@example.com" or "@example.com"`,
  }
}

export function listedOf(path: Path, rules: Rules): Listed {
  const base = baseOf(path, rules)
  const exact = exactOf(path)
  return { address: formatAddress(path), base, forms: base === exact ? [base] : [base, exact] }
}

/** All forms of entries that forbid mail to this recipient, those for its whole domain included. */
export function formsFor(path: Path, rules: Rules): readonly string[] {
  const other = rules.get(path.domain)?.sameAs
  const domains = other === undefined ? [`@${path.domain}`] : [`@${path.domain}`, `@${other}`]
  return [...listedOf(path, rules).forms, ...domains]
}

function exactOf({ localpart, domain }: Path): string {
  return formatAddress({ localpart: localpart.toLowerCase(), domain })
}

function baseOf({ localpart, domain }: Path, rules: Rules): string {
  const rule = rules.get(domain)
  if (rule === undefined) return exactOf({ localpart, domain })
  const cuts = rule.separators.map(separator => localpart.indexOf(separator)).filter(index => index > 0)
  const kept = localpart.slice(0, Math.min(localpart.length, ...cuts))
  const plain = rule.dots ? kept.replaceAll('.', '') : kept
  // Nothing but dots names nobody else.
  return exactOf({ localpart: plain === '' ? localpart : plain, domain: rule.sameAs ?? domain })
}
