// Units of work with group commit. Units that wait run one after another in one transaction, each in its own savepoint, and
// share one commit and one fsync; each resolves only after that commit. While the event loop has other work, which may bring
// further units, a group is gathered for a short time; when there is nothing else to do it is committed at once.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '@mox/plugin-sdk'
import { insufficientStorage, storageFailed } from '@mox/plugin-storage-sql'
import type { Knex } from 'knex'
import type { Connection } from './driver.ts'

/** Units in one commit at most, and milliseconds after which a group takes no more units. */
export const GROUP_UNITS = 256
export const GROUP_MS = 4

/** Milliseconds that a group is gathered at most, and the time of a turn of the event loop in which nothing happened. */
export const GATHER_MS = 4
const QUIET_TURN_MS = 0.05

/** A unit of work while it runs; nested ones are savepoints of the same. */
interface Unit {
  open: boolean
  depth: number
  after: ((committed: boolean) => void)[]
}

interface Pending {
  readonly run: () => Promise<unknown>
  readonly unit: Unit
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface UnitEvents {
  committed(units: number, ms: number): void
}

export class Units {
  readonly #connection: Connection
  readonly #log: Log
  readonly #events: UnitEvents
  readonly #current = new AsyncLocalStorage<Unit>()
  #waiting: Pending[] = []
  #working: Promise<void> | undefined
  #broken: unknown

  constructor(connection: Connection, log: Log, events: UnitEvents) {
    this.#connection = connection
    this.#log = log
    this.#events = events
  }

  /** The unit that the running code belongs to. Throws for code that goes on after its unit ended. */
  current(): Unit | undefined {
    const unit = this.#current.getStore()
    if (unit === undefined || unit.open) return unit
    throw new Error('this unit of work has ended: await everything inside storage.write, or start a new one')
  }

  write<T>(work: (db: Knex) => Promise<T>): Promise<T> {
    const outer = this.current()
    if (outer !== undefined) return this.#savepoint(outer, work)
    return new Promise<T>((resolve, reject) => {
      const unit: Unit = { open: true, depth: 0, after: [] }
      this.#waiting.push({
        unit,
        run: () => this.#current.run(unit, () => work(this.#connection.knex)),
        resolve: resolve as (value: unknown) => void,
        reject,
      })
      this.#working ??= this.#work()
    })
  }

  /** Waits until everything that was asked for is done. */
  async idle(): Promise<void> {
    await this.#working
  }

  /** What is written may not be on stable storage: no more writes. */
  fail(error: unknown): void {
    this.#broken ??= error
  }

  async #savepoint<T>(unit: Unit, work: (db: Knex) => Promise<T>): Promise<T> {
    const name = `s${++unit.depth}`
    const before = unit.after
    unit.after = []
    await this.#connection.exec(`savepoint ${name}`)
    try {
      const value = await work(this.#connection.knex)
      await this.#connection.exec(`release ${name}`)
      unit.after = [...before, ...unit.after]
      return value
    } catch (error) {
      const undone = unit.after
      unit.after = before
      await this.#connection.exec(`rollback to ${name}; release ${name}`)
      for (const work of undone) work(false)
      throw error
    } finally {
      unit.depth--
    }
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather()
      const units = this.#waiting
      this.#waiting = []
      const left = await this.#group(units)
      this.#waiting = [...left, ...this.#waiting]
    }
    this.#working = undefined
  }

  /** Gives timers and sockets their turns, at least one: knex over a synchronous driver lives in microtasks. */
  async #gather(): Promise<void> {
    const until = performance.now() + GATHER_MS
    for (let before = performance.now(); ; ) {
      await new Promise(resolve => setImmediate(resolve))
      const now = performance.now()
      if (now - before < QUIET_TURN_MS || now >= until || this.#waiting.length >= GROUP_UNITS) return
      before = now
    }
  }

  /** Runs as many of the units as fit, commits, and returns the rest. */
  async #group(units: readonly Pending[]): Promise<Pending[]> {
    if (this.#broken !== undefined) {
      for (const { reject, unit } of units) {
        this.#end(unit, false)
        reject(storageFailed(this.#broken))
      }
      return []
    }
    const started = performance.now()
    const done: { pending: Pending; value: unknown }[] = []
    let taken = 0
    try {
      await this.#connection.exec('begin immediate')
      for (const pending of units) {
        if (taken >= GROUP_UNITS || (taken > 0 && performance.now() - started > GROUP_MS)) break
        taken++
        await this.#one(pending, done)
      }
      await this.#connection.exec('commit')
    } catch (error) {
      await this.#undo()
      const mapped = this.#mapped(error)
      for (const { pending } of done) {
        this.#end(pending.unit, false)
        pending.reject(mapped)
      }
      if (taken === 0) {
        for (const { reject } of units) reject(mapped)
        return []
      }
      return units.slice(taken)
    }
    this.#events.committed(done.length, performance.now() - started)
    for (const { pending, value } of done) {
      pending.resolve(value)
      this.#end(pending.unit, true)
    }
    return units.slice(taken)
  }

  async #one(pending: Pending, done: { pending: Pending; value: unknown }[]): Promise<void> {
    await this.#connection.exec('savepoint u')
    try {
      const value = await pending.run()
      pending.unit.open = false
      await this.#connection.exec('release u')
      done.push({ pending, value })
    } catch (error) {
      pending.unit.open = false
      // SQLite undoes the whole transaction by itself when the disk is full: then the units before this one failed too.
      if (this.#connection.inTransaction() === false) {
        done.push({ pending, value: undefined })
        throw error
      }
      await this.#connection.exec('rollback to u; release u')
      this.#end(pending.unit, false)
      pending.reject(this.#mapped(error))
    }
  }

  async #undo(): Promise<void> {
    if (this.#connection.inTransaction() === false) return
    try {
      await this.#connection.exec('rollback')
    } catch {
      // Rolled back already.
    }
  }

  #end(unit: Unit, committed: boolean): void {
    unit.open = false
    for (const work of unit.after) {
      try {
        work(committed)
      } catch (error) {
        this.#log.error({ err: error }, 'work after a commit failed')
      }
    }
    unit.after = []
  }

  #mapped(error: unknown): unknown {
    const code = String((error as { code?: unknown } | undefined)?.code ?? '')
    if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR_WRITE') || code === 'SQLITE_IOERR_SHMSIZE')
      return insufficientStorage(error)
    if (code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT')) {
      this.fail(error)
      this.#log.error({ err: error }, 'storage failed; restart the server')
      return storageFailed(error)
    }
    return error
  }
}
