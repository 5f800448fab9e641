// Units of work with group commit. Units that wait run one after another in one transaction, each in its own savepoint, and
// share one commit and one fsync; each resolves only after that commit. While the event loop has other work, which may bring
// further units, a group is gathered for a short time; when there is nothing else to do it is committed at once. A failure
// after which SQLite may have undone the transaction by itself ends the group: all its units fail together.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '@mox/plugin-sdk'
import { type MaybePromise, storageFailed } from '@mox/plugin-storage-sql'
import type { Knex } from 'knex'
import type { Connection } from './driver.ts'
import { isFatal, isFinal, mailError } from './errors.ts'
import { Unit } from './unit.ts'

/** Units in one commit at most, and milliseconds after which a group takes no more units. */
export const GROUP_UNITS = 256
export const GROUP_MS = 4

/** Units that are told of their commit in one turn of the event loop. */
const WAKE_UNITS = 12
/** Milliseconds that a group is gathered at most, and the time of a turn of the event loop in which nothing happened. */
export const GATHER_MS = 8
const QUIET_TURN_MS = 0.05

interface Pending {
  readonly unit: Unit
  readonly run: () => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface UnitEvents {
  /** `ms`: from the start of the group to the end of its commit. The next group waits for the promise, if there is one. */
  committed(units: number, ms: number): Promise<void> | undefined
}

export class Units {
  readonly #writer: Connection
  readonly #db: Knex
  readonly #log: Log
  readonly #events: UnitEvents
  readonly #current = new AsyncLocalStorage<Unit | undefined>()
  /** The context in which groups run: no caller's. */
  readonly #outside = AsyncLocalStorage.snapshot()
  #waiting: Pending[] = []
  #working = false
  /** What the next group waits for. */
  #pause: Promise<void> | undefined
  #idle: (() => void)[] = []
  /** What ended the group that runs. */
  #groupError: unknown
  /** Why nothing is written any more. */
  #stopped: unknown

  constructor(writer: Connection, db: Knex, log: Log, events: UnitEvents) {
    this.#writer = writer
    this.#db = db
    this.#log = log
    this.#events = events
  }

  inUnit(): boolean {
    return this.#current.getStore()?.open === true
  }

