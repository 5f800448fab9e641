// Exporting mail: an archive that is made while it is read, so that nothing but a message is ever in memory. Maildir keeps
// everything: flags and keywords in the usual places and, for reading it back without loss, in files of metadata and a
// manifest. Messages that cannot be read are left out and listed in errors.txt.
import type { DeliveryRule, ExportOptions, MailboxInfo } from '@mox/plugin-sdk'
import { UsageError } from '@mox/plugin-sdk'
import { ERRORS, folderOf, KEYWORDS, MANIFEST } from './archive-paths.ts'
import { type ArchiveWriter, archiveWriter } from './archive-write.ts'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { flagsOf, splitWords } from './flags.ts'
import type { ExportedAnnotation, Manifest, Metadata } from './manifest.ts'
import { formatFromTime, IMPORT_MESSAGE_BYTES, mboxLines } from './mbox.ts'
import { mailboxName, parentName } from './names.ts'
import { ANNOTATION, type AnnotationRow, MESSAGE, type MessageRow } from './schema.ts'
import { Snapshot, type SnapshotRow } from './snapshot.ts'

/** Messages that cannot be read that are listed. */
const ERROR_LINES = 10_000
/** Characters of a file of annotations, but for its last one. */
const ANNOTATIONS_LENGTH: number = 4 * 1024 * 1024
/** The mailbox that single messages are exported as. */
const SINGLE = 'Export'

/** What an account has beside its messages. */
export interface Exported {
  readonly mailboxes: readonly MailboxInfo[]
  readonly subscriptions: readonly string[]
  readonly rules: readonly DeliveryRule[]
}

export async function* exportMail(
  context: Context,
  account: { readonly id: number; readonly name: string },
  read: () => Promise<Exported>,
  options: ExportOptions,
): AsyncGenerator<Buffer> {
  if (options.archive === 'none' && options.format !== 'mbox')
    throw new UsageError('Maildir goes into a tar, tgz or zip archive')
  const { snapshot, wanted } = await Snapshot.take(context, account, async () => {
    const exported = await read()
    const folders = choose(exported.mailboxes, options)
    return { exported, folders, mailboxes: folders.flatMap(folder => folder.mailboxes), ids: options.ids }
  })
  const { exported, folders } = wanted
  try {
    const exporter = new Exporter(context, snapshot, folders)
    if (options.archive === 'none') {
      for (const folder of folders) yield* exporter.mbox(folder)
      return
    }
    const writer = archiveWriter(options.archive)
    const whole = options.mailbox === undefined && options.ids === undefined
    const work = exporter.all(writer, account.id, exported, { format: options.format, whole }).then(
      () => writer.finish(),
      (err: unknown) => writer.fail(err),
    )
    yield* writer.output
    await work
  } finally {
    snapshot.close()
  }
}

/** What becomes a mailbox of the archive. */
interface Folder {
  readonly name: string
  readonly mailboxes: readonly MailboxInfo[]
}

function choose(
  mailboxes: readonly MailboxInfo[],
  { mailbox, archive, below = archive !== 'none', ids }: ExportOptions,
): readonly Folder[] {
  if (ids !== undefined) return [{ name: SINGLE, mailboxes }]
  if (mailbox === undefined) {
    if (archive === 'none') throw new UsageError('a file that is no archive takes one mailbox; name it')
    return mailboxes.map(m => ({ name: m.name, mailboxes: [m] }))
  }
  const checked = mailboxName(mailbox)
  const name = checked.ok ? checked.name : ''
  const own = mailboxes.filter(m => m.name === name)
  if (own.length === 0) throw refuse('missing', 'no such mailbox')
  const parent = parentName(name)
  const chosen = below ? [...own, ...mailboxes.filter(m => m.name.startsWith(`${name}/`))] : own
  return chosen.map(m => ({ name: parent === '' ? m.name : m.name.slice(parent.length + 1), mailboxes: [m] }))
}

class Exporter {
  readonly #context: Context
  readonly #snapshot: Snapshot
  readonly #folders: readonly Folder[]
  /** Names in the archive by mailbox. */
  readonly #names: ReadonlyMap<number, string>
  /** Each once: a message may be read twice. */
  readonly #errors = new Set<string>()

  constructor(context: Context, snapshot: Snapshot, folders: readonly Folder[]) {
    this.#context = context
    this.#snapshot = snapshot
    this.#folders = folders
    this.#names = new Map(folders.flatMap(({ name, mailboxes }) => mailboxes.map(m => [m.id, name] as const)))
  }

