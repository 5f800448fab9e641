// What the directory is made of, wherever it was written down: domains, accounts, addresses and aliases of the config file
// and of the database, in one shape. Pure data and its rules of comparison.
import type { AccountInfo, DomainInfo, SmtpReply } from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'

/** Where an entry is kept; entries of the config file are read-only for commands. */
export type Source = 'config' | 'database'

export interface DomainEntry extends DomainInfo {
  readonly source: Source
}

export interface AccountEntry extends Omit<AccountInfo, 'addresses'> {
  readonly source: Source
}

export interface AddressEntry {
  readonly account: string
  /** As configured; null for the catch-all of the domain. */
  readonly localpart: string | null
  readonly domain: string
  readonly mailbox: string
  readonly refuse?: SmtpReply
  readonly source: Source
}

export interface AliasEntry {
  readonly localpart: string
  readonly domain: string
  readonly members: readonly Path[]
  readonly postPublic: boolean
  readonly listMembers: boolean
  readonly allowMsgFrom: boolean
  readonly source: Source
}

export interface Entries {
  readonly domains: readonly DomainEntry[]
  readonly accounts: readonly AccountEntry[]
  readonly addresses: readonly AddressEntry[]
  readonly aliases: readonly AliasEntry[]
}

export type DomainRules = Pick<DomainInfo, 'separators' | 'caseSensitive'>

/** Where mail goes that is not filed elsewhere. */
export const DEFAULT_MAILBOX = 'Inbox'
/** Messages per day and account. */
export const DEFAULT_MAX_OUTGOING = 1000
/** Recipients per day and account that it never wrote to before. */
export const DEFAULT_MAX_FIRST_TIME = 200
/** Days that an account's history may be kept. */
export const MAX_KEEP_DAYS = 36_500
export const DEFAULT_SEPARATORS: readonly string[] = ['+']

/** "alice@example.org", or "@example.org" for a catch-all. */
export function addressText(entry: { readonly localpart: string | null; readonly domain: string }): string {
  const { localpart, domain } = entry
  return localpart === null ? `@${domain}` : formatAddress({ localpart, domain })
}

/** The localpart up to its first separator; one that begins with a separator keeps it. */
export function withoutSuffix(separators: readonly string[], localpart: string): string {
  let end = localpart.length
  for (const separator of separators) {
    const at = localpart.indexOf(separator, 1)
    if (at > 0 && at < end) end = at
  }
  return localpart.slice(0, end)
}

/** What two localparts of one domain have in common when they mean the same mailbox. */
export function canonicalLocalpart(rules: DomainRules, localpart: string): string {
  const base = withoutSuffix(rules.separators, localpart.normalize('NFC'))
  return rules.caseSensitive ? base : base.toLowerCase().normalize('NFC')
}

/** How an entry's place is called in messages. */
export function placeOf(source: Source): string {
  return source === 'config' ? 'the config file' : 'the database'
}
