// Types for what we use of the codec dns-packet, which has none of its own.
declare module 'dns-packet' {
  export interface Packet {
    readonly type: 'query' | 'response'
    readonly id: number
    readonly flags: number
    readonly questions?: readonly Question[]
    readonly answers?: readonly Resource[]
    readonly authorities?: readonly Resource[]
    readonly additionals?: readonly (Resource | Opt)[]
  }
  export interface Question {
    readonly type: string
    readonly name: string
    readonly class?: string
  }
  export interface Resource {
    readonly type: string
    readonly name: string
    readonly class?: string
    readonly ttl?: number
    readonly data: unknown
  }
  export interface Opt {
    readonly type: 'OPT'
    readonly name: '.'
    readonly udpPayloadSize: number
    readonly extendedRcode?: number
    readonly options?: readonly Option[]
  }
  export interface Option {
    readonly code: number
    readonly data: Buffer
  }
  export interface DataCodec<T> {
    /** `offset` is that of the two octets with the length of the data. Throws when the buffer ends too early. */
    decode(buffer: Buffer, offset: number): T
  }
  interface Codec {
    encode(packet: Packet): Buffer
    decode(buffer: Buffer): Required<Packet>
    readonly a: DataCodec<string>
    readonly aaaa: DataCodec<string>
    readonly txt: DataCodec<readonly Buffer[]>
    readonly tlsa: DataCodec<{ usage: number; selector: number; matchingType: number; certificate: Buffer }>
    readonly opt: DataCodec<readonly Option[]>
    readonly RECURSION_DESIRED: number
    readonly AUTHENTIC_DATA: number
  }
  const codec: Codec
  export default codec
}
