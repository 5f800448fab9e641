// Who wrote to whom, as lists show it and search looks for it: taken from the header section once, kept as columns.
// Cut to fixed lengths; nothing throws.
import { type Head, type NameAddress, parseAddressList, pathToString } from '@mox/plugin-sdk/mail'
import type { MessageRow } from './schema.ts'

/** Addresses that are kept of one field, and characters of a name or address. */
export const LIST_ADDRESSES = 30
export const LIST_NAME_LENGTH = 200
/** Characters of a field that are looked at, and of all names and addresses, or names of files, that are searched. */
const FIELD_LENGTH = 10_000
export const SEARCH_LENGTH = 4_000

export interface Correspondents {
  readonly from: readonly NameAddress[]
  readonly to: readonly NameAddress[]
  readonly cc: readonly NameAddress[]
  readonly bcc: readonly NameAddress[]
}

const FIELDS = ['from', 'to', 'cc', 'bcc'] as const

export function correspondentColumns(head: Head): Pick<MessageRow, 'correspondents' | 'from_search' | 'to_search'> {
  const [from = [], to = [], cc = [], bcc = []] = FIELDS.map(name => addresses(head, name))
  const pairs = [from, to, cc, bcc].map(list => list.map(({ name, address }) => [name, address]))
  return {
    correspondents: JSON.stringify(pairs),
    from_search: searchable(from),
    to_search: searchable([...to, ...cc, ...bcc]),
  }
}

export function readCorrespondents(column: string): Correspondents {
  const pairs = column === '' ? [] : (JSON.parse(column) as [string, string][][])
  const [from = [], to = [], cc = [], bcc = []] = pairs.map(list => list.map(([name, address]) => ({ name, address })))
  return { from, to, cc, bcc }
}

/** The same for what is looked for and what it is looked for in. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

function searchable(list: readonly NameAddress[]): string {
  return fold(list.map(({ name, address }) => (name === '' ? address : `${name}\n${address}`)).join('\n'))
    .slice(0, SEARCH_LENGTH)
    .toWellFormed()
}

function addresses(head: Head, name: string): NameAddress[] {
  const found: NameAddress[] = []
  for (const { value } of head.all(name))
    for (const entry of parseAddressList(value.slice(0, FIELD_LENGTH))) {
      if (found.length === LIST_ADDRESSES) return found
      const address = entry.address === null ? '' : pathToString(entry.address)
      if (entry.name === '' && address === '') continue
      found.push({ name: cut(entry.name), address: cut(address) })
    }
  return found
}

function cut(text: string): string {
  return text.length <= LIST_NAME_LENGTH ? text : text.slice(0, LIST_NAME_LENGTH).toWellFormed()
}
