// The part of a DSN that shows which message it is about (RFC 6522 §3, RFC 6533 §5): its header section, or all of it where the
// sender asked for that and may have it back.
import { HEADER_BYTES, parseHeader } from '@mox/plugin-sdk/mail'
import { base64, type Encoded, transparent } from './encode.ts'

/** Bytes of a message that is returned as a whole. */
export const RETURN_BYTES: number = 1024 * 1024

export interface ReturnedPart extends Encoded {
  /** With its parameters. */
  readonly contentType: string
}

export interface ReturnedInput {
  /** Our fields in front of the message. */
  readonly prefix: Buffer
  /** The message as it came in: all of it when `full`, at least its header section otherwise. */
  readonly content: Buffer
  readonly full: boolean
  /** The DSN is one of RFC 6533. */
  readonly utf8: boolean
  /** 8-bit bodies get to the reader as they are. */
  readonly eightBit: boolean
}

export function returnedPart({ prefix, content, full, utf8, eightBit }: ReturnedInput): ReturnedPart {
  const whole = full ? transparent(Buffer.concat([prefix, content]), eightBit) : undefined
  if (whole !== undefined) return { ...whole, contentType: utf8 ? 'message/global' : 'message/rfc822' }
  const section = content.subarray(0, HEADER_BYTES)
  const head = parseHeader(section)
  const fields = section.subarray(0, head.length)
  const end = head.complete ? fields.length - (fields.at(-2) === 0x0d ? 2 : 1) : fields.length
  const headers = Buffer.concat([prefix, fields.subarray(0, end)])
  const raw = transparent(headers, utf8)
  if (raw === undefined) return { ...base64(headers), contentType: 'text/rfc822-headers; charset=utf-8' }
  return { ...raw, contentType: utf8 ? 'message/global-headers' : 'text/rfc822-headers' }
}
