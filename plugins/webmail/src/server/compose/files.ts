// Files of drafts: uploaded ones, and parts of messages. Their bytes are in the content store; names are for display only.
import { createHash } from 'node:crypto'
import type { ContentStore, StagedContent } from '@mox/plugin-sdk'
import {
  decodeBody,
  isToken,
  LINE_OCTETS,
  type Part,
  parseParameters,
  parseStructure,
  safeFilename,
} from '@mox/plugin-sdk/mail'
import type { DraftAttachment } from '../../api/model.ts'
import { CallError } from '../call.ts'
import type { FileRow } from './schema.ts'
import { MAX_FILE_NAME } from './services.ts'

/** A file that is staged. */
export interface StagedFile {
  readonly name: string
  readonly contentType: string
  readonly encoding: FileRow['encoding']
  readonly staged: StagedContent
  abort(): Promise<void>
}

/** Bytes that a file has inside a message. */
export function encodedSize({ size, encoding }: Pick<FileRow, 'size' | 'encoding'>): number {
  return encoding === 'base64' ? Math.ceil(size / 57) * 78 : size
}

export function shownFile(row: FileRow): DraftAttachment {
  return { id: row.id, filename: row.name, contentType: row.content_type, size: row.size }
}

/** Stages what comes in, up to `limit` bytes of it. Enclosed messages stay readable as such when their lines allow it. */
export async function stageFile(
  content: ContentStore,
  given: { readonly name: string; readonly contentType: string; readonly source: AsyncIterable<Buffer> },
  limit: number,
): Promise<StagedFile> {
  const writer = content.writer()
  const hash = createHash('sha256')
  const lines = new LineCheck()
  const type = mediaType(given.contentType)
  const message = /^message\/(?:rfc822|global)$/.test(type)
  let size = 0
  try {
    for await (const chunk of given.source) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      hash.update(chunk)
      if (message) lines.take(chunk)
      await writer.write(chunk)
    }
    const staged = await writer.finish(hash.digest())
    const encoding = message ? lines.encoding() : 'base64'
    return {
      name: fileName(given.name),
      // RFC 2046 §5.2.1 does not let a message be encoded, so one that cannot be sent as it is goes as bytes.
      contentType: message && encoding === 'base64' ? 'application/octet-stream' : type,
      encoding,
      staged,
      abort: () => writer.abort(),
    }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** `room`: bytes that a file may still have. */
export function tooLarge(room: number): CallError {
  const text =
    room < 1024
      ? 'no more files fit into the message'
      : `the file is too large: ${Math.floor(room / 1024)} KiB are left for files of this message`
  return new CallError('tooLarge', text)
}

/** The parts of a message as files. */
export function partsOf(
  bytes: Buffer,
  paths: readonly string[],
): { name: string; contentType: string; data: Buffer }[] {
  const root = parseStructure(bytes)
  return paths.map(path => {
    const part = partAt(root, path)
    if (part === undefined || part.type === 'multipart') throw new CallError('notFound', 'the message has no such file')
    return fileOf(bytes, part)
  })
}

export function fileOf(bytes: Buffer, part: Part): { name: string; contentType: string; data: Buffer } {
  const name = part.filename ?? (part.contentType === 'message/rfc822' ? 'message.eml' : 'file')
  return { name, contentType: part.contentType, data: decodeBody(bytes, part) }
}

/** "0.1.2": the third part of the second part of the root; an enclosed message is the only part of its part. */
function partAt(root: Part, path: string): Part | undefined {
  let part: Part | undefined = root
  for (const index of path.split('.').slice(1)) {
    const parts: readonly Part[] = part.message === undefined ? part.children : [part.message]
    part = parts[Number(index)]
    if (part === undefined) return undefined
  }
  return part
}

function fileName(name: string): string {
  return safeFilename(name).slice(0, MAX_FILE_NAME)
}

/** A type of a single part without parameters; bytes when it is no such type. */
function mediaType(given: string): string {
  const { value } = parseParameters(given.slice(0, 200))
  const [type = '', subtype = '', ...rest] = value.split('/')
  const good = rest.length === 0 && isToken(type) && isToken(subtype) && type !== 'multipart' && value.length <= 127
  return good ? value : 'application/octet-stream'
}

const LF = 0x0a
const CR = 0x0d

/** Whether bytes are lines that can be sent as they are. */
class LineCheck {
  #line = 0
  #last = 0
  #bad = false
  #eightBit = false

  take(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === LF) {
        if (this.#last !== CR) this.#bad = true
        this.#line = 0
      } else {
        // A carriage return ends a line only before a line feed.
        if (this.#last === CR || byte === 0) this.#bad = true
        if (byte !== CR && ++this.#line > LINE_OCTETS) this.#bad = true
        if (byte > 0x7f) this.#eightBit = true
      }
      this.#last = byte
    }
  }

  encoding(): FileRow['encoding'] {
    if (this.#bad || this.#last === CR) return 'base64'
    return this.#eightBit ? '8bit' : '7bit'
  }
}
