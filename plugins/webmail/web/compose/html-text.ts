// The plain text of rich text: what is sent beside the HTML, for those who read text. Works on a tree, so that it can be
// tested without a browser.

/** The part of a DOM node that is looked at. */
export interface TextNode {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: ArrayLike<TextNode>
  getAttribute?(name: string): string | null
}

const TEXT = 3
const BLOCKS = new Set(['P', 'DIV', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'PRE', 'TABLE', 'TR', 'UL', 'OL', 'HR'])

export function textOf(root: TextNode): string {
  return lines(root)
    .join('\n')
    .replace(/\u00a0/g, ' ')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function lines(node: TextNode): string[] {
  const out: string[] = ['']
  const add = (text: string): void => {
    out[out.length - 1] += text
  }
  const block = (inner: readonly string[], apart: boolean): void => {
    if (out.at(-1) !== '') out.push('')
    if (apart && out.length > 1 && out.at(-2) !== '') out.push('')
    out.splice(out.length - 1, 1, ...inner)
    out.push('')
    if (apart) out.push('')
  }
  let number = 0
  for (const child of Array.from(node.childNodes)) {
    const name = child.nodeName.toUpperCase()
    if (child.nodeType === TEXT) add((child.textContent ?? '').replace(/[ \t\n\r]+/g, ' '))
    else if (name === 'BR') out.push('')
    else if (name === 'HR') block(['-'.repeat(20)], false)
    else if (name === 'BLOCKQUOTE')
      block(
        trimmed(lines(child)).map(line => (line === '' ? '>' : `> ${line}`)),
        false,
      )
    else if (name === 'LI') {
      number++
      const mark = node.nodeName.toUpperCase() === 'OL' ? `${number}. ` : '* '
      const inner = trimmed(lines(child))
      block(
        inner.map((line, i) => `${i === 0 ? mark : ' '.repeat(mark.length)}${line}`),
        false,
      )
    } else if (name === 'PRE') block((child.textContent ?? '').split('\n'), true)
    else if (BLOCKS.has(name))
      block(trimmed(lines(child)), name === 'P' || /^H\d$/.test(name) || name === 'UL' || name === 'OL')
    else {
      const inner = lines(child)
      const href = name === 'A' ? (child.getAttribute?.('href') ?? '') : ''
      const text = inner.join('\n')
      const shown = href === '' || href === text || href === `mailto:${text}` ? text : `${text} <${href}>`
      const [first = '', ...rest] = shown.split('\n')
      add(first)
      out.push(...rest)
    }
  }
  return out
}

function trimmed(list: readonly string[]): string[] {
  const start = list.findIndex(line => line.trim() !== '')
  const end = list.findLastIndex(line => line.trim() !== '')
  return start < 0 ? [''] : list.slice(start, end + 1).map((line, i) => (i === 0 ? line.trimStart() : line))
}

/** The HTML of a plain text, quotes as such: what rich text begins with. */
export function htmlOf(text: string): string {
  const out: string[] = []
  let level = 0
  for (const line of text.split('\n')) {
    const marks = /^(?:>\s?)*/.exec(line)?.[0] ?? ''
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
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
