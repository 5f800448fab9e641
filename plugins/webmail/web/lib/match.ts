// Finding a command by some letters of its name.

/**
 * How well a text fits what was typed: every word must be in it. Lower is better; undefined: does not fit. A word at the
 * beginning is better than at the beginning of another word, and that is better than within one.
 */
export function matchRank(text: string, typed: string): number | undefined {
  const hay = text.toLowerCase()
  let rank = 0
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word)
    if (at < 0) return undefined
    rank += at === 0 ? 0 : /[\s(/.:-]/.test(hay.charAt(at - 1)) ? 1 : 2
  }
  return rank
}

/** Those that fit, the best first. */
export function matching<T>(all: readonly T[], typed: string, textOf: (entry: T) => string): T[] {
  return all
    .map(entry => ({ entry, rank: matchRank(textOf(entry), typed) }))
    .filter(({ rank }) => rank !== undefined)
    .sort((a, b) => a.rank! - b.rank!)
    .map(({ entry }) => entry)
}
