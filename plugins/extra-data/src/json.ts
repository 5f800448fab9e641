// A JSON object of texts, read so that a key that is there twice is noticed: JSON.parse would take the last one and be silent.

/** RFC 8259 §7. */
const TEXT = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\r\n]*/y

/** Pairs in order, or undefined when `text` is anything but an object of texts. */
export function parseTexts(text: string): [key: string, value: string][] | undefined {
  let at = 0
  const skip = (): void => {
    SPACE.lastIndex = at
    at += SPACE.exec(text)?.[0].length ?? 0
  }
  /** Skips white space around the character. */
  const take = (c: string): boolean => {
    skip()
    if (text[at] !== c) return false
    at++
    skip()
    return true
  }
  const string = (): string | undefined => {
    TEXT.lastIndex = at
    const found = TEXT.exec(text)?.[0]
    if (found === undefined) return undefined
    at += found.length
    const value: unknown = JSON.parse(found)
    return typeof value === 'string' && value.isWellFormed() ? value : undefined
  }
  const pairs: [string, string][] = []
  if (!take('{')) return undefined
  if (take('}')) return at === text.length ? pairs : undefined
  do {
    const key = string()
    if (key === undefined || !take(':')) return undefined
    const value = string()
    if (value === undefined) return undefined
    pairs.push([key, value])
  } while (take(','))
  return take('}') && at === text.length ? pairs : undefined
}
