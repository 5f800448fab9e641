// Text that may come from outside, made fit for a terminal or a log line: nothing in it can move the cursor, end the
// line or change the reading direction.

/** C0 and C1 controls, DEL, line and paragraph separators, characters that change direction, lone surrogates. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** Every unsafe character becomes an escape such as \n or \u001b; characters in `keep` stay. */
export function escapeControl(text: string, keep = ''): string {
  return text.replace(UNSAFE, c => {
    if (keep.includes(c)) return c
    return SHORT.get(c) ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Cuts to at most `limit` characters, with "…" for what is missing; never in the middle of a surrogate pair. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text
  const cut = text.slice(0, Math.max(0, limit - 1))
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}
