// Whether domains, accounts, addresses and aliases go together. Every problem is found, not only the first; each says what
// to do about it.
import { formatAddress } from '@mox/plugin-sdk/mail'
import {
  type AddressEntry,
  type AliasEntry,
  addressText,
  canonicalLocalpart,
  type DomainEntry,
  type Entries,
  placeOf,
  type Source,
} from './entries.ts'
import { ALIAS_MEMBERS } from './fields.ts'

export interface Roles {
  /** Account that takes mail for postmaster of every domain of ours. */
  readonly postmaster?: string | undefined
  /** Account that takes mail for every address that nobody has, in any domain: test servers only. */
  readonly fallbackAccount?: string | undefined
}

/**
 * Problems of `entries`. With `partial`, what is missing may be in the database and is no problem yet.
 */
export function checkEntries(entries: Entries, roles: Roles, partial: boolean = false): string[] {
  const problems: string[] = []
  const domains = unique(
    entries.domains,
    d => d.name,
    problems,
    (name, places) => both('domain', name, places),
  )
  const accounts = unique(
    entries.accounts,
    a => a.name,
    problems,
    (name, places) => both('account', name, places),
  )
  const taken = new Map<string, string>()

  const claim = (entry: AddressEntry | AliasEntry, what: string): void => {
    const text = addressText(entry)
    const domain = domains.get(entry.domain)
    if (domain === undefined && !partial)
      problems.push(`${what}: the domain ${entry.domain} is not configured; ${addDomain(entry.domain, entry.source)}`)
    if (domain !== undefined && entry.localpart !== null) checkSeparators(domain, entry.localpart, what, problems)
    const key = keyOf(domain, entry)
    const other = taken.get(key)
    if (other === undefined) taken.set(key, what)
    else problems.push(`${what}: ${text} is taken by ${other}; remove one of them`)
  }

  for (const address of entries.addresses) {
    const what = `address ${addressText(address)} of account ${address.account} in ${placeOf(address.source)}`
    if (!accounts.has(address.account)) problems.push(`${what}: there is no such account; add it or remove the address`)
    claim(address, what)
  }
  const owned = new Set(entries.addresses.map(a => keyOf(domains.get(a.domain), a)))
  const aliasKeys = new Set(entries.aliases.map(a => keyOf(domains.get(a.domain), a)))
  for (const alias of entries.aliases) {
    const what = `alias ${addressText(alias)} in ${placeOf(alias.source)}`
    claim(alias, what)
    checkMembers(alias, what)
  }
  for (const [role, name] of Object.entries(roles))
    if (name !== undefined && !accounts.has(name) && !partial)
      problems.push(`${role}: there is no account ${JSON.stringify(name)}; name one that exists, or add it`)
  return problems

  function checkMembers(alias: AliasEntry, what: string): void {
    if (alias.members.length === 0) problems.push(`${what}: it has no members; add at least one or remove the alias`)
    if (alias.members.length > ALIAS_MEMBERS)
      problems.push(`${what}: more than ${ALIAS_MEMBERS} members; use a mailing list manager`)
    const seen = new Set<string>()
    for (const member of alias.members) {
      const text = formatAddress(member)
      const key = keyOf(domains.get(member.domain), member)
      if (seen.has(key)) problems.push(`${what}: the member ${text} is listed twice; remove one`)
      seen.add(key)
      if (aliasKeys.has(key)) problems.push(`${what}: the member ${text} is an alias itself; list its members instead`)
      else if (!owned.has(key) && !partial)
        problems.push(`${what}: the member ${text} is no address of an account; give it to one, or remove the member`)
    }
  }
}

/** One text for all spellings of an address. */
function keyOf(domain: DomainEntry | undefined, entry: { localpart: string | null; domain: string }): string {
  if (entry.localpart === null || domain === undefined) return addressText(entry)
  return addressText({ localpart: canonicalLocalpart(domain, entry.localpart), domain: domain.name })
}

function checkSeparators(domain: DomainEntry, localpart: string, what: string, problems: string[]): void {
  const separator = domain.separators.find(s => localpart.indexOf(s, 1) > 0)
  if (separator !== undefined)
    problems.push(
      `${what}: ${JSON.stringify(separator)} is a separator of ${domain.name}, all after it is ignored; leave it out, or change the domain's separators`,
    )
}

function addDomain(name: string, source: Source): string {
  return source === 'config'
    ? `add it under \`domains\`, or run: mox domain add ${name}`
    : `run: mox domain add ${name}`
}

function both(kind: 'domain' | 'account', name: string, places: string): string {
  return `${kind} ${name} is in ${places}; take it out of the config file, or, with it out for once, run: mox ${kind} remove ${name}`
}

function unique<T extends { readonly source: Source }>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
  problems: string[],
  describe: (name: string, places: string) => string,
): Map<string, T> {
  const found = new Map<string, T>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const other = found.get(name)
    if (other === undefined) found.set(name, entry)
    else if (other.source === entry.source) problems.push(`${name} is in ${placeOf(entry.source)} twice; remove one`)
    else problems.push(describe(name, `${placeOf(other.source)} and in ${placeOf(entry.source)}`))
  }
  return found
}
