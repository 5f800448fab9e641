// A message on its way in from an archive: lines end with CRLF, what mbox files note in header fields becomes flags, and it
// is staged in the content store with the hash that tells it from others.
import { createHash } from 'node:crypto'
import type { ContentStore, ContentWriter, Flags, StagedContent } from '@mox/plugin-sdk'
import { HEADER_BYTES, type Head, parseDate, parseHeader } from '@mox/plugin-sdk/mail'
import type { Metadata } from './manifest.ts'
import { IMPORT_MESSAGE_BYTES } from './mbox.ts'

/** What is known of a message beside its bytes. */
export interface ImportFacts {
  readonly mailbox: string
  readonly receivedAt?: number | undefined
  readonly flags?: Partial<Flags> | undefined
  /** Of any case; those that are flags become flags. */
  readonly words?: readonly string[] | undefined
  /** Letters of a Maildir's keyword file that was not read yet. */
  readonly letters?: string | undefined
  /** What our own export knew of it. */
  readonly noted?: Metadata | undefined
}

export interface StagedMessage extends ImportFacts {
  readonly head: Head
  readonly size: number
  /** SHA-256 of all bytes. */
  readonly hash: Buffer
  readonly staged: StagedContent
  readonly writer: ContentWriter
}

/** Makes bare line feeds CRLF, over chunks. */
export class LineEnds {
  #afterCr = false

  convert(chunk: Buffer): Buffer {
    const first = this.#afterCr && chunk[0] === 0x0a
    this.#afterCr = chunk.at(-1) === 0x0d
    const text = chunk.toString('latin1')
    if (!/(?<!\r)\n/.test(first ? text.slice(1) : text)) return chunk
    const converted = text.replace(/(?<!\r)\n/g, '\r\n')
    return Buffer.from(first ? converted.slice(1) : converted, 'latin1')
  }
}

/** The bytes of a file with CRLF; undefined when it is larger than an imported message may be. */
export async function readLines(source: AsyncIterable<Buffer>): Promise<Buffer[] | undefined> {
  const ends = new LineEnds()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes <= IMPORT_MESSAGE_BYTES) chunks.push(ends.convert(chunk))
    else chunks.length = 0
  }
  return bytes <= IMPORT_MESSAGE_BYTES ? chunks : undefined
}

/** Stages a message. `chunks` have CRLF. The content is kept or aborted by the caller. */
export async function stage(
  content: ContentStore,
  chunks: readonly Buffer[],
  facts: ImportFacts,
  now: number,
): Promise<StagedMessage> {
  const start = startOf(chunks)
  const head = parseHeader(start)
  const writer = content.writer()
  const hash = createHash('sha256')
  let size = 0
  try {
    for (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
      await writer.write(chunk)
    }
    const digest = hash.digest()
    const staged = await writer.finish(digest)
    const receivedAt = facts.receivedAt ?? parseDate(head.get('date') ?? '') ?? now
    return { ...facts, receivedAt, head, size, hash: digest, staged, writer }
  } catch (err) {
    await writer.abort()
    throw err
  }
}

function startOf(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks
  if (first !== undefined && (chunks.length === 1 || first.length >= HEADER_BYTES)) return first
  const start: Buffer[] = []
  let bytes = 0
  for (const chunk of chunks) {
    if (bytes >= HEADER_BYTES) break
    start.push(chunk)
    bytes += chunk.length
  }
  return Buffer.concat(start)
}

/** Keywords as other programs write those that are flags here: with or without a dollar sign. */
export function importedWord(word: string): string {
  return /^(?:forwarded|junk|notjunk|nonjunk|phishing|mdnsent)$/i.test(word) ? `$${word}` : word
}

const STATUS_FIELDS: readonly string[] = ['status', 'x-status', 'x-keywords']
const STATUS_LETTERS: ReadonlyMap<string, keyof Flags> = new Map<string, keyof Flags>([
  ['R', 'seen'],
  ['A', 'answered'],
  ['F', 'flagged'],
  ['D', 'deleted'],
  ['T', 'draft'],
])

/** Takes out of a message what mbox files note in its header: the chunks without it, and what it said. */
export function takeStatus(
  chunks: readonly Buffer[],
): Pick<ImportFacts, 'flags' | 'words'> & { readonly chunks: Buffer[] } {
  const start = startOf(chunks)
  const head = parseHeader(start)
  const noted = head.fields.filter(field => STATUS_FIELDS.includes(field.lower))
  if (noted.length === 0) return { chunks: [...chunks] }
  const flags: Partial<Record<keyof Flags, boolean>> = {}
  const words: string[] = []
  for (const field of noted) {
    if (field.lower === 'x-keywords') words.push(...field.value.split(/,?\s+/).filter(word => word !== ''))
    else
      for (const letter of field.value) {
        const flag = STATUS_LETTERS.get(letter)
        // "R" of Status is read; X-Status has no such letter.
        if (flag !== undefined && (flag === 'seen') === (field.lower === 'status')) flags[flag] = true
      }
  }
  const kept: Buffer[] = []
  let at = 0
  for (const field of noted) {
    kept.push(start.subarray(at, field.start))
    at = field.end
  }
  const all = Buffer.concat(chunks.length === 1 ? [start] : [...chunks])
  return { chunks: [...kept, all.subarray(at)].filter(chunk => chunk.length > 0), flags, words }
}

const MAILDIR_LETTERS: ReadonlyMap<string, keyof Flags> = new Map<string, keyof Flags>([
  ['P', 'forwarded'],
  ['R', 'answered'],
  ['S', 'seen'],
  ['T', 'deleted'],
  ['D', 'draft'],
  ['F', 'flagged'],
])

/** What the name of a file in a Maildir says: time of receipt, flags, and letters of keywords. */
export function maildirFacts(file: string): Pick<ImportFacts, 'receivedAt' | 'flags' | 'letters'> {
  const seconds = /^(\d{1,11})\./.exec(file)?.[1]
  const info = /[:;!]2,([A-Za-z]*)[^/]*$/.exec(file)?.[1] ?? ''
  const flags: Partial<Record<keyof Flags, boolean>> = {}
  for (const letter of info) {
    const flag = MAILDIR_LETTERS.get(letter)
    if (flag !== undefined) flags[flag] = true
  }
  return {
    receivedAt: seconds === undefined ? undefined : Number(seconds) * 1_000,
    flags,
    letters: info.replace(/[^a-z]/g, ''),
  }
}
