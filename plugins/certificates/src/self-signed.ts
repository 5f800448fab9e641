// Makes a self-signed certificate (RFC 5280 §4.1): ECDSA P-256, for tests and localserve. No extension that a client
// would have to trust us for: it is an end-entity certificate that a developer adds to a trust store by hand.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { bitString, boolean, explicit, implicit, integer, octetString, oid, sequence, set, time, utf8 } from './der.ts'

const DAY = 86_400_000
/** Lifetime in milliseconds: four years. */
export const LIFETIME: number = 4 * 365 * DAY

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: string
}

/** `names`: host names and IP addresses for the subject alternative name; the first one is also the common name. */
export function makeSelfSigned(names: readonly [string, ...string[]], now: number): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8(names[0]))))
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x01
  const extension = (id: string, critical: boolean, value: Buffer) =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value))
  const extensions = sequence(
    extension('2.5.29.19', true, sequence()), // basicConstraints: not a CA
    extension('2.5.29.15', true, bitString(Buffer.from([0x80]), 7)), // keyUsage: digitalSignature
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
    extension('2.5.29.17', false, sequence(...names.map(alternativeName))),
    extension('2.5.29.14', false, octetString(createHash('sha1').update(spki).digest())),
  )
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    name,
    sequence(time(now - DAY), time(now + LIFETIME)),
    name,
    spki,
    explicit(3, extensions),
  )
  const der = sequence(body, algorithm, bitString(sign('sha256', body, privateKey)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** RFC 5280 §4.2.1.6: dNSName [2], iPAddress [7]. */
function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return implicit(7, Buffer.from(name.split('.').map(Number)))
  if (isIP(name) === 6) return implicit(7, ipv6Bytes(name))
  return implicit(2, Buffer.from(name))
}

function ipv6Bytes(text: string): Buffer {
  const groups = new URL(`http://[${text}]/`).hostname.slice(1, -1) // canonical form, no embedded IPv4
  const [head = '', tail] = groups.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const all =
    tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  const bytes = Buffer.alloc(16)
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2)
  return bytes
}
