// The directory in memory: built from all entries at once and never changed, so that a lookup is two map accesses and
// everybody who holds one sees one consistent state.
import type { AccountInfo, AccountResolution, DomainInfo, Resolution } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import type { Roles } from './check.ts'
import {
  type AccountEntry,
  type AddressEntry,
  type AliasEntry,
  addressText,
  canonicalLocalpart,
  DEFAULT_MAILBOX,
  type DomainEntry,
  type Entries,
} from './entries.ts'

type Alias = Extract<Resolution, { kind: 'alias' }>

interface DomainLookup {
  readonly info: DomainInfo
  readonly disabled: Resolution
  readonly unknown: Resolution
  /** By canonical localpart. */
  readonly names: Map<string, AccountResolution | Alias>
  catchAll?: AccountResolution
}

const POSTMASTER = 'postmaster'
const REMOTE: Resolution = { kind: 'remote' }

export class Lookup {
  readonly entries: Entries
  readonly domains: readonly DomainInfo[]
  readonly accounts: readonly AccountInfo[]
  readonly #roles: Roles
  /** Lower case. */
  readonly #hostname: string
  readonly #domains = new Map<string, DomainLookup>()
  readonly #accounts = new Map<string, AccountInfo>()
  readonly #entries = new Map<string, AccountEntry>()

  /** `entries` must have passed checkEntries(). */
  constructor(entries: Entries, roles: Roles, hostname: string) {
    this.entries = entries
    this.#roles = roles
    this.#hostname = hostname.toLowerCase()
    for (const domain of entries.domains) this.#addDomain(domain)
    const addresses = new Map<string, string[]>()
    for (const address of entries.addresses) {
      this.#addAddress(address)
      const own = addresses.get(address.account)
      if (own === undefined) addresses.set(address.account, [addressText(address)])
      else own.push(addressText(address))
    }
    const writesAs = new Map<string, string[]>()
    for (const entry of entries.aliases) {
      const { address, members, allowMsgFrom } = this.#addAlias(entry)
      if (!allowMsgFrom) continue
      for (const account of new Set(members.map(member => member.account)))
        writesAs.set(account, [...(writesAs.get(account) ?? []), address])
    }
    for (const entry of entries.accounts) {
      const { source: _, ...info } = entry
      const aliases = writesAs.get(entry.name)
      this.#accounts.set(entry.name, {
        ...info,
        addresses: addresses.get(entry.name) ?? [],
        ...(aliases === undefined ? {} : { writesAs: aliases }),
      })
      this.#entries.set(entry.name, entry)
    }
    this.domains = [...this.#domains.values()].map(d => d.info)
    this.accounts = [...this.#accounts.values()]
  }

  domain(name: string): DomainInfo | undefined {
    return (this.#domains.get(name) ?? this.#domains.get(name.toLowerCase()))?.info
  }

  account(name: string): AccountInfo | undefined {
    return this.#accounts.get(name)
  }

  entry(name: string): AccountEntry | undefined {
    return this.#entries.get(name)
  }

  /** Who gets mail for an address: an address, an alias, the postmaster, the catch-all, and at last the fallback. */
  resolve(path: Path): Resolution {
    const domain = this.#domains.get(path.domain)
    if (domain === undefined) {
      const name = path.domain === '' ? this.#hostname : path.domain
      const role = name === this.#hostname ? this.#postmaster(path.localpart, name) : undefined
      return role ?? this.#fallback(name) ?? REMOTE
    }
    if (domain.info.disabled) return domain.disabled
    const localpart = canonicalLocalpart(domain.info, path.localpart)
    return (
      domain.names.get(localpart) ??
      this.#postmaster(localpart, domain.info.name) ??
      domain.catchAll ??
      this.#fallback(domain.info.name) ??
      domain.unknown
    )
  }

  /** The account that may log in with an address: one of its own, by a suffix or the catch-all too; disabled domains as well. */
  login(path: Path): AccountInfo | undefined {
    const domain = this.#domains.get(path.domain)
    if (domain === undefined) return undefined
    const found = domain.names.get(canonicalLocalpart(domain.info, path.localpart)) ?? domain.catchAll
    return found?.kind === 'account' ? this.#accounts.get(found.account) : undefined
  }

  /** The spelling under which two names of one mailbox are the same text. */
  canonical({ localpart, domain }: { readonly localpart: string | null; readonly domain: string }): string {
    const rules = this.#domains.get(domain)?.info ?? { separators: [], caseSensitive: false }
    return addressText({ localpart: localpart === null ? null : canonicalLocalpart(rules, localpart), domain })
  }

  maySendAs(account: string, path: Path): boolean {
    const found = this.resolve(path)
    if (found.kind === 'account') return found.account === account
    return found.kind === 'alias' && found.allowMsgFrom && found.members.some(member => member.account === account)
  }

  #addDomain({ source: _, ...info }: DomainEntry): void {
    const lookup: DomainLookup = {
      info,
      disabled: { kind: 'disabled', domain: info },
      unknown: { kind: 'unknown', domain: info },
      names: new Map(),
    }
    this.#domains.set(info.name, lookup)
  }

  #addAddress(entry: AddressEntry): void {
    const domain = this.#domains.get(entry.domain)
    if (domain === undefined) return
    const { account, mailbox, refuse } = entry
    const address = addressText(entry)
    const resolution = { kind: 'account', account, address, mailbox, ...(refuse && { refuse }) } as const
    if (entry.localpart === null) domain.catchAll = resolution
    else domain.names.set(canonicalLocalpart(domain.info, entry.localpart), resolution)
  }

  #addAlias(entry: AliasEntry): Alias {
    const domain = this.#domains.get(entry.domain)
    const { postPublic, allowMsgFrom } = entry
    const members = entry.members.flatMap(member => {
      const home = this.#domains.get(member.domain)
      const found = home?.names.get(canonicalLocalpart(home.info, member.localpart))
      return found?.kind === 'account' ? [found] : []
    })
    const alias: Alias = { kind: 'alias', address: addressText(entry), members, postPublic, allowMsgFrom }
    domain?.names.set(canonicalLocalpart(domain.info, entry.localpart), alias)
    return alias
  }

  /** RFC 5321 §4.5.1: in any case. */
  #postmaster(localpart: string, domain: string): AccountResolution | undefined {
    const account = this.#roles.postmaster
    if (account === undefined || localpart.length !== POSTMASTER.length) return undefined
    if (localpart.toLowerCase() !== POSTMASTER) return undefined
    return { kind: 'account', account, address: `${POSTMASTER}@${domain}`, mailbox: DEFAULT_MAILBOX }
  }

  #fallback(domain: string): AccountResolution | undefined {
    const account = this.#roles.fallbackAccount
    if (account === undefined) return undefined
    return { kind: 'account', account, address: `@${domain}`, mailbox: DEFAULT_MAILBOX }
  }
}
