// Exporting mail: an archive that is made while it is read, so that nothing but a message is ever in memory. Maildir keeps
// everything: flags and keywords in the usual places and, for reading it back without loss, in files of metadata and a
// manifest. Messages that cannot be read are left out and listed in errors.txt.
import type { ExportOptions, MailboxInfo, SpecialUse } from '@mox/plugin-sdk'
import { UsageError } from '@mox/plugin-sdk'
import { ERRORS, KEYWORDS, MANIFEST } from './archive-paths.ts'
import { type ArchiveWriter, archiveWriter } from './archive-write.ts'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { chunks } from './expunge.ts'
import { flagsOf, splitWords } from './flags.ts'
import { type Manifest, METADATA_LINES, type Metadata } from './manifest.ts'
import { formatFromTime, IMPORT_MESSAGE_BYTES, mboxLines } from './mbox.ts'
import { mailboxName } from './names.ts'
import { MESSAGE, type MessageRow } from './schema.ts'

/** Messages that cannot be read that are listed. */
const ERROR_LINES = 10_000

export async function* exportMail(
  context: Context,
  account: number,
  mailboxes: readonly MailboxInfo[],
  subscriptions: readonly string[],
  options: ExportOptions,
): AsyncGenerator<Buffer> {
  const chosen =
    options.ids === undefined ? choose(context, mailboxes, options) : [listedMessages(context, account, options.ids)]
  if (options.format === 'mbox' && options.archive === 'none') {
    const exporter = new Exporter(context)
    for (const source of chosen) yield* exporter.mbox(source)
    return
  }
  if (options.archive === 'none' || (options.format === 'mbox' && options.archive !== 'zip'))
    throw new UsageError(
      'mbox goes into a zip archive, or as one mailbox into a file of its own; Maildir into tar, tgz or zip',
    )
  const writer = archiveWriter(options.archive)
  const exporter = new Exporter(context)
  const work = exporter.all(writer, chosen, subscriptions, options.format).then(
    () => writer.finish(),
    (err: unknown) => writer.fail(err),
  )
  yield* writer.output
  await work
}

/** Messages that become one mailbox of the archive. */
interface Source extends Pick<MailboxInfo, 'name' | 'specialUse' | 'keywords'> {
  /** At most METADATA_LINES at a time. */
  pages(): AsyncIterable<MessageRow[]>
}

function choose(context: Context, mailboxes: readonly MailboxInfo[], options: ExportOptions): readonly Source[] {
  return chosenMailboxes(mailboxes, options).map(({ id, name, specialUse, keywords }) => ({
    ...{ name, specialUse, keywords },
    pages: () => mailboxPages(context, id),
  }))
}

/** What the archive calls the messages that were chosen one by one. */
const LISTED = 'Export'

function listedMessages(context: Context, account: number, ids: readonly number[]): Source {
  const wanted = [...new Set(ids)].sort((a, b) => a - b)
  async function* pages(): AsyncGenerator<MessageRow[]> {
    for (const part of chunks(wanted)) {
      const rows: MessageRow[] = await context.storage
        .db<MessageRow>(MESSAGE)
        .where({ account_id: account, expunged_at: 0 })
        .whereIn('id', part)
        .orderBy('id')
      if (rows.length > 0) yield rows
    }
  }
  return { name: LISTED, specialUse: [], keywords: [], pages }
}

async function* mailboxPages(context: Context, mailboxId: number): AsyncGenerator<MessageRow[]> {
  const { storage } = context
  for (let after = 0; ; ) {
    const query = storage
      .db<MessageRow>(MESSAGE)
      .where({ mailbox_id: mailboxId, expunged_at: 0 })
      .where('uid', '>', after)
      .orderBy('uid')
      .limit(METADATA_LINES)
    const rows = await storage.offload<MessageRow>(query)
    if (rows.length > 0) yield rows
    if (rows.length < METADATA_LINES) return
    after = rows.at(-1)?.uid ?? 0
  }
}

function chosenMailboxes(
  mailboxes: readonly MailboxInfo[],
  { mailbox, archive, below = true }: ExportOptions,
): readonly MailboxInfo[] {
  if (mailbox === undefined) {
    if (archive === 'none') throw new UsageError('a file that is no archive takes one mailbox; name it')
    return mailboxes
  }
  const checked = mailboxName(mailbox)
  const name = checked.ok ? checked.name : ''
  const own = mailboxes.filter(m => m.name === name)
  if (own.length === 0) throw refuse('missing', 'no such mailbox')
  return archive === 'none' || !below ? own : [...own, ...mailboxes.filter(m => m.name.startsWith(`${name}/`))]
}

class Exporter {
  readonly #context: Context
  readonly #errors: string[] = []

  constructor(context: Context) {
    this.#context = context
  }

