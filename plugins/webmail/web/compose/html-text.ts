// The plain text of rich text: what is sent beside the HTML, for those who read text. Works on a tree, so that it can be
// tested without a browser.
import { originalLink } from '../../src/api/links.ts'

/** The part of a DOM node that is looked at. */
export interface TextNode {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: ArrayLike<TextNode>
  getAttribute?(name: string): string | null
}

const TEXT = 3
/** Elements that begin on a line of their own. */
export const BLOCKS: ReadonlySet<string> = new Set(
  'P DIV H1 H2 H3 H4 H5 H6 PRE TABLE CAPTION TR UL OL HR DL DT DD SECTION ARTICLE HEADER FOOTER MAIN ASIDE NAV CENTER ADDRESS FIGURE FIGCAPTION'.split(
    ' ',
  ),
)
/** Elements that stand beside each other on a line. */
export const CELLS: ReadonlySet<string> = new Set(['TD', 'TH'])

/** What is below is left out: nobody nests so deep by hand. */
const DEPTH = 200

export function textOf(root: TextNode): string {
  // Line by line: an expression that looks for spaces before line ends takes very long on many spaces.
  return lines(root, 0, false)
    .map(line => {
      const plain = line.replaceAll('\u00a0', ' ')
      // What begins a signature (RFC 3676 §4.3) is nothing without its space.
      return plain === '-- ' ? plain : plain.trimEnd()
    })
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
}

/** `inline`: what is before and after stands on the same line, so that spaces at the ends count. */
function lines(node: TextNode, depth: number, inline: boolean): string[] {
  const out: string[] = ['']
  if (depth > DEPTH) return out
  const add = (text: string): void => {
    const line = out.at(-1) ?? ''
    const begins = (line === '' && (!inline || out.length > 1)) || line.endsWith(' ')
    out[out.length - 1] = line + (begins && text.startsWith(' ') ? text.slice(1) : text)
  }
  const block = (inner: readonly string[], apart: boolean): void => {
    if (out.at(-1)?.trim() === '') out.pop()
    if (apart && out.length > 0 && out.at(-1) !== '') out.push('')
    for (const line of inner) out.push(line)
    if (apart) out.push('')
    out.push('')
  }
  let number = 0
  for (const child of Array.from(node.childNodes)) {
    const name = child.nodeName.toUpperCase()
    if (child.nodeType === TEXT) add((child.textContent ?? '').replace(/[ \t\n\r]+/g, ' '))
    else if (name === 'BR') out.push('')
    else if (name === 'HR') block(['-'.repeat(20)], false)
    else if (name === 'BLOCKQUOTE')
      block(
        trimmed(lines(child, depth + 1, false)).map(line =>
          line === '' || line.startsWith('>') ? `>${line}` : `> ${line}`,
        ),
        false,
      )
    else if (name === 'LI') {
      number++
      const mark = node.nodeName.toUpperCase() === 'OL' ? `${number}. ` : '* '
      const inner = trimmed(lines(child, depth + 1, false))
      block(
        inner.map((line, i) => (line === '' && i > 0 ? '' : `${i === 0 ? mark : ' '.repeat(mark.length)}${line}`)),
        false,
      )
    } else if (name === 'PRE') block((child.textContent ?? '').split('\n'), true)
    else if (BLOCKS.has(name))
      block(trimmed(lines(child, depth + 1, false)), APART.test(name) && node.nodeName !== 'LI')
    else {
      if (CELLS.has(name) && out.at(-1)?.trim()) add(' ')
      const inner = lines(child, depth + 1, true)
      const href = name === 'A' ? originalLink(child.getAttribute?.('href') ?? '') : ''
      const text = inner.join('\n').trim()
      if (href !== '' && text !== '' && !sameTarget(href, text)) inner[inner.length - 1] += ` <${href}>`
      const [first = '', ...rest] = inner
      add(first)
      for (const line of rest) out.push(line)
    }
  }
  return out
}

/** Elements with an empty line before and after them. */
const APART = /^(?:P|H[1-6]|UL|OL)$/

/** Whether the text of a link says already where it leads. */
function sameTarget(href: string, text: string): boolean {
  const bare = (url: string): string => url.replace(/^(?:mailto:|https?:\/\/)/i, '').replace(/\/$/, '')
  return bare(href) === bare(text)
}

/** Without empty lines around. */
function trimmed(list: readonly string[]): string[] {
  const start = list.findIndex(line => line.trim() !== '')
  const end = list.findLastIndex(line => line.trim() !== '')
  return start < 0 ? [''] : list.slice(start, end + 1)
}

/** Quotes in quotes that are shown as such; deeper ones keep their signs. */
const LEVELS = 10

const MARKS = new RegExp(`^(?:> ?){0,${LEVELS}}`)

/** The HTML of a plain text, quotes as such: what rich text begins with. */
export function htmlOf(text: string): string {
  const out: string[] = []
  let level = 0
  for (const line of text.split('\n')) {
    const marks = MARKS.exec(line)?.[0] ?? ''
    const wanted = marks.split('>').length - 1
    for (; level < wanted; level++) out.push('<blockquote>')
    for (; level > wanted; level--) out.push('</blockquote>')
    const rest = escaped(line.slice(marks.length))
    out.push(`<div>${rest === '' ? '<br>' : rest}</div>`)
  }
  for (; level > 0; level--) out.push('</blockquote>')
  return out.join('')
}

function escaped(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  // Spaces in a row, and those that begin a line, are kept.
  return safe.replace(/^ | (?= )/g, '&nbsp;')
}
