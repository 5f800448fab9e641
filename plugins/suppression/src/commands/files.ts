// `mox suppression import`, `export` and `audit`. Files are read and written by the server, so their paths are whole ones.
import type { Command } from '@mox/plugin-sdk'
import { exportFile, importFile } from '../transfer.ts'
import {
  ACCOUNT_FLAG,
  absolutePath,
  accountFlag,
  type CommandContext,
  DAYS_FLAG,
  expiryFlag,
  formatTime,
  STREAM_FLAG,
  shownAccount,
  textFlag,
} from './context.ts'

const FILE = { name: 'file', help: 'whole path of a CSV file' }
/** Entries read at a time for an export. */
const PAGE = 1_000

export function fileCommands(context: CommandContext): readonly Command[] {
  const { list, audit, storage, directory, clock } = context
  return [
    {
      path: ['suppression', 'import'],
      summary: 'add the addresses of a CSV file, whose first line names the columns',
      arguments: [FILE],
      flags: [
        { ...ACCOUNT_FLAG, help: 'for lines without an account; - for all accounts' },
        { ...STREAM_FLAG, help: 'for lines without a stream' },
        { ...DAYS_FLAG, help: 'days until lines without an expiry expire; for good without' },
      ],
      offline: true,
      run: async input => {
        const result = await importFile(
          {
            list,
            now: () => clock.now(),
            write: work => storage.write(work),
            knowsAccount: async name => (await directory.account(name)) !== undefined,
          },
          absolutePath(input.arguments[0] ?? ''),
          {
            account: await accountFlag(context, input),
            stream: textFlag(input, 'stream'),
            expiresAt: expiryFlag(context, input),
          },
        )
        const { added, known, refused, problems } = result
        const more = refused > problems.length ? [`and ${refused - problems.length} more`] : []
        const text = [`${added} added, ${known} known already, ${refused} refused`, ...problems, ...more].join('\n')
        return { kind: 'text', text, failed: refused > 0 }
      },
    },
    {
      path: ['suppression', 'export'],
      summary: 'write the list to a new CSV file',
      arguments: [FILE],
      flags: [ACCOUNT_FLAG],
      offline: true,
      run: async input => {
        const account = await accountFlag(context, input)
        const path = absolutePath(input.arguments[0] ?? '')
        const filter = account === undefined ? {} : { account }
        const count = await exportFile(after => list.list(filter, { limit: PAGE, after }), path)
        return { kind: 'text', text: `${count} entries in ${path}` }
      },
    },
    {
      path: ['suppression', 'audit'],
      summary: 'who put addresses on the list and took them off, newest first',
      flags: [ACCOUNT_FLAG, { name: 'address', type: 'string', help: 'only this address, in any spelling' }],
      offline: true,
      run: async input => {
        const account = await accountFlag(context, input)
        const address = input.flags.get('address')
        const forms = typeof address === 'string' ? list.listed(address).forms : undefined
        const found = await audit.list({ account, forms }, input.limit + 1)
        const rows = found.slice(0, input.limit).map(line => ({
          at: formatTime(Number(line.at)),
          who: line.who,
          what: line.what,
          account: shownAccount(line.account),
          stream: line.stream,
          address: line.address,
          cause: line.cause,
          reason: line.reason,
          recipient: line.queue_id === null ? '' : `q${line.queue_id}`,
        }))
        const columns = ['at', 'who', 'what', 'account', 'stream', 'address', 'cause', 'reason', 'recipient']
        return { kind: 'rows', columns, rows, more: found.length > input.limit }
      },
    },
  ]
}
