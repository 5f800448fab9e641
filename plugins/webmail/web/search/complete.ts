// Completing the last of several conditions in a field.

const LAST = /(^|\s)(-?)([^\s"]*)$/
/** Characters of a condition that are looked up. */
const LENGTH = 300

/** What is being typed at the end of a field, without its "-"; '' for nothing, or within quotes. */
export function lastToken(text: string): string {
  const quotes = text.split('"').length - 1
  return quotes % 2 === 1 ? '' : (LAST.exec(text)?.[3] ?? '').slice(0, LENGTH)
}

/** The field with something else in that place. */
export function replaceLast(text: string, by: string): string {
  return text.replace(LAST, (_, space: string, minus: string) => `${space}${minus}${by}`)
}
