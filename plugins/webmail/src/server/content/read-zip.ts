// What is in a zip archive that came as an attachment: its names, and one of its files. Bounded in number and size, whatever the
// archive says of itself; archives within it stay closed.
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'
import { ZIP_ENTRIES, ZIP_ENTRY_BYTES, ZIP_NAME_LENGTH } from './limits.ts'

export interface ZipListing {
  readonly entries: readonly {
    readonly index: number
    /** As the archive has it, with its folders. */
    readonly name: string
    /** Bytes, as the archive says. */
    readonly size: number
    /** Milliseconds since the epoch, of a clock without zone. */
    readonly modified: number
    /** Whether it can be had alone. */
    readonly readable: boolean
    readonly encrypted: boolean
  }[]
  /** There are others. */
  readonly more: boolean
}

/** null: it is no zip archive, or damaged. */
export async function listZip(bytes: Buffer): Promise<ZipListing | null> {
  return await readEntries(bytes, async (next, zip) => {
    const entries: ZipListing['entries'][number][] = []
    for (let index = 0; index < ZIP_ENTRIES; index++) {
      const entry = await next()
      if (entry === undefined) break
      const name = nameOf(entry)
      if (!name.endsWith('/')) entries.push({ index, ...facts(entry), name })
    }
    return { entries, more: zip.entryCount > ZIP_ENTRIES }
  })
}

/** null: there is no such file, or it cannot be had. */
export async function readZipEntry(bytes: Buffer, index: number): Promise<{ name: string; bytes: Uint8Array } | null> {
  return await readEntries(bytes, async (next, zip) => {
    let entry = await next()
    for (let at = 0; at < index && entry !== undefined; at++) entry = await next()
    if (entry === undefined || !facts(entry).readable) return null
    const chunks: Buffer[] = []
    for await (const chunk of await open(zip, entry)) chunks.push(chunk)
    return { name: nameOf(entry), bytes: new Uint8Array(Buffer.concat(chunks)) }
  })
}

type Next = () => Promise<Entry | undefined>

async function readEntries<T>(bytes: Buffer, work: (next: Next, zip: ZipFile) => Promise<T>): Promise<T | null> {
  try {
    const zip = await new Promise<ZipFile>((resolve, reject) => {
      const options = { lazyEntries: true, decodeStrings: false }
      fromBuffer(bytes, options, (error, opened) => (error ? reject(error) : resolve(opened)))
    })
    const next: Next = () =>
      new Promise((resolve, reject) => {
        const settle = (then: () => void): void => {
          zip.removeAllListeners()
          then()
        }
        zip.once('entry', (entry: Entry) => settle(() => resolve(entry)))
        zip.once('end', () => settle(() => resolve(undefined)))
        zip.once('error', error => settle(() => reject(error)))
        zip.readEntry()
      })
    return await work(next, zip)
  } catch {
    return null
  }
}

/** More than the archive says is an error of the reader. */
function open(zip: ZipFile, entry: Entry): Promise<AsyncIterable<Buffer>> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
  })
}

const STORED = 0
const DEFLATED = 8

function facts(entry: Entry) {
  const encrypted = (entry.generalPurposeBitFlag & 1) === 1
  const known = entry.compressionMethod === STORED || entry.compressionMethod === DEFLATED
  const size = Math.min(entry.uncompressedSize, Number.MAX_SAFE_INTEGER)
  const modified = entry.getLastModDate({ timezone: 'UTC' }).getTime()
  return {
    ...{ size, encrypted, modified: Number.isFinite(modified) ? Math.max(0, Math.trunc(modified)) : 0 },
    readable: known && !encrypted && size <= ZIP_ENTRY_BYTES,
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Most archives have UTF-8, whether they say so or not. Nothing in it may change how a line reads. */
function nameOf({ fileName }: Entry): string {
  const bytes = fileName as unknown as Buffer
  let name: string
  try {
    name = UTF8.decode(bytes)
  } catch {
    name = bytes.toString('latin1')
  }
  return name.slice(0, ZIP_NAME_LENGTH).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
