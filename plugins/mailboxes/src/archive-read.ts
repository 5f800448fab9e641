// The files in an archive or a folder, one after the other, without writing any. Zip is read by its central directory. What
// unpacks to more than its size allows is refused, as is a damaged archive: with a UsageError.
import { createReadStream } from 'node:fs'
import { open, opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UsageError } from '@mox/plugin-sdk'
import { extract } from 'tar-stream'
import yauzl, { type Entry, type ZipFile } from 'yauzl'

/** Files in an archive. */
export const ARCHIVE_ENTRIES = 5_000_000
/** Bytes that an archive unpacks to, in all and for each of its own bytes, beyond ARCHIVE_SLACK. */
export const ARCHIVE_BYTES: number = 256 * 1024 ** 3
export const ARCHIVE_RATIO = 200
export const ARCHIVE_SLACK: number = 16 * 1024 ** 2

export interface ArchiveFile {
  /** As in the archive, with "/"; not checked. */
  readonly path: string
  /** A folder has no content. */
  readonly folder: boolean
  /** To be read before the next file is asked for, or not at all. */
  readonly content: AsyncIterable<Buffer>
}

export type ArchiveKind = 'folder' | 'zip' | 'tgz' | 'tar' | 'mbox'

/** By its first bytes. Throws a UsageError for what is none of them. */
export async function archiveKind(path: string): Promise<ArchiveKind> {
  const found = await stat(path).catch((err: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path} (${err.code})`)
  })
  if (found.isDirectory()) return 'folder'
  const file = await open(path)
  try {
    const start = Buffer.alloc(512)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    if (start.readUInt32BE(0) === 0x504b0304 || start.readUInt32BE(0) === 0x504b0506) return 'zip'
    if (start.readUInt16BE(0) === 0x1f8b) return 'tgz'
    if (start.toString('latin1', 257, 262) === 'ustar') return 'tar'
    if (bytesRead === 0 || start.toString('latin1', 0, 5) === 'From ') return 'mbox'
  } finally {
    await file.close()
  }
  throw new UsageError(`${path} is no zip, tar, gzipped tar or mbox file`)
}

export async function* readArchive(path: string, kind: ArchiveKind): AsyncGenerator<ArchiveFile> {
  if (kind === 'mbox') {
    yield { path: 'Inbox.mbox', folder: false, content: createReadStream(path) }
    return
  }
  if (kind === 'folder') {
    yield* readFolder(path, '')
    return
  }
  const guard = new Guard((await stat(path)).size)
  yield* kind === 'zip' ? readZip(path, guard) : readTar(path, kind, guard)
}

/** Counts what an archive unpacks to. */
export class Guard {
  readonly #limit: number
  #bytes = 0
  #entries = 0

  constructor(archiveBytes: number) {
    this.#limit = Math.min(ARCHIVE_BYTES, ARCHIVE_SLACK + ARCHIVE_RATIO * archiveBytes)
  }

  entry(): void {
    if (++this.#entries > ARCHIVE_ENTRIES) throw new UsageError(`the archive has more than ${ARCHIVE_ENTRIES} files`)
  }

  bytes(count: number): void {
    this.#bytes += count
    if (this.#bytes > this.#limit) throw new UsageError('the archive unpacks to far more than its size; it is refused')
  }

  async *read(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.bytes(chunk.length)
      yield chunk
    }
  }
}

async function* readFolder(root: string, inside: string): AsyncGenerator<ArchiveFile> {
  for await (const entry of await opendir(join(root, inside))) {
    const path = inside === '' ? entry.name : `${inside}/${entry.name}`
    if (entry.isDirectory()) {
      yield { path, folder: true, content: Readable.from([]) }
      yield* readFolder(root, path)
    } else if (entry.isFile()) yield { path, folder: false, content: lazily(() => createReadStream(join(root, path))) }
  }
}

/** A failure of the content is one of the archive. */
async function* sound(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content
  } catch (err) {
    throw damaged(err)
  }
}

async function* lazily(start: () => AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* start()
}

async function* readTar(path: string, kind: 'tar' | 'tgz', guard: Guard): AsyncGenerator<ArchiveFile> {
  const reader = extract()
  const source = createReadStream(path)
  const done = (): void => {}
  // A failure of any part reaches the reader, which is iterated.
  if (kind === 'tgz') pipeline(source, createGunzip(), reader, done)
  else pipeline(source, reader, done)
  try {
    for await (const entry of reader) {
      guard.entry()
      const { name, type, size = 0 } = entry.header
      guard.bytes(size)
      if (type === 'directory') yield { path: name.replace(/\/+$/, ''), folder: true, content: Readable.from([]) }
      else if (type === 'file' || type === 'contiguous-file')
        yield { path: name, folder: false, content: sound(entry as AsyncIterable<Buffer>) }
      entry.resume()
    }
  } catch (err) {
    throw err instanceof UsageError ? err : damaged(err)
  } finally {
    source.destroy()
    reader.destroy()
  }
}

async function* readZip(path: string, guard: Guard): AsyncGenerator<ArchiveFile> {
  const zip = await openZip(path)
  try {
    for (;;) {
      const entry = await nextEntry(zip)
      if (entry === undefined) return
      guard.entry()
      // Names stay bytes: the library would refuse the whole archive for one that is not allowed.
      const name = (entry.fileName as unknown as Buffer).toString()
      if (name.endsWith('/')) yield { path: name.replace(/\/+$/, ''), folder: true, content: Readable.from([]) }
      else yield { path: name, folder: false, content: guard.read(lazily(() => zipContent(zip, entry))) }
    }
  } finally {
    zip.close()
  }
}

async function* zipContent(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const stream = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (err, opened) => (err ? reject(damaged(err)) : resolve(opened)))
  })
  yield* sound(stream)
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, decodeStrings: false, autoClose: false }, (err, zip) =>
      err ? reject(damaged(err)) : resolve(zip),
    )
  })
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const entry = (found: Entry): void => settle(() => resolve(found))
    const end = (): void => settle(() => resolve(undefined))
    const failed = (err: Error): void => settle(() => reject(damaged(err)))
    const settle = (then: () => void): void => {
      zip.off('entry', entry).off('end', end).off('error', failed)
      then()
    }
    zip.on('entry', entry).on('end', end).on('error', failed)
    zip.readEntry()
  })
}

function damaged(err: unknown): UsageError {
  return new UsageError(`the archive is damaged: ${err instanceof Error ? err.message : String(err)}`, { cause: err })
}
