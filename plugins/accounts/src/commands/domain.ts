// `mox domain …`: domains of the database; those of the config file are only listed.
import { type Command, UsageError } from '@mox/plugin-sdk'
import { addressText, DEFAULT_SEPARATORS } from '../entries.ts'
import { parseDomainName, SEPARATORS, separatorProblem } from '../fields.ts'
import { DOMAIN, type DomainRow } from '../schema.ts'
import { type CommandContext, count, findDomain, mustBeStored, refuseIf, value } from './context.ts'

const NAME = { name: 'domain', help: 'such as example.org' }

export function domainCommands(context: CommandContext): readonly Command[] {
  const { registry } = context
  const setDisabled = (verb: string, disabled: number, summary: string): Command => ({
    path: ['domain', verb],
    summary,
    arguments: [NAME],
    offline: true,
    run: async ({ arguments: [text = ''] }) => {
      const { name, ...domain } = findDomain(context, value(parseDomainName(text)))
      mustBeStored(domain, `domain ${name}`, 'set `disabled`')
      await registry.change(async db => void (await db<DomainRow>(DOMAIN).where({ name }).update({ disabled })))
      return { kind: 'text', text: `${name} is ${disabled === 1 ? 'disabled' : 'enabled'}` }
    },
  })

  return [
    {
      path: ['domain', 'list'],
      summary: 'domains with their settings',
      offline: true,
      run: async ({ limit }) => {
        const { domains, addresses, aliases } = registry.lookup.entries
        const rows = domains.slice(0, limit).map(d => ({
          domain: d.name,
          source: d.source,
          disabled: d.disabled,
          separators: d.separators.join(' '),
          'case-sensitive': d.caseSensitive,
          addresses: addresses.filter(a => a.domain === d.name).length,
          aliases: aliases.filter(a => a.domain === d.name).length,
        }))
        const columns = ['domain', 'source', 'disabled', 'separators', 'case-sensitive', 'addresses', 'aliases']
        return { kind: 'rows', columns, rows, more: domains.length > limit }
      },
    },
    {
      path: ['domain', 'add'],
      summary: 'add a domain',
      arguments: [NAME],
      flags: [
        { name: 'disabled', type: 'boolean', help: 'refuse its mail for now' },
        { name: 'separators', type: 'string', help: 'joined by spaces, such as "+ -"; "" for none; default "+"' },
        { name: 'case-sensitive', type: 'boolean', help: 'Bob@ and bob@ are different addresses' },
      ],
      offline: true,
      run: async ({ arguments: [text = ''], flags }) => {
        const name = value(parseDomainName(text))
        const known = registry.lookup.entries.domains.find(d => d.name === name)
        if (known !== undefined) throw new UsageError(`domain ${name} is there already, in the ${known.source}`)
        const separators = separatorList(flags.get('separators'))
        const row: DomainRow = {
          name,
          disabled: flags.get('disabled') === true ? 1 : 0,
          separators: JSON.stringify(separators),
          case_sensitive: flags.get('case-sensitive') === true ? 1 : 0,
        }
        await registry.change(async db => void (await db<DomainRow>(DOMAIN).insert(row)))
        return { kind: 'text', text: `added ${name}; next: mox account add NAME LOCALPART@${name}` }
      },
    },
    {
      path: ['domain', 'remove'],
      summary: 'remove a domain that has no addresses and aliases',
      arguments: [NAME],
      offline: true,
      run: async ({ arguments: [text = ''] }) => {
        const { name, ...domain } = findDomain(context, value(parseDomainName(text)))
        mustBeStored(domain, `domain ${name}`, 'remove it')
        const { addresses, aliases } = registry.lookup.entries
        const [own, ownAliases] = [addresses.filter(a => a.domain === name), aliases.filter(a => a.domain === name)]
        const [address, alias] = [own[0], ownAliases[0]]
        if (alias !== undefined)
          throw new UsageError(
            `${name} has ${count(ownAliases.length, 'alias', 'aliases')}; remove first: mox alias remove ${addressText(alias)}`,
          )
        if (address !== undefined)
          throw new UsageError(
            `${name} has ${count(own.length, 'address', 'addresses')}; remove first: mox address remove ${addressText(address)}, or the account ${address.account}`,
          )
        await registry.change(async db => void (await db<DomainRow>(DOMAIN).where({ name }).delete()))
        return { kind: 'text', text: `removed ${name}` }
      },
    },
    setDisabled('disable', 1, 'refuse mail and submission of a domain for now'),
    setDisabled('enable', 0, 'end disable'),
  ]
}

function separatorList(given: unknown): readonly string[] {
  if (typeof given !== 'string') return DEFAULT_SEPARATORS
  const list = [...new Set(given.split(' ').filter(s => s !== ''))]
  if (list.length > SEPARATORS) throw new UsageError(`--separators: at most ${SEPARATORS} separators`)
  for (const separator of list) refuseIf(separatorProblem(separator))
  return list
}
