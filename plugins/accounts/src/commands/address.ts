// `mox address …`: the addresses of accounts.
import { type Command, UsageError } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { type AddressEntry, addressText, DEFAULT_MAILBOX } from '../entries.ts'
import { MAILBOX_LENGTH, parseOwnAddress, plainTextProblem } from '../fields.ts'
import { ADDRESS, type AddressRow } from '../schema.ts'
import { type CommandContext, FORCE, findAccount, mustBeStored, mustNotBeMember, refuseIf, value } from './context.ts'

const ADDRESS_ARGUMENT = {
  name: 'address',
  help: 'such as alice@example.org, or @example.org for all others of a domain',
}
type Own = Pick<AddressEntry, 'localpart' | 'domain'>

/** Queued messages that are looked through for the address. */
const LOOKED_AT = 1000

export function addressCommands(context: CommandContext): readonly Command[] {
  const { registry, storage } = context
  return [
    {
      path: ['address', 'list'],
      summary: 'addresses of all accounts, or of one',
      arguments: [{ name: 'account', help: 'name of the account', required: false }],
      offline: true,
      run: async ({ arguments: [account], limit }) => {
        if (account !== undefined) findAccount(context, account)
        const all = registry.lookup.entries.addresses.filter(a => account === undefined || a.account === account)
        const rows = all.slice(0, limit).map(a => ({
          address: addressText(a),
          account: a.account,
          mailbox: a.mailbox,
          refused: a.refuse === undefined ? '' : `${a.refuse.code} ${a.refuse.text}`,
          source: a.source,
        }))
        const columns = ['address', 'account', 'mailbox', 'refused', 'source']
        return { kind: 'rows', columns, rows, more: all.length > limit }
      },
    },
    {
      path: ['address', 'add'],
      summary: 'give an address to an account',
      arguments: [{ name: 'account', help: 'name of the account' }, ADDRESS_ARGUMENT],
      flags: [{ name: 'mailbox', type: 'string', help: `where its mail is filed; default ${DEFAULT_MAILBOX}` }],
      offline: true,
      run: async ({ arguments: [name = '', text = ''], flags }) => {
        const account = findAccount(context, name)
        mustBeStored(account, `account ${name}`, 'add the address')
        const own = value(parseOwnAddress(text))
        const address = addressText(own)
        const mailbox = String(flags.get('mailbox') ?? DEFAULT_MAILBOX)
        refuseIf(
          mailbox === '' ? '--mailbox is empty; leave it out for Inbox' : plainTextProblem(mailbox, MAILBOX_LENGTH),
        )
        mustBeFree(context, own)
        const row: AddressRow = { address, account: name, mailbox }
        await registry.change(async db => void (await db<AddressRow>(ADDRESS).insert(row)))
        return { kind: 'text', text: `${address} belongs to ${name}` }
      },
    },
    {
      path: ['address', 'remove'],
      summary: 'take an address from its account',
      arguments: [ADDRESS_ARGUMENT],
      flags: [FORCE],
      offline: true,
      run: async ({ arguments: [text = ''], flags }) => {
        const address = addressText(value(parseOwnAddress(text)))
        const { addresses } = registry.lookup.entries
        const entry = addresses.find(a => addressText(a) === address)
        if (entry === undefined) throw new UsageError(`no account has the address ${address}; see mox address list`)
        mustBeStored(entry, `address ${address}`, 'remove it')
        mustNotBeMember(context, [entry])
        if (addresses.filter(a => a.account === entry.account).length === 1)
          throw new UsageError(
            `${address} is the only address of ${entry.account}; add another one first, or run: mox account remove ${entry.account}`,
          )
        if (flags.get('force') !== true) await mustNotBeQueued(entry)
        await registry.change(async db => void (await db<AddressRow>(ADDRESS).where({ address }).delete()))
        return { kind: 'text', text: `removed ${address} from ${entry.account}` }
      },
    },
  ]

  /** Failures of what it sent would have nowhere to go; a catch-all of the same account takes them. */
  async function mustNotBeQueued(entry: AddressEntry): Promise<void> {
    const { addresses } = registry.lookup.entries
    const caught = addresses.some(a => a.localpart === null && a.domain === entry.domain && a.account === entry.account)
    if (entry.localpart === null || caught) return
    const address = addressText(entry)
    const jobs = await storage.queue.list({ from: address }, { limit: LOOKED_AT })
    if (jobs.some(job => job.reversePath !== null && formatAddress(job.reversePath) === address))
      throw new UsageError(
        `messages from ${address} are in the queue (mox queue list --from ${address}); wait until they have left it, or use --force`,
      )
  }
}

/** Also for another spelling of the same address. */
export function mustBeFree({ registry }: CommandContext, address: Own): void {
  const { entries } = registry.lookup
  const key = registry.lookup.canonical(address)
  const same = (entry: Own): boolean => registry.lookup.canonical(entry) === key
  const owner = entries.addresses.find(same)
  if (owner !== undefined) throw new UsageError(`${addressText(owner)} belongs to account ${owner.account} already`)
  const alias = entries.aliases.find(same)
  if (alias !== undefined)
    throw new UsageError(`${addressText(alias)} is an alias; remove it first: mox alias remove ${addressText(alias)}`)
}
