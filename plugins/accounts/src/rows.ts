// Rows of the database as entries. A row that does not parse was not written by us: it stops the start, or the change.
import { UsageError } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import type { Entries } from './entries.ts'
import { parseMailbox, parseOwnAddress } from './fields.ts'
import {
  ACCOUNT,
  type AccountRow,
  ADDRESS,
  type AddressRow,
  ALIAS,
  type AliasRow,
  APP_PASSWORD_TABLE,
  type AppPasswordRow,
  CREDENTIAL,
  type CredentialRow,
  type Db,
  DOMAIN,
  type DomainRow,
  SECOND_FACTOR,
  type SecondFactorRow,
} from './schema.ts'

const source = 'database'

/** Everything that the database has, in order of names. */
export async function readEntries(db: Db): Promise<Entries> {
  const domains = await db<DomainRow>(DOMAIN).select('*').orderBy('name')
  const accounts = await db<AccountRow>(ACCOUNT).select('*').orderBy('name')
  const addresses = await db<AddressRow>(ADDRESS).select('*').orderBy('address')
  const aliases = await db<AliasRow>(ALIAS).select('*').orderBy('address')
  return {
    domains: (domains as DomainRow[]).map(row => ({
      name: row.name,
      disabled: Number(row.disabled) === 1,
      separators: textList(row.separators, `the separators of domain ${row.name}`),
      caseSensitive: Number(row.case_sensitive) === 1,
      source,
    })),
    accounts: (accounts as AccountRow[]).map(row => ({
      name: row.name,
      fullName: row.full_name,
      ...(row.login_disabled === null ? {} : { loginDisabled: row.login_disabled }),
      quota: Number(row.quota),
      maxOutgoingPerDay: Number(row.max_outgoing),
      maxFirstTimeRecipientsPerDay: Number(row.max_first_time),
      maxQueued: Number(row.max_queued),
      maxQueuedBytes: Number(row.max_queued_bytes),
      ...(row.keep_retired_days === null ? {} : { keepRetiredDays: Number(row.keep_retired_days) }),
      source,
    })),
    addresses: (addresses as AddressRow[]).map(row => ({
      ...parsed(parseOwnAddress(row.address)),
      account: row.account,
      mailbox: row.mailbox,
      source,
    })),
    aliases: (aliases as AliasRow[]).map(row => ({
      ...parsed(parseMailbox(row.address)),
      members: textList(row.members, `the members of alias ${row.address}`).map(m => parsed(parseMailbox(m))),
      postPublic: Number(row.post_public) === 1,
      listMembers: Number(row.list_members) === 1,
      allowMsgFrom: Number(row.allow_msg_from) === 1,
      source,
    })),
  }
}

/** Verifier texts and when they were set, by account. */
export async function readCredentials(db: Db): Promise<Map<string, CredentialRow>> {
  const rows: CredentialRow[] = await db<CredentialRow>(CREDENTIAL).select('*')
  return new Map(rows.map(row => [row.account, row]))
}

/** Since when accounts have a second factor. */
export async function readSecondFactors(db: Db): Promise<Map<string, number>> {
  const rows: Pick<SecondFactorRow, 'account' | 'since'>[] = await db<SecondFactorRow>(SECOND_FACTOR).select(
    'account',
    'since',
  )
  return new Map(rows.map(row => [row.account, Number(row.since)]))
}

/** By account and digest. */
export async function readAppPasswords(db: Db): Promise<Map<string, AppPasswordRow>> {
  const rows: AppPasswordRow[] = await db<AppPasswordRow>(APP_PASSWORD_TABLE).select('*')
  return new Map(
    rows.map(row => [
      `${row.account} ${row.digest}`,
      { ...row, used_at: row.used_at === null ? null : Number(row.used_at) },
    ]),
  )
}

function parsed<T extends Path | { readonly localpart: string | null }>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string },
): T {
  if (result.ok) return result.value
  throw new UsageError(`accounts: the database has an address that cannot be one: ${result.problem}`)
}

function textList(json: string, what: string): string[] {
  try {
    const list: unknown = JSON.parse(json)
    if (Array.isArray(list) && list.every(item => typeof item === 'string')) return list
  } catch {
    // Told below.
  }
  throw new UsageError(`accounts: ${what} in the database cannot be read; restore a backup`)
}
