// `mox queue suppress …`: looking at the list and changing it by hand.
import { type Command, type SuppressionEntry, UsageError } from '@mox/plugin-sdk'
import { parseAddress } from '@mox/plugin-sdk/mail'
import {
  ACCOUNT_FLAG,
  accountFlag,
  accountOf,
  type CommandContext,
  DAYS_FLAG,
  expiryFlag,
  formatTime,
  STREAM_FLAG,
  shownAccount,
  textFlag,
} from './context.ts'

const ACCOUNT = { name: 'account', help: 'name of the account; - for all accounts' }
const ADDRESS = { name: 'address', help: 'such as bob@example.com, or @example.com for a whole domain' }
const COLUMNS = ['id', 'account', 'stream', 'address', 'cause', 'reason', 'recipient', 'added', 'expires']

export function entryCommands(context: CommandContext): readonly Command[] {
  const { list } = context
  return [
    {
      path: ['queue', 'suppress', 'list'],
      summary: 'recipients that are not sent mail',
      flags: [ACCOUNT_FLAG, STREAM_FLAG, { name: 'after', type: 'number', help: 'only ids above this one' }],
      offline: true,
      run: async input => {
        const account = await accountFlag(context, input)
        const after = input.flags.get('after')
        const filter = {
          ...(account === undefined ? {} : { account }),
          ...(input.flags.has('stream') ? { stream: textFlag(input, 'stream') } : {}),
        }
        const limit = Math.min(input.limit, 9_999)
        const found = await list.list(filter, { limit: limit + 1, ...(typeof after === 'number' ? { after } : {}) })
        return { kind: 'rows', columns: COLUMNS, rows: found.slice(0, limit).map(row), more: found.length > limit }
      },
    },
    {
      path: ['queue', 'suppress', 'add'],
      summary: 'send an address no more mail',
      arguments: [ACCOUNT, ADDRESS],
      flags: [STREAM_FLAG, DAYS_FLAG, { name: 'reason', type: 'string', help: 'why, for those who look later' }],
      offline: true,
      run: async input => {
        const [name = '', address = ''] = input.arguments
        const account = await accountOf(context, name)
        const expiresAt = expiryFlag(context, input)
        const made = await list.add(
          {
            ...{ account, address, stream: textFlag(input, 'stream'), cause: 'manual' },
            reason: textFlag(input, 'reason', 500) || 'added on the command line',
            ...(expiresAt === undefined ? {} : { expiresAt }),
          },
          'cli',
        )
        if (made === undefined)
          throw new UsageError(`${address} is on the list already; see mox queue suppress lookup ${address}`)
        return { kind: 'text', text: `${made.address} is on the list` }
      },
    },
    {
      path: ['queue', 'suppress', 'remove'],
      summary: 'let an address be sent mail again',
      arguments: [ACCOUNT, ADDRESS],
      flags: [STREAM_FLAG],
      offline: true,
      run: async input => {
        const [name = '', address = ''] = input.arguments
        // An account that is gone may have left entries.
        const account = name === '-' ? '' : name
        if (!(await list.remove(account, textFlag(input, 'stream'), address, 'cli')))
          throw new UsageError(`${address} is not on the list of ${name}; see mox queue suppress lookup ${address}`)
        return { kind: 'text', text: `${address} is off the list` }
      },
    },
    {
      path: ['queue', 'suppress', 'lookup'],
      summary: 'the entries about an address; with --account whether that account may send to it',
      arguments: [ADDRESS],
      flags: [ACCOUNT_FLAG, STREAM_FLAG],
      offline: true,
      run: async input => {
        const [address = ''] = input.arguments
        const account = await accountFlag(context, input)
        if (account !== undefined) return await mayReceive(account, textFlag(input, 'stream'), address)
        const limit = Math.min(input.limit, 9_999)
        const found = await list.list({ address }, { limit: limit + 1 })
        return { kind: 'rows', columns: COLUMNS, rows: found.slice(0, limit).map(row), more: found.length > limit }
      },
    },
  ]

  async function mayReceive(account: string, stream: string, address: string) {
    const parsed = parseAddress(address)
    if (!parsed.ok) throw new UsageError(`${JSON.stringify(address)} is no address (${parsed.error})`)
    const entry = await list.check(account, stream, parsed.path)
    return { kind: 'rows', columns: COLUMNS, rows: entry === undefined ? [] : [row(entry)] } as const
  }
}

function row(entry: SuppressionEntry): Readonly<Record<string, unknown>> {
  return {
    id: entry.id,
    account: shownAccount(entry.account),
    stream: entry.stream,
    address: entry.address,
    cause: entry.cause,
    reason: entry.reason,
    recipient: entry.queueId === undefined ? '' : `q${entry.queueId}`,
    added: formatTime(entry.createdAt),
    expires: formatTime(entry.expiresAt),
  }
}
