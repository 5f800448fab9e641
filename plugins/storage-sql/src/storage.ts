// storage@1 over a SQL engine: what every SQL backend hands out. Statements may be built before open(); anything else there
// throws.
import type {
  ClaimOptions,
  Clock,
  Lock,
  Log,
  Migration,
  Placeholder,
  SearchIndex,
  Statement,
  Storage,
} from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { Channels } from './channels.ts'
import { claimRows } from './claim.ts'
import { compile } from './compile.ts'
import { SqlContent } from './content.ts'
import { ContentFiles } from './content-files.ts'
import type { SqlEngine } from './engine.ts'
import { SqlHistory } from './history.ts'
import { Ids } from './ids.ts'
import { takeLock } from './lock.ts'
import { SqlMessages } from './messages.ts'
import { type Migrate, prepareMigrations } from './migrate.ts'
import { offload } from './offload.ts'
import { SqlOutbox } from './outbox.ts'
import { SqlQueue } from './queue.ts'
import { migrations } from './schema.ts'
import { SqlSent } from './sent.ts'
import { verify } from './verify.ts'

/** The name under which core's own tables are recorded. */
const CORE = 'mox'

export interface SqlStorageOptions {
  readonly engine: SqlEngine
  readonly clock: Clock
  readonly log: Log
  /** Where large content goes; made on first use. */
  readonly contentDir: string
}

export class SqlStorage implements Storage {
  readonly engine: string
  readonly capabilities: Storage['capabilities']
  readonly content: SqlContent
  readonly messages: SqlMessages
  readonly queue: SqlQueue
  readonly history: SqlHistory
  readonly outbox: SqlOutbox
  readonly sent: SqlSent
  readonly search?: SearchIndex
  readonly #engine: SqlEngine
  readonly #clock: Clock
  readonly #log: Log
  readonly #ids: Ids
  readonly #files: ContentFiles
  readonly #channels: Channels
  #migrate: Migrate | undefined

  constructor({ engine, clock, log, contentDir }: SqlStorageOptions) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
    this.engine = engine.name
    this.capabilities = engine.capabilities
    this.#files = new ContentFiles(contentDir, error => engine.failed(error))
    this.#ids = new Ids(engine)
    this.#channels = new Channels(engine, log)
    this.content = new SqlContent(engine, this.#ids, this.#files)
    this.messages = new SqlMessages(engine, this.#ids, this.content)
    this.queue = new SqlQueue(engine, this.#ids, clock)
    this.history = new SqlHistory(engine)
    this.outbox = new SqlOutbox(engine, this.#ids, clock)
    this.sent = new SqlSent(engine)
    if (engine.search !== undefined) this.search = engine.search
  }

  /** Once the engine is open: core's tables, the counters, and what a crash left behind of content files. */
  async open(): Promise<void> {
    this.#migrate = await prepareMigrations(this.#engine, () => this.#clock.now())
    await this.#migrate(CORE, migrations)
    await this.#ids.open()
    const removed = await this.content.sweep()
    if (removed > 0) this.#log.info({ removed }, 'content files that nothing refers to removed')
  }

  /** While the engine is still open. */
  async close(): Promise<void> {
    this.#migrate = undefined
    await this.#ids.close()
  }

  get db(): Knex {
    return this.#engine.db
  }

  write<T>(work: (db: Knex) => Promise<T>): Promise<T> {
    return this.#engine.write(work)
  }

  afterCommit(work: () => void): void {
    this.#engine.afterCommit(work)
  }

  inUnit(): boolean {
    return this.#engine.inUnit()
  }

  statement<P extends object, R = unknown>(build: (db: Knex, p: Placeholder) => Knex.QueryBuilder): Statement<P, R> {
    return compile(this.#engine, build)
  }

  offload<R>(query: Knex.QueryBuilder): Promise<R[]> {
    return offload(this.#engine, query)
  }

  claim<R>(options: ClaimOptions): Promise<R[]> {
    return claimRows(this.#engine, options)
  }

  notify(channel: string, payload?: unknown): void {
    this.#channels.notify(channel, payload)
  }

  subscribe(channel: string, listener: (payload: unknown) => void): () => void {
    return this.#channels.subscribe(channel, listener)
  }

  lock(name: string, ttlMs: number): Promise<Lock | null> {
    return takeLock(this.#engine, this.#clock, name, ttlMs)
  }

  async migrate(plugin: string, steps: readonly Migration[]): Promise<void> {
    if (this.#migrate === undefined) throw new Error('storage is used before it was opened or after it was closed')
    await this.#migrate(plugin, steps)
  }

  verify(): Promise<string[]> {
    return verify(this.#engine, this.#files)
  }
}
