// Importing mail: reads an archive file by file and adds messages in batches, each a unit of work of its own. What cannot be
// used is told and left out. A failure, or being stopped, leaves what was added; a second run passes it by.
import type { ImportEvent, ImportOptions, ImportResult } from '@mox/plugin-sdk'
import { type ArchivePath, archivePath, type FolderNames } from './archive-paths.ts'
import { type ArchiveFile, archiveKind, readArchive } from './archive-read.ts'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { restoreAnnotation, restoreMailboxes, tried, wordsOfLetters } from './import-mailboxes.ts'
import {
  type ImportFacts,
  LineEnds,
  maildirFacts,
  readLines,
  type StagedMessage,
  stage,
  takeStatus,
} from './import-message.ts'
import { addImported, WaitingThreads } from './import-store.ts'
import { add } from './mailboxes.ts'
import { annotation, MANIFEST_BYTES, type Manifest, type Metadata, manifest, metadata } from './manifest.ts'
import { readMbox } from './mbox.ts'
import { mailboxName } from './names.ts'
import { operate } from './operation.ts'

/** Messages and bytes of one unit of work. */
export const IMPORT_BATCH = 50
const BATCH_BYTES: number = 4 * 1024 * 1024
/** Problems that are told; more are only counted. */
export const IMPORT_PROBLEMS = 1_000
/** Messages whose metadata is kept until they come. */
const METADATA_KEPT = 500_000
const COUNT_EVERY = 100

export async function importMail(
  context: Context,
  account: string,
  path: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  return await new Importer(context, account, options).run(path)
}

class Importer {
  readonly #context: Context
  readonly #account: string
  readonly #options: ImportOptions
  readonly #waiting = new WaitingThreads()
  readonly #keywords = new Map<string, ReadonlyMap<string, string>>()
  #metadata = new Map<string, Metadata>()
  #manifest: Manifest | undefined
  #names: FolderNames = new Map()
  #quota = 0
  #batch: StagedMessage[] = []
  #batchBytes = 0
  #lettered: { id: number; mailbox: string; letters: string }[] = []
  readonly #counts = new Map<string, number>()
  #added = 0
  #duplicates = 0
  #skipped = 0

  constructor(context: Context, account: string, options: ImportOptions) {
    this.#context = context
    this.#account = account
    this.#options = options
  }

