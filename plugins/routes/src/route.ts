// Which route takes a recipient: the account's routes, those of the sender's domain, then those for all; the first that
// matches. Pure.
import type { Job } from '@mox/plugin-sdk'
import { isAddressLiteral } from '@mox/plugin-sdk/mail'

/** Domains are lower-case A-labels, ".example.org" (the domain and all below it), or "." (no domain). */
export interface Route {
  /** Of the envelope sender; empty: any. */
  readonly fromDomain: readonly string[]
  /** Of the recipient; empty: any. */
  readonly toDomain: readonly string[]
  /** Attempts that came before this one. */
  readonly minimumAttempts: number
  readonly transport: string
}

export interface RouteTable {
  readonly global: readonly Route[]
  readonly domains: ReadonlyMap<string, readonly Route[]>
  readonly accounts: ReadonlyMap<string, readonly Route[]>
}

/** The routes that match, best first. `attempt` is the number of the attempt about to start, from 1. */
export function matchingRoutes(table: RouteTable, job: Job, attempt: number): Route[] {
  const from = domainOf(job.reversePath?.domain ?? '')
  const to = domainOf(job.recipientDomain)
  const all = [...(table.accounts.get(job.account) ?? []), ...(table.domains.get(from) ?? []), ...table.global]
  return all.filter(
    ({ fromDomain, toDomain, minimumAttempts }) =>
      attempt - 1 >= minimumAttempts && matches(fromDomain, from) && matches(toDomain, to),
  )
}

/** Whether the route is meant for this very domain: says its name, with or without a dot in front. */
export function namesDomain({ toDomain }: Route, domain: string): boolean {
  return toDomain.includes(domain) || toDomain.includes(`.${domain}`)
}

function matches(list: readonly string[], domain: string): boolean {
  return list.length === 0 || list.some(entry => matchesOne(entry, domain))
}

function matchesOne(entry: string, domain: string): boolean {
  if (entry === '.' || domain === '') return entry === '.' && domain === ''
  return entry.startsWith('.') ? `.${domain}`.endsWith(entry) : entry === domain
}

/** '' for what has none: the null path, `<postmaster>`, an address literal. */
function domainOf(domain: string): string {
  return isAddressLiteral(domain) ? '' : domain
}
