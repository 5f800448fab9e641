// Domain names and address literals. Inside the system a domain is its lower-case A-label form, or a literal such as
// "[127.0.0.1]"; Unicode is for display only. Anything that two programs could read differently is refused.
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'
import { DOMAIN_OCTETS, LABEL_OCTETS } from './limits.ts'

/** `error` is a fixed text without any of the input, fit for a reply. */
export interface Refused {
  readonly ok: false
  readonly error: string
  /** The input is fine but for non-ASCII text where SMTPUTF8 was not asked for (RFC 6531 §3.5: 553 5.6.7). */
  readonly needsUtf8?: true
}
export type DomainResult = { readonly ok: true; readonly domain: string } | Refused

const ASCII_DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i
const LDH_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i
// domainToASCII would decode, cut off or drop these.
const ASCII_NOT_IN_LABEL = /[\x00-\x2c\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]/

export function refused(error: string): Refused {
  return { ok: false, error }
}

/**
 * Parses a domain name (RFC 5321 §4.1.2 sub-domains, LDH labels, no trailing dot) or an address literal. U-labels are
 * taken when `smtputf8` is set and must be the very spelling that their A-label decodes to (RFC 5890 §2.3.2.1), apart
 * from case and NFC; `xn--` labels must decode and encode back to themselves.
 */
export function parseDomain(text: string, options: { readonly smtputf8: boolean }): DomainResult {
  if (text.length === 0) return refused('empty domain')
  if (text.length > DOMAIN_OCTETS) return refused('domain too long')
  if (text.charCodeAt(0) === 0x5b) return parseLiteral(text)
  if (!ASCII_DOMAIN.test(text)) {
    if (!/[^\x00-\x7f]/.test(text)) return refused('bad domain')
    if (!options.smtputf8) return { ok: false, error: 'non-ASCII domain without SMTPUTF8', needsUtf8: true }
  }
  const labels = text.split('.')
  for (const [index, label] of labels.entries()) {
    const ascii = parseLabel(label)
    if (ascii === null) return refused('bad domain label')
    labels[index] = ascii
  }
  const domain = labels.join('.')
  if (domain.length > DOMAIN_OCTETS) return refused('domain too long')
  // RFC 3696 §2: no top-level domain is all digits; such a name is a mistyped IP address.
  if (/(?:^|\.)\d+$/.test(domain)) return refused('domain ends in a number')
  return { ok: true, domain }
}

/** One label to its A-label or LDH form in lower case; null when it is not a good one. */
function parseLabel(label: string): string | null {
  if (label.length === 0 || label.length > LABEL_OCTETS) return null
  if (LDH_LABEL.test(label)) {
    const ascii = label.toLowerCase()
    return ascii.startsWith('xn--') && decodeLabel(ascii) === null ? null : ascii
  }
  if (ASCII_NOT_IN_LABEL.test(label)) return null
  // Letter by letter, as IDNA maps them: the lower case of a whole word ends a Greek one in another sigma.
  const unicode = label.replace(/\p{Lu}/gu, letter => letter.toLowerCase()).normalize('NFC')
  const ascii = domainToASCII(unicode)
  if (!ascii.startsWith('xn--') || ascii.length > LABEL_OCTETS || decodeLabel(ascii) !== unicode) return null
  return ascii
}

/** The U-label of an A-label, or null when it is a fake one: RFC 5891 §5.4. */
function decodeLabel(ascii: string): string | null {
  const unicode = domainToUnicode(ascii)
  if (unicode === '' || unicode.startsWith('xn--') || !/[^\x00-\x7f]/.test(unicode) || unicode.includes('.'))
    return null
  return domainToASCII(unicode) === ascii ? unicode : null
}

/** RFC 5321 §4.1.3: "[1.2.3.4]" and "[IPv6:::1]"; no general literals, no zone ids. */
function parseLiteral(text: string): DomainResult {
  if (!text.endsWith(']')) return refused('bad address literal')
  const inner = text.slice(1, -1)
  if (isIPv4(inner)) return { ok: true, domain: text }
  const address = /^ipv6:([0-9a-f:.]+)$/i.exec(inner)?.[1]
  if (address === undefined || !isIPv6(address)) return refused('bad address literal')
  return { ok: true, domain: `[IPv6:${new SocketAddress({ family: 'ipv6', address }).address}]` }
}

/** True for "[127.0.0.1]" and "[IPv6:…]". */
export function isAddressLiteral(domain: string): boolean {
  return domain.startsWith('[')
}

/** Whether two domains, in any case and as U-labels or A-labels, are the same; a malformed one is like no other. */
export function sameDomain(a: string, b: string): boolean {
  const left = parseDomain(a, { smtputf8: true })
  const right = parseDomain(b, { smtputf8: true })
  return left.ok && right.ok && left.domain === right.domain
}

/** Whether one of two domains, as A-labels in lower case, is the other or below it: relaxed alignment as in RFC 7489 §3.1, without a list of public suffixes. */
export function alignedDomains(a: string, b: string): boolean {
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`)
}

// One script a label, so that no look-alike of another script hides in it. Common and Inherited go with all of them.
const ONE_SCRIPT = [
  /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Hangul}\p{Script=Han}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Bopomofo}\p{Script=Han}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Greek}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Hebrew}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Devanagari}\p{Script=Common}\p{Script=Inherited}]+$/u,
  /^[\p{Script=Thai}\p{Script=Common}\p{Script=Inherited}]+$/u,
]
// Cyrillic and Greek letters that pass for Latin ones. A label of nothing else is shown as its A-label, unless the
// top-level domain is a national one too.
const LATIN_LOOK_ALIKE = /^[асԁеһіјӏорԗԛѕԝхуъьҽпгѵѡαγικνορτυχω0-9-]+$/

/** The domain as people read it: U-labels where they are safe to show, A-labels for mixed scripts and look-alikes. */
export function displayDomain(asciiDomain: string): string {
  if (!asciiDomain.includes('xn--')) return asciiDomain
  const labels = asciiDomain.split('.')
  const nationalTop = labels.at(-1)?.startsWith('xn--') === true
  return labels
    .map(label => {
      const unicode = label.startsWith('xn--') ? decodeLabel(label) : null
      if (unicode === null || (!nationalTop && LATIN_LOOK_ALIKE.test(unicode))) return label
      return ONE_SCRIPT.some(script => script.test(unicode)) ? unicode : label
    })
    .join('.')
}
