// A storage backend in memory for tests: units of work with rollback and savepoints, repositories, content, notifications
// and locks. It has no SQL: `db`, `statement` and what needs tables throw. It can be told to fail at any point, and every
// committed state can be kept and started from again, as after a crash.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../services/base.ts'
import type { Lock, Storage } from '../services/storage.ts'
import { memoryContent } from './memory-content.ts'
import { memoryQueue } from './memory-queue.ts'
import { memoryHistory, memoryMessages, memoryOutbox, memorySent } from './memory-repositories.ts'
import { emptyTables, type MemorySnapshot, type TableName, type Tables } from './memory-tables.ts'

export type { MemorySnapshot } from './memory-tables.ts'

export interface MemoryStorage extends Storage {
  /**
   * Makes the next `times` (default 1) calls of a point throw: "write" (before a unit starts), "commit" (at its end, nothing
   * is kept), or a method such as "queue.retire" or "content.finish".
   */
  failNext(point: string, error?: Error, times?: number): void
  /** The committed state; a later `memoryStorage({ from })` starts with it. */
  snapshot(): MemorySnapshot
  /** Calls back after each commit, and after its `afterCommit` work, with the state it made; returns how to stop. */
  onCommit(listener: (snapshot: MemorySnapshot) => void): () => void
}

/** The unit of work that the running code belongs to. `tables` are copies as soon as they are changed. */
export interface MemoryUnit {
  tables: Tables
  owned: Set<TableName>
  after: (() => void)[]
  open: boolean
}

/** What the repositories stand on. */
export interface MemoryAccess {
  /** The table as the running code sees it. */
  read<N extends TableName>(name: N): Tables[N]
  /** The table to change; throws outside of a unit of work. */
  change<N extends TableName>(name: N): Tables[N]
  nextId(): number
  /** Throws when the point was told to fail. */
  reach(point: string): void
}

export function memoryStorage(options: { readonly clock: Clock; readonly from?: MemorySnapshot }): MemoryStorage {
  const failures = new Map<string, { error: Error; times: number }>()
  const units = new AsyncLocalStorage<MemoryUnit>()
  const channels = new Map<string, Set<(payload: unknown) => void>>()
  const commits = new Set<(snapshot: MemorySnapshot) => void>()
  const locks = new Map<string, { until: number; holder: symbol }>()
  let committed: Tables = options.from ?? emptyTables()
  let lastId = committed.lastId
  let queue: Promise<unknown> = Promise.resolve()

  const current = (): MemoryUnit | undefined => {
    const unit = units.getStore()
    return unit?.open ? unit : undefined
  }

  const access: MemoryAccess = {
    read: name => (current()?.tables ?? committed)[name],
    change: name => {
      const unit = current()
      if (unit === undefined) throw new Error(`change of ${name} outside a unit of work`)
      if (!unit.owned.has(name)) {
        unit.tables = { ...unit.tables, [name]: new Map<number, unknown>(unit.tables[name]) }
        unit.owned.add(name)
      }
      return unit.tables[name]
    },
    nextId: () => ++lastId,
    reach: point => {
      const failure = failures.get(point)
      if (failure === undefined) return
      if (--failure.times === 0) failures.delete(point)
      throw failure.error
    },
  }

  async function outermost<T>(work: () => Promise<T>): Promise<T> {
    access.reach('write')
    const unit: MemoryUnit = { tables: committed, owned: new Set(), after: [], open: true }
    let value: T
    try {
      value = await units.run(unit, work)
      access.reach('commit')
    } finally {
      unit.open = false
    }
    committed = { ...unit.tables, lastId }
    for (const work of unit.after) work()
    for (const listener of commits) listener(committed)
    return value
  }

  async function savepoint<T>(unit: MemoryUnit, work: () => Promise<T>): Promise<T> {
    const { tables, after } = unit
    unit.owned = new Set()
    unit.after = []
    try {
      const value = await work()
      unit.after = [...after, ...unit.after]
      return value
    } catch (error) {
      Object.assign(unit, { tables, after, owned: new Set() })
      throw error
    }
  }

  const noSql = (): never => {
    throw new Error('memoryStorage has no database: use a SQL backend in this test')
  }

  return {
    engine: 'memory',
    capabilities: { search: false, crossProcess: false },
    get db() {
      return noSql()
    },
    write: work => {
      const unit = current()
      // The repositories need no handle; what asks for one gets the error of `db`.
      const run = async () => work(undefined as never)
      if (unit !== undefined) return savepoint(unit, run)
      const result = queue.then(() => outermost(run))
      queue = result.catch(() => undefined)
      return result
    },
    afterCommit: work => {
      const unit = current()
      if (unit === undefined) work()
      else unit.after.push(work)
    },
    inUnit: () => current() !== undefined,
    statement: noSql,
    offload: noSql,
    claim: noSql,
    migrate: noSql,
    content: memoryContent(access),
    messages: memoryMessages(access),
    queue: memoryQueue(access, options.clock),
    history: memoryHistory(access),
    outbox: memoryOutbox(access),
    sent: memorySent(access),
    notify(channel, payload) {
      this.afterCommit(() => {
        for (const listener of channels.get(channel) ?? []) queueMicrotask(() => listener(payload))
      })
    },
    subscribe: (channel, listener) => {
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(listener))
      return () => listeners.delete(listener)
    },
    lock: async (name, ttlMs): Promise<Lock | null> => {
      access.reach('lock')
      const now = options.clock.now()
      if ((locks.get(name)?.until ?? now) > now) return null
      const holder = Symbol(name)
      const mine = () => locks.get(name)?.holder === holder && locks.get(name)!.until > options.clock.now()
      const hold = () => locks.set(name, { until: options.clock.now() + ttlMs, holder })
      hold()
      return {
        renew: async () => mine() && hold() !== undefined,
        release: async () => {
          if (mine()) locks.delete(name)
        },
      }
    },
    verify: async () => {
      const problems: string[] = []
      for (const { contentId, id } of committed.messages.values()) {
        if (!committed.content.has(contentId)) problems.push(`message ${id} has no content`)
      }
      return problems
    },
    failNext: (point, error = new Error(`${point} failed`), times = 1) => failures.set(point, { error, times }),
    snapshot: () => committed,
    onCommit: listener => {
      commits.add(listener)
      return () => commits.delete(listener)
    },
  }
}