  /**
   * The unit that the running code belongs to. Throws for code that goes on after its unit ended, or beside a nested unit,
   * and in a group that has failed.
   */
  current(): Unit | undefined {
    const unit = this.#current.getStore()
    if (unit === undefined) return undefined
    if (!unit.open)
      throw new Error('this unit of work has ended: await everything inside storage.write(), or start a new one')
    if (unit.nested !== undefined)
      throw new Error('a nested unit of work is running: await its storage.write() before using the database')
    if (this.#groupError !== undefined) throw mailError(this.#groupError)
    return unit
  }

  write<T>(work: (db: Knex) => Promise<T>): Promise<T> {
    const outer = this.#current.getStore()
    if (outer !== undefined) {
      if (!outer.open)
        return Promise.reject(new Error('this unit of work has ended: await everything inside storage.write()'))
      return outer.inTurn(() => this.#nested(outer, work))
    }
    if (this.#stopped !== undefined) return Promise.reject(storageFailed(this.#stopped))
    return new Promise<T>((resolve, reject) => {
      const unit = new Unit()
      const { promise: turn, resolve: start } = Promise.withResolvers<void>()
      // A continuation runs in its caller's context, whoever's turn it was to start the group; a snapshot costs much more.
      const done = turn.then(() => this.#run(unit, work))
      const run = (): Promise<T> => {
        start()
        return done
      }
      this.#waiting.push({ unit, run, resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  #run<T>(unit: Unit, work: (db: Knex) => Promise<T>): Promise<T> {
    // Awaited inside: a query of knex runs where somebody waits for it.
    return this.#current.run(unit, async () => await work(this.#db))
  }

  /** Once the surrounding unit has ended, in no unit and in nobody's context; at once when there is none. */
  afterUnit(work: (committed: boolean) => void): void {
    const unit = this.#current.getStore()
    if (unit === undefined) {
      work(true)
      return
    }
    if (!unit.open) throw new Error('this unit of work has ended: await everything inside storage.write()')
    unit.after(work)
  }

  /** Once the surrounding unit has been committed; in the context of now, but in no unit. */
  afterCommit(work: () => void): void {
    if (this.#current.getStore() === undefined) {
      work()
      return
    }
    const { promise: end, resolve: ended } = Promise.withResolvers<boolean>()
    this.afterUnit(ended)
    end
      .then(committed => {
        if (committed) this.#current.run(undefined, work)
      })
      .catch(error => this.#callbackFailed(error))
  }

  /** Resolves when everything that was asked for is done. */
  idle(): Promise<void> {
    if (!this.#working) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** What was written may not be on stable storage: no more writes. */
  fail(error: unknown): void {
    if (this.#stopped === undefined) this.#log.error({ err: error }, 'storage failed: no more writes until a restart')
    this.#stopped ??= error
  }

  /** Every error of the writing connection comes by here, also those that the unit itself catches. */
  failed(error: unknown): void {
    if (isFatal(error)) this.#groupError ??= error
    if (isFinal(error)) this.fail(error)
  }

  async #nested<T>(outer: Unit, work: (db: Knex) => Promise<T>): Promise<T> {
    const unit = new Unit(outer.depth + 1)
    const name = `nested${unit.depth}`
    outer.nested = unit
    try {
      await this.#do(`savepoint ${name}`)
      const value = await this.#run(unit, work)
      await unit.close()
      await this.#do(`release ${name}`)
      unit.handOver(outer)
      return value
    } catch (error) {
      await unit.close()
      if (this.#groupError === undefined) await this.#undo(name).catch(undo => this.failed(undo))
      this.#outside(() => unit.end(false, problem => this.#callbackFailed(problem)))
      throw this.#groupError === undefined ? error : mailError(this.#groupError)
    } finally {
      outer.nested = undefined
    }
  }

  #do(sql: string): MaybePromise<void> {
    if (this.#groupError !== undefined) throw this.#groupError
    return this.#writer.control(sql)
  }

  async #undo(name: string): Promise<void> {
    await this.#writer.control(`rollback to ${name}`)
    await this.#writer.control(`release ${name}`)
  }

  #schedule(): void {
    if (this.#working) return
    this.#working = true
    this.#outside(() => void this.#work())
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather()
      if (this.#pause !== undefined) await this.#pause
      this.#pause = undefined
      const batch = this.#waiting.slice(0, GROUP_UNITS)
      const rest = this.#waiting.slice(GROUP_UNITS)
      this.#waiting = []
      const left = await this.#group(batch)
      this.#waiting = [...left, ...rest, ...this.#waiting]
    }
    this.#working = false
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
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

  /** Runs as many of the units as fit, commits, and returns the rest. Never rejects. */
  async #group(batch: readonly Pending[]): Promise<readonly Pending[]> {
    const started = performance.now()
    this.#groupError = undefined
    if (this.#stopped !== undefined) return this.#refuse(batch, storageFailed(this.#stopped))
    try {
      await this.#do('begin immediate')
    } catch (error) {
      this.failed(error)
      return this.#refuse(batch, mailError(error))
    }
    const done: { pending: Pending; value: unknown }[] = []
    let taken = 0
    for (const pending of batch) {
      if (taken > 0 && performance.now() - started > GROUP_MS) break
      taken++
      const result = await this.#one(pending, batch.length === 1)
      if (result !== undefined) done.push({ pending, value: result.value })
      if (this.#groupError !== undefined) break
    }
    const failure = await this.#finish(done.length > 0)
    if (failure === undefined && done.length > 0)
      this.#pause = this.#events.committed(done.length, performance.now() - started)
    for (const [i, { pending, value }] of done.entries()) {
      // Each goes on with work of its own: all at once they would keep timers and sockets waiting.
      if (i > 0 && i % WAKE_UNITS === 0) await new Promise(resolve => setImmediate(resolve))
      pending.unit.end(failure === undefined, problem => this.#callbackFailed(problem))
      if (failure === undefined) pending.resolve(value)
      else pending.reject(mailError(failure))
    }
    return batch.slice(taken)
  }

  #refuse(batch: readonly Pending[], error: unknown): readonly Pending[] {
    for (const { reject } of batch) reject(error)
    return []
  }

  /** Undefined when it failed, which its caller has been told. `alone`: the transaction itself can be undone. */
  async #one({ unit, run, reject }: Pending, alone: boolean): Promise<{ readonly value: unknown } | undefined> {
    try {
      const begun = alone ? undefined : this.#do('savepoint unit')
      if (begun !== undefined) await begun
      const value = await run()
      const nested = unit.close()
      if (nested !== undefined) await nested
      if (this.#groupError !== undefined) throw this.#groupError
      const released = alone ? undefined : this.#do('release unit')
      if (released !== undefined) await released
      return { value }
    } catch (error) {
      await unit.close()
      if (!alone && this.#groupError === undefined) await this.#undo('unit').catch(undo => this.#lost(undo))
      unit.end(false, problem => this.#callbackFailed(problem))
      reject(mailError(this.#groupError ?? error))
      return undefined
    }
  }

  /** The transaction is not what it should be. */
  #lost(error: unknown): void {
    this.failed(error)
    this.#groupError ??= error
  }

  /** Commits, or undoes everything when there is nothing to commit or the group has failed: then returns why. */
  async #finish(commit: boolean): Promise<unknown> {
    if (commit && this.#groupError === undefined) {
      try {
        await this.#writer.control('commit')
        return undefined
      } catch (error) {
        this.#lost(error)
      }
    }
    try {
      await this.#writer.control('rollback')
    } catch {
      // SQLite has done it already.
    }
    return this.#groupError
  }

  #callbackFailed(error: unknown): void {
    this.#log.error({ err: error }, 'work after a commit failed')
  }
}
