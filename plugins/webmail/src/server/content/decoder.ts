// The content of a part with its transfer encoding undone, piece by piece as the message is read: no attachment is ever in
// memory as a whole. What cannot be decoded is left out, as everywhere.
import { decodeBody, type Part } from '@mox/plugin-sdk/mail'

/** Where a part is in the message, and how it is encoded. */
export interface EncodedRange {
  /** Offsets of its body in the whole message. */
  readonly start: number
  readonly end: number
  /** Content-Transfer-Encoding in lower case. */
  readonly encoding: string
}

/** A line that is longer than this is decoded in pieces. */
const LINE_PIECE = 1024 * 1024
const LF = 0x0a

/** Decoded content of a part. `message` are the chunks of the whole message. */
export async function* decodedPart(message: AsyncIterable<Buffer>, range: EncodedRange): AsyncGenerator<Buffer> {
  const reader = new PartsReader(async () => message)
  try {
    yield* reader.read(range)
  } finally {
    await reader.close()
  }
}

/** Parts of one message, which is read only once as long as each begins behind the one before. */
export class PartsReader {
  readonly #open: () => Promise<AsyncIterable<Buffer>>
  #chunks: AsyncIterator<Buffer> | undefined
  /** What was read and not used yet, and its offset in the message. */
  #left: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(open: () => Promise<AsyncIterable<Buffer>>) {
    this.#open = open
  }

  /** Decoded content. One at a time, to its end. */
  async *read({ start, end, encoding }: EncodedRange): AsyncGenerator<Buffer> {
    // A part within the one before.
    if (start < this.#at) await this.close()
    this.#chunks ??= (await this.#open())[Symbol.asyncIterator]()
    const decoder = partDecoder(encoding)
    while (this.#at < end) {
      if (this.#left.length === 0) {
        const next = await this.#chunks.next()
        if (next.done === true) break
        this.#left = next.value
      }
      const used = this.#left.subarray(0, end - this.#at)
      const decoded = decoder.write(used.subarray(Math.max(0, start - this.#at)))
      this.#at += used.length
      this.#left = this.#left.subarray(used.length)
      if (decoded.length > 0) yield decoded
    }
    const last = decoder.end()
    if (last.length > 0) yield last
  }

  async close(): Promise<void> {
    const chunks = this.#chunks
    this.#chunks = undefined
    this.#left = Buffer.alloc(0)
    this.#at = 0
    await chunks?.return?.()
  }
}

/** The bytes [start, end) of what a source gives. */
export async function* slice(source: AsyncIterable<Buffer>, start: number, end: number): AsyncGenerator<Buffer> {
  let at = 0
  for await (const chunk of source) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
    at += chunk.length
    if (piece.length > 0) yield piece
    if (at >= end) return
  }
}

/** Bytes of a part once decoded. `message` is the whole message. */
export function decodedSize(message: Buffer, range: EncodedRange): number {
  const decoder = partDecoder(range.encoding)
  let size = 0
  for (let at = range.start; at < range.end; at += LINE_PIECE)
    size += decoder.write(message.subarray(at, Math.min(at + LINE_PIECE, range.end))).length
  return size + decoder.end().length
}

interface Decoder {
  write(chunk: Buffer): Buffer
  end(): Buffer
}

function partDecoder(encoding: string): Decoder {
  if (encoding === 'base64') return new Base64Decoder()
  if (encoding === 'quoted-printable') return new QuotedPrintableDecoder()
  return { write: chunk => chunk, end: () => Buffer.alloc(0) }
}

/** RFC 2045 §6.8; text may go on after padding. */
class Base64Decoder implements Decoder {
  /** Less than four characters. */
  #rest = ''

  write(chunk: Buffer): Buffer {
    const pieces = (this.#rest + chunk.toString('latin1')).replace(/[^A-Za-z0-9+/=_-]+/g, '').split(/=+/)
    const last = pieces.pop() ?? ''
    const whole = last.length - (last.length % 4)
    this.#rest = last.slice(whole)
    return Buffer.concat([...pieces, last.slice(0, whole)].map(piece => Buffer.from(piece, 'base64')))
  }

  end(): Buffer {
    return Buffer.from(this.#rest, 'base64')
  }
}

/** RFC 2045 §6.7: lines stand for themselves, so that whole ones are decoded. */
class QuotedPrintableDecoder implements Decoder {
  #rest: Buffer = Buffer.alloc(0)

  write(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let end = bytes.lastIndexOf(LF) + 1
    // Not within "=3D".
    if (end === 0 && bytes.length > LINE_PIECE) end = bytes.length - 1 - [...bytes.subarray(-3)].reverse().indexOf(0x3d)
    this.#rest = Buffer.from(bytes.subarray(end))
    return decode(bytes.subarray(0, end))
  }

  end(): Buffer {
    return decode(this.#rest)
  }
}

function decode(bytes: Buffer): Buffer {
  return decodeBody(bytes, { encoding: 'quoted-printable', bodyStart: 0, end: bytes.length } as Part)
}
