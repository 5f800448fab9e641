// Preparing names and passwords for comparison: RFC 8264 string classes and the profiles of RFC 8265, from the Unicode data
// of the JavaScript engine. Text that no profile allows gives null.

/** RFC 8265 leaves the least length to us; bytes of UTF-8. */
export const PASSWORD_MINIMUM = 8
/** Bytes of UTF-8; longer ones are refused before any work is done. */
export const PASSWORD_MAXIMUM = 1024
/** Bytes of a login name: a path, and room for spaces around it. */
export const NAME_MAXIMUM = 512

// RFC 8264 §9.6 (RFC 5892 §2.6): exceptions by code point.
const ALWAYS_VALID = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u
const NEVER_VALID = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u
const CONTEXTUAL = /[\u00b7\u0375\u05f3\u05f4\u0660-\u0669\u06f0-\u06f9\u30fb\u200c]|\u200d/u
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u
const LETTER_DIGITS = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u
const FREE_ONLY = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u
const RTL =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}]/u

/** RFC 8265 §4.2 OpaqueString: for passwords. */
export function preparePassword(password: string): string | null {
  if (password === '' || Buffer.byteLength(password) > PASSWORD_MAXIMUM || !password.isWellFormed()) return null
  const mapped = password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  return hasClass(mapped, 'freeform') ? mapped : null
}

/** What is wrong with a password that is to be set; undefined when it is good. */
export function newPasswordProblem(password: string): string | undefined {
  if (Buffer.byteLength(password) > PASSWORD_MAXIMUM)
    return `has more than ${PASSWORD_MAXIMUM} bytes; use a shorter one`
  const prepared = preparePassword(password)
  if (prepared === null)
    return 'has a control character or one that Unicode does not define; use letters, digits, signs'
  if (Buffer.byteLength(prepared) < PASSWORD_MINIMUM)
    return `has fewer than ${PASSWORD_MINIMUM} bytes; use a longer one`
  return undefined
}

/** RFC 8265 §3.4 UsernameCasePreserved, after removing ASCII spaces around it. The bidi rule is for the localpart alone. */
export function prepareName(name: string): string | null {
  if (Buffer.byteLength(name) > NAME_MAXIMUM || !name.isWellFormed()) return null
  const mapped = name
    .replace(/^ +| +$/g, '')
    .replace(/[\uff01-\uff5e\uff61-\uffdc\uffe0-\uffe6\uffe8-\uffee]/g, c => c.normalize('NFKC'))
    .normalize('NFC')
  if (mapped === '' || !hasClass(mapped, 'identifier')) return null
  const at = mapped.lastIndexOf('@')
  return obeysBidiRule(at < 0 ? mapped : mapped.slice(0, at)) ? mapped : null
}

/** RFC 8264 §8, the derived property of every character. */
function hasClass(text: string, kind: 'identifier' | 'freeform'): boolean {
  if (/^[\x21-\x7e]*$/.test(text)) return true
  const characters = [...text]
  return characters.every((c, i) => {
    if (ALWAYS_VALID.test(c)) return true
    if (CONTEXTUAL.test(c)) return allowedHere(characters, i)
    if (NEVER_VALID.test(c) || /\p{Cn}/u.test(c)) return false
    if (/[\x21-\x7e]/.test(c)) return true
    if (OLD_HANGUL_JAMO.test(c) || /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}]/u.test(c))
      return false
    if (c.normalize('NFKC') !== c) return kind === 'freeform'
    return LETTER_DIGITS.test(c) || (kind === 'freeform' && FREE_ONLY.test(c))
  })
}

/** RFC 5892 appendix A. */
function allowedHere(characters: readonly string[], i: number): boolean {
  const before = characters[i - 1] ?? ''
  const after = characters[i + 1] ?? ''
  switch (characters[i]) {
    case '\u200c':
      return isVirama(before) || (joins(before) && joins(after))
    case '\u200d':
      return isVirama(before)
    case '\u00b7':
      return before === 'l' && after === 'l'
    case '\u0375':
      return /\p{Script=Greek}/u.test(after)
    case '\u05f3':
    case '\u05f4':
      return /\p{Script=Hebrew}/u.test(before)
    case '\u30fb':
      return characters.some(c => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(c))
    default: {
      const text = characters.join('')
      return !(/[\u0660-\u0669]/.test(text) && /[\u06f0-\u06f9]/.test(text))
    }
  }
}

/** Canonical combining class 9: sorted behind a mark of class 8 and before one of class 10. */
function isVirama(c: string): boolean {
  return (
    c !== '' && `x${c}\u3099`.normalize('NFD') === `x\u3099${c}` && `x\u05b0${c}`.normalize('NFD') === `x${c}\u05b0`
  )
}

/** Letters of cursive scripts; the engine knows no joining types, so that letters which join to one side only pass as well. */
function joins(c: string): boolean {
  return /(?=\p{L})[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Adlam}]/u.test(c)
}

/** RFC 5893 §2, with the direction of a letter taken from its script. */
function obeysBidiRule(text: string): boolean {
  if (!RTL.test(text)) return true
  const characters = [...text]
  const rtl = (c: string | undefined): boolean => c !== undefined && RTL.test(c) && /\p{L}/u.test(c)
  if (!rtl(characters[0])) return false
  if (characters.some(c => /\p{L}/u.test(c) && !RTL.test(c))) return false
  if (/[0-9\u06f0-\u06f9]/.test(text) && /[\u0660-\u0669]/.test(text)) return false
  const last = characters.findLast(c => !/\p{Mn}/u.test(c))
  return rtl(last) || /\p{Nd}/u.test(last ?? '')
}
