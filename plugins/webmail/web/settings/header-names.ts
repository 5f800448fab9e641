/** Header fields that can be shown with every message. */
const MOST = 50

/** Names of header fields from lines; what cannot be one (RFC 5322 §2.2) is left out. */
export function headerNames(text: string): string[] {
  const names = text.split('\n').map(l => l.trim().replace(/:$/, ''))
  return [...new Set(names.filter(n => /^[!-9;-~]{1,100}$/.test(n)))].slice(0, MOST)
}
