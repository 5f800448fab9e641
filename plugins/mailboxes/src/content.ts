// Reading stored messages: header section or the first part. What was erased throws.
import type { ContentStore, StagedContent, Storage } from '@mox/plugin-sdk'
import { HEADER_BYTES, type Head, parseHeader } from '@mox/plugin-sdk/mail'
import type { MessageRow } from './schema.ts'

type Stored = Pick<MessageRow, 'prefix' | 'content_id'>

/** Octets that most header sections are shorter than. */
const SHORT_HEADER = 16_384

export async function readHead(storage: Storage, row: Stored): Promise<Head> {
  for (const octets of [SHORT_HEADER, HEADER_BYTES]) {
    const head = parseHeader(await readStart(storage, row, octets))
    if (head.complete) return head
  }
  return parseHeader(await readStart(storage, row, HEADER_BYTES))
}

/** At most `octets` and the prefix. */
export async function readStart(storage: Storage, row: Stored, octets: number): Promise<Buffer> {
  const parts: Buffer[] = [row.prefix]
  for await (const part of storage.content.open(row.content_id, { end: octets })) parts.push(part)
  return Buffer.concat(parts)
}

/** The header section of a message that is not kept yet. */
export async function stagedHead(content: ContentStore, staged: StagedContent): Promise<Head> {
  const parts: Buffer[] = []
  let octets = 0
  for await (const part of content.openStaged(staged)) {
    parts.push(part)
    octets += part.length
    if (octets >= HEADER_BYTES || part.includes('\r\n\r\n')) break
  }
  return parseHeader(Buffer.concat(parts).subarray(0, HEADER_BYTES))
}
