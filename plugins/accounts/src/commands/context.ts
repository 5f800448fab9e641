// What the commands share: the registry, and refusals that say what to do.
import { type Clock, type HookRunner, type Random, type Storage, UsageError } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import type { Argon2 } from '../argon2.ts'
import type { Attempts } from '../attempts.ts'
import type { Credential } from '../credential.ts'
import { type AccountEntry, type AddressEntry, type AliasEntry, addressText, type DomainEntry } from '../entries.ts'
import type { Parsed } from '../fields.ts'
import type { Registry } from '../registry.ts'
import type { SecondFactors } from '../second-factors.ts'

export interface CommandContext {
  readonly registry: Registry
  readonly attempts: Attempts
  readonly storage: Storage
  readonly clock: Clock
  readonly hooks: HookRunner
  readonly random: Random
  readonly argon2: Argon2
  readonly secondFactors: SecondFactors
  /** The password that the config file gives for an account. */
  readonly configPassword: (account: string) => Credential | undefined
}

export function value<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw new UsageError(parsed.problem)
}

export function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(problem)
}

export function findDomain({ registry }: CommandContext, name: string): DomainEntry {
  const found = registry.lookup.entries.domains.find(d => d.name === name)
  if (found !== undefined) return found
  throw new UsageError(`there is no domain ${name}; see mox domain list`)
}

export function findAccount({ registry }: CommandContext, name: string): AccountEntry {
  const found = registry.lookup.entry(name)
  if (found !== undefined) return found
  throw new UsageError(`there is no account ${JSON.stringify(name)}; see mox account list`)
}

export function findAlias({ registry }: CommandContext, text: string): AliasEntry {
  const found = registry.lookup.entries.aliases.find(a => addressText(a) === text)
  if (found !== undefined) return found
  throw new UsageError(`there is no alias ${text}; see mox alias list`)
}

/** Entries of the config file are changed there. */
export function mustBeStored(entry: { readonly source: string }, what: string, instead: string): void {
  if (entry.source === 'config') throw new UsageError(`${what} is in the config file; ${instead} there and reload`)
}

/** Refuses while aliases have members among the addresses. */
export function mustNotBeMember({ registry }: CommandContext, addresses: readonly AddressEntry[]): void {
  const own = new Set(addresses.map(addressText))
  const problems = registry.lookup.entries.aliases.flatMap(alias =>
    alias.members
      .filter(member => own.has(formatAddress(member)))
      .map(member => {
        const [name, text] = [addressText(alias), formatAddress(member)]
        if (alias.source === 'config') return `${text} is a member of alias ${name} in the config file; remove it there`
        const command = alias.members.length > 1 ? `removemember ${name} ${text}` : `remove ${name}`
        return `${text} is a member of alias ${name}; first run: mox alias ${command}`
      }),
  )
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
}

/** "10 things", "1 thing". */
export function count(n: number, thing: string, things: string = `${thing}s`): string {
  return `${n} ${n === 1 ? thing : things}`
}

export const FORCE = { name: 'force', type: 'boolean', help: 'even while its messages are in the queue' } as const
