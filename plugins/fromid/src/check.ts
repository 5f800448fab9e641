// Whether the login addresses of the options can do what they are there for. The directory may change while the server runs
// and between two starts, so that what is not right is told and not made a reason to stand still.
import type { Directory } from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import type { Options } from './options.ts'

/** One line for each address that does nothing, with what to do. */
export async function problemsOf(directory: Directory, loginAddresses: Options['loginAddresses']): Promise<string[]> {
  const problems: string[] = []
  for (const [account, addresses] of Object.entries(loginAddresses)) {
    if ((await directory.account(account)) === undefined)
      problems.push(`there is no account ${JSON.stringify(account)}`)
    else
      for (const address of addresses) {
        const problem = await problemOf(directory, account, address)
        if (problem !== undefined) problems.push(`${formatAddress(address)}: ${problem}`)
      }
  }
  return problems
}

async function problemOf(directory: Directory, account: string, address: Path): Promise<string | undefined> {
  const domain = await directory.domain(address.domain)
  if (domain === undefined) return 'the domain is not configured'
  if (domain.separators.length === 0) return 'the domain has no separator; give it one, such as "+"'
  const resolution = await directory.resolve(address)
  return resolution.kind === 'account' && resolution.account === account
    ? undefined
    : `it is no address of account ${account}`
}
