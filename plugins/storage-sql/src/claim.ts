// The generic claim: due rows of a plugin's table under a lease. The table has a column "id".
import type { ClaimOptions } from '@mox/plugin-sdk'
import type { SqlEngine } from './engine.ts'

/** Rows of one claim at most. */
export const CLAIM_LIMIT = 10_000

export async function claimRows<R>(engine: SqlEngine, options: ClaimOptions): Promise<R[]> {
  const { table, dueColumn, leaseColumn, now, leaseMs, where = {} } = options
  if (!Number.isInteger(options.limit) || options.limit < 1 || options.limit > CLAIM_LIMIT)
    throw new RangeError(`claim: limit must be 1 to ${CLAIM_LIMIT}, not ${options.limit}`)
  return await engine.write(async db => {
    const rows = (await db(table)
      .select('*')
      .where(where)
      .where(dueColumn, '<=', now)
      .where(q => void q.whereNull(leaseColumn).orWhere(leaseColumn, '<=', now))
      .orderBy([dueColumn, 'id'])
      .limit(options.limit)) as Record<string, unknown>[]
    const until = now + leaseMs
    for (let at = 0; at < rows.length; at += 500) {
      const ids = rows.slice(at, at + 500).map(row => row['id'] as number)
      await db(table)
        .whereIn('id', ids)
        .update({ [leaseColumn]: until })
    }
    return rows.map(row => ({ ...row, [leaseColumn]: until })) as R[]
  })
}
