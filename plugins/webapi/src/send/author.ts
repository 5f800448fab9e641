// Who a message is from: the address of the request if the account may use it, else the account's own.
import type { AccountInfo, Directory } from '@mox/plugin-sdk'
import type { Mailbox } from '@mox/plugin-sdk/compose'
import { parseAddress } from '@mox/plugin-sdk/mail'
import { ApiError } from './error.ts'

/** Who makes a request, after the login. */
export interface Caller {
  readonly account: string
  /** Absent for an API key. */
  readonly loginAddress?: string
  readonly remoteIp: string
  /** Domains that From may have, A-labels; undefined: all that the account may use. */
  readonly senderDomains?: readonly string[]
  /** Check everything, send nothing. */
  readonly test: boolean
}

export async function senderOf(
  directory: Directory,
  account: AccountInfo,
  caller: Caller,
  given: Mailbox | undefined,
): Promise<Mailbox> {
  const from = given ?? (await ownAddress(directory, account, caller))
  const { domain } = from.path
  if ((await directory.domain(domain))?.disabled === true)
    throw new ApiError('domainDisabled', `the domain ${domain} is disabled for now`, { path: ['from'] })
  if (caller.senderDomains?.includes(domain) === false)
    throw new ApiError('badFrom', `this API key may not send from ${domain}`, { path: ['from'] })
  if (!(await directory.maySendAs(account.name, from.path)))
    throw new ApiError('badFrom', 'the account may not send from this address', { path: ['from'] })
  return from
}

/** The address of the login without what follows a separator; for an API key the first one of the account that fits. */
async function ownAddress(directory: Directory, account: AccountInfo, caller: Caller): Promise<Mailbox> {
  const name = account.fullName
  const login = caller.loginAddress === undefined ? undefined : parseAddress(caller.loginAddress)
  if (login?.ok === true) {
    const found = await directory.resolve(login.path)
    const canonical = found.kind === 'account' ? parseAddress(found.address) : undefined
    return { name, path: canonical?.ok === true ? canonical.path : login.path }
  }
  for (const text of account.addresses) {
    const own = parseAddress(text)
    if (own.ok && caller.senderDomains?.includes(own.path.domain) !== false) return { name, path: own.path }
  }
  throw new ApiError('badFrom', 'the account has no address of its own; name one in from', { path: ['from'] })
}
