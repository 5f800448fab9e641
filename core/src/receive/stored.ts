// What the receive stage needs to know of a message that is in the store already. It was measured when it came in, so only its
// header section is read again. What fails is the storage.
import { isAscii } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { DeliveryBatch } from '@mox/plugin-sdk'
import { HEADER_BYTES } from '@mox/plugin-sdk/mail'
import type { Measured } from './accept.ts'

/** RFC 5322 §2.1: the line end of the last field and the empty line. No stored message has other line ends. */
const END = '\r\n\r\n'

export async function measure({
  message,
  prefix,
  open,
}: Pick<DeliveryBatch, 'message' | 'prefix' | 'open'>): Promise<Measured> {
  const { bytes: headBytes, complete: headComplete } = await headOf(open())
  return {
    size: message.size,
    has8bit: message.has8bit || !isAscii(prefix),
    headHas8bit: !isAscii(headBytes),
    ...{ headBytes, headComplete },
  }
}

/** The header section with its empty line, at most HEADER_BYTES of it. Reads no further than needed. */
export async function headOf(
  content: AsyncIterable<Buffer>,
): Promise<{ readonly bytes: Buffer; readonly complete: boolean }> {
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    const searched = Math.max(0, head.length - END.length)
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = head.indexOf(END, searched)
    if (end >= 0 && end + END.length <= HEADER_BYTES)
      return { bytes: head.subarray(0, end + END.length), complete: true }
    if (head.length >= HEADER_BYTES) break
  }
  return { bytes: head.subarray(0, HEADER_BYTES), complete: false }
}

/** SHA-256. */
export async function hashOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return hash.digest()
}
