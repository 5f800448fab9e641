// A zone signed with Ed25519 (RFC 4034, RFC 8080), as a script for the server that a validating resolver asks: it has one
// address at each name of its own, and can be told to spoil its signatures.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { Resource } from 'dns-packet'
import { TYPES } from '../../src/records.ts'
import { answer, type Script } from './server.ts'

const ALGORITHM = 15
const DNSKEY = 48
const TTL = 300
const DAY = 86_400

export interface SignedZone {
  /** What unbound's trust-anchor takes. */
  readonly anchor: string
  readonly script: Script
}

/** `now` in seconds. Addresses whose name starts with `spoiled` have a signature that is not theirs. */
export function signedZone(zone: string, now: number): SignedZone {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  // The last 32 octets of the SPKI are the key.
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const keyData = Buffer.concat([Buffer.from([1, 1, 3, ALGORITHM]), key])
  const record = { type: 'DNSKEY', name: zone, ttl: TTL, data: { flags: 257, algorithm: ALGORITHM, key } }

  const signed = (resource: Resource, type: number, data: Buffer, spoiled = false): Resource[] => {
    const fields = {
      ...{
        typeCovered: resource.type,
        algorithm: ALGORITHM,
        labels: resource.name.split('.').length,
        originalTTL: TTL,
      },
      ...{ expiration: now + DAY, inception: now - DAY, keyTag: keyTag(keyData), signersName: zone },
    }
    const unsigned = Buffer.alloc(18)
    unsigned.writeUInt16BE(type, 0)
    unsigned.set([ALGORITHM, fields.labels], 2)
    for (const [i, value] of [TTL, fields.expiration, fields.inception].entries())
      unsigned.writeUInt32BE(value, 4 + 4 * i)
    unsigned.writeUInt16BE(fields.keyTag, 16)
    const owner = Buffer.alloc(10)
    owner.writeUInt16BE(type, 0)
    owner.writeUInt16BE(1, 2)
    owner.writeUInt32BE(TTL, 4)
    owner.writeUInt16BE(data.length, 8)
    const signature = sign(null, Buffer.concat([unsigned, wire(zone), wire(resource.name), owner, data]), privateKey)
    if (spoiled) signature[0]! ^= 1
    return [resource, { type: 'RRSIG', name: resource.name, ttl: TTL, data: { ...fields, signature } }]
  }

  const script: Script = asked => {
    const name = asked.name.toLowerCase()
    if (asked.type === 'DNSKEY' && name === zone) return answer(asked, { answers: signed(record, DNSKEY, keyData) })
    if (asked.type !== 'A') return answer(asked, { rcode: 2 })
    const address = { type: 'A', name, ttl: TTL, data: '192.0.2.53' }
    return answer(asked, {
      answers: signed(address, TYPES.A, Buffer.from([192, 0, 2, 53]), name.startsWith('spoiled')),
    })
  }
  return { anchor: `${zone}. DNSKEY 257 3 ${ALGORITHM} ${key.toString('base64')}`, script }
}

/** RFC 4034 appendix B. */
function keyTag(keyData: Buffer): number {
  let sum = 0
  for (const [i, octet] of keyData.entries()) sum += i % 2 === 0 ? octet << 8 : octet
  return (sum + (sum >> 16)) & 0xffff
}

function wire(name: string): Buffer {
  const labels = name.split('.').map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}
