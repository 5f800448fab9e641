// Full text with SQLite's FTS5: words without regard to case and accents.
import type { SearchIndex } from '@mox/plugin-sdk'
import type { SqlEngine } from '@mox/plugin-storage-sql'

/** Terms of one query, and characters of one term. */
export const MAX_TERMS = 50
export const MAX_TERM_LENGTH = 200
const MAX_RESULTS = 10_000

export const TABLE = 'mox_search'

export function searchIndex(engine: SqlEngine): SearchIndex {
  const remove = async (index: string, key: number): Promise<void> => {
    const row = (await engine.db('mox_search_key').where({ index_name: index, key }).first('id')) as
      | { id: number }
      | undefined
    if (row === undefined) return
    await engine.db(TABLE).where('rowid', row.id).delete()
    await engine.db('mox_search_key').where({ id: row.id }).delete()
  }
  return {
    put: async (index, key, text) => {
      await remove(index, key)
      const [row] = (await engine.db('mox_search_key').insert({ index_name: index, key }).returning('id')) as {
        id: number
      }[]
      await engine.db(TABLE).insert({ rowid: row!.id, text })
    },
    remove,
    query: async (index, terms, { limit, before }) => {
      const match = terms.slice(0, MAX_TERMS).map(phrase).filter(Boolean).join(' AND ')
      if (match === '') return []
      const query = engine
        .db('mox_search_key as k')
        .join(`${TABLE} as s`, 's.rowid', 'k.id')
        .where('k.index_name', index)
        .whereRaw(`${TABLE} match ?`.replace(TABLE, 's.text'), [match])
        .orderBy('k.key', 'desc')
        .limit(Math.min(limit, MAX_RESULTS))
        .select('k.key')
      if (before !== undefined) query.where('k.key', '<', before)
      return ((await query) as { key: number }[]).map(r => r.key)
    },
  }
}

/** A term as an FTS5 string: nothing in it is an operator. */
function phrase(term: string): string {
  const text = term.replace(/^"|"$/g, '').replaceAll('"', ' ').slice(0, MAX_TERM_LENGTH).trim()
  return /[\p{L}\p{N}]/u.test(text) ? `"${text}"` : ''
}
