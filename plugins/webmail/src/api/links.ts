// Links in messages, for the page and for what the server shows by itself.

/** Has a length, so that no text makes it slow. */
export const LINK: RegExp = /\b(?:https?:\/\/|mailto:)[^\s<>"`\u0000-\u0020]{1,2000}/giu

/** Punctuation at the end is of the sentence; a bracket is, unless it was opened in the link. */
export function withoutEnd(text: string): string {
  let closing = text.split(')').length - text.split('(').length
  let end = text.length
  for (; end > 0; end--) {
    const last = text[end - 1] as string
    if (/[.,;:!?'”’»\]}*_]/.test(last)) continue
    if (last !== ')' || closing-- <= 0) break
  }
  return text.slice(0, end)
}

const WRITE = '#compose%20'

/** Where a mailto: link in a message leads: to the webmail, so many folders up, which begins to write. */
export function writeLink(mailto: string, up: number): string {
  return `${'../'.repeat(up)}${WRITE}${encodeURIComponent(mailto)}`
}

/** What a link was in the message. */
export function originalLink(href: string): string {
  const [before = '', mailto] = href.split(WRITE)
  return mailto === undefined || !/^(?:\.\.\/)+$/.test(before) ? href : decodeURIComponent(mailto)
}
