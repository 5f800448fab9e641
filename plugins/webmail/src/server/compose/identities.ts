// The addresses that the user may write as: the account's own and the aliases that allow it, that of the login first.
import type { Directory } from '@mox/plugin-sdk'
import { displayDomain, parseAddress } from '@mox/plugin-sdk/mail'
import type { Identity } from '../../api/model.ts'

export async function identitiesOf(directory: Directory, account: string, loginAddress: string): Promise<Identity[]> {
  const info = await directory.account(account)
  if (info === undefined) return []
  const login = await ownAddress(directory, loginAddress)
  const all = [...new Set([...info.addresses, ...(info.writesAs ?? [])])]
  const rank = (address: string): string => {
    const at = address.lastIndexOf('@')
    return `${address === login ? 0 : 1} ${address.slice(at + 1)} ${address.slice(0, at)}`
  }
  return all
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map(address => ({ name: info.fullName, address: shownAddress(address) }))
}

/** Without what follows a separator. */
async function ownAddress(directory: Directory, loginAddress: string): Promise<string> {
  const parsed = parseAddress(loginAddress)
  const found = parsed.ok ? await directory.resolve(parsed.path) : undefined
  return found?.kind === 'account' ? found.address : loginAddress
}

function shownAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}@${displayDomain(address.slice(at + 1))}`
}
