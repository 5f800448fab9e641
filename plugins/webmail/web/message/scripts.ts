// Letters that look like others: a word that mixes scripts as no language does, or one that is written in look-alikes of Latin
// letters as a whole. For addresses, domains, names and texts of links, where it matters whom one believes.

export interface Stretch {
  readonly text: string
  /** Not what it may look like. */
  readonly odd: boolean
}

const SCRIPTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ...['Latin', 'Cyrillic', 'Greek', 'Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Arabic', 'Hebrew'],
  ...['Devanagari', 'Bengali', 'Tamil', 'Thai', 'Armenian', 'Georgian', 'Cherokee', 'Coptic', 'Lisu', 'Common'],
  'Inherited',
].map(name => [name, new RegExp(`\\p{Script=${name}}`, 'u')] as const)

/** Scripts that languages write together (UTS 39, "highly restrictive"). */
const TOGETHER: readonly (readonly string[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
]

/** Letters of other scripts that are drawn like small or capital letters of Latin. */
const LOOKALIKES: ReadonlySet<string> = new Set('аеорсухіјѕһԁԛԝѵӏгѡкмтвнАВЕКМНОРСТУХІЈЅԚԜӀονυαρικτγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ')

const ASCII = /^[\x00-\x7f]*$/
/** Characters that are looked at; names and links have few. */
const LENGTH = 2_000

/** Cuts a text where letters are not what they seem; the stretches together are the text. */
export function stretches(text: string): readonly Stretch[] {
  if (text === '') return []
  if (ASCII.test(text)) return [{ text, odd: false }]
  const found: Stretch[] = []
  const add = (part: string, odd: boolean): void => {
    const last = found.at(-1)
    if (part === '') return
    if (last?.odd === odd) found[found.length - 1] = { text: last.text + part, odd }
    else found.push({ text: part, odd })
  }
  const looked = text.slice(0, LENGTH)
  const latin = /[A-Za-z]/.test(looked)
  let at = 0
  for (const word of looked.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    add(looked.slice(at, word.index), false)
    for (const { text: part, odd } of ofWord(word[0], latin)) add(part, odd)
    at = word.index + word[0].length
  }
  add(text.slice(at), false)
  return found
}

export function isOdd(text: string): boolean {
  return stretches(text).some(s => s.odd)
}

function ofWord(word: string, latinAround: boolean): readonly Stretch[] {
  if (ASCII.test(word)) return [{ text: word, odd: false }]
  const chars = [...word].map(char => ({ char, script: scriptOf(char) }))
  const scripts = [...new Set(chars.map(c => c.script))].filter(s => s !== '')
  const mixed = scripts.length > 1 && !TOGETHER.some(set => scripts.every(s => set.includes(s)))
  const main = mixed ? mostCommon(chars.map(c => c.script)) : ''
  const letters = chars.filter(c => c.script !== '')
  const disguised =
    !mixed && latinAround && letters.length > 0 && letters.every(c => LOOKALIKES.has(c.char)) && scripts[0] !== 'Latin'
  return chars.map(({ char, script }) => ({
    text: char,
    odd: disguised || (mixed && script !== '' && script !== main) || isStyled(char),
  }))
}

/** '' for what belongs to any script, such as digits. */
function scriptOf(char: string): string {
  if (char < '\x80') return /[a-z]/i.test(char) ? 'Latin' : ''
  const name = SCRIPTS.find(([, pattern]) => pattern.test(char))?.[0] ?? 'other'
  return name === 'Common' || name === 'Inherited' ? '' : name
}

/** Wide, bold and other forms of ASCII letters: drawn alike, but not the same. */
function isStyled(char: string): boolean {
  return char > '\x7f' && /^[a-z0-9]+$/i.test(char.normalize('NFKC'))
}

/** The first of those that most have. */
function mostCommon(scripts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const script of scripts) if (script !== '') counts.set(script, (counts.get(script) ?? 0) + 1)
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
