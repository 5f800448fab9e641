// `mox webapi key …`: API keys of accounts.
import { type Clock, type Command, type Directory, UsageError } from '@mox/plugin-sdk'
import { parseDomain } from '@mox/plugin-sdk/mail'
import type { Keys } from './keys.ts'
import { DAY_MS, MAX_KEYS } from './limits.ts'
import { isPermission, PERMISSIONS, type Permission } from './permissions.ts'
import type { KeyRow } from './schema.ts'

/** Characters of a key's name. */
export const MAX_KEY_NAME = 100
/** Days that a key may be valid. */
export const MAX_KEY_DAYS = 3_650

export function keyCommands(
  keys: Keys,
  { directory, clock }: { readonly directory: Directory; readonly clock: Clock },
): readonly Command[] {
  return [
    {
      path: ['webapi', 'key', 'add'],
      summary: 'make an API key for an account; it is shown once',
      arguments: [
        { name: 'account', help: 'name of the account' },
        { name: 'name', help: 'what it is for, shown in the list' },
      ],
      flags: [
        {
          name: 'permissions',
          type: 'string',
          help: `separated by commas; default send; of ${PERMISSIONS.join(', ')}, or all`,
        },
        {
          name: 'domains',
          type: 'string',
          help: 'domains it may send from, separated by commas; default all of the account',
        },
        { name: 'days', type: 'number', help: 'days until it expires; default never' },
        { name: 'test', type: 'boolean', help: 'requests are checked and events simulated, nothing is sent' },
      ],
      offline: true,
      run: async ({ arguments: [account = '', name = ''], flags }) => {
        if ((await directory.account(account)) === undefined)
          throw new UsageError(`there is no account ${JSON.stringify(account)}; see mox account list`)
        if (name === '' || name.length > MAX_KEY_NAME || /\p{C}/u.test(name))
          throw new UsageError(`the name must be plain text of 1 to ${MAX_KEY_NAME} characters`)
        const days = flags.get('days')
        const added = await keys.add({
          ...{
            account,
            name,
            permissions: permissionsOf(flags.get('permissions')),
            domains: domainsOf(flags.get('domains')),
          },
          test: flags.get('test') === true,
          ...(days === undefined ? {} : { expiresAt: clock.now() + daysOf(days) * DAY_MS }),
        })
        if (added === undefined)
          throw new UsageError(`${account} has ${MAX_KEYS} keys; revoke some first: mox webapi key revoke ID`)
        return { kind: 'text', text: `key ${added.id}; it is not shown again:\n${added.key}` }
      },
    },
    {
      path: ['webapi', 'key', 'list'],
      summary: 'API keys of an account, or of all',
      arguments: [{ name: 'account', help: 'name of the account', required: false }],
      offline: true,
      run: async ({ arguments: [account], limit }) => {
        const rows = await keys.list(account, limit + 1)
        const columns = ['id', 'account', 'name', 'permissions', 'domains', 'test', 'created', 'expires']
        return {
          kind: 'rows',
          columns,
          rows: rows.slice(0, limit).map(row => show(row, clock)),
          more: rows.length > limit,
        }
      },
    },
    {
      path: ['webapi', 'key', 'revoke'],
      summary: 'remove an API key; it stops working at once',
      arguments: [{ name: 'id', help: 'as in mox webapi key list' }],
      offline: true,
      run: async ({ arguments: [id = ''] }) => {
        if (!(await keys.revoke(id)))
          throw new UsageError(`there is no API key ${JSON.stringify(id)}; see mox webapi key list`)
        return { kind: 'text', text: `revoked ${id}` }
      },
    },
  ]
}

function permissionsOf(flag: unknown): Permission[] {
  if (flag === undefined) return ['send']
  if (flag === 'all') return [...PERMISSIONS]
  const words = String(flag)
    .split(/[\s,]+/)
    .filter(word => word !== '')
  const bad = words.find(word => !isPermission(word))
  if (bad !== undefined || words.length === 0)
    throw new UsageError(`--permissions ${JSON.stringify(bad ?? '')} must be of ${PERMISSIONS.join(', ')}, or all`)
  return words.filter(isPermission)
}

function domainsOf(flag: unknown): string[] {
  return String(flag ?? '')
    .split(/[\s,]+/)
    .filter(word => word !== '')
    .map(word => {
      const parsed = parseDomain(word, { smtputf8: true })
      if (!parsed.ok) throw new UsageError(`--domains ${JSON.stringify(word)} is not a domain`)
      return parsed.domain
    })
}

function daysOf(flag: unknown): number {
  const days = Number(flag)
  if (Number.isSafeInteger(days) && days >= 1 && days <= MAX_KEY_DAYS) return days
  throw new UsageError(`--days ${String(flag)} must be a whole number from 1 to ${MAX_KEY_DAYS}`)
}

function show(row: KeyRow, clock: Clock): Readonly<Record<string, unknown>> {
  const time = (ms: number): string => new Date(Number(ms)).toISOString()
  const expired = row.expires_at !== null && Number(row.expires_at) <= clock.now()
  return {
    ...{ id: row.id, account: row.account, name: row.name, permissions: JSON.parse(row.permissions) },
    ...{ domains: JSON.parse(row.domains), test: row.test === 1, created: time(row.created_at) },
    expires: row.expires_at === null ? '' : `${time(row.expires_at)}${expired ? ' (expired)' : ''}`,
  }
}
