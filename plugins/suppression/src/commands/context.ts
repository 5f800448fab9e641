// What the commands share: who "all accounts" is, and the checks of their words.
import { isAbsolute } from 'node:path'
import {
  type Clock,
  type CommandFlag,
  type CommandInput,
  type Directory,
  type Storage,
  UsageError,
} from '@mox/plugin-sdk'
import type { Audit } from '../audit.ts'
import type { SuppressionList } from '../list.ts'
import { EXPIRE_LIMIT } from '../options.ts'

export interface CommandContext {
  readonly list: SuppressionList
  readonly audit: Audit
  readonly storage: Storage
  readonly directory: Directory
  readonly clock: Clock
}

/** Stands for all accounts on the command line. */
export const ALL = '-'

export const ACCOUNT_FLAG: CommandFlag = {
  name: 'account',
  type: 'string',
  help: 'name of an account; - for all accounts',
}
export const STREAM_FLAG: CommandFlag = { name: 'stream', type: 'string', help: 'only mail of this stream' }
export const DAYS_FLAG: CommandFlag = { name: 'days', type: 'number', help: 'days until it expires; for good without' }

export async function accountOf({ directory }: CommandContext, name: string): Promise<string> {
  if (name === ALL) return ''
  if ((await directory.account(name)) === undefined)
    throw new UsageError(
      `there is no account ${JSON.stringify(name)}; see mox account list, or write - for all accounts`,
    )
  return name
}

/** Undefined when the flag is not given. */
export async function accountFlag(context: CommandContext, { flags }: CommandInput): Promise<string | undefined> {
  const given = flags.get('account')
  return typeof given === 'string' ? await accountOf(context, given) : undefined
}

export function textFlag({ flags }: CommandInput, name: string, limit = 100): string {
  const value = flags.get(name) ?? ''
  if (typeof value === 'string' && value.length <= limit && !/[\p{Cc}]/u.test(value)) return value
  throw new UsageError(`--${name} must be one line of at most ${limit} characters`)
}

/** When an entry made now expires, milliseconds since the epoch. */
export function expiryFlag({ clock }: CommandContext, { flags }: CommandInput): number | undefined {
  const days = flags.get('days')
  if (days === undefined) return undefined
  if (typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= EXPIRE_LIMIT)
    return clock.now() + days * 86_400_000
  throw new UsageError(`--days must be a whole number from 1 to ${EXPIRE_LIMIT}`)
}

/** The server's own directory is not the one that the command is typed in. */
export function absolutePath(path: string): string {
  if (isAbsolute(path)) return path
  throw new UsageError(`write the whole path, from the root: ${JSON.stringify(path)} is not one`)
}

export function formatTime(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export const shownAccount = (account: string): string => (account === '' ? ALL : account)
