// Passwords that the config file gives: as a secret, as a verifier, or on test servers in plain text.
import { type Secrets, UsageError } from '@mox/plugin-sdk'
import { type Credential, parseCredential, plainCredential } from './credential.ts'
import type { Options } from './options.ts'
import { newPasswordProblem, preparePassword } from './precis.ts'
import type { ScramHash } from './scram.ts'

/** By account. Throws a UsageError that lists every secret that is missing or no good. */
export async function configPasswords(
  accounts: Options['accounts'],
  secrets: Secrets,
  salt: (hash: ScramHash, account: string) => Buffer,
): Promise<Map<string, Credential>> {
  const found = new Map<string, Credential>()
  const problems: string[] = []
  for (const [account, { password, passwordHash }] of Object.entries(accounts)) {
    if (passwordHash !== undefined) {
      const credential = parseCredential(account, passwordHash)
      // Nothing can be stored in the config file, so it is never asked for anew.
      if (credential !== undefined) found.set(account, { ...credential, outdated: false })
    }
    if (password === undefined) continue
    try {
      const text = typeof password === 'string' ? password : await secrets.get(password.secret)
      const problem = newPasswordProblem(text)
      if (problem !== undefined) throw new UsageError(`the password ${problem}`)
      found.set(
        account,
        plainCredential(account, preparePassword(text) ?? '', hash => salt(hash, account)),
      )
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(`accounts.${account}.password: ${error.message}`)
    }
  }
  if (problems.length > 0) throw new UsageError(['accounts:', ...problems].join('\n  '))
  return found
}
