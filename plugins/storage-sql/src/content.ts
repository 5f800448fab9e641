// The content store: small content is a row, so that one commit makes it durable together with what refers to it; larger
// content is a synced file. Deduplicated by SHA-256, reference counted. All changes are in units of work, which run one after
// another: what is collected can therefore not be found by keep() at the same time.
import type { ContentStore, ContentWriter, StagedContent, Statement } from '@mox/plugin-sdk'
import { compile, places } from './compile.ts'
import { CHUNK, type ContentFiles } from './content-files.ts'
import type { SqlEngine } from './engine.ts'
import type { Ids } from './ids.ts'
import { RecentContent } from './recent-content.ts'
import { CONTENT, CONTENT_DATA } from './schema.ts'
import { Staged, Writer } from './staged.ts'

/** Content of at most this many bytes is a row. */
export const INLINE_LIMIT = 256 * 1024
/** Content removed in one unit of work. */
export const COLLECT_BATCH = 500

/** What other repositories need of the store. */
export type ContentRefs = Pick<ContentStore, 'release'>

interface ContentRow {
  readonly id: number
  readonly hash: Buffer
  readonly size: number
  readonly refs: number
  readonly file: string | null
}

interface StoredContent {
  readonly size: number
  readonly file: string | null
  /** Null where there is a file. */
  readonly bytes: Buffer | null
}

export class SqlContent implements ContentStore {
  readonly inlineLimit = INLINE_LIMIT
  readonly #engine: SqlEngine
  readonly #ids: Ids
  readonly #files: ContentFiles
  readonly #recent = new RecentContent()
  readonly #upsert: Statement<ContentRow, { id: number; file: string | null }>
  readonly #insertData: Statement<{ id: number; bytes: Buffer }, unknown>
  readonly #retain: Statement<{ id: number; count: number }, unknown>
  readonly #release: Statement<{ id: number }, unknown>
  readonly #select: Statement<{ id: number }, { size: number; file: string | null }>
  readonly #data: Statement<{ id: number }, StoredContent>
  readonly #unused: Statement<object, { id: number; file: string | null }>
  readonly #delete: Statement<{ id: number }, unknown>
  readonly #deleteData: Statement<{ id: number }, unknown>

