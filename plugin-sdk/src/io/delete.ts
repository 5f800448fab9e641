// Deleting many rows inside of one unit of work without holding up the process: nobody else can write meanwhile, but mail is
// still received, pages are served and clocks go on.
import { setImmediate } from 'node:timers/promises'
import type { Knex } from 'knex'

/** Rows of one statement. */
const PORTION = 1_000

/** Deletes all rows that have these values. `key` is a column that is unique among them. */
export async function deleteInPortions(
  db: Knex,
  table: string,
  key: string,
  where: Readonly<Record<string, string | number>>,
): Promise<void> {
  for (;;) {
    const rows: Record<string, string | number>[] = await db(table).select(key).where(where).limit(PORTION)
    const keys = rows.flatMap(row => row[key] ?? [])
    await db(table).where(where).whereIn(key, keys).delete()
    if (rows.length < PORTION) return
    await setImmediate()
  }
}
