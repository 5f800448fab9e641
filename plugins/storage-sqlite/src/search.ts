// Full text with SQLite's FTS5: words without regard to case and accents. Outside of a unit of work a query runs on the reader
// thread.
import type { Migration, SearchIndex } from '@mox/plugin-sdk'
import { offload, type SqlEngine } from '@mox/plugin-storage-sql'

/** Terms of one query, and characters of one term. */
export const MAX_TERMS = 50
export const MAX_TERM_LENGTH = 200
const MAX_RESULTS = 10_000

const TABLE = 'mox_search'
const KEYS = 'mox_search_key'

interface Found {
  readonly key: number
}

export const searchMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'full text',
    up: async db => {
      await db.schema.createTable(KEYS, t => {
        t.integer('id').primary()
        t.text('index_name').notNullable()
        t.integer('key').notNullable()
        t.unique(['index_name', 'key'])
      })
      await db.raw(
        `create virtual table ${TABLE} using fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')`,
      )
    },
  },
]

export function searchIndex(engine: SqlEngine): SearchIndex {
  const remove = async (index: string, key: number): Promise<void> => {
    const row = (await engine.db(KEYS).where({ index_name: index, key }).first('id')) as { id: number } | undefined
    if (row === undefined) return
    await engine.db(TABLE).where('rowid', row.id).delete()
    await engine.db(KEYS).where({ id: row.id }).delete()
  }
  return {
    put: async (index, key, text) => {
      await remove(index, key)
      const [row] = (await engine.db(KEYS).insert({ index_name: index, key }).returning('id')) as {
        id: number
      }[]
      await engine.db(TABLE).insert({ rowid: row!.id, text })
    },
    remove,
    query: async (index, terms, { limit, before }) => {
      const match = terms.slice(0, MAX_TERMS).map(phrase).filter(Boolean).join(' AND ')
      if (match === '') return []
      const query = engine
        .db(`${KEYS} as k`)
        .join(`${TABLE} as s`, 's.rowid', 'k.id')
        .where('k.index_name', index)
        .whereRaw('s.text match ?', [match])
        .orderBy('k.key', 'desc')
        .limit(Math.min(limit, MAX_RESULTS))
        .select('k.key')
      if (before !== undefined) query.where('k.key', '<', before)
      const rows = engine.inUnit() ? ((await query) as Found[]) : await offload<Found>(engine, query)
      return rows.map(({ key }) => key)
    },
  }
}

/** A term as an FTS5 string: nothing in it is an operator. */
function phrase(term: string): string {
  const text = term.replace(/^"|"$/g, '').replaceAll('"', ' ').slice(0, MAX_TERM_LENGTH).trim()
  return /[\p{L}\p{N}]/u.test(text) ? `"${text}"` : ''
}
