// Zip archives that are made while they are read (APPNOTE.TXT of PKWARE, 6.3): deflated or stored, UTF-8 names, and the 64-bit forms
// wherever a number needs them. Writing waits for the reader. A file of unknown size is followed by its sizes.

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { crc32, createDeflateRaw, deflateRaw } from 'node:zlib'

const deflate = promisify<Buffer, Buffer>(deflateRaw)

const FOLDER = 0o40700
const FILE = 0o100600
const MAX32 = 0xffff_ffff
const MAX16 = 0xffff
/** Made on Unix, by version 4.5, which has the 64-bit forms. */
const MADE_BY = (3 << 8) | 45
/** Bit 11: the name is UTF-8; bit 3: sizes follow the content. */
const STORED = 0
const DEFLATED = 8
const UTF8 = 0x800
const SIZES_FOLLOW = 0x8

interface Entry {
  readonly name: Buffer
  readonly flags: number
  readonly method: number
  readonly time: number
  readonly mode: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  readonly offset: number
}

export class ZipWriter {
  readonly output: PassThrough = new PassThrough()
  /** What the archive's directory will say; about a hundred bytes a file. */
  readonly #directory: Buffer[] = []
  #at = 0

  async folder(path: string, modified: number): Promise<void> {
    const entry = this.#entry(`${path}/`, modified, FOLDER, { flags: UTF8, method: STORED, crc: 0, packed: 0, size: 0 })
    await this.#write(localHeader(entry))
    this.#directory.push(directoryEntry(entry))
  }

  async file(path: string, modified: number, chunks: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(chunks)
    const packed = await deflate(bytes)
    const sizes = { flags: UTF8, method: DEFLATED, crc: crc32(bytes), packed: packed.length, size: bytes.length }
    const entry = this.#entry(path, modified, FILE, sizes)
    await this.#write(localHeader(entry))
    await this.#write(packed)
    this.#directory.push(directoryEntry(entry))
  }

  /** `stored`: not deflated, for what is compressed already. */
  async stream(
    path: string,
    modified: number,
    content: AsyncIterable<Buffer>,
    { stored = false }: { readonly stored?: boolean } = {},
  ): Promise<void> {
    const method = stored ? STORED : DEFLATED
    const unknown = { flags: UTF8 | SIZES_FOLLOW, method, crc: 0, packed: 0, size: 0 }
    const start = this.#entry(path, modified, FILE, unknown)
    await this.#write(localHeader(start))
    const before = this.#at
    let crc = 0
    let size = 0
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of content) {
        crc = crc32(chunk, crc)
        size += chunk.length
        yield chunk
      }
    }
    if (stored) for await (const chunk of counted()) await this.#write(chunk)
    else {
      const packer = createDeflateRaw()
      const fed = feed(counted(), packer)
      for await (const chunk of packer) await this.#write(chunk as Buffer)
      await fed
    }
    const entry = { ...start, crc, size, packed: this.#at - before }
    const sizes = Buffer.alloc(24)
    sizes.writeUInt32LE(0x08074b50, 0)
    sizes.writeUInt32LE(crc, 4)
    sizes.writeBigUInt64LE(BigInt(entry.packed), 8)
    sizes.writeBigUInt64LE(BigInt(size), 16)
    await this.#write(sizes)
    this.#directory.push(directoryEntry(entry))
  }

  async finish(): Promise<void> {
    const start = this.#at
    for (const entry of this.#directory) await this.#write(entry)
    await this.#write(endOfDirectory(this.#directory.length, this.#at - start, start))
    this.output.end()
  }

  #entry(
    path: string,
    modified: number,
    mode: number,
    sizes: Pick<Entry, 'flags' | 'method' | 'crc' | 'packed' | 'size'>,
  ): Entry {
    return { ...sizes, name: Buffer.from(path), time: dosTime(modified), mode, offset: this.#at }
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#at += bytes.length
    if (!this.output.write(bytes)) await once(this.output, 'drain')
  }
}

/** Writes all of it; a failure of the source is one of the target. */
async function feed(source: AsyncIterable<Buffer>, target: ReturnType<typeof createDeflateRaw>): Promise<void> {
  try {
    for await (const chunk of source) if (!target.write(chunk)) await once(target, 'drain')
    target.end()
  } catch (err) {
    target.destroy(err instanceof Error ? err : new Error(String(err)))
  }
}

/** Date in the upper, time in the lower half; from 1980 to 2107, in UTC. */
function dosTime(ms: number): number {
  const date = new Date(Math.max(Date.UTC(1980), Math.min(ms, Date.UTC(2107, 11, 31))))
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  return day * 0x1_0000 + time
}

/** §4.3.7; sizes that follow are in the 64-bit form. */
function localHeader({ name, flags, method, time, crc, packed, size }: Entry): Buffer {
  const follow = (flags & SIZES_FOLLOW) !== 0
  const extra = follow ? wide(0, 0) : Buffer.alloc(0)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(45, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(!follow && size === 0 ? STORED : method, 8)
  header.writeUInt32LE(time, 10)
  header.writeUInt32LE(crc, 14)
  header.writeUInt32LE(follow ? MAX32 : packed, 18)
  header.writeUInt32LE(follow ? MAX32 : size, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

/** §4.3.12. */
function directoryEntry({ name, flags, method, time, mode, crc, packed, size, offset }: Entry): Buffer {
  const large = packed >= MAX32 || size >= MAX32 || offset >= MAX32
  const extra = large ? wide(size, packed, offset) : Buffer.alloc(0)
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(MADE_BY, 4)
  header.writeUInt16LE(45, 6)
  header.writeUInt16LE(flags, 8)
  header.writeUInt16LE(size === 0 && packed === 0 ? STORED : method, 10)
  header.writeUInt32LE(time, 12)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(large ? MAX32 : packed, 20)
  header.writeUInt32LE(large ? MAX32 : size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt32LE(mode * 0x1_0000, 38)
  header.writeUInt32LE(large ? MAX32 : offset, 42)
  return Buffer.concat([header, name, extra])
}

/** §4.5.3: the 64-bit numbers in place of 32-bit ones. */
function wide(...numbers: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * numbers.length)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8 * numbers.length, 2)
  for (const [i, number] of numbers.entries()) extra.writeBigUInt64LE(BigInt(number), 4 + 8 * i)
  return extra
}

/** §4.3.14 to §4.3.16. */
export function endOfDirectory(entries: number, bytes: number, offset: number): Buffer {
  const large = entries >= MAX16 || bytes >= MAX32 || offset >= MAX32
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(large ? MAX16 : entries, 8)
  end.writeUInt16LE(large ? MAX16 : entries, 10)
  end.writeUInt32LE(large ? MAX32 : bytes, 12)
  end.writeUInt32LE(large ? MAX32 : offset, 16)
  if (!large) return end
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(MADE_BY, 12)
  record.writeUInt16LE(45, 14)
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(entries), at)
  record.writeBigUInt64LE(BigInt(bytes), 40)
  record.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator, end])
}
