// Lines of iCalendar (RFC 5545 §3.1): unfolded, taken apart into name, parameters and value, in components. Lenient and bounded;
// nothing throws.

/** Characters of a calendar that are looked at, lines of it, and components inside each other. */
export const CALENDAR_LENGTH: number = 256 * 1024
export const CALENDAR_LINES = 5_000
export const DEPTH = 8
/** Characters of a line. */
const LINE_LENGTH = 20_000

export interface Property {
  /** In upper case. */
  readonly name: string
  /** Names in upper case. */
  readonly params: ReadonlyMap<string, string>
  readonly value: string
}

export interface Component {
  /** "VEVENT", in upper case. */
  readonly name: string
  readonly properties: Property[]
  readonly components: Component[]
}

/** The components of a text, those of the top level first. */
export function parseComponents(text: string): readonly Component[] {
  const root: Component = { name: '', properties: [], components: [] }
  const stack = [root]
  /** Components that are left out because they are too deep. */
  let skipped = 0
  const lines = text
    .slice(0, CALENDAR_LENGTH)
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/, CALENDAR_LINES)
  for (const line of lines) {
    const property = parseLine(line.slice(0, LINE_LENGTH))
    if (property === undefined) continue
    const top = stack.at(-1) ?? root
    if (property.name === 'BEGIN') {
      if (skipped > 0 || stack.length > DEPTH) skipped++
      else {
        const component = { name: property.value.trim().toUpperCase(), properties: [], components: [] }
        top.components.push(component)
        stack.push(component)
      }
    } else if (property.name === 'END') {
      if (skipped > 0) skipped--
      else if (stack.length > 1) stack.pop()
    } else if (skipped === 0) top.properties.push(property)
  }
  return root.components
}

/** NAME;PARAM="a:b";OTHER=c:value */
function parseLine(line: string): Property | undefined {
  const colon = outsideQuotes(line, ':')[0]
  if (colon === undefined) return undefined
  const head = line.slice(0, colon)
  let from = 0
  const pieces = [...outsideQuotes(head, ';'), head.length].map(to => {
    const piece = head.slice(from, to)
    from = to + 1
    return piece
  })
  const [name = '', ...params] = pieces
  if (!/^[A-Za-z0-9-]{1,60}$/.test(name)) return undefined
  const pairs = params.slice(0, 20).map((param): [string, string] => {
    const at = param.indexOf('=')
    return [param.slice(0, Math.max(at, 0)).toUpperCase(), param.slice(at + 1).replaceAll('"', '')]
  })
  return { name: name.toUpperCase(), params: new Map(pairs), value: line.slice(colon + 1) }
}

function outsideQuotes(text: string, char: string): number[] {
  const found: number[] = []
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted
    else if (!quoted && text[i] === char) {
      found.push(i)
      if (char === ':') break
    }
  }
  return found
}

export function propertyOf(component: Component, name: string): Property | undefined {
  return component.properties.find(p => p.name === name)
}

/** RFC 5545 §3.3.11, without control characters; '' for none. */
export function textOf(component: Component, name: string, length: number): string {
  const value = propertyOf(component, name)?.value ?? ''
  return value
    .slice(0, 2 * length)
    .replace(/\\([\\;,nN])/g, (_, char: string) => (char === 'n' || char === 'N' ? '\n' : char))
    .replace(/[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, ' ')
    .trim()
    .slice(0, length)
}
