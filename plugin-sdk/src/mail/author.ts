// Who wrote a message: the one author function used for every decision, and a lenient reader of address lists for
// display. RFC 5322 §3.4, RFC 6532. Neither throws.
import { isUtf8 } from 'node:buffer'
import { type Path, parseMailbox } from './address.ts'
import type { Head, HeaderField } from './header.ts'
import { ADDRESS_LIST_ENTRIES } from './limits.ts'
import { decodeWords } from './words.ts'

/**
 * The author of a message: its single, strict RFC 5322 mailbox in its single From field; null when in doubt (no or
 * several From fields, several mailboxes, a group, obsolete or malformed syntax, a malformed line that resembles a
 * From field).
 */
export function author(head: Head): Path | null {
  let from: HeaderField | undefined
  for (const field of head.fields) {
    if (field.lower !== 'from') continue
    if (from !== undefined) return null
    from = field
  }
  if (from === undefined || from.spaceBeforeColon || head.hasFromLikeProblem || !isCleanField(from.raw)) return null
  return strictMailbox(from.value)
}

/** Valid UTF-8 without control characters other than tab and the line ends of folding. */
function isCleanField(raw: Buffer): boolean {
  return isUtf8(raw) && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/.test(raw.toString('latin1'))
}

// Each looks at one place (sticky) and stops at the first character that is not its own.
const SPACE = /[ \t]*/y
const ATOMS = /[a-z0-9!#$%&'*+/=?^_`{|}~.\x80-\u{10ffff}-]+/iuy
const QUOTED = /"(?:[^"\\]|\\.)*"/y
const DOMAIN = /\[[^\]\\[]*\]|[^\s<>(),;:"\\[\]@]+/y

/** RFC 5322 §3.4 mailbox, with dots allowed in a display name (§4.1) as everybody writes them; else null. */
function strictMailbox(text: string): Path | null {
  let at = skipComments(text, 0)
  for (let words = 0; at >= 0; words++) {
    if (text[at] === '<') return addrSpec(text, at + 1, '>')
    const end = take(QUOTED, text, at) ?? take(ATOMS, text, at)
    if (end === null) return null
    if (text[end] === '@') return words === 0 ? addrSpec(text, at, '') : null
    at = skipComments(text, end)
  }
  return null
}

/** The addr-spec at `start`, then `closer`, then nothing but comments. */
function addrSpec(text: string, start: number, closer: string): Path | null {
  const local = take(QUOTED, text, start) ?? take(ATOMS, text, start)
  if (local === null || text[local] !== '@') return null
  const end = take(DOMAIN, text, local + 1)
  if (end === null || !text.startsWith(closer, end) || skipComments(text, end + closer.length) !== text.length)
    return null
  const result = parseMailbox(text.slice(start, end), true)
  return result.ok ? result.path : null
}

/** The end of a non-empty match at `at`, or null. */
function take(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) && pattern.lastIndex > at ? pattern.lastIndex : null
}

/** RFC 5322 §3.2.2: the index after white space and (nested) comments, or -1 for an unclosed comment. */
function skipComments(text: string, start: number): number {
  let at = take(SPACE, text, start) ?? start
  while (text[at] === '(') {
    let depth = 0
    do {
      const c = text[at]
      if (c === undefined) return -1
      if (c === '\\') at++
      else if (c === '(') depth++
      else if (c === ')') depth--
      at++
    } while (depth > 0)
    at = take(SPACE, text, at) ?? at
  }
  return at
}

export interface AddressEntry {
  /** Display name, encoded words decoded; '' when there is none. */
  readonly name: string
  /** Null when the text is no address we accept (`name` then has the text), and for a group without members. */
  readonly address: Path | null
  /** Name of the group it stands in. */
  readonly group?: string
}

/**
 * A quoted string (an unclosed one goes on to the end), an address in brackets, a special, or a run of anything else.
 */
const LIST_TOKEN = /"(?:[^"\\]|\\.)*(?:"|\\?$)|<[^<>]*>|[,;:()]|[^"<,;:()]+|</gs

/** The entries of To, Cc and the like, for display, whatever their state; at most ADDRESS_LIST_ENTRIES. */
export function parseAddressList(value: string): AddressEntry[] {
  const reader = new ListReader()
  for (const [token] of value.matchAll(LIST_TOKEN)) {
    reader.take(token)
    if (reader.entries.length >= ADDRESS_LIST_ENTRIES) return reader.entries
  }
  reader.endEntry()
  return reader.entries
}

class ListReader {
  readonly entries: AddressEntry[] = []
  #phrase: string[] = []
  #angle: string | undefined
  #comment: string[] = []
  #depth = 0
  #group: string | undefined
  #groupSize = 0

  take(token: string): void {
    if (token === '(') this.#depth++
    else if (token === ')' && this.#depth > 0) this.#depth--
    else if (this.#depth > 0) this.#comment.push(token)
    else if (token === ',') this.endEntry()
    else if (token === ';') this.#endGroup()
    else if (token === ':' && this.#group === undefined && this.#angle === undefined) {
      this.#group = displayName(this.#phrase)
      this.#groupSize = 0
      this.#phrase = []
    } else if (token.length > 1 && token.startsWith('<')) this.#angle ??= token.slice(1, -1)
    else this.#phrase.push(token)
  }

  endEntry(): void {
    const text = this.#phrase.join('').trim()
    if (this.#angle !== undefined || text !== '') {
      const parsed = parseMailbox((this.#angle ?? text).trim(), true)
      const address = parsed.ok ? parsed.path : null
      const shown = this.#angle === undefined && address !== null ? this.#comment : this.#phrase
      const name = displayName(shown) || (address === null ? (this.#angle ?? '') : '')
      this.entries.push({ name, address, ...(this.#group === undefined ? {} : { group: this.#group }) })
      this.#groupSize++
    }
    this.#phrase = []
    this.#comment = []
    this.#angle = undefined
  }

  #endGroup(): void {
    this.endEntry()
    if (this.#group !== undefined && this.#groupSize === 0) {
      this.entries.push({ name: '', address: null, group: this.#group })
    }
    this.#group = undefined
  }
}

function displayName(tokens: readonly string[]): string {
  const unquoted = tokens.map(token => (/^".+"$/s.test(token) ? token.slice(1, -1).replace(/\\(.)/gs, '$1') : token))
  return decodeWords(unquoted.join('').trim()).replace(/\s+/g, ' ').trim()
}