  async run(path: string): Promise<ImportResult> {
    const kind = await archiveKind(path)
    this.#quota = (await this.#context.directory.account(this.#account))?.quota ?? 0
    const only = kind === 'mbox' ? this.#singleMailbox() : undefined
    try {
      // Where files can be read in any order, those about the others come first.
      const twice = kind === 'zip' || kind === 'folder'
      const mail = (what: ArchivePath): boolean => what.kind === 'message' || what.kind === 'mbox'
      if (twice) {
        await this.#files(path, kind, what => what.kind === 'manifest', undefined)
        await this.#files(path, kind, what => what.kind !== 'manifest' && !mail(what), undefined)
      }
      await this.#files(path, kind, what => !twice || mail(what), only)
      await this.#flush()
    } finally {
      for (const message of this.#batch) await message.writer.abort()
    }
    await this.#finish()
    for (const [mailbox, messages] of this.#counts) this.#tell({ kind: 'count', mailbox, messages })
    return { added: this.#added, duplicates: this.#duplicates, skipped: this.#skipped }
  }

  #singleMailbox(): string {
    const checked = mailboxName(this.#options.mailbox ?? 'Inbox')
    if (!checked.ok) throw refuse('name', checked.error)
    return checked.name
  }

  async #files(
    path: string,
    kind: Awaited<ReturnType<typeof archiveKind>>,
    wanted: (what: ArchivePath) => boolean,
    only: string | undefined,
  ): Promise<void> {
    for await (const file of readArchive(path, kind)) {
      this.#options.signal?.throwIfAborted()
      const { prefix = '', below = '' } = this.#options
      const what = archivePath(file.path, file.folder, prefix, below, this.#names)
      if (wanted(what))
        await this.#file(what.kind === 'mbox' && only !== undefined ? { ...what, mailbox: only } : what, file)
    }
  }

  async #file(what: ArchivePath, file: ArchiveFile): Promise<void> {
    switch (what.kind) {
      case 'message':
        return await this.#maildirMessage(what, file)
      case 'mbox':
        return await this.#mbox(what.mailbox, file)
      case 'mailbox':
        return await this.#mailbox(what.mailbox)
      case 'keywords': {
        const text = await this.#text(file)
        const lines = text.split('\n').flatMap(line => /^(\d{1,2}) (\S+)\s*$/.exec(line) ?? [])
        const names = new Map<string, string>()
        for (let i = 0; i + 2 < lines.length; i += 3)
          names.set(String.fromCharCode(97 + Number(lines[i + 1])), lines[i + 2] ?? '')
        this.#keywords.set(what.mailbox, names)
        return
      }
      case 'metadata':
        return await this.#readMetadata(what.mailbox, file)
      case 'manifest': {
        const parsed = manifest.safeParse(json(await this.#text(file)))
        if (parsed.success) {
          this.#names = new Map(
            parsed.data.mailboxes.flatMap(m => (m.folder === undefined ? [] : [[m.folder, m.name]])),
          )
          // It speaks of mailboxes at the top, and of their roles.
          if (this.#options.below === undefined) this.#manifest = parsed.data
        } else this.#problem(`${file.path}: not a manifest of this version, it is not used`)
        return
      }
      case 'annotations':
        return await this.#annotations(file)
      case 'unusable':
        this.#skip(`${file.path.slice(0, 300)}: ${what.reason}`)
    }
  }

  async #maildirMessage(what: ArchivePath & { kind: 'message' }, file: ArchiveFile): Promise<void> {
    const chunks = await readLines(file.content)
    if (chunks === undefined) return this.#skip(`${file.path}: message is too large`)
    const noted = this.#metadata.get(`${what.mailbox}\n${stem(what.file)}`)
    const { receivedAt, flags, letters = '' } = maildirFacts(what.file)
    if (noted !== undefined) {
      const { receivedAt, words } = noted
      await this.#message(chunks, { mailbox: what.mailbox, receivedAt, words, noted })
      return
    }
    const { words, left } = wordsOfLetters(letters, this.#keywords.get(what.mailbox))
    await this.#message(chunks, { mailbox: what.mailbox, receivedAt, flags, words, letters: left })
  }

  async #mbox(mailbox: string, file: ArchiveFile): Promise<void> {
    await this.#mailbox(mailbox)
    let number = 0
    for await (const { chunks, receivedAt } of readMbox(file.content)) {
      this.#options.signal?.throwIfAborted()
      number++
      if (chunks === undefined) this.#skip(`${file.path}: message ${number} is too large`)
      else {
        const ends = new LineEnds()
        const taken = takeStatus(chunks.map(chunk => ends.convert(chunk)))
        await this.#message(taken.chunks, { mailbox, receivedAt, flags: taken.flags, words: taken.words })
      }
    }
    if (number === 0) this.#problem(`${file.path}: no messages`)
  }

  async #message(chunks: readonly Buffer[], facts: ImportFacts): Promise<void> {
    if (chunks.length === 0) return this.#skip(`an empty message of ${facts.mailbox}`)
    const message = await stage(this.#context.storage.content, chunks, facts, this.#context.clock.now())
    this.#batch.push(message)
    this.#batchBytes += message.size
    if (this.#batch.length >= IMPORT_BATCH || this.#batchBytes >= BATCH_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    if (batch.length === 0) return
    const ids = await operate(this.#context, this.#account, async op => {
      const added: (number | undefined)[] = []
      for (const message of batch) added.push(await addImported(op, message, this.#waiting, this.#quota))
      return added
    })
    this.#batch = []
    this.#batchBytes = 0
    for (const [i, id] of ids.entries()) {
      const message = batch[i]
      if (message === undefined) continue
      if (id === undefined) {
        this.#duplicates++
        await message.writer.abort()
        continue
      }
      this.#added++
      const { mailbox, letters = '' } = message
      if (letters !== '') this.#lettered.push({ id, mailbox, letters })
      const count = (this.#counts.get(mailbox) ?? 0) + 1
      this.#counts.set(mailbox, count)
      if (count % COUNT_EVERY === 0) this.#tell({ kind: 'count', mailbox, messages: count })
    }
  }

  async #mailbox(name: string): Promise<void> {
    await operate(this.#context, this.#account, async op => {
      if ((await op.find(name)) === undefined) await add(op, name, [])
    })
  }

  async #readMetadata(mailbox: string, file: ArchiveFile): Promise<void> {
    for (const line of (await this.#text(file)).split('\n')) {
      if (line === '') continue
      const parsed = metadata.safeParse(json(line))
      if (!parsed.success) this.#problem(`${file.path}: a line is not as it should be`)
      else {
        if (this.#metadata.size >= METADATA_KEPT) this.#metadata.clear()
        this.#metadata.set(`${mailbox}\n${stem(parsed.data.file)}`, parsed.data)
      }
    }
  }

  /** Those that are there already stay. */
  async #annotations(file: ArchiveFile): Promise<void> {
    for (const line of (await this.#text(file)).split('\n')) {
      if (line === '') continue
      const parsed = annotation.safeParse(json(line))
      if (!parsed.success) this.#problem(`${file.path}: a line is not as it should be`)
      else
        await tried(
          text => this.#problem(text),
          `annotation ${parsed.data.key}`,
          () => operate(this.#context, this.#account, op => restoreAnnotation(op, parsed.data)),
        )
    }
  }

  async #finish(): Promise<void> {
    await restoreMailboxes(this.#context, this.#account, {
      manifest: this.#manifest,
      lettered: this.#lettered,
      keywords: this.#keywords,
      problem: text => this.#problem(text),
    })
  }

  /** A small file as text; '' with a problem when it is not small. */
  async #text(file: ArchiveFile): Promise<string> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of file.content) {
      bytes += chunk.length
      if (bytes <= MANIFEST_BYTES) chunks.push(chunk)
    }
    if (bytes <= MANIFEST_BYTES) return Buffer.concat(chunks).toString()
    this.#problem(`${file.path}: too large, it is not used`)
    return ''
  }

  #skip(text: string): void {
    this.#skipped++
    this.#problem(text)
  }

  #problems = 0

  #problem(text: string): void {
    if (++this.#problems <= IMPORT_PROBLEMS) this.#tell({ kind: 'problem', text })
  }

  #tell(event: ImportEvent): void {
    this.#options.progress?.(event)
  }
}

/** Name of a file in a Maildir without what changes. */
function stem(file: string): string {
  return file.replace(/[:;!]2,.*$/, '')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
