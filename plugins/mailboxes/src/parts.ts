// Parts of texts as words of the search index, so that a name, an address or a subject is found by any piece of it: each three
// characters that follow each other are a word, in scripts without spaces each two as well. The words are hashes: what is
// found by them may contain what is looked for, and its text is looked at again. Nothing throws.

/** Words that one condition asks for: a few say as much as all. */
export const PART_TERMS = 6

/** All parts of a folded text as one text of words, each part once. */
export function partsOf(text: string): string {
  const parts = new Set<string>()
  for (let at = 0; at + 1 < text.length; at++) {
    if (at + 2 < text.length) parts.add(part(text, at, 3))
    if (isUnspaced(text, at)) parts.add(part(text, at, 2))
  }
  return [...parts].join(' ')
}

/** The parts to look for: spread over the text, its end included; none when it is too short. */
export function partTerms(text: string): string[] {
  const length = text.length >= 3 ? 3 : 2
  if (text.length < length || (length === 2 && !isUnspaced(text, 0))) return []
  const last = text.length - length
  const steps = Math.min(PART_TERMS - 1, last)
  const terms = new Set<string>()
  for (let step = 0; step <= steps; step++)
    terms.add(part(text, steps === 0 ? 0 : Math.round((step * last) / steps), length))
  return [...terms]
}

/** Scripts from Thai on: in nearly all of them words are short and not separated. */
const UNSPACED = 0x0e00

function isUnspaced(text: string, at: number): boolean {
  return text.charCodeAt(at) >= UNSPACED
}

/** Hangul syllables: letters without case and accents, one of which is a word. */
const FIRST = 0xac00
const LETTERS = 11_172

function part(text: string, at: number, length: number): string {
  let hash = length
  for (let i = at; i < at + length; i++) hash = (Math.imul(hash, 0x01000193) ^ text.charCodeAt(i)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return String.fromCharCode(FIRST + (hash % LETTERS))
}
