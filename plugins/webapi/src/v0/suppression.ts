// v0 suppression methods: the account's entries for all its mail. Addresses compare by what the list calls the same.
import type { SuppressionEntry, Suppressions } from '@mox/plugin-sdk'
import { formatAddress, type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { ApiError } from '../send/error.ts'
import { plainText } from '../send/fields.ts'

const PAGE = 1_000
/** Entries that one answer has. */
export const MAX_ENTRIES = 100_000
/** Characters of a reason. */
const MAX_REASON = 1_000

export async function list(suppressions: Suppressions, account: string): Promise<object> {
  const found: object[] = []
  let after: number | undefined
  do {
    const page = await suppressions.list({ account }, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    found.push(...page.map(show))
    after = page.length < PAGE ? undefined : page.at(-1)?.id
  } while (after !== undefined && found.length < MAX_ENTRIES)
  return { Suppressions: found }
}

export async function add(
  suppressions: Suppressions,
  account: string,
  request: { EmailAddress: string; Manual: boolean; Reason: string },
): Promise<object> {
  const path = parse(request.EmailAddress)
  const reason = plainText(request.Reason, ['Reason'], MAX_REASON)
  // A wider entry, of all accounts or of a domain, does not stand in the way of an own one.
  const added = await suppressions.add({
    ...{ account, stream: '', address: formatAddress(path), reason },
    cause: request.Manual ? 'manual' : 'import',
  })
  if (added === undefined) throw new ApiError('error', 'the address is on the suppression list already')
  return {}
}

export async function remove(suppressions: Suppressions, account: string, address: string): Promise<object> {
  if (!(await suppressions.remove(account, '', formatAddress(parse(address)))))
    throw new ApiError('error', 'the address is not on the suppression list')
  return {}
}

export async function present(suppressions: Suppressions, account: string, address: string): Promise<object> {
  return { Present: (await suppressions.check(account, '', parse(address))) !== undefined }
}

function parse(address: string): Path {
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new ApiError('badAddress', `not a mail address: ${parsed.error}`, { path: ['EmailAddress'] })
  return parsed.path
}

function show(entry: SuppressionEntry): object {
  return {
    ...{ ID: entry.id, Created: new Date(entry.createdAt).toISOString(), Account: entry.account },
    ...{
      BaseAddress: entry.base,
      OriginalAddress: entry.address,
      Manual: entry.cause === 'manual',
      Reason: entry.reason,
    },
  }
}
