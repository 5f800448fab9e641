// One query and its answer as octets (RFC 1035 §4.1, EDNS0: RFC 6891). The codec writes queries and reads the data of
// records; the frame of an answer is read here, with every length and count checked before it is believed. An answer that
// cannot be read throws a WireError; a record whose data are not usable has none.
import type { DnsError, DnsRecords, DnsType } from '@mox/plugin-sdk'
import codec from 'dns-packet'
import { extendedError } from './extended-error.ts'
import { readName, WireError } from './names.ts'
import { readRecord, TYPES } from './records.ts'

/** Octets of an answer that fit one datagram on every usual network, so that none is fragmented (DNS flag day 2020). */
export const UDP_SIZE = 1232
/** Records in all sections of an answer. */
export const RECORDS_LIMIT = 1000
/** Seconds that a record is kept at most: a day. */
export const TTL_LIMIT = 86_400

const HEADER = 12
const CLASS_IN = 1
const OPT = 41

export const RCODE = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, refused: 5 } as const

export interface Query {
  readonly id: number
  readonly name: string
  readonly type: DnsType
  readonly octets: Buffer
  /** The question section, in lower case. */
  readonly question: Buffer
}

export interface Resource {
  /** Undefined: a name that nobody can have asked for. */
  readonly name: string | undefined
  readonly type: DnsType
  /** Seconds. */
  readonly ttl: number
  /** Undefined: not usable. */
  readonly data: DnsRecords[DnsType] | undefined
}

export interface Message {
  /** With the upper bits from EDNS. */
  readonly rcode: number
  /** The AD bit, as the server set it. */
  readonly authentic: boolean
  /** Of the asked type, and CNAMEs; class IN. */
  readonly answers: readonly Resource[]
  /** Of the authority section: which zone says no, and for how many seconds (RFC 2308 §5). */
  readonly soa: { readonly zone: string; readonly ttl: number } | undefined
  /** Names other servers in place of an answer: it does not look things up for us (RFC 2308 §2.1). */
  readonly referral: boolean
  readonly extended: DnsError['extended']
  readonly octets: number
}

/**
 * `name` as from askedName(). Recursion is asked for, and with the AD bit that the answer's AD bit be set (RFC 6840 §5.7).
 * Not DO: signatures would come with every answer, and we leave validation to the resolver.
 */
export function makeQuery(name: string, type: DnsType, id: number, edns: boolean): Query {
  const octets = codec.encode({
    type: 'query',
    id,
    flags: codec.RECURSION_DESIRED | codec.AUTHENTIC_DATA,
    questions: [{ name, type }],
    additionals: edns ? [{ type: 'OPT', name: '.', udpPayloadSize: UDP_SIZE }] : [],
  })
  const { end } = readName(octets, HEADER)
  return { id, name, type, octets, question: lowerCase(octets.subarray(HEADER, end + 4)) }
}

/**
 * Whether it answers this query: a response with its id and its question (RFC 5452 §9.1). Servers without EDNS may answer a
 * query that they do not understand with a bare header.
 */
export function isAnswerTo(query: Query, packet: Buffer): boolean {
  if (packet.length < HEADER || packet.readUInt16BE(0) !== query.id) return false
  const [response, opcode] = [(packet[2]! & 0x80) !== 0, (packet[2]! >> 3) & 0x0f]
  if (!response || opcode !== 0) return false
  if (packet.length === HEADER) return rcodeOf(packet) === RCODE.formErr
  const question = packet.subarray(HEADER, HEADER + query.question.length)
  return packet.readUInt16BE(4) === 1 && lowerCase(question).equals(query.question)
}

/** For an answer: the TC bit. */
export function isTruncated(packet: Buffer): boolean {
  return (packet[2]! & 0x02) !== 0
}

/** For an answer: the code of the header. */
export function rcodeOf(packet: Buffer): number {
  return packet[3]! & 0x0f
}

/** For an answer to `query`. */
export function readMessage(query: Query, packet: Buffer): Message {
  if (packet.length === HEADER) throw new WireError('there is nothing but a header')
  const counts = [packet.readUInt16BE(6), packet.readUInt16BE(8), packet.readUInt16BE(10)] as const
  if (counts[0] + counts[1] + counts[2] > RECORDS_LIMIT)
    throw new WireError(`it has more than ${RECORDS_LIMIT} records`)
  const wanted = new Map<number, DnsType>([
    [TYPES.CNAME, 'CNAME'],
    [TYPES[query.type], query.type],
  ])
  const answers: Resource[] = []
  let soa: Message['soa']
  let servers = 0
  let upperRcode = 0
  let extended: DnsError['extended']

  let at = HEADER + query.question.length
  for (const [section, count] of counts.entries())
    for (let i = 0; i < count; i++) {
      const record = readFrame(packet, at)
      const { name, number, start, end } = record
      at = end
      const inClass = record.class === CLASS_IN
      const type = wanted.get(number)
      if (section === 0 && inClass && type !== undefined)
        answers.push({ name, type, ttl: record.ttl, data: readRecord(type, packet, start, end) })
      if (section === 1 && inClass && number === TYPES.NS) servers++
      if (section === 1 && inClass && number === TYPES.SOA && name !== undefined) {
        const data = readRecord('SOA', packet, start, end)
        if (data !== undefined) soa ??= { zone: name, ttl: Math.min(record.ttl, bounded(data.minimum)) }
      }
      if (section === 2 && number === OPT) {
        upperRcode = packet[start - 6]!
        extended = extendedError(packet.subarray(0, end), start)
      }
    }
  const rcode = (upperRcode << 4) | rcodeOf(packet)
  return {
    rcode,
    authentic: (packet[3]! & 0x20) !== 0,
    answers,
    soa,
    referral: rcode === RCODE.noError && answers.length === 0 && servers > 0 && soa === undefined,
    extended,
    octets: packet.length,
  }
}

interface Frame {
  readonly name: string | undefined
  readonly number: number
  readonly class: number
  readonly ttl: number
  /** The data: from here, */
  readonly start: number
  /** to before this. */
  readonly end: number
}

function readFrame(packet: Buffer, at: number): Frame {
  const { name, end: fields } = readName(packet, at)
  const start = fields + 10
  if (start > packet.length) throw new WireError('a record is cut off')
  const end = start + packet.readUInt16BE(fields + 8)
  if (end > packet.length) throw new WireError('the data of a record are cut off')
  return {
    name,
    number: packet.readUInt16BE(fields),
    class: packet.readUInt16BE(fields + 2),
    ttl: bounded(packet.readUInt32BE(fields + 4)),
    start,
    end,
  }
}

/** RFC 2181 §8: with the highest bit set it means 0. */
function bounded(ttl: number): number {
  return ttl >= 2 ** 31 ? 0 : Math.min(ttl, TTL_LIMIT)
}

/** ASCII letters. Lengths of labels, types and classes that we ask for are not in their range. */
function lowerCase(octets: Buffer): Buffer {
  return Buffer.from(octets.map(o => (o >= 0x41 && o <= 0x5a ? o + 0x20 : o)))
}
