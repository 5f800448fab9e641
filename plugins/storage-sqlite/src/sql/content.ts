// Message bytes, once per SHA-256: small ones as rows, larger ones in files that are on stable storage before a row refers to
// them. A file without a row is a leftover of a crash or of an aborted message, and is removed at the next start.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentStore, ContentWriter, StagedContent } from '@mox/plugin-sdk'
import { fileError } from '@mox/plugin-storage-sql'
import { type Ids, makeStatement, mustBeInUnit, type Row, type SqlEngine } from './base.ts'

/** Bytes of content that is kept in the database. */
export const INLINE_LIMIT: number = 256 * 1024
const CHUNK = 65_536
/** Contents removed in one unit of work. */
const COLLECT_BATCH = 200

interface Staged extends StagedContent {
  readonly bytes: Buffer | undefined
  readonly file: string | undefined
}

export interface SqlContent extends ContentStore {
  /** Removes files that no row refers to. At start only: nothing is being written then. */
  sweep(): Promise<void>
  verify(): Promise<string[]>
}

export function contentStore(engine: SqlEngine, ids: Ids, dir: string): SqlContent {
  const find = makeStatement<{ hash: Buffer }, { id: number }>(engine, (db, p) =>
    db('mox_content').where('hash', p('hash')).select('id'),
  )
  const insert = makeStatement<object, never>(engine, (db, p) =>
    db('mox_content').insert({ id: p('id'), hash: p('hash'), size: p('size'), refs: 1, file: p('file') }),
  )
  const insertBytes = makeStatement<object, never>(engine, (db, p) =>
    db('mox_content_bytes').insert({ id: p('id'), bytes: p('bytes') }),
  )
  const count = makeStatement<{ id: number; by: number }, never>(engine, (db, p) =>
    db('mox_content')
      .where('id', p('id'))
      .update({ refs: db.raw('refs + ?', [p('by')]) }),
  )
  const head = makeStatement<{ id: number }, { size: number; file: string | null }>(engine, (db, p) =>
    db('mox_content').where('id', p('id')).select('size', 'file'),
  )
  const bytesOf = makeStatement<{ id: number }, { bytes: Buffer }>(engine, (db, p) =>
    db('mox_content_bytes').where('id', p('id')).select('bytes'),
  )
  const path = (file: string): string => join(dir, file.slice(0, 2), file)

  const known = async (id: number): Promise<{ size: number; file: string | null }> => {
    const row = await head.get({ id })
    if (row === undefined) throw new Error(`no content ${id}`)
    return row
  }
  const change = async (id: number, by: number): Promise<void> => {
    const { changes } = await count.run({ id, by })
    if (changes === 0) throw new Error(`no content ${id}`)
  }

  async function* chunks(bytes: Buffer): AsyncIterable<Buffer> {
    for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
  }

  async function* openContent(
    id: number,
    range: { readonly start?: number; readonly end?: number } = {},
  ): AsyncIterable<Buffer> {
    const { size, file } = await known(id)
    const start = Math.max(0, range.start ?? 0)
    const end = Math.min(size, range.end ?? size)
    if (start >= end) return
    if (file === null) yield* chunks((await bytesOf.get({ id }))!.bytes.subarray(start, end))
    else yield* createReadStream(path(file), { start, end: end - 1, highWaterMark: CHUNK }) as AsyncIterable<Buffer>
  }

  return {
    inlineLimit: INLINE_LIMIT,
    writer: () => new Writer(path),
    openStaged: async function* (staged) {
      const { bytes, file } = staged as Staged
      if (bytes !== undefined) yield* chunks(bytes)
      else if (file !== undefined)
        yield* createReadStream(path(file), { highWaterMark: CHUNK }) as AsyncIterable<Buffer>
    },
    keep: async staged => {
      mustBeInUnit(engine, 'content.keep')
      const { hash, size, bytes, file } = staged as Staged
      const same = await find.get({ hash })
      if (same !== undefined) {
        await change(same.id, 1)
        if (file !== undefined) engine.afterUnit(() => void rm(path(file), { force: true }))
        return same.id
      }
      const id = await ids.content()
      await insert.run({ id, hash, size, file })
      if (bytes !== undefined) await insertBytes.run({ id, bytes })
      else if (file !== undefined) engine.afterUnit(committed => void (committed || rm(path(file), { force: true })))
      return id
    },
    retain: async (id, n = 1) => {
      mustBeInUnit(engine, 'content.retain')
      await change(id, n)
    },
    release: async id => {
      mustBeInUnit(engine, 'content.release')
      await change(id, -1)
    },
    open: openContent,
    read: async (id, limit) => {
      const parts: Buffer[] = []
      for await (const chunk of openContent(id, limit === undefined ? {} : { end: limit })) parts.push(chunk)
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    },
    size: async id => (await known(id)).size,
    collect: async () => {
      let removed = 0
      for (;;) {
        const files: string[] = []
        const n = await engine.write(async db => {
          const rows = (await db('mox_content').whereRaw('refs = 0').limit(COLLECT_BATCH).select('id', 'file')) as {
            id: number
            file: string | null
          }[]
          if (rows.length === 0) return 0
          const gone = rows.map(r => r.id)
          await db('mox_content').whereIn('id', gone).delete()
          await db('mox_content_bytes').whereIn('id', gone).delete()
          for (const { file } of rows) if (file !== null) files.push(file)
          return rows.length
        })
        for (const file of files) await rm(path(file), { force: true })
        removed += n
        if (n < COLLECT_BATCH) return removed
      }
    },
    sweep: async () => {
      await mkdir(dir, { recursive: true, mode: 0o750 })
      const rows = (await engine.db('mox_content').whereNotNull('file').select('file')) as { file: string }[]
      const wanted = new Set(rows.map(r => r.file))
      for (const folder of await readdir(dir))
        for (const file of await readdir(join(dir, folder)))
          if (!wanted.has(file)) await rm(join(dir, folder, file), { force: true })
    },
    verify: async () => {
      const problems: string[] = []
      const rows = (await engine.db('mox_content').whereNotNull('file').select('id', 'size', 'file')) as {
        id: number
        size: number
        file: string
      }[]
      for (const { id, size, file } of rows) {
        const found = await stat(path(file)).catch(() => undefined)
        if (found === undefined) problems.push(`content ${id}: its file ${path(file)} is missing`)
        else if (found.size !== size)
          problems.push(`content ${id}: its file has ${found.size} bytes instead of ${size}`)
      }
      const bare = (await engine
        .db('mox_content as c')
        .whereNull('c.file')
        .whereNotExists(engine.db('mox_content_bytes as b').whereRaw('b.id = c.id').select('b.id'))
        .limit(20)
        .select('c.id')) as Row[]
      for (const row of bare) problems.push(`content ${row['id']}: its bytes are missing`)
      const negative = (await engine.db('mox_content').where('refs', '<', 0).limit(20).select('id')) as Row[]
      for (const row of negative) problems.push(`content ${row['id']}: fewer than no references`)
      return problems
    },
  }
}

