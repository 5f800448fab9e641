// Finds the words of a search in a text, for showing where they are.
import type { MessageFilter, WordCondition } from '@mox/plugin-sdk/search'

export interface Piece {
  readonly text: string
  readonly hit: boolean
}

/** Characters of a text that are looked through; beyond it nothing is marked. */
export const HIGHLIGHT_LENGTH = 200_000
/** Terms that are looked for. */
const TERMS = 20

/** What to mark for a search: the words that must occur. */
export function highlightTerms(filter: MessageFilter | undefined): readonly WordCondition[] {
  const words = (filter?.words ?? []).filter(w => !w.not && w.text.trim() !== '')
  return words.slice(0, TERMS)
}

/**
 * Cuts a text where terms are found in it, without regard to case and accents; the pieces together are the text. A word is
 * found where a word begins with it, a phrase as it stands with any space between its words.
 */
export function highlight(text: string, terms: readonly WordCondition[]): readonly Piece[] {
  const pattern = patternOf(terms)
  if (pattern === undefined || text === '') return text === '' ? [] : [{ text, hit: false }]
  const { folded, starts } = fold(text.slice(0, HIGHLIGHT_LENGTH))
  const pieces: Piece[] = []
  let at = 0
  for (const found of folded.matchAll(pattern)) {
    const from = starts[found.index] ?? text.length
    const to = starts[found.index + found[0].length] ?? text.length
    if (from > at) pieces.push({ text: text.slice(at, from), hit: false })
    if (to > from) pieces.push({ text: text.slice(from, to), hit: true })
    at = to
  }
  if (at < text.length) pieces.push({ text: text.slice(at), hit: false })
  return pieces
}

/** Scripts that do not part words by spaces: there a term may begin anywhere. */
const UNPARTED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u

function patternOf(terms: readonly WordCondition[]): RegExp | undefined {
  const parts = terms
    .map(t =>
      fold(t.text)
        .folded.split(/\s+/)
        .filter(w => w !== ''),
    )
    .filter(words => words.length > 0)
    .map(words => `${UNPARTED.test(words[0]!) ? '' : '(?<![\\p{L}\\p{N}])'}${words.map(literal).join('\\s+')}`)
    .toSorted((a, b) => b.length - a.length)
  return parts.length === 0 ? undefined : new RegExp(parts.join('|'), 'gu')
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** The text in lower case without accents, and for each of its units the place in the original; one more for the end. */
function fold(text: string): { readonly folded: string; readonly starts: readonly number[] } {
  let folded = ''
  const starts: number[] = []
  let at = 0
  for (const char of text) {
    const plain = char.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
    for (let i = 0; i < plain.length; i++) starts.push(at)
    folded += plain
    at += char.length
  }
  starts.push(at)
  return { folded, starts }
}
