// The signature in a text that is being written: it goes with the address that one writes as.

/** Where what is quoted or forwarded begins; after a signature that stands above it. */
const QUOTED = /^(?:---- Forwarded Message ----$|On .{1,1000} wrote:$|>)/m

/**
 * The text with another signature: in the place of the one before, or where there was none above what is quoted, else at the
 * end. One that was changed by hand stays, and nothing is added to it.
 */
export function withSignature(text: string, before: string, after: string): string {
  const [old, fresh] = [before.trimEnd(), after.trimEnd()]
  if (old === fresh) return text
  if (old !== '') {
    // The last one: what is quoted may have the same words only after it, what one wrote only before.
    const end = QUOTED.exec(text)?.index ?? text.length
    const own = text.lastIndexOf(old, end)
    const at = own < 0 ? text.indexOf(old) : own
    if (at < 0) return text
    const rest = text.slice(at + old.length)
    return fresh === '' ? `${text.slice(0, at).trimEnd()}\n${rest}` : `${text.slice(0, at)}${fresh}${rest}`
  }
  const quote = QUOTED.exec(text)?.index
  // A quote that one answers below begins the text.
  if (quote === undefined || quote === 0) return `${text.trimEnd()}\n\n${fresh}\n`
  return `${text.slice(0, quote).trimEnd()}\n\n${fresh}\n\n${text.slice(quote)}`
}
