// What a list asks for, as conditions on columns, terms of the search index, and what only the message itself can tell.
// Nothing throws: a label that cannot be one matches nothing.
import type { SearchTerm } from '@mox/plugin-sdk'
import type { Head, MessageFilter, TextCondition } from '@mox/plugin-sdk/mail'
import { decodeWords } from '@mox/plugin-sdk/mail'
import { fold } from './correspondents.ts'
import { flagColumns, parseWords } from './flags.ts'
import { accountWord, fieldWord } from './indexer.ts'
import type { ListedRow } from './listing.ts'
import { partTerms } from './parts.ts'
import type { Query } from './query.ts'

export interface CompiledFilter {
  /** There are conditions on columns. */
  readonly narrows: boolean
  /** Adds the conditions on columns; they may let through a little too much. */
  where(query: Query): void
  /** Looks again at what the columns let through. */
  check(row: ListedRow): boolean
  /** Terms of the search index; empty when it need not be asked. */
  readonly terms: readonly SearchTerm[]
  /** Asks for what is known only once a message was read. */
  readonly needsDigest: boolean
  /** Whether the header section must be read. */
  readonly needsHead: boolean
  checkHead(head: Head): boolean
}

type Where = (query: Query) => void
type Check = (row: ListedRow) => boolean
type SearchColumn = 'from_search' | 'to_search' | 'subject_search' | 'files_search'

/** What is long enough to be the beginning of a word: shorter ones begin too many. */
const BEGINNING = /[\p{L}\p{M}\p{N}]{3}$/u

export function compileFilter(filter: MessageFilter, account: number, searchable: boolean): CompiledFilter {
  const wheres: Where[] = []
  const checks: Check[] = []
  const words = filter.words ?? []
  const parts: SearchTerm[] = []
  for (const [column, field, conditions] of [
    ['from_search', 'sender', filter.from],
    ['to_search', 'recipients', filter.to],
    ['subject_search', 'subject', filter.subject],
    ['files_search', 'files', filter.files],
  ] as const)
    for (const condition of conditions ?? []) {
      addText(wheres, checks, [column], condition)
      // What must not be there does not lead to what is, and a hash may be that of something else.
      if (searchable && !condition.not) for (const text of partTerms(fold(condition.text))) parts.push({ text, field })
    }
  if (!searchable)
    for (const word of words) addText(wheres, checks, ['subject_search', 'from_search', 'to_search'], word)
  for (const label of filter.labels ?? []) wheres.push(labelWhere(label))
  for (const { kind, not } of filter.attachments ?? []) wheres.push(attachmentWhere(kind, not))
  for (const { kind, not } of filter.bodies ?? [])
    wheres.push(query => query.where('bodies', not ? 'not like' : 'like', `% ${kind} %`))
  const { start, end, sentStart, sentEnd, minSize, maxSize } = filter
  if (start !== undefined) wheres.push(query => query.where('received_at', '>=', start))
  if (end !== undefined) wheres.push(query => query.where('received_at', '<', end))
  if (sentStart !== undefined) wheres.push(query => query.where('sent_at', '>=', sentStart))
  if (sentEnd !== undefined) wheres.push(query => query.where('sent_at', '<', sentEnd))
  if (minSize !== undefined) wheres.push(query => query.where('size', '>=', minSize))
  if (maxSize !== undefined) wheres.push(query => query.where('size', '<=', maxSize))
  const headers = filter.headers ?? []
  const terms: SearchTerm[] = []
  if (searchable && (words.length > 0 || headers.length > 0 || parts.length > 0)) {
    terms.push({ text: accountWord(account), field: 'account' })
    for (const { text, phrase, not } of words)
      terms.push({ text, prefix: !phrase && BEGINNING.test(text), not, field: 'text' })
    for (const { name } of headers) terms.push({ text: fieldWord(name), field: 'fields' })
    // Last: should the terms be too many, those that only lead faster to what is looked at again are left out.
    terms.push(...parts)
  }
  return {
    narrows: wheres.length > 0,
    where: query => {
      for (const where of wheres) where(query)
    },
    check: row => checks.every(check => check(row)),
    terms,
    needsDigest:
      terms.length > 0 ||
      [words, headers, filter.attachments, filter.files, filter.bodies].some(list => (list ?? []).length > 0),
    needsHead: headers.length > 0,
    checkHead: head => headers.every(({ name, value }) => hasField(head, name, fold(value))),
  }
}

/** Wildcards of LIKE become "any character", and what came through is looked at again. */
function addText(
  wheres: Where[],
  checks: Check[],
  columns: readonly SearchColumn[],
  { text, not }: TextCondition,
): void {
  const needle = fold(text)
  const special = /[%_\\]/.test(needle)
  const pattern = `%${needle.replace(/[%_\\]/g, '_')}%`
  if (special) checks.push(row => columns.some(column => row[column].includes(needle)) !== not)
  if (!not)
    wheres.push(query =>
      query.where((any: Query) => {
        for (const column of columns) any.orWhere(column, 'like', pattern)
      }),
    )
  else if (!special)
    wheres.push(query => {
      for (const column of columns) query.where(column, 'not like', pattern)
    })
}

function labelWhere({ text, not }: TextCondition): Where {
  const { flags, keywords } = parseWords([text])
  const columns = flagColumns(Object.fromEntries(flags.map(flag => [flag, !not])))
  const [keyword] = keywords
  return query => {
    // "_" of a keyword is a wildcard for one character, which no other character of the list would fit but in odd keywords.
    if (keyword !== undefined) query.where('keywords', not ? 'not like' : 'like', `% ${keyword} %`)
    else if (flags.length > 0) query.where(columns)
    else if (!not) query.whereIn('id', [])
  }
}

function attachmentWhere(kind: string, not: boolean): Where {
  if (kind === 'any' || kind === 'none') {
    const some = (kind === 'any') !== not
    return query => (some ? query.whereNot('attachments', '') : query.where('attachments', ''))
  }
  return query => query.where('attachments', not ? 'not like' : 'like', `% ${kind} %`)
}

function hasField(head: Head, name: string, value: string): boolean {
  return head.all(name).some(field => value === '' || fold(decodeWords(field.value)).includes(value))
}
