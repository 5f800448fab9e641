// `mox alias …`: addresses that stand for several accounts.
import { type Command, UsageError } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { type AliasEntry, addressText } from '../entries.ts'
import { parseMailbox } from '../fields.ts'
import { ALIAS, type AliasRow } from '../schema.ts'
import { mustBeFree } from './address.ts'
import { type CommandContext, findAlias, mustBeStored, value } from './context.ts'

const NAME = { name: 'alias', help: 'its address, such as team@example.org' }
const MEMBER = { name: 'member', help: 'address of an account' }

export function aliasCommands(context: CommandContext): readonly Command[] {
  const { registry } = context
  const stored = (text: string | undefined): AliasEntry => {
    const alias = findAlias(context, addressOf(text))
    mustBeStored(alias, `alias ${addressText(alias)}`, 'change it')
    return alias
  }
  const setMembers = async (alias: AliasEntry, members: readonly string[]): Promise<void> => {
    const change = { members: JSON.stringify(members) }
    await registry.change(async db => {
      await db<AliasRow>(ALIAS)
        .where({ address: addressText(alias) })
        .update(change)
    })
  }

  return [
    {
      path: ['alias', 'list'],
      summary: 'aliases and their members',
      offline: true,
      run: async ({ limit }) => {
        const { aliases } = registry.lookup.entries
        const rows = aliases.slice(0, limit).map(a => ({
          alias: addressText(a),
          members: a.members.map(formatAddress),
          'post-public': a.postPublic,
          'list-members': a.listMembers,
          'allow-msg-from': a.allowMsgFrom,
          source: a.source,
        }))
        const columns = ['alias', 'members', 'post-public', 'list-members', 'allow-msg-from', 'source']
        return { kind: 'rows', columns, rows, more: aliases.length > limit }
      },
    },
    {
      path: ['alias', 'add'],
      summary: 'add an alias',
      arguments: [NAME, { ...MEMBER, name: 'members', help: 'addresses of accounts', rest: true }],
      flags: [
        { name: 'post-public', type: 'boolean', help: 'anybody may write to it, not only members' },
        { name: 'list-members', type: 'boolean', help: 'members may see who the members are' },
        { name: 'allow-msg-from', type: 'boolean', help: 'members may write as the alias' },
      ],
      offline: true,
      run: async ({ arguments: [text, ...members], flags }) => {
        const path = value(parseMailbox(text ?? ''))
        const address = formatAddress(path)
        if (registry.lookup.entries.aliases.some(a => addressText(a) === address))
          throw new UsageError(
            `alias ${address} is there already; add members with: mox alias addmember ${address} MEMBER`,
          )
        mustBeFree(context, path)
        const flag = (name: string): number => (flags.get(name) === true ? 1 : 0)
        const row: AliasRow = {
          address,
          members: JSON.stringify(members.map(addressOf)),
          post_public: flag('post-public'),
          list_members: flag('list-members'),
          allow_msg_from: flag('allow-msg-from'),
        }
        await registry.change(async db => void (await db<AliasRow>(ALIAS).insert(row)))
        return { kind: 'text', text: `added ${address}` }
      },
    },
    {
      path: ['alias', 'remove'],
      summary: 'remove an alias; its members stay',
      arguments: [NAME],
      offline: true,
      run: async ({ arguments: [text] }) => {
        const address = addressText(stored(text))
        await registry.change(async db => void (await db<AliasRow>(ALIAS).where({ address }).delete()))
        return { kind: 'text', text: `removed ${address}` }
      },
    },
    {
      path: ['alias', 'addmember'],
      summary: 'add a member to an alias',
      arguments: [NAME, MEMBER],
      offline: true,
      run: async ({ arguments: [text, member] }) => {
        const alias = stored(text)
        const address = addressOf(member)
        await setMembers(alias, [...alias.members.map(formatAddress), address])
        return { kind: 'text', text: `${address} is a member of ${addressText(alias)}` }
      },
    },
    {
      path: ['alias', 'removemember'],
      summary: 'remove a member from an alias',
      arguments: [NAME, MEMBER],
      offline: true,
      run: async ({ arguments: [text, member] }) => {
        const alias = stored(text)
        const [name, address] = [addressText(alias), addressOf(member)]
        const members = alias.members.map(formatAddress)
        const rest = members.filter(m => m !== address)
        if (rest.length === members.length)
          throw new UsageError(`${address} is no member of ${name}; these are: ${members.join(', ')}`)
        if (rest.length === 0)
          throw new UsageError(`${address} is the only member of ${name}; remove the alias: mox alias remove ${name}`)
        await setMembers(alias, rest)
        return { kind: 'text', text: `removed ${address} from ${name}` }
      },
    },
  ]
}

function addressOf(text: string | undefined): string {
  return formatAddress(value(parseMailbox(text ?? '')))
}
