// Addresses as people type and paste them: "Ann <ann@example.org>", lists with commas and semicolons, "team: a@…, b@…;".

export interface Typed {
  readonly name: string
  /** "local@domain". */
  readonly address: string
}

/** Characters of an entry, and entries of one field, that a draft has room for. */
export const MAX_LINE = 1_000
export const MAX_ENTRIES = 1_000
/** Characters that no line of a header field may have. */
const CONTROL = /[\x00-\x1f\x7f]+/g

/**
 * Splits at commas and semicolons that stand outside of quotes and brackets, and at line ends. The name of a group is left
 * out. An entry that is longer than a line may be is cut: it is no address in any case.
 */
export function splitAddresses(text: string): string[] {
  const found: string[] = []
  let entry = ''
  let quoted = false
  let angle = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '\n') {
      // A quote or bracket that was never closed does not swallow the lines after it.
      found.push(entry)
      entry = ''
      quoted = angle = false
    } else if (quoted) {
      entry += c
      if (c === '\\') entry += text.charAt(++i)
      else if (c === '"') quoted = false
    } else if (c === '"' && !angle && opensQuote(text, i)) {
      quoted = true
      entry += c
    } else if (c === '<' || c === '>') {
      angle = c === '<'
      entry += c
    } else if (!angle && (c === ',' || c === ';')) {
      found.push(entry)
      entry = ''
    } else if (!angle && c === ':' && !entry.includes('@')) entry = ''
    else entry += c
  }
  return [...found, entry].map(e => oneLine(e).trim().slice(0, MAX_LINE)).filter(e => e !== '')
}

/** Whether text goes on within quotes: a quote begins a word, and one that is within a word means nothing. */
export function inQuotes(text: string): boolean {
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted && beginsWord(text, i)
  }
  return quoted
}

function beginsWord(text: string, at: number): boolean {
  return at === 0 || /[\s,;:]/.test(text.charAt(at - 1))
}

/** One that begins an entry needs no end; inches (`Disk 5" <…>, 3" <…>`) are no quotes. */
function opensQuote(text: string, at: number): boolean {
  if (!beginsWord(text, at)) return false
  const end = text.indexOf('"', at + 1)
  return (
    (end >= 0 && !text.slice(at, end).includes('\n')) || /(?:^|[,;:\n])\s*$/.test(text.slice(Math.max(0, at - 100), at))
  )
}

/** Without line breaks and other control characters, which nothing in a header field may have. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ')
}

const ADDRESS = /^[^\s@<>(),;:"]+@(?:[^\s@<>(),;:"]+|\[[^\s@<>[\]]+\])$|^"(?:[^"\\]|\\.)+"@[^\s@<>(),;:"]+$/

/** Characters of a name; each may need a backslash. */
const MAX_NAME = 300

/** Undefined when it cannot be an address; the server judges by the strict rules. */
export function parseTyped(text: string): Typed | undefined {
  const trimmed = text.trim()
  if (trimmed.length > MAX_LINE) return undefined
  const [, before = '', inside = ''] = /^(.*?)\s*<([^<>]*)>$/s.exec(trimmed) ?? []
  const address = inside === '' ? trimmed : inside.trim()
  if (!ADDRESS.test(address) || address.length > 320) return undefined
  const name = before.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1')
  return { name, address }
}

/** As a line of a draft; a name that has no room in one is cut. */
export function formatTyped({ name: given, address }: Typed): string {
  const name = oneLine(given).trim().slice(0, MAX_NAME)
  if (name === '') return address
  const plain = /^[^"\\,;:<>()@[\]]+$/.test(name)
  return `${plain ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${address}>`
}

export function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
