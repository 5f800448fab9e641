// Message bytes: deduplicated by hash, reference counted, removed some time after the last reference is gone.

/** Content that is on its way in. Small content waits in memory, larger goes to a file as it arrives. */
export interface ContentWriter {
  /**
   * Resolves when more may be written; keeps at most the inline limit in memory. The chunk must stay unchanged until the content
   * is kept.
   */
  write(chunk: Buffer): Promise<void>
  /** Ends writing; large content is on stable storage when this resolves. `hash` is the SHA-256 of all that was written. */
  finish(hash: Buffer): Promise<StagedContent>
  /** Forgets what was written. May be called at any time, also after finish(); what a committed unit of work kept stays. */
  abort(): Promise<void>
}

/** Complete content that no row refers to yet. Lost at a crash, which is right: nothing was acknowledged. */
export interface StagedContent {
  readonly hash: Buffer
  readonly size: number
}

/** Bytes of messages by id. */
export interface ContentStore {
  /** Content of at most this many bytes is kept in the database. */
  readonly inlineLimit: number
  writer(): ContentWriter
  /** Reads staged content, before it is kept or aborted; in chunks of at most 64 KiB. May be called several times. */
  openStaged(staged: StagedContent): AsyncIterable<Buffer>
  /** Inside a unit of work: stores staged content, or finds the same bytes, with one reference more. Returns its id. */
  keep(staged: StagedContent): Promise<number>
  /** Inside a unit of work: `count` references more (default 1). */
  retain(id: number, count?: number): Promise<void>
  /** Inside a unit of work: one reference less. */
  release(id: number): Promise<void>
  /** The bytes [start, end) in chunks of at most 64 KiB; all of them by default. Throws when the id is unknown. */
  open(id: number, range?: { readonly start?: number; readonly end?: number }): AsyncIterable<Buffer>
  /** The whole content, at most `limit` bytes of it. */
  read(id: number, limit?: number): Promise<Buffer>
  size(id: number): Promise<number>
  /** Removes content without references and files without rows; returns how many. Runs periodically. */
  collect(): Promise<number>
}
