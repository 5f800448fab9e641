// `mox mailbox import` and `export`.
import { open, rm } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { type Command, type ExportOptions, type ImportEvent, type Mailboxes, UsageError } from '@mox/plugin-sdk'
import { told } from './rule-commands.ts'

const ACCOUNT = { name: 'account', help: 'name of the account' }
/** Problems that are shown. */
const SHOWN = 20

const ARCHIVES: readonly (readonly [string, ExportOptions['archive']])[] = [
  ['.tar.gz', 'tgz'],
  ['.tgz', 'tgz'],
  ['.tar', 'tar'],
  ['.zip', 'zip'],
  ['.mbox', 'none'],
]

export function archiveCommands(mailboxes: Mailboxes): readonly Command[] {
  return [
    {
      path: ['mailbox', 'import'],
      summary: 'Adds the mail of an mbox file, a Maildir folder, or an archive with them',
      arguments: [
        ACCOUNT,
        { name: 'file', help: 'path of a .mbox, .zip, .tar or .tgz file or of a folder, from the root' },
      ],
      flags: [
        { name: 'mailbox', type: 'string', help: 'mailbox for the messages of an mbox file; default Inbox' },
        { name: 'prefix', type: 'string', help: 'leading folders that are left out, such as Takeout/Mail' },
      ],
      offline: true,
      run: async ({ arguments: [account = '', file = ''], flags }) => {
        const store = await mailboxes.store(account)
        const problems: string[] = []
        const progress = (event: ImportEvent): void => {
          if (event.kind === 'problem') problems.push(event.text)
        }
        const mailbox = flags.get('mailbox')
        const prefix = flags.get('prefix')
        const { added, duplicates, skipped } = await told(() =>
          store.import(absolute(file), {
            progress,
            ...(mailbox === undefined ? {} : { mailbox: String(mailbox) }),
            ...(prefix === undefined ? {} : { prefix: String(prefix) }),
          }),
        )
        const lines = [
          `${added} messages added, ${duplicates} were there already, ${skipped} files or messages left out`,
          ...problems.slice(0, SHOWN),
          ...(problems.length > SHOWN ? [`and ${problems.length - SHOWN} more problems`] : []),
        ]
        return { kind: 'text', text: lines.join('\n') }
      },
    },
    {
      path: ['mailbox', 'export'],
      summary: 'Writes the mail of an account into a new archive',
      arguments: [ACCOUNT, { name: 'file', help: 'path from the root that ends with .tgz, .tar, .zip or .mbox' }],
      flags: [
        { name: 'format', type: 'string', help: 'maildir (default) or mbox' },
        { name: 'mailbox', type: 'string', help: 'only this mailbox and those below it' },
      ],
      offline: true,
      run: async ({ arguments: [account = '', file = ''], flags }) => {
        const store = await mailboxes.store(account)
        const archive = ARCHIVES.find(([ending]) => file.toLowerCase().endsWith(ending))?.[1]
        if (archive === undefined) throw new UsageError('the file must end with .tgz, .tar, .zip or .mbox')
        const format = String(flags.get('format') ?? (archive === 'none' ? 'mbox' : 'maildir'))
        if (format !== 'maildir' && format !== 'mbox') throw new UsageError('--format is maildir or mbox')
        const mailbox = flags.get('mailbox')
        const options: ExportOptions = {
          format,
          archive,
          ...(mailbox === undefined ? {} : { mailbox: String(mailbox) }),
        }
        const bytes = await told(() => write(absolute(file), store.export(options)))
        return { kind: 'text', text: `${bytes} bytes written to ${file}` }
      },
    },
  ]
}

/** The command runs in the server, whose folder is another one. */
function absolute(path: string): string {
  if (!isAbsolute(path)) throw new UsageError('give the path of the file from the root')
  return path
}

/** Never over a file that is there; what is not complete is removed. */
async function write(path: string, chunks: AsyncIterable<Buffer>): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch((err: NodeJS.ErrnoException) => {
    throw new UsageError(err.code === 'EEXIST' ? `${path} is there already` : `cannot write ${path} (${err.code})`)
  })
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      await file.writeFile(chunk)
      bytes += chunk.length
    }
    await file.sync()
  } catch (err) {
    await rm(path, { force: true })
    throw err
  } finally {
    await file.close()
  }
  return bytes
}