  async all(
    writer: ArchiveWriter,
    mailboxes: readonly Source[],
    subscriptions: readonly string[],
    format: 'maildir' | 'mbox',
  ): Promise<void> {
    const roles = (m: Source): readonly SpecialUse[] => m.specialUse
    const manifest: Manifest = {
      version: 1,
      mailboxes: mailboxes.map(m => ({ name: m.name, specialUse: roles(m) })),
      subscriptions,
    }
    await writer.file(MANIFEST, this.#context.clock.now(), [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)])
    for (const mailbox of mailboxes) {
      if (format === 'maildir') await this.#maildir(writer, mailbox)
      else await writer.stream(`${mailbox.name}.mbox`, this.#context.clock.now(), this.mbox(mailbox))
    }
    if (this.#errors.length > 0)
      await writer.file(ERRORS, this.#context.clock.now(), [Buffer.from(`${this.#errors.join('\n')}\n`)])
  }

  async #maildir(writer: ArchiveWriter, mailbox: Source): Promise<void> {
    const { name } = mailbox
    for (const folder of ['new', 'cur', 'tmp']) await writer.folder(`${name}/${folder}`, this.#context.clock.now())
    const letters = letterNames(mailbox.keywords)
    if (letters.size > 0) {
      const lines = [...letters.keys()].map((word, i) => `${i} ${word}\n`)
      await writer.file(`${name}/${KEYWORDS}`, this.#context.clock.now(), [Buffer.from(lines.join(''))])
    }
    let page = 0
    for await (const rows of mailbox.pages()) {
      const lines = rows.map(row => JSON.stringify(metadataOf(row)))
      const file = `${name}/mox-metadata.${page++}.jsonl`
      await writer.file(file, this.#context.clock.now(), [Buffer.from(`${lines.join('\n')}\n`)])
      for (const row of rows) {
        const chunks = await this.#read(row, name)
        if (chunks === undefined) continue
        const folder = row.seen === 1 ? 'cur' : 'new'
        await writer.file(`${name}/${folder}/${fileStem(row)}:2,${info(row, letters)}`, row.received_at, chunks)
      }
    }
  }

  async *mbox(mailbox: Source): AsyncGenerator<Buffer> {
    for await (const rows of mailbox.pages())
      for (const row of rows) {
        const chunks = await this.#read(row, mailbox.name)
        if (chunks === undefined) continue
        yield Buffer.from(mboxHead(row), 'latin1')
        const bytes = mboxLines(Buffer.concat(chunks))
        yield bytes
        yield Buffer.from(bytes.at(-1) === 0x0a ? '\n' : '\n\n')
      }
  }

  /** The message with LF; undefined when it cannot be read. */
  async #read(row: MessageRow, mailbox: string): Promise<Buffer[] | undefined> {
    const chunks: Buffer[] = [row.prefix]
    try {
      let bytes = row.prefix.length
      for await (const chunk of this.#context.storage.content.open(row.content_id)) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > IMPORT_MESSAGE_BYTES) throw new Error(`it has more than ${IMPORT_MESSAGE_BYTES} bytes`)
      }
      return withLf(chunks)
    } catch (err) {
      this.#context.log.error({ err, id: row.id }, 'message cannot be exported')
      const why = err instanceof Error ? err.message : String(err)
      if (this.#errors.length < ERROR_LINES) this.#errors.push(`${mailbox}: message ${row.id} (uid ${row.uid}): ${why}`)
      return undefined
    }
  }
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

function info(row: MessageRow, letters: ReadonlyMap<string, string>): string {
  const flags = flagsOf(row)
  const own = [
    ...[flags.draft && 'D', flags.flagged && 'F', flags.answered && 'R', flags.seen && 'S', flags.deleted && 'T'],
  ].filter(letter => letter !== false)
  const words = wordsOf(row).flatMap(word => letters.get(word) ?? [])
  return `${own.join('')}${words.sort().join('')}`
}

/** Every flag and keyword as IMAP writes it. */
function wordsOf(row: MessageRow): string[] {
  const flags = flagsOf(row)
  const words = [
    ...[flags.seen && '\\Seen', flags.answered && '\\Answered', flags.flagged && '\\Flagged'],
    ...[flags.deleted && '\\Deleted', flags.draft && '\\Draft', flags.forwarded && '$Forwarded'],
    ...[flags.junk && '$Junk', flags.notjunk && '$NotJunk', flags.phishing && '$Phishing'],
    flags.mdnSent && '$MDNSent',
  ]
  return [...words.filter(word => word !== false), ...splitWords(row.keywords)]
}

function metadataOf(row: MessageRow): Metadata {
  return {
    file: fileStem(row),
    receivedAt: row.received_at,
    words: wordsOf(row),
    muted: row.thread_muted === 1,
    collapsed: row.thread_collapsed === 1,
  }
}

/** The "From " line, and fields for what mbox readers know of flags. */
function mboxHead(row: MessageRow): string {
  const flags = flagsOf(row)
  const status = [flags.answered && 'A', flags.flagged && 'F', flags.draft && 'T', flags.deleted && 'D']
  const letters = status.filter(letter => letter !== false).join('')
  const words = wordsOf(row).filter(word => !word.startsWith('\\'))
  const sender = /^[\x21-\x7e]+$/.test(row.mail_from) ? row.mail_from : 'MAILER-DAEMON'
  return [
    `From ${sender} ${formatFromTime(row.received_at)}\n`,
    `Status: ${flags.seen ? 'RO' : 'O'}\n`,
    ...(letters === '' ? [] : [`X-Status: ${letters}\n`]),
    ...(words.length === 0 ? [] : [`X-Keywords: ${words.join(' ')}\n`]),
  ].join('')
}
