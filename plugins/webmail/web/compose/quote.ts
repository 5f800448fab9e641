// The text that a new message begins with: quote, signature, what is forwarded; and where the cursor stands in it.
import type { NameAddress, OpenedMessage, Settings } from '../../src/api/model.ts'
import { formatTyped } from './addresses.ts'

export interface Begun {
  readonly text: string
  readonly cursor: number
}

export type Original = Pick<
  OpenedMessage,
  'from' | 'replyTo' | 'to' | 'cc' | 'subject' | 'date' | 'receivedAt' | 'texts'
>

/** Characters of a text that an answer begins with. */
export const QUOTE_LENGTH = 200_000
/** Lines of it: each becomes longer by being quoted. */
const QUOTE_LINES = 20_000
/** Characters of the recipients of what is forwarded. */
const BOXES_LENGTH = 20_000
const CUT = '[The rest is left out. “Forward as attachment” takes the whole message.]'

/** What of a long text goes into an answer: whole lines, and one that says so. */
export function cut(text: string): string {
  const kept = text.slice(0, QUOTE_LENGTH).split('\n', QUOTE_LINES).join('\n')
  if (kept.length === text.length) return text
  const end = kept.lastIndexOf('\n')
  return `${end > 0 ? kept.slice(0, end) : kept}\n${CUT}`
}

/** CR removed, at most one empty line in a row, no empty lines around. */
export function tidy(text: string): string {
  return text
    .replaceAll('\r', '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

export function quoted(text: string): string {
  return tidy(text)
    .split('\n')
    .map(line => (line.startsWith('>') ? `>${line}` : line === '' ? '>' : `> ${line}`))
    .join('\n')
}

/** `selection`: what the reader marked; '' for none. `text`: the message's, which HTML was turned into if it has no other. */
export function beginAnswer(
  original: Original,
  text: string,
  options: { readonly selection: string; readonly quoting: Settings['quoting']; readonly signature: string },
): Begun {
  const source = cut(options.selection === '' ? text : options.selection)
  const quote = source.trim() === '' ? '' : quoted(source)
  const signature = options.signature === '' ? '' : `${options.signature.trimEnd()}\n`
  const below = options.quoting === 'bottom' || (options.quoting === 'auto' && options.selection !== '')
  if (below) {
    const before = quote === '' ? '' : `${quote}\n\n`
    return { text: `${before}\n${signature === '' ? '' : `\n${signature}`}`, cursor: before.length }
  }
  const [author] = original.from
  const said =
    author === undefined || original.from.length > 1 ? '' : `On ${when(original)}, ${nameOf(author)} wrote:\n`
  return {
    text: `\n\n${signature === '' ? '' : `${signature}\n`}${quote === '' ? '' : `${said}${quote}\n`}`,
    cursor: 0,
  }
}

const LABEL_WIDTH = 10

export function beginForward(original: Original, text: string, signature: string): Begun {
  const fields: readonly (readonly [string, string])[] = [
    ['Subject:', original.subject],
    ['Date:', when(original)],
    ['From:', boxes(original.from)],
    ['Reply-To:', boxes(original.replyTo)],
    ['To:', boxes(original.to)],
    ['Cc:', boxes(original.cc)],
  ]
  const shown = fields.filter(([, value]) => value !== '').map(([name, value]) => `${name.padEnd(LABEL_WIDTH)}${value}`)
  const head = signature === '' ? '\n\n' : `\n\n${signature.trimEnd()}\n\n`
  return { text: `${head}---- Forwarded Message ----\n\n${shown.join('\n')}\n\n${tidy(cut(text))}\n`, cursor: 0 }
}

export function beginNew(signature: string, text = ''): Begun {
  return { text: `${text}${signature === '' ? '' : `\n\n${signature.trimEnd()}\n`}`, cursor: text.length }
}

/** As a line; of very many, those that have room. */
function boxes(list: readonly NameAddress[]): string {
  const line = list.map(formatTyped).join(', ')
  return line.length > BOXES_LENGTH ? `${line.slice(0, line.lastIndexOf(', ', BOXES_LENGTH))}, …` : line
}

function nameOf({ name, address }: NameAddress): string {
  return name === '' ? address : name
}

function when({ date, receivedAt }: Pick<Original, 'date' | 'receivedAt'>): string {
  const at = new Date(date ?? receivedAt)
  const day = at.toLocaleDateString(undefined, { year: 'numeric', month: 'long', day: 'numeric' })
  return `${day} at ${at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}`
}
