// Bounds how deep elements stand inside each other, before anything that keeps a stack of them reads the HTML: what is deeper
// loses its tags and keeps its text. One pass; the stack here is the bounded one.

const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))
/** Their content is text. */
const RAW = new Set('script style title textarea xmp iframe noembed noframes'.split(' '))
/** What the start tag of an element ends, when it is the innermost open one. */
const ENDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['p', new Set(['p'])],
  ['li', new Set(['li'])],
  ['dt', new Set(['dt', 'dd'])],
  ['dd', new Set(['dt', 'dd'])],
  ['tr', new Set(['tr', 'td', 'th'])],
  ['td', new Set(['td', 'th'])],
  ['th', new Set(['td', 'th'])],
  ['option', new Set(['option'])],
])
const NAME = /[a-z][^\s/>]{0,60}/iy

export function boundNesting(html: string, most: number): string {
  const out: string[] = []
  const stack: string[] = []
  /** Start tags left out whose end tags are left out too. */
  const dropped = new Map<string, number>()
  let kept = 0
  const drop = (from: number, to: number): void => {
    out.push(html.slice(kept, from))
    kept = to
  }
  for (let at = html.indexOf('<'); at >= 0; ) {
    const closing = html[at + 1] === '/'
    NAME.lastIndex = at + (closing ? 2 : 1)
    const name = NAME.exec(html)?.[0].toLowerCase()
    if (name === undefined) {
      at = html.indexOf('<', afterMarkup(html, at))
      continue
    }
    const end = afterTag(html, NAME.lastIndex)
    let next = end
    if (closing) {
      const missing = dropped.get(name) ?? 0
      const open = stack.lastIndexOf(name)
      if (missing > 0) {
        dropped.set(name, missing - 1)
        drop(at, end)
      } else if (open >= 0) stack.length = open
    } else if (RAW.has(name)) next = afterRaw(html, name, end)
    else if (!VOID.has(name)) {
      const ends = ENDS.get(name)
      while (ends?.has(stack.at(-1) ?? '')) stack.pop()
      if (stack.length < most) stack.push(name)
      else {
        dropped.set(name, (dropped.get(name) ?? 0) + 1)
        drop(at, end)
      }
    }
    at = html.indexOf('<', next)
  }
  out.push(html.slice(kept))
  return out.join('')
}

/** After the ">" of a tag; one inside of a quoted value does not count. */
function afterTag(html: string, from: number): number {
  let quote = ''
  let before = ''
  for (let at = from; at < html.length; at++) {
    const c = html[at] ?? ''
    if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '>') return at + 1
    else if ((c === '"' || c === "'") && before === '=') quote = c
    if (c > ' ') before = c
  }
  return html.length
}

/** After a comment, a declaration, or a "<" that begins nothing. */
function afterMarkup(html: string, at: number): number {
  const comment = html.startsWith('<!--', at)
  const end = comment ? html.indexOf('-->', at + 2) : /[!?/]/.test(html[at + 1] ?? '') ? html.indexOf('>', at) : at
  return end < 0 ? html.length : end + (comment ? 3 : 1)
}

function afterRaw(html: string, name: string, from: number): number {
  const end = new RegExp(`</${name}(?=[\\s/>])`, 'gi')
  end.lastIndex = from
  return end.exec(html)?.index ?? html.length
}
