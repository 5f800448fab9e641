// The text of a message, taken apart for showing: quotes by their level, links, addresses. Pure, and linear in the length of
// the text, which a stranger chose.
import { LINK, withoutEnd } from '../../src/api/links.ts'

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'quote'; readonly level: number; readonly lines: number; readonly blocks: readonly Block[] }

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }
  | { readonly kind: 'address'; readonly text: string; readonly address: string }

/** Levels that are told apart; deeper quotes are of the deepest. */
export const QUOTE_LEVELS = 8
/** Links and addresses that can be clicked in one text; what follows is plain. */
export const MAX_LINKS = 2_000

const MARKS = /^>[> ]*/

/** How often a line was quoted: ">" at its beginning, whatever spaces are between. */
export function quoteLevel(line: string): number {
  const marks = MARKS.exec(line)?.[0] ?? ''
  return Math.min(marks.split('>').length - 1, QUOTE_LEVELS)
}

interface OpenQuote {
  readonly level: number
  readonly blocks: Block[]
  lines: number
}

/** Cuts a text into what was written and what is quoted. All characters stay, but for the line ends around quotes. */
export function blocksOf(text: string): readonly Block[] {
  const stack: OpenQuote[] = [{ level: 0, blocks: [], lines: 0 }]
  let run: string[] = []
  const top = (): OpenQuote => stack.at(-1) as OpenQuote
  const endRun = (): void => {
    if (run.length > 0) top().blocks.push({ kind: 'text', text: run.join('\n') })
    top().lines += run.length
    run = []
  }
  const goTo = (level: number): void => {
    endRun()
    while (stack.length - 1 > level) {
      const closed = stack.pop() as OpenQuote
      top().blocks.push({ kind: 'quote', level: closed.level, lines: closed.lines, blocks: closed.blocks })
      top().lines += closed.lines
    }
    while (stack.length - 1 < level) stack.push({ level: stack.length, blocks: [], lines: 0 })
  }
  for (const line of text.split('\n')) {
    const level = quoteLevel(line)
    if (level !== stack.length - 1) goTo(level)
    run.push(line)
  }
  goTo(0)
  return top().blocks
}

// Each part has a length, and an address begins where no character of an address stands before, so that no text makes it slow.
const ADDRESS =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,62})\.){1,8}[\p{L}\p{M}]{2,24}(?![\p{L}\p{N}@-])/giu
const EITHER = new RegExp(`${LINK.source}|${ADDRESS.source}`, 'giu')

/** Cuts a text at links and addresses; the pieces together are the text. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let links = 0
  for (const match of text.matchAll(EITHER)) {
    if (links === MAX_LINKS) break
    const found = linkOf(withoutEnd(match[0]))
    if (found === undefined) continue
    if (match.index > at) pieces.push({ kind: 'text', text: text.slice(at, match.index) })
    pieces.push(found)
    at = match.index + found.text.length
    links++
  }
  if (at < text.length) pieces.push({ kind: 'text', text: text.slice(at) })
  return pieces
}

function linkOf(text: string): Piece | undefined {
  if (/^https?:/i.test(text)) {
    const href = webUrl(text)
    return href === undefined ? undefined : { kind: 'link', text, href }
  }
  if (/^mailto:./i.test(text)) return { kind: 'address', text, address: text }
  return text.includes('@') ? { kind: 'address', text, address: `mailto:${encodeURIComponent(text)}` } : undefined
}

/** The address of a page on the web, as a browser would go to it; undefined for anything else. */
export function webUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, href } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' ? href : undefined
}

/** Where a link really goes, where its text could hide that: a host that is not written in ASCII, or what looks like one. */
export function hiddenHost(text: string, href: string): string {
  const { hostname, username } = new URL(href)
  return username !== '' || !text.toLowerCase().includes(hostname) ? hostname : ''
}
