// Statements that are built once with knex's builder, with named places for values, and then run as prepared statements.
// A value that is missing, or of a type that no database stores, is an error that names the place, never NULL.
import type { Placeholder, Statement } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import type { MaybePromise, PreparedSql, SqlEngine, SqlValue } from './engine.ts'

/** Marks a place among the bindings; no constant of a query begins with it. */
const MARK = '\u0000place:'

interface Binding {
  /** Undefined for a constant, which is `value`. */
  readonly place: string | undefined
  readonly value: SqlValue
}

export function toSqlValue(value: unknown, name: string): SqlValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
      return value
    case 'boolean':
      return value ? 1 : 0
    default:
      if (value === null || Buffer.isBuffer(value)) return value
      if (value instanceof Date) return value.getTime()
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      throw new TypeError(`statement: ${value === undefined ? 'no value' : 'an unusable value'} for "${name}"`)
  }
}

class Compiled<P extends object, R> implements Statement<P, R> {
  readonly #prepared: PreparedSql
  readonly #bindings: readonly Binding[]

  constructor(engine: SqlEngine, build: (db: Knex, p: Placeholder) => Knex.QueryBuilder) {
    const native = build(engine.builder, name => `${MARK}${name}`)
      .toSQL()
      .toNative()
    this.#bindings = native.bindings.map((value): Binding => {
      if (typeof value === 'string' && value.startsWith(MARK)) return { place: value.slice(MARK.length), value: null }
      return { place: undefined, value: toSqlValue(value, 'a constant of the query') }
    })
    this.#prepared = engine.prepare(native.sql)
  }

  #bind(values: P): SqlValue[] {
    const named = values as Readonly<Record<string, unknown>>
    const bound: SqlValue[] = []
    for (const { place, value } of this.#bindings)
      bound.push(place === undefined ? value : toSqlValue(named[place], place))
    return bound
  }

  // Not async functions: a synchronous driver has the answer at once, and each message has dozens of statements.

  all(values: P): Promise<R[]> {
    return settled(() => this.#prepared.all(this.#bind(values)) as MaybePromise<R[]>)
  }

  get(values: P): Promise<R | undefined> {
    return settled(() => this.#prepared.get(this.#bind(values)) as MaybePromise<R | undefined>)
  }

  run(values: P): Promise<{ changes: number; lastId: number }> {
    return settled(() => this.#prepared.run(this.#bind(values)))
  }
}

function settled<T>(ask: () => MaybePromise<T>): Promise<T> {
  try {
    return Promise.resolve(ask())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Compiles at once; a query that cannot be built fails here. */
export function compile<P extends object, R = unknown>(
  engine: SqlEngine,
  build: (db: Knex, p: Placeholder) => Knex.QueryBuilder,
): Statement<P, R> {
  return new Compiled<P, R>(engine, build)
}

/** Columns with a place of the same name each: what inserts and updates of whole rows need. */
export function places(columns: readonly string[], p: Placeholder): Record<string, Knex.Value> {
  return Object.fromEntries(columns.map(column => [column, p(column)]))
}
