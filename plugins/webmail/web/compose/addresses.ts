// Addresses as people type and paste them: "Ann <ann@example.org>", lists with commas and semicolons, "team: a@…, b@…;".

export interface Typed {
  readonly name: string
  /** "local@domain". */
  readonly address: string
}

/** Splits at commas, semicolons and line ends that stand outside of quotes and brackets. The name of a group is left out. */
export function splitAddresses(text: string): string[] {
  const found: string[] = []
  let entry = ''
  let quoted = false
  let angle = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (quoted) {
      entry += c
      if (c === '\\') entry += text.charAt(++i)
      else if (c === '"') quoted = false
    } else if (c === '"' && entry.trim() === '') {
      quoted = true
      entry += c
    } else if (c === '<' || c === '>') {
      angle = c === '<'
      entry += c
    } else if (!angle && (c === ',' || c === ';' || c === '\n')) {
      found.push(entry)
      entry = ''
    } else if (!angle && c === ':' && !entry.includes('@')) entry = ''
    else if (c !== '\r') entry += c
  }
  return [...found, entry].map(e => e.trim()).filter(e => e !== '')
}

const ADDRESS = /^[^\s@<>(),;:"]+@[^\s@<>(),;:"]+$|^"(?:[^"\\]|\\.)+"@[^\s@<>(),;:"]+$/

/** Undefined when it cannot be an address; the server judges by the strict rules. */
export function parseTyped(text: string): Typed | undefined {
  const trimmed = text.trim()
  const [, before = '', inside = ''] = /^(.*?)\s*<([^<>]*)>$/s.exec(trimmed) ?? []
  const address = inside === '' ? trimmed : inside.trim()
  if (!ADDRESS.test(address) || address.length > 320) return undefined
  const name = before.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1')
  return { name, address }
}

/** As a line of a draft. */
export function formatTyped({ name, address }: Typed): string {
  if (name === '') return address
  const plain = /^[^"\\,;:<>()@[\]]+$/.test(name)
  return `${plain ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${address}>`
}

export function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
