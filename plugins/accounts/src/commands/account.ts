// `mox account …`: list, show, add, remove, quota; what it may send is in limits.ts.
import { setImmediate } from 'node:timers/promises'
import { type Command, UsageError } from '@mox/plugin-sdk'
import { deleteInPortions } from '@mox/plugin-sdk/io'
import { formatAddress } from '@mox/plugin-sdk/mail'
import {
  type AddressEntry,
  addressText,
  DEFAULT_MAILBOX,
  DEFAULT_MAX_FIRST_TIME,
  DEFAULT_MAX_OUTGOING,
} from '../entries.ts'
import { accountNameProblem, FULL_NAME_LENGTH, parseOwnAddress, plainTextProblem } from '../fields.ts'
import { ACCOUNT, type AccountRow, ADDRESS, type AddressRow, CREDENTIAL, LOGIN } from '../schema.ts'
import { mustBeFree } from './address.ts'
import { type CommandContext, findAccount, mustBeStored, mustNotBeMember, refuseIf, value } from './context.ts'
import { LIMIT_FLAGS, limitsOf, parseSize } from './limits.ts'

const HISTORY_PORTION = 1_000
const NEVER_ABORTED = new AbortController().signal

const NAME = { name: 'account', help: 'name of the account' }

export function accountCommands(context: CommandContext): readonly Command[] {
  const { registry, storage, clock, hooks, secondFactors } = context
  const addressesOf = (name: string): AddressEntry[] =>
    registry.lookup.entries.addresses.filter(a => a.account === name)
  const passwordOf = (name: string): string => {
    if (context.configPassword(name) !== undefined) return 'config'
    return registry.credential(name) === undefined ? 'none' : 'database'
  }

  return [
    {
      path: ['account', 'list'],
      summary: 'accounts with their addresses',
      offline: true,
      run: async ({ limit }) => {
        const { accounts } = registry.lookup
        const rows = accounts.slice(0, limit).map(a => ({
          account: a.name,
          'full-name': a.fullName,
          addresses: a.addresses,
          source: registry.lookup.entry(a.name)?.source,
          password: passwordOf(a.name),
          quota: a.quota,
          disabled: a.loginDisabled ?? '',
        }))
        const columns = ['account', 'full-name', 'addresses', 'source', 'password', 'quota', 'disabled']
        return { kind: 'rows', columns, rows, more: accounts.length > limit }
      },
    },
    {
      path: ['account', 'show'],
      summary: 'everything about one account, as JSON',
      arguments: [NAME],
      offline: true,
      run: async ({ arguments: [name = ''] }) => {
        const account = findAccount(context, name)
        const own = addressesOf(name)
        const texts = new Set(own.map(addressText))
        const { aliases } = registry.lookup.entries
        const { postmaster, fallbackAccount } = registry.roles
        const entry = {
          ...account,
          password: passwordOf(name),
          addresses: own.map(a => ({
            address: addressText(a),
            mailbox: a.mailbox,
            refuse: a.refuse,
            source: a.source,
          })),
          aliases: aliases.filter(a => a.members.some(m => texts.has(formatAddress(m)))).map(addressText),
          postmaster: postmaster === name,
          fallback: fallbackAccount === name,
        }
        return { kind: 'value', value: entry }
      },
    },
    {
      path: ['account', 'add'],
      summary: 'add an account with its first address',
      arguments: [NAME, { name: 'address', help: 'such as alice@example.org' }],
      flags: [
        { name: 'full-name', type: 'string', help: 'shown in mail it writes' },
        { name: 'quota', type: 'string', help: 'bytes of messages, such as 10g; 0 for no limit' },
        ...LIMIT_FLAGS,
      ],
      offline: true,
      run: async ({ arguments: [name = '', text = ''], flags }) => {
        refuseIf(accountNameProblem(name))
        const known = registry.lookup.entry(name)
        if (known !== undefined) throw new UsageError(`account ${name} is there already, in the ${known.source}`)
        const own = value(parseOwnAddress(text))
        const address = addressText(own)
        mustBeFree(context, own)
        const fullName = String(flags.get('full-name') ?? '')
        const problem = plainTextProblem(fullName, FULL_NAME_LENGTH)
        refuseIf(problem === undefined ? undefined : `--full-name ${problem}`)
        const row: AccountRow = {
          name,
          full_name: fullName,
          login_disabled: null,
          quota: parseSize(String(flags.get('quota') ?? '0')),
          ...{ max_outgoing: DEFAULT_MAX_OUTGOING, max_first_time: DEFAULT_MAX_FIRST_TIME },
          ...{ max_queued: 0, max_queued_bytes: 0, keep_retired_days: null },
          ...limitsOf(flags),
          created_at: clock.now(),
        }
        const addressRow: AddressRow = { address, account: name, mailbox: DEFAULT_MAILBOX }
        await registry.change(async db => {
          // Of an account of the config file that had this name before.
          await db(CREDENTIAL).where({ account: name }).delete()
          await db<AccountRow>(ACCOUNT).insert(row)
          await db<AddressRow>(ADDRESS).insert(addressRow)
        })
        return { kind: 'text', text: `added ${name}; next: mox account password ${name}` }
      },
    },
    {
      path: ['account', 'remove'],
      summary: 'remove an account, its addresses, its mail and all else that is kept for it',
      arguments: [NAME],
      flags: [
        {
          name: 'leftovers',
          type: 'boolean',
          help: 'what is kept for an account that was taken out of the config file',
        },
      ],
      offline: true,
      run: async ({ arguments: [name = ''], flags }) => {
        if (flags.get('leftovers') !== true) {
          mustBeStored(findAccount(context, name), `account ${name}`, 'remove it')
          for (const [role, account] of Object.entries(registry.roles))
            if (account === name)
              throw new UsageError(`${name} is the ${role} of the config file; name another account there first`)
          mustNotBeMember(context, addressesOf(name))
        } else if (registry.lookup.entry(name) !== undefined)
          throw new UsageError(
            `${name} is still an account; --leftovers is for what one left that is in no list any more`,
          )
        await registry.change(async db => {
          const queued = await storage.queue.count({ account: name })
          if (queued > 0)
            throw new UsageError(
              `${name} has messages in the queue; wait until they have left it, or run: mox queue drop --account ${name}`,
            )
          await hooks.write('onAccount.remove', { account: name }, { signal: NEVER_ABORTED })
          while ((await storage.history.removeOf(name, HISTORY_PORTION)) === HISTORY_PORTION) await setImmediate()
          await secondFactors.removeOf(db, name)
          await db<AddressRow>(ADDRESS).where({ account: name }).delete()
          await db(CREDENTIAL).where({ account: name }).delete()
          await deleteInPortions(db, LOGIN, 'id', { account: name })
          await db<AccountRow>(ACCOUNT).where({ name }).delete()
        })
        return { kind: 'text', text: `removed ${name}, and all that was kept for it` }
      },
    },
    {
      path: ['account', 'quota'],
      summary: 'set how many bytes of messages an account may have',
      arguments: [NAME, { name: 'size', help: 'such as 10g; units k, m, g, t of 1024; 0 for no limit' }],
      offline: true,
      run: async ({ arguments: [name = '', size = ''] }) => {
        mustBeStored(findAccount(context, name), `account ${name}`, 'set `quota`')
        const quota = parseSize(size)
        await registry.change(async db => void (await db<AccountRow>(ACCOUNT).where({ name }).update({ quota })))
        return { kind: 'text', text: quota === 0 ? `${name} has no quota` : `the quota of ${name} is ${quota} bytes` }
      },
    },
  ]
}
