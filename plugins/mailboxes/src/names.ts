// Mailbox names: what is allowed and how they are normalised. Names are paths with "/" and are compared byte by byte after
// normalisation; only Inbox is the same in any case (RFC 9051 §5.1). Nothing throws: a bad name gives a reason.

/** UTF-8 octets of a whole name. */
export const NAME_OCTETS = 500

export type NameResult = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly error: string }

// C0 and C1 controls with DEL, and the two line separators of Unicode.
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/

/** Normalises the first element to "Inbox" and checks the rest. `error` is a fixed text without the name. */
export function mailboxName(text: string): NameResult {
  if (text === '') return bad('empty mailbox name')
  if (Buffer.byteLength(text) > NAME_OCTETS) return bad('mailbox name too long')
  if (!text.isWellFormed()) return bad('mailbox name is not valid Unicode')
  if (text.normalize('NFC') !== text) return bad('mailbox name is not in normalization form C')
  if (CONTROL.test(text)) return bad('control character in mailbox name')
  if (text.startsWith('#')) return bad('mailbox name starts with #')
  if (text.startsWith('/') || text.endsWith('/')) return bad('mailbox name starts or ends with a slash')
  const elements = text.split('/')
  if (elements.includes('')) return bad('double slash in mailbox name')
  if (elements.some(element => element === '.' || element === '..')) return bad('. or .. in mailbox name')
  if (elements[0]?.toLowerCase() === 'inbox') elements[0] = 'Inbox'
  return { ok: true, name: elements.join('/') }
}

function bad(error: string): NameResult {
  return { ok: false, error }
}

/** "a/b" for "a/b/c"; '' at the top. */
export function parentName(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** "a", "a/b" for "a/b/c": top first. */
export function ancestorNames(name: string): string[] {
  const elements = name.split('/')
  return elements.slice(1).map((_, index) => elements.slice(0, index + 1).join('/'))
}
