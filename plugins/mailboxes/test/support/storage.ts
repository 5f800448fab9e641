// The part of storage@1 that the message store uses, on SQLite in memory through the same driver as the real backend: units of
// work with savepoints, prepared statements, reference-counted content. It counts the prepared statements that run.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ContentStore, Migration, Placeholder, StagedContent, Statement, Storage } from '@mox/plugin-sdk'
import type { Database, Statement as Prepared } from 'better-sqlite3'
import knexModule, { type Knex } from 'knex'

const { knex } = knexModule
const CONTENT = 'content'
const PLACEHOLDER = '\0placeholder:'

interface Unit {
  readonly db: Knex
  readonly after: (() => void)[]
}

export interface TestStorage {
  readonly storage: Storage
  /** Prepared statements run so far. */
  statements(): number
  /** References of a content. */
  references(contentId: number): Promise<number>
  close(): Promise<void>
}

export async function openStorage(): Promise<TestStorage> {
  const connection = { filename: ':memory:' }
  const root = knex({ client: 'better-sqlite3', connection, useNullAsDefault: true, pool: { min: 1, max: 1 } })
  const driver: Database = await root.client.acquireConnection()
  await root.client.releaseConnection(driver)
  await root.schema.createTable(CONTENT, table => {
    table.increments('id')
    table.binary('bytes').notNullable()
    table.integer('refs').notNullable()
  })
  const units = new AsyncLocalStorage<Unit>()
  const db = (): Knex => units.getStore()?.db ?? root
  let last: Promise<unknown> = Promise.resolve()
  let ran = 0

  async function unit<T>(parent: Knex, after: (() => void)[], work: (db: Knex) => Promise<T>): Promise<T> {
    const own: (() => void)[] = []
    const result = await parent.transaction(trx => units.run({ db: trx, after: own }, () => work(trx)))
    after.push(...own)
    return result
  }

  function write<T>(work: (db: Knex) => Promise<T>): Promise<T> {
    const outer = units.getStore()
    if (outer !== undefined) return unit(outer.db, outer.after, work)
    const result = last.then(async () => {
      const after: (() => void)[] = []
      const done = await unit(root, after, work)
      for (const run of after) run()
      return done
    })
    last = result.catch(() => {})
    return result
  }

  function statement<P extends object, R>(build: (db: Knex, p: Placeholder) => Knex.QueryBuilder): Statement<P, R> {
    let made: { readonly prepared: Prepared; readonly bindings: readonly unknown[] } | undefined
    const prepare = (values: P) => {
      if (made === undefined) {
        const { sql, bindings } = build(root, name => PLACEHOLDER + name)
          .toSQL()
          .toNative()
        made = { prepared: driver.prepare(sql), bindings }
      }
      ran++
      const named = new Map<unknown, unknown>(
        Object.entries(values).map(([name, value]) => [PLACEHOLDER + name, value]),
      )
      return {
        prepared: made.prepared,
        bound: made.bindings.map(value => (named.has(value) ? named.get(value) : value)),
      }
    }
    return {
      async all(values) {
        const { prepared, bound } = prepare(values)
        return prepared.all(...bound) as R[]
      },
      async get(values) {
        const { prepared, bound } = prepare(values)
        return prepared.get(...bound) as R | undefined
      },
      async run(values) {
        const { prepared, bound } = prepare(values)
        const { changes, lastInsertRowid } = prepared.run(...bound)
        return { changes, lastId: Number(lastInsertRowid) }
      },
    }
  }

  const used: Partial<Storage> = {
    engine: 'sqlite',
    capabilities: { search: false, crossProcess: false },
    get db() {
      return db()
    },
    write,
    statement,
    afterCommit: work => units.getStore()?.after.push(work) ?? work(),
    inUnit: () => units.getStore() !== undefined,
    offload: async query => await query,
    lock: async () => ({ renew: async () => true, release: async () => {} }),
    content: contentStore(db),
    async migrate(_plugin: string, migrations: readonly Migration[]) {
      for (const migration of migrations) await migration.up(root)
    },
  }
  return {
    storage: used as Storage,
    statements: () => ran,
    references: async id => (await root(CONTENT).where({ id }).first('refs'))?.refs ?? 0,
    close: () => root.destroy(),
  }
}

function contentStore(db: () => Knex): ContentStore {
  const staging = new WeakMap<StagedContent, Buffer>()
  const read = async (id: number): Promise<Buffer> => {
    const row: { bytes: Buffer } | undefined = await db()(CONTENT).where({ id }).where('refs', '>', 0).first('bytes')
    if (row === undefined) throw new Error(`no content ${id}`)
    return row.bytes
  }
  const used: Partial<ContentStore> = {
    writer() {
      const parts: Buffer[] = []
      return {
        write: async chunk => void parts.push(chunk),
        finish: async hash => {
          const bytes = Buffer.concat(parts)
          const staged: StagedContent = { hash, size: bytes.length }
          staging.set(staged, bytes)
          return staged
        },
        abort: async () => {},
      }
    },
    async keep(staged) {
      const bytes = staging.get(staged)
      // Equal bytes are kept once.
      const same: { id: number } | undefined = await db()(CONTENT).where({ bytes }).where('refs', '>', 0).first('id')
      if (same !== undefined) {
        await db()(CONTENT).where({ id: same.id }).increment('refs', 1)
        return same.id
      }
      const [row] = await db()(CONTENT).insert({ bytes, refs: 1 }).returning('id')
      return row.id
    },
    async retain(id, n = 1) {
      await db()(CONTENT).where({ id }).increment('refs', n)
    },
    async release(id) {
      await db()(CONTENT).where({ id }).decrement('refs', 1)
    },
    async *open(id, range = {}) {
      yield (await read(id)).subarray(range.start ?? 0, range.end)
    },
    read,
    size: async id => (await read(id)).length,
  }
  return used as ContentStore
}
