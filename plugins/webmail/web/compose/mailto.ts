// mailto: URLs (RFC 6068): only addresses, subject and body are taken; the user sends, nobody else.
import { splitAddresses } from './addresses.ts'

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
    if (name === 'to' || name === 'cc' || name === 'bcc') found[name].push(...splitAddresses(value).map(oneLine))
    else if (name === 'subject') found.subject = oneLine(value).slice(0, 998)
    else if (name === 'body') found.text = value.replace(/\r\n?/g, '\n')
  }
  return found
}

function split(text: string): [string, string] {
  const at = text.indexOf('?')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).replace(/#.*$/s, '')]
}

function addresses(path: string): string[] {
  // Commas that separate are not encoded.
  return path
    .split(',')
    .map(part => oneLine(decode(part)).trim())
    .filter(part => part !== '')
}

function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