class Writer implements ContentWriter {
  readonly #path: (file: string) => string
  #parts: Buffer[] = []
  #size = 0
  #file: { readonly name: string; readonly handle: FileHandle } | undefined
  #staged = false

  constructor(path: (file: string) => string) {
    this.#path = path
  }

  async write(chunk: Buffer): Promise<void> {
    this.#size += chunk.length
    if (this.#file === undefined) {
      this.#parts.push(chunk)
      if (this.#size > INLINE_LIMIT) await this.#spill()
    } else await this.#append(chunk)
  }

  async #spill(): Promise<void> {
    const name = randomBytes(16).toString('hex')
    try {
      await mkdir(join(this.#path(name), '..'), { recursive: true, mode: 0o750 })
      this.#file = { name, handle: await open(this.#path(name), 'wx', 0o640) }
    } catch (error) {
      throw fileError(error)
    }
    const parts = this.#parts
    this.#parts = []
    await this.#append(Buffer.concat(parts))
  }

  async #append(chunk: Buffer): Promise<void> {
    try {
      await this.#file?.handle.writev([chunk])
    } catch (error) {
      throw fileError(error)
    }
  }

  async finish(hash: Buffer): Promise<StagedContent> {
    this.#staged = true
    if (this.#file === undefined) {
      const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
      const staged: Staged = { hash, size: bytes.length, bytes, file: undefined }
      return staged
    }
    const { name, handle } = this.#file
    try {
      await handle.sync()
      await handle.close()
      await syncDirectory(join(this.#path(name), '..'))
    } catch (error) {
      throw fileError(error)
    }
    const staged: Staged = { hash, size: this.#size, bytes: undefined, file: name }
    return staged
  }

  async abort(): Promise<void> {
    this.#parts = []
    if (this.#file === undefined) return
    if (!this.#staged) await this.#file.handle.close().catch(() => undefined)
    await rm(this.#path(this.#file.name), { force: true })
  }
}

/** Makes a new name in a directory durable, where the system has such a thing. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined)
  if (handle === undefined) return
  try {
    await handle.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL' && process.platform !== 'win32') throw error
  } finally {
    await handle.close()
  }
}
