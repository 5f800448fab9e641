// The address of the page: what is open, so that the browser's back, a bookmark and a new tab find it again.
//   #Inbox   #Inbox,12   #search from:ann,12   #outgoing:   #Inbox,12,compose:ID   #compose mailto:…
// Names are escaped, so that a comma or a colon in a mailbox's name is no separator.

export type Target =
  | { readonly kind: 'mailbox'; readonly mailbox: string }
  | { readonly kind: 'search'; readonly query: string }
  | { readonly kind: 'outgoing' }

export interface Place {
  readonly target: Target
  /** The message that is shown. */
  readonly message?: number
  /** Id of the draft that is being written. */
  readonly draft?: string
}

/** `mailto`: not a place, but a wish to write to somebody. */
export type Route = Place | { readonly mailto: string }

const START: Place = { target: { kind: 'mailbox', mailbox: 'Inbox' } }
const SEARCH = 'search '
const COMPOSE = 'compose '
const OUTGOING = 'outgoing:'

/** Reads "#…"; what makes no sense is Inbox. */
export function parseRoute(hash: string): Route {
  const text = decode(hash.replace(/^#/, ''), false)
  if (text.startsWith(COMPOSE)) {
    const url = text.slice(COMPOSE.length)
    // A browser that hands over a mailto: URL escapes the whole of it; escapes of the URL's own stay.
    return { mailto: url.startsWith('mailto:') ? url : decode(url, true) }
  }
  const [first = '', ...rest] = text.split(',')
  const target = targetOf(first)
  const message = rest.map(Number).find(n => Number.isSafeInteger(n) && n > 0)
  const draft = rest.find(r => r.startsWith('compose:'))?.slice('compose:'.length)
  return {
    target,
    ...(message === undefined ? {} : { message }),
    ...(draft === undefined || draft === '' ? {} : { draft: decode(draft, true) }),
  }
}

function targetOf(text: string): Target {
  if (text === OUTGOING) return { kind: 'outgoing' }
  if (text.startsWith(SEARCH)) return { kind: 'search', query: decode(text.slice(SEARCH.length), true) }
  const mailbox = decode(text, true)
  return mailbox === '' ? START.target : { kind: 'mailbox', mailbox }
}

export function formatPlace({ target, message, draft }: Place): string {
  const parts = [
    target.kind === 'mailbox'
      ? // One that is called "search x" or "compose x" is neither.
        quoted(target.mailbox).replace(/^[sc](?=earch%20|ompose%20)/, first => `%${first.charCodeAt(0).toString(16)}`)
      : target.kind === 'search'
        ? `search%20${quoted(target.query)}`
        : OUTGOING,
  ]
  if (message !== undefined) parts.push(String(message))
  if (draft !== undefined) parts.push(`compose:${quoted(draft)}`)
  return `#${parts.join(',')}`
}

/** All that separates, but leaves what is readable in an address. */
function quoted(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%40', '@')
}

/** Only the space after "search" and "compose" is decoded before splitting. */
function decode(text: string, all: boolean): string {
  if (!all) return text.replace(/^(search|compose)(%20|\+)/, '$1 ')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
