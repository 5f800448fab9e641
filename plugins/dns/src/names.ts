// Domain names: those that callers ask for, and those in messages (RFC 1035 §4.1.4). The codec's own reader of names joins
// labels with dots even when a label has a dot or octets that are no text, so that two different names look the same; this
// one says that such a name cannot be used. Compression can neither loop nor take long. What cannot be read throws.
import { DnsError } from '@mox/plugin-sdk'

/** Characters of a name, without the dot at the end (RFC 1035 §2.3.4: 255 octets on the wire). */
export const NAME_LENGTH = 253
/** Characters of a label. */
export const LABEL_LENGTH = 63
/** Octets of a name on the wire, with the lengths of its labels. */
const WIRE_LENGTH = 255
/** Compression pointers that one name may follow. */
export const POINTER_LIMIT = 64

/** Printable ASCII but dot and backslash: SPF macros put all sorts of characters in names, RFC 2317 puts slashes. */
const LABEL = /^[!-\-/-[\]-~]+$/
/** Names of hosts, with the underscore that some have. */
const HOST = /^(?:\.|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/

/** A message that cannot be read. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

export interface WireName {
  /** Lower case, without a dot at the end, "." for the root; undefined when a label has characters that we do not take. */
  readonly name: string | undefined
  /** Where the next field starts. */
  readonly end: number
}

/** Lower case, without a dot at the end; "." for the root. Throws a DnsError ('malformed') for what is no absolute name. */
export function askedName(text: string): string {
  if (text === '.') return text
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  const problem = nameProblem(name)
  if (problem !== undefined)
    throw new DnsError('malformed', `${JSON.stringify(text.slice(0, NAME_LENGTH))} cannot be looked up: ${problem}`)
  return name.toLowerCase()
}

function nameProblem(name: string): string | undefined {
  if (name.length > NAME_LENGTH) return `it has more than ${NAME_LENGTH} characters`
  for (const label of name.split('.')) {
    if (label === '') return 'a label is empty'
    if (label.length > LABEL_LENGTH) return `a label has more than ${LABEL_LENGTH} characters`
    if (!LABEL.test(label)) return 'only ASCII without spaces is allowed; write other names as A-labels (xn--…)'
  }
  return undefined
}

/** Whether a name from readName() can be that of a host; the root can, since it says "none" (RFC 2782, RFC 7505). */
export function isHost(name: string): boolean {
  return HOST.test(name)
}

/** True for `name` itself and all that is below `zone`. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`)
}

/** Reads the name at `start`. Throws a WireError. */
export function readName(packet: Buffer, start: number): WireName {
  const labels: string[] = []
  let usable = true
  let octets = 1
  let pointers = 0
  let end: number | undefined
  let segment = start
  for (let at = start; ; ) {
    const length = octet(packet, at)
    if (length === 0) return { name: usable ? labels.join('.') || '.' : undefined, end: end ?? at + 1 }
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | octet(packet, at + 1)
      // Only backwards: so it comes to an end.
      if (target >= segment) throw new WireError('a name points forward or to itself')
      if (++pointers > POINTER_LIMIT) throw new WireError(`a name has more than ${POINTER_LIMIT} pointers`)
      end ??= at + 2
      at = segment = target
      continue
    }
    if (length > LABEL_LENGTH) throw new WireError('a name has a label of unknown type')
    octets += length + 1
    if (octets > WIRE_LENGTH) throw new WireError(`a name has more than ${WIRE_LENGTH} octets`)
    const label = packet.toString('latin1', at + 1, at + 1 + length)
    if (label.length < length) throw new WireError('a name is cut off')
    usable &&= LABEL.test(label)
    labels.push(label.toLowerCase())
    at += length + 1
  }
}

function octet(packet: Buffer, at: number): number {
  const value = packet[at]
  if (value === undefined) throw new WireError('a name is cut off')
  return value
}
