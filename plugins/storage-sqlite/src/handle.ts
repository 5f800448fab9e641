// The knex handle that plugins get. There is one, and it has no pool: for each query it takes the connection that the running
// code should use, which is the writing one inside a unit of work. So nothing can wait for a connection that it holds itself,
// and a handle that is kept beyond its unit cannot write.
import { createRequire } from 'node:module'
import knexModule, { type Knex } from 'knex'
import type { DriverName } from './driver.ts'

const { knex } = knexModule

export interface Route {
  /** The driver's connection for the running code; throws where there is none. */
  connection(): object
  /** What to throw for an error of that connection. */
  failed(raw: object, error: unknown): unknown
}

/** What we use of knex's dialect classes, which have no types. */
interface Dialect {
  _query(raw: object, query: object): Promise<object>
}

export function ambientHandle(driver: DriverName, route: Route): Knex {
  const require = createRequire(import.meta.url)
  const dialect: string = driver === 'sqlite3' ? 'sqlite3' : 'better-sqlite3'
  const Base = require(`knex/lib/dialects/${dialect}/index.js`) as new (...args: unknown[]) => Dialect
  class Ambient extends Base {
    async acquireConnection(): Promise<object> {
      return route.connection()
    }

    async releaseConnection(): Promise<void> {}

    override async _query(raw: object, query: object): Promise<object> {
      // The unit may have ended since the connection was taken.
      if (raw !== route.connection())
        throw new Error('this unit of work has ended: await everything inside storage.write()')
      try {
        return await super._query(raw, query)
      } catch (error) {
        throw route.failed(raw, error)
      }
    }
  }
  // Transactions of knex's own become savepoints of the unit.
  Object.assign(Ambient.prototype, { transacting: true })
  return knex({
    client: Ambient as unknown as typeof Knex.Client,
    useNullAsDefault: true,
    // Values of a query may be secrets, or somebody's mail; they stay out of error messages.
    compileSqlOnError: false,
  })
}