  async all(
    writer: ArchiveWriter,
    account: number,
    { subscriptions, rules }: Exported,
    { format, whole }: { readonly format: 'maildir' | 'mbox'; readonly whole: boolean },
  ): Promise<void> {
    const named = this.#folders.flatMap(({ name, mailboxes: [own, ...others] }) =>
      own === undefined || others.length > 0 ? [] : [{ ...own, name }],
    )
    const manifest: Manifest = {
      version: 1,
      mailboxes: named.map(({ name, specialUse, introbox }) => ({
        ...{ name, specialUse },
        ...(folderOf(name) === name ? {} : { folder: folderOf(name) }),
        ...(introbox ? { introbox } : {}),
      })),
      subscriptions: whole ? subscriptions : named.flatMap(m => (m.subscribed ? [m.name] : [])),
      ...(whole ? { rules } : {}),
    }
    await this.#text(writer, MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#annotations(writer, account, [...(whole ? [{ id: 0, name: '' }] : []), ...named])
    for (const folder of this.#folders) {
      if (format === 'maildir') await this.#maildir(writer, folder)
      else await writer.stream(`${folderOf(folder.name)}.mbox`, this.#context.clock.now(), () => this.mbox(folder))
    }
    if (this.#errors.size > 0) await this.#text(writer, ERRORS, `${[...this.#errors].join('\n')}\n`)
  }

  async #text(writer: ArchiveWriter, path: string, text: string): Promise<void> {
    await writer.file(path, this.#context.clock.now(), [Buffer.from(text)])
  }

  async #annotations(
    writer: ArchiveWriter,
    account: number,
    mailboxes: readonly { readonly id: number; readonly name: string }[],
  ): Promise<void> {
    let text = ''
    let files = 0
    for (const { id, name } of mailboxes) {
      const rows: AnnotationRow[] = await this.#context.storage
        .db<AnnotationRow>(ANNOTATION)
        .where({ account_id: account, mailbox_id: id })
        .orderBy('key')
      for (const row of rows) {
        text += `${JSON.stringify(annotationOf(row, name))}\n`
        if (text.length < ANNOTATIONS_LENGTH) continue
        await this.#text(writer, `mox-annotations.${files++}.jsonl`, text)
        text = ''
      }
    }
    if (text !== '') await this.#text(writer, `mox-annotations.${files}.jsonl`, text)
  }

  async #maildir(writer: ArchiveWriter, folder: Folder): Promise<void> {
    const { name, mailboxes } = folder
    const path = folderOf(name)
    const now = this.#context.clock.now()
    for (const part of ['new', 'cur', 'tmp']) await writer.folder(`${path}/${part}`, now)
    const letters = letterNames([...new Set(mailboxes.flatMap(m => m.keywords))])
    if (letters.size > 0) {
      const lines = [...letters.keys()].map((word, i) => `${i} ${word}\n`)
      await this.#text(writer, `${path}/${KEYWORDS}`, lines.join(''))
    }
    let page = 0
    for await (const rows of this.#rows(folder)) {
      const lines = rows.map(row => JSON.stringify(metadataOf(row, this.#names.get(row.destined_mailbox_id))))
      await this.#text(writer, `${path}/mox-metadata.${page++}.jsonl`, `${lines.join('\n')}\n`)
      for (const row of rows) {
        const chunks = await this.#read(row, name)
        if (chunks === undefined) continue
        const part = row.seen === 1 ? 'cur' : 'new'
        await writer.file(`${path}/${part}/${fileStem(row)}:2,${info(row, letters)}`, row.received_at, chunks)
      }
    }
  }

  async *mbox(folder: Folder): AsyncGenerator<Buffer> {
    for await (const rows of this.#rows(folder))
      for (const row of rows) {
        const chunks = await this.#read(row, folder.name)
        if (chunks === undefined) continue
        yield Buffer.from(mboxHead(row), 'latin1')
        const bytes = mboxLines(Buffer.concat(chunks))
        yield bytes
        yield Buffer.from(bytes.at(-1) === 0x0a ? '\n' : '\n\n')
      }
  }

  async *#rows({ mailboxes }: Folder): AsyncGenerator<SnapshotRow[]> {
    for (const { id } of mailboxes) yield* this.#snapshot.rows(id)
  }

  /** The message with LF; undefined when it cannot be read. */
  async #read({ id, uid }: SnapshotRow, mailbox: string): Promise<Buffer[] | undefined> {
    const { storage, log } = this.#context
    try {
      const row: Pick<MessageRow, 'prefix' | 'content_id'> | undefined = await storage
        .db<MessageRow>(MESSAGE)
        .select('prefix', 'content_id')
        .where({ id })
        .first()
      if (row === undefined || row.content_id === 0) throw new Error('it was removed meanwhile')
      const chunks: Buffer[] = [row.prefix]
      let bytes = row.prefix.length
      for await (const chunk of storage.content.open(row.content_id)) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > IMPORT_MESSAGE_BYTES) throw new Error(`it has more than ${IMPORT_MESSAGE_BYTES} bytes`)
      }
      return withLf(chunks)
    } catch (err) {
      log.error({ err, id }, 'message cannot be exported')
      const why = err instanceof Error ? err.message : String(err)
      if (this.#errors.size < ERROR_LINES) this.#errors.add(`${mailbox}: message ${id} (uid ${uid}): ${why}`)
      return undefined
    }
  }
}

