// Content on its way in: in memory up to the limit, then in a file as it arrives. What was not kept in the end is forgotten
// by abort(), and after a crash by the next start.
import type { ContentWriter, StagedContent } from '@mox/plugin-sdk'
import type { ContentFiles, OpenFile } from './content-files.ts'

const TAKEN = Promise.resolve()

/**
 * - `staged`: nothing refers to it.
 * - `keeping`: a unit of work that refers to it has not ended.
 * - `kept`: a row has it.
 * - `gone`: forgotten.
 */
type State = 'staged' | 'keeping' | 'kept' | 'gone'

/** Either bytes or the name of a file. */
export class Staged implements StagedContent {
  readonly hash: Buffer
  readonly size: number
  readonly bytes: Buffer | undefined
  readonly file: string | undefined
  state: State = 'staged'
  #unwanted = false
  readonly #files: ContentFiles

  constructor(files: ContentFiles, hash: Buffer, size: number, bytes: Buffer | undefined, file: string | undefined) {
    this.#files = files
    this.hash = hash
    this.size = size
    this.bytes = bytes
    this.file = file
  }

  /** A unit of work that used it has ended; `ours`: the row that it made has our file. */
  ended(committed: boolean, ours: boolean): void {
    if (this.state !== 'keeping') return
    this.state = committed && (ours || this.file === undefined) ? 'kept' : 'staged'
    if (this.state === 'kept' && this.file !== undefined) this.#files.settled(this.file)
    // The same bytes were there already, or nobody wants them any more.
    if (this.state === 'staged' && (committed || this.#unwanted)) void this.forget()
  }

  async forget(): Promise<void> {
    if (this.state === 'keeping') this.#unwanted = true
    if (this.state !== 'staged') return
    this.state = 'gone'
    if (this.file !== undefined) await this.#files.remove(this.file).catch(() => undefined)
  }
}

export class Writer implements ContentWriter {
  readonly #files: ContentFiles
  readonly #limit: number
  #parts: Buffer[] = []
  #size = 0
  #file: OpenFile | undefined
  /** Writes to the file, one after another. */
  #writing: Promise<void> = TAKEN
  #staged: Staged | undefined
  #ended = false

  constructor(files: ContentFiles, limit: number) {
    this.#files = files
    this.#limit = limit
  }

  write(chunk: Buffer): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('content was ended or aborted'))
    this.#size += chunk.length
    this.#parts.push(chunk)
    if (this.#size <= this.#limit) return TAKEN
    this.#writing = this.#writing.then(() => this.#flush())
    return this.#writing
  }

  async #flush(): Promise<void> {
    const parts = this.#parts
    this.#parts = []
    if (parts.length === 0) return
    this.#file ??= await this.#files.create()
    await this.#files.append(this.#file, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts))
  }

  async finish(hash: Buffer): Promise<StagedContent> {
    if (this.#ended) throw new Error('content was ended or aborted')
    this.#ended = true
    await this.#writing
    if (this.#file === undefined) {
      const [first] = this.#parts
      const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
      this.#staged = new Staged(this.#files, hash, this.#size, bytes, undefined)
    } else {
      await this.#files.finish(this.#file)
      this.#staged = new Staged(this.#files, hash, this.#size, undefined, this.#file.name)
    }
    this.#parts = []
    return this.#staged
  }

  async abort(): Promise<void> {
    this.#ended = true
    this.#parts = []
    await this.#writing.catch(() => undefined)
    if (this.#staged !== undefined) await this.#staged.forget()
    else if (this.#file !== undefined) await this.#files.discard(this.#file)
  }
}
