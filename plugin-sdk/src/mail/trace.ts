// Trace fields: Received and Return-Path, RFC 5321 §4.4. Whatever a client chose (its name, its TLS parameters) passes
// an allow-list; nothing it says can end a comment or a line.
import { formatPath, type Path } from './address.ts'
import { formatDate } from './date.ts'
import { formatField } from './header.ts'
import { TRACE_TEXT_LENGTH } from './limits.ts'

export interface ReceivedFacts {
  /** EHLO or HELO argument; for submission that hides the client, our own name. */
  readonly helo: string
  /** Left out to hide the client. */
  readonly remoteIp?: string
  /** Verified reverse name of the peer. */
  readonly reverseName?: string
  readonly by: string
  readonly localIp?: string
  /** "ESMTPS": see `receivedProtocol`. Leave out for what is no registered keyword. */
  readonly protocol?: string
  readonly id: string
  readonly tls?: { readonly version: string; readonly cipher: string }
  readonly requireTls?: boolean
  /** The one recipient; leave out when there are several (RFC 5321 §7.2). */
  readonly recipient?: Path
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** RFC 3848 and RFC 6531 §4.3: the `with` keyword. */
export function receivedProtocol(facts: {
  readonly extended: boolean
  readonly smtputf8?: boolean
  readonly tls?: boolean
  readonly authenticated?: boolean
}): string {
  if (!facts.extended) return 'SMTP'
  return `${facts.smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${facts.tls ? 'S' : ''}${facts.authenticated ? 'A' : ''}`
}

/** A folded Received field with its CRLF. Encode as UTF-8: a recipient may be non-ASCII. */
export function formatReceived(facts: ReceivedFacts): string {
  const words = ['from', safe(facts.helo)]
  const peer = [facts.reverseName, facts.remoteIp === undefined ? undefined : literal(facts.remoteIp)]
  const known = peer.filter(text => text !== undefined).map(safe)
  if (known.length > 0) words.push(`(${known.join(' ')})`)
  words.push('by', safe(facts.by))
  if (facts.localIp !== undefined) words.push(`(${safe(literal(facts.localIp))})`)
  words.push('via tcp')
  if (facts.protocol !== undefined) words.push('with', safe(facts.protocol))
  if (facts.requireTls) words.push('(requiretls)')
  words.push('id', safe(facts.id))
  if (facts.tls !== undefined) words.push(`(${safe(facts.tls.version)} ${safe(facts.tls.cipher)})`)
  if (facts.recipient !== undefined) words.push('for', formatPath(facts.recipient))
  return formatField('Received', `${words.join(' ')}; ${formatDate(facts.at)}`)
}

/** RFC 5321 §4.1.3 form of an IP address. */
function literal(ip: string): string {
  return ip.includes(':') ? `[IPv6:${ip}]` : `[${ip}]`
}

/** What may stand in a comment and in place of a domain; everything else becomes "?". */
function safe(text: string): string {
  return text === '' ? 'unknown' : text.slice(0, TRACE_TEXT_LENGTH).replace(/[^a-z0-9.:[\]_/-]/gi, '?')
}

/** A Return-Path field with its CRLF (RFC 5321 §4.4). */
export function formatReturnPath(path: Path | null): string {
  return formatField('Return-Path', formatPath(path))
}
