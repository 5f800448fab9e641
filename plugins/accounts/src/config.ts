// The entries of the config file. What cannot be parsed is a problem with the path of its option and is left out.
import type { AccountEntry, AddressEntry, AliasEntry, DomainEntry, Entries } from './entries.ts'
import { DEFAULT_MAILBOX } from './entries.ts'
import {
  accountNameProblem,
  type Parsed,
  parseDomainName,
  parseMailbox,
  parseOwnAddress,
  refuseReply,
} from './fields.ts'
import type { Options } from './options.ts'

export interface ConfigProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

const source = 'config'

export function configEntries(options: Pick<Options, 'domains' | 'accounts'>): {
  readonly entries: Entries
  readonly problems: readonly ConfigProblem[]
} {
  const problems: ConfigProblem[] = []
  const domains: DomainEntry[] = []
  const accounts: AccountEntry[] = []
  const addresses: AddressEntry[] = []
  const aliases: AliasEntry[] = []

  function take<T>(parsed: Parsed<T>, path: readonly (string | number)[]): T | undefined {
    if (parsed.ok) return parsed.value
    problems.push({ path, message: parsed.problem })
    return undefined
  }

  for (const [key, given] of Object.entries(options.domains)) {
    const at = ['domains', key]
    const name = take(parseDomainName(key), at)
    if (name === undefined) continue
    const { disabled, separators, caseSensitive } = given
    domains.push({ name, disabled, separators, caseSensitive, source })
    for (const [localpart, alias] of Object.entries(given.aliases)) {
      const path = take(parseMailbox(`${localpart}@${name}`), [...at, 'aliases', localpart])
      const { postPublic, listMembers, allowMsgFrom } = alias
      const members = alias.members.flatMap(
        (member, i) => take(parseMailbox(member), [...at, 'aliases', localpart, 'members', i]) ?? [],
      )
      // Without the members that could not be read; these are problems already.
      if (path !== undefined && (members.length > 0 || alias.members.length === 0))
        aliases.push({ ...path, members, postPublic, listMembers, allowMsgFrom, source })
    }
  }

  for (const [name, given] of Object.entries(options.accounts)) {
    const at = ['accounts', name]
    const problem = accountNameProblem(name)
    if (problem !== undefined) problems.push({ path: at, message: problem })
    const { fullName, quota, maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, loginDisabled } = given
    const { maxQueued, maxQueuedBytes, keepRetiredDays } = given
    const limits = { quota, maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, maxQueuedBytes }
    accounts.push({
      ...{ name, fullName, ...limits, source },
      ...(loginDisabled !== undefined && { loginDisabled }),
      ...(keepRetiredDays !== undefined && { keepRetiredDays }),
    })
    for (const [i, item] of given.addresses.entries()) {
      const entry = typeof item === 'string' ? { address: item } : item
      const parsed = take(parseOwnAddress(entry.address), [...at, 'addresses', i])
      if (parsed === undefined) continue
      const { mailbox = DEFAULT_MAILBOX, refuse } = entry
      const refused = refuse === undefined ? {} : { refuse: refuseReply(refuse.code, refuse.text) }
      addresses.push({ ...parsed, account: name, mailbox, ...refused, source })
    }
  }
  return { entries: { domains, accounts, addresses, aliases }, problems }
}