function annotationOf({ key, value, is_string: text }: AnnotationRow, mailbox: string): ExportedAnnotation {
  const binary = text === 0
  return { mailbox, key, value: value.toString(binary ? 'base64' : 'utf8'), binary }
}

/** CRLF over chunks becomes LF; a CR at the end of one waits for the next. */
function withLf(chunks: readonly Buffer[]): Buffer[] {
  const out: Buffer[] = []
  let cr = false
  for (const chunk of chunks) {
    if (chunk.length === 0) continue
    const text: string = `${cr ? '\r' : ''}${chunk.toString('latin1')}`
    cr = text.endsWith('\r')
    out.push(Buffer.from((cr ? text.slice(0, -1) : text).replace(/\r\n/g, '\n'), 'latin1'))
  }
  if (cr) out.push(Buffer.from('\r'))
  return out
}

/** Names of a keyword file, which has a letter each. */
function letterNames(keywords: readonly string[]): Map<string, string> {
  const names = ['$Forwarded', '$Junk', '$NotJunk', '$Phishing', '$MDNSent', ...keywords].slice(0, 26)
  return new Map(names.map((name, i) => [name, String.fromCharCode(97 + i)]))
}

function fileStem(row: Pick<MessageRow, 'id' | 'received_at'>): string {
  return `${Math.max(0, Math.floor(row.received_at / 1_000))}.${row.id}.mox`
}

function info(row: SnapshotRow, letters: ReadonlyMap<string, string>): string {
  const flags = flagsOf(row)
  const own = [
    ...[flags.draft && 'D', flags.flagged && 'F', flags.answered && 'R', flags.seen && 'S', flags.deleted && 'T'],
  ].filter(letter => letter !== false)
  const words = wordsOf(row).flatMap(word => letters.get(word) ?? [])
  return `${own.join('')}${words.sort().join('')}`
}

/** Every flag and keyword as IMAP writes it. */
function wordsOf(row: SnapshotRow): string[] {
  const flags = flagsOf(row)
  const words = [
    ...[flags.seen && '\\Seen', flags.answered && '\\Answered', flags.flagged && '\\Flagged'],
    ...[flags.deleted && '\\Deleted', flags.draft && '\\Draft', flags.forwarded && '$Forwarded'],
    ...[flags.junk && '$Junk', flags.notjunk && '$NotJunk', flags.phishing && '$Phishing'],
    flags.mdnSent && '$MDNSent',
  ]
  return [...words.filter(word => word !== false), ...splitWords(row.keywords)]
}

function metadataOf(row: SnapshotRow, destined: string | undefined): Metadata {
  return {
    file: fileStem(row),
    receivedAt: row.received_at,
    words: wordsOf(row),
    muted: row.thread_muted === 1,
    collapsed: row.thread_collapsed === 1,
    ...{ mailFrom: row.mail_from, rcptTo: row.rcpt_to },
    ...(row.from_verified === 1 ? { verified: true } : {}),
    ...(row.is_forward === 1 ? { forward: true } : {}),
    ...(row.is_reject === 1 ? { reject: true } : {}),
    ...(destined === undefined ? {} : { destined }),
  }
}

/** The "From " line, and fields for what mbox readers know of flags. */
function mboxHead(row: SnapshotRow): string {
  const flags = flagsOf(row)
  const status = [flags.answered && 'A', flags.flagged && 'F', flags.draft && 'T', flags.deleted && 'D']
  const letters = status.filter(letter => letter !== false).join('')
  const words = wordsOf(row).filter(word => !word.startsWith('\\'))
  const spaced = words.filter(word => !word.endsWith(','))
  const sender = /^[\x21-\x7e]+$/.test(row.mail_from) ? row.mail_from : 'MAILER-DAEMON'
  return [
    `From ${sender} ${formatFromTime(row.received_at)}\n`,
    `Status: ${flags.seen ? 'RO' : 'O'}\n`,
    ...(letters === '' ? [] : [`X-Status: ${letters}\n`]),
    // A comma at the end of a word would be taken for what stands between two; at the end of a field it is not.
    ...(spaced.length === 0 ? [] : [`X-Keywords: ${spaced.join(' ')}\n`]),
    ...words.flatMap(word => (word.endsWith(',') ? [`X-Keywords: ${word}\n`] : [])),
  ].join('')
}
