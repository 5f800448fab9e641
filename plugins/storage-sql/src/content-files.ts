// Files of large content. A file is named once, at random, written, synced and closed before anything refers to it; it is
// never renamed, and never removed while somebody reads it. A full disk is a MailError 452.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileError } from './errors.ts'

/** Bytes of one chunk of content that is read. */
export const CHUNK = 64 * 1024

/** A file that is being written. */
export interface OpenFile {
  /** Below the content directory, with `/`. */
  readonly name: string
  readonly handle: FileHandle
}

export class ContentFiles {
  readonly #dir: string
  readonly #syncFailed: (error: unknown) => void
  /** Directories that are there and on stable storage. */
  readonly #made = new Set<string>()
  readonly #readers = new Map<string, number>()
  /** Being written, or written and not yet kept. */
  readonly #open = new Set<string>()
  /** To be removed when their last reader is done. */
  readonly #doomed = new Set<string>()

  constructor(dir: string, syncFailed: (error: unknown) => void) {
    this.#dir = dir
    this.#syncFailed = syncFailed
  }

  async create(): Promise<OpenFile> {
    const id = randomBytes(16).toString('hex')
    const shard = id.slice(0, 2)
    try {
      await this.#makeDir(shard)
      const name = `${shard}/${id}`
      this.#open.add(name)
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
      return { name, handle: await open(this.#path(name), flags, 0o600) }
    } catch (error) {
      throw fileError(error)
    }
  }

  async #makeDir(shard: string): Promise<void> {
    if (this.#made.has(shard)) return
    await mkdir(join(this.#dir, shard), { recursive: true, mode: 0o700 })
    await this.#syncDir(this.#dir)
    await this.#syncDir(dirname(this.#dir))
    this.#made.add(shard)
  }

  /** Written, but no row is known to have it yet. */
  isOpen(name: string): boolean {
    return this.#open.has(name)
  }

  /** A row has the file. */
  settled(name: string): void {
    this.#open.delete(name)
  }

  async append({ handle }: OpenFile, bytes: Buffer): Promise<void> {
    try {
      await handle.writeFile(bytes)
    } catch (error) {
      throw fileError(error)
    }
  }

  /** Ends writing: the file and its name are on stable storage when this resolves. */
  async finish({ name, handle }: OpenFile): Promise<void> {
    try {
      await handle.sync()
      await handle.close()
      await this.#syncDir(dirname(this.#path(name)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EIO') this.#syncFailed(error)
      throw fileError(error)
    }
  }

  /** Closes and removes a file that is not wanted. */
  async discard({ name, handle }: OpenFile): Promise<void> {
    await handle.close().catch(() => undefined)
    await this.remove(name)
  }

  async remove(name: string): Promise<void> {
    this.#open.delete(name)
    if (this.#readers.has(name)) this.#doomed.add(name)
    else await rm(this.#path(name), { force: true })
  }

  /** The bytes [start, end). */
  async *read(name: string, start: number, end: number): AsyncGenerator<Buffer> {
    this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
    try {
      await using handle = await open(this.#path(name), 'r')
      for (let at = start; at < end; ) {
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - at))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) throw new Error(`content file ${name} is shorter than it should be`)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      const left = (this.#readers.get(name) ?? 1) - 1
      if (left > 0) this.#readers.set(name, left)
      else {
        this.#readers.delete(name)
        if (this.#doomed.delete(name)) await this.remove(name)
      }
    }
  }

  /** Undefined when it is not there. */
  async size(name: string): Promise<number | undefined> {
    return await stat(this.#path(name)).then(
      found => found.size,
      () => undefined,
    )
  }

  /** Names of all files. */
  async *names(): AsyncGenerator<string> {
    for (const shard of await list(this.#dir)) {
      for (const name of await list(join(this.#dir, shard))) yield `${shard}/${name}`
    }
  }

  #path(name: string): string {
    return join(this.#dir, ...name.split('/'))
  }

  /** Windows has no way to do this, and needs none. */
  async #syncDir(path: string): Promise<void> {
    if (process.platform === 'win32') return
    await using handle = await open(path, 'r')
    await handle.sync()
  }
}

async function list(path: string): Promise<string[]> {
  return await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}
