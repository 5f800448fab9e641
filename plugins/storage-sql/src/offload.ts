// Queries that may read much run on the reader thread, unless they are part of a unit of work, which they must see.
import type { Knex } from 'knex'
import { toSqlValue } from './compile.ts'
import type { SqlEngine } from './engine.ts'

export async function offload<R>(engine: SqlEngine, query: Knex.QueryBuilder): Promise<R[]> {
  const { sql, bindings } = query.toSQL().toNative()
  const values = bindings.map(value => toSqlValue(value, 'a condition of the query'))
  return (await engine.offload(sql, values)) as R[]
}

/** The rows of a query, from the reader thread when it is `slow` and stands alone. */
export async function rowsOf<R>(engine: SqlEngine, query: Knex.QueryBuilder, slow: boolean): Promise<R[]> {
  return slow && !engine.inUnit() ? await offload<R>(engine, query) : ((await query) as R[])
}