  constructor(engine: SqlEngine, ids: Ids, files: ContentFiles) {
    this.#engine = engine
    this.#ids = ids
    this.#files = files
    this.#upsert = compile(engine, (db, p) =>
      db(CONTENT)
        .insert(places(['id', 'hash', 'size', 'refs', 'file'], p))
        .onConflict('hash')
        .merge({ refs: db.raw('??.refs + 1', [CONTENT]) })
        .returning(['id', 'file']),
    )
    this.#insertData = compile(engine, (db, p) => db(CONTENT_DATA).insert(places(['id', 'bytes'], p)))
    this.#retain = compile(engine, (db, p) =>
      db(CONTENT)
        .where('id', p('id'))
        .update({ refs: db.raw('refs + ?', [p('count')]) }),
    )
    this.#release = compile(engine, (db, p) =>
      db(CONTENT)
        .where('id', p('id'))
        .whereRaw('refs > 0')
        .update({ refs: db.raw('refs - 1') }),
    )
    this.#select = compile(engine, (db, p) => db(CONTENT).select('size', 'file').where('id', p('id')))
    this.#data = compile(engine, (db, p) =>
      db(`${CONTENT} as c`)
        .leftJoin(`${CONTENT_DATA} as d`, 'd.id', 'c.id')
        .select('c.size', 'c.file', 'd.bytes')
        // The cast as in recipient-rows.ts: without it the join is planned anew for each content.
        .whereRaw('c.id = cast(? as bigint)', [p('id')]),
    )
    this.#unused = compile(engine, db =>
      db(CONTENT).select('id', 'file').whereRaw('refs = 0').orderBy('id').limit(COLLECT_BATCH, { skipBinding: true }),
    )
    this.#delete = compile(engine, (db, p) => db(CONTENT).where('id', p('id')).delete())
    this.#deleteData = compile(engine, (db, p) => db(CONTENT_DATA).where('id', p('id')).delete())
  }

  writer(): ContentWriter {
    return new Writer(this.#files, this.inlineLimit)
  }

  async *openStaged(staged: StagedContent): AsyncGenerator<Buffer> {
    const { bytes, file, size } = own(staged)
    if (bytes !== undefined) yield* chunks(bytes)
    else if (file !== undefined) yield* this.#files.read(file, 0, size)
  }

  async keep(content: StagedContent): Promise<number> {
    const staged = own(content)
    const id = await this.#ids.next('content')
    const { hash, size, bytes, file = null } = staged
    const row = await this.#upsert.get({ id, hash, size, refs: 1, file })
    if (row === undefined) throw new Error('content row was not written')
    if (row.id === id && bytes !== undefined) {
      await this.#insertData.run({ id, bytes })
      this.#engine.afterUnit(committed => {
        if (committed) this.#recent.add(id, bytes)
      })
    }
    if (staged.state === 'staged') {
      staged.state = 'keeping'
      this.#engine.afterUnit(committed => staged.ended(committed, row.file === file))
    }
    return row.id
  }

  async retain(id: number, count: number = 1): Promise<void> {
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`content: cannot add ${count} references`)
    const { changes } = await this.#retain.run({ id, count })
    if (changes === 0) throw new Error(`no content ${id}`)
  }

  async release(id: number): Promise<void> {
    const { changes } = await this.#release.run({ id })
    if (changes === 0) throw new Error(`content ${id} has no reference to release`)
  }

  async *open(id: number, range: { readonly start?: number; readonly end?: number } = {}): AsyncGenerator<Buffer> {
    const content = await this.#stored(id)
    const start = Math.max(range.start ?? 0, 0)
    const end = Math.min(range.end ?? content.size, content.size)
    if (content.file !== null) yield* this.#files.read(content.file, start, end)
    else yield* chunks(bytesOf(id, content).subarray(start, Math.max(start, end)))
  }

  async read(id: number, limit: number = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const content = await this.#stored(id)
    const { size, file } = content
    if (file === null) return bytesOf(id, content).subarray(0, Math.min(size, limit))
    const parts: Buffer[] = []
    for await (const chunk of this.#files.read(file, 0, Math.min(size, limit))) parts.push(chunk)
    return Buffer.concat(parts)
  }

  async size(id: number): Promise<number> {
    const row = await this.#select.get({ id })
    if (row === undefined) throw new Error(`no content ${id}`)
    return row.size
  }

  async #stored(id: number): Promise<StoredContent> {
    const bytes = this.#recent.get(id)
    if (bytes !== undefined) return { size: bytes.length, file: null, bytes }
    const row = await this.#data.get({ id })
    if (row === undefined) throw new Error(`no content ${id}`)
    return row
  }

  /** Inside a unit of work one batch; else all, in units of their own. */
  async collect(): Promise<number> {
    if (this.#engine.inUnit()) return await this.#collectBatch()
    for (let total = 0; ; ) {
      const removed = await this.#engine.write(() => this.#collectBatch())
      total += removed
      if (removed < COLLECT_BATCH) return total
    }
  }

  async #collectBatch(): Promise<number> {
    const rows = await this.#unused.all({})
    for (const { id, file } of rows) {
      await this.#delete.run({ id })
      if (file === null) await this.#deleteData.run({ id })
    }
    const files = rows.flatMap(({ file }) => (file === null ? [] : [file]))
    this.#engine.afterUnit(committed => {
      if (!committed) return
      for (const { id } of rows) this.#recent.delete(id)
      for (const file of files) void this.#files.remove(file).catch(() => undefined)
    })
    return rows.length
  }

  /** Removes files that no row has: what a crash left behind. Before anything is written. */
  async sweep(): Promise<number> {
    let removed = 0
    const { db } = this.#engine
    for await (const name of this.#files.names()) {
      const row = await db(CONTENT).select('id').where({ file: name }).first()
      if (row !== undefined) continue
      await this.#files.remove(name)
      removed++
    }
    return removed
  }
}

function bytesOf(id: number, { bytes }: StoredContent): Buffer {
  if (bytes === null) throw new Error(`the bytes of content ${id} are missing`)
  return bytes
}

function own(content: StagedContent): Staged {
  if (!(content instanceof Staged) || content.state === 'gone') throw new Error('content is not staged')
  return content
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}
