// The data of one record, from its octets (RFC 1035 §3.3). What does not fit its type, or names something that cannot be a
// host, gives undefined: the other records of the answer stay usable.
import { isUtf8 } from 'node:buffer'
import type { DnsRecords, DnsType } from '@mox/plugin-sdk'
import codec from 'dns-packet'
import { isHost, readName, WireError } from './names.ts'

/** Record types as numbers (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 6698). */
export const TYPES: Readonly<Record<DnsType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  TLSA: 52,
}

/** `packet` ends where the data ends; the data start at `start`. May throw RangeError or WireError. */
type Reader<R> = (packet: Buffer, start: number) => R | undefined

const host: Reader<string> = (packet, start) => {
  const name = wholeName(packet, start)
  return name !== undefined && isHost(name) ? name : undefined
}

const READERS: { readonly [T in DnsType]: Reader<DnsRecords[T]> } = {
  A: (packet, start) => (packet.length - start === 4 ? codec.a.decode(packet, start - 2) : undefined),
  AAAA: (packet, start) => (packet.length - start === 16 ? codec.aaaa.decode(packet, start - 2) : undefined),
  CNAME: wholeName,
  NS: host,
  PTR: host,
  MX: (packet, start) => {
    const exchange = host(packet, start + 2)
    return exchange === undefined ? undefined : { preference: packet.readUInt16BE(start), exchange }
  },
  SRV: (packet, start) => {
    const target = host(packet, start + 6)
    if (target === undefined) return undefined
    return {
      priority: packet.readUInt16BE(start),
      weight: packet.readUInt16BE(start + 2),
      port: packet.readUInt16BE(start + 4),
      target,
    }
  },
  SOA: (packet, start) => {
    const { name: mname, end } = readName(packet, start)
    const numbers = readName(packet, end).end
    if (mname === undefined || !isHost(mname) || packet.length - numbers !== 20) return undefined
    return { mname, serial: packet.readUInt32BE(numbers), minimum: packet.readUInt32BE(numbers + 16) }
  },
  // The strings of a record are one text, without anything between them (RFC 7208 §3.3).
  TXT: (packet, start) => text(Buffer.concat(codec.txt.decode(packet, start - 2))),
  TLSA: (packet, start) => {
    if (packet.length - start < 3) return undefined
    const { certificate, ...fields } = codec.tlsa.decode(packet, start - 2)
    // A copy, so that a kept record does not keep the message.
    return { ...fields, data: Buffer.from(certificate) }
  },
}

/** The record whose data are the octets from `start` to `end`; undefined when they are not usable. */
export function readRecord<T extends DnsType>(
  type: T,
  packet: Buffer,
  start: number,
  end: number,
): DnsRecords[T] | undefined {
  try {
    return READERS[type](packet.subarray(0, end), start)
  } catch (error) {
    if (error instanceof WireError || error instanceof RangeError || isCodecError(error)) return undefined
    throw error
  }
}

/** A name that takes all of the data. */
function wholeName(packet: Buffer, start: number): string | undefined {
  const { name, end } = readName(packet, start)
  return end === packet.length ? name : undefined
}

/** UTF-8 where it is that (RFC 8616 §4 allows it in the records of mail), else one character per octet, so that none is lost. */
function text(octets: Buffer): string {
  return octets.toString(isUtf8(octets) ? 'utf8' : 'latin1')
}

/** The codec throws a plain Error for strings that are longer than the record. */
function isCodecError(error: unknown): boolean {
  return error instanceof Error && error.message === 'Buffer overflow'
}
