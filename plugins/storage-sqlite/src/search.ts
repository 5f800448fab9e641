// Full text with SQLite's FTS5: words without regard to case and accents. Each index is a table of its own, whose row ids are
// the keys of documents. Outside of a unit of work a query runs on the reader thread.
import type { Migration, SearchIndex, SearchOptions, SearchTerm } from '@mox/plugin-sdk'
import type { SqlEngine, SqlValue } from '@mox/plugin-storage-sql'

/** Terms of one query, and characters of one term. */
export const MAX_TERMS = 50
export const MAX_TERM_LENGTH = 200
const MAX_RESULTS = 10_000
/** Keys that one query is limited to. */
export const MAX_AMONG = 1_000

export const searchMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'full text',
    // Indexes are made when they are asked for.
    up: async () => {},
  },
  {
    version: 2,
    name: 'an index each',
    up: async db => {
      for (const table of ['mox_search', 'mox_search_key']) await db.schema.dropTableIfExists(table)
    },
  },
]

export function searchIndex(engine: SqlEngine): SearchIndex {
  const columns = new Map<string, readonly string[]>()
  const fieldsOf = async (index: string): Promise<readonly string[]> => {
    const known = columns.get(index)
    if (known !== undefined) return known
    const rows = await engine.prepare(`select name from pragma_table_info('${tableOf(index)}')`).all([])
    return rows.map(row => String(row['name']))
  }
  return {
    create: async (index, fields) => {
      for (const field of fields) checkName(field)
      const there = await fieldsOf(index)
      const made = there.join() !== fields.join()
      if (made) {
        if (there.length > 0) await engine.db.raw(`drop table ${tableOf(index)}`)
        columns.delete(index)
        await engine.db.raw(
          `create virtual table ${tableOf(index)} using fts5 (${fields.join(', ')}, content='', contentless_delete=1, prefix='${PREFIXES}', tokenize='unicode61 remove_diacritics 2')`,
        )
      }
      engine.afterUnit(committed => void (committed && columns.set(index, [...fields])))
      return made
    },
    put: async (index, key, document) => {
      const fields = await fieldsOf(index)
      const values = fields.map(field => separate(document[field] ?? ''))
      await engine
        .prepare(
          `replace into ${tableOf(index)} (rowid, ${fields.join(', ')}) values (?${', ?'.repeat(fields.length)})`,
        )
        .run([key, ...values])
    },
    remove: async (index, key) => {
      await engine.prepare(`delete from ${tableOf(index)} where rowid = ?`).run([key])
    },
    query: async (index, terms, options) => {
      const match = expression(terms)
      if (match === '' || options.among?.length === 0) return []
      const { sql, values } = select(tableOf(index), match, options)
      const rows = engine.inUnit() ? await engine.prepare(sql).all(values) : await engine.offload(sql, values)
      return rows.map(row => Number(row['key']))
    },
  }
}

/** Lengths of beginnings of words that are kept beside the words. */
const PREFIXES = '3'

/** Numbers are bound as doubles, and FTS5 takes no account of a row id that is not an integer: any row would do. */
const KEY = 'cast(? as integer)'

function select(table: string, match: string, options: SearchOptions): { sql: string; values: SqlValue[] } {
  const { limit, order = 'descending', after, among } = options
  const values: SqlValue[] = [match]
  let sql = `select rowid as key from ${table} where ${table} match ?`
  if (after !== undefined) {
    sql += ` and rowid ${order === 'ascending' ? '>' : '<'} ${KEY}`
    values.push(after)
  }
  if (among !== undefined) {
    const keys = among.slice(0, MAX_AMONG)
    sql += ` and rowid in (${keys.map(() => KEY).join(', ')})`
    values.push(...keys)
  }
  sql += ` order by rowid ${order === 'ascending' ? 'asc' : 'desc'} limit ?`
  values.push(Math.max(0, Math.min(limit, MAX_RESULTS)))
  return { sql, values }
}

function tableOf(index: string): string {
  return `mox_search_${checkName(index)}`
}

/** Names go into SQL. */
function checkName(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) throw new Error('search: names are lower-case words')
  return name
}

/** An FTS5 expression; '' when nothing must be there. */
function expression(terms: readonly SearchTerm[]): string {
  const wanted: string[] = []
  const unwanted: string[] = []
  for (const term of terms.slice(0, MAX_TERMS)) {
    const text = phrase(term)
    if (text !== '') (term.not ? unwanted : wanted).push(text)
  }
  if (wanted.length === 0) return ''
  const all = wanted.join(' AND ')
  return unwanted.length === 0 ? all : `(${all}) NOT (${unwanted.join(' OR ')})`
}

/** A term as an FTS5 string: nothing in it is an operator. */
function phrase({ text, prefix, field }: SearchTerm): string {
  const words = separate(text.slice(0, MAX_TERM_LENGTH)).replaceAll('"', ' ').replaceAll('\0', ' ').trim()
  if (!/[\p{L}\p{N}]/u.test(words)) return ''
  return `${field === undefined ? '' : `${checkName(field)} : `}"${words}"${prefix ? ' *' : ''}`
}

/** Scripts that are written without spaces, for which each character is a word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu

function separate(text: string): string {
  return /[^\x00-\u0dff]/.test(text) ? text.replace(UNSPACED, ' $& ') : text
}
