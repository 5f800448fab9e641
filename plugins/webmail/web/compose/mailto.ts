// mailto: URLs (RFC 6068): only addresses, subject and body are taken; the user sends, nobody else.
import { MAX_ENTRIES, MAX_LINE, oneLine, splitAddresses } from './addresses.ts'

export interface Mailto {
  readonly to: string[]
  readonly cc: string[]
  readonly bcc: string[]
  readonly subject: string
  readonly text: string
}

/** Characters that are looked at. */
const LENGTH = 100_000

export function parseMailto(url: string): Mailto {
  const rest = url.slice(0, LENGTH).replace(/^mailto:/i, '')
  const [path = '', query = ''] = split(rest)
  const found = { to: addresses(path), cc: [] as string[], bcc: [] as string[], subject: '', text: '' }
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=')
    const value = decode(pair.slice(at + 1))
    const name = at < 0 ? '' : decode(pair.slice(0, at)).toLowerCase()
    if (name === 'to' || name === 'cc' || name === 'bcc') found[name] = [...found[name], ...splitAddresses(value)]
    else if (name === 'subject') found.subject = oneLine(value).slice(0, 998)
    else if (name === 'body') found.text = value.replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
  }
  const [to, cc, bcc] = [found.to, found.cc, found.bcc].map(list => list.slice(0, MAX_ENTRIES))
  return { ...found, to: to ?? [], cc: cc ?? [], bcc: bcc ?? [] }
}

function split(text: string): [string, string] {
  const at = text.indexOf('?')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).replace(/#.*$/s, '')]
}

function addresses(path: string): string[] {
  // Commas that separate are not encoded.
  return path
    .split(',')
    .map(part => oneLine(decode(part)).trim().slice(0, MAX_LINE))
    .filter(part => part !== '')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
